"""Tiny random houses, for the search over all states."""

from __future__ import annotations

import random

from ludarium.envs.text.household.classes import OPENABLE, affordances
from ludarium.envs.text.household.instance import House, Object, Receptacle, all_of, look_goal, numbered, place_goal

KINDS = ("CounterTop", "Fridge", "Microwave", "SinkBasin", "Cabinet", "Cabinet", "Drawer", "SideTable", "CounterTop")
TASKS = (
    "pick", "pick_two", "heat", "clean", "cool", "clean_heat", "look", "both", "sliced", "sliced_heat", "three", "two_hot",
    "two_and_one",
)  # fmt: skip


def tiny_house(seed: int, receptacles: int = 5, objects: int = 4, task: str | None = None) -> House:
    """A house with shared locations, open doors, things in hand, in states and in place already, as it comes."""
    rng = random.Random(seed)
    task = task or rng.choice(TASKS)
    must = {"heat": ["Microwave"], "cool": ["Fridge"], "clean": ["SinkBasin"], "clean_heat": ["Microwave", "SinkBasin"],
            "sliced_heat": ["Microwave"], "two_hot": ["Microwave"]}.get(task, [])  # fmt: skip
    kinds = (must + rng.sample(KINDS, len(KINDS)))[:receptacles]
    locations = rng.randint(max(2, receptacles - 2), receptacles)
    places = []
    for kind, number in numbered(kinds):
        opens = kind in OPENABLE
        places.append(Receptacle(kind, number, rng.randrange(locations), opens, opens and rng.random() < 0.3))
    main = "Potato" if task != "look" else "Book"
    count = {"three": 3, "pick_two": 2, "two_hot": 2, "two_and_one": 2}.get(task, 1)
    things = [main] * count
    things += {"look": ["DeskLamp"], "both": ["Mug"], "two_and_one": ["Mug"]}.get(
        task, ["Knife"] if task.startswith("sliced") else []
    )
    things += [rng.choice((main, "Mug", "Knife", "Apple")) for _ in range(objects - len(things))]
    fits = _fits(rng, set(kinds), set(things))
    target = rng.choice(kinds)
    fits |= {(target, main)}
    other = rng.choice(kinds)
    if task in ("both", "two_and_one"):
        fits |= {(other, "Mug")}
    hand = rng.randrange(len(things)) if rng.random() < 0.4 else -1
    listed, held = [], ()
    for n, (kind, number) in enumerate(numbered(things)):
        can = affordances(kind)
        in_hand = n == hand and "pickupable" in can
        held = (n,) if in_hand else held
        lies = () if in_hand else (rng.randrange(len(places)),)
        state = tuple(s for s, a in (("hot", "heatable"), ("sliced", "sliceable")) if a in can and rng.random() < 0.1)
        listed.append(Object(kind, number, lies, can, state))
    states = {"heat": ("hot",), "cool": ("cool",), "clean": ("clean",), "clean_heat": ("clean", "hot"),
              "sliced": ("sliced",), "sliced_heat": ("hot", "sliced"), "two_hot": ("hot",)}.get(task, ())  # fmt: skip
    goal = place_goal(main, target, states, count)
    if task == "look":
        goal = look_goal(main, "DeskLamp")
    if task in ("both", "two_and_one"):
        goal = all_of(goal, place_goal("Mug", other))
    return House(
        tuple(places), tuple(listed), tuple(sorted(fits)), goal, task, "a tiny task", locations,
        rng.randrange(locations), 1, held,
    )  # fmt: skip


def _fits(rng: random.Random, kinds: set[str], things: set[str]) -> set[tuple[str, str]]:
    return {(r, o) for r in sorted(kinds) for o in sorted(things) if rng.random() < 0.6}
