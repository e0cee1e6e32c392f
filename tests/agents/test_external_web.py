"""Servers as agents: whatever they do, the episode ends, and only what they did not answer is lost."""

import json
import socket
import threading
import time

import pytest
from external_kit import play, small_batch

from ludarium.agents.external.web import Connection
from ludarium.agents.registry import make_agent
from ludarium.envs.core.errors import AgentError, AgentFailedError, MissingKeyError

STEPS, SEATS, AT = 8, 2, 3
ONE, REST = SEATS, SEATS * (STEPS - AT)


def page(body, status="200 OK", *head):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return b"\r\n".join([f"HTTP/1.1 {status}".encode(), *head, b"Content-Length: %d" % len(body), b"", body])


class Server:
    """A bare server: from step 3 on, what it does is `mode`; it counts connections and keeps the heads of requests."""

    def __init__(self, mode="fine", always=False):
        self.mode, self.always, self.connections, self.heads, self.done = mode, always, 0, [], threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.open = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        stream = connection.makefile("rwb")
        try:
            while True:
                head = []
                while (line := stream.readline()).strip():
                    head.append(line)
                if not head or b"POST" not in head[0]:
                    return
                self.heads.append(head)
                size = next(int(line.split(b":")[1]) for line in head if line.lower().startswith(b"content-length"))
                message = json.loads(stream.read(size))
                if self.answer(message, stream, connection) is None:
                    return
                stream.flush()
        except OSError:
            pass
        finally:
            connection.close()

    def answer(self, message, stream, connection):
        reply = {k: message[k] for k in ("type", "version", "episode", "step")}
        good = page({**reply, "view": "array", "actions": [1] * len(message.get("turns", ()))})
        step, mode = message["step"], self.mode
        wrong = message["type"] == "act" and (step == AT or (step > AT and self.always))
        if not wrong or mode == "fine":
            return stream.write(good)
        if mode == "silent":
            return self.done.wait()
        if mode == "drips":
            for n in range(100000):
                if self.done.wait(0.02):
                    return None
                stream.write(good[n : n + 1] if n < 12 else b"1")
                stream.flush()
        if mode == "drips-body":
            stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n")
            while not self.done.wait(0.02):
                stream.write(b"x")
                stream.flush()
            return None
        if mode == "heads":
            while True:
                stream.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if mode == "long-head":
            stream.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                stream.write(b"X: " + b"y" * 1000 + b"\r\n")
        if mode == "chunks":
            stream.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                stream.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")

        def last(data):
            """Say this and close the connection."""
            stream.write(data)
            stream.flush()

        return {
            "drops": lambda: None,
            "redirects": lambda: stream.write(page(b"", "307 Away", f"Location: {self.url}/other".encode())),
            "error": lambda: stream.write(page({"error": "out of memory"}, "500 Oh")),
            "html": lambda: stream.write(page(b"<html>hello</html>")),
            "zipped": lambda: stream.write(page(b"\x1f\x8b" + b"0" * 50, "200 OK", b"Content-Encoding: gzip")),
            "large": lambda: stream.write(page(b"x" * 2_000_000)),
            "no-http": lambda: last(b"\x00\xff" * 100 + b"\n"),
            "other-episode": lambda: stream.write(page({**reply, "episode": "another", "actions": [1, 1]})),
            "other-step": lambda: stream.write(page({**reply, "step": step - 1, "actions": [1, 1]})),
            "half": lambda: last(good[:-20]),
        }[mode]()

    def close(self):
        self.done.set()
        self.socket.close()
        for connection in self.open:
            connection.close()


@pytest.fixture
def serve():
    made = []

    def start(*given):
        made.append(Server(*given))
        return made[-1]

    yield start
    for server in made:
        server.close()


