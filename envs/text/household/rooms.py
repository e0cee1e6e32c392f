"""Layouts: which receptacles a room has, where they stand, and what its people leave where.

A layout is a pure function of the room, its number and its size. Numbers below `COMMON` belong to the splits `train` and
`seen`, the others to `unseen`. A layout of a room has all classes that the room needs, then receptacles drawn by the
table's weights and the layout's own taste; a larger layout of the same number has all classes of the smaller one.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib

import numpy as np

from ludarium.envs.core.rng import draw_below, episode_key
from ludarium.envs.text.household.classes import OPENABLE, PROCESSES, ROOMS, SLICEABLE, affordances
from ludarium.envs.text.household.instance import Receptacle, numbered
from ludarium.envs.text.household.placements import HOLDS, accepts, lies, stands

__all__ = [
    "COMMON", "LAYOUTS", "Layout", "choose", "combinations", "layout", "layouts_of", "owner", "targets",
]  # fmt: skip

LAYOUTS = 60
"""Layouts a room."""
COMMON = 40
"""Layouts of `train` and `seen`; the rest is `unseen`."""

_STREAM_TASTE, _STREAM_KIND, _STREAM_SHARE, _STREAM_HABIT = 401, 402, 403, 404
_BESIDE = {"CounterTop": "CoffeeMachine", "Toaster": "CounterTop", "Drawer": "Drawer", "Cabinet": "Cabinet"}
"""Classes that may share a location with one that is listed before: one stands before both."""


@dataclasses.dataclass(frozen=True, eq=False)
class Layout:
    """The receptacles of a room in listing order, without the things in them; made once, so equal means the same."""

    room: str
    number: int
    receptacles: tuple[Receptacle, ...]
    locations: int
    """Those of the receptacles, and the middle of the room as the last."""

    @functools.cached_property
    def kinds(self) -> frozenset[str]:
        """The classes that are there."""
        return frozenset(place.kind for place in self.receptacles)

    @functools.cached_property
    def holds(self) -> tuple[int, ...]:
        """How many objects each receptacle holds at the start of a game."""
        return tuple(HOLDS[place.kind] for place in self.receptacles)

    @functools.cached_property
    def places(self) -> dict[str, tuple[tuple[int, int], ...]]:
        """For each object class of the room: receptacles with weights above 0, as this layout's people are used to."""
        key = _key(self.room, self.number)
        found = {}
        for k, (kind, (_, weights)) in enumerate(lies(self.room).items()):
            found[kind] = tuple(
                (r, weights[place.kind] * (1 + draw_below(key, _STREAM_HABIT, k, r, 0, 4)))
                for r, place in enumerate(self.receptacles)
                if weights.get(place.kind, 0) > 0
            )
        return found


def _key(room: str, number: int) -> np.uint64:
    return np.uint64(episode_key(ROOMS.index(room) * 1000 + number))


@functools.lru_cache(maxsize=1024)
def layout(room: str, number: int, size: int) -> Layout:
    """The layout of this number with `size` receptacles."""
    key = _key(room, number)
    kinds = _drawn(room, key, size)
    places: list[Receptacle] = []
    for kind, count in numbered(kinds):
        places.append(Receptacle(kind, count, 0, kind in OPENABLE))
    return Layout(room, number, *_stand(places, key))


def _drawn(room: str, key: np.uint64, size: int) -> list[str]:
    """The classes that the room needs, then others by weight, without passing the table's most."""
    table = stands(room)
    kinds = [row.kind for row in table for _ in range(row.least)]
    left = [row.most - row.least for row in table]
    taste = [row.weight << draw_below(key, _STREAM_TASTE, k, 0, 0, 4) for k, row in enumerate(table)]
    for i in range(len(kinds), size):
        weights = [weight * (count > 0) for weight, count in zip(taste, left, strict=True)]
        k = choose(weights, draw_below(key, _STREAM_KIND, i, 0, 0, sum(weights)))
        kinds.append(table[k].kind)
        left[k] -= 1
    return kinds


def _stand(places: list[Receptacle], key: np.uint64) -> tuple[tuple[Receptacle, ...], int]:
    """Give each receptacle a location: its own, or that of one beside it."""
    at: list[int] = []
    used: set[int] = set()
    locations = 0
    for r, place in enumerate(places):
        beside = [
            other for other in range(len(at)) if places[other].kind == _BESIDE.get(place.kind) and at[other] not in used
        ]
        if beside and draw_below(key, _STREAM_SHARE, r, 0, 0, 4) == 0:
            at.append(at[beside[-1]])
            used.add(at[-1])
        else:
            at.append(locations)
            locations += 1
    return tuple(dataclasses.replace(place, location=at[r]) for r, place in enumerate(places)), locations + 1


def choose(weights: list[int] | tuple[int, ...], ticket: int) -> int:
    """The place whose span of the running sum holds the ticket (0 to sum - 1)."""
    for k, weight in enumerate(weights):
        ticket -= weight
        if ticket < 0:
            return k
    raise ValueError("the ticket is above the sum of the weights")


def layouts_of(split: str) -> range:
    """The numbers of a split's layouts."""
    return range(COMMON, LAYOUTS) if split == "unseen" else range(COMMON)


# --- what is asked for -------------------------------------------------------------------------------------------------
_CAN = {"clean": "cleanable", "heat": "heatable", "cool": "coolable"}


def owner(task: str, kind: str, target: str) -> str:
    """The split that a combination of task, object class and target class belongs to: `unseen`, or `train` (and `seen`).

    A quarter of all combinations is `unseen`, by a digest of the names.
    """
    digest = hashlib.blake2b(f"{task}/{kind}/{target}".encode(), digest_size=8).digest()
    return "unseen" if digest[0] % 4 == 0 else "train"


def targets(task: str, room: str, kind: str) -> tuple[str, ...]:
    """The classes that a task may name beside an object class in a room: receptacles, or lamps."""
    if task == "look":
        return tuple(lamp for lamp in ("DeskLamp", "FloorLamp") if lamp in lies(room))
    there = {row.kind for row in stands(room)}
    return tuple(sorted((accepts()[kind] & there) - {PROCESSES.get(task, "")}))


@functools.cache
def combinations(task: str, room: str, split: str, sliced: bool = False) -> tuple[tuple[str, str], ...]:
    """The pairs of object class and target class that a split asks for in a room."""
    wanted = "unseen" if split == "unseen" else "train"
    found = []
    for kind in lies(room):
        can = affordances(kind)
        if "pickupable" not in can or (task in _CAN and _CAN[task] not in can) or (sliced and kind not in SLICEABLE):
            continue
        found += [(kind, target) for target in targets(task, room, kind) if owner(task, kind, target) == wanted]
    return tuple(found)
