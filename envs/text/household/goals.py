"""Goals made ground: a tree over finite types becomes cases, each a list of facts that must hold together.

What never changes (classes, affordances, where a thing lies that cannot be moved) is decided here; only facts that
play can change are left. So the compiled engine need know nothing of quantifiers, whatever the tree.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

from ludarium.envs.core.errors import InstanceError
from ludarium.envs.text.household.instance import FLAGS, Goal, House

__all__ = ["DYNAMIC", "MAX_CASES", "Literal", "ground", "types_of"]

DYNAMIC = (
    "inReceptacle", "holds", "holdsAny", "atLocation", "objectAtLocation", "opened",
    *(f"is{flag.capitalize()}" for flag in FLAGS),
)  # fmt: skip
"""Facts that play can change; a literal's `fact` is a place in this list."""
MAX_CASES = 20_000

_ARITY = {
    "objectType": 2, "receptacleType": 2, "inReceptacle": 2, "inReceptacleObject": 2, "holds": 2, "holdsAny": 1,
    "atLocation": 2, "receptacleAtLocation": 2, "objectAtLocation": 2, "opened": 1, "openable": 1, "=": 2,
    "isReceptacleObject": 1, "pickupable": 1, "heatable": 1, "coolable": 1, "cleanable": 1, "sliceable": 1,
    "toggleable": 1, "canContain": 2, **{f"is{flag.capitalize()}": 1 for flag in FLAGS},
}  # fmt: skip
_NEEDS = {
    "isClean": "cleanable",
    "isHot": "heatable",
    "isCool": "coolable",
    "isSliced": "sliceable",
    "isToggled": "toggleable",
}
_TYPES = ("agent", "object", "receptacle", "location")


class Literal(NamedTuple):
    """A fact of `DYNAMIC` that must hold, or must not.

    `first` and `second` are numbers in the house's lists (second 0 where the fact has one argument; agents are numbers
    of seats).
    """

    fact: int
    first: int
    second: int
    holds: bool


_Case = frozenset[Literal]
_Names = dict[str, tuple[str, int]]


def types_of(house: House) -> dict[str, int]:
    """How many there are of each type."""
    return {
        "agent": house.agents,
        "object": len(house.objects),
        "receptacle": len(house.receptacles),
        "location": house.locations,
    }


def ground(house: House) -> tuple[tuple[Literal, ...], ...]:
    """The cases of the house's goal, shortest first: it is reached when all literals of one case are as they say.

    No case at all: it cannot be reached. `InstanceError` for a tree that is none, or that has too many cases.
    """
    cases = _minimal(_Ground(house).cases(house.goal, {}, True))
    return tuple(sorted((tuple(sorted(case)) for case in cases), key=lambda case: (len(case), case)))


def _minimal(cases: list[_Case]) -> list[_Case]:
    """Without doubles; one case that asks for nothing makes all others needless."""
    unique = list(dict.fromkeys(cases))
    return [frozenset()] if frozenset() in unique else unique


