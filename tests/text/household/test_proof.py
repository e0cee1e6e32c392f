"""Proofs of houses, and what those that cannot be solved lack."""

from __future__ import annotations

import dataclasses
import json

import pytest

from ludarium.envs.core.errors import InstanceError
from ludarium.envs.text.household.classes import affordances
from ludarium.envs.text.household.config import HouseholdConfig
from ludarium.envs.text.household.export import to_textworld
from ludarium.envs.text.household.game import HouseholdText
from ludarium.envs.text.household.generate import generate
from ludarium.envs.text.household.instance import House, Object, Receptacle, look_goal, place_goal
from ludarium.envs.text.household.proof import prove

PLACES = (("CounterTop", False), ("Drawer", True), ("SinkBasin", False))


def house(goal, things=("Potato",), places=PLACES, fits=None):
    receptacles = tuple(Receptacle(kind, 1, n, opens) for n, (kind, opens) in enumerate(places))
    counts = dict.fromkeys(things, 0)
    objects = []
    for kind in sorted(things):
        counts[kind] += 1
        objects.append(Object(kind, counts[kind], (0,), affordances(kind)))
    known = fits if fits is not None else [(place, kind) for place, _ in places for kind in sorted(set(things))]
    return House(
        receptacles, tuple(objects), tuple(sorted(known)), goal, "pick", "a task", len(places) + 1, len(places)
    )


@pytest.mark.parametrize("wishes", [{}, {"sliced": True}, {"conjuncts": 2}, {"preheld": True, "dialect": "0.3"}])
def test_a_proof_is_a_walkthrough(wishes):
    config = HouseholdConfig(**wishes)
    env = HouseholdText(**wishes)
    for seed in range(5):
        made = generate(config, seed)
        env.reset(seed=seed)
        for said in prove(made, config.dialect):
            _, reward, terminated, _, info = env.step(said)
            assert info["reason"] == "none"
        assert terminated
        assert reward == 1.0


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (house(place_goal("Potato", "Drawer", ("hot",))), "there is no microwave, and nothing is hot without one"),
        (house(place_goal("Potato", "Drawer", ("cool",))), "there is no fridge"),
        (house(place_goal("Potato", "Drawer", ("sliced",))), "there is no knife"),
        (house(place_goal("Potato", "Drawer", (), 2)), "needs 2 of the class potato, and there are 1"),
        (house(place_goal("Apple", "Drawer")), "needs 1 of the class apple, and there are 0"),
        (house(place_goal("Potato", "Fridge")), "there is no fridge"),
        (house(place_goal("Potato", "Drawer"), fits=[("CounterTop", "Potato")]), "a drawer may not hold a potato"),
        (house(place_goal("Fork", "Drawer", ("hot",)), ("Fork",)), "no fork is heatable"),
        (house(look_goal("Potato", "DeskLamp")), "needs 1 of the class desklamp, and there are 0"),
    ],
)
def test_a_house_that_cannot_be_solved_says_what_it_lacks(bad, words):
    with pytest.raises(InstanceError, match=words):
        prove(bad)


def test_what_is_in_the_hand_and_fits_nowhere_is_in_the_way():
    made = house(place_goal("Potato", "Drawer"), ("Potato", "Plunger"), fits=[("Drawer", "Potato")])
    things = tuple(
        dataclasses.replace(thing, places=()) if thing.kind == "Plunger" else thing for thing in made.objects
    )
    hand = next(n for n, thing in enumerate(things) if thing.kind == "Plunger")
    with pytest.raises(InstanceError, match="can be put nowhere"):
        prove(dataclasses.replace(made, objects=things, held=(hand,)))


def test_an_exported_game_has_a_shortest_plan_as_its_walkthrough(tmp_path):
    made = generate(HouseholdConfig(task="cool"), 2)
    written = json.loads(to_textworld(made, tmp_path / "game").read_text())
    assert written["walkthrough"] == list(prove(made))
    assert written["solvable"]
    hopeless = to_textworld(house(place_goal("Potato", "Drawer", ("hot",))), tmp_path / "none")
    assert json.loads(hopeless.read_text())["solvable"] is False
