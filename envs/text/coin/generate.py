"""Maps of the coin games: a chain of rooms that never crosses itself, and rooms that lead astray.

All rooms lie on a lattice, no two at one place. Rooms of the chain, and all rooms of the `random` mode, are three
places from their neighbours; a dead end of the `simple` mode is one place from its own room, so that it is in nobody's
way, wherever the chain turns.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel
from ludarium.envs.core.errors import InstanceError
from ludarium.envs.core.rng import below, draw

__all__ = ["CLOSED", "DIRECTIONS", "DOOR_STATES", "FREE", "OPEN", "WALL", "Instance", "draw_map"]

DIRECTIONS = ("east", "north", "south", "west")
"""In alphabetical order; the way back from direction d is 3 - d."""
DOOR_STATES = WALL, FREE, CLOSED, OPEN = 0, 1, 2, 3
STREAM_CHAIN, STREAM_ASTRAY = 1, 2
_SPACING = 3
_TRIES = 200


@kernel
def _taken(place: NDArray[np.int16], count: int, x: int, y: int) -> bool:
    """Whether one of the first `count` rooms lies at (x, y)."""
    for i in range(count):  # noqa: SIM110  (a kernel)
        if place[i, 0] == x and place[i, 1] == y:
            return True
    return False


@kernel
def _step_x(direction: int) -> int:
    return 1 if direction == 0 else -1 if direction == 3 else 0


@kernel
def _step_y(direction: int) -> int:
    return -1 if direction == 1 else 1 if direction == 2 else 0


@kernel
def _join(
    place: NDArray[np.int16], exits: NDArray[np.int16], way: NDArray[np.uint8],
    room: int, other: int, direction: int, distance: int, kind: int,
) -> None:  # fmt: skip
    """Lay the room `other` beside `room`."""
    place[other, 0] = place[room, 0] + distance * _step_x(direction)
    place[other, 1] = place[room, 1] + distance * _step_y(direction)
    exits[room, direction] = other
    exits[other, 3 - direction] = room
    way[room, direction] = kind
    way[other, 3 - direction] = kind


@kernel
def _free_sides(place: NDArray[np.int16], exits: NDArray[np.int16], count: int, room: int, distance: int) -> int:
    """The directions in which a room may be laid beside `room`, as bits."""
    free = 0
    for d in range(4):
        x = np.int64(place[room, 0]) + distance * _step_x(d)
        y = np.int64(place[room, 1]) + distance * _step_y(d)
        if exits[room, d] < 0 and not _taken(place, count, x, y):
            free |= 1 << d
    return free


@kernel
def _pick(bits: int, chance: np.uint64) -> int:
    """One of the bits that are set, each equally likely."""
    count = 0
    for d in range(4):
        count += (bits >> d) & 1
    n = below(chance, count)
    for d in range(4):
        if (bits >> d) & 1:
            if n == 0:
                return d
            n -= 1
    return 0


@kernel
def draw_map(
    key: np.uint64, chain: int, rooms: int, wild: bool, doors: bool,
    place: NDArray[np.int16], exits: NDArray[np.int16], way: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Lay `rooms` rooms: places int16[R, 2], exits int16[R, 4] (-1: none) and ways uint8[R, 4].

    Rooms 0 to `chain` - 1 are the chain. It walks at random, and begins anew when it has shut itself in.
    """
    kind = CLOSED if doors else FREE
    for attempt in range(_TRIES):
        place[:] = 0
        exits[:] = -1
        way[:] = WALL
        laid = 1
        while laid < chain:
            free = _free_sides(place, exits, laid, laid - 1, _SPACING)
            if free == 0:
                break
            side = _pick(free, draw(key, STREAM_CHAIN, laid, attempt, 0)) if attempt + 1 < _TRIES else 0
            _join(place, exits, way, laid - 1, laid, side, _SPACING, kind)
            laid += 1
        if laid == chain:
            break
    attempt = 0
    for other in range(chain, rooms):
        while True:
            room = below(draw(key, STREAM_ASTRAY, other, attempt, 0), other) if wild else (other + attempt) % chain
            distance = _SPACING if wild else 1
            free = _free_sides(place, exits, other, room, distance)
            if free:
                side = _pick(free, draw(key, STREAM_ASTRAY, other, attempt, 1))
                _join(place, exits, way, room, other, side, distance, kind)
                break
            attempt += 1


@dataclasses.dataclass(frozen=True)
class Instance:
    """A map: exits by room and direction (east, north, south, west; -1: none), ways, places, start and coin."""

    exits: tuple[tuple[int, ...], ...]
    ways: tuple[tuple[int, ...], ...]
    """0 wall, 1 free, 2 closed door, 3 open door; equal from both sides"""
    places: tuple[tuple[int, ...], ...]
    """x and y of each room, for the picture"""
    start: int
    coin: int

    @property
    def hash(self) -> str:
        """A BLAKE2b digest (32 hex digits) of the datum."""
        return hashlib.blake2b(json.dumps(self.as_data()).encode(), digest_size=16).hexdigest()

    def as_data(self) -> dict[str, Any]:
        """Plain JSON values; `from_data` is the inverse."""
        return {
            "exits": [list(row) for row in self.exits],
            "ways": [list(row) for row in self.ways],
            "places": [list(row) for row in self.places],
            "start": self.start,
            "coin": self.coin,
        }

    @classmethod
    def from_data(cls, data: Any) -> Instance:
        """Read `as_data`'s form; `InstanceError` says what is wrong."""
        try:
            rows = [tuple(tuple(int(n) for n in row) for row in data[name]) for name in ("exits", "ways", "places")]
            made = cls(rows[0], rows[1], rows[2], int(data["start"]), int(data["coin"]))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InstanceError(f"a map has exits, ways, places, start and coin; got {data!r:.200}") from error
        made.validate()
        return made

    def validate(self) -> None:
        """Raise `InstanceError` unless it is a map: ways in pairs, and the coin in reach."""
        count = len(self.exits)
        shapes = {len(row) for row in (*self.exits, *self.ways)}, {len(row) for row in self.places}
        if not count or len(self.ways) != count or len(self.places) != count or shapes != ({4}, {2}):
            raise InstanceError("a map has at least one room, each with four exits, four ways and a place")
        if not (0 <= self.start < count and 0 <= self.coin < count):
            raise InstanceError(f"start {self.start} and coin {self.coin} are not both among the {count} rooms")
        if any(abs(n) > 10_000 for row in self.places for n in row):
            raise InstanceError("places are numbers from -10,000 to 10,000")
        for room in range(count):
            for d, (other, kind) in enumerate(zip(self.exits[room], self.ways[room], strict=True)):
                if not -1 <= other < count or kind not in DOOR_STATES or (other < 0) != (kind == WALL):
                    raise InstanceError(f"room {room} has exit {other} and way {kind} to the {DIRECTIONS[d]}")
                if other >= 0 and (self.exits[other][3 - d] != room or self.ways[other][3 - d] != kind):
                    raise InstanceError(f"the way from room {room} to the {DIRECTIONS[d]} does not lead back")
        seen, edge = {self.start}, [self.start]
        while edge:
            edge = [n for room in edge for n in self.exits[room] if n >= 0 and n not in seen and not seen.add(n)]  # type: ignore[func-returns-value]
        if self.coin not in seen:
            raise InstanceError("no way leads from the start to the coin")
