"""The WebSocket at `/ws`: one connection is one session, in OpenEnv's messages."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from ludarium.leaderboards.serve import rpc
from ludarium.leaderboards.serve.http import reset_arguments
from ludarium.leaderboards.serve.messages import ServeError, read_json, write_json
from ludarium.leaderboards.serve.sessions import Session, Sessions
from ludarium.leaderboards.serve.tools import Tools

__all__ = ["Socket"]

_TRY_LATER, _GOING_AWAY = 1013, 1001


class Socket:
    """An ASGI application: `reset`, `step`, `state`, `close` and `mcp`, each answered in turn."""

    def __init__(self, sessions: Sessions, tools: Tools) -> None:
        self.sessions, self.tools, self._ranked = sessions, tools, sessions.served.offer.ranked

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection to its end."""
        await receive()
        await send({"type": "websocket.accept"})
        owner = f"ws:{id(scope)}"
        try:
            session = self.sessions.open(owner)
        except ServeError as error:
            await send({"type": "websocket.send", "text": _wrong(error)})
            await send({"type": "websocket.close", "code": _TRY_LATER, "reason": error.code})
            return
        session.attached = True
        farewells: set[asyncio.Task[None]] = set()
        session.on_close = lambda: farewells.add(asyncio.ensure_future(_farewell(send)))
        try:
            while True:
                message = await receive()
                if message["type"] != "websocket.receive":
                    return
                reply = await self._answer(session, owner, message)
                if reply is None:
                    await send({"type": "websocket.close", "code": 1000})
                    return
                await send({"type": "websocket.send", "text": reply})
        finally:
            session.on_close = None
            self.sessions.close(session.id)

    async def _answer(self, session: Session, owner: str, received: Any) -> str | None:
        """The reply to a message; None to close."""
        try:
            text = received.get("text")
            message = read_json(received.get("bytes") or b"" if text is None else text)
            if not isinstance(message, dict) or not isinstance(message.get("type"), str):
                raise ServeError("VALIDATION_ERROR", "a message is an object with a type and data")
            kind, data = message["type"], message.get("data", {})
            if not isinstance(data, dict):
                raise ServeError("VALIDATION_ERROR", f"{kind!r:.80}: data is an object")
            if kind == "close":
                return None
            if kind == "mcp":
                return write_json({"type": "mcp", "data": await rpc.answer(data, self.tools, owner)})
            if kind not in ("reset", "step", "state"):
                raise ServeError("UNKNOWN_TYPE", f"unknown message type {kind!r:.80}")
            if self._ranked:
                raise ServeError("RANKED", f"a ranked server has no {kind}; it is played by its tools (type mcp)")
            if kind == "step":
                told = await self.sessions.run(session, session.act, data, quick=True)
            elif kind == "reset":
                told = await self.sessions.run(session, session.begin, *reset_arguments(data))
            else:
                return write_json({"type": "state", "data": session.state()})
            return write_json({"type": "observation", "data": told})
        except ServeError as error:
            return _wrong(error)


def _wrong(error: ServeError) -> str:
    return write_json({"type": "error", "data": error.as_data()})


async def _farewell(send: Any) -> None:
    """Tell a client that its session has ended; it may be gone already."""
    with contextlib.suppress(Exception):
        await send({"type": "websocket.close", "code": _GOING_AWAY, "reason": "the session said nothing for too long"})
