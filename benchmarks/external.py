"""Round trips of agents outside the suite beside bare echoes over the same transport, and many episodes without a leak.

`python benchmarks/external.py [--rows lines,raw,http,arrays] [--trips N] [--blocks N]` prints microseconds (wall) a round trip:
medians of trips, and of alternating blocks, in one run. Ours is the whole turn: a world's turn becomes a message, an agent in
Python reads it, chooses and answers, and the answer is read and checked. A bare echo of JSON lines writes a message of the
same bytes as JSON, and its child reads the JSON and writes it back; `raw` shows the pipe alone: bytes that nobody reads. The
echo over HTTP sends and takes bytes. `arrays` compares the two forms of arrays.

`python benchmarks/external.py --episodes 10000` plays so many episodes, each with a process of its own, two thirds of which go
wrong, and counts processes, open files and memory on the way.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from ludarium.agents.contract import Turn
from ludarium.agents.crew import Crew, task_of
from ludarium.agents.external.messages import Hello, act_message, write_json
from ludarium.agents.external.outside import OutsideAgent
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator
from ludarium.leaderboards.guarded import Guarded

EXAMPLE = Path(__file__).parents[1] / "docs/examples/python/agent.py"
RAW_ECHO = "import sys\nfor line in sys.stdin:\n    print(line, end='', flush=True)\n"
ECHO = "import json, sys\nfor line in sys.stdin:\n    print(json.dumps(json.loads(line)), flush=True)\n"
FIRST = """
import json, sys
for line in sys.stdin:
    m = json.loads(line)
    r = {k: m[k] for k in ("type", "version", "episode", "step")}
    if m["type"] == "act": r["actions"] = [turn["commands"][0] for turn in m["turns"].values()]
    print(json.dumps(r), flush=True)
"""
ECHO_SERVER = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
"""
ARRAYS = """
import json, sys
for line in sys.stdin:
    m = json.loads(line)
    r = {k: m[k] for k in ("type", "version", "episode", "step")}
    r |= {"view": "array", "arrays": sys.argv[1]} if m["type"] == "hello" else {"actions": [0] * len(m.get("turns", ()))}
    print(json.dumps(r), flush=True)
"""
FAILING = """
import json, sys
for line in sys.stdin:
    m = json.loads(line)
    r = {k: m[k] for k in ("type", "version", "episode", "step")}
    if m["type"] == "act" and sys.argv[1] == "dies": sys.exit(1)
    if m["type"] == "act" and sys.argv[1] == "nonsense": r["step"] += 1
    print(json.dumps({**r, "view": "array", "actions": [0] * len(m.get("turns", ()))}), flush=True)
"""


class Row(NamedTuple):
    """One comparison: a round trip of ours and of a bare echo."""

    name: str
    ours: Callable[[], Any]
    echo: Callable[[], Any]
    payload: int
    """Bytes of the question."""


def microseconds(trip: Callable[[], Any], trips: int) -> float:
    """The median trip: on a busy machine the mean tells of the other jobs."""
    took = []
    for _ in range(trips):
        begun = time.perf_counter()
        trip()
        took.append(time.perf_counter() - begun)
    return median(took) * 1e6


def measure(row: Row, trips: int, blocks: int) -> tuple[float, float, float]:
    """Medians of ours and of the echo, and of their ratios block by block."""
    for trip in (row.ours, row.echo):
        microseconds(trip, trips)
    pairs = [(microseconds(row.ours, trips), microseconds(row.echo, trips)) for _ in range(blocks)]
    return median(p[0] for p in pairs), median(p[1] for p in pairs), median(p[0] / p[1] for p in pairs)


def begun(world: str, **config: Any) -> Batch:
    batch = Batch(make_simulator(world, **config), 1, world)
    one = np.ones(1, np.bool_)
    batch.seed(one, [0])
    batch.reset(one)
    return batch


def turns_of(batch: Batch, view: str) -> dict[str, Turn]:
    crew = Crew(batch, [])
    return {seat: crew.turn(view, s) for s, seat in enumerate(batch.simulator.seats)}


def started(name: str, batch: Batch) -> OutsideAgent:
    agent = make_agent(name)
    assert isinstance(agent, OutsideAgent)
    agent.start(task_of(batch), batch.simulator.seats, 0)
    return agent


