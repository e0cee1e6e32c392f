"""The oracle's plans win with all points, and are as short as brute force over the reference finds."""

from __future__ import annotations

import copy
import random
from typing import Any

import numpy as np
import pytest
from text.cooking.reference import Reference
from text.cooking.test_cooking import NUMBER, batch_of

from ludarium.agents.crew import Crew
from ludarium.agents.registry import make_agent
from ludarium.envs.core.errors import AgentError
from ludarium.envs.text.cooking.plan import shortest_plan


def key_of(game: Reference) -> Any:
    return (
        game.room, game.won, frozenset(game.open), tuple(sorted(game.at.items())), tuple(sorted(game.cooking.items())),
        tuple(sorted(game.cutting.items())),
    )  # fmt: skip


def brute(game: Reference, longest: int) -> int:
    """The fewest commands to win, breadth first over all states that the reference can reach; `longest` + 1 if more.

    Left out are only commands that cannot help: looking, closing, what loses the game, and putting on furniture,
    which is as good as dropping.
    """
    edge, seen = [game], {key_of(game)}
    for length in range(1, longest + 1):
        later = []
        for state in edge:
            for command in state.commands():
                if command.split()[0] in ("look", "inventory", "examine", "close", "put", "insert", "drink"):
                    continue
                after = copy.copy(state)
                for name in ("open", "edible", "goals", "at", "cooking", "cutting", "stage"):
                    setattr(after, name, copy.copy(getattr(state, name)))
                after.step(command)
                if after.won:
                    return length
                key = key_of(after)
                if not after.lost and key not in seen:
                    seen.add(key)
                    later.append(after)
        edge = later
    return longest + 1


def relevant(data: dict[str, Any]) -> dict[str, Any]:
    """The same game without the foods that nobody needs, unless they are carried: brute force has less to do."""
    asked = {food for food, _, _ in data["recipe"]}
    where = [29 if i < 45 and i not in asked and at != 28 else at for i, at in enumerate(data["where"])]
    where[46] = 29
    return {**data, "where": where}


def held_to_brute_force(options: dict[str, Any], seed: int, wander: int) -> None:
    """The plan after some steps at random is as short as brute force finds, and wins."""
    batch = batch_of(1, seed, **options)
    simulator, chance = batch.simulator, random.Random(seed)
    data = relevant(simulator.instance(seed).as_data())
    simulator.load(batch.state, 0, data)
    simulator.reset(batch.state, np.ones(1, np.bool_), np.array([seed]), np.array([-2], np.int32))
    game = Reference(data, 1000)
    for _ in range(wander):  # from other states than the first, too
        safe = ("look", "inventory", "examine", "eat", "drink", "cook", "chop", "slice", "dice")
        command = chance.choice([text for text in game.commands() if not text.startswith(safe)] or ["look"])
        game.step(command)
        batch.actions[0][0, 0] = NUMBER[command]
        batch.step()
    plan = shortest_plan(simulator.full(batch.state, 0))
    assert plan is not None
    assert brute(game, len(plan) - 1) == len(plan), (seed, plan)
    for command in plan:
        assert game.step(command)[1]
    assert game.won


@pytest.mark.parametrize(
    "options",
    [
        {"go": 1, "recipe": 1, "take": 1}, {"go": 1, "recipe": 2, "take": 1, "cut": False},
        {"go": 1, "recipe": 2, "take": 2, "drop": True}, {"go": 6, "recipe": 1, "take": 1, "drop": True},
        {"go": 1, "recipe": 2, "take": 2, "drop": True, "cook": False, "recipe_seed": 5},
        {"go": 9, "recipe": 1, "take": 1, "cut": False}, {"go": 12, "recipe": 1, "take": 1, "cook": False, "cut": False},
        {"go": 1, "recipe": 3, "take": 1, "drop": True, "cook": False},
    ],
)  # fmt: skip
def test_plans_are_as_short_as_brute_force_finds(options: dict[str, Any]) -> None:
    for seed in range(5):
        held_to_brute_force(options, seed, 2 * seed)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"go": 6, "recipe": 2, "take": 2, "drop": True, "open": False},
        {"go": 12, "recipe": 2, "take": 2, "drop": True, "cook": False, "open": False},
        {"go": 9, "recipe": 2, "take": 2, "cut": False, "open": False},
        {"go": 1, "recipe": 3, "take": 3, "drop": True, "open": False},
    ],
)  # fmt: skip
def test_plans_of_larger_games_are_as_short_as_brute_force_finds(options: dict[str, Any]) -> None:
    for seed in range(4):
        held_to_brute_force(options, seed, 3 * seed)


def test_the_oracle_wins_every_game_with_all_points() -> None:
    for seed in range(120):
        recipe = 1 + seed % 5
        options = {"recipe": recipe, "take": (seed // 5) % (recipe + 1), "go": (1, 6, 9, 12)[seed % 4]}
        flags = {"open": seed % 2 == 0, "cook": seed % 3 > 0, "cut": seed % 7 > 1, "drop": seed % 3 == 1}
        batch = batch_of(1, seed, **options, **flags, split=("train", "valid", "test", "all")[seed // 4 % 4])
        crew = Crew(batch, [(make_agent("cooking-oracle"), batch.simulator.seats)])
        crew.start(0)
        bound = batch.simulator.bounds(batch.state, 0)["steps"]
        while not batch.over[0]:
            crew.act()
            batch.step()
        figures = batch.result()["metrics"]
        assert (figures["success"], figures["normalized_score"], figures["faults"]) == (1, 1.0, 0)
        assert figures["steps"] == bound


def test_plans_shorten_by_at_most_one_a_step() -> None:
    for seed in range(12):
        batch = batch_of(1, seed, go=9, recipe=2, take=2, drop=seed % 2 == 0)
        chance = random.Random(seed)
        left = shortest_plan(batch.simulator.full(batch.state, 0))
        while not batch.over[0]:
            batch.actions[0][0, 0] = int(chance.choice(np.flatnonzero(batch.masks[0][0, 0])))
            batch.step()
            now = shortest_plan(batch.simulator.full(batch.state, 0))
            assert (now is None) == bool(batch.state.lost[0])
            if now is None or left is None:
                break
            assert len(now) >= len(left) - 1
            left = now


def test_the_oracle_says_when_a_game_is_lost() -> None:
    batch = batch_of(1, 0, go=1, recipe=1, take=0, cut=False)
    crew = Crew(batch, [(make_agent("cooking-oracle"), batch.simulator.seats)])
    crew.start(0)
    batch.state.way[0] = 1
    batch.state.stage[0] = 3
    batch.state.recipe[0, 0, 1] = 2
    with pytest.raises(AgentError, match="cannot be won"):
        crew.act()
