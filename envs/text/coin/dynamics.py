"""The dynamics of the coin games: the state, the scalars, and the compiled kernels over them.

Actions are numbered in the alphabetical order of their commands (`COMMANDS`), so that a mask lists them sorted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel
from ludarium.envs.core.rng import episode_key
from ludarium.envs.core.state import COMMON, Field
from ludarium.envs.text.coin.generate import CLOSED, DIRECTIONS, OPEN, WALL, draw_map

__all__ = [
    "ACTIONS", "COMMANDS", "FAULTS", "SEEN", "Scalars", "State", "check", "fields", "masks", "reset", "see", "step", "turn",
]  # fmt: skip

COMMANDS = (
    *(f"close door to {d}" for d in DIRECTIONS), "examine coin", *(f"go {d}" for d in DIRECTIONS), "inventory",
    "look", *(f"open door to {d}" for d in DIRECTIONS), "take coin",
)  # fmt: skip
"""The command of each action."""
CLOSE, EXAMINE, GO, INVENTORY, LOOK, UNLATCH, TAKE = 0, 4, 5, 9, 10, 11, 15
ACTIONS = len(COMMANDS)
FAULTS = ("none", "no_exit", "door_is_closed", "no_door", "door_is_open", "not_here")
NO_EXIT, SHUT, NO_DOOR, AJAR, NOT_HERE = 1, 2, 3, 4, 5
LOADED = -2
SEEN = 6
NAMES = 300


class Scalars(NamedTuple):
    """The parameters that kernels read."""

    chain: int
    rooms: int
    wild: bool
    doors: bool
    max_steps: int


class State(NamedTuple):
    """A batch of episodes of R rooms."""

    key: NDArray[np.uint64]
    t: NDArray[np.int32]
    over: NDArray[np.bool_]
    live: NDArray[np.bool_]
    inst: NDArray[np.int32]
    room: NDArray[np.int16]
    """int16[B]: where the player is"""
    held: NDArray[np.uint8]
    """uint8[B]: 1 when the coin is taken"""
    way: NDArray[np.uint8]
    """uint8[B, R, 4]: wall, free, closed door, open door"""
    faults: NDArray[np.int32]
    """int32[B]: actions without effect so far"""
    exits: NDArray[np.int16]
    """int16[B, R, 4]: the room there, or -1"""
    first: NDArray[np.uint8]
    """uint8[B, R, 4]: the ways as they were at first"""
    place: NDArray[np.int16]
    """int16[B, R, 2]: x and y of each room"""
    size: NDArray[np.int16]
    """int16[B]: rooms of this map"""
    start: NDArray[np.int16]
    """int16[B]"""
    coin: NDArray[np.int16]
    """int16[B]: the coin's room"""
    seen: NDArray[np.bool_]
    """bool[B, R]: the rooms where the player was"""
    last: NDArray[np.int16]
    """int16[B]: the last action, or -1"""
    said: NDArray[np.int16]
    """int16[B]: the fault of the last action"""


def fields(rooms: int) -> tuple[Field, ...]:
    """The layout of a state."""
    return (
        *COMMON(1), Field("room", np.int16), Field("held", np.uint8), Field("way", np.uint8, (rooms, 4)),
        Field("faults", np.int32), Field("exits", np.int16, (rooms, 4), "derived"),
        Field("first", np.uint8, (rooms, 4), "derived"), Field("place", np.int16, (rooms, 2), "derived"),
        Field("size", np.int16, (), "derived"), Field("start", np.int16, (), "derived"),
        Field("coin", np.int16, (), "derived"), Field("seen", np.bool_, (rooms,), "derived"),
        Field("last", np.int16, (), "derived"),
        Field("said", np.int16, (), "derived"),
    )  # fmt: skip


