"""The dynamics of the cooking games: the state, the scalars, and the compiled kernels over them.

The rules are those of TextWorld's cooking challenge; the family's README tells them, and the two differences.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel
from ludarium.envs.core.rng import episode_key
from ludarium.envs.core.state import COMMON, Field
from ludarium.envs.text.cooking.generate import ABSENT, CONSUMED, HELD, ON, lay_house, place_things, write_recipe
from ludarium.envs.text.cooking.tables import (
    APPLIANCES,
    BURNED,
    CLOSE,
    CLOSE_DOOR,
    CONTAINS,
    COOK,
    COOKBOOK,
    COOKED,
    CUT,
    DOORS,
    DRINK,
    DRINKABLE,
    DROP,
    EAT,
    EXAMINE,
    EXAMINE_ITEM,
    FIRST,
    GO,
    HOLDERS,
    INVENTORY,
    ITEMS,
    KITCHEN,
    KNIFE,
    LOOK,
    MEAL,
    NOT_COOKABLE,
    NUMBER,
    OPEN,
    OPEN_DOOR,
    PREPARE,
    PUT,
    RECIPE,
    ROOM_COUNT,
    SECOND,
    SUPPORTS,
    TAKE,
    TAKE_FROM,
    VERB,
)  # fmt: skip

__all__ = [
    "FAULTS",
    "SEEN",
    "Scalars",
    "State",
    "check",
    "fields",
    "is_here",
    "masks",
    "reset",
    "see",
    "sight",
    "step",
    "turn",
]

FAULTS = (
    "none", "no_exit", "closed", "no_such_thing_here", "already_so", "hands_full", "not_held", "cannot_be_cooked",
    "cannot_be_cut", "no_knife", "cannot_be_eaten", "wrong_room", "ingredient_missing", "not_prepared", "already_held",
)  # fmt: skip
(
    NO_EXIT, SHUT, NOT_HERE, SO_ALREADY, HANDS_FULL, NOT_HELD, NOT_FOR_COOKING, NOT_FOR_CUTTING, NO_KNIFE, NOT_FOR_EATING,
    WRONG_ROOM, MISSING, UNPREPARED, HELD_ALREADY,
) = range(1, 15)  # fmt: skip
LOADED = -2
DOOR_COUNT = len(DOORS)
SEEN = 1 + 4 + HOLDERS + 3 * ITEMS + 2 + 3 * RECIPE
FIRST_SIZE = 5 * ITEMS + HOLDERS + DOOR_COUNT + 1
TOOK, COOKED_RIGHT, CUT_RIGHT = 1, 2, 4
MADE, EATEN = 1 << 15, 1 << 16


class Scalars(NamedTuple):
    """The parameters that kernels read."""

    recipe: int
    take: int
    go: int
    open: bool
    cook: bool
    cut: bool
    drop: bool
    recipe_seed: int
    split: int
    max_steps: int


class State(NamedTuple):
    """A batch of episodes: R = 12 rooms, H = 16 pieces of furniture, I = 48 things, D = 7 doors."""

    key: NDArray[np.uint64]
    t: NDArray[np.int32]
    over: NDArray[np.bool_]
    live: NDArray[np.bool_]
    inst: NDArray[np.int32]
    room: NDArray[np.int8]
    """int8[B]: where the player is"""
    where: NDArray[np.int8]
    """int8[B, I]: 0 to 11 the floor of a room, 12 to 27 in or on furniture, 28 held, 29 nowhere, 30 eaten"""
    stage: NDArray[np.uint8]
    """uint8[B, I]: not cookable, raw, needs cooking, cooked, burned"""
    way: NDArray[np.uint8]
    """uint8[B, I]: how it was cooked: not, fried, roasted, grilled"""
    cut: NDArray[np.uint8]
    """uint8[B, I]: uncut, chopped, sliced, diced; 4: cannot be cut"""
    edible: NDArray[np.uint8]
    """uint8[B, I]"""
    lid: NDArray[np.uint8]
    """uint8[B, H]: 1 where a container stands open"""
    door: NDArray[np.uint8]
    """uint8[B, D]: 1 where a door stands open"""
    earned: NDArray[np.int32]
    """int32[B]: the points that were earned, as bits: three an ingredient, then prepared (15) and eaten (16)"""
    lost: NDArray[np.uint8]
    """uint8[B]: 1 when an ingredient or the meal is spoilt"""
    read: NDArray[np.uint8]
    """uint8[B]: 1 when the cookbook was read"""
    faults: NDArray[np.int32]
    """int32[B]: actions without effect so far"""
    exits: NDArray[np.int8]
    """int8[B, R, 4]: the room there, or -1"""
    doors: NDArray[np.int8]
    """int8[B, R, 4]: the door in that way, or -1"""
    place: NDArray[np.int8]
    """int8[B, R, 2]: x and y of each room"""
    home: NDArray[np.int8]
    """int8[B, H]: the room of each piece of furniture, or -1"""
    recipe: NDArray[np.int8]
    """int8[B, 5, 3]: ingredient (-1: none), cooking, cutting"""
    limit: NDArray[np.int16]
    """int16[B]: how many things the player can carry"""
    offered: NDArray[np.int32]
    """int32[B]: the points that can be earned, as bits"""
    first: NDArray[np.int8]
    """int8[B, ...]: where, stage, way, cut, edible, lids, doors and the player's room at first"""
    seen: NDArray[np.bool_]
    """bool[B, R]: the rooms where the player was"""
    last: NDArray[np.int16]
    """int16[B]: the last action, or -1"""
    said: NDArray[np.int16]
    """int16[B]: the fault of the last action"""
    laid: NDArray[np.bool_]
    able: NDArray[np.bool_]
    chosen: NDArray[np.int64]
    ways: NDArray[np.int64]


