"""A house as a named, hashed datum: receptacles, objects, what may lie where, a goal, and who starts where.

Receptacles and objects stand in listing order, which is the order of their raw ids; that shows as class ascending and
number descending. Classes are in the field's spelling (`CounterTop`), names are shown in lower case (`countertop 2`).
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Iterable
from typing import Any

from ludarium.envs.core.errors import InstanceError

__all__ = [
    "AFFORDANCES", "FLAGS", "Goal", "House", "Object", "Receptacle", "all_of", "goal_classes", "look_goal", "numbered",
    "place_goal",
]  # fmt: skip

AFFORDANCES = ("pickupable", "heatable", "coolable", "cleanable", "sliceable", "toggleable", "receptacle")
FLAGS = ("clean", "hot", "cool", "sliced", "toggled")

Goal = tuple[Any, ...]
"""A tree of tuples of strings, as PDDL has it.

`("and", g, ...)`, `("or", g, ...)`, `("not", g)`, `("exists", (("?o", "object"), ...), g)`, `("forall", ...)` over the
types `agent`, `object`, `receptacle`, `location`; and facts: `("inReceptacle", o, r)`, `("inReceptacleObject", o, o)`,
`("objectType", o, class)`, `("receptacleType", r, class)`, `("holds", a, o)`, `("holdsAny", a)`,
`("atLocation", a, l)`, `("receptacleAtLocation", r, l)`, `("objectAtLocation", o, l)`, `("opened", r)`,
`("openable", r)`, `("isClean", o)` and the other flags, `("pickupable", o)` and the other affordances, `("=", x, y)`.
Their arguments are variables (`"?o"`), or the places in this house's lists as `"object:3"`, `"receptacle:0"`,
`"location:2"`, `"agent:0"`.
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Receptacle:
    """A place that one can go to."""

    kind: str
    number: int
    location: int
    openable: bool = False
    open: bool = False

    @property
    def name(self) -> str:
        """The name as it is shown: `"cabinet 3"`."""
        return f"{self.kind.lower()} {self.number}"


@dataclasses.dataclass(frozen=True, slots=True)
class Object:
    """A thing: where it lies at the start, what can be done with it, and its state.

    `places` are numbers of receptacles: none for scenery and for what is held, several where receptacles that share a
    location both list it (real data). `at` are the locations it is at; by default those of its places.
    """

    kind: str
    number: int
    places: tuple[int, ...] = ()
    can: tuple[str, ...] = ()
    """Out of `AFFORDANCES`, in their order."""
    state: tuple[str, ...] = ()
    """Out of `FLAGS`, in their order."""
    at: tuple[int, ...] | None = None
    inside: tuple[int, ...] = ()
    """Numbers of the objects that it lies in (`inReceptacleObject`), which only `examine` shows."""

    @property
    def name(self) -> str:
        """The name as it is shown: `"apple 2"`."""
        return f"{self.kind.lower()} {self.number}"


@dataclasses.dataclass(frozen=True)
class House:
    """A house with a task in it."""

    receptacles: tuple[Receptacle, ...]
    objects: tuple[Object, ...]
    can_contain: tuple[tuple[str, str], ...]
    """Sorted pairs of a receptacle's class and an object's class."""
    goal: Goal
    task: str
    """A task type of `classes.TASKS`, or the name of another."""
    sentence: str
    """The goal in words, without a full stop: `"put a hot potato in sinkbasin"`."""
    locations: int
    """How many locations there are; those of the receptacles and of the start are below it."""
    start: int
    """The location where the agents begin."""
    agents: int = 1
    held: tuple[int, ...] = ()
    """The object that each agent holds at the start, -1 for none; empty: nobody holds anything."""
    room: str = ""
    name: str = ""
    """A label for people; not part of the hash."""
    goals: tuple[Goal, ...] = ()
    """A goal for each agent, of which `goal` is the conjunction; empty: all share `goal`."""
    sentences: tuple[str, ...] = ()
    """These goals in words."""

    @functools.cached_property
    def hash(self) -> str:
        """A BLAKE2b digest (32 hex digits) of all but the label."""
        data = {**self.as_data(), "name": ""}
        return hashlib.blake2b(json.dumps(data, sort_keys=True).encode(), digest_size=16).hexdigest()

    def __hash__(self) -> int:
        return hash(self.hash)

    def at(self, index: int) -> tuple[int, ...]:
        """The locations that an object is at in the beginning."""
        thing = self.objects[index]
        if thing.at is not None:
            return thing.at
        return tuple(sorted({self.receptacles[place].location for place in thing.places}))

    def as_data(self) -> dict[str, Any]:
        """Plain JSON values; `from_data` is the inverse."""
        data = {name: _plain(getattr(self, name)) for name in _FIELDS[House]}
        if not self.goals:
            del data["goals"], data["sentences"]
        for name, kind in (("receptacles", Receptacle), ("objects", Object)):
            data[name] = [{key: _plain(getattr(thing, key)) for key in _FIELDS[kind]} for thing in getattr(self, name)]
        return data

    @classmethod
    def from_data(cls, data: Any) -> House:
        """Read `as_data`'s form; `InstanceError` says what is wrong."""
        try:
            given = {key: _tuples(value) for key, value in data.items()}
            given["receptacles"] = tuple(Receptacle(**entry) for entry in data["receptacles"])
            given["objects"] = tuple(
                Object(**{key: _tuples(value) for key, value in entry.items()}) for entry in data["objects"]
            )
            house = cls(**given)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise InstanceError(
                f"a house has receptacles, objects, a goal and so on; this one is spoilt: {error}"
            ) from error
        house.validate()
        return house

    def validate(self) -> None:
        """Raise `InstanceError` naming the thing that contradicts the rest."""
        if not self.receptacles or not 1 <= self.agents <= 4 or not 0 <= self.start < self.locations:
            raise InstanceError("a house has a receptacle, 1 to 4 agents, and a start among its locations")
        if self.goals and (len(self.goals) != self.agents or all_of(*self.goals) != self.goal):
            raise InstanceError(f"{len(self.goals)} goals; expected one an agent, and `goal` as their conjunction")
        if len(self.sentences) != len(self.goals):
            raise InstanceError(f"{len(self.sentences)} sentences for {len(self.goals)} goals; expected one a goal")
        for thing in self.receptacles:
            if not 0 <= thing.location < self.locations:
                raise InstanceError(f"{thing.name} is at location {thing.location}; there are {self.locations}")
            if thing.open and not thing.openable:
                raise InstanceError(f"{thing.name} is open but not openable")
        for item in self.objects:
            self._check_object(item)
        names = [thing.name for thing in self.receptacles] + [item.name for item in self.objects]
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise InstanceError(f"two things are called {twice!r}")
        taken = [index for index in self.held if index >= 0]
        if len(self.held) not in (0, self.agents) or len(set(taken)) != len(taken):
            raise InstanceError(f"held = {self.held}; expected one object (or -1) an agent, no object twice")
        for index in taken:
            if index >= len(self.objects) or self.objects[index].places:
                raise InstanceError(
                    f"object {index} is held, so it lies nowhere; got {self.objects[index : index + 1]}"
                )

    def _check_object(self, item: Object) -> None:
        for place in item.places:
            if not 0 <= place < len(self.receptacles):
                raise InstanceError(f"{item.name} lies in receptacle {place}; there are {len(self.receptacles)}")
        for location in item.at or ():
            if not 0 <= location < self.locations:
                raise InstanceError(f"{item.name} is at location {location}; there are {self.locations}")
        for given, known in ((item.can, AFFORDANCES), (item.state, FLAGS)):
            if given != tuple(name for name in known if name in given):
                raise InstanceError(f"{item.name} has {given}; expected names out of {known}, in that order")
        if "hot" in item.state and "cool" in item.state:
            raise InstanceError(f"{item.name} is both hot and cool")
        for outer in item.inside:
            if not 0 <= outer < len(self.objects):
                raise InstanceError(f"{item.name} lies in object {outer}; there are {len(self.objects)}")