@kernel
def reset(s: State, c: Scalars, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
    """Begin episodes in the rows of `which`: drawn from the seed (slot -1), or where `load` put them (slot -2)."""
    for b in range(which.shape[0]):
        if not which[b]:
            continue
        s.key[b] = episode_key(seeds[b])
        if slots[b] != LOADED:
            draw_map(s.key[b], c.chain, c.rooms, c.wild, c.doors, s.place[b], s.exits[b], s.first[b])
            s.size[b] = c.rooms
            s.start[b] = 0
            s.coin[b] = c.chain - 1
        s.way[b] = s.first[b]
        s.inst[b] = slots[b]
        s.t[b] = 0
        s.over[b] = False
        s.live[b] = True
        s.room[b] = s.start[b]
        s.seen[b] = False
        s.seen[b, np.int64(s.start[b])] = True
        s.held[b] = 0
        s.faults[b] = 0
        s.last[b] = -1
        s.said[b] = 0


@kernel
def _fault(s: State, b: int, action: int) -> int:
    """The fault of an action in row b, or 0."""
    room = np.int64(s.room[b])
    if action in (INVENTORY, LOOK):
        return 0
    if action in (EXAMINE, TAKE):
        return 0 if s.coin[b] == room and s.held[b] == 0 else NOT_HERE
    if action < EXAMINE:
        way = np.int64(s.way[b, room, action - CLOSE])
        return 0 if way == OPEN else SHUT if way == CLOSED else NO_DOOR
    if action < INVENTORY:
        way = np.int64(s.way[b, room, action - GO])
        return NO_EXIT if way == WALL else SHUT if way == CLOSED else 0
    way = np.int64(s.way[b, room, action - UNLATCH])
    return 0 if way == CLOSED else AJAR if way == OPEN else NO_DOOR


@kernel
def check(s: State, actions: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """Write the faults that `step` would find (`fault` int16[B, 1]), changing nothing."""
    for b in range(s.t.shape[0]):
        if not s.over[b]:
            fault[b, 0] = _fault(s, b, actions[b, 0])


@kernel
def _swing(s: State, b: int, direction: int, kind: int) -> None:
    """Set the door of the player's room in that direction, on both of its sides."""
    room = np.int64(s.room[b])
    s.way[b, room, direction] = kind
    s.way[b, np.int64(s.exits[b, room, direction]), 3 - direction] = kind


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
        elif action == TAKE:
            s.held[b] = 1
            reward[b, 0] = 1.0
        elif GO <= action < INVENTORY:
            s.room[b] = s.exits[b, np.int64(s.room[b]), action - GO]
            s.seen[b, np.int64(s.room[b])] = True
        elif action < EXAMINE:
            _swing(s, b, action - CLOSE, CLOSED)
        elif UNLATCH <= action < TAKE:
            _swing(s, b, action - UNLATCH, OPEN)
        finished = s.held[b] == 1
        terminated[b, 0] = finished
        truncated[b] = not finished and s.t[b] >= c.max_steps
        if finished or truncated[b]:
            s.over[b] = True
            s.live[b] = False


@kernel
def room_name(key: np.uint64, room: int) -> int:
    """The number of a room's name, 0 to 299: no two rooms of an episode share one."""
    factor = 30 * ((np.uint64(key) >> np.uint64(20)) % np.uint64(10)) + np.uint64(7)
    return np.int64((factor * np.uint64(room) + (np.uint64(key) & np.uint64(0xFFFF))) % np.uint64(NAMES))


@kernel
def see(s: State, seats: NDArray[np.int32], out: NDArray[np.int16]) -> None:
    """Write int16[B, n, 6]: the four ways, whether the coin lies here, and the number of the room's name."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            if seats[b, n] < 0:
                continue
            room = np.int64(s.room[b])
            for d in range(4):
                out[b, n, d] = s.way[b, room, d]
            out[b, n, 4] = s.coin[b] == room and s.held[b] == 0
            out[b, n, 5] = room_name(s.key[b], room)


@kernel
def masks(s: State, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
    """Write int8[B, n, 16]: the actions without a fault."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            if seats[b, n] < 0:
                continue
            for action in range(ACTIONS):
                out[b, n, action] = _fault(s, b, action) == 0


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
