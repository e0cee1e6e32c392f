"""The exact planner against a search over the full state space, and against the rules."""

from __future__ import annotations

import random

import pytest
from text.household.brute import begin, holds, moves, play, shortest
from text.household.tiny import TASKS, tiny_house

from ludarium.envs.core.errors import NotClaimedError
from ludarium.envs.text.household.instance import place_goal
from ludarium.envs.text.household.plans import Planner, Situation, beginning

FLAGS = ("clean", "hot", "cool", "sliced", "toggled")


def situation(w, receptacles=5):
    """A world of the plain rules, as the planner takes it."""
    return Situation(
        w.at,
        w.hold,
        tuple(() if r < 0 else (r,) for r in w.where),
        tuple(sum(1 << FLAGS.index(flag) for flag in states) for states in w.states),
        tuple(r in w.opened for r in range(receptacles)),
    )


def agrees(house, quirks=True):
    plan, best = Planner(house, quirks).plan(beginning(house)), shortest(house, quirks=quirks)
    if best is None:
        return plan is None
    return plan is not None and len(plan) == best and holds(house, house.goal, play(house, plan, quirks)[-1])


@pytest.mark.parametrize("block", range(4))
def test_plans_are_as_short_as_a_search_finds_them(block):
    wrong = [seed for seed in range(15 * block, 15 * block + 15) if not agrees(tiny_house(seed, 4, 3))]
    assert not wrong


@pytest.mark.parametrize("task", TASKS)
def test_plans_are_shortest_with_five_receptacles(task):
    wrong = [seed for seed in range(900, 902) if not agrees(tiny_house(seed, 5, 4, task))]
    assert not wrong


@pytest.mark.parametrize("task", ["sliced", "sliced_heat", "look"])
def test_plans_open_first_what_cannot_be_reached_into_otherwise(task):
    wrong = [seed for seed in range(50, 65) if not agrees(tiny_house(seed, 4, 3, task), quirks=False)]
    assert not wrong


@pytest.mark.slow
def test_plans_are_shortest_in_hundreds_of_tiny_houses():
    wrong = [seed for seed in range(3000, 3600) if not agrees(tiny_house(seed, 4, 3))]
    wrong += [seed for seed in range(4000, 4200) if not agrees(tiny_house(seed, 5, 4))]
    assert not wrong


@pytest.mark.slow
def test_plans_are_shortest_with_five_receptacles_and_five_objects():
    wrong = [seed for seed in range(2000, 2060) if not agrees(tiny_house(seed, 5, 5))]
    assert not wrong


@pytest.mark.parametrize("seed", range(12))
def test_plan_left_falls_by_one_at_most_and_by_one_along_a_plan(seed):
    house = tiny_house(seed, 5, 4)
    planner, rng = Planner(house), random.Random(seed)
    w = begin(house)
    left = planner.plan_left(situation(w))
    for _ in range(30):
        step, w = rng.choice(list(moves(house, w)))
        now = planner.plan_left(situation(w))
        assert (now < 0) == (left < 0), step
        assert now >= left - 1
        left = now
    lengths = [planner.plan_left(situation(state)) for state in play(house, planner.plan(beginning(house)) or ())]
    assert lengths == list(range(lengths[0], lengths[0] - len(lengths), -1))


def test_a_goal_without_its_appliance_has_no_plan():
    house = next(h for h in map(tiny_house, range(999)) if h.task == "pick" and "Microwave" not in kinds(h))
    hot = house.__class__(**{**vars_of(house), "goal": place_goal("Potato", house.receptacles[0].kind, ("hot",))})
    cold = [o for o, thing in enumerate(hot.objects) if thing.kind == "Potato" and "hot" in thing.state]
    assert cold or Planner(hot).plan(beginning(hot)) is None


def test_goals_of_another_form_are_not_claimed():
    house = tiny_house(1)
    other = house.__class__(**{**vars_of(house), "goal": ("or", house.goal, house.goal)})
    with pytest.raises(NotClaimedError, match="'or'"):
        Planner(other)


def kinds(house):
    return {place.kind for place in house.receptacles}


def vars_of(house):
    return {name: getattr(house, name) for name in house.__dataclass_fields__}
