"""What stands before every request and after every answer: Host, sizes of bodies, HEAD, security headers, CORS, figures."""

from __future__ import annotations

import asyncio
import re
from time import perf_counter
from typing import Any

from ludarium.leaderboards.board.context import Board
from ludarium.leaderboards.board.refusals import Refusal

__all__ = ["HEADERS", "UPLOAD", "Gate"]

UPLOAD = "/api/v1/submissions"
"""The one address that reads its body by itself."""
HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_HOST = re.compile(r"(?P<name>[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?", re.A)
_ONCE = (b"host", b"authorization", b"content-length", b"content-type")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Gate:
    """An ASGI application around the server's own."""

    def __init__(self, app: Any, board: Board) -> None:
        self._app, self._board = app, board
        self._hosts = frozenset(name.lower() for name in board.settings.hosts)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            try:
                self._check(scope)
            except Refusal as refusal:  # before it is accepted: the handshake ends in 403
                await send({"type": "websocket.close", "code": 1008, "reason": str(refusal)})
                return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope, send)
        began = perf_counter()
        try:
            try:
                self._check(scope)
                inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
                if scope["method"] not in ("GET", "HEAD") and (scope["method"], scope["path"]) != ("POST", UPLOAD):
                    receive = await self._whole(receive)
            except Refusal as refusal:
                answer.route = "refused"
                await refusal.response(scope, receive, answer)
                return
            try:
                await self._app(inner, receive, answer)
            finally:
                answer.route = route_of(inner)
        finally:
            self._count(scope, answer, perf_counter() - began)

    def _count(self, scope: Any, answer: _Answer, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._board.metrics.requests.labels(method, answer.route, str(answer.status or 499)).inc()
        self._board.metrics.seconds.labels(answer.route).observe(seconds)

    def _check(self, scope: Any) -> None:
        found: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in found and name in _ONCE:
                what = f"the header {name.decode('latin-1')} stands twice"
                raise Refusal(400, "bad_request", what, "it once", "mend the request")
            found[name] = value
        host = _HOST.fullmatch(found.get(b"host", b"").decode("latin-1").lower())
        if host is None:
            raise Refusal(
                400, "bad_host", "the Host header is missing or malformed", "a host's name", "mend the request"
            )
        if self._hosts and host["name"] not in self._hosts:
            raise Refusal(421, "wrong_host", "this board does not go by that name", "its own name", "use its address")

    async def _whole(self, receive: Any) -> Any:
        """Read a small body; what comes after it (that the client has gone) is passed on as it comes."""
        settings, body = self._board.settings, bytearray()
        close = {"Connection": "close"}
        try:
            async with asyncio.timeout(settings.pause_s):
                more = True
                while more:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise Refusal(400, "cut", "the body was cut", "all of it", "send it again", close)
                    body += message.get("body", b"")
                    if len(body) > settings.small_body:
                        expected = f"at most {settings.small_body} bytes"
                        raise Refusal(413, "too_large", "the body is too large", expected, "send less", close)
                    more = message.get("more_body", False)
        except TimeoutError:
            raise Refusal(
                408, "too_slow", "the body did not arrive in time", "all of it", "send it again", close
            ) from None
        whole = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def again() -> Any:
            return whole.pop() if whole else await receive()

        return again


class _Answer:
    """Sends an answer with the headers that all have, and without a body to HEAD."""

    def __init__(self, scope: Any, send: Any) -> None:
        self._send, self._head = send, scope["method"] == "HEAD"
        self._open = scope["path"].startswith("/api/") and scope["method"] in ("GET", "HEAD")
        self.status, self.route = 0, "none"

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = {name.lower() for name, _ in message.get("headers", ())}
            more = [pair for pair in HEADERS if pair[0] not in own]
            if self._open:
                more.append((b"access-control-allow-origin", b"*"))
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        elif message["type"] == "http.response.body" and self._head:
            message = {**message, "body": b""}
        await self._send(message)


def route_of(scope: Any) -> str:
    """The route's own pattern: of those there are few, whatever strangers ask for."""
    path = getattr(scope.get("route"), "path_format", None) or getattr(scope.get("route"), "path", None)
    return str(path) if path else "none"
