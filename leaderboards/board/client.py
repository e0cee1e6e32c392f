"""The client of a board: sends submissions, asks for verdicts, enters rounds, and plays hosted attempts.

A token goes in a header over https, or to this machine itself; never into an address, a message or a log. Redirections are
not followed, and what a server answers is data of a limited size.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from ludarium.envs.core.errors import AccessError, SubmissionError
from ludarium.leaderboards.serve.guard import is_loopback

__all__ = ["TOKEN", "BoardClient", "BoardError", "load_token"]

TOKEN = "LUDARIUM_TOKEN"
"""The environment variable with the token."""
MAX_ANSWER = 64 << 20
"""Bytes of an answer."""
_SHOWN = 300
_SECONDS = 120.0
_TRIES = 4


class BoardError(SubmissionError):
    """What a board refused, in its own words; `status` is HTTP's, `code` the board's."""

    def __init__(self, text: str, status: int = 0, code: str = "") -> None:
        super().__init__(text)
        self.status, self.code = status, code


def load_token(file: str | os.PathLike[str] | None) -> str | None:
    """The token of a file, or else of the environment; None if there is none."""
    if file is None:
        return _checked(os.environ.get(TOKEN, "").strip(), TOKEN) or None
    try:
        found = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SubmissionError(f"--token {file}: cannot read the token: {getattr(error, 'strerror', error)}") from error
    if not found:
        raise SubmissionError(
            f"--token {file}: the file is empty; expected the token that the board's operator gave you"
        )
    return _checked(found, f"--token {file}")


def _checked(token: str, where: str) -> str:
    if not token.isascii() or not (token == "" or token.isprintable()) or " " in token or len(token) > 1000:
        raise AccessError(f"{where}: this is no token: it has characters that no header can carry")
    return token


class BoardClient:
    """One board, by its address; one connection that is kept, for one thread."""

    def __init__(self, address: str, token: str | None = None, *, insecure: bool = False) -> None:
        try:
            parts = urlsplit(address)
            self._port = parts.port
        except ValueError as error:
            raise SubmissionError(f"{address:.200}: no address: {error}") from error
        plain = address.isascii() and address.isprintable() and " " not in address
        if parts.scheme not in ("http", "https") or not parts.hostname or not plain or parts.query or parts.fragment:
            raise SubmissionError(
                f"{address!r:.200} is no address of a board; expected one such as https://board.example.org"
            )
        if "@" in parts.netloc:
            raise SubmissionError("a board's address holds no name and no password: put the token into a file, and name it "
                                  "(--token FILE)")  # fmt: skip
        self.tls, self._host, self._prefix = parts.scheme == "https", parts.hostname, parts.path.rstrip("/")
        self.address = f"{parts.scheme}://{parts.netloc}{self._prefix}"
        if token is not None and not self.tls and not is_loopback(parts.hostname) and not insecure:
            raise AccessError(
                f"{self.address}: a token is not sent over http, where others can read it; use https (or --insecure)"
            )
        self._token = token
        self._connection: http.client.HTTPConnection | None = None

    def __repr__(self) -> str:
        return f"BoardClient({self.address!r})"

    # --- asking ----------------------------------------------------------------------------------------------------
    def get(self, path: str, limit: int = MAX_ANSWER) -> Any:
        """The JSON at an address of the API, such as `/api/v1/board`; `BoardError` for anything else."""
        return self._read(self._ask("GET", path, limit=limit)[1], path)

    def data(self, path: str, limit: int = MAX_ANSWER) -> bytes:
        """The bytes there."""
        return self._ask("GET", path, limit=limit)[1]

    def post(self, path: str, body: Any, *, key: str | None = None, tries: int = _TRIES) -> Any:
        """Send JSON, with the token or another key; with `tries` = 1 it is surely not sent twice."""
        data = json.dumps(body, allow_nan=False).encode()
        headers = {"Content-Type": "application/json"}
        return self._read(self._ask("POST", path, data, headers, key=key or self._needed(), tries=tries)[1], path)

    def submit(self, file: Path) -> dict[str, Any]:
        """Send a submission's file, streamed; the board's receipt. The same bytes again give the same receipt."""
        token, path = self._needed(), "/api/v1/submissions"
        size = file.stat().st_size
        headers = {"Content-Type": "application/zip", "Content-Length": str(size)}
        with file.open("rb") as source:
            told = self._read(self._ask("POST", path, source, headers, key=token)[1], path)
        if (
            not isinstance(told, dict)
            or not isinstance(told.get("digest"), str)
            or not isinstance(told.get("status"), str)
        ):
            raise BoardError(f"{self.address}: its answer is no receipt: is this a board?")
        return told

    def reach(
        self,
        seconds: float = _SECONDS,
        *,
        pause: Callable[[float], None] = time.sleep,
        told: Callable[[str], None] = lambda words: None,
    ) -> None:
        """Wait while nobody listens at the board's address: it may just be starting. After `seconds` pauses, `BoardError`.

        `told` hears once that it waits, and for how long.
        """
        for left in range(round(seconds), -1, -1):
            try:
                self._connected().connect()
                return
            except ConnectionRefusedError as error:
                self.close()
                if not left:
                    raise BoardError(
                        f"{self.address}: nobody listened there for {seconds:g} seconds: {error}"
                    ) from None
            except OSError:  # what is asked next says it in full
                self.close()
                return
            if left == round(seconds):
                told(f"{self.address}: nobody listens there yet; waiting up to {seconds:g} seconds")
            pause(1.0)

    def wait(
        self,
        digest: str,
        *,
        pause: Callable[[float], None] = time.sleep,
        told: Callable[[str], None] = lambda state: None,
    ) -> dict[str, Any]:
        """Ask until a submission is verified, or stuck; what the board says of it then."""
        seconds, before = 0.5, ""
        while True:
            found: dict[str, Any] = self.get(f"/api/v1/submissions/{digest}")
            if found.get("state") not in ("waiting", "leased") or found.get("verdict"):
                return found
            if found["state"] != before:
                before = found["state"]
                told(before)
            pause(seconds)
            seconds = min(seconds * 1.5, 10.0)

    def _needed(self) -> str:
        if self._token is None:
            raise AccessError(f"{self.address}: this needs a token: set {TOKEN}, or name its file by --token FILE")
        return self._token

    # --- HTTP ------------------------------------------------------------------------------------------------------
    def _ask(
        self, method: str, path: str, body: bytes | IO[bytes] | None = None, headers: Mapping[str, str] | None = None,
        *, key: str | None = None, limit: int = MAX_ANSWER, tries: int = _TRIES,
    ) -> tuple[int, bytes]:  # fmt: skip
        """Ask, once more where the connection broke: all that is asked may be asked twice."""
        sent = {"User-Agent": "ludarium", "Accept": "application/json", **(headers or {})}
        if key is not None:
            sent["Authorization"] = f"Bearer {key}"
        for attempt in range(tries):
            try:
                if body is not None and not isinstance(body, bytes):
                    body.seek(0)
                return self._once(method, f"{self._prefix}{path}", body, sent, limit)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if attempt == tries - 1:
                    raise BoardError(
                        f"{self.address}: cannot be reached: {str(error)[:_SHOWN] or type(error).__name__}"
                    ) from None
                time.sleep(0.2 * 3**attempt if attempt else 0.0)
        raise AssertionError("the last try returns or raises")

    def _once(
        self, method: str, target: str, body: bytes | IO[bytes] | None, headers: dict[str, str], limit: int
    ) -> tuple[int, bytes]:
        connection = self._connected()
        early = None
        try:
            connection.request(method, target, body, headers)
        except (BrokenPipeError, ConnectionResetError) as error:  # a server that refuses early has said why
            early = error
        try:
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException):
            if early is not None:
                raise early from None
            raise
        data = answer.read(limit + 1)
        if answer.will_close or early is not None or len(data) > limit:
            self.close()
        if len(data) > limit:
            raise BoardError(f"{self.address}: more than {limit} bytes")
        if not 200 <= answer.status < 300:
            raise self._refusal(answer.status, data)
        return answer.status, data

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self.tls else http.client.HTTPConnection
            self._connection = kind(self._host, self._port, timeout=_SECONDS)
        return self._connection

    def _refusal(self, status: int, data: bytes) -> BoardError:
        if 300 <= status < 400:
            return BoardError(f"{self.address}: leads elsewhere (status {status}), which is not followed", status)
        told: dict[str, Any] = {}
        with contextlib.suppress(ValueError, RecursionError):
            found = json.loads(data[:65536])
            told = found if isinstance(found, dict) else {}
        parts = [_line(told.get(name)) for name in ("what", "expected", "do")]
        said = "; ".join(text for text in (parts[0], f"expected: {parts[1]}" if parts[1] else "", parts[2]) if text)
        code = _line(told.get("error"))
        return BoardError(f"{self.address}: {said or 'the board refused'} (status {status})", status, code)

    def _read(self, data: bytes, path: str) -> Any:
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise BoardError(f"{self.address}{path}: no JSON: is this a board?") from None

    def close(self) -> None:
        """Close the connection; the next question opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _line(text: Any) -> str:
    """A server's words as one short line that no terminal obeys."""
    if not isinstance(text, str):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:_SHOWN]).split())