def fields() -> tuple[Field, ...]:
    """The layout of a state."""
    things = [Field(name, np.uint8, (ITEMS,)) for name in ("stage", "way", "cut", "edible")]
    return (
        *COMMON(1), Field("room", np.int8), Field("where", np.int8, (ITEMS,)), *things,
        Field("lid", np.uint8, (HOLDERS,)), Field("door", np.uint8, (DOOR_COUNT,)), Field("earned", np.int32),
        Field("lost", np.uint8), Field("read", np.uint8), Field("faults", np.int32),
        Field("exits", np.int8, (ROOM_COUNT, 4), "derived"), Field("doors", np.int8, (ROOM_COUNT, 4), "derived"),
        Field("place", np.int8, (ROOM_COUNT, 2), "derived"), Field("home", np.int8, (HOLDERS,), "derived"),
        Field("recipe", np.int8, (RECIPE, 3), "derived"), Field("limit", np.int16, (), "derived"),
        Field("offered", np.int32, (), "derived"), Field("first", np.int8, (FIRST_SIZE,), "derived"),
        Field("seen", np.bool_, (ROOM_COUNT,), "derived"),
        Field("last", np.int16, (), "derived"), Field("said", np.int16, (), "derived"),
        Field("laid", np.bool_, (ROOM_COUNT,), "scratch"), Field("able", np.bool_, (ITEMS,), "scratch"),
        Field("chosen", np.int64, (ITEMS,), "scratch"), Field("ways", np.int64, (16,), "scratch"),
    )  # fmt: skip


@kernel
def _pack(s: State, b: int, back: bool) -> None:
    """Copy what a game begins with into `first`, or back from it."""
    for i in range(ITEMS):
        if back:
            s.where[b, i] = s.first[b, i]
            s.stage[b, i] = s.first[b, ITEMS + i]
            s.way[b, i] = s.first[b, 2 * ITEMS + i]
            s.cut[b, i] = s.first[b, 3 * ITEMS + i]
            s.edible[b, i] = s.first[b, 4 * ITEMS + i]
        else:
            s.first[b, i] = s.where[b, i]
            s.first[b, ITEMS + i] = s.stage[b, i]
            s.first[b, 2 * ITEMS + i] = s.way[b, i]
            s.first[b, 3 * ITEMS + i] = s.cut[b, i]
            s.first[b, 4 * ITEMS + i] = s.edible[b, i]
    at = 5 * ITEMS
    for h in range(HOLDERS):
        if back:
            s.lid[b, h] = s.first[b, at + h]
        else:
            s.first[b, at + h] = s.lid[b, h]
    for d in range(DOOR_COUNT):
        if back:
            s.door[b, d] = s.first[b, at + HOLDERS + d]
        else:
            s.first[b, at + HOLDERS + d] = s.door[b, d]
    if back:
        s.room[b] = s.first[b, FIRST_SIZE - 1]
    else:
        s.first[b, FIRST_SIZE - 1] = s.room[b]


