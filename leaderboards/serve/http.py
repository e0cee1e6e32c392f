"""The HTTP routes, in OpenEnv's shape; a ranked server has those of its production mode, without reset, step and state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ludarium.leaderboards.serve import rpc
from ludarium.leaderboards.serve.episodes import FORMS
from ludarium.leaderboards.serve.messages import ServeError, read_json, write_json
from ludarium.leaderboards.serve.sessions import Session, Sessions
from ludarium.leaderboards.serve.tools import Tools, checked

__all__ = ["API_VERSION", "Routes", "reset_arguments"]

API_VERSION = "1.0.0"
MOST_TASKS = 1000
"""Tasks in one answer."""
_TASK = {"split": {"type": "string"}, "index": {"type": "integer"}}
_RESET = {"properties": {"seed": {"type": "integer"}, "episode_id": {"type": "string"}, **_TASK}}
_STEP = {
    "properties": {
        "action": {"type": "object"}, "session_id": {"type": "string"}, "step": {"type": "integer"},
        "timeout_s": {"type": "number"}, "request_id": {"type": "string"},
    },
    "required": ["action"],
}  # fmt: skip


def reset_arguments(data: dict[str, Any]) -> tuple[int | None, str | None, int | None]:
    """Seed, split and index of a reset; `None` stands for what was left out."""
    given = checked("reset", _RESET, {name: value for name, value in data.items() if value is not None})
    return given.get("seed"), given.get("split"), given.get("index")


def _json(value: Any, status: int = 200) -> Response:
    return Response(write_json(value), status, media_type="application/json")


def _told(handler: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    """Answer with JSON, errors included."""

    async def endpoint(request: Request) -> Response:
        try:
            return _json(await handler(request))
        except ServeError as error:
            return _json({"error": error.as_data(), "detail": str(error)}, error.status)

    return endpoint


async def _body(request: Request) -> dict[str, Any]:
    data = read_json(await request.body() or b"{}")
    if not isinstance(data, dict):
        raise ServeError("VALIDATION_ERROR", "the body is an object")
    return data


class Routes:
    """The routes of one server."""

    def __init__(self, sessions: Sessions, tools: Tools) -> None:
        self.sessions, self.tools, self.served = sessions, tools, sessions.served

    def all(self) -> list[Route]:
        """All but `/mcp` and `/ws`."""
        return [Route(path, _told(handler), methods=[method]) for method, path, handler in self._table()]

    def _table(self) -> list[tuple[str, str, Callable[[Request], Awaitable[Any]]]]:
        common: list[Any] = [
            ("GET", "/health", self._health),
            ("GET", "/metadata", self._metadata),
            ("GET", "/schema", self._schema),
            ("GET", "/openapi.json", self._openapi),
            ("GET", "/list_environments", self._environments),
            ("POST", "/close", self._close),
        ]
        if self.served.offer.ranked:
            return common
        return [
            *common,
            ("POST", "/reset", self._reset),
            ("POST", "/step", self._step),
            ("GET", "/state", self._state),
            ("GET", f"/{self.served.id}/splits", self._splits),
            ("POST", f"/{self.served.id}/tasks", self._tasks),
            ("POST", f"/{self.served.id}/num_tasks", self._num_tasks),
            ("POST", f"/{self.served.id}/task", self._task),
            ("POST", f"/{self.served.id}/task_range", self._task_range),
        ]

    # --- what is served --------------------------------------------------------------------------------------------
    async def _health(self, request: Request) -> Any:
        return {"status": "healthy"}

    async def _metadata(self, request: Request) -> Any:
        import ludarium

        served = self.served
        return {
            "name": served.id,
            "description": served.summary,
            "readme_content": served.rules,
            "version": ludarium.__version__,
            "author": "The Ludarium authors",
            "documentation_url": None,
        }

    async def _schema(self, request: Request) -> Any:
        text = {"type": "string"}
        arrays: dict[str, Any] = {"array": {}, "action_mask": {}}
        words: dict[str, Any] = {"text": text, "commands": {"type": ["array", "null"], "items": text}}
        observed = {"seat": text, **(arrays if self.served.offer.view == "array" else words)}
        return {
            "action": {
                "type": "object",
                "description": f"{FORMS}; values are of {self.served.action_space}",
                "properties": {"command": text, "action": {}, "name": text, "arguments": {"type": "object"}},
                "additionalProperties": False,
            },
            "observation": {"type": "object", "properties": observed},
            "state": {
                "type": "object",
                "properties": {"episode_id": {"type": ["string", "null"]}, "step_count": {"type": "integer"}},
            },
        }

    async def _openapi(self, request: Request) -> Any:
        paths: dict[str, Any] = {"/mcp": {"post": {"responses": {"200": {"description": "JSON-RPC"}}}}}
        for method, path, handler in self._table():
            about = (handler.__doc__ or path.strip("/")).splitlines()[0]
            paths[path] = {method.lower(): {"summary": about, "responses": {"200": {"description": "JSON"}}}}
        return {"openapi": "3.1.0", "info": {"title": self.served.id, "version": API_VERSION}, "paths": paths}

    async def _environments(self, request: Request) -> Any:
        return [self.served.id]

    # --- playing ---------------------------------------------------------------------------------------------------
    async def _reset(self, request: Request) -> Any:
        """Begin an episode, in a new session or in the one that is named."""
        data = await _body(request)
        ident = data.pop("session_id", "")
        arguments = reset_arguments(data)
        session = self._named(ident) if ident else self.sessions.open()
        try:
            return await self.sessions.run(session, session.begin, *arguments)
        except ServeError:
            if not ident:
                self.sessions.close(session.id)
            raise

    async def _step(self, request: Request) -> Any:
        """Act in a session."""
        data = checked("step", _STEP, await _body(request))
        session = self._named(data.get("session_id", ""))
        return await self.sessions.run(session, session.act, data["action"], data.get("step"), quick=True)

    async def _state(self, request: Request) -> Any:
        """How far a session's episode is."""
        ident = request.headers.get("x-session-id") or request.query_params.get("session_id")
        return self._named(ident).state() if ident else {"episode_id": None, "step_count": 0}

    async def _close(self, request: Request) -> Any:
        """End a session."""
        session = self._named((await _body(request)).get("session_id", ""))
        self.sessions.close(session.id)
        return {"closed": True}

    def _named(self, ident: Any) -> Session:
        if not isinstance(ident, str):
            raise ServeError("VALIDATION_ERROR", "session_id is a string")
        return self.sessions.find(ident)

    # --- the task API ----------------------------------------------------------------------------------------------
    async def _splits(self, request: Request) -> Any:
        kinds = {"val": "validation"}
        return [{"name": split, "type": kinds.get(split, split)} for split in self.served.splits]

    async def _num_tasks(self, request: Request) -> Any:
        return {"num_tasks": self.served.num_tasks(_split(await _body(request)))}

    async def _tasks(self, request: Request) -> Any:
        split = _split(await _body(request))
        tasks = self._range(split, 0, self.served.num_tasks(split))
        return {"tasks": tasks, "env_name": self.served.id}

    async def _task(self, request: Request) -> Any:
        data = checked("task", {"properties": _TASK, "required": ["split", "index"]}, await _body(request))
        return {"task": self.served.task(data["split"], data["index"]).as_data()}

    async def _task_range(self, request: Request) -> Any:
        number = {"type": "integer"}
        schema = {"properties": {"split": {"type": "string"}, "start": number, "stop": number}, "required": ["split"]}
        data = await _body(request)
        data = checked("task_range", schema, {name: value for name, value in data.items() if value is not None})
        total = self.served.num_tasks(data["split"])
        first, last, _ = slice(data.get("start"), data.get("stop")).indices(total)
        return {"tasks": self._range(data["split"], first, last)}

    def _range(self, split: str, first: int, last: int) -> list[dict[str, Any]]:
        return [self.served.task(split, n).as_data() for n in range(first, min(last, first + MOST_TASKS))]


def _split(data: dict[str, Any]) -> str:
    return str(checked("split", {"properties": {"split": {"type": "string"}}, "required": ["split"]}, data)["split"])


async def plain_rpc(request: Request, tools: Tools) -> Response:
    """`/mcp` for clients that speak JSON-RPC without MCP's handshake."""
    try:
        message = read_json(await request.body())
    except ServeError as error:
        return _json({"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": str(error)}})
    return _json(await rpc.answer(message, tools))
