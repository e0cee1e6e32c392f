"""Generated houses: reproducible, as wished, solvable, and of one split only."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys

import numpy as np
import pytest
from text.household.brute import begin, holds, play

from ludarium.envs.core.errors import ConfigError, InstanceError
from ludarium.envs.text.household.classes import TASKS
from ludarium.envs.text.household.config import HouseholdConfig
from ludarium.envs.text.household.difficulty import BOUNDS, expected_search
from ludarium.envs.text.household.generate import generate, generate_game, placement_split
from ludarium.envs.text.household.rooms import layouts_of, owner
from ludarium.envs.text.household.sentences import read_sentence

WISHES = [
    *({"task": task} for task in TASKS),
    {"sliced": True},
    {"two_step": True},
    {"count": 3, "n_objects": 30},
    {"conjuncts": 3, "n_objects": 30},
    {"preheld": True},
    {"n_receptacles": 5, "n_objects": 4, "same_class_decoys": 0},
    {"n_receptacles": 40, "n_objects": 100},
    {"split": "unseen", "room": "bathroom"},
    {"level": "expert"},
    {"level": "easy", "split": "seen"},
]


def name_of(wishes):
    return "-".join(f"{key}={value}" for key, value in wishes.items())


@pytest.mark.parametrize("wishes", WISHES, ids=name_of)
def test_every_game_is_solved_by_its_plan_under_the_plain_rules(wishes):
    config = HouseholdConfig(**wishes)
    for seed in range(12):
        game = generate_game(config, seed)
        game.house.validate()
        assert not holds(game.house, game.house.goal, begin(game.house))
        assert holds(game.house, game.house.goal, play(game.house, game.plan)[-1])
        assert len(game.plan) <= config.max_steps
        assert len(game.house.receptacles) == config.n_receptacles
        assert len(game.house.objects) == config.n_objects


def test_a_seed_always_draws_the_same_house():
    config = HouseholdConfig(preheld=True)
    first = [generate(config, seed).hash for seed in range(20)]
    random.seed(1)
    np.random.seed(1)  # that the global state does not matter is the point
    assert [generate(config, seed).hash for seed in reversed(range(20))] == first[::-1]
    assert len(set(first)) == 20


_DIGEST = """
import hashlib
from ludarium.envs.text.household.config import HouseholdConfig
from ludarium.envs.text.household.generate import generate_game
games = [generate_game(HouseholdConfig(conjuncts=2), seed) for seed in range(8)]
games += [generate_game(HouseholdConfig(sliced=True), seed) for seed in range(8)]
print(hashlib.blake2b(repr([(game.house.hash, game.plan) for game in games]).encode()).hexdigest())
"""


def test_houses_and_plans_do_not_depend_on_the_order_of_hashes():
    found = set()
    for order in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", _DIGEST],
            env={**os.environ, "PYTHONHASHSEED": order},
            capture_output=True,
            check=True,
        )
        found.add(done.stdout)
    assert len(found) == 1


def test_no_house_of_a_split_can_be_one_of_another():
    houses = {}
    for split in ("train", "seen", "unseen"):
        games = [generate_game(HouseholdConfig(split=split), seed) for seed in range(100)]
        assert all(placement_split(game.house) == split for game in games)
        assert all(game.layout in layouts_of(split) for game in games)
        kind = "unseen" if split == "unseen" else "train"
        assert {owner(part.task, part.kind, part.target) for game in games for part in game.parts} == {kind}
        houses[split] = {game.house.hash for game in games}
    assert not houses["train"] & houses["seen"]
    assert not houses["train"] & houses["unseen"]


@pytest.mark.parametrize("depth", [0.0, 0.5, 1.0])
def test_the_wished_share_of_the_targets_is_hidden(depth):
    config = HouseholdConfig(task="pick", room="kitchen", hidden_depth=depth, same_class_decoys=3, n_receptacles=20)
    shares = []
    for seed in range(40):
        game = generate_game(config, seed)
        things = [thing for thing in game.house.objects if thing.kind == game.parts[0].kind]
        assert len(things) == 4
        shares.append(sum(game.house.receptacles[thing.places[0]].openable for thing in things) / 4)
    assert abs(np.mean(shares) - depth) < 0.15


def test_distractors_are_of_classes_that_could_have_been_asked_for():
    found = {}
    for share in (0.0, 1.0):
        config = HouseholdConfig(task="heat", distractors=share, same_class_decoys=0)
        games = [generate_game(config, seed) for seed in range(30)]
        found[share] = np.mean([sum("heatable" in thing.can for thing in game.house.objects) for game in games])
    assert found[1.0] > 18
    assert found[0.0] < 14


def test_the_first_agent_holds_something_if_that_is_wished():
    for seed in range(10):
        house = generate(HouseholdConfig(preheld=True, n_agents=2), seed)
        assert house.held[0] >= 0
        assert house.held[1] == -1
        assert "pickupable" in house.objects[house.held[0]].can


def test_levels_are_quarters_of_the_default_games():
    totals = [generate_game(HouseholdConfig(), seed).difficulty.total for seed in range(10_000, 10_400)]
    for bound, share in zip(BOUNDS, (0.25, 0.5, 0.75), strict=True):
        assert abs(np.mean([total < bound for total in totals]) - share) < 0.1
    for level in ("easy", "medium", "hard", "expert"):
        assert generate_game(HouseholdConfig(level=level), 3).difficulty.level == level


def test_expected_search_is_zero_for_what_is_in_hand_and_grows_with_the_places():
    small = [
        expected_search(generate(HouseholdConfig(task="pick", n_receptacles=8, n_objects=12), s)) for s in range(30)
    ]
    large = [
        expected_search(generate(HouseholdConfig(task="pick", n_receptacles=30, n_objects=12), s)) for s in range(30)
    ]
    assert np.mean(small) < np.mean(large)


@pytest.mark.parametrize("style", ["plain", "other"])
@pytest.mark.parametrize("wishes", WISHES, ids=name_of)
def test_the_sentence_says_the_goal(wishes, style):
    for seed in range(10):
        game = generate_game(HouseholdConfig(goal_text=style, **wishes), seed)
        said = read_sentence(game.house.sentence)
        meant = tuple(part._replace(kind=part.kind.lower(), target=part.target.lower()) for part in game.parts)
        assert [part[1:] for part in said] == [part[1:] for part in meant], game.house.sentence


def test_the_two_sentences_of_each_task_type_are_alfworlds():
    wanted = {
        "pick": (r"put a (\w+) in (\w+)", r"put some (\w+) on (\w+)"),
        "clean": (r"put a clean (\w+) in (\w+)", r"clean some (\w+) and put it in (\w+)"),
        "heat": (r"put a hot (\w+) in (\w+)", r"heat some (\w+) and put it in (\w+)"),
        "cool": (r"put a cool (\w+) in (\w+)", r"cool some (\w+) and put it in (\w+)"),
        "pick_two": (r"put two (\w+) in (\w+)", r"find two (\w+) and put them in (\w+)"),
        "look": (r"look at (\w+) under the (\w+)", r"examine the (\w+) with the (\w+)"),
    }
    for task, patterns in wanted.items():
        for style, pattern in zip(("plain", "other"), patterns, strict=True):
            text = generate(HouseholdConfig(task=task, goal_text=style), 5).sentence
            assert re.fullmatch(pattern, text)


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"task": "heat", "room": "bathroom"}, "no microwave in a bathroom.*kitchen"),
        ({"task": "look", "room": "kitchen"}, "no lamp in a kitchen.*bedroom"),
        ({"n_receptacles": 5, "n_objects": 100}, "100 is too many: a kitchen of 5.*countertop 14"),
        ({"task": "pick_two", "n_objects": 5, "same_class_decoys": 4}, "needs 6: the goal's 2"),
        ({"sliced": True, "task": "look"}, "sliced = True does not go with task = 'look'"),
        ({"sliced": True, "room": "bedroom"}, "needs a knife: a bedroom has none"),
        ({"two_step": True, "task": "pick"}, "two_step = True does not go with"),
        ({"sliced": True, "conjuncts": 2}, "sliced = True asks for one object"),
        ({"count": 5}, "count = 5; expected at most 4"),
        ({"task": "bake"}, "task = 'bake'.*pick_two"),
        ({"room": "garage"}, "room = 'garage'.*livingroom"),
        ({"dialect": "0.5"}, "dialect = '0.5'.*0.4"),
    ],
)
def test_wishes_that_cannot_be_met_say_why(wishes, words):
    with pytest.raises(ConfigError, match=words):
        HouseholdConfig(**wishes)


def test_a_level_out_of_reach_says_what_was_tried():
    config = HouseholdConfig(
        task="pick", level="expert", n_receptacles=5, n_objects=4, same_class_decoys=0, hidden_depth=0.0
    )
    with pytest.raises(InstanceError, match=r"seed 0: none of 400 houses .*longest plan found"):
        generate(config, 0)
