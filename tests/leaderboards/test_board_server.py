"""The server as a process: what it acknowledged outlives kill -9, workers are replaced and end with it, sloth is cut."""

import hashlib
import http.client
import json
import os
import re
import signal
import socket
import sys
import time
from pathlib import Path

import pytest
from conftest import ludarium

from ludarium.leaderboards.store import Store

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


class Server:
    """A `ludarium leaderboard serve` in a process of its own."""

    def __init__(self, folder, *options):
        self.process = ludarium("leaderboard", "serve", "--port", 0, *options, cwd=folder)
        line = self.process.stdout.readline()
        found = re.fullmatch(r"the board is at http://127\.0\.0\.1:([0-9]+)\n", line)
        assert found, line + self.process.stderr.read()
        self.port = int(found[1])

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def children(self):
        """The workers' process ids."""
        return children_of(self.process.pid)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        out, errors = self.process.communicate()
        return self.process.returncode, out + errors


def children_of(parent):
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:  # it is gone
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(status.parent.name))
    return found


def until(holds, seconds=120):
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)
    return found


def alive(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.fixture
def prepared(tmp_path):
    """A board with an account; its folder and the headers of a token."""
    with Store(tmp_path / "board.db") as store:
        token = store.accounts.issue(store.accounts.create("Ada").id, ["submit"])[1]
    return tmp_path, {"Authorization": f"Bearer {token}"}


def test_kill_9_of_a_worker_and_of_the_server_loses_nothing(prepared, packed, tiny_track):
    folder, headers = prepared
    files = [path.read_bytes() for path in packed.values()]
    digests = [hashlib.sha256(data).hexdigest() for data in files]
    place = f"/api/v1/submissions/{digests[0]}"
    server = Server(folder, "--workers", 1, "--tracks", tiny_track.path.parent, "--lease", 1)
    try:
        assert server.ask("POST", "/api/v1/submissions", files[0], headers)[0] == 201
        until(lambda: server.ask("GET", place)[1]["state"] != "waiting")
        killed = server.children()
        for worker in killed:
            os.kill(worker, signal.SIGKILL)
        until(lambda: server.ask("GET", place)[1]["state"] == "done")  # another takes its place, and its job
        found = server.ask("GET", place)[1]
        assert (found["verdict"]["ok"], found["disagreements"]) == (True, 0)
        workers = until(lambda: sorted(set(server.children()) - set(killed)))
        own, theirs = (os.getpriority(os.PRIO_PROCESS, pid) for pid in (server.process.pid, workers[0]))
        assert theirs == min(19, own + 10)
        assert server.ask("GET", "/readyz")[0] == 200
        assert server.ask("POST", "/api/v1/submissions", files[1], headers)[0] == 201
        server.end(signal.SIGKILL)
        until(lambda: not any(map(alive, workers)))  # they end with their server
    finally:
        server.process.kill()
    with Store(folder / "board.db") as store:
        assert [entry.digest for entry in store.submissions.all()] == digests
        assert [link.kind for link in store.log.links(subject=digests[0])] == ["submitted", "verdict"]
        entry, rows = store.submissions.get(digests[0]), store.submissions.episodes(digests[0])
        assert len(rows) == 8
        assert entry.verdict["score"] == pytest.approx(sum(row["score"] for row in rows) / 8)
        assert entry.measured["wall_s"] > entry.measured["cpu_s"] >= 0  # under a limit, a process's clock goes in ticks
        assert not any(str(place) in json.dumps([entry.verdict, rows]) for place in (folder, tiny_track.path.parent))
        assert store.check_blobs() == []
        store.check_chain()


def test_half_requests_and_floods_are_cut_while_others_are_served(prepared, tiny_track, packed):
    folder, headers = prepared
    with Store(folder / "board.db") as store:
        server = Server(folder, "--workers", 0, "--tracks", tiny_track.path.parent, "--upload-mb", 1, "--pause", 0.5)
        try:
            token = headers["Authorization"].encode()
            head = b"POST /api/v1/submissions HTTP/1.1\r\nHost: board\r\nAuthorization: " + token + b"\r\n"
            with server.connect() as slow:  # says much, sends little
                slow.sendall(head + b"Content-Length: 1000\r\n\r\nPK")
                assert b" 408 " in slow.makefile("rb").readline()
            with server.connect() as flood:  # chunks without an end
                flood.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
                sent = 0
                try:
                    while sent < 64 << 20:
                        flood.sendall(b"40000\r\n" + bytes(0x40000) + b"\r\n")
                        sent += 0x40000
                except OSError:
                    pass
                assert sent < 64 << 20  # it was cut, since the limit is one megabyte
            with server.connect() as gone:  # leaves in the middle
                gone.sendall(head + b"Content-Length: 100000\r\n\r\n" + bytes(5000))
            with server.connect() as liar:  # declares too much
                liar.sendall(head + b"Content-Length: 99999999999999999999\r\n\r\n")
                assert re.search(rb" 4(00|13) ", liar.makefile("rb").readline())
            with server.connect() as odd:
                odd.sendall(b"GET /../../../etc/passwd HTTP/1.1\r\nHost: board\r\n\r\n")
                assert b" 404 " in odd.makefile("rb").readline()
            with server.connect() as long:
                long.sendall(b"GET /healthz HTTP/1.1\r\nHost: board\r\nX: " + b"x" * 100_000)
                answer = long.makefile("rb").readline()
                assert answer == b"" or b" 400 " in answer
            assert server.ask("GET", "/healthz") == (200, {"status": "alive"})
            assert server.ask("POST", "/api/v1/submissions", packed["pibt"].read_bytes(), headers)[0] == 201
            until(lambda: not list(store.blobs.root.glob("*.part")))
            assert store.queue.counts()["waiting"] == 1
        finally:
            code, said = server.end()
        assert (code, "Traceback" in said) == (130, False), said
