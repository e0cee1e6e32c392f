"""Agents that mostly wait play at once, in threads of one process, and nothing else changes by that."""

import json
import signal
import sys
import time

import pytest
from conftest import ludarium

from ludarium.envs.core.errors import RunError
from ludarium.leaderboards.costs import Cost
from ludarium.leaderboards.runner import run
from ludarium.leaderboards.verify import verify
from ludarium.scenarios.loader import load

WAITING = """
import os, threading, time
from ludarium.agents.contract import Agent, Decision
from ludarium.agents.uniform import RandomAgent

class Waiter(RandomAgent):
    waits = True

class Together(Waiter):
    together = threading.Barrier(4, timeout=60)

    def start(self, task, seats, seed):
        super().start(task, seats, seed)
        Together.together.wait()

class Talks(Waiter):
    def start(self, task, seats, seed):
        super().start(task, seats, seed)
        self.said = []

    def act(self, turns):
        actions = super().act(turns)
        self.said.append({"step": next(iter(turns.values())).step, "text": "\\u00e9"})
        return {seat: Decision(a, usage={"calls": 1, "prompt": 7}) for seat, a in actions.items()}

    def transcript(self):
        return self.said

class CannotTell(Waiter):
    def transcript(self):
        raise KeyError("lost")

class Late(Waiter):
    def act(self, turns):
        if next(iter(turns.values())).step == 5:
            time.sleep(1.2)
        return super().act(turns)

class Gated(Waiter):
    begun = 0

    def act(self, turns):
        Gated.begun += next(iter(turns.values())).step == 0
        while Gated.begun > 4 and os.path.exists("gate"):
            time.sleep(0.005)
        return super().act(turns)
"""


WAITING_USER = """
import threading
from ludarium.agents.text.desk.user import DeskUser

class Together(DeskUser):
    waits = True
    together = threading.Barrier(4, timeout=60)

    def start(self, task, seats, seed):
        super().start(task, seats, seed)
        Together.together.wait()
"""
DESK = """
name = "desk-together"
version = 1
environment = "text-desk-v0"
[config]
max_steps = 12
[rules]
default_action = "Hello."
[seats]
user = "waiting_users:Together"
[splits]
test = { base = 0, count = 4 }
[[cases]]
name = "desk"
"""


@pytest.fixture
def waiting(here):
    (here / "waiting_agents.py").write_text(WAITING)
    sys.modules.pop("waiting_agents", None)
    return here


def without_name(rows):
    return [
        {name: value for name, value in row.items() if name not in ("agent", "trace", "trace_hash")} for row in rows
    ]


def test_threads_change_nothing(waiting):
    plain = run("tiny.toml", ["random"], waiting / "plain", jobs=0)
    for n in (1, 3, 99):
        done = run("tiny.toml", ["waiting_agents:Waiter"], waiting / f"run{n}", concurrency=n)
        assert without_name(done.rows) == without_name(plain.rows)
        assert verify(done.root).ok


def test_as_many_play_at_once_as_are_allowed(waiting):
    done = run("tiny.toml", ["waiting_agents:Together"], waiting / "run", concurrency=4)
    assert len(done.rows) == 8  # in fours: the barrier breaks, and turns are lost, if fewer play at once
    assert not any(row["turns_lost"] for row in done.rows)


def test_so_they_do_beside_a_seat_that_waits(here):
    (here / "waiting_users.py").write_text(WAITING_USER)
    sys.modules.pop("waiting_users", None)
    (here / "desk.toml").write_text(DESK)
    done = run(load("desk.toml", allow_code=True), ["desk-idle"], here / "run", concurrency=4)
    assert len(done.rows) == 4
    assert not any(row["turns_lost"] for row in done.rows)