class _Ground:
    def __init__(self, house: House) -> None:
        self.house = house
        self.count = types_of(house)
        self.fits = {(r.lower(), o.lower()) for r, o in house.can_contain}

    # --- the tree ---
    def cases(self, goal: Goal, names: _Names, positive: bool) -> list[_Case]:
        if not isinstance(goal, tuple) or not goal or not isinstance(goal[0], str):
            raise InstanceError(f"a goal is a tuple that begins with a name; got {goal!r:.120}")
        head, rest = goal[0], goal[1:]
        if head == "not":
            return self.cases(rest[0], names, not positive)
        if head in ("and", "or"):
            parts = [(part, names) for part in rest]
            return self._all(parts, positive) if (head == "and") == positive else self._any(parts, positive)
        if head in ("exists", "forall"):
            variables, body = rest
            found = self._bindings(variables, body if (head == "exists") == positive else None, names, positive)
            parts = [(body, bound) for bound in found]
            return self._any(parts, positive) if (head == "exists") == positive else self._all(parts, positive)
        return self._fact(goal, names, positive)

    def _any(self, parts: list[tuple[Goal, _Names]], positive: bool) -> list[_Case]:
        found: list[_Case] = []
        for part, names in parts:
            found += self.cases(part, names, positive)
            self._check(len(found))
        return _minimal(found)

    def _all(self, parts: list[tuple[Goal, _Names]], positive: bool) -> list[_Case]:
        found: list[_Case] = [frozenset()]
        for part, names in parts:
            more = self.cases(part, names, positive)
            self._check(len(found) * len(more))
            found = _minimal([a | b for a, b in itertools.product(found, more) if not _clash(a, b)])
            if not found:
                return []
        return found

    def _check(self, count: int) -> None:
        if count > MAX_CASES:
            raise InstanceError(f"the goal has more than {MAX_CASES} cases when it is made ground")

    def _bindings(self, variables: Any, body: Goal | None, names: _Names, positive: bool) -> Iterator[_Names]:
        """All ways to bind the variables; of a conjunction only those that its unchanging facts allow."""
        for _, kind in variables:
            if kind not in _TYPES:
                raise InstanceError(f"unknown type {kind!r} in a goal; known: {', '.join(_TYPES)}")
        static: list[Goal] = []
        if body is not None and positive:
            static = [part for part in _conjuncts(body) if part[0] in _ARITY or part[0] == "not"]
        return self._bind(dict(variables), static, names)

    def _bind(self, left: dict[str, str], static: list[Goal], names: _Names) -> Iterator[_Names]:
        if not left:
            yield names
            return
        choices = {name: self._candidates(name, kind, static, names) for name, kind in left.items()}
        name = min(choices, key=lambda known: len(choices[known]))
        rest = {other: kind for other, kind in left.items() if other != name}
        for number in choices[name]:
            yield from self._bind(rest, static, {**names, name: (left[name], number)})

    def _candidates(self, name: str, kind: str, static: list[Goal], names: _Names) -> list[int]:
        found = []
        for number in range(self.count[kind]):
            bound = {**names, name: (kind, number)}
            if all(self.cases(part, bound, True) for part in static if _variables(part) <= bound.keys()):
                found.append(number)
        return found

    # --- facts ---
    def _fact(self, goal: Goal, names: _Names, positive: bool) -> list[_Case]:
        head = goal[0]
        if head not in _ARITY or len(goal) != _ARITY[head] + 1:
            raise InstanceError(f"unknown fact in a goal: {goal!r:.120}")
        known = self._static(head, goal[1:], names)
        if known is not None:
            return [frozenset()] if known == positive else []
        numbers = [self._thing(argument, names)[1] for argument in goal[1:]]
        literal = Literal(DYNAMIC.index(head), numbers[0], numbers[1] if len(numbers) > 1 else 0, positive)
        return [frozenset([literal])]

    def _thing(self, argument: Any, names: _Names) -> tuple[str, int]:
        if argument in names:
            return names[argument]
        kind, _, number = str(argument).partition(":")
        if kind not in _TYPES or not number.isdigit() or int(number) >= self.count[kind]:
            raise InstanceError(f"{argument!r} in a goal is no variable in scope, and no thing of this house")
        return kind, int(number)

    def _static(self, head: str, arguments: tuple[Any, ...], names: _Names) -> bool | None:
        """Whether a fact holds for good, or None where play can change it."""
        house = self.house
        if head == "=":
            return self._thing(arguments[0], names) == self._thing(arguments[1], names)
        if head == "canContain":
            return (str(arguments[0]).lower(), str(arguments[1]).lower()) in self.fits
        kind, number = self._thing(arguments[0], names)
        if head == "objectType":
            return house.objects[number].kind.lower() == str(arguments[1]).lower()
        if head == "receptacleType":
            return house.receptacles[number].kind.lower() == str(arguments[1]).lower()
        if head == "receptacleAtLocation":
            return house.receptacles[number].location == self._thing(arguments[1], names)[1]
        if head in ("opened", "openable"):
            place = house.receptacles[number]
            return place.openable if head == "openable" or not place.openable else None
        if kind == "agent":
            return None
        return self._static_of_object(head, number, arguments, names)

    def _static_of_object(self, head: str, number: int, arguments: tuple[Any, ...], names: _Names) -> bool | None:
        thing = self.house.objects[number]
        if head == "isReceptacleObject":
            return "receptacle" in thing.can
        if head in _NEEDS:
            return None if _NEEDS[head] in thing.can else head[2:].lower() in thing.state
        if head == "inReceptacleObject":
            return self._thing(arguments[1], names)[1] in thing.inside
        if head == "inReceptacle":
            place = self._thing(arguments[1], names)[1]
            if "pickupable" not in thing.can:
                return place in thing.places
            fits = (self.house.receptacles[place].kind.lower(), thing.kind.lower()) in self.fits
            return None if fits or place in thing.places else False
        if head == "objectAtLocation":
            place = self._thing(arguments[1], names)[1]
            return None if "pickupable" in thing.can else place in self.house.at(number)
        return head in thing.can


def _clash(a: _Case, b: _Case) -> bool:
    return any(literal._replace(holds=not literal.holds) in a for literal in b)


def _conjuncts(goal: Goal) -> list[Goal]:
    if goal[0] == "and":
        return [part for child in goal[1:] for part in _conjuncts(child)]
    return [goal]


def _variables(goal: Any) -> set[str]:
    if isinstance(goal, tuple):
        return set().union(*(_variables(part) for part in goal))
    return {goal} if isinstance(goal, str) and goal.startswith("?") else set()
