"""Turns without an action of the agent's are played by default, counted by why in the row and the trace, and verified."""

import json

import pytest

from ludarium.envs.core.errors import RunError
from ludarium.leaderboards.runner import run
from ludarium.leaderboards.verify import verify

AGENT = """
from ludarium.agents.contract import Agent, Decision

class Halting(Agent):
    view = "text"

    def __init__(self, why="reply"):
        self.why = why

    def act(self, turns):
        lost = Decision(None, "hm", "fallback", why=self.why, message="no action")
        return {seat: lost if turn.step % 2 else Decision(turn.commands[0]) for seat, turn in turns.items()}
"""


@pytest.mark.parametrize(("why", "kind"), [("reply", "fallback"), ("budget", "budget"), ("endpoint", "endpoint")])
def test_they_are_counted_by_why_and_no_row_may_say_otherwise(here, why, kind):
    (here / "halting.py").write_text(AGENT)
    done = run("text-coin", [f"halting:Halting?why={why}"], here / "run", episodes=1, jobs=0)
    for row in done.rows:
        assert row["faults"] == {kind: row["turns_lost"]} == {kind: row["steps"] // 2}
    assert verify(done.root).ok
    rows = [json.loads(line) for line in (done.root / "episodes.jsonl").read_text().splitlines()]
    rows[0]["faults"], rows[0]["turns_lost"] = {}, 0
    (done.root / "episodes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert any(f"{kind} = 0" in problem.what for problem in verify(done.root).problems)


def test_an_endpoint_that_nobody_ever_reached_stops_the_run(here):
    model = "llm:m?base_url=http://127.0.0.1:9/v1&tries=1"  # port 9 takes no connection
    with pytest.raises(
        RunError, match=r"LLMAgent cannot play this world: the endpoint of m cannot be used: no connection"
    ):
        run("text-household-quick", [model], here / "run", episodes=1)
