"""The dynamics of the aisle: the state, the scalars, and the compiled kernels over them.

Axis 0 is the episode in the batch. Seat 0 is the planner, seats 1 to W are the workers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs._template.array.generate import draw_crates, draw_places
from ludarium.envs.core.compile import kernel
from ludarium.envs.core.rng import episode_key
from ludarium.envs.core.state import COMMON, Field

__all__ = ["EMPTY", "LOADED", "WALL", "Scalars", "State", "asked", "check", "fields", "masks", "reset", "see", "step"]

EMPTY, WALL = 1, 2
LOADED = -2
NO_ORDER = -1


class Scalars(NamedTuple):
    """The parameters that kernels read."""

    length: int
    crates: int
    workers: int
    max_steps: int


class State(NamedTuple):
    """A batch of episodes: L cells, W workers."""

    key: NDArray[np.uint64]
    t: NDArray[np.int32]
    over: NDArray[np.bool_]
    live: NDArray[np.bool_]
    inst: NDArray[np.int32]
    crate: NDArray[np.uint8]
    """uint8[B, L]: 1 where a crate waits"""
    place: NDArray[np.int16]
    """int16[B, W]: the worker's cell"""
    order: NDArray[np.int16]
    """int16[B]: the cell that the planner named, or -1"""
    fetched: NDArray[np.int32]
    """int32[B, W]: crates fetched by each worker"""
    faults: NDArray[np.int32]
    """int32[B]: actions without effect so far"""


def fields(length: int, workers: int) -> tuple[Field, ...]:
    """The layout of a state."""
    return (
        *COMMON(1 + workers),
        Field("crate", np.uint8, (length,)),
        Field("place", np.int16, (workers,)),
        Field("order", np.int16),
        Field("fetched", np.int32, (workers,)),
        Field("faults", np.int32),
    )


@kernel
def reset(s: State, c: Scalars, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
    """Begin episodes in the rows of `which`: drawn from the seed (slot -1), or where `load` put them (slot -2)."""
    for b in range(which.shape[0]):
        if not which[b]:
            continue
        s.key[b] = episode_key(seeds[b])
        if slots[b] != LOADED:
            draw_crates(s.key[b], c.crates, s.crate[b])
            draw_places(s.key[b], c.length, s.place[b])
        s.inst[b] = slots[b]
        s.t[b] = 0
        s.over[b] = False
        s.live[b] = True
        s.order[b] = NO_ORDER
        s.fetched[b] = 0
        s.faults[b] = 0


@kernel
def asked(s: State, out: NDArray[np.int8]) -> None:
    """The planner while there is no order, all workers while there is one (int8[B, S])."""
    for b in range(out.shape[0]):
        waits = s.order[b] == NO_ORDER
        for seat in range(out.shape[1]):
            out[b, seat] = not s.over[b] and waits == (seat == 0)


@kernel
def _faults(
    s: State, c: Scalars, b: int, plan: NDArray[np.int64], moves: NDArray[np.int64], fault: NDArray[np.int16]
) -> None:
    """The faults of one row's actions: an order for a cell without a crate, a move out of the aisle."""
    fault[b] = 0
    if s.order[b] == NO_ORDER:
        if not s.crate[b, plan[b, 0]]:
            fault[b, 0] = EMPTY
        return
    for i in range(c.workers):
        there = np.int64(s.place[b, i]) + moves[b, i] - 1
        if there < 0 or there >= c.length:
            fault[b, 1 + i] = WALL


@kernel
def check(s: State, c: Scalars, plan: NDArray[np.int64], moves: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """Write the faults that `step` would find (`fault` int16[B, S]), changing nothing."""
    for b in range(s.t.shape[0]):
        if not s.over[b]:
            _faults(s, c, b, plan, moves, fault)


@kernel
def _fetch(s: State, c: Scalars, b: int, reward: NDArray[np.float64]) -> bool:
    """The worker of the lowest number on the ordered cell takes the crate; return whether none is left."""
    for i in range(c.workers):
        if s.place[b, i] == s.order[b]:
            s.crate[b, np.int64(s.order[b])] = 0
            s.order[b] = NO_ORDER
            s.fetched[b, i] += 1
            reward[0] = 1.0
            reward[1 + i] = 1.0
            break
    left = 0
    for cell in range(c.length):
        left += np.int64(s.crate[b, cell])
    return left == 0


@kernel
def step(
    s: State,
    c: Scalars,
    plan: NDArray[np.int64],
    moves: NDArray[np.int64],
    reward: NDArray[np.float64],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    fault: NDArray[np.int16],
) -> None:
    """Advance every row that is not over: `plan` int64[B, 1] are cells, `moves` int64[B, W] 0 left, 1 wait, 2 right."""
    for b in range(s.t.shape[0]):
        if s.over[b]:
            continue
        _faults(s, c, b, plan, moves, fault)
        s.t[b] += 1
        for seat in range(1 + c.workers):
            reward[b, seat] = 0.0
            s.faults[b] += fault[b, seat] != 0
        finished = False
        if s.order[b] == NO_ORDER:
            if not fault[b, 0]:
                s.order[b] = plan[b, 0]
        else:
            for i in range(c.workers):
                if not fault[b, 1 + i]:
                    s.place[b, i] += moves[b, i] - 1
            finished = _fetch(s, c, b, reward[b])
        terminated[b] = finished
        truncated[b] = not finished and s.t[b] >= c.max_steps
        if finished or truncated[b]:
            s.over[b] = True
            s.live[b] = False


@kernel
def see(s: State, c: Scalars, planner: bool, seats: NDArray[np.int32], out: NDArray[np.uint8]) -> None:
    """Write uint8[B, n, 2, L] for the planner (crates, workers), uint8[B, n, 3, L] for workers (order, all, self)."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i < 0:
                continue
            out[b, n] = 0
            if planner:
                for cell in range(c.length):
                    out[b, n, 0, cell] = s.crate[b, cell]
            elif s.order[b] != NO_ORDER:
                out[b, n, 0, np.int64(s.order[b])] = 1
            for k in range(c.workers):
                out[b, n, 1, np.int64(s.place[b, k])] = 1
            if not planner:
                out[b, n, 2, np.int64(s.place[b, i])] = 1


@kernel
def masks(s: State, c: Scalars, planner: bool, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
    """Write int8[B, n, actions]: cells with a crate for the planner, moves that stay in the aisle for workers."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i < 0:
                continue
            if planner:
                for cell in range(c.length):
                    out[b, n, cell] = s.crate[b, cell]
            else:
                out[b, n, 0] = s.place[b, i] > 0
                out[b, n, 1] = 1
                out[b, n, 2] = s.place[b, i] < c.length - 1
