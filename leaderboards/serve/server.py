"""Putting it together: the application, and the server that runs it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from ludarium.leaderboards.serve.connections import PING_SECONDS, HttpProtocol, SocketProtocol, address_of, bind
from ludarium.leaderboards.serve.guard import Guard, may_listen
from ludarium.leaderboards.serve.http import Routes, plain_rpc
from ludarium.leaderboards.serve.mcp_server import WorldServer
from ludarium.leaderboards.serve.messages import MAX_MESSAGE
from ludarium.leaderboards.serve.sessions import Sessions
from ludarium.leaderboards.serve.socket import Socket
from ludarium.leaderboards.serve.tools import Tools

__all__ = ["Listen", "application", "listen", "run_http", "run_stdio"]


@dataclass(frozen=True)
class Listen:
    """Where a server listens, and to whom."""

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    hosts: tuple[str, ...] = ()
    """Further names that the server goes by."""
    origins: tuple[str, ...] = ()
    """Origins whose pages may ask; the answers still carry no CORS headers."""


def application(sessions: Sessions, where: Listen) -> Any:
    """The whole ASGI application, guarded."""
    tools = Tools(sessions)
    mcp = WorldServer(tools)
    inner = mcp.streamable_http_app(
        json_response=True,
        max_request_body_size=MAX_MESSAGE,
        session_idle_timeout=sessions.idle_seconds,
        max_sessions=2 * sessions.most,
        transport_security=_none(),
    )

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        keeper = asyncio.create_task(sessions.keep())
        try:
            async with mcp.session_manager.run():
                yield
        finally:
            keeper.cancel()
            sessions.close_all()
            await asyncio.to_thread(sessions.wait)

    routes = [
        *Routes(sessions, tools).all(),
        Route("/mcp", _Mcp(inner.routes[0], tools), methods=None),
        WebSocketRoute("/ws", Socket(sessions, tools)),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    return Guard(app, host=where.host, token=where.token, hosts=where.hosts, origins=where.origins)


def _none() -> Any:
    """No checks of Host and Origin by the MCP library: ours come first, and are stricter."""
    from mcp.server.transport_security import TransportSecuritySettings

    return TransportSecuritySettings(enable_dns_rebinding_protection=False)


class _Mcp:
    """`/mcp`: MCP for those who speak it (they say so by their headers), plain JSON-RPC for the others."""

    def __init__(self, route: Any, tools: Tools) -> None:
        self._route, self._tools = route, tools

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        speaks = b"mcp-session-id" in headers or b"mcp-protocol-version" in headers
        if scope["method"] != "POST" or speaks or b"text/event-stream" in headers.get(b"accept", b""):
            await self._route.endpoint(scope, receive, send)
            return
        response: Response = await plain_rpc(Request(scope, receive), self._tools)
        await response(scope, receive, send)


def listen(where: Listen) -> socket.socket:
    """A listening socket; `ConfigError` for a public address without a token."""
    may_listen(where.host, where.token)
    return bind(where.host, where.port)


def server(sessions: Sessions, where: Listen) -> uvicorn.Server:
    """The server, not yet running."""
    return uvicorn.Server(
        uvicorn.Config(
            application(sessions, where),
            http=HttpProtocol,
            ws=SocketProtocol,
            lifespan="on",
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=8 * sessions.most + 64,
            ws_max_size=MAX_MESSAGE,
            ws_per_message_deflate=False,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=3,
        )
    )


def run_http(sessions: Sessions, where: Listen, ready: Callable[[str], None]) -> None:
    """Serve until stopped; `ready` is told the address."""
    with listen(where) as bound:
        ready(address_of(bound))
        server(sessions, where).run(sockets=[bound])


def run_stdio(sessions: Sessions) -> None:
    """Serve one MCP client on standard input and output, until it closes them."""
    import anyio

    async def main() -> None:
        keeper = asyncio.create_task(sessions.keep())
        try:
            await WorldServer(Tools(sessions)).run_stdio_async()
        finally:
            keeper.cancel()
            sessions.close_all()
            sessions.wait()

    anyio.run(main)
