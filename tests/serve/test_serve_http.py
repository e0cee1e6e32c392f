"""HTTP and WebSocket as clients meet them, and as attackers do: whatever is sent, the server lives on and says why."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from requirements import need
from serving_kit import COIN, Clock, pick, serving, wait_until
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from ludarium.envs.core.errors import ConfigError
from ludarium.envs.core.trace import Trace
from ludarium.leaderboards.serve import connections
from ludarium.leaderboards.serve import guard as guards
from ludarium.leaderboards.serve import server as servers
from ludarium.leaderboards.serve.guard import Guard, is_loopback, may_listen
from ludarium.leaderboards.serve.messages import MAX_DEPTH, MAX_MESSAGE, ServeError, read_json, write_json
from ludarium.leaderboards.serve.world import Offer

TOKEN = "correct-horse-battery-staple"
BOMB = "[" * 200_000
MALFORMED = [
    b"", b"{", b"\xff\xfe", b"nul", b'{"a": NaN}', b"1" * 5000, BOMB.encode(), b'{"a":' * 40 + b"1" + b"}" * 40,
    b'{"type": "\\ud800"}', b"\x00", b'{"action": Infinity}', b"[" * 33 + b"]" * 33,
]  # fmt: skip


@pytest.fixture(scope="module")
def coin():
    with serving(COIN) as address:
        yield address


# --- messages --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("data", MALFORMED, ids=lambda data: repr(data[:20]))
def test_what_is_no_message_is_refused(data):
    with pytest.raises(ServeError) as refused:
        read_json(data)
    assert refused.value.code == "INVALID_JSON"


def test_limits_of_messages():
    deepest = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert read_json(deepest) is not None
    assert read_json('"\\ud83d\\ude42 \u4e2d"') == "\U0001f642 \u4e2d"
    assert len(read_json(json.dumps(["[" * 50] * 3))) == 3  # brackets in texts are no levels
    with pytest.raises(ServeError) as refused:
        read_json(" " * (MAX_MESSAGE + 1))
    assert refused.value.code == "TOO_LARGE"
    assert write_json({"a": float("nan"), "b": [float("inf")], "c": "\u4e2d"}) == '{"a":null,"b":[null],"c":"\\u4e2d"}'


# --- playing ---------------------------------------------------------------------------------------------------------
def test_an_episode_by_plain_requests(coin):
    status, told = coin.ask("/reset", {"seed": 3, "episode_id": "mine"})
    assert status == 200
    assert set(told) == {"observation", "reward", "done", "metadata"}
    assert not told["done"]
    ident = told["metadata"]["session_id"]
    n = 0
    while not told["done"]:
        n += 1
        status, told = coin.ask("/step", {"action": {"command": pick(told, n)}, "session_id": ident})
        assert status == 200
        assert told["metadata"]["step"] == n
    assert told["metadata"]["metrics"]["steps"] == n
    assert len(told["metadata"]["digest"]) == 16
    assert coin.ask(f"/state?session_id={ident}") == (200, {"episode_id": ident, "step_count": n})
    assert coin.ask("/state", headers={"x-session-id": ident})[1]["step_count"] == n
    status, told = coin.ask("/step", {"action": {"command": "look"}, "session_id": ident})
    assert status == 409
    assert told["error"]["code"] == "EPISODE_OVER"
    assert coin.ask("/reset", {"session_id": ident, "seed": 4})[1]["metadata"]["session_id"] == ident
    assert coin.ask("/close", {"session_id": ident}) == (200, {"closed": True})
    assert coin.ask("/close", {"session_id": ident})[0] == 404


def test_an_episode_by_websocket(coin):
    with connect(coin.ws) as ws:

        def ask(kind, data=None):
            ws.send(json.dumps({"type": kind, "data": data or {}}))
            answer = json.loads(ws.recv())
            return answer["type"], answer["data"]

        assert ask("step", {"command": "look"})[1]["code"] == "SESSION_ERROR"
        kind, told = ask("reset", {"seed": 3})
        n = 0
        while not told["done"]:
            n += 1
            kind, told = ask("step", {"command": pick(told, n)})
            assert kind == "observation"
        assert ask("state")[1]["step_count"] == n
        kind, listed = ask("mcp", {"jsonrpc": "2.0", "id": 7, "method": "tools/list"})
        assert kind == "mcp"
        assert listed["id"] == 7
        assert "go" in [tool["name"] for tool in listed["result"]["tools"]]
        call = {"jsonrpc": "2.0", "id": 8, "method": "tools/call", "params": {"name": "score", "arguments": {}}}
        assert ask("mcp", call)[1]["result"]["structuredContent"]["steps"] == n  # the connection is the session
        ws.send(json.dumps({"type": "close"}))
        with pytest.raises(ConnectionClosed):
            ws.recv()
    same = coin.ask("/reset", {"seed": 3})[1]
    for m in range(n):
        body = {"action": {"command": pick(same, m + 1)}, "session_id": same["metadata"]["session_id"]}
        same = coin.ask("/step", body)[1]
    assert same["metadata"]["digest"] == told["metadata"]["digest"]


def test_what_is_served_is_described(coin):
    assert coin.ask("/metadata")[1]["name"] == "text-coin-v0"
    assert set(coin.ask("/schema")[1]) == {"action", "observation", "state"}
    assert coin.ask("/list_environments") == (200, ["text-coin-v0"])
    paths = coin.ask("/openapi.json")[1]["paths"]
    assert {"/reset", "/step", "/state", "/mcp", "/schema", "/health", "/metadata"} <= set(paths)


def test_the_task_api_over_a_scenario():
    with serving(Offer("text-household-quick")) as address:
        name = "text-household-v0"
        assert [s["name"] for s in address.ask(f"/{name}/splits")[1]] == ["train", "val", "test"]
        assert address.ask(f"/{name}/num_tasks", {"split": "val"}) == (200, {"num_tasks": 18})
        task = address.ask(f"/{name}/task", {"split": "val", "index": 4})[1]["task"]
        assert task["case"] == "look"
        assert task["seed"] == 1_000_001
        found = address.ask(f"/{name}/task_range", {"split": "val", "start": 3, "stop": 6})[1]["tasks"]
        assert [t["index"] for t in found] == [3, 4, 5]
        assert found[1] == task
        told = address.ask("/reset", {"split": "val", "index": 4})[1]
        assert told["metadata"]["seed"] == task["seed"]
        for path, data in (
            ("task", {"split": "val", "index": 18}), ("task", {"split": "exam", "index": 0}), ("tasks", {}),
            ("task", {"split": "val", "index": True}), ("num_tasks", {"split": 3}),
        ):  # fmt: skip
            assert address.ask(f"/{name}/{path}", data)[0] == 422
        for data in (
            {"split": "val"},
            {"split": "val", "index": 1, "seed": 3},
            {"seed": -1},
            {"seed": 2**63},
            {"seed": "3"},
        ):
            assert address.ask("/reset", data)[0] == 422
        assert len(address.sessions) == 1  # those that began nothing hold no place


def test_a_ranked_server_has_no_reset_step_or_state(tmp_path):
    with serving(Offer("text-household-quick", ranked=True, traces=tmp_path)) as address:
        assert not {"/reset", "/step", "/state"} & set(address.ask("/openapi.json")[1]["paths"])
        for path in ("/reset", "/step"):
            assert address.ask(path, {"seed": 3})[0] == 404
        assert address.ask("/state")[0] == 404
        assert address.ask("/text-household-v0/task", {"split": "test", "index": 0})[0] == 404
        with connect(address.ws) as ws:
            for kind in ("reset", "step", "state"):
                ws.send(json.dumps({"type": kind, "data": {}}))
                assert json.loads(ws.recv())["data"]["code"] == "RANKED"
        listed = address.ask("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"})[1]["result"]["tools"]
        tools = {tool["name"]: tool for tool in listed}
        assert not {"reset", "snapshot", "restore", "seed"} & set(tools)
        assert "seed" not in json.dumps([tool["inputSchema"] for tool in listed])
        for arguments in ({"seed": 3}, {"split": "test", "index": 1}):
            assert address.call("start", arguments)["result"]["isError"]
        told = address.call("start")["result"]["structuredContent"]
        assert "seed" not in json.dumps(told)
        while not told["done"]:
            told = address.call("act", {"action": "look", "session": told["session"]})["result"]["structuredContent"]
        assert told["step"] == 50
        assert told["metrics"]["success"] == 0
    assert Trace.load(tmp_path / "000001.trace").digest == told["digest"]


# --- who may ask -----------------------------------------------------------------------------------------------------
def test_only_this_machine_without_a_token():
    assert is_loopback("127.0.0.1")
    assert is_loopback("localhost")
    assert is_loopback("::1")
    assert is_loopback("127.8.8.8")
    for host in ("0.0.0.0", "::", "192.168.1.5", "example.org", "", "localhost.evil.org"):
        assert not is_loopback(host)
        with pytest.raises(ConfigError, match="give a --token"):
            may_listen(host, None)
        may_listen(host, TOKEN)
    for token in (
        "",
        "short",
        "with a space in the middle",
        "t\u00f6ken-of-sixteen-characters",
        "line\nbreak-line-break",
    ):
        with pytest.raises(ConfigError, match="a token has at least"):
            may_listen("127.0.0.1", token)


def test_hosts_and_origins_of_others_are_turned_away(coin):
    own = f"127.0.0.1:{coin.port}"
    for host in (
        "evil.org",
        f"evil.org:{coin.port}",
        "127.0.0.1.evil.org",
        "localhost.evil.org",
        "",
        "10.0.0.1",
        "[::2]:80",
    ):
        assert coin.ask("/metadata", headers={"host": host})[0] in (400, 421), host
    for host in (own, "localhost", f"localhost:{coin.port}", "[::1]:80", "127.0.0.1"):
        assert coin.ask("/metadata", headers={"host": host})[0] == 200, host
    for origin in (
        "http://evil.org",
        "null",
        f"http://{own}.evil.org",
        "http://localhost:3000",
        "file://",
        f"ftp://{own}",
    ):
        assert coin.ask("/reset", {}, headers={"origin": origin})[0] == 403, origin
        with pytest.raises(InvalidStatus):
            connect(coin.ws, origin=origin)
    assert coin.ask("/metadata", headers={"origin": f"http://{own}"})[0] == 200


def test_no_cors_headers_whoever_asks(coin):
    answer = exchange(coin, b"OPTIONS /reset HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\n"
                            b"Access-Control-Request-Method: POST\r\nConnection: close\r\n\r\n")  # fmt: skip
    assert b" 405 " in answer.split(b"\r\n")[0]
    assert b"access-control" not in answer.lower()


def test_forms_of_pages_are_no_requests(coin):
    """What a page may send without asking first (a form, plain text) is not taken."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert coin.ask("/reset", raw=b"{}", headers={"content-type": kind})[0] == 415


