"""A tiny scenario that plays in a moment, agents that fail in every way, and a finished run to spoil."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest
from requirements import need

from ludarium.leaderboards.runner import run

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as `sh -c 'make test &'` leaves it: the commands would not stop
    signal.signal(signal.SIGINT, signal.default_int_handler)

TINY = """
name = "tiny"
version = 1
environment = "mapf-lifelong-v0"
metrics = ["throughput", "throughput_of_bound"]

[config]
max_steps = 80
size = 7
density = 0.1

[splits]
val = { base = 100, count = 2 }
test = { base = 0, count = 4 }

[[cases]]
name = "two"
config = { num_robots = 2 }

[[cases]]
name = "four"
config = { num_robots = 4 }
"""

AGENTS = """
import os, sys, time
import numpy as np
from ludarium.agents.contract import Agent
from ludarium.agents.mapf.planner import Planner

class Crash(Agent):
    def act(self, turns):
        raise RuntimeError(f"no idea {object()}")

class CrashAtStep3(Agent):
    def act(self, turns):
        if next(iter(turns.values())).step == 3:
            raise KeyError("three")
        return {seat: 0 for seat in turns}

class Exit(Agent):
    def act(self, turns):
        sys.exit(7)

class Outside(Agent):
    def act(self, turns):
        return {seat: 99 if seat == "robot_0" else 0 for seat in turns}

class Text(Agent):
    def act(self, turns):
        return {seat: "fly to the moon" for seat in turns}

class Silent(Agent):
    def act(self, turns):
        return None

class NotToStart(Agent):
    def start(self, task, seats, seed):
        raise ValueError("not today")

class GroupShape(Planner):
    def decide(self, view):
        return np.zeros(len(view.pos) + 1, np.int64)

class GroupOutside(Planner):
    def decide(self, view):
        return np.where(np.arange(len(view.pos)) == 1, -5, 0)

class Wait(Agent):
    def act(self, turns):
        return {seat: 0 for seat in turns}

class Slow(Wait):
    begun = 0

    def act(self, turns):
        Slow.begun += next(iter(turns.values())).step == 0
        while Slow.begun > 2 and os.path.exists("gate"):
            time.sleep(0.005)
        time.sleep(0.002)
        return super().act(turns)

class Die(Wait):
    def act(self, turns):
        if next(iter(turns.values())).step == 5:
            os._exit(3)
        return super().act(turns)

class Hang(Wait):
    def act(self, turns):
        if next(iter(turns.values())).step == 5:
            time.sleep(3600)
        return super().act(turns)
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with the tiny scenario and the module of bad agents, as a user would have."""
    (tmp_path / "tiny.toml").write_text(TINY)
    (tmp_path / "bad_agents.py").write_text(AGENTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("bad_agents", None)
    return tmp_path


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """An uninterrupted run of two agents, not to be changed."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "tiny.toml").write_text(TINY)
    return run(str(folder / "tiny.toml"), ["random", "pibt"], folder / "run", jobs=0)


def ludarium(*arguments, **options):
    """Start the command line in a process of its own."""
    code = "from ludarium.leaderboards.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "LUDARIUM_QUIET": "1"},
        **options,
    )


@pytest.fixture
def command():
    """Call the command line in a process of its own; returns exit code, output and errors."""

    def call(*arguments, **options):
        process = ludarium(*arguments, **options)
        out, err = process.communicate()
        return process.returncode, out, err

    return call


@pytest.fixture
def edit_scenario(here):
    """Write the tiny scenario with a part replaced; returns its path."""

    def edit(old, new, name="tiny.toml"):
        text = textwrap.dedent(TINY)
        assert text.count(old) == 1
        (here / name).write_text(text.replace(old, new))
        return str(here / name)

    return edit


@pytest.fixture(scope="session")
def tiny_track(finished):
    """A track over the tiny scenario."""
    from ludarium.leaderboards.track import load_track
    from ludarium.scenarios.loader import load

    folder = finished.root.parent
    path = folder / "tiny-track.toml"
    path.write_text(
        f'name = "tiny-track"\nversion = 3\ntitle = "Tiny"\nscenario = "tiny.toml"\nsplit = "test"\nmetric = "throughput"\n'
        f'scenario_hash = "{load(folder / "tiny.toml").hash}"\nhigher_is_better = true\nworst = 0.0\n'
        "[budgets]\nsteps = 80\nwall_s = 60\n"
    )
    return load_track(path)


@pytest.fixture(scope="session")
def packed(finished, tiny_track):
    """Submissions of both agents of the finished run, not to be changed: agent -> file."""
    from ludarium.leaderboards import keys
    from ludarium.leaderboards.submission import pack

    key, folder = keys.new_key(), finished.root.parent / "packed"
    return {
        agent: pack(finished.root, tiny_track, name=agent, agent=agent, key=key, to=folder)
        for agent in ("random", "pibt")
    }


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server that is there while tests run; `new_database()` gives the URL of an empty database."""
    initdb = need("postgres")
    import throwaway_postgres

    with throwaway_postgres.start(initdb) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def board_url(request, tmp_path):
    """The URL of an empty database for a board, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'board.db'}"
    return request.getfixturevalue("postgres").new_database()


@pytest.fixture
def board(board_url, tmp_path):
    """An empty board on each kind of database."""
    from ludarium.leaderboards.store import Store

    with Store(board_url, tmp_path / "blobs") as store:
        yield store


@pytest.fixture
def ticking(board_url, tmp_path):
    """A board of each kind whose clock stands still until a test moves it."""
    from board_kit import stopped

    with stopped(board_url, tmp_path) as store:
        yield store