@contextlib.contextmanager
def child(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def address(command: list[str]) -> Iterator[str]:
    """Where a server of ours stands: it says so on its first line."""
    with child(command) as process:
        assert process.stdout is not None
        yield process.stdout.readline().decode().strip()


# --- rows; each is a context that yields a Row ---------------------------------------------------------------------------
@contextlib.contextmanager
def json_lines(raw: bool = False) -> Iterator[Row]:
    """A household's turn in words, over pipes."""
    batch = begun("text-household-v0")
    turns = turns_of(batch, "text")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "first.py"
        path.write_text(FIRST)
        agent = started(f"cmd:{sys.executable} {path}", batch)
        line = write_json(act_message("1", turns, Hello("text"))) + b"\n"
        message = json.loads(line)
        with child([sys.executable, "-c", RAW_ECHO if raw else ECHO]) as process:
            fed, said = process.stdin, os.fdopen(process.stdout.fileno(), "rb", closefd=False)  # type: ignore[union-attr]

            def raw_echo() -> None:
                fed.write(line)  # type: ignore[union-attr]
                assert said.readline() == line

            def echo() -> None:
                fed.write(json.dumps(message).encode() + b"\n")  # type: ignore[union-attr]
                assert json.loads(said.readline()) == message

            yield Row(
                "raw pipe" if raw else "JSON lines", lambda: agent.act(turns), raw_echo if raw else echo, len(line)
            )
        agent.close()


def raw_lines() -> Any:
    """The same beside the pipe alone."""
    return json_lines(raw=True)


@contextlib.contextmanager
def web() -> Iterator[Row]:
    """The same turn over HTTP, the connection kept."""
    batch = begun("text-household-v0")
    turns = turns_of(batch, "text")
    body = write_json(act_message("0" * 32, turns, Hello("text")))
    with (
        address([sys.executable, str(EXAMPLE), "--http", "0"]) as ours,
        address([sys.executable, "-c", ECHO_SERVER]) as bare,
    ):
        agent = started(ours, batch)
        connection = http.client.HTTPConnection(bare.removeprefix("http://"), timeout=60)
        connection.connect()
        head = {"Content-Type": "application/json"}

        def echo() -> None:
            connection.request("POST", "/", body, head)
            assert connection.getresponse().read() == body

        yield Row("HTTP", lambda: agent.act(turns), echo, len(body))
        agent.close()
        connection.close()


ROWS = {"lines": json_lines, "raw": raw_lines, "http": web}


def compare_arrays(trips: int, blocks: int) -> None:
    """Lists beside base64: bytes and round trips of the turns of 8 robots that see 11 x 11 cells."""
    batch = begun("mapf-lifelong-v0", num_robots=8)
    turns = turns_of(batch, "array")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arrays.py"
        path.write_text(ARRAYS)
        agents = {form: started(f"cmd:{sys.executable} {path} {form}", batch) for form in ("lists", "base64")}
        found: dict[str, list[float]] = {form: [] for form in agents}
        for _ in range(blocks):
            for form, agent in agents.items():
                found[form].append(microseconds(lambda a=agent: a.act(turns), trips))
        for form, agent in agents.items():
            size = len(write_json(act_message("1", turns, Hello("array", arrays=form)), form))
            print(f"arrays as {form:7} {size:8} bytes {median(found[form]):9.1f} us a round trip")
            agent.close()


# --- leaks ------------------------------------------------------------------------------------------------------------
def resident() -> int:
    """Kilobytes of this process in memory."""
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) if found else 0


def children() -> int:
    """Processes that this one has started and not seen end, and those that they started, in all threads."""
    listed = [Path(f"/proc/self/task/{t}/children").read_text() for t in os.listdir("/proc/self/task")]
    return len(" ".join(listed).split())


def many_episodes(count: int) -> None:
    """Play `count` episodes of 2 steps, a process each; processes, open files and memory must not grow."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "agent.py"
        path.write_text(FAILING)
        batch = begun("mapf-lifelong-v0", num_robots=2, size=7, max_steps=2)
        one = np.ones(1, np.bool_)
        lost = 0
        for n in range(count):
            batch.seed(one, [n])
            batch.reset(one)
            mode = ("fine", "nonsense", "dies")[n % 3]
            crew = Guarded(batch, [(make_agent(f"cmd:{sys.executable} -I -S {path} {mode}"), batch.simulator.seats)])
            crew.start(n)
            while not batch.over[0]:
                crew.act()
                batch.step()
            crew.finish(batch.result())
            lost += sum(crew.lost.values())
            if n in (count // 10, count - 1):
                files = len(os.listdir("/proc/self/fd"))
                print(f"after {n + 1:6} episodes: {children()} children, {files} open files, {resident()} kB, "
                      f"{lost} turns lost", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trips", type=int, default=300)
    parser.add_argument("--blocks", type=int, default=9)
    parser.add_argument("--rows", default=",".join((*ROWS, "arrays")))
    parser.add_argument("--episodes", type=int, default=0)
    given = parser.parse_args()
    if given.episodes:
        many_episodes(given.episodes)
        return
    for name in given.rows.split(","):
        if name == "arrays":
            compare_arrays(given.trips // 4, given.blocks)
            continue
        with ROWS[name]() as row:
            ours, echo, ratio = measure(row, given.trips, given.blocks)
        print(
            f"{row.name:12} {row.payload} bytes: ours {ours:8.1f} us, echo {echo:8.1f} us, ratio {ratio:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
