"""The grade made from the log alone, on fresh tables, is the grade of the conversation."""

from __future__ import annotations

import copy
import json

import pytest
from text.desk.table_of_agents import DOMAINS, begun, say, talk

from ludarium.envs.core.errors import InstanceError
from ludarium.envs.text.desk.grading import regrade


@pytest.mark.parametrize("agent", ["desk-oracle", "desk-expert", "desk-blind", "desk-never-asking", "desk-idle"])
@pytest.mark.parametrize("domain", DOMAINS)
def test_running_all_calls_again_gives_the_same_grade(domain, agent):
    for seed in range(4):
        game = talk(agent, seed, domain=domain).state.games[0]
        found = regrade(game)
        assert found.same
        assert found.grade == game.grade()
        assert found.grade.goal or not found.exact


def test_faults_errors_and_an_early_end_are_run_again_too():
    batch = begun(1, max_tool_errors=3)
    say(batch, "Hello.\nIt's me.")
    say(batch, "no_such_tool(a=1)")
    say(batch, 'get_order(order_id="OR10000")')
    say(batch, 'get_order(order_id="none")')
    say(batch, "")
    game = batch.state.games[0]
    assert game.ended == "too_many_errors"
    found = regrade(game)
    assert found.same
    assert not found.exact
    assert found.grade == game.grade()


def test_a_log_that_was_touched_is_found():
    game = talk("desk-oracle", 3).state.games[0]
    for n, entry in enumerate(game.log):
        if entry.kind == "result":
            forged = game.twin()
            forged.log[n] = entry._replace(text=json.dumps({"error": "not_found", "message": "there is none"}))
            forged.chain = b""
            assert not regrade(forged).same
    moved = game.twin()
    moved.desk.db.update("orders", "OR10000", status="cancelled", gift_wrap=True, delivery="drone")
    assert not regrade(moved).same


def test_a_task_whose_plan_misses_its_goal_is_no_task():
    game = talk("desk-oracle", 3).state.games[0].twin()
    game.task = copy.deepcopy(game.task)
    game.task["goal"]["removed"].append(["orders", "OR10000"])
    with pytest.raises(InstanceError, match="does not reach its goal"):
        regrade(game)
