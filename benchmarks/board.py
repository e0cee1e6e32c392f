"""A board under load, on SQLite and on PostgreSQL: readers of 1,000 submissions, and uploads beside one niced worker.

    python benchmarks/peers/setup.py locust
    python benchmarks/board.py                              # both databases; needs PostgreSQL's `initdb`
    python benchmarks/board.py --store sqlite --seconds 20 --submissions 200

Readers are Locust's: `--readers` keep-alive connections with one second of thought between an answer and the next request, over
the pages of a track with all submissions (40 %), the front page, pages of submissions and agents, and the API. Uploads are
`--uploads` distinct real submissions, evenly over a minute, each acknowledged only once it is on the disk and in the queue
(PostgreSQL runs with fsync); then the backlog is left to the worker, and every digest that was acknowledged must have its
verdict. CPU is of the server's and of the worker's process tree, by /proc.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from ludarium.leaderboards import keys
from ludarium.leaderboards.judge import judge
from ludarium.leaderboards.runner import run
from ludarium.leaderboards.store import Store
from ludarium.leaderboards.submission import Submission, pack
from ludarium.leaderboards.track import Track, load_track

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "peers"), str(HERE.parent / "tests")]
TRACK = "mapf-lifelong-quick"
LUDARIUM = [sys.executable, "-P", "-c", "from ludarium.leaderboards.cli import main; main()", "leaderboard"]


# --- submissions -------------------------------------------------------------------------------------------------------
def packed(folder: Path, track: Track, count: int, what: str) -> Iterator[Path]:
    """Distinct real submissions: one run, under `count` names."""
    place = folder / "run"
    played = place if place.exists() else run(track.world.name, ["pibt"], place, split=track.split, jobs=1).root
    key = keys.new_key()
    for number in range(count):
        to = folder / f"{what}-{number}.zip"
        yield pack(played, track, name=f"{what} {number}", key=key, to=to)


def fill(store: Store, folder: Path, track: Track, count: int) -> None:
    """Put `count` submissions with verdicts into a store. The first is judged; the others' scores are drawn, to be read."""
    account, draw = store.accounts.create("The load").id, np.random.default_rng(0)
    verdict = None
    for path in packed(folder, track, count, "agent"):
        submission = Submission.open(path)
        verdict = verdict or judge(submission, track)
        manifest = json.loads(submission.manifest.encode())
        store.submissions.add(path.read_bytes(), manifest, account=account, track=track.name, version=track.version)
        skill = draw.uniform(0.5, 1.5)
        rows = [
            {**row, "score": row["score"] * skill * draw.uniform(0.8, 1.2), "actions": f"{draw.bytes(16).hex()}"}
            for row in verdict.rows
        ]
        mine = verdict._replace(
            submission=submission.hash, rows=tuple(rows), score=float(np.mean([row["score"] for row in rows]))
        )
        lease = store.queue.take("filler")
        assert lease is not None
        store.queue.finish(lease, mine.as_dict())
        path.unlink()


# --- processes ---------------------------------------------------------------------------------------------------------
def cpu(pid: int) -> float:
    """CPU-seconds of a process, of its living descendants, and of those that it waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return 0.0
    own = sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu(int(child)) for child in children)


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty database of a PostgreSQL that is there for a while, and that keeps what it says it keeps."""
    import throwaway_postgres
    from requirements import need

    with throwaway_postgres.start(need("postgres"), fsync=True) as server:
        yield server.new_database()


@contextlib.contextmanager
def board(url: str, blobs: Path) -> Iterator[tuple[str, int]]:
    """A board's server without workers: its address and process."""
    rates = ["--uploads", "1e6", "--knocks", "1e6", "--reads", "1e9"]  # all readers have one address here
    place = {**os.environ, "LUDARIUM_BOARD_STORE": url, "LUDARIUM_BOARD_BLOBS": str(blobs)}
    with subprocess.Popen(
        [*LUDARIUM, "serve", "--port", "0", "--workers", "0", *rates], stdout=subprocess.PIPE, text=True, env=place
    ) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().split()[-1], server.pid
        finally:
            server.terminate()


