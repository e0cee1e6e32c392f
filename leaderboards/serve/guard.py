"""What stands before every request: the Host, the Origin, the token, and bodies of a bounded size that arrive in time."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
from collections.abc import Iterable
from typing import Any

from ludarium.envs.core.errors import ConfigError
from ludarium.leaderboards.serve.messages import MAX_MESSAGE, write_json

__all__ = ["MIN_TOKEN", "Guard", "is_loopback", "may_listen"]

MIN_TOKEN = 16
"""Characters of a token that guards a public address."""
BODY_SECONDS = 10.0
OPEN = ("/health",)
"""What may be asked without a token."""


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def may_listen(host: str, token: str | None) -> None:
    """`ConfigError` for an address that others can reach without a token that is worth the name."""
    if token is not None and (len(token) < MIN_TOKEN or not token.isascii() or not token.isprintable() or " " in token):
        raise ConfigError(f"a token has at least {MIN_TOKEN} printable ASCII characters without spaces")
    if not is_loopback(host) and token is None:
        raise ConfigError(
            f"--host {host} can be reached by others: give a --token as well (or set LUDARIUM_SERVE_TOKEN), "
            "or leave --host out to serve this machine alone"
        )


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Guard:
    """An ASGI application around another one.

    A Host that is a name must be a known one (whoever rebinds a name of theirs to this address is turned away), an Origin
    must be the Host's own or a listed one, and the token is compared in constant time.
    """

    def __init__(
        self,
        app: Any,
        *,
        host: str,
        token: str | None = None,
        hosts: Iterable[str] = (),
        origins: Iterable[str] = (),
    ) -> None:
        may_listen(host, token)
        self._app, self._public, self._body_seconds = app, not is_loopback(host), BODY_SECONDS
        self._hosts = frozenset({"localhost", host.lower(), *(name.lower() for name in hosts)})
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)
        self._token = None if token is None else f"Bearer {token}".encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Let a request through, or turn it away with 400, 401, 403, 408, 411, 413, 415 or 421."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
            if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD", "DELETE", "OPTIONS"):
                receive = await self._whole(scope, receive)
        except _Refused as refusal:
            await _turn_away(scope, send, refusal)
            return
        await self._app(scope, receive, send)

    def _check(self, scope: Any) -> None:
        headers: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in headers and name in (b"host", b"origin", b"authorization", b"content-type"):
                raise _Refused(400, f"the header {name.decode('latin-1')} appears twice")
            headers[name] = value
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if not self._known(host):
            raise _Refused(421, "this server does not go by that Host")
        origin = headers.get(b"origin")
        if origin is not None:
            given = origin.decode("latin-1").lower().rstrip("/")
            if given not in (f"http://{host}", f"https://{host}") and given not in self._origins:
                raise _Refused(403, "requests of pages from another Origin are not served")
        if self._token is not None and scope["path"] not in OPEN:
            known = hmac.compare_digest(headers.get(b"authorization", b""), self._token)
            if not known:
                raise _Refused(401, "this server wants its token: Authorization: Bearer TOKEN")
        if scope["type"] == "http" and scope["method"] == "POST":
            kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
            if kind != b"application/json":
                raise _Refused(415, "send JSON with Content-Type: application/json")
            length = headers.get(b"content-length", b"0")
            if length.isdigit() and int(length[:20]) > MAX_MESSAGE:
                raise _Refused(413, f"a message has at most {MAX_MESSAGE} bytes")

    def _known(self, host: str) -> bool:
        """Whether a Host header names this server: a known name, or an address that no name server can rebind."""
        name, _, port = host.rpartition(":")
        if not port.isdigit() or name.count(":") == 1:
            name = host
        name = name.strip("[]")
        if name in self._hosts:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return self._public or address.is_loopback

    async def _whole(self, scope: Any, receive: Any) -> Any:
        """Read the body; what comes after it (that the client has gone) is passed on as it comes."""
        body = bytearray()
        try:
            async with asyncio.timeout(self._body_seconds):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise _Refused(400, "the body was cut")
                    body += message.get("body", b"")
                    if len(body) > MAX_MESSAGE:
                        raise _Refused(413, f"a message has at most {MAX_MESSAGE} bytes")
                    if not message.get("more_body", False):
                        break
        except TimeoutError:
            raise _Refused(408, "the body did not arrive in time") from None
        whole = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def again() -> Any:
            return whole.pop() if whole else await receive()

        return again


async def _turn_away(scope: Any, send: Any, refusal: _Refused) -> None:
    if scope["type"] == "websocket":  # before it is accepted: the handshake ends in 403
        await send({"type": "websocket.close", "code": 1008, "reason": str(refusal)})
        return
    body = write_json({"error": {"code": "REFUSED", "message": str(refusal)}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if refusal.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if refusal.status in (408, 413):
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
