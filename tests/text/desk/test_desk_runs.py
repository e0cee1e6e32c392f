"""Runs and batches of desks: scenarios, shared databases, the seats that the task fills."""

from __future__ import annotations

import numpy as np
import pytest
from text.desk.table_of_agents import DOMAINS, WORLD

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator
from ludarium.leaderboards.episode import Unit, play
from ludarium.scenarios.loader import load


@pytest.mark.parametrize("name", DOMAINS)
def test_a_run_measures_the_agent_and_leaves_the_user_to_the_scenario(name):
    scenario = load(f"text-desk-{name}")
    assert scenario.splits == ("train", "val", "test")
    seeds = [set(case.splits[split]) for case in scenario.cases for split in scenario.splits]
    assert sum(map(len, seeds)) == len(set().union(*seeds))
    unit = Unit("desk-oracle", "desk-oracle", "any", 2_000_000, 1)
    played = play(scenario, unit)
    assert played.row["metrics"]["success"] == 1
    assert played.row["turns_lost"] == 0
    assert played.trace.replay().ok
    assert play(scenario, unit).row == played.row
    other = play(scenario, unit._replace(trial=2))
    assert other.row["agent_seed"] != played.row["agent_seed"]
    idle = play(scenario, unit._replace(agent="desk-idle", folder="desk-idle"))
    assert idle.row["metrics"]["success"] == 0


def test_a_crashed_agent_says_the_default_line_and_loses():
    scenario = load("text-desk-retail")
    played = play(scenario, Unit("desk-idle", "desk-idle", "any", 2_000_001, 0), broken="died")
    assert played.row["metrics"]["success"] == 0
    assert played.row["turns_lost"] > 0


def test_a_thousand_episodes_share_one_database():
    batch = Batch(make_simulator(WORLD), 1000, WORLD, record=False)
    every = np.ones(1000, np.bool_)
    batch.seed(every, list(range(1000)))
    batch.reset(every)
    games = batch.state.games
    assert len({id(game.desk.db.base) for game in games}) == 1
    assert not any(game.desk.db.changed for game in games)
    assert len({game.task["customer"] for game in games}) > 300
