"""The cooking games against the plain reference, and what their games and sentences promise."""

from __future__ import annotations

import random
import re
from typing import Any

import numpy as np
import pytest
from text.cooking.reference import Reference

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.compile import DISABLED
from ludarium.envs.core.errors import ActionError, ConfigError, InstanceError
from ludarium.envs.core.language import commands, parse
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.text.cooking import tables as t
from ludarium.envs.text.cooking.phrases import PHRASES, REASONS
from ludarium.envs.text.cooking.plan import shortest_plan

ROWS, STEPS = (4, 10) if DISABLED else (850, 14)
CASES: list[dict[str, Any]] = [
    {"go": 1, "recipe": 1, "take": 1}, {"go": 1, "recipe": 3, "take": 1, "open": False, "cook": False},
    {"go": 1, "recipe": 2, "take": 1, "drop": True, "cut": False, "split": "all"},
    {"go": 6, "recipe": 5, "take": 2, "open": False, "drop": True, "split": "valid"},
    {"go": 1, "recipe": 4, "take": 2, "cook": False, "cut": False, "open": False, "recipe_seed": 3},
    {"go": 9, "recipe": 2, "take": 0, "cut": False, "split": "test"},
    {"go": 12, "recipe": 5, "take": 5, "open": False, "cook": False},
    {"go": 1, "recipe": 1, "take": 0, "open": False, "drop": True},
    {"go": 1, "recipe": 2, "take": 0, "open": False, "cook": False, "cut": False},
    {"go": 6, "recipe": 3, "take": 3, "open": False, "cut": False, "split": "all", "recipe_seed": 1},
    {"go": 1, "recipe": 5, "take": 0, "open": False, "cut": False}, {"go": 9, "recipe": 1, "take": 1, "open": False},
]  # fmt: skip


def batch_of(rows: int, seed: int = 0, **options: Any) -> Batch:
    batch = Batch(make_simulator("text-cooking-v0", **options), rows, "text-cooking-v0")
    every = np.ones(rows, np.bool_)
    batch.seed(every, [seed + b for b in range(rows)])
    batch.reset(every)
    return batch


def choose(chance: random.Random, legal: list[str], plan: list[str]) -> str:
    """Mostly what leads on, else anything legal (seldom what is dull), else anything at all."""
    if plan and chance.random() < 0.55:
        return plan.pop(0)
    plan.clear()
    lively = [
        text for text in legal if text.split()[0] in ("cook", "slice", "dice", "chop", "eat", "drink", "prepare", "go")
    ]
    if lively and chance.random() < 0.5:
        return chance.choice(lively)
    return chance.choice(legal if chance.random() < 0.85 else t.COMMANDS)


@pytest.mark.parametrize("options", CASES, ids=[str(n) for n in range(len(CASES))])
def test_the_engine_equals_the_plain_reference(options: dict[str, Any]) -> None:
    """More than 10,000 episodes in all, a third of them along the oracle's plan until chance strays from it."""
    batch = batch_of(ROWS, 1000, max_steps=STEPS, **options)
    simulator, chance = batch.simulator, random.Random(7)
    data = [simulator.instance(1000 + b).as_data() for b in range(ROWS)]
    games = [Reference(given, STEPS) for given in data]
    plans = [shortest_plan(simulator.full(batch.state, b)) or [] if b % 3 == 0 else [] for b in range(ROWS)]
    for _ in range(STEPS):
        said: list[Any] = [None] * ROWS
        for b, game in enumerate(games):
            if game.over:
                continue
            legal = game.commands()
            assert [t.COMMANDS[a] for a in np.flatnonzero(batch.masks[0][b, 0])] == legal
            command = choose(chance, legal, plans[b])
            batch.actions[0][b, 0] = t.COMMANDS.index(command) if b % 50 == 0 else NUMBER[command]
            said[b] = game.step(command)
        batch.step()
        for b, game in enumerate(games):
            if said[b] is None:
                continue
            reward, legal_ = said[b]
            assert batch.out.reward[b, 0] == reward
            assert (batch.out.fault[b, 0] == 0) == legal_
            assert batch.out.terminated[b, 0] == (game.won or game.lost)
            assert batch.over[b] == game.over
    figures = simulator.metrics(batch.state)
    for name, of in (
        ("score", "score"), ("max_score", "max_score"), ("lost", "lost"), ("success", "won"), ("faults", "faults"),
    ):  # fmt: skip
        assert figures[name].tolist() == [getattr(game, of) for game in games], name


