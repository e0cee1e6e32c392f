"""A cooking game as a datum: the house, where everything is, and the recipe."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

from ludarium.envs.core.errors import InstanceError
from ludarium.envs.text.cooking import tables as t
from ludarium.envs.text.cooking.generate import ABSENT, HELD, ON

__all__ = ["Instance"]

_THINGS = ("where", "stage", "way", "cut", "edible")
_RANGE = {"where": ABSENT, "stage": t.COOKED, "way": 3, "cut": 4, "edible": 1}


@dataclasses.dataclass(frozen=True)
class Instance:
    """What a game begins with; numbers are those of `tables` and of the state's fields."""

    exits: tuple[tuple[int, ...], ...]
    doors: tuple[tuple[int, ...], ...]
    places: tuple[tuple[int, ...], ...]
    home: tuple[int, ...]
    lids: tuple[int, ...]
    door_open: tuple[int, ...]
    where: tuple[int, ...]
    stage: tuple[int, ...]
    way: tuple[int, ...]
    cut: tuple[int, ...]
    edible: tuple[int, ...]
    room: int
    limit: int
    recipe: tuple[tuple[int, ...], ...]

    @property
    def hash(self) -> str:
        """A BLAKE2b digest (32 hex digits) of the datum."""
        return hashlib.blake2b(json.dumps(self.as_data()).encode(), digest_size=16).hexdigest()

    def as_data(self) -> dict[str, Any]:
        """Plain JSON values; `from_data` is the inverse."""
        return {name: _listed(getattr(self, name)) for name in (f.name for f in dataclasses.fields(self))}

    @classmethod
    def from_data(cls, data: Any) -> Instance:
        """Read `as_data`'s form; `InstanceError` says what is wrong."""
        try:
            made = cls(**{field.name: _frozen(data[field.name]) for field in dataclasses.fields(cls)})
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise InstanceError(f"a cooking game is an object of numbers; got {data!r:.200} ({error!r:.80})") from error
        made.validate()
        return made

    def validate(self) -> None:
        """Raise `InstanceError` unless it is a game."""
        for name, shape in (
            ("exits", (t.ROOM_COUNT, 4)), ("doors", (t.ROOM_COUNT, 4)), ("places", (t.ROOM_COUNT, 2)),
            ("home", (t.HOLDERS,)), ("lids", (t.HOLDERS,)), ("door_open", (len(t.DOORS),)),
            *((name, (t.ITEMS,)) for name in _THINGS), ("recipe", (t.RECIPE, 3)),
        ):  # fmt: skip
            if not _shaped(getattr(self, name), shape):
                raise InstanceError(f"{name} has the wrong shape or type; expected integers of shape {shape}")
        for name, high in _RANGE.items():
            if not all(0 <= n <= high for n in getattr(self, name)):
                raise InstanceError(f"{name} holds a number that is not from 0 to {high}")
        if not all(-1 <= n < t.ROOM_COUNT for row in (*self.exits, self.home) for n in row):
            raise InstanceError("exits and home name rooms from 0 to 11, or -1")
        if not all(-1 <= n < len(t.DOORS) for row in self.doors for n in row):
            raise InstanceError(f"doors are numbers from 0 to {len(t.DOORS) - 1}, or -1")
        if not all(-100 <= n <= 100 for row in self.places for n in row):
            raise InstanceError("places are numbers from -100 to 100")
        if not all(n in (0, 1) for n in (*self.lids, *self.door_open)):
            raise InstanceError("lids and door_open are 0 or 1")
        if not _integer(self.room, 0, t.ROOM_COUNT - 1) or not _integer(self.limit, 1, 1000):
            raise InstanceError(
                f"room = {self.room!r:.20}, limit = {self.limit!r:.20}; expected 0 to 11, and 1 to 1000"
            )
        self._check_ways()
        self._check_things()

    def _check_ways(self) -> None:
        for room, row in enumerate(self.exits):
            for d, other in enumerate(row):
                if other < 0 and self.doors[room][d] >= 0:
                    raise InstanceError(f"a door without a way, from the {t.ROOMS[room]} to the {t.DIRECTIONS[d]}")
                if other >= 0 and (self.exits[other][3 - d], self.doors[other][3 - d]) != (room, self.doors[room][d]):
                    raise InstanceError(f"the way from the {t.ROOMS[room]} to the {t.DIRECTIONS[d]} does not lead back")
        ends = [d for row in self.doors for d in row if d >= 0]
        if any(ends.count(d) != 2 for d in ends):
            raise InstanceError("a door joins two rooms, once")

    def _check_things(self) -> None:
        asked = [food for food, _, _ in self.recipe if food >= 0]
        if not asked or len(set(asked)) != len(asked) or any(food >= t.FOOD_COUNT for food in asked):
            raise InstanceError("a recipe has one to five foods, no two alike")
        if not all(0 <= cook <= 3 and 0 <= cut <= 3 for food, cook, cut in self.recipe if food >= 0):
            raise InstanceError("cooking and cutting are numbers from 0 to 3")
        if self.where[t.MEAL] != ABSENT:
            raise InstanceError("the meal is not there at first")
        for item, at in enumerate(self.where):
            if ON <= at < HELD and (self.home[at - ON] < 0 or not (t.SUPPORTS[at - ON] or t.CONTAINS[at - ON])):
                raise InstanceError(f"the {t.ITEM_NAMES[item]} lies in or on furniture that is not there")
        for food in asked:
            if self.where[food] == ABSENT:
                raise InstanceError(f"the recipe needs {t.ITEM_NAMES[food]}, which is not there")
        if sum(at == HELD for at in self.where) > self.limit:
            raise InstanceError(f"more things are carried than limit = {self.limit}")


def _integer(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _shaped(value: Any, shape: tuple[int, ...]) -> bool:
    if not shape:
        return _integer(value, -(2**15), 2**15)
    return isinstance(value, tuple) and len(value) == shape[0] and all(_shaped(part, shape[1:]) for part in value)


def _listed(value: Any) -> Any:
    return [_listed(part) for part in value] if isinstance(value, tuple) else value


def _frozen(value: Any) -> Any:
    return tuple(_frozen(part) for part in value) if isinstance(value, list | tuple) else value
