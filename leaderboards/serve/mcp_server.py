"""MCP: the tools and the rules through the `mcp` package, over stdio or streamable HTTP."""

from __future__ import annotations

from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp_types import CallToolResult, TextContent
from mcp_types import Tool as MCPTool
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

import ludarium
from ludarium.leaderboards.serve import rpc
from ludarium.leaderboards.serve.messages import ServeError, read_json, write_json
from ludarium.leaderboards.serve.tools import Tools

__all__ = ["WorldServer"]

_STDIO = "stdio"


class WorldServer(MCPServer):
    """An MCP server whose tools are those of a world; who calls is known by the connection, or by the session given."""

    def __init__(self, tools: Tools) -> None:
        served = tools.served
        super().__init__(
            "ludarium",
            version=ludarium.__version__,
            instructions=f"{served.id}: {served.summary}. Read {served.rules_uri}, begin with start, act by verbs or act.",
            log_level="ERROR",
        )
        self._world = tools
        self._listed = [
            MCPTool(
                name=tool["name"],
                description=tool["description"],
                input_schema=tool["inputSchema"],
                output_schema=tool["outputSchema"],
            )
            for tool in rpc.listing(tools)
        ]
        self.resource(served.rules_uri, name="rules", mime_type="text/plain")(lambda: served.rules)

    async def list_tools(self) -> list[MCPTool]:
        """The world's tools."""
        return self._listed

    async def call_tool(self, name: str, arguments: dict[str, Any], context: Context | None = None) -> CallToolResult:
        """Call one; what goes wrong is a result that says so."""
        try:
            value = await self._world.call(name, _measured(arguments), _owner(context))
        except ServeError as error:
            text = write_json({"error": error.as_data()})
            return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)
        text = write_json(value)
        return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=read_json(text))


def _measured(arguments: dict[str, Any]) -> Any:
    """The same arguments within the limits of messages, also where no HTTP body was measured."""
    try:
        return read_json(write_json(arguments))
    except (RecursionError, TypeError) as error:
        raise ServeError("INVALID_JSON", "the arguments are nested too deep, or no JSON") from error


def _owner(context: Context | None) -> str:
    """The connection that calls: the only one of stdio, one of HTTP by its id, or "" for requests that stand alone."""
    headers = context.headers if context is not None else None
    if context is None or headers is None:
        return _STDIO
    if context.protocol_version not in HANDSHAKE_PROTOCOL_VERSIONS:
        return ""  # nobody has checked what such a request says of its connection
    ident = headers.get("mcp-session-id", "")
    return f"mcp:{ident}" if ident else ""