def test_the_token():
    with serving(COIN, token=TOKEN) as address:
        right = {"authorization": f"Bearer {TOKEN}"}
        assert address.lives()  # may be asked by whoever watches over it
        for wrong in ({}, {"authorization": TOKEN}, {"authorization": f"Bearer {TOKEN}x"}, {"authorization": "Bearer "},
                      {"authorization": f"bearer {TOKEN[:-1]}"}, {"authorization": f"Basic {TOKEN}"}):  # fmt: skip
            status, told = address.ask("/reset", {}, headers=wrong)
            assert status == 401
            assert TOKEN not in json.dumps(told)
            assert address.ask(f"/metadata?token={TOKEN}", headers=wrong)[0] == 401
            with pytest.raises(InvalidStatus):
                connect(address.ws, additional_headers=wrong)
        assert len(address.sessions) == 0
        assert address.ask("/reset", {}, headers=right)[0] == 200
        assert "result" in address.call("start", headers=right)
        with connect(address.ws, additional_headers=right) as ws:
            ws.send('{"type": "reset"}')
            assert json.loads(ws.recv())["type"] == "observation"


def test_the_token_is_compared_in_constant_time(monkeypatch):
    compared = []
    monkeypatch.setattr(guards.hmac, "compare_digest", lambda a, b: compared.append((a, b)) or a == b)
    wanted = f"Bearer {TOKEN}".encode()

    async def ask(given):
        sent = []

        async def send(message):
            sent.append(message)

        async def inner(scope, receive, send):
            sent.append("let in")

        headers = [(b"host", b"127.0.0.1"), (b"authorization", given)]
        scope = {"type": "http", "method": "GET", "path": "/metadata", "headers": headers}
        await Guard(inner, host="127.0.0.1", token=TOKEN)(scope, None, send)
        return sent[0]

    assert asyncio.run(ask(b"Bearer x"))["status"] == 401
    assert asyncio.run(ask(wanted)) == "let in"
    assert compared == [(b"Bearer x", wanted), (wanted, wanted)]


