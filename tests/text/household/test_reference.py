"""The compiled household beside the reference: commands, texts, reward and end, over ten thousand episodes."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from typing import Any

import numpy as np
import pytest
from text.household.reference import Reference
from text.household.tiny import tiny_house

from ludarium.envs.core.batch import Batch
from ludarium.envs.text.household.config import HouseholdConfig
from ludarium.envs.text.household.instance import House, all_of, place_goal
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


def with_agents(house: House, agents: int, rng: random.Random | None = None) -> House:
    """The house for several agents, with goals of their own if `rng` is given to draw them by."""
    held = (*house.held, *(-1 for _ in range(agents - 1))) if house.held else ()
    if rng is None:
        return dataclasses.replace(house, agents=agents, held=held)
    things = {item.kind for item in house.objects if "pickupable" in item.can}
    pairs = [(kind, place) for place, kind in house.can_contain if kind in things]
    goals, sentences = [house.goal], [house.sentence]
    for n in range(1, agents):
        goals.append(place_goal(*rng.choice(pairs)) if pairs else house.goal)
        sentences.append(f"task {n}")
    return dataclasses.replace(
        house, agents=agents, held=held, goals=tuple(goals), sentences=tuple(sentences), goal=all_of(*goals)
    )


def compare(
    first: int, agents: int, dialect: str, quirks: bool, reward: str, words: int = 0, split: bool = False
) -> Counter[str]:
    """Play a block of tiny houses beside the reference, all rows in one batch; return what happened how often."""
    rng = random.Random(first)
    more: dict[str, Any] = {"goals": "split", "task": "pick", "same_class_decoys": 0} if split else {}
    if words:
        more["say_tokens"] = words
    simulator = Household(config(agents, dialect=dialect, quirks=quirks, reward=reward, **more))
    houses = [
        with_agents(tiny_house(first + n, rng.randint(3, 6), rng.randint(2, 5)), agents, rng if split else None)
        for n in range(BLOCK)
    ]
    batch = begun(simulator, houses)
    twins = [Reference(house.as_data(), dialect, quirks, words) for house in houses]
    found: Counter[str] = Counter()
    for b, twin in enumerate(twins):
        for i in range(agents):
            heard = " Your task is done." * (split and twin.own(i))
            assert simulator.describe(batch.state, b, i) == twin.intro(i) + heard
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
            check_round(simulator, batch, b, twins[b], commands, reward, found)
    for sentence, holds in simulator.invariants(batch.state).items():
        assert holds.all(), sentence
    found["won"] = int(batch.state.won.sum())
    return found


def check_round(
    simulator: Household, batch: Batch, b: int, twin: Reference, commands: list[str], reward: str, found: Counter[str]
) -> None:
    split = bool(twin.house.get("goals"))
    before = [split and twin.own(i) for i in range(len(commands))]
    done = twin.play(commands)
    won = twin.won()
    for i, command in enumerate(commands):
        wanted = twin.answer(i, command, done[i])
        heard = twin.heard(i) if len(commands) > 1 else ""
        assert simulator.describe(batch.state, b, i) == (HELP if wanted == "help" else wanted) + heard, (command, b)
        assert (batch.out.fault[b, i] == 0) == done[i]
        assert bool(batch.out.terminated[b, i]) == won
        now = (twin.own(i) - before[i]) if split else won
        if reward != "progress":
            assert batch.out.reward[b, i] == now * (10.0 if reward == "alfworld" else 1.0)
        found["said"] += bool(twin.said[i])
        found["reached"] += split and now > 0
        found["undone"] += split and now < 0
    if twin.talks:
        check_knowledge(simulator, batch, b, twin)


def check_knowledge(simulator: Household, batch: Batch, b: int, twin: Reference) -> None:
    """The arrays of what each knows, of what was said, and of words left."""
    agents, wide, deep = len(twin.loc), simulator.config.receptacles, simulator.config.objects
    for i in range(agents):
        seen = batch.observed[0][b, i].tolist()
        said, rest = seen[8 + agents : 8 + 4 * agents], seen[8 + 4 * agents :]
        assert said[2::3] == [min(words, 255) for words in twin.words]
        kinds = [
            (text.startswith(("In", "On", "The")) and 1) or (text.startswith("I am") and 3) or 2 for text in twin.said
        ]
        assert said[::3] == [kind if text else 0 for kind, text in zip(kinds, twin.said, strict=True)]
        looked = [{"shut": 1, "inside": 2}.get(twin.looked[i].get(r, ""), 0) for r in twin.r]
        assert rest[wide : wide + len(twin.r)] == looked
        where = [255 if at == "hand" else 1 + twin.r.index(at) if at else 0 for at in map(twin.known[i].get, twin.o)]
        assert rest[3 * wide + deep : 3 * wide + deep + len(twin.o)] == where


@pytest.mark.parametrize("block", range(28))
def test_one_agent_plays_as_the_reference_does(block: int) -> None:
    dialect, quirks, reward = ("0.4", "0.3")[block % 2], block % 3 > 0, ("sparse", "alfworld", "progress")[block % 3]
    assert compare(10_000 + block * BLOCK, 1, dialect, quirks, reward)["won"] > 5


@pytest.mark.parametrize("block", range(12))
def test_several_agents_play_as_the_reference_does(block: int) -> None:
    assert compare(90_000 + block * BLOCK, 2 + block % 3, ("0.4", "0.3")[block % 2], True, "sparse")["won"] > 5


@pytest.mark.parametrize("block", range(6))
def test_several_agents_talk_as_the_reference_does(block: int) -> None:
    words, dialect = (20, 40, 300)[block % 3], ("0.4", "0.3")[block % 2]
    found = compare(200_000 + block * BLOCK, 2 + block % 3, dialect, block % 2 > 0, "sparse", words)
    assert found["won"] > 5
    assert found["said"] > 500


@pytest.mark.parametrize("block", range(6))
def test_several_agents_with_goals_of_their_own_are_as_the_reference_has_them(block: int) -> None:
    reward, words = ("sparse", "alfworld", "progress")[block % 3], 30 * (block % 2)
    found = compare(300_000 + block * BLOCK, 2 + block % 3, "0.4", True, reward, words, split=True)
    assert found["reached"] > 10
    assert found["undone"] or reward == "sparse"
    assert (found["said"] > 300) == (words > 0)