NUMBER = {command: action for action, command in enumerate(t.COMMANDS)}


@pytest.mark.parametrize("go", [1, 6, 9, 12])
@pytest.mark.parametrize("split", ["train", "valid", "test", "all"])
def test_games_are_as_their_parameters_say(go: int, split: str) -> None:
    parts = {"train": {0}, "valid": {1}, "test": {2}, "all": {0, 1, 2}}[split]
    for seed in range(30):
        recipe = 1 + seed % 5
        take = seed % (recipe + 1)
        options = {"cook": seed % 2 == 0, "cut": seed % 3 == 0, "open": seed % 4 < 2, "drop": seed % 5 < 2}
        simulator = make_simulator("text-cooking-v0", go=go, split=split, recipe=recipe, take=take, **options)
        given = simulator.instance(seed)
        given.validate()
        game = Reference(given.as_data(), 100)
        assert len(game.recipe) == recipe
        assert sum(game.at[food] == "hand" for food in game.recipe) == recipe - take
        present = [i for i in range(t.FOOD_COUNT) if game.at[t.FOODS[i]] != "gone"]
        assert {int(t.FOOD_SPLIT[i]) for i in present} <= parts
        assert len({room for room, _ in game.ways} | {"kitchen"}) == go
        assert len({given.places[r] for r in range(go)}) == go
        for food, (cook, cut) in game.recipe.items():
            assert (cook == "grilled") <= (go >= 9)
            if options["cook"]:
                assert cook != "raw"
                assert game.cooking[food] == "raw"
            else:
                assert game.cooking[food] == cook
            if options["cut"]:
                assert cut != "uncut"
                assert game.cutting[food] == "uncut"
        reached, edge = {"kitchen"}, ["kitchen"]
        while edge:
            edge = [game.ways[key][0] for room in edge for key in game.ways if key[0] == room]
            edge = [room for room in edge if room not in reached]
            reached |= set(edge)
        assert len(reached) == go


def test_foods_of_different_splits_are_different() -> None:
    names = [[t.FOODS[i] for i in np.flatnonzero(part == t.FOOD_SPLIT)] for part in range(3)]
    assert [len(part) for part in names] == [15, 15, 15]
    assert len(set(t.FOODS)) == 45


def test_another_recipe_seed_is_another_recipe_in_the_same_house() -> None:
    houses, recipes = set(), set()
    for recipe_seed in range(6):
        given = make_simulator("text-cooking-v0", recipe_seed=recipe_seed).instance(4)
        houses.add((given.exits, given.home, given.where, given.room))
        recipes.add(given.recipe)
    assert len(houses) == 1
    assert len(recipes) > 2


def test_what_is_out_of_sight_is_not_told() -> None:
    """Moving things between closed containers and other rooms changes no word, no number and no command."""
    simulator = make_simulator("text-cooking-v0", go=12, split="all")
    hidden = list(range(t.FOOD_COUNT))
    for seed in range(20):
        given = simulator.instance(seed).as_data()
        views = set()
        for trial in range(5):
            chance = random.Random(trial)
            where = list(given["where"])
            away = [*[r for r in range(1, 12) if r != given["room"]], 12 + 2, 12 + 4]
            for i in hidden:
                at = where[i]
                if at in away and at != 29:
                    where[i] = chance.choice(away)
            batch = batch_of(1, seed, go=12, split="all")
            simulator.load(batch.state, 0, {**given, "where": where})
            simulator.reset(batch.state, np.ones(1, np.bool_), np.array([seed]), np.array([-2], np.int32))
            seen = np.zeros((1, 1, 182), np.int8)
            simulator.observe(batch.state, 0, np.zeros((1, 1), np.int32), seen)
            views.add((simulator.describe(batch.state, 0, 0), commands(simulator, batch.state, 0, 0), seen.tobytes()))
        assert len(views) == 1


