"""How hard a house is: the length of its shortest plan, and the steps that finding things is expected to take."""

from __future__ import annotations

from typing import NamedTuple

from ludarium.envs.text.household.classes import KNIVES
from ludarium.envs.text.household.instance import House
from ludarium.envs.text.household.needs import needs_of
from ludarium.envs.text.household.plans import Step

__all__ = ["BOUNDS", "Difficulty", "assess", "expected_search", "level_of"]

BOUNDS = (8.0, 9.5, 11.0)
"""Quartiles of the difficulty of the default config's games (see `benchmarks/text_household_quality.py`)."""
_LEVELS = ("easy", "medium", "hard", "expert")


class Difficulty(NamedTuple):
    """What `info["difficulty"]` says."""

    plan: int
    """Commands of a shortest plan."""
    search: float
    """Expected commands of finding what the goal needs."""
    level: str

    @property
    def total(self) -> float:
        """The sum, by which levels are told apart."""
        return self.plan + self.search


def assess(house: House, plan: tuple[Step, ...]) -> Difficulty:
    """The difficulty of a house with this shortest plan."""
    search = expected_search(house)
    return Difficulty(len(plan), search, level_of(len(plan) + search))


def level_of(total: float) -> str:
    """`easy`, `medium`, `hard` or `expert`."""
    return _LEVELS[sum(total >= bound for bound in BOUNDS)]


def expected_search(house: House) -> float:
    """Expected commands of one who looks for each class that the goal needs, in random order where it can be.

    Looking into a receptacle takes a step, and another if it is closed. If a class can lie in n receptacles, m of which
    hold one, and k of these must be found, each of the n - m others is looked into before with probability k / (m + 1).
    """
    needs = needs_of(house.goal)
    wanted: dict[str, int] = {}
    wants = [want for group in needs.groups for want in group.wants]
    for want in (*wants, *(want for want in (needs.hold, needs.lamp) if want)):
        wanted[want.kind] = wanted.get(want.kind, 0) + 1
    total = sum(_search(house, {kind}, count) for kind, count in wanted.items())
    if any("sliceable" in want.able for want in wants):
        total += _search(house, {kind.lower() for kind in KNIVES}, 1)
    return total


def _search(house: House, kinds: set[str], count: int) -> float:
    fits = {place.lower() for place, kind in house.can_contain if kind.lower() in kinds}
    held = sum(house.objects[o].kind.lower() in kinds for o in house.held if o >= 0)
    holding = {r for thing in house.objects if thing.kind.lower() in kinds for r in thing.places}
    needed = min(count - held, len(holding))
    if needed <= 0:
        return 0.0
    others = [r for r, place in enumerate(house.receptacles) if place.kind.lower() in fits and r not in holding]
    cost = sum(2 if house.receptacles[r].openable and not house.receptacles[r].open else 1 for r in others)
    return cost * needed / (len(holding) + 1)
