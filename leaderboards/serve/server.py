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
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from ludarium.envs.core.errors import ConfigError
from ludarium.leaderboards.serve.guard import Guard, may_listen
from ludarium.leaderboards.serve.http import Routes, plain_rpc
from ludarium.leaderboards.serve.mcp_server import WorldServer
from ludarium.leaderboards.serve.messages import MAX_MESSAGE
from ludarium.leaderboards.serve.sessions import Sessions
from ludarium.leaderboards.serve.socket import Socket
from ludarium.leaderboards.serve.tools import Tools

__all__ = ["Listen", "application", "listen", "run_http", "run_stdio"]

REQUEST_SECONDS = 10.0
"""A connection has once to twice this long to send the head of a request."""
PING_SECONDS = 20.0


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


# --- connections that say nothing --------------------------------------------------------------------------------------
class _Http(H11Protocol):
    """A connection that sends no whole request head in time is cut, also if it sends a byte now and then."""

    _late: Any = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._answered, self._waited_at, self._partial = 0, -1, True
        self._late = self.loop.call_later(REQUEST_SECONDS, self._look)

    def _look(self) -> None:
        """Cut what has waited for the rest of one and the same request since the last look."""
        waits = self._partial and (self.cycle is None or self.cycle.response_complete)
        if waits and self._waited_at == self._answered:
            self.transport.abort()
            return
        self._waited_at = self._answered if waits else -1
        self._late = self.loop.call_later(REQUEST_SECONDS, self._look)

    def data_received(self, data: bytes) -> None:
        self._partial = True
        super().data_received(data)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._answered, self._partial = self._answered + 1, bool(self.conn.trailing_data[0])

    def handle_websocket_upgrade(self, event: Any) -> None:
        self._late.cancel()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._late is not None:
            self._late.cancel()
        super().connection_lost(exc)


class _Ws(WebSocketsSansIOProtocol):
    """A peer that answers no ping is cut, also if it has left unread what it was sent."""

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()


def listen(where: Listen) -> socket.socket:
    """A listening socket; `ConfigError` for a public address without a token."""
    may_listen(where.host, where.token)
    try:
        family = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)[0][0]
        # asyncio sends small packets at once only on sockets that say TCP: others wait 40 ms for the second half of an answer
        bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((where.host, where.port))
        bound.listen(256)
        return bound
    except OSError as error:
        raise ConfigError(f"cannot listen at {where.host}:{where.port}: {error.strerror or error}") from error


def server(sessions: Sessions, where: Listen) -> uvicorn.Server:
    """The server, not yet running."""
    return uvicorn.Server(
        uvicorn.Config(
            application(sessions, where),
            http=_Http,
            ws=_Ws,
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
        host, port = bound.getsockname()[:2]
        ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
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