@kernel
def _offer(s: State, b: int) -> None:
    """The points of this game: for each ingredient that must be taken, cooked or cut; for the meal, made and eaten."""
    points = MADE | EATEN
    for n in range(RECIPE):
        food = np.int64(s.recipe[b, n, 0])
        if food < 0:
            continue
        if s.where[b, food] != HELD:
            points |= TOOK << (3 * n)
        if s.recipe[b, n, 1] > 0 and s.way[b, food] != s.recipe[b, n, 1]:
            points |= COOKED_RIGHT << (3 * n)
        if s.recipe[b, n, 2] > 0 and s.cut[b, food] != s.recipe[b, n, 2]:
            points |= CUT_RIGHT << (3 * n)
    s.offered[b] = points


@kernel
def reset(s: State, c: Scalars, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
    """Begin episodes in the rows of `which`: drawn from the seed (slot -1), or where `load` put them (slot -2)."""
    for b in range(which.shape[0]):
        if not which[b]:
            continue
        s.key[b] = episode_key(seeds[b])
        if slots[b] == LOADED:
            _pack(s, b, True)
        else:
            lay_house(s.key[b], c.go, s.laid, s.place[b], s.exits[b], s.doors[b])
            place_things(s, c, b, s.able, s.chosen, s.ways)
            write_recipe(s, c, b, s.able, s.chosen, s.ways)
            for h in range(HOLDERS):
                s.lid[b, h] = CONTAINS[h] and not c.open
            for d in range(DOOR_COUNT):
                s.door[b, d] = not c.open
            s.room[b] = np.int64((np.uint64(s.key[b]) >> np.uint64(17)) % np.uint64(c.go))
            s.limit[b] = (c.recipe + (c.recipe == 1 and c.cut)) if c.drop else ITEMS
            _pack(s, b, False)
        _offer(s, b)
        s.seen[b] = False
        s.seen[b, np.int64(s.room[b])] = True
        s.inst[b] = slots[b]
        s.t[b] = 0
        s.over[b] = False
        s.live[b] = True
        s.earned[b] = 0
        s.lost[b] = 0
        s.read[b] = 0
        s.faults[b] = 0
        s.last[b] = -1
        s.said[b] = 0


@kernel
def is_here(s: State, b: int, item: int) -> bool:
    """Whether a thing lies in sight: on the floor, on furniture, or in an open container of the player's room."""
    at = np.int64(s.where[b, item])
    if at < ON:
        return at == s.room[b]
    if at >= HELD:
        return False
    h = at - ON
    return s.home[b, h] == s.room[b] and (SUPPORTS[h] or s.lid[b, h] == 1)


@kernel
def _carried(s: State, b: int) -> int:
    count = 0
    for i in range(ITEMS):
        count += s.where[b, i] == HELD
    return count


@kernel
def _unready(s: State, b: int) -> int:
    """Why the meal cannot be prepared in row b, or 0."""
    if s.room[b] != KITCHEN:
        return WRONG_ROOM
    if s.where[b, MEAL] != ABSENT:
        return SO_ALREADY
    for n in range(RECIPE):
        food = np.int64(s.recipe[b, n, 0])
        if food < 0:
            continue
        if s.where[b, food] != HELD:
            return MISSING
        cut = 0 if s.cut[b, food] == 4 else np.int64(s.cut[b, food])
        if s.way[b, food] != s.recipe[b, n, 1] or cut != s.recipe[b, n, 2]:
            return UNPREPARED
    return 0


@kernel
def _fault_of_thing(s: State, b: int, verb: int, item: int, other: int) -> int:
    """The fault of an action with a thing, or 0."""
    held = s.where[b, item] == HELD
    if verb == EXAMINE_ITEM:
        return 0 if held or is_here(s, b, item) else NOT_HERE
    if verb in (TAKE, TAKE_FROM):
        if held:
            return HELD_ALREADY
        spot = np.int64(s.room[b]) if verb == TAKE else ON + other
        if s.where[b, item] != spot or not is_here(s, b, item):
            return NOT_HERE
        return HANDS_FULL if _carried(s, b) >= s.limit[b] else 0
    if not held:
        return NOT_HELD
    if verb == PUT:
        if s.home[b, other] != s.room[b]:
            return NOT_HERE
        return 0 if SUPPORTS[other] or s.lid[b, other] else SHUT
    if verb == COOK:
        if s.home[b, APPLIANCES[other - 1]] != s.room[b]:
            return NOT_HERE
        return NOT_FOR_COOKING if s.stage[b, item] in (NOT_COOKABLE, BURNED) else 0
    if verb == CUT:
        if s.where[b, KNIFE] != HELD:
            return NO_KNIFE
        return 0 if s.cut[b, item] == 0 else NOT_FOR_CUTTING
    if verb == EAT:
        return 0 if s.edible[b, item] else NOT_FOR_EATING
    return 0  # drop and drink


@kernel
def _fault(s: State, b: int, action: int) -> int:
    """The fault of an action in row b, or 0."""
    verb, a, other = VERB[action], FIRST[action], SECOND[action]
    room = np.int64(s.room[b])
    if verb in (LOOK, INVENTORY):
        return 0
    if verb == PREPARE:
        return _unready(s, b)
    if verb == GO:
        if s.exits[b, room, a] < 0:
            return NO_EXIT
        door = np.int64(s.doors[b, room, a])
        return SHUT if door >= 0 and not s.door[b, door] else 0
    if verb in (OPEN_DOOR, CLOSE_DOOR):
        for d in range(4):
            if s.doors[b, room, d] == a:
                return 0 if (s.door[b, a] == 1) == (verb == CLOSE_DOOR) else SO_ALREADY
        return NOT_HERE
    if verb in (OPEN, CLOSE, EXAMINE):
        if s.home[b, a] != room:
            return NOT_HERE
        return 0 if verb == EXAMINE or (s.lid[b, a] == 1) == (verb == CLOSE) else SO_ALREADY
    return _fault_of_thing(s, b, verb, a, other)


@kernel
def check(s: State, actions: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """Write the faults that `step` would find (`fault` int16[B, 1]), changing nothing."""
    for b in range(s.t.shape[0]):
        if not s.over[b]:
            fault[b, 0] = _fault(s, b, actions[b, 0])


@kernel
def _earn(s: State, b: int, bit: int) -> float:
    """Score a point once, if the game has it."""
    if s.offered[b] & bit and not s.earned[b] & bit:
        s.earned[b] |= bit
        return 1.0
    return 0.0


@kernel
def _use(s: State, b: int, verb: int, item: int, other: int) -> float:
    """Take, cook, cut, eat or drink a thing; return the points, and note whether the game is lost."""
    n = -1
    for k in range(RECIPE):
        if s.recipe[b, k, 0] == item:
            n = k
    if verb in (TAKE, TAKE_FROM):
        s.where[b, item] = HELD
        return _earn(s, b, TOOK << (3 * n)) if n >= 0 else 0.0
    if verb == COOK:
        if s.stage[b, item] == COOKED:
            s.stage[b, item] = BURNED
            s.edible[b, item] = 0
            s.lost[b] |= n >= 0 or item == MEAL
            return 0.0
        s.stage[b, item] = COOKED
        s.way[b, item] = other
        s.edible[b, item] = 1
        if n < 0:
            return 0.0
        if s.recipe[b, n, 1] != other:
            s.lost[b] = 1
            return 0.0
        return _earn(s, b, COOKED_RIGHT << (3 * n))
    if verb == CUT:
        s.cut[b, item] = other
        if n < 0:
            return 0.0
        if s.recipe[b, n, 2] != other:
            s.lost[b] = 1
            return 0.0
        return _earn(s, b, CUT_RIGHT << (3 * n))
    s.where[b, item] = CONSUMED
    s.lost[b] |= n >= 0
    return _earn(s, b, EATEN) if item == MEAL else 0.0


@kernel
def _apply(s: State, b: int, action: int) -> float:
    """Do an action without a fault; return the points."""
    verb, a, other = VERB[action], FIRST[action], SECOND[action]
    if verb == GO:
        s.room[b] = s.exits[b, np.int64(s.room[b]), a]
        s.seen[b, np.int64(s.room[b])] = True
    elif verb in (OPEN_DOOR, CLOSE_DOOR):
        s.door[b, a] = verb == OPEN_DOOR
    elif verb in (OPEN, CLOSE):
        s.lid[b, a] = verb == OPEN
    elif verb == EXAMINE_ITEM:
        s.read[b] |= a == COOKBOOK
    elif verb == DROP:
        s.where[b, a] = s.room[b]
    elif verb == PUT:
        s.where[b, a] = ON + other
    elif verb == PREPARE:
        for n in range(RECIPE):
            if s.recipe[b, n, 0] >= 0:
                s.where[b, np.int64(s.recipe[b, n, 0])] = ABSENT
        s.where[b, MEAL] = HELD
        return _earn(s, b, MADE)
    elif verb >= TAKE:
        return _use(s, b, verb, a, other)
    return 0.0


@kernel
def step(
    s: State,
    c: Scalars,
    actions: NDArray[np.int64],
    reward: NDArray[np.float64],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    fault: NDArray[np.int16],
) -> None:
    """Advance every row that is not over by one action, int64[B, 1]."""
    for b in range(s.t.shape[0]):
        if s.over[b]:
            continue
        action = actions[b, 0]
        code = _fault(s, b, action)
        s.t[b] += 1
        s.last[b] = action
        s.said[b] = code
        fault[b, 0] = code
        reward[b, 0] = 0.0
        if code:
            s.faults[b] += 1
        else:
            reward[b, 0] = _apply(s, b, action)
        finished = s.lost[b] == 1 or s.earned[b] & EATEN != 0
        terminated[b, 0] = finished
        truncated[b] = not finished and s.t[b] >= c.max_steps
        if finished or truncated[b]:
            s.over[b] = True
            s.live[b] = False


@kernel
def _mask_held(s: State, b: int, i: int, cutter: bool, out: NDArray[np.int8]) -> None:
    """Allow what can be done with a thing in hand."""
    out[NUMBER[EXAMINE_ITEM, i, 0]] = 1
    out[NUMBER[DROP, i, 0]] = 1
    for h in range(HOLDERS):
        if s.home[b, h] == s.room[b] and (SUPPORTS[h] or s.lid[b, h] == 1):
            out[NUMBER[PUT, i, h]] = 1
    if i in (KNIFE, COOKBOOK):
        return
    if s.stage[b, i] != NOT_COOKABLE and s.stage[b, i] != BURNED:
        for a in range(3):
            if s.home[b, APPLIANCES[a]] == s.room[b]:
                out[NUMBER[COOK, i, a + 1]] = 1
    if cutter and s.cut[b, i] == 0:
        for k in range(1, 4):
            out[NUMBER[CUT, i, k]] = 1
    if s.edible[b, i]:
        out[NUMBER[EAT, i, 0]] = 1
    if DRINKABLE[i]:
        out[NUMBER[DRINK, i, 0]] = 1


@kernel
def _mask_room(s: State, b: int, out: NDArray[np.int8]) -> None:
    """Allow what can be done with ways, doors and furniture."""
    room = np.int64(s.room[b])
    for d in range(4):
        door = np.int64(s.doors[b, room, d])
        if door >= 0:
            out[NUMBER[CLOSE_DOOR if s.door[b, door] else OPEN_DOOR, door, 0]] = 1
        if s.exits[b, room, d] >= 0 and (door < 0 or s.door[b, door]):
            out[NUMBER[GO, d, 0]] = 1
    for h in range(HOLDERS):
        if s.home[b, h] == room:
            out[NUMBER[EXAMINE, h, 0]] = 1
            if CONTAINS[h]:
                out[NUMBER[CLOSE if s.lid[b, h] else OPEN, h, 0]] = 1


@kernel
def masks(s: State, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
    """Write int8[B, n, A]: the actions without a fault."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            if seats[b, n] < 0:
                continue
            row = out[b, n]
            row[:] = 0
            row[NUMBER[LOOK, 0, 0]] = 1
            row[NUMBER[INVENTORY, 0, 0]] = 1
            row[NUMBER[PREPARE, 0, 0]] = _unready(s, b) == 0
            _mask_room(s, b, row)
            free = _carried(s, b) < s.limit[b]
            cutter = s.where[b, KNIFE] == HELD
            for i in range(ITEMS):
                at = np.int64(s.where[b, i])
                if at == HELD:
                    _mask_held(s, b, i, cutter, row)
                elif is_here(s, b, i):
                    row[NUMBER[EXAMINE_ITEM, i, 0]] = 1
                    if free:
                        row[NUMBER[TAKE, i, 0] if at < ON else NUMBER[TAKE_FROM, i, at - ON]] = 1


@kernel
def see(s: State, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
    """Write int8[B, n, SEEN]: what is in sight now, and the recipe once it was read; the family's page has the places."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            if seats[b, n] < 0:
                continue
            row = out[b, n]
            row[:] = 0
            room = np.int64(s.room[b])
            row[0] = room
            for d in range(4):
                door = np.int64(s.doors[b, room, d])
                if s.exits[b, room, d] >= 0:
                    row[1 + d] = 1 if door < 0 else 2 + s.door[b, door]
            at = 5
            for h in range(HOLDERS):
                if s.home[b, h] == room:
                    row[at + h] = 1 if not CONTAINS[h] else 2 + s.lid[b, h]
            at += HOLDERS
            for i in range(ITEMS):
                place = np.int64(s.where[b, i])
                if place == HELD or is_here(s, b, i):
                    row[at + 3 * i] = 2 if place == HELD else 1 if place < ON else 3 + place - ON
                    row[at + 3 * i + 1] = 4 + s.stage[b, i] if s.stage[b, i] != COOKED else s.way[b, i]
                    row[at + 3 * i + 2] = s.cut[b, i]
            at += 3 * ITEMS
            row[at] = min(s.limit[b], ITEMS)
            row[at + 1] = s.read[b]
            if s.read[b]:
                for k in range(RECIPE):
                    row[at + 2 + 3 * k] = s.recipe[b, k, 0] + 1
                    row[at + 3 + 3 * k] = max(s.recipe[b, k, 1], 0)
                    row[at + 4 + 3 * k] = max(s.recipe[b, k, 2], 0)


@kernel
def turn(
    s: State,
    c: Scalars,
    actions: NDArray[np.int64],
    reward: NDArray[np.float64],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    fault: NDArray[np.int16],
    seats: NDArray[np.int32],
    mask: NDArray[np.int8],
) -> None:
    """A step and the masks after it, in one call."""
    step(s, c, actions, reward, terminated, truncated, fault)
    masks(s, seats, mask)


@kernel
def sight(s: State, b: int, out: NDArray[np.int64]) -> int:
    """Write the things in sight or in hand as rows (where, number of the name) of int64[I, 2]; return how many.

    The name of thing i in stage, way and cut has the number ((stage * 4 + way) * 5 + cut) * I + i.
    """
    count = 0
    for i in range(ITEMS):
        if s.where[b, i] == HELD or is_here(s, b, i):
            out[count, 0] = s.where[b, i]
            form = (np.int64(s.stage[b, i]) * 4 + np.int64(s.way[b, i])) * 5 + np.int64(s.cut[b, i])
            out[count, 1] = form * ITEMS + i
            count += 1
    return count
