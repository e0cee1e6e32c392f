"""Cooking games from a seed: the house, its furniture, the foods, and the recipe."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel
from ludarium.envs.core.rng import below, draw
from ludarium.envs.text.cooking.tables import (
    ADJACENT,
    BBQ,
    COOKBOOK,
    COOKED,
    DOORS,
    FIXED,
    FLOOR_OF_ORCHARD,
    FOOD_COUNT,
    FOOD_PLACES,
    FOOD_SPLIT,
    FOOD_TRAITS,
    FURNITURE_ROOM,
    HOLDERS,
    ITEMS,
    KNIFE,
    MEAL,
    NEEDS_COOKING,
    NOT_COOKABLE,
    ORCHARD,
    RAW,
    ROOM_COUNT,
    TABLE,
    WORKTOP,
)  # fmt: skip

__all__ = ["ABSENT", "CONSUMED", "HELD", "ON", "lay_house", "place_things", "write_recipe"]

STREAM_ROOMS, STREAM_LOOPS, STREAM_FURNITURE, STREAM_FOODS, STREAM_PLACES, STREAM_PREPARATION, STREAM_START = range(
    1, 8
)
STREAM_RECIPE, STREAM_HELD, STREAM_DISTRACTORS, STREAM_TOOLS = range(8, 12)
ON, HELD, ABSENT, CONSUMED = ROOM_COUNT, 28, 29, 30
"""Where a thing is: 0 to 11 the floor of a room, 12 to 27 in or on furniture, held, nowhere, or eaten."""
_DOOR_OF = np.full((ROOM_COUNT, ROOM_COUNT), -1)
for _n, _door in enumerate(DOORS):
    _DOOR_OF[_door.rooms[0], _door.rooms[1]] = _DOOR_OF[_door.rooms[1], _door.rooms[0]] = _n
_GROUP_END = np.array([1, 6, 9, 12])
_TRIES = 1000
RECIPE_ROOM = 5


@kernel
def _step(direction: int) -> tuple[int, int]:
    return (1 if direction == 0 else -1 if direction == 3 else 0), (
        -1 if direction == 1 else 1 if direction == 2 else 0
    )


@kernel
def _room_at(place: NDArray[np.int8], laid: NDArray[np.bool_], x: int, y: int) -> int:
    for r in range(ROOM_COUNT):
        if laid[r] and place[r, 0] == x and place[r, 1] == y:
            return r
    return -1


@kernel
def _join(exits: NDArray[np.int8], doors: NDArray[np.int8], room: int, other: int, direction: int) -> None:
    exits[room, direction] = other
    exits[other, 3 - direction] = room
    doors[room, direction] = _DOOR_OF[room, other]
    doors[other, 3 - direction] = _DOOR_OF[room, other]


@kernel
def _lay_group(
    key: np.uint64, first: int, last: int, attempt: int, place: NDArray[np.int8], laid: NDArray[np.bool_],
    exits: NDArray[np.int8], doors: NDArray[np.int8],
) -> bool:  # fmt: skip
    """Lay the rooms `first` to `last` - 1, one after another, each beside one that may be its neighbour."""
    for n in range(first, last):
        found, room, other, side = 0, 0, 0, 0
        for r in range(last):
            for d in range(4):
                dx, dy = _step(d)
                x, y = np.int64(place[r, 0]) + dx, np.int64(place[r, 1]) + dy
                if not laid[r] or _room_at(place, laid, x, y) >= 0:
                    continue
                for k in range(first, last):
                    if not laid[k] and ADJACENT[r, k]:
                        found += 1
                        if below(draw(key, STREAM_ROOMS, n, attempt, found), found) == 0:
                            room, other, side = r, k, d
        if found == 0:
            return False
        dx, dy = _step(side)
        place[other, 0] = place[room, 0] + dx
        place[other, 1] = place[room, 1] + dy
        laid[other] = True
        _join(exits, doors, room, other, side)
    return True


@kernel
def lay_house(
    key: np.uint64, rooms: int, laid: NDArray[np.bool_], place: NDArray[np.int8], exits: NDArray[np.int8],
    doors: NDArray[np.int8],
) -> None:  # fmt: skip
    """Lay the first `rooms` rooms: places int8[R, 2], exits int8[R, 4] and doors int8[R, 4] (-1: none).

    Rooms that end up side by side and may be neighbours are joined, too, half of the time.
    """
    for attempt in range(_TRIES):
        laid[:] = False
        laid[0] = True
        place[:] = 0
        exits[:] = -1
        doors[:] = -1
        done = True
        for g in range(1, 4):
            if done and rooms >= _GROUP_END[g]:
                done = _lay_group(key, _GROUP_END[g - 1], _GROUP_END[g], attempt, place, laid, exits, doors)
        if done:
            break
    for r in range(rooms):
        for d in range(4):
            dx, dy = _step(d)
            other = _room_at(place, laid, np.int64(place[r, 0]) + dx, np.int64(place[r, 1]) + dy)
            if other > r and exits[r, d] < 0 and ADJACENT[r, other] and draw(key, STREAM_LOOPS, r, d, 0) & np.uint64(1):
                _join(exits, doors, r, other, d)


@kernel
def _preparations(food: int, cook: bool, cut: bool, grill: bool, out: NDArray[np.int64]) -> int:
    """Write the ways to prepare a food (4 * cooking + cutting) into int64[16]; return how many."""
    stage, count = FOOD_TRAITS[food, 0], 0
    for way in range(4):
        if way == 0 and (cook or stage == NEEDS_COOKING):
            continue
        if way > 0 and stage == NOT_COOKABLE:
            continue
        if way == 3 and not grill:
            continue
        for style in range(4):
            if (style > 0 and not FOOD_TRAITS[food, 1]) or (style == 0 and cut):
                continue
            out[count] = 4 * way + style
            count += 1
    return count


@kernel
def _place_of(key: np.uint64, food: int, rooms: int) -> int:
    """Where a food lies in a house of so many rooms, or -1: either of its places, each equally likely."""
    found, where = 0, -1
    for n in range(2):
        spot = FOOD_PLACES[food, n]
        if spot == FLOOR_OF_ORCHARD:
            fits, code = rooms > ORCHARD, ORCHARD
        else:
            fits, code = rooms > FURNITURE_ROOM[spot], ON + spot
        if fits:
            found += 1
            if below(draw(key, STREAM_PLACES, food, n, 0), found) == 0:
                where = code
    return where


@kernel
def _choose(
    key: np.uint64, stream: int, extra: int, able: NDArray[np.bool_], out: NDArray[np.int64], wanted: int
) -> int:
    """Choose up to `wanted` different foods of those `able` bool[F]; return how many."""
    count = 0
    while count < wanted:
        found, chosen = 0, -1
        for food in range(FOOD_COUNT):
            if able[food]:
                found += 1
                if below(draw(key, stream, count, food, extra), found) == 0:
                    chosen = food
        if found == 0:
            break
        able[chosen] = False
        out[count] = chosen
        count += 1
    return count


@kernel
def place_things(
    s: Any, c: Any, b: int, able: NDArray[np.bool_], chosen: NDArray[np.int64], ways: NDArray[np.int64]
) -> None:
    """Put furniture, tools and foods into the house of row b, and write the recipe's foods into `chosen`."""
    key = s.key[b]
    grill = c.go > FURNITURE_ROOM[BBQ]
    for h in range(HOLDERS):
        there = FURNITURE_ROOM[h] < c.go and (FIXED[h] or draw(key, STREAM_FURNITURE, h, 0, 0) & np.uint64(1))
        s.home[b, h] = FURNITURE_ROOM[h] if there else -1
    for i in range(ITEMS):
        s.where[b, i] = ABSENT
        s.stage[b, i] = FOOD_TRAITS[i, 0] if i < FOOD_COUNT else NOT_COOKABLE
        s.cut[b, i] = 0 if i < FOOD_COUNT and FOOD_TRAITS[i, 1] else 4
        s.edible[b, i] = i < FOOD_COUNT and FOOD_TRAITS[i, 2] != 0
        s.way[b, i] = 0
    s.stage[b, MEAL] = RAW
    s.edible[b, MEAL] = 1
    s.where[b, COOKBOOK] = ON + (TABLE if draw(key, STREAM_TOOLS, 0, 0, 0) & np.uint64(1) else WORKTOP)
    if c.cut or draw(key, STREAM_TOOLS, 1, 0, 0) & np.uint64(1):
        s.where[b, KNIFE] = ON + (TABLE if draw(key, STREAM_TOOLS, 2, 0, 0) & np.uint64(1) else WORKTOP)
    for food in range(FOOD_COUNT):
        mine = c.split == 3 or FOOD_SPLIT[food] == c.split
        able[food] = mine and _place_of(key, food, c.go) >= 0 and _preparations(food, c.cook, c.cut, grill, ways) > 0
    count = _choose(key, STREAM_FOODS, 0, able, chosen, c.recipe)
    for n in range(count):
        s.where[b, chosen[n]] = HELD if n >= c.take else _place_of(key, chosen[n], c.go)
    for food in range(FOOD_COUNT):
        mine = c.split == 3 or FOOD_SPLIT[food] == c.split
        able[food] = mine and s.where[b, food] == ABSENT and _place_of(key, food, c.go) >= 0
    more = below(draw(key, STREAM_DISTRACTORS, 0, 0, 0), c.recipe + 4)
    more = _choose(key, STREAM_DISTRACTORS, 1, able, chosen[RECIPE_ROOM:], more)
    for n in range(more):
        s.where[b, chosen[RECIPE_ROOM + n]] = _place_of(key, chosen[RECIPE_ROOM + n], c.go)


