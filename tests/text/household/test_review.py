"""Reviews of episodes: labels from shortest plans, found by playing the trace again."""

from __future__ import annotations

import dataclasses
import json

import pytest

from ludarium.envs.core.errors import NotClaimedError
from ludarium.envs.text.household.game import HouseholdText
from ludarium.envs.text.household.plans import Planner, beginning, commands
from ludarium.envs.text.household.review import figures, process_labels, review
from ludarium.leaderboards.runner import run
from ludarium.leaderboards.table import results
from ludarium.leaderboards.verify import verify
from ludarium.scenarios.loader import load


def game(seed=4, **options):
    """A text game, and the commands of a shortest plan."""
    env = HouseholdText(**options)
    env.reset(seed=seed)
    house = env.simulator.house(env.batch.state, 0)
    return env, commands(house, Planner(house).plan(beginning(house)))


def test_labels_call_a_step_good_when_the_plan_gets_shorter():
    labels = process_labels([3, 2, 2, 1, 0])
    assert labels.good == (True, False, True, True)
    assert (labels.first_wasteful, labels.first_lost) == (1, -1)
    assert labels.efficiency == 0.75
    lost = process_labels([3, -1, -1])
    assert lost.good == (False, False)
    assert (lost.first_lost, lost.efficiency) == (0, 0.0)
    with pytest.raises(ValueError, match="before its first step"):
        process_labels([])


def test_a_shortest_plan_is_good_in_every_step():
    env, plan = game(task="heat")
    for said in plan:
        env.step(said)
    found = review(env.trace())
    assert found.left == tuple(range(len(plan), -1, -1))
    assert found.labels.first_wasteful == found.labels.first_lost == -1
    assert found.labels.efficiency == 1.0
    assert found.repeated_rate == 0.0
    assert set(found.reasons) == {"none"}
    assert found.subgoals["placed"] == len(plan)
    assert found.subgoals["taken"] < found.subgoals["processed"] < found.subgoals["placed"]


def test_a_detour_and_what_has_no_effect_are_found():
    env, plan = game(task="heat")
    env.step("look")
    env.step("dance with the fridge")
    for said in plan:
        env.step(said)
    found = review(env.trace())
    assert found.labels.good == (False, False, *[True] * len(plan))
    assert found.labels.first_wasteful == 0
    assert found.labels.efficiency == len(plan) / (len(plan) + 2)
    assert found.reasons[:2] == ("none", "unknown")
    assert found.repeated_rate == 2 / (len(plan) + 2)


def test_progress_counts_from_when_it_was_made():
    env, plan = game(task="pick", max_steps=20)
    for said in plan:
        env.step(said)
    quick = review(env.trace()).progress_auc
    env.reset(seed=4)
    for said in ("look",) * 10 + plan:
        env.step(said)
    assert quick == pytest.approx((21 - len(plan)) / 20)
    assert review(env.trace()).progress_auc == pytest.approx((11 - len(plan)) / 20)


def test_houses_of_several_robots_are_not_reviewed():
    import ludarium

    env = ludarium.parallel_env("text-household-v0", n_agents=2)
    env.reset(seed=1)
    env.step(dict.fromkeys(env.agents, 0))
    with pytest.raises(NotClaimedError, match="one robot"):
        review(env.trace())
    assert set(figures(env.trace())) == {"repeated_rate", "progress_auc"}


def test_figures_say_how_wasteful_an_episode_was():
    env, plan = game(task="heat")
    for said in (*plan[:2], "look", "inventory", *plan[2:]):
        env.step(said)
    found = figures(env.trace())
    assert found["wasteful_share"] == 2 / (len(plan) + 2)
    assert found["first_wasteful"] == 2
    assert found["repeated_rate"] == 2 / (len(plan) + 2)
    _, info = env.reset(seed=4)
    start = {"repeated_rate": 0, "progress_auc": info["progress"], "wasteful_share": 0, "first_wasteful": 0}
    assert figures(env.trace()) == start


def test_rows_of_runs_have_the_figures_and_verification_finds_them_again(tmp_path):
    agents = ["household-oracle", "random"]
    rows = run("text-household-quick", agents, tmp_path, episodes=1, jobs=0).rows
    for row in rows:
        assert set(row["review"]) == {"repeated_rate", "progress_auc", "wasteful_share", "first_wasteful"}
    oracle = [row["review"] for row in rows if row["agent"] == "household-oracle"]
    assert {(found["wasteful_share"], found["repeated_rate"]) for found in oracle} == {(0, 0)}
    assert all(row["review"]["first_wasteful"] < row["steps"] for row in rows if row["agent"] == "random")
    lines = results(dataclasses.replace(load("text-household-quick"), metrics=()), rows)
    assert {"success", "progress_auc", "wasteful_share"} <= set(lines[0].metrics)
    assert verify(tmp_path).ok
    path = tmp_path / "episodes.jsonl"
    told = [json.loads(line) for line in path.read_text().splitlines()]
    told[0]["review"]["wasteful_share"] = 0.5
    path.write_text("".join(json.dumps(row) + "\n" for row in told))
    assert any("review" in problem.what for problem in verify(tmp_path).problems)