def test_a_server_that_behaves_loses_nothing_over_one_connection(serve):
    server = serve()
    lost, batch = play(server.url)
    assert lost == {}
    assert all((actions == 1).all() for actions in batch.actions)
    assert server.connections == 1


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("drops", "died"), ("redirects", "nonsense"), ("error", "nonsense"), ("html", "nonsense"), ("zipped", "nonsense"),
        ("large", "nonsense"), ("chunks", "nonsense"), ("heads", "nonsense"), ("long-head", "nonsense"),
        ("no-http", "nonsense"), ("other-episode", "nonsense"), ("other-step", "nonsense"), ("half", "nonsense"),
        ("silent", "late"), ("drips", "late"), ("drips-body", "late"),
    ],
)  # fmt: skip
def test_one_wrong_answer_loses_one_turn(serve, mode, kind):
    server = serve(mode)
    limit = "?act_seconds=" + ("0.5" if kind == "late" else "30")
    lost, batch = play(server.url + limit)
    assert batch.t[0] == STEPS
    assert set(lost) == {kind}
    if mode == "drops":  # asked once again, over a new connection, and dropped again
        assert server.connections == 3
    if kind != "late":  # on a slow machine half a second may pass twice
        assert lost == {kind: ONE}


def test_a_half_open_socket_is_waited_for_three_times_and_no_more(serve):
    lost, batch = play(serve("silent", True).url + "?act_seconds=0.3", small_batch(100))
    assert lost == {"late": SEATS * 97}
    assert batch.t[0] == 100


def test_redirects_lead_nowhere(serve):
    server = serve("redirects")
    play(server.url)
    assert not any(b"/other" in head[0] for head in server.heads)


def test_a_connection_closed_between_two_questions_is_opened_again(serve):
    server = serve()
    agent = make_agent(server.url)
    agent.ready()
    server.open[0].shutdown(socket.SHUT_RDWR)
    assert play(agent)[0] == {}
    assert server.connections == 2


def test_where_nobody_listens_the_error_says_so():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(AgentFailedError, match="cannot be reached"):
        make_agent(f"http://127.0.0.1:{port}").ready()


def test_a_server_without_tls_is_no_https(serve):
    with pytest.raises(AgentFailedError):
        make_agent(serve().url.replace("http", "https") + "?start_seconds=1").ready()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://", "no address"), ("http://a b", "no address"), ("http://x:99999", "Port out of range"),
        ("http://x:0", "no address"), ("http://user:pass@x:1", "holds no name"), ("http://x\r\nEvil: 1", "say for example"),
        ("http://x?body_bytes=0", "body_bytes"), ("http://x?speed=1", "unknown option"), ("http://x?act_seconds=-1", "act_sec"),
    ],
)  # fmt: skip
def test_addresses_that_are_none(url, words):
    with pytest.raises(AgentError, match=words) as caught:
        make_agent(url)
    assert "pass@" not in str(caught.value)


def test_a_token_is_sent_and_never_told(serve, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "s3cret-token")
    server = serve("error", True)
    lost, batch = play(server.url + "?token=MY_TOKEN")
    assert lost == {"nonsense": REST}
    assert b"Authorization: Bearer s3cret-token\r\n" in server.heads[0]
    assert "s3cret" not in json.dumps(batch.events)
    monkeypatch.delenv("MY_TOKEN")
    with pytest.raises(MissingKeyError, match="MY_TOKEN"):
        make_agent(server.url + "?token=MY_TOKEN")
    monkeypatch.setenv("MY_TOKEN", "two\r\nlines")
    with pytest.raises(AgentError, match="no HTTP header"):
        make_agent(server.url + "?token=MY_TOKEN")


def test_proxies_are_not_used(serve, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert play(serve().url)[0] == {}


def test_a_question_that_cannot_be_sent_is_late():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connection = Connection(f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(AgentFailedError) as caught:
            connection.send(b"x" * (64 << 20), time.monotonic() + 0.5)
        assert caught.value.kind == "late"


def test_it_says_whether_a_run_should_play_many_at_once():
    assert make_agent("http://127.0.0.1:1?waits=true").waits
    assert not make_agent("http://127.0.0.1:1").waits
