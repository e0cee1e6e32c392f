"""A table learns one small house from its symbolic view, where random play fails."""

from __future__ import annotations

import numpy as np
import pytest
from text.household.houses import ID

from ludarium.agents.crew import Crew
from ludarium.agents.registry import make_agent
from ludarium.agents.text.household.tabular import TabularLearner
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator

SMALL = {"n_receptacles": 5, "n_objects": 4, "same_class_decoys": 0}


def wins(agent, episodes, seed, **options):
    """Success and steps of episodes that are all played in the house of one seed."""
    simulator = make_simulator(ID, **SMALL, **options)
    batch, one = Batch(simulator, 1, ID), np.ones(1, np.bool_)
    crew = Crew(batch, [(agent, simulator.seats)])
    found = []
    for episode in range(episodes):
        batch.seed(one, [seed])
        batch.reset(one)
        crew.start(episode)
        while not batch.over[0]:
            crew.act()
            batch.step()
        result = batch.result()
        crew.finish(result)
        found.append((result["metrics"]["success"], result["metrics"]["steps"], result["metrics"]["shortest"]))
    return np.array(found)


def learns(task, seed, episodes):
    learner = TabularLearner()
    wins(learner, episodes, seed, task=task)
    learner.learning = False
    success, steps, shortest = wins(learner, 5, seed, task=task).T
    return bool(success.all()) and (steps == shortest).all()


@pytest.mark.parametrize(("task", "seed"), [("pick", 4), ("look", 5)])
def test_a_table_learns_a_shortest_plan_where_random_play_fails(task, seed):
    assert wins(make_agent("random"), 50, seed, task=task)[:, 0].mean() <= 0.2
    assert learns(task, seed, 700)


@pytest.mark.slow
@pytest.mark.parametrize(("task", "seed"), [("pick", 1), ("look", 2), ("clean", 3)])
def test_a_table_learns_other_houses_too(task, seed):
    assert learns(task, seed, 1500)
