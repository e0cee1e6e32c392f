"""What a goal needs, read off its tree: things of a class, in some states, together in a receptacle; or in hand by a lamp."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

from ludarium.envs.core.errors import NotClaimedError
from ludarium.envs.text.household.instance import FLAGS, Goal

__all__ = ["Group", "Needs", "Want", "needs_of"]

_STATES = {f"is{flag.capitalize()}": 1 << n for n, flag in enumerate(FLAGS)}
_ABLE = {"heatable", "coolable", "cleanable", "sliceable", "toggleable", "pickupable"}


class Want(NamedTuple):
    """An object: of a class (lower case), in these states (bits of `FLAGS`), of which these things can be done."""

    kind: str
    states: int
    able: frozenset[str]


class Group(NamedTuple):
    """Different objects in the same receptacle of a class (lower case)."""

    target: str
    wants: tuple[Want, ...]


class Needs(NamedTuple):
    """All that must hold at once."""

    groups: tuple[Group, ...]
    hold: Want | None
    """What the agent must hold at the end."""
    lamp: Want | None
    """What must have been switched on where the agent is at the end."""


def needs_of(goal: Goal) -> Needs:
    """Read a goal; `NotClaimedError` for a tree that says something else than the task types and their extensions do."""
    facts: list[tuple[str, ...]] = []
    _flatten(goal, {}, facts, itertools.count())
    return _Reader(facts).needs()


def _flatten(goal: Any, names: dict[str, str], facts: list[tuple[str, ...]], fresh: Any) -> None:
    """The facts of a conjunction below `exists`, with variables made distinct."""
    head = goal[0]
    if head == "and":
        for part in goal[1:]:
            _flatten(part, names, facts, fresh)
    elif head == "exists":
        inner = {**names, **{name: f"{name}#{next(fresh)}" for name, _ in goal[1]}}
        _flatten(goal[2], inner, facts, fresh)
    elif head == "not" and goal[1][0] == "=":
        facts.append(("different", *(names.get(name, name) for name in goal[1][1:])))
    elif head in ("or", "not", "forall", "imply"):
        raise NotClaimedError(f"the planner knows goals of `and` and `exists` only; this one has {head!r}")
    else:
        facts.append((head, *(names.get(name, name) for name in goal[1:])))


class _Reader:
    def __init__(self, facts: list[tuple[str, ...]]) -> None:
        self.kind: dict[str, str] = {}
        self.target: dict[str, str] = {}
        self.states: dict[str, int] = {}
        self.able: dict[str, set[str]] = {}
        self.inside: dict[str, str] = {}
        self.held: list[str] = []
        for head, first, *rest in facts:
            if head == "objectType":
                self.kind[first] = rest[0].lower()
            elif head == "receptacleType":
                self.target[first] = rest[0].lower()
            elif head in _STATES:
                self.states[first] = self.states.get(first, 0) | _STATES[head]
            elif head in _ABLE:
                self.able.setdefault(first, set()).add(head)
            elif head == "inReceptacle":
                self.inside[first] = rest[0]
            elif head == "holds":
                self.held.append(rest[0])
            elif head not in ("atLocation", "receptacleAtLocation", "objectAtLocation", "different"):
                raise NotClaimedError(f"the planner knows no goal with the fact {head!r}")

    def needs(self) -> Needs:
        groups: dict[str, list[Want]] = {}
        lamps, hold = [], [self._want(name) for name in self.held]
        for name, place in self.inside.items():
            if place in self.target:
                groups.setdefault(place, []).append(self._want(name))
            elif self.states.get(name, 0) & _STATES["isToggled"]:
                lamps.append(self._want(name))
            else:
                raise NotClaimedError("the planner knows goals that name the class of the receptacle only")
        if len(hold) > 1 or len(lamps) > 1 or (lamps and not hold):
            raise NotClaimedError("the planner knows goals with one thing in hand, by one lamp")
        order = sorted(groups.items())
        return Needs(
            tuple(Group(self.target[place], tuple(wants)) for place, wants in order),
            hold[0] if hold else None,
            lamps[0] if lamps else None,
        )

    def _want(self, name: str) -> Want:
        if name not in self.kind:
            raise NotClaimedError("the planner knows goals that name the class of each object only")
        return Want(self.kind[name], self.states.get(name, 0), frozenset(self.able.get(name, ())))
