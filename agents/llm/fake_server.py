"""A server that speaks OpenAI's protocol on the loopback interface, for tests, benchmarks and trying things out.

It answers with a fixed text, with what a function says, or by a *policy*: any callable that plays a model. Faults come by
a script. `python -m ludarium.agents.llm.fake_server` runs one until its standard input ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from ludarium.agents.llm import wire
from ludarium.agents.llm.client import ToolCall, canonical
from ludarium.agents.llm.faults import Fault
from ludarium.envs.core.errors import ConfigError

__all__ = ["FakeServer", "Faults", "Policy", "Reply"]


class Reply(NamedTuple):
    """What the pretended model says."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish: str = ""
    """Empty: `tool_calls` where there are some, else `stop`."""


Policy = Callable[[str, list[dict[str, Any]], list[dict[str, Any]]], "str | Reply"]
"""`policy(session, messages, tools)`: the request's `user`, its messages and tools in the form of chat completions. It is
called once a question, one question at a time; an equal question again, which is a retry, gets the answer that it had."""

Faults = Iterable["str | Fault | None"] | Callable[[int, dict[str, Any]], "str | Fault | None"]
"""One for each arriving request in turn (None: no fault; after the last, none), or a function of its number (from 0) and body."""

_KEPT = 10_000
_MOST_BYTES = 64 << 20