@kernel
def write_recipe(
    s: Any, c: Any, b: int, able: NDArray[np.bool_], chosen: NDArray[np.int64], ways: NDArray[np.int64]
) -> None:
    """Choose the ingredients anew where `recipe_seed` asks for it, and a preparation for each; do what need not be done."""
    key = s.key[b]
    grill = c.go > FURNITURE_ROOM[BBQ]
    if c.recipe_seed > 0:
        for food in range(FOOD_COUNT):
            able[food] = s.where[b, food] != ABSENT and _preparations(food, c.cook, c.cut, grill, ways) > 0
        _choose(key, STREAM_RECIPE, c.recipe_seed, able, chosen, c.recipe)
    chosen[: c.recipe] = np.sort(chosen[: c.recipe])
    s.recipe[b] = -1
    for n in range(c.recipe):
        food = chosen[n]
        count = _preparations(food, c.cook, c.cut, grill, ways)
        picked = ways[below(draw(key, STREAM_PREPARATION, food, c.recipe_seed, 0), count)]
        s.recipe[b, n, 0] = food
        s.recipe[b, n, 1] = picked // 4
        s.recipe[b, n, 2] = picked % 4
        if not c.cook and s.stage[b, food] != NOT_COOKABLE:
            s.stage[b, food] = COOKED
            s.way[b, food] = picked // 4
            s.edible[b, food] = 1
        if not c.cut and FOOD_TRAITS[food, 1]:
            s.cut[b, food] = picked % 4 if picked % 4 else 4