def test_the_styles_say_the_same_and_the_varied_one_varies() -> None:
    texts: dict[str, list[str]] = {"plain": [], "varied": []}
    for style, said in texts.items():
        batch = batch_of(1, 2, style=style, go=1)
        for command in ("examine cookbook", "open fridge", "take knife from table", "take knife from worktop", "look"):
            said.append(batch.simulator.describe(batch.state, 0, 0))
            batch.actions[0][0, 0] = NUMBER[command]
            batch.step()
    assert texts["plain"] != texts["varied"]
    for plain, varied in zip(texts["plain"], texts["varied"], strict=True):
        for word in set(t.ITEM_NAMES) | {piece.name for piece in t.FURNITURE}:
            assert (word in plain) == (word in varied), word
    assert all(len(set(options)) == len(options) == 4 for options in PHRASES.values())
    assert len(REASONS) == len(make_simulator("text-cooking-v0").faults)


def test_texts_are_sentences() -> None:
    for seed in range(10):
        batch = batch_of(1, seed, go=12, style="varied")
        chance = np.random.default_rng(seed)
        while not batch.over[0]:
            text = batch.simulator.describe(batch.state, 0, 0)
            assert not re.search(r"  | \.|\{|\ba [aeiou]", text), text
            batch.actions[0][0, 0] = chance.choice(np.flatnonzero(batch.masks[0][0, 0]))
            batch.step()


def test_commands_are_sorted_and_parse_to_their_actions() -> None:
    assert list(t.COMMANDS) == sorted(set(t.COMMANDS))
    batch = batch_of(1, 0)
    listed = commands(batch.simulator, batch.state, 0, 0)
    assert list(listed) == sorted(listed)
    assert [t.COMMANDS[parse(batch.simulator, batch.state, 0, 0, f" {text.upper()}\n")] for text in listed] == list(
        listed
    )
    for wrong in ("", "dance", "take everything", '{"name": "take"'):
        with pytest.raises(ActionError):
            parse(batch.simulator, batch.state, 0, 0, wrong)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"recipe": 0}, "at least 1"), ({"recipe": 6}, "at most 5"), ({"recipe": 2, "take": 3}, "at most 2"),
        ({"go": 7}, "1, 6, 9, 12"), ({"cook": "yes"}, "true or false"), ({"split": "tset"}, "test"),
        ({"style": "prose"}, "plain"), ({"take": 0, "recipe_seed": 4}, "take >= 1"), ({"recipes": 2}, "recipe"),
    ],
)  # fmt: skip
def test_bad_configs_say_what_is_wrong(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make_simulator("text-cooking-v0", **options)


def test_bad_games_say_what_is_wrong() -> None:
    simulator = make_simulator("text-cooking-v0")
    good = simulator.instance(0).as_data()
    state = simulator.new(1)
    simulator.load(state, 0, good)
    none = [[-1, -1, -1]] * 5
    for changed, said in (
        ({"where": [0]}, "where has the wrong shape"), ({"where": [99] * 48}, "0 to 29"), ({"recipe": none}, "one to five"),
        ({"recipe": [[0, 1, 1]] * 5}, "no two alike"), ({"room": 12}, "0 to 11"), ({"limit": 0}, "limit"),
        ({"room": True}, "room"), ({"exits": [[1, -1, -1, -1]] * 12}, "lead back"), ({"lids": [2] * 16}, "0 or 1"),
        ({"home": [-1] * 16}, "not there"), ({"where": [29] * 48}, "needs"), ({"where": [28] * 47 + [29], "limit": 3}, "more"),
        ({"where": [28] * 48}, "meal is not there"), ({"doors": [[0] * 4] * 12}, "door"), ({"places": "x"}, "places"),
    ):  # fmt: skip
        with pytest.raises(InstanceError, match=said):
            simulator.load(state, 0, {**good, **changed})
    for data in (None, [], {"exits": []}, {**good, "recipe": 3}):
        with pytest.raises(InstanceError):
            simulator.load(state, 0, data)
