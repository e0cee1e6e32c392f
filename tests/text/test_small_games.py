"""The scenarios of coin and cooking games: what luck wins, what a careful search wins, and what a plan needs."""

from __future__ import annotations

import numpy as np
import pytest

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator
from ludarium.scenarios.loader import load

GAMES = 300
CASES = [
    (name, case.name)
    for name in ("text-coin", "text-coin-doors", "text-cooking", "text-cooking-test", "text-cooking-varied")
    for case in load(name).cases
]


def begun(name, case, games):
    scenario = load(name)
    found = scenario.case(case)
    batch = Batch(make_simulator(scenario.environment, **found.config), games, scenario.environment, record=False)
    every = np.ones(games, np.bool_)
    batch.seed(every, list(found.splits["train"][:games]))
    batch.reset(every)
    return batch


@pytest.mark.parametrize(("name", "case"), CASES)
def test_luck_wins_three_in_a_hundred_at_most(name, case):
    batch, chance = begun(name, case, GAMES), np.random.default_rng(0)
    while not batch.over.all():
        legal = batch.masks[0][:, 0]
        batch.actions[0][:, 0] = (chance.random(legal.shape) * (legal != 0)).argmax(1)
        batch.step()
    assert batch.simulator.metrics(batch.state)["success"].mean() <= 0.03


GO, OPEN, TAKE = 5, 11, 15


def explored(batch):
    """Every exit once, depth first, back where nothing is left: the steps it took, seeing no more than the player."""
    opposite = {0: 3, 3: 0, 1: 2, 2: 1}  # east, north, south, west
    untried, path, came = [], [], None

    def act(number):
        batch.actions[0][0, 0] = number
        batch.step()

    while not batch.over[0]:
        seen = batch.observed[0][0, 0]
        if came is not False:
            untried.append([d for d in range(4) if seen[d] and d != came])
        if seen[4]:
            act(TAKE)
        elif untried[-1]:
            ahead = untried[-1].pop()
            if seen[ahead] == 2:
                act(OPEN + ahead)
                if batch.over[0]:
                    break
            act(GO + ahead)
            path.append(ahead)
            came = opposite[ahead]
        else:
            untried.pop()
            act(GO + opposite[path.pop()])
            came = False
    return batch.simulator.metrics(batch.state)["success"][0]


@pytest.mark.parametrize(("name", "case"), [pair for pair in CASES if "coin" in pair[0]])
def test_whoever_looks_everywhere_once_finds_the_coin_in_time(name, case):
    for seed in range(8):
        batch = begun(name, case, 1)
        one = np.ones(1, np.bool_)
        batch.seed(one, [seed])
        batch.reset(one)
        assert explored(batch) == 1