def test_what_was_said_lies_beside_the_trace_and_what_it_cost_beside_the_clocks(waiting):
    done = run("tiny.toml", ["waiting_agents:Talks", "random"], waiting / "run", concurrency=4)
    spoken = sorted((waiting / "run" / "transcripts").rglob("*.jsonl"))
    assert len(spoken) == 8
    _, *rows = (json.loads(line) for line in spoken[0].read_text().splitlines())
    assert [row["step"] for row in rows] == list(range(80))
    assert rows[0]["text"] == "\u00e9"
    lines = [json.loads(line) for line in (waiting / "run" / "timing.jsonl").read_text().splitlines()]
    used = {(line["agent"], line["case"]): line.get("usage") for line in lines if "case" in line}
    assert used[("waiting_agents:Talks", "two")] == {"calls": 160, "prompt": 1120}
    assert used[("waiting_agents:Talks", "four")] == {"calls": 320, "prompt": 2240}
    assert used[("random", "two")] is None
    assert verify(done.root).ok


def test_costs_are_summed_by_agent_and_shown(waiting, command):
    code, out, _ = command("run", "tiny.toml", "-a", "waiting_agents:Talks", "-a", "random", "-o", "run", "--json")
    assert code == 0
    (cost,) = json.loads(out)["costs"]
    calls = 80 * (4 * 2 + 4 * 4)  # every robot at every step of eight episodes
    assert (cost["agent"], cost["episodes"], cost["calls"]) == ("waiting_agents:Talks", 8, calls)
    assert (cost["prompt"], cost["completion"]) == (7 * calls, 0)
    page = (waiting / "run" / "report.html").read_text()
    assert f"<td>{calls:,}</td><td>{7 * calls:,}</td><td>0</td><td>{7 * calls / 8:,.0f}</td><td>$0.00</td>" in page


@pytest.mark.parametrize(
    ("micro", "unpriced", "said"),
    [(0, 0, "$0.00"), (1, 0, "$0.000001"), (1_230_000, 0, "$1.23"), (98_765_432_100, 2, "> $98,765.4321"), (0, 1, "?")],
)
def test_money_is_told_to_the_last_digit_and_never_guessed(micro, unpriced, said):
    assert Cost("a", 1, 1, 1, 1, micro, unpriced, 1.0).money == said


def test_an_agent_that_cannot_tell_what_was_said_loses_nothing_else(waiting):
    done = run("tiny.toml", ["waiting_agents:CannotTell"], waiting / "run", episodes=1)
    assert not any(row["turns_lost"] for row in done.rows)
    assert not (waiting / "run" / "transcripts").exists()


def test_an_episode_that_takes_too_long_loses_its_further_turns(waiting, edit_scenario):
    scenario = edit_scenario("[config]", "[rules]\nepisode_seconds = 1\n\n[config]")
    done = run(scenario, ["waiting_agents:Late"], waiting / "run", cases=["two"], episodes=1)
    assert done.rows[0]["faults"] == {"late": 2 * (80 - 6)}
    assert verify(done.root).ok


def test_a_full_disk_is_named_and_stops_the_run(waiting, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ludarium.envs.core.trace.write_whole", full)
    with pytest.raises(RunError, match=r"No space left on device; finished episodes are safe.*--resume"):
        run("tiny.toml", ["waiting_agents:Waiter"], waiting / "run", concurrency=2)


@pytest.mark.parametrize("given", [0, -1])
def test_concurrency_is_a_count(waiting, given):
    with pytest.raises(RunError, match="expected at least 1"):
        run("tiny.toml", ["waiting_agents:Waiter"], waiting / "run", concurrency=given)


def test_stopped_and_resumed_it_is_the_same_run(waiting):
    whole = run("tiny.toml", ["waiting_agents:Gated"], waiting / "whole")
    (waiting / "gate").touch()
    options = ["tiny.toml", "-a", "waiting_agents:Gated", "--concurrency", "2", "-o", "part", "--no-report"]
    process = ludarium("run", *options, cwd=waiting, start_new_session=True)
    rows = waiting / "part" / "episodes.jsonl"
    while not (rows.exists() and rows.read_bytes().count(b"\n") >= 3):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "episodes are on disk" in err
    before = rows.read_bytes().count(b"\n")
    (waiting / "gate").unlink()
    done = run("tiny.toml", ["waiting_agents:Gated"], waiting / "part", resume=True)
    assert done.digest == whole.digest
    assert done.played == 8 - before
