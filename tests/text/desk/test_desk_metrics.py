"""What a desk's runs report: pass^1 to pass^8 and pass@k over trials, turns, reads that were needless, what models cost."""

from __future__ import annotations

import json
import math

import pytest
from text.desk.table_of_agents import WORLD, begun, metrics, say

from ludarium.agents.llm.budget import read_prices
from ludarium.agents.llm.client import Completion, Usage
from ludarium.agents.llm.gateway import Gateway
from ludarium.agents.llm.scripted import Scripted
from ludarium.agents.text.desk.expert import DeskExpert
from ludarium.agents.text.desk.model_user import ModelUser
from ludarium.leaderboards.runner import run
from ludarium.leaderboards.table import results
from ludarium.scenarios.loader import load

TRIALS = 8
FILE = f"""\
name = "eight"
version = 1
environment = "{WORLD}"
information = "full"
metrics = ["success", "turns"]
trials = {TRIALS}

[rules]
default_action = "I did not get that."

[splits]
test = {{ base = 0, count = 3 }}
"""


class Moody(DeskExpert):
    """Serves well or, as its seed will have it, says nothing of use."""

    def start(self, task, seats, seed):
        super().start(task, seats, seed)
        self.bored = seed % 3 == 0

    def act(self, turns):
        return dict.fromkeys(turns, "How are you?") if self.bored else super().act(turns)


def test_a_run_of_eight_trials_reports_every_k(tmp_path):
    path = tmp_path / "eight.toml"
    path.write_text(FILE)
    scenario = load(path)
    done = run(scenario, [f"{__name__}:Moody"], tmp_path / "run", jobs=0)
    (line,) = results(scenario, done.rows)
    assert [found.k for found in line.passes] == list(range(1, TRIALS + 1))
    every, some = ([getattr(found, side).value for found in line.passes] for side in ("every", "some"))
    won = [sum(r["metrics"]["success"] for r in done.rows if r["seed"] == seed) for seed in range(3)]
    assert any(0 < count < TRIALS for count in won)
    assert every[0] == pytest.approx(some[0]) == pytest.approx(sum(won) / (3 * TRIALS))
    assert every == sorted(every, reverse=True)
    assert some == sorted(some)
    hats = [sum(math.comb(int(c), k) for c in won) / (3 * math.comb(TRIALS, k)) for k in range(1, TRIALS + 1)]
    assert every == pytest.approx(hats)
    assert json.loads(json.dumps(line.as_dict()))["passes"][7]["k"] == 8


def test_turns_are_messages_of_both_sides_and_reads_are_needless_until_something_changes():
    batch = begun(0)
    say(batch, "Hello.")
    for times, call in (
        (1, 'get_item(item_id="IT10000")'),
        (2, '{"name": "get_item", "arguments": {"item_id": " IT10000 "}}'),
    ):
        say(batch, call)
        assert metrics(batch)["redundant_reads"] == times - 1
    say(batch, 'get_item(item_id="IT10001")')
    say(batch, 'find_customer_by_email(email="ada.abbott10@example.com")')
    say(batch, 'set_newsletter(customer_id="CU10000", on=true)')
    say(batch, 'get_item(item_id="IT10000")')
    say(batch, "Is that all?")
    say(batch, "Yes. ###STOP###")
    found = metrics(batch)
    assert (found["redundant_reads"], found["turns"], found["agent_calls"]) == (1, 3, 6)


def test_the_cost_of_an_episode_is_that_of_both_sides(tmp_path):
    """Prices are the user's own file; a model in the agent's seat and one in the user's are charged to one episode."""
    from ludarium.agents.crew import Crew
    from ludarium.agents.llm.agent import LLMAgent

    prices = tmp_path / "prices.json"
    prices.write_text(
        json.dumps({"models": {"a": {"prompt": 1, "completion": 2}, "u": {"prompt": 3, "completion": 5}}})
    )
    serve = Scripted(lambda request: Completion("<action>How can I help?</action>", model="a", usage=Usage(100, 10)))
    ask = Scripted([Completion(words, model="u", usage=Usage(20, 3)) for words in ("Hello.", "Well.", "###STOP###")])
    batch = begun(0)
    known = read_prices(prices)
    with Gateway(serve, prices=known) as one, Gateway(ask, prices=known) as other:
        agent, user = LLMAgent("a", "direct", gateway=one), ModelUser(model="u", gateway=other)
        crew = Crew(batch, [(agent, ("agent_0",)), (user, ("user_0",))])
        crew.start(0)
        while not batch.over[0]:
            crew.act()
            batch.step()
    assert crew.usage["calls"] == len(serve.requests) + len(ask.requests) == 5
    assert crew.usage["prompt"] == 2 * 100 + 3 * 20
    assert crew.usage["completion"] == 2 * 10 + 3 * 3
    assert crew.usage["micro_dollars"] == 2 * (100 * 1 + 10 * 2) + 3 * (20 * 3 + 3 * 5)
    assert {row["side"] for row in user.transcript() if row["type"] == "call"} == {"user"}
