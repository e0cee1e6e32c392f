"""The process of a board's server: the socket, uvicorn with its limits, and the workers beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import uvicorn

from ludarium.leaderboards.board.app import create_app
from ludarium.leaderboards.board.settings import Settings
from ludarium.leaderboards.board.workers import Workers
from ludarium.leaderboards.serve.connections import PING_SECONDS, HttpProtocol, SocketProtocol, address_of, bind
from ludarium.leaderboards.serve.messages import MAX_MESSAGE
from ludarium.leaderboards.store import Store

__all__ = ["Address", "run", "server"]

_CONNECTIONS = 1000
_HEAD_BYTES = 16 << 10
"""Of a request's line and headers together."""


@dataclass(frozen=True)
class Address:
    """Where the server listens."""

    host: str = "127.0.0.1"
    port: int = 8080
    proxies: tuple[str, ...] = ()
    """Reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."""


def server(store: Store, settings: Settings, address: Address) -> uvicorn.Server:
    """The server, not yet running."""
    return uvicorn.Server(
        uvicorn.Config(
            create_app(store, settings),
            http=HttpProtocol,
            ws=SocketProtocol,
            ws_max_size=MAX_MESSAGE,
            ws_per_message_deflate=False,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=bool(address.proxies),
            forwarded_allow_ips=list(address.proxies),
            limit_concurrency=_CONNECTIONS,
            h11_max_incomplete_event_size=_HEAD_BYTES,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=10,
        )
    )


def run(store: Store, settings: Settings, address: Address, workers: Workers, ready: Callable[[str], None]) -> None:
    """Serve until stopped; `ready` is told the address once requests are taken."""
    with bind(address.host, address.port) as bound:
        made = server(store, settings, address)
        ready(address_of(bound))
        workers.start()
        try:
            made.run(sockets=[bound])
        finally:
            workers.stop()