def test_headers_that_appear_twice(coin):
    for twice in (
        b"Host: 127.0.0.1\r\nHost: evil.org\r\n",
        b"Host: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nOrigin: http://e.org\r\n",
    ):
        answer = exchange(coin, b"GET /metadata HTTP/1.1\r\n" + twice + b"Connection: close\r\n\r\n")
        assert b" 400 " in answer.split(b"\r\n")[0]


# --- attacks ---------------------------------------------------------------------------------------------------------
def exchange(address, data, seconds=30):
    """Raw bytes there and back, until the server closes."""
    with socket.create_connection((address.host, address.port), timeout=seconds) as raw:
        raw.sendall(data)
        found = b""
        with contextlib.suppress(ConnectionResetError):
            while part := raw.recv(65536):
                found += part
        return found


@pytest.mark.parametrize("data", MALFORMED, ids=lambda data: repr(data[:20]))
def test_malformed_bodies(coin, data):
    for path in ("/reset", "/step", "/close"):
        status, told = coin.ask(path, raw=data)
        assert status in (400, 404, 422) or (status == 200 and data == b""), (path, told)
    assert "error" in coin.ask("/mcp", raw=data)[1]
    accept = {"accept": "application/json, text/event-stream"}
    assert 400 <= coin.ask("/mcp", raw=data, headers=accept)[0] < 500
    modern = {**accept, "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list"}
    assert 400 <= coin.ask("/mcp", raw=data, headers=modern)[0] < 500
    assert coin.lives()


