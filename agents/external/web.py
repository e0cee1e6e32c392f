"""`http://host:port` and `https://...`: an agent behind a server, asked by the same messages, each the body of a POST.

One connection is kept for an episode. Redirects are not followed, proxies not used, and no answer is waited for or read beyond
its limits, whatever the server does.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import os
import socket
import ssl
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

from ludarium.agents.external.outside import OutsideAgent
from ludarium.envs.core.errors import AgentError, AgentFailedError, MissingKeyError

__all__ = ["BODY_BYTES", "Connection", "WebAgent"]

BODY_BYTES = 1 << 20
"""The longest answer."""
_HEAD_BYTES = 1 << 16


class _Bounded(io.RawIOBase):
    """What a connection receives, until a deadline and up to so many bytes: an answer that drips is late all the same."""

    def __init__(self, connection: socket.socket, deadline: float, most: int) -> None:
        self._connection, self._deadline, self._left = connection, deadline, most
        self.began = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left <= 0:
            raise AgentFailedError("the agent's answer is too long", kind="nonsense")
        wait = self._deadline - time.monotonic()
        if wait <= 0:
            raise TimeoutError
        self._connection.settimeout(wait)
        count = self._connection.recv_into(memoryview(buffer)[: self._left])
        self._left -= count
        self.began = self.began or count > 0
        return count

    def makefile(self, mode: str) -> io.BufferedReader:
        """What `http.client` reads an answer from."""
        return io.BufferedReader(self)


class Connection:
    """A connection to one address that is opened when it is needed, and again when the server has closed it."""

    keeps_order = False

    def __init__(self, url: str, token: str = "", body_bytes: int = BODY_BYTES) -> None:
        parts = urlsplit(url)
        self._host, self._tls, self._body_bytes = parts.hostname or "", parts.scheme == "https", body_bytes
        self._port = parts.port or (443 if self._tls else 80)
        name = f"[{self._host}]" if ":" in self._host else self._host
        head = [f"POST {parts.path or '/'} HTTP/1.1", f"Host: {name}:{self._port}", "Content-Type: application/json"]
        head += ["Accept: application/json", "Accept-Encoding: identity"]
        if token:
            head.append(f"Authorization: Bearer {token}")
        self._head = "\r\n".join(head).encode()
        self._socket: socket.socket | None = None
        self._used = False
        self._sent = b""

    def begin(self) -> None:
        """Nothing is counted over an episode."""

    def send(self, data: bytes, deadline: float) -> None:
        """Send a message; over a connection that has been closed meanwhile, by a new one."""
        self._sent = b"%b\r\nContent-Length: %d\r\n\r\n%b" % (self._head, len(data), data)
        if self._socket is not None:
            try:
                self._write(self._socket, deadline)
                return
            except TimeoutError as error:
                raise self._failed(error) from error
            except OSError:
                self.close()
        self._send_anew(deadline)

    def _send_anew(self, deadline: float) -> None:
        self._used = False
        try:
            self._socket = self._connect(deadline)
            self._write(self._socket, deadline)
        except (OSError, ValueError) as error:  # ValueError: a host that is no name
            raise self._failed(error) from error

    def _connect(self, deadline: float) -> socket.socket:
        made = socket.create_connection((self._host, self._port), max(deadline - time.monotonic(), 0.001))
        try:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                made.settimeout(max(deadline - time.monotonic(), 0.001))
                return ssl.create_default_context().wrap_socket(made, server_hostname=self._host)
        except BaseException:
            made.close()
            raise
        return made

    def _write(self, connection: socket.socket, deadline: float) -> None:
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        connection.sendall(self._sent)

    def receive(self, deadline: float) -> bytes:
        """The body of the answer; a question that a connection closed meanwhile has swallowed is asked once again."""
        while True:
            if self._socket is None:
                raise AgentFailedError("the connection to the agent is closed", kind="died")
            source = _Bounded(self._socket, deadline, self._body_bytes + _HEAD_BYTES)
            try:
                body = self._read(source)
                self._used = True
                return body
            except ConnectionError as error:
                if not self._used or source.began:
                    raise self._failed(error) from error
                self.close()
                self._send_anew(deadline)
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise self._failed(error) from error
            except AgentFailedError:
                self.close()
                raise

    def _read(self, source: _Bounded) -> bytes:
        answer = http.client.HTTPResponse(source, method="POST")  # type: ignore[arg-type]
        with contextlib.closing(answer):
            answer.begin()
            body = answer.read(self._body_bytes + 1)
            if len(body) > self._body_bytes:
                raise AgentFailedError(f"the agent's answer has more than {self._body_bytes} bytes", kind="nonsense")
            if answer.will_close:
                self.close()
        if answer.status != 200:
            what = "redirects, which are not followed" if 300 <= answer.status < 400 else f"answered {body[:80]!r}"
            raise AgentFailedError(f"the agent's server {what} (status {answer.status})", kind="nonsense")
        return body

    def _failed(self, error: Exception) -> AgentFailedError:
        """An error as the turn's: what was half done is not gone on with."""
        self.close()
        if isinstance(error, TimeoutError):
            return AgentFailedError("the agent's server did not answer in time", kind="late")
        if isinstance(error, OSError):
            return AgentFailedError(f"the agent's server cannot be reached: {error}", kind="died")
        return AgentFailedError(
            f"the agent's server speaks no HTTP: {type(error).__name__}: {error!s:.80}", kind="nonsense"
        )

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class WebAgent(OutsideAgent):
    """An agent behind a server, which may play many episodes at once: each message names its own.

    `token` names the variable that holds the server's token, sent as `Authorization: Bearer`. With `waits=True` a run plays many
    episodes at once in threads, which suits a server that is far away or slow.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        waits: bool = False,
        start_seconds: float = 60.0,
        act_seconds: float = 60.0,
        body_bytes: int = BODY_BYTES,
    ) -> None:
        super().__init__(start_seconds, act_seconds)
        self._check(url, body_bytes)
        secret = os.environ.get(token, "") if token else ""
        if token and not secret:
            raise MissingKeyError(
                f"token={token}: the environment variable {token} is not set; it holds the server's token"
            )
        if not secret.isascii() or not secret.isprintable():
            raise AgentError(f"token={token}: the environment variable {token} holds what no HTTP header can")
        self._url, self._secret, self._body_bytes, self.waits = url, secret, body_bytes, bool(waits)

    @staticmethod
    def _check(url: str, body_bytes: int) -> None:
        form = "say for example http://127.0.0.1:8000"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise AgentError(f"{url}: {error}; {form}") from error
        if "@" in parts.netloc:
            raise AgentError("an agent's address holds no name and no password: put a token into a variable and name it: "
                             "?token=MY_TOKEN")  # fmt: skip
        plain = url.isascii() and url.isprintable() and " " not in url
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or not plain:
            raise AgentError(f"{url!r:.200} is no address of an agent; {form}")
        if type(body_bytes) is not int or body_bytes < 1:
            raise AgentError(f"body_bytes = {body_bytes!r}; expected a whole number above 0")

    def _open(self) -> Connection:
        return Connection(self._url, self._secret, self._body_bytes)

    def _next_episode(self) -> str:
        return uuid.uuid4().hex

    def ready(self) -> None:
        """Reach the server and hear its hello."""
        try:
            super().ready()
        except AgentFailedError as error:
            raise AgentFailedError(f"{self._url}: {error}", kind=error.kind) from error