@contextlib.contextmanager
def worker(url: str, blobs: Path) -> Iterator[int]:
    """One niced worker: its process."""
    place = {**os.environ, "LUDARIUM_BOARD_STORE": url, "LUDARIUM_BOARD_BLOBS": str(blobs)}
    with subprocess.Popen(
        [*LUDARIUM, "worker", "--nice", "10"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=place
    ) as process:
        try:
            yield process.pid
        finally:
            process.terminate()


def get(address: str, path: str) -> bytes:
    """The body of a page; it must be there."""
    found = urlsplit(address)
    assert found.hostname is not None
    connection = http.client.HTTPConnection(found.hostname, found.port, timeout=300)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, (path, answer.status, body[:200])
    return body


# --- readers -----------------------------------------------------------------------------------------------------------
def pages(address: str, folder: Path) -> Path:
    """What readers ask for, with weights, found by following the links of the track's page."""
    track = get(address, f"/tracks/{TRACK}/").decode()
    links = sorted(set(re.findall(r'href="\.\./\.\./((?:submissions|agents)/[^"#?]+/)"', track)))
    agents = [link for link in links if link.startswith("agents/")][:25]
    digests = [link for link in links if link.startswith("submissions/")][:25]
    assert agents
    assert digests
    listed = f"/api/v1/submissions?track={TRACK}&limit=50"
    weighted: list[tuple[float, str]] = [(40, f"/tracks/{TRACK}/"), (20, "/"), (5, "/api/v1/board"), (5, listed)]
    weighted += [(15 / len(links), f"/{link}") for links in (agents, digests) for link in links]
    for _, path in weighted:
        get(address, path)
    lines = [f"{round(1000 * weight)} {path}\n" for weight, path in weighted]
    (folder / "paths").write_text("".join(lines))
    return folder / "paths"


def read(address: str, server: int, folder: Path, readers: int, seconds: int) -> str:
    """Let Locust's readers loose; the line of the table."""
    from setup import python_of

    python = python_of("locust")
    assert python is not None, "python benchmarks/peers/setup.py locust"
    began = cpu(server)
    done = subprocess.run(
        [python, "-m", "locust", "-f", HERE / "peers/board_readers.py", "--headless", "-u", str(readers), "-r", "100", "-t",
         f"{seconds}s", "--reset-stats", "--csv", folder / "readers", "--host", address, "--only-summary"],
        env={**os.environ, "BOARD_PATHS": str(pages(address, folder))}, capture_output=True, text=True,
    )  # fmt: skip
    used = cpu(server) - began
    with (folder / "readers_stats.csv").open() as file:
        rows = list(csv.DictReader(file))
    total = rows[-1]
    assert total["Name"] == "Aggregated", done.stderr[-2000:]
    for row in rows[:-1]:
        print(f"      {row['Name']:14} {row['Request Count']:>7} requests, p99 {row['99%']:>5} ms", flush=True)
    return (
        f"{total['Request Count']} requests, {float(total['Requests/s']):.0f} a second, {total['Failure Count']} failed; "
        f"p50 {total['50%']} ms, p95 {total['95%']} ms, p99 {total['99%']} ms, most {float(total['Max Response Time']):.0f} ms; "
        f"server {used:.1f} CPU-s"
    )


# --- uploads -----------------------------------------------------------------------------------------------------------
def send(address: str, token: str, path: Path, told: list[tuple[float, str]]) -> None:
    """Upload a file; add the seconds until it was acknowledged, and its digest."""
    found = urlsplit(address)
    assert found.hostname is not None
    connection = http.client.HTTPConnection(found.hostname, found.port, timeout=300)
    began = time.perf_counter()
    connection.request("POST", "/api/v1/submissions", path.read_bytes(), {"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    assert answer.status == 201, body
    told.append((time.perf_counter() - began, body["digest"]))


def upload(address: str, server: int, files: list[Path], token: str, url: str, blobs: Path) -> str:
    """Upload evenly over a minute beside a worker, wait for the backlog; the line of the table."""
    told: list[tuple[float, str]] = []
    most, before = 0, cpu(server)
    with worker(url, blobs) as process:
        began = time.monotonic()
        threads = []
        for number, path in enumerate(files):
            time.sleep(max(0.0, began + number * 60 / len(files) - time.monotonic()))
            threads.append(threading.Thread(target=send, args=(address, token, path, told)))
            threads[-1].start()
            queue = json.loads(get(address, "/api/v1/board"))["queue"]
            most = max(most, queue["waiting"] + queue["leased"])
        for thread in threads:
            thread.join()
        sent = time.monotonic() - began
        assert len(told) == len(files), f"{len(told)} of {len(files)} were acknowledged"
        while (queue := json.loads(get(address, "/api/v1/board"))["queue"])["waiting"] + queue["leased"]:
            time.sleep(0.5)
        drained, spent = time.monotonic() - began - sent, cpu(process)
    for _, digest in told:
        found = json.loads(get(address, f"/api/v1/submissions/{digest}"))
        assert found["state"] == "done", found
        assert found["verdict"]["ok"], found
    waits = np.sort([wait for wait, _ in told]) * 1000
    return (
        f"{len(told)} uploads of {files[0].stat().st_size / 1000:.0f} kB in {sent:.0f} s: acknowledged after "
        f"{np.median(waits):.0f} ms (median), {waits[-1]:.0f} ms (most); backlog up to {most}, drained {drained:.0f} s later, "
        f"none lost; server {cpu(server) - before:.1f} CPU-s, worker {spent:.1f} CPU-s"
    )


# --- all of it ---------------------------------------------------------------------------------------------------------
def measure(url: str, folder: Path, given: argparse.Namespace) -> None:
    """Fill a store, and put its board under load."""
    track, blobs = load_track(TRACK), folder / "blobs"
    with Store(url, blobs) as store:
        fill(store, folder, track, given.submissions)
        _, token = store.accounts.issue(store.accounts.create("The sender").id, ["submit"])
    files = list(packed(folder, track, given.uploads, "upload"))
    with board(url, blobs) as (address, server):
        began = time.monotonic()
        size = len(get(address, f"/tracks/{TRACK}/"))
        print(f"   the first page: {size / 1000:.0f} kB after {time.monotonic() - began:.1f} s", flush=True)
        if given.readers:
            print(
                f"   {given.readers} readers: {read(address, server, folder, given.readers, given.seconds)}", flush=True
            )
        if files:
            print(f"   {upload(address, server, files, token, url, blobs)}", flush=True)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", choices=["sqlite", "postgres"], help="only this one")
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--uploads", type=int, default=50)
    given = parser.parse_args()
    for kind in [given.store] if given.store else ["sqlite", "postgres"]:
        print(f"{kind}, {given.submissions} submissions", flush=True)
        with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
            url = f"sqlite:///{name}/board.db"
            if kind == "postgres":
                url = stack.enter_context(postgres())
            measure(url, Path(name), given)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
