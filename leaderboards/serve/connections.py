"""Connections of the suite's HTTP servers: the socket, and a protocol that cuts who does not finish what they began."""

from __future__ import annotations

import socket
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from ludarium.envs.core.errors import ConfigError

__all__ = ["PING_SECONDS", "HttpProtocol", "SocketProtocol", "address_of", "bind"]

PING_SECONDS = 20.0
REQUEST_SECONDS = 10.0
"""A connection has once to twice this long to send the head of a request."""


class HttpProtocol(H11Protocol):
    """A connection that sends no whole request head in time is cut, also if it sends a byte now and then."""

    _late: Any = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request's head."""
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
        """Part of a request came."""
        self._partial = True
        super().data_received(data)

    def on_response_complete(self) -> None:
        """A request is answered; the next may have begun."""
        super().on_response_complete()
        self._answered, self._partial = self._answered + 1, bool(self.conn.trailing_data[0])

    def handle_websocket_upgrade(self, event: Any) -> None:
        """Another protocol takes over, with its own times."""
        self._late.cancel()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """There is nothing left to cut."""
        if self._late is not None:
            self._late.cancel()
        super().connection_lost(exc)


class SocketProtocol(WebSocketsSansIOProtocol):
    """A peer that answers no ping is cut, also if it has left unread what it was sent."""

    def keepalive_timeout(self) -> None:
        """No ping was answered in time."""
        super().keepalive_timeout()
        self.transport.abort()


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; `ConfigError` if there can be none."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # asyncio sends small packets at once only on sockets that say TCP: others wait 40 ms for the second half of an answer
        bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(256)
        return bound
    except OSError as error:
        raise ConfigError(f"cannot listen at {host}:{port}: {error.strerror or error}") from error


def address_of(bound: socket.socket) -> str:
    """Where a socket listens, as an address for a browser."""
    host, port = bound.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