@pytest.mark.parametrize("data", MALFORMED, ids=lambda data: repr(data[:20]))
def test_malformed_frames(coin, data):
    with connect(coin.ws) as ws:
        ws.send(data)  # a binary frame
        assert json.loads(ws.recv())["data"]["code"] == "INVALID_JSON"
        for message in ([], 7, {}, {"type": []}, {"type": "fly"}, {"type": "step", "data": []},
                        {"type": "reset", "data": {"seed": "x"}},
                        {"type": "reset", "data": {"more": 1}}, {"type": "mcp", "data": {"method": 3}}):  # fmt: skip
            ws.send(json.dumps(message))
            answer = json.loads(ws.recv())
            assert answer["type"] == "error" or "error" in answer["data"], message
        ws.send('{"type": "reset"}')
        assert json.loads(ws.recv())["type"] == "observation"  # the connection has come to no harm


def test_messages_that_are_too_large(coin):
    for path, more in (("reset", ""), ("mcp", "Accept: text/event-stream\r\n")):
        head = f"POST /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{more}"
        assert b" 413 " in exchange(coin, f"{head}Content-Length: {MAX_MESSAGE + 1}\r\n\r\n".encode()).split(b"\r\n")[0]
    chunked = b"POST /reset HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection((coin.host, coin.port), timeout=60) as raw:
        raw.sendall(chunked)
        answer = b""
        try:
            for _ in range(40):  # 2.5 MiB, whose length nobody has said
                raw.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
            answer = raw.recv(65536)
        except OSError:
            answer = answer or b" 413 "
        assert b" 413 " in answer
    with connect(coin.ws, max_size=None) as ws:
        ws.send("x" * (MAX_MESSAGE + 10))
        with pytest.raises(ConnectionClosed):
            ws.recv()
    answer = exchange(coin, b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\n\r\n")
    assert answer[:10] in (b"", b"HTTP/1.1 4")  # cut while the rest was on its way, or answered
    assert coin.lives()


def test_sessions_of_others_cannot_be_found(coin):
    mine = coin.ask("/reset", {"seed": 3})[1]["metadata"]["session_id"]
    assert len(mine) >= 32
    tries = ["", "0", mine[:-1], mine + "x", mine.swapcase(), "../" + mine, "*", "\x00", "ws:1", "stdio"]
    for ident in tries:
        assert coin.ask("/step", {"action": {"command": "look"}, "session_id": ident})[0] == 404
        assert coin.call("observe", {"session": ident})["result"]["isError"]
    for ident in (7, None, [], {"a": 1}, True):
        assert coin.ask("/step", {"action": {"command": "look"}, "session_id": ident})[0] == 422
        assert coin.call("observe", {"session": ident})["result"]["isError"]
    assert coin.ask(f"/state?session_id={mine}")[1]["step_count"] == 0


def test_hostile_json_rpc(coin):
    for message in (
        [], 3, {"jsonrpc": "1.0"}, {"jsonrpc": "2.0", "method": "reset", "id": 1},
        {"jsonrpc": "2.0", "method": "tools/call", "id": {}}, {"jsonrpc": "2.0", "method": "tools/call", "id": 1, "params": []},
        {"jsonrpc": "2.0", "method": "tools/call", "id": 1, "params": {}},
        {"jsonrpc": "2.0", "method": "tools/call", "id": 1, "params": {"name": "__init__"}},
        {"jsonrpc": "2.0", "method": "tools/call", "id": 1, "params": {"name": ["start"], "arguments": {}}},
    ):  # fmt: skip
        status, told = coin.ask("/mcp", message)
        assert status == 200
        assert told["error"]["code"] in (-32600, -32601, -32602), message
    for tool, arguments in (
        ("start", {"seed": "3"}), ("start", {"seed": -1}), ("start", {"seed": 2**70}), ("start", {"more": 1}), ("start", [1]),
        ("start", {"env": "mapf-v0"}), ("act", {}), ("act", {"action": "look"}), ("go", {"direction": "x" * 500_000}),
    ):  # fmt: skip
        assert coin.call(tool, arguments)["result"]["isError"], (tool, str(arguments)[:80])
    assert coin.lives()


def test_the_cap_is_said_clearly_and_closed_sockets_make_room():
    with serving(COIN, most=4) as address, contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(connect(address.ws)) for _ in range(4)]
        wait_until(lambda: len(address.sessions) == 4)
        with connect(address.ws) as refused:
            told = json.loads(refused.recv())
            assert told["type"] == "error"
            assert told["data"]["code"] == "CAPACITY_REACHED"
            assert told["data"]["max_sessions"] == 4
            with pytest.raises(ConnectionClosed) as closed:
                refused.recv()
            assert closed.value.rcvd.code == 1013
        status, told = address.ask("/reset", {})
        assert status == 503
        assert told["error"]["code"] == "CAPACITY_REACHED"
        sockets.pop().close()
        sockets[0].socket.close()  # without a goodbye
        wait_until(lambda: len(address.sessions) == 2)
        assert address.ask("/reset", {})[0] == 200