def numbered(kinds: Iterable[str]) -> list[tuple[str, int]]:
    """Classes (one for each thing) in listing order with their numbers: class ascending, number descending."""
    ordered = sorted(kinds, key=str.lower)
    left = {kind: ordered.count(kind) for kind in ordered}
    found = []
    for kind in ordered:
        found.append((kind, left[kind]))
        left[kind] -= 1
    return found


def place_goal(kind: str, receptacle: str, states: tuple[str, ...] = (), count: int = 1) -> Goal:
    """`count` different objects of a class, each in all of `states` (of `FLAGS`), in the same receptacle of a class.

    For `states` the goal also asks for the affordance (`heatable` for `hot`), as ALFWorld's goals do.
    """
    able = {"hot": "heatable", "cool": "coolable", "clean": "cleanable", "sliced": "sliceable", "toggled": "toggleable"}
    names = [f"?o{i}" for i in range(count)]
    parts: list[Goal] = [("receptacleType", "?r", receptacle)]
    for i, name in enumerate(names):
        parts += [("objectType", name, kind), ("inReceptacle", name, "?r")]
        for state in states:
            parts += [(able[state], name), (f"is{state.capitalize()}", name)]
        parts += [("not", ("=", name, other)) for other in names[:i]]
    variables = (("?r", "receptacle"), *((name, "object") for name in names))
    return ("exists", variables, ("and", *parts))


def look_goal(kind: str, lamp: str) -> Goal:
    """Somebody holds an object of a class where a lamp of a class lies that has been switched on."""
    return (
        "exists",
        (("?t", "object"), ("?r", "receptacle"), ("?a", "agent"), ("?l", "location"), ("?o", "object")),
        (
            "and",
            ("objectType", "?t", lamp), ("toggleable", "?t"), ("isToggled", "?t"), ("inReceptacle", "?t", "?r"),
            ("receptacleAtLocation", "?r", "?l"), ("atLocation", "?a", "?l"),
            ("objectType", "?o", kind), ("holds", "?a", "?o"),
        ),
    )  # fmt: skip


def all_of(*goals: Goal) -> Goal:
    """The conjunction of goals."""
    return goals[0] if len(goals) == 1 else ("and", *goals)


def goal_classes(goal: Goal) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The classes of objects and of receptacles that a goal names, each once, in order."""
    objects: dict[str, None] = {}
    receptacles: dict[str, None] = {}

    def walk(part: Any) -> None:
        if isinstance(part, tuple):
            if len(part) == 3 and part[0] == "objectType":
                objects[part[2]] = None
            elif len(part) == 3 and part[0] == "receptacleType":
                receptacles[part[2]] = None
            for child in part:
                walk(child)

    walk(goal)
    return tuple(objects), tuple(receptacles)


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if type(value) is tuple else value


_FIELDS = {kind: tuple(field.name for field in dataclasses.fields(kind)) for kind in (Receptacle, Object, House)}


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list | tuple) else value
