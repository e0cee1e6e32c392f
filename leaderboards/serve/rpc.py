"""JSON-RPC 2.0 without a handshake: `tools/list` and `tools/call` for clients that need no MCP library."""

from __future__ import annotations

from typing import Any

from ludarium.leaderboards.serve.messages import ServeError, write_json
from ludarium.leaderboards.serve.tools import Tools

__all__ = ["answer", "as_result", "listing"]

_INVALID_REQUEST, _METHOD_NOT_FOUND, _INVALID_PARAMS = -32600, -32601, -32602


def listing(tools: Tools) -> list[dict[str, Any]]:
    """The tools as MCP lists them."""
    return [
        {
            "name": tool.name,
            "description": tool.description,
            "inputSchema": tool.parameters,
            "outputSchema": tool.returns,
        }
        for tool in tools.all()
    ]


def as_result(value: dict[str, Any] | ServeError) -> dict[str, Any]:
    """What a call returned, as MCP says it: text and structured content, or an error that the agent can read."""
    if isinstance(value, ServeError):
        told = {"error": value.as_data()}
        return {"content": [{"type": "text", "text": write_json(told)}], "isError": True}
    return {"content": [{"type": "text", "text": write_json(value)}], "structuredContent": value, "isError": False}


async def answer(message: Any, tools: Tools, owner: str = "") -> dict[str, Any]:
    """The response to one request, whatever was sent."""
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0" or not isinstance(message.get("method"), str):
        return _error(None, _INVALID_REQUEST, "a JSON-RPC 2.0 request is an object with jsonrpc, method, params and id")
    ident = message.get("id")
    if not isinstance(ident, str | int | float | None):
        return _error(None, _INVALID_REQUEST, "an id is a string or a number")
    params = message.get("params", {})
    if not isinstance(params, dict):
        return _error(ident, _INVALID_PARAMS, "params are an object")
    method = message["method"]
    if method == "ping":
        return _result(ident, {})
    if method == "tools/list":
        return _result(ident, {"tools": listing(tools)})
    if method != "tools/call":
        return _error(ident, _METHOD_NOT_FOUND, f"no method {method!r:.80}; there are ping, tools/list and tools/call")
    try:
        found: Any = await tools.call(params.get("name"), params.get("arguments"), owner)
    except ServeError as error:
        if error.code == "UNKNOWN_TYPE":
            return _error(ident, _INVALID_PARAMS, str(error))
        found = error
    return _result(ident, as_result(found))


def _result(ident: Any, result: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": ident, "result": result}


def _error(ident: Any, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": ident, "error": {"code": code, "message": message}}