def test_silent_sessions_are_closed_and_their_sockets_told():
    clock = Clock()
    with serving(COIN, idle_seconds=60.0, clock=clock) as address:
        ident = address.ask("/reset", {})[1]["metadata"]["session_id"]
        with connect(address.ws) as ws:
            wait_until(lambda: len(address.sessions) == 2)
            clock.now = 61.0
            with pytest.raises(ConnectionClosed) as closed:  # the reaper of the server looks by itself
                ws.recv()
            assert closed.value.rcvd.code == 1001
        assert len(address.sessions) == 0
        assert address.ask("/step", {"action": {"command": "look"}, "session_id": ident})[0] == 404


def test_half_open_connections_are_cut(monkeypatch):
    """Nothing sent, half a head, a byte now and then, half a body: each is cut, and holds no session meanwhile."""
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(guards, "BODY_SECONDS", 0.3)
    with serving(COIN, most=2) as address:
        head = (
            b"POST /reset HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        )
        good = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        for data in (b"", b"GET /hea", head, good + b"GET /hea"):
            assert b"seed" not in exchange(address, data)
        with socket.create_connection((address.host, address.port), timeout=30) as raw:
            dripping, stop = iter(b"GET /" + b"a" * 4000), threading.Event()

            def drip():
                try:
                    while not stop.wait(0.05):
                        raw.send(bytes([next(dripping)]))
                except OSError:
                    pass

            thread = threading.Thread(target=drip)
            thread.start()
            with contextlib.suppress(ConnectionResetError):
                assert raw.recv(10) == b""
            stop.set()
            thread.join()
        assert len(address.sessions) == 0
        assert address.lives()


def test_a_peer_that_answers_no_ping_loses_its_place(monkeypatch):
    """Behind a cut cable: the connection stands, and nobody is there. Also with answers that it never read."""
    monkeypatch.setattr(servers, "PING_SECONDS", 0.4)
    with serving(COIN, most=2) as address:
        request = (
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{address.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ).encode()
        silent = socket.create_connection((address.host, address.port), timeout=30)
        silent.sendall(request)
        flood = socket.create_connection((address.host, address.port), timeout=2)
        flood.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        flood.sendall(request)
        text = json.dumps({"type": "mcp", "data": {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}}).encode()
        frame = bytes([0x81, 0x80 | len(text)]) + bytes(4) + text
        try:
            for _ in range(20_000):
                flood.sendall(frame)
        except OSError:
            pass
        wait_until(lambda: len(address.sessions) == 0)
        assert address.lives()
        silent.close(), flood.close()


def test_bursts_of_everything_at_once(coin):
    """Many clients at once, half of them attackers; the others' episodes come out as they do alone."""
    alone = play(coin, 9)
    found, errors = [], []

    def client():
        try:
            found.append(play(coin, 9))
        except Exception as error:
            errors.append(error)

    def attacker(n):
        for _ in range(20):
            coin.ask("/reset", raw=MALFORMED[n % len(MALFORMED)])
            coin.call("go", {"direction": ["north"] * 1000})
            exchange(coin, b"\x16\x03\x01\x02\x00" * 10)

    threads = [threading.Thread(target=client) for _ in range(8)]
    threads += [threading.Thread(target=attacker, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert not errors
    assert found == [alone] * 8
    assert coin.lives()


def play(address, seed):
    told = address.ask("/reset", {"seed": seed})[1]
    ident, n = told["metadata"]["session_id"], 0
    while not told["done"]:
        n += 1
        told = address.ask("/step", {"action": {"command": pick(told, n)}, "session_id": ident})[1]
    address.ask("/close", {"session_id": ident})
    return {**told, "metadata": {**told["metadata"], "session_id": ""}}


def test_a_crash_in_a_world_is_told_without_details_and_stays_in_its_session(coin, monkeypatch):
    told = coin.ask("/reset", {"seed": 1})[1]
    session = coin.sessions.find(told["metadata"]["session_id"])

    def broken(*arguments):
        raise RuntimeError("the secret /etc/path of the server")

    monkeypatch.setattr(session.episode.batch, "step", broken)
    status, said = coin.ask("/step", {"action": {"command": "look"}, "session_id": session.id})
    assert status == 500
    assert said["error"]["code"] == "EXECUTION_ERROR"
    assert "secret" not in json.dumps(said)
    assert coin.lives()
    assert coin.ask("/reset", {"seed": 1})[0] == 200


# --- the command, and OpenEnv's own checks ---------------------------------------------------------------------------
def test_the_command_refuses_what_would_be_open_to_all():
    for arguments, said in (
        (["--http", "--host", "0.0.0.0"], "give a --token"),
        (["--http", "--host", "0.0.0.0", "--token", "short"], "a token has at least"),
        ([], "serve over --mcp"),
        (["--http", "--mcp"], "serve over --mcp"),
        (["--http", "--seat", "nobody"], "no seat 'nobody'"),
    ):
        done = subprocess.run([LUDARIUM, "serve", "text-coin-v0", *arguments], capture_output=True, text=True)
        assert done.returncode == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr


LUDARIUM = Path(sys.executable).parent / "ludarium"


@pytest.mark.parametrize("ranked", [False, True])
def test_openenv_validates_us(ranked):
    """`openenv validate --url`, OpenEnv's checks of a running server, in the environment of that peer."""
    program = need("openenv")
    with serving(Offer("text-household-quick", ranked=ranked)) as address:
        done = subprocess.run(
            [program, "validate", "--url", address.url, "--json", "--timeout", "60"], capture_output=True, text=True
        )
        report = json.loads(done.stdout)
        assert report["passed"], report
        assert len(report["criteria"]) == 6
        assert report["mode"] == ("production" if ranked else "simulation")


CLIENT = """
import sys
from openenv.core.generic_client import GenericEnvClient
with GenericEnvClient(base_url=sys.argv[1]).sync() as client:
    result = client.reset(seed=3)
    n = 0
    while not result.done:
        n += 1
        commands = result.observation["commands"]
        result = client.step({"command": commands[(7 * n + 3) % len(commands)]})
    assert client.state()["step_count"] == n
    print(n, result.reward)
"""


def test_openenvs_own_client_plays_an_episode(coin):
    python = Path(need("openenv")).parent / "python"
    done = subprocess.run([python, "-c", CLIENT, coin.url], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.split()[0]) == play(coin, 3)["metadata"]["step"]
