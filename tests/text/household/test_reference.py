"""The compiled household beside the reference: commands, texts, reward and end, over ten thousand episodes."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import numpy as np
import pytest
from text.household.reference import Reference
from text.household.tiny import tiny_house

from ludarium.envs.core.batch import Batch
from ludarium.envs.text.household.config import HouseholdConfig
from ludarium.envs.text.household.instance import House
from ludarium.envs.text.household.language import HELP
from ludarium.envs.text.household.simulator import Household

ROUNDS = 8
BLOCK = 250


def config(agents: int = 1, **options: Any) -> HouseholdConfig:
    return HouseholdConfig.of(
        max_steps=ROUNDS, n_receptacles=6, n_objects=5, max_locations=8, max_copies=6, n_agents=agents, max_goal=4096,
        **options,
    )  # fmt: skip


def begun(simulator: Household, houses: list[House]) -> Batch:
    batch = Batch(simulator, len(houses), "text-household-v0")
    every = np.ones(len(houses), np.bool_)
    batch.seed(every, list(range(len(houses))))
    batch.reset(every, dict(enumerate(houses)))
    return batch


def chosen(rng: random.Random, commands: list[str]) -> str:
    """A command, seldom a walk: episodes are short."""
    others = [command for command in commands if not command.startswith(("go ", "look", "help", "inv"))]
    return rng.choice(others if others and rng.random() < 0.7 else commands)


def with_agents(house: House, agents: int) -> House:
    held = (*house.held, *(-1 for _ in range(agents - 1))) if house.held else ()
    return dataclasses.replace(house, agents=agents, held=held)


def compare(first: int, agents: int, dialect: str, quirks: bool, reward: str) -> int:
    """Play a block of tiny houses beside the reference, all rows in one batch; return how many were won."""
    rng = random.Random(first)
    simulator = Household(config(agents, dialect=dialect, quirks=quirks, reward=reward))
    houses = [with_agents(tiny_house(first + n, rng.randint(3, 6), rng.randint(2, 5)), agents) for n in range(BLOCK)]
    batch = begun(simulator, houses)
    twins = [Reference(house.as_data(), dialect, quirks) for house in houses]
    for b, twin in enumerate(twins):
        for i in range(agents):
            assert simulator.describe(batch.state, b, i) == twin.intro()
    for _ in range(ROUNDS):
        said: dict[int, list[str]] = {}
        for b in np.flatnonzero(~batch.over):
            said[int(b)] = []
            for i in range(agents):
                menu = simulator.menu(batch.state, b, i)
                commands = [choice.text for choice in menu]
                assert commands == twins[b].admissible(i)
                told = chosen(rng, commands) if rng.random() < 0.95 else "dance"
                numbers = {choice.text: choice.action for choice in menu}
                batch.actions[0][b, i] = numbers.get(told, simulator.actions - 1)
                said[int(b)].append(told)
        batch.step()
        for b, commands in said.items():
            check_round(simulator, batch, b, twins[b], commands, reward)
    return int(batch.state.won.sum())


def check_round(simulator: Household, batch: Batch, b: int, twin: Reference, commands: list[str], reward: str) -> None:
    done = twin.play(commands)
    won = twin.won()
    for i, command in enumerate(commands):
        text = simulator.describe(batch.state, b, i).split(" Here with you:")[0]
        wanted = twin.answer(i, command, done[i])
        assert text == (HELP if wanted == "help" else wanted), (command, b)
        assert (batch.out.fault[b, i] == 0) == done[i]
        assert bool(batch.out.terminated[b, i]) == won
        if reward != "progress":
            assert batch.out.reward[b, i] == won * (10.0 if reward == "alfworld" else 1.0)


@pytest.mark.parametrize("block", range(28))
def test_one_agent_plays_as_the_reference_does(block: int) -> None:
    dialect, quirks, reward = ("0.4", "0.3")[block % 2], block % 3 > 0, ("sparse", "alfworld", "progress")[block % 3]
    assert compare(10_000 + block * BLOCK, 1, dialect, quirks, reward) > 5


@pytest.mark.parametrize("block", range(12))
def test_several_agents_play_as_the_reference_does(block: int) -> None:
    assert compare(90_000 + block * BLOCK, 2 + block % 3, ("0.4", "0.3")[block % 2], True, "sparse") > 5