class FakeServer:
    """An endpoint on 127.0.0.1 that runs in a thread of its own between `with FakeServer() as server` and the end.

    `reply` is a text or a function of the request's body; a `policy` takes its place. With a `key`, requests without it are
    refused.
    """

    def __init__(
        self,
        reply: str | Callable[[dict[str, Any]], str | Reply] = "ok",
        *,
        policy: Policy | None = None,
        faults: Faults = (),
        key: str | None = None,
        port: int = 0,
        keep: bool = True,
    ) -> None:
        self._reply, self._policy, self._key, self._port, self._keep = reply, policy, key, port, keep
        self._faults = faults if callable(faults) else _in_turn(iter(faults))
        self.counts: Counter[str] = Counter()
        """`requests`, answers by status (`200`, ...), faults by kind, `in_flight` and its `peak`, questions `asked`."""
        self.bodies: list[dict[str, Any]] = []
        """Bodies of the requests in the order in which they came (with `keep`)."""
        self.errors: list[BaseException] = []
        """What the policy or the reply function raised; the client sees status 400."""
        self._answers: OrderedDict[tuple[str, str], Reply] = OrderedDict()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: asyncio.Server | None = None
        self._thread: threading.Thread | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def base_url(self) -> str:
        """What clients are given, `http://127.0.0.1:PORT/v1`."""
        return f"http://127.0.0.1:{self._port}/v1"

    def __enter__(self) -> FakeServer:
        ready: threading.Event = threading.Event()
        failed: list[OSError] = []
        self._thread = threading.Thread(target=self._run, args=(ready, failed), name="fake-llm", daemon=True)
        self._thread.start()
        ready.wait()
        if failed:
            raise failed[0]
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self, ready: threading.Event, failed: list[OSError]) -> None:
        self._loop = loop = asyncio.new_event_loop()
        try:
            start = asyncio.start_server(self._connection, "127.0.0.1", self._port, limit=1 << 16, backlog=1024)
            self._server = loop.run_until_complete(start)
            self._port = self._server.sockets[0].getsockname()[1]
        except OSError as error:
            failed.append(error)
            return
        finally:
            ready.set()
        loop.run_forever()
        self._server.close()
        loop.run_until_complete(self._hang_up())
        loop.close()

    async def _hang_up(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # the client is gone, or talks no HTTP
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read one request and answer it; returns whether the connection stays."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path = [*head[0].split(" "), ""][:2]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > _MOST_BYTES:
            return False
        body = await reader.readexactly(int(length))
        if method == "GET":
            writer.write(_http(200, canonical(self._get(path)).encode()))
            await writer.drain()
            return True
        self.counts["in_flight"] += 1
        self.counts["peak"] = max(self.counts["peak"], self.counts["in_flight"])
        try:
            return await self._answer(path, headers, body, writer)
        finally:
            self.counts["in_flight"] -= 1

    def _get(self, path: str) -> dict[str, Any]:
        if path == "/v1/models":
            return {"object": "list", "data": [{"id": "fake", "object": "model", "created": 0, "owned_by": "nobody"}]}
        return dict(self.counts)

    async def _answer(self, path: str, headers: dict[str, str], raw: bytes, writer: asyncio.StreamWriter) -> bool:
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        number = self.counts["requests"]
        self.counts["requests"] += 1
        api = {"/v1/chat/completions": "chat", "/v1/responses": "responses"}.get(path)
        if api is None or not isinstance(body, dict):
            return await self._send(writer, 404 if api is None else 400, _error("no such address, or no JSON object"))
        if self._key is not None and headers.get("authorization") != f"Bearer {self._key}":
            return await self._send(writer, 401, _error("the key is missing or wrong"))
        if self._keep:
            self.bodies.append(body)
        given = self._faults(number, body)
        fault = None if given is None else Fault.of(given)
        if fault is not None:
            self.counts[fault.kind] += 1
            if fault.kind in ("status", "echo"):
                message = f"the endpoint failed as told; you sent {headers.get('authorization')}"
                status = fault.status or 401
                return await self._send(writer, status, _error(message), _headers(fault))
        try:
            reply = self._said(api, body, headers.get("idempotency-key") or canonical(body))
        except Exception as error:
            self.errors.append(error)
            return await self._send(writer, 400, _error(f"the policy failed: {type(error).__name__}: {error}"))
        return await self._send_reply(writer, wire.answer(api, body, reply, fault), fault)

    def _said(self, api: str, body: dict[str, Any], question: str) -> Reply:
        """The answer to a question; one that was asked before has its answer."""
        session = str(body.get("user", ""))
        known = self._answers.get((session, question))
        if known is not None:
            return known
        self.counts["asked"] += 1
        if self._policy is not None:
            said = self._policy(session, wire.messages_of(api, body), wire.tools_of(api, body))
        else:
            said = self._reply(body) if callable(self._reply) else self._reply
        reply = wire.cut(Reply(said) if isinstance(said, str) else said, wire.limit_of(body))
        self._answers[session, question] = reply
        if len(self._answers) > _KEPT:
            self._answers.popitem(last=False)
        return reply

    async def _send_reply(self, writer: asyncio.StreamWriter, content: dict[str, Any], fault: Fault | None) -> bool:
        """Send an answer as the fault wants it."""
        kind, raw = "" if fault is None else fault.kind, canonical(content).encode()
        if fault is not None and kind == "slow":
            await asyncio.sleep(fault.seconds)
        if kind == "drop":
            writer.transport.abort()
            return False
        if fault is not None and kind == "html":
            page = b"<html><body><h1>Bad gateway</h1></body></html>"
            return await self._send(writer, fault.status or 200, page, {"Content-Type": "text/html"})
        raw = {"badjson": raw[: len(raw) // 2], "list": b"[1, 2]", "deep": b"[" * 200_000}.get(kind, raw)
        if kind == "half":
            writer.write(_http(200, raw)[: -len(raw) // 2])
            await writer.drain()
            return False
        if fault is not None and kind == "drip":
            for byte in _http(200, raw):
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(fault.seconds)
            return True
        return await self._send(writer, 200, raw)

    async def _send(
        self, writer: asyncio.StreamWriter, status: int, raw: bytes, headers: dict[str, str] | None = None
    ) -> bool:
        self.counts[str(status)] += 1
        writer.write(_http(status, raw, headers))
        await writer.drain()
        return True


def _in_turn(faults: Iterator[str | Fault | None]) -> Callable[[int, dict[str, Any]], str | Fault | None]:
    return lambda number, body: next(faults, None)


def _http(status: int, raw: bytes, headers: dict[str, str] | None = None) -> bytes:
    fields = {"Content-Type": "application/json", "Content-Length": str(len(raw)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} -\r\n{head}\r\n".encode("latin-1") + raw


def _error(message: str) -> bytes:
    return canonical({"error": {"message": message, "type": "fake", "code": None, "param": None}}).encode()


def _headers(fault: Fault) -> dict[str, str]:
    wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return {**wait, **dict(fault.headers)}


def main() -> None:
    """Run a server, print its address, and end with standard input."""
    parser = argparse.ArgumentParser(prog="python -m ludarium.agents.llm.fake_server", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--reply", default="ok", help="what it always says")
    parser.add_argument("--key", help="refuse requests without this key")
    parser.add_argument(
        "--fault", action="append", default=[], help="faults of the first requests, in turn: 429, badjson, ..."
    )
    parser.add_argument("--slow", type=float, default=0.0, help="seconds that every answer takes")
    given = parser.parse_args()
    try:
        faults = [Fault.of(text) for text in given.fault]
    except ConfigError as error:
        parser.error(str(error))
    slow = Fault("slow", seconds=given.slow)
    script: Faults = (lambda n, body: slow) if given.slow else faults
    with FakeServer(given.reply, key=given.key, port=given.port, faults=script, keep=False) as server:
        print(server.base_url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
