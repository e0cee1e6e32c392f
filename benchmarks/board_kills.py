"""A board whose server and workers are killed (SIGKILL) at random moments while 200 submissions are uploaded and verified.

    python benchmarks/board_kills.py                 # both databases; needs PostgreSQL's `initdb`
    python benchmarks/board_kills.py --store sqlite --uploads 40

Entrants send again what was not acknowledged. At the end, every digest that was ever acknowledged must be on record with its
bytes and one verdict, no verdict may have been found twice with different results, and the chain of the log must hold.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from board import LUDARIUM, TRACK, packed, postgres

from ludarium.leaderboards.store import Store
from ludarium.leaderboards.track import load_track


class Killed:
    """A process that is started anew whenever it dies; `kill` lets it."""

    def __init__(self, command: list[str], place: dict[str, str]) -> None:
        self.kills, self._command, self._place = 0, command, place
        self._lock, self._over = threading.Lock(), False
        self._start()
        threading.Thread(target=self._mind, daemon=True).start()

    def _start(self) -> None:
        self.process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self._place
        )

    def _mind(self) -> None:
        while not self._over:
            self.process.wait()
            with self._lock:
                if not self._over:
                    self._start()

    def kill(self) -> None:
        """SIGKILL, whatever it is at."""
        self.process.send_signal(signal.SIGKILL)
        self.kills += 1

    def end(self) -> None:
        """Stop it for good."""
        with self._lock:
            self._over = True
        self.process.kill()
        self.process.wait()


def send(port: int, token: str, path: Path) -> tuple[str, int]:
    """Upload a file, as often as it takes: the digest that was acknowledged, and the tries."""
    content, tries = path.read_bytes(), 0
    while True:
        tries += 1
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("POST", "/api/v1/submissions", content, {"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status in (200, 201):
                return json.loads(body)["digest"], tries
            assert answer.status == 503, (answer.status, body)
        time.sleep(0.2)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@contextlib.contextmanager
def killing(victims: list[Killed], draw: random.Random) -> Iterator[None]:
    """Kill one of them after a random time, again and again, while the body runs."""
    over = threading.Event()

    def go() -> None:
        while not over.wait(draw.expovariate(1 / 5)):
            draw.choice(victims).kill()

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def wait_for(done: Callable[[], bool]) -> None:
    """Look every half second."""
    while not done():
        time.sleep(0.5)


def try_all(url: str, folder: Path, uploads: int, seed: int) -> None:
    """One whole run; an assertion says what was lost."""
    track, blobs, draw = load_track(TRACK), folder / "blobs", random.Random(seed)
    files = list(packed(folder, track, uploads, "upload"))
    with Store(url, blobs) as store:
        _, token = store.accounts.issue(store.accounts.create("The sender").id, ["submit"])
        place = {**os.environ, "LUDARIUM_BOARD_STORE": url, "LUDARIUM_BOARD_BLOBS": str(blobs)}
        port = _free_port()
        rates = ["--uploads", "1e6", "--knocks", "1e6", "--reads", "1e9"]
        server = Killed([*LUDARIUM, "serve", "--port", str(port), "--workers", "0", *rates], place)
        workers = [Killed([*LUDARIUM, "worker", "--lease", "10", "--tries", "1000"], place) for _ in range(2)]
        acknowledged: list[tuple[str, int]] = []
        try:
            with killing([server, *workers], draw):
                for path in files:
                    acknowledged.append(send(port, token, path))
                wait_for(lambda: store.queue.counts()["done"] >= uploads * 3 // 4)
            wait_for(lambda: store.queue.counts()["done"] >= uploads)
        finally:
            for each in (server, *workers):
                each.end()
        check(store, files, [digest for digest, _ in acknowledged])
        again = sum(tries > 1 for _, tries in acknowledged)
        kills = f"{server.kills} kills of the server, {sum(each.kills for each in workers)} of workers"
        print(
            f"   {uploads} uploads, {again} of them sent again; {kills}; none lost, none verified to two results",
            flush=True,
        )


def check(store: Store, files: list[Path], acknowledged: list[str]) -> None:
    """What must be true of the store afterwards."""
    assert sorted(acknowledged) == sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)
    found = {entry.digest: entry for entry in store.submissions.all(limit=len(files) + 1)}
    assert set(found) == set(acknowledged), "a submission was lost, or is there twice"
    for digest, entry in found.items():
        assert hashlib.sha256(Path(store.blobs.path(digest)).read_bytes()).hexdigest() == digest
        assert (entry.state, entry.disagreements) == ("done", 0)
        assert entry.verdict is not None
        assert entry.verdict["ok"]
    assert len({json.dumps(entry.verdict["score"]) for entry in found.values() if entry.verdict}) == 1
    store.check_chain()
    assert store.check_blobs() == []


def main() -> int:
    """Run it on each database."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", choices=["sqlite", "postgres"], help="only this one")
    parser.add_argument("--uploads", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for kind in [given.store] if given.store else ["sqlite", "postgres"]:
        print(kind, flush=True)
        with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
            url = f"sqlite:///{name}/board.db"
            if kind == "postgres":
                url = stack.enter_context(postgres())
            try_all(url, Path(name), given.uploads, given.seed)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
