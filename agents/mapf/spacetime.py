"""Search in space and time around reserved cells: the low level of prioritised planning and of the refinement of plans.

Reservations are a dense table of who is where at each step, so that a shared cell or a change of places is
found in one look. A state is (step, cell); its f-value, step + distance to go, depends on the state alone,
so each is generated once and buckets by f-value replace a heap. Source: Silver, "Cooperative Pathfinding"
(AIIDE 2005).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel

__all__ = ["Spacetime", "clear_from", "new_spacetime", "release", "reserve", "route", "route_window"]


class Spacetime(NamedTuple):
    """Reservations up to a horizon T, and the scratch of a search."""

    taken: NDArray[np.int32]
    """int32[T + 1, H * W]: the robot on each cell at each step, -1 for none"""
    seen: NDArray[np.int32]
    """int32[legs * (T + 1) * H * W]: number of the search that generated the state, times 16, plus leg and action"""
    link: NDArray[np.int32]
    """the next state in the same bucket, -1 for none"""
    bucket: NDArray[np.int32]
    """int32[2 T + 2]: a state of each f-value above the lowest, -1 for none"""
    searches: NDArray[np.int64]
    """int64[1]"""


def new_spacetime(horizon: int, cells: int, legs: int = 1) -> Spacetime:
    """Allocate a table without reservations; two `legs` for `route_window`, one for `route`."""
    states = legs * (horizon + 1) * cells
    return Spacetime(
        taken=np.full((horizon + 1, cells), -1, np.int32),
        seen=np.zeros(states, np.int32),
        link=np.empty(states, np.int32),
        bucket=np.empty(2 * horizon + 2, np.int32),
        searches=np.zeros(1, np.int64),
    )


@kernel
def reserve(space: Spacetime, path: NDArray[np.int32], last: int, robot: int) -> None:
    """Enter `path[0..last]`, and the last cell from then on up to the horizon."""
    for t in range(space.taken.shape[0]):
        space.taken[t, path[min(t, last)]] = robot


@kernel
def release(space: Spacetime, path: NDArray[np.int32], last: int) -> None:
    """Take back what `reserve` entered."""
    for t in range(space.taken.shape[0]):
        space.taken[t, path[min(t, last)]] = -1


@kernel
def clear_from(space: Spacetime, goal: int) -> int:
    """Return the first step from which the cell is free up to the horizon (T + 1 when it never is)."""
    t = space.taken.shape[0]
    while t > 0 and space.taken[t - 1, goal] < 0:
        t -= 1
    return t


@kernel
def _blocked(space: Spacetime, t: int, cell: int, to: int) -> bool:
    """Whether the move from `cell` at step t to `to` meets a reservation."""
    if space.taken[t + 1, to] >= 0:
        return True
    other = space.taken[t, to]
    return bool(to != cell and other >= 0 and space.taken[t + 1, cell] == other)


@kernel
def _begin(space: Spacetime, state: int, buckets: int) -> int:
    """Empty the buckets, put the first state into the lowest, and return the number of this search."""
    if space.searches[0] >= 2**27 - 1:
        space.seen[:] = 0
        space.searches[0] = 0
    space.searches[0] += 1
    number = int(space.searches[0])
    space.bucket[:buckets] = -1
    space.bucket[0] = state
    space.link[state] = -1
    space.seen[state] = number << 4
    return number


@kernel
def _trace(table: NDArray[np.int32], space: Spacetime, state: int, cells: int, path: NDArray[np.int32]) -> None:
    """Write the cells that led to a state; a state of the second leg notes whether its parent was of the first."""
    layer = space.taken.shape[0] * cells
    leg, rest = state // layer, state % layer
    t, cell = rest // cells, rest % cells
    path[t] = cell
    while t > 0:
        note = int(space.seen[leg * layer + t * cells + cell]) & 15
        action = note & 7
        back = action if action == 0 else (action - 1 ^ 1) + 1
        cell = int(table[cell, back])
        leg = note >> 3
        t -= 1
        path[t] = cell


@kernel
def route(
    table: NDArray[np.int32],
    guide: NDArray[np.int32],
    space: Spacetime,
    start: int,
    goal: int,
    limit: int,
    turn: int,
    effort: int,
    path: NDArray[np.int32],
) -> int:
    """Find the earliest arrival at `goal` for good, around all reservations; return its step, or -1.

    `guide[H * W]` holds steps to the goal, `limit` the latest arrival of interest (at most the horizon),
    `turn` (0..3) which move is tried first, `effort` how many states may be looked at. Writes `path[0..arrival]`, cells.
    """
    cells = space.taken.shape[1]
    clear = clear_from(space, goal)
    base = max(int(guide[start]), clear)
    limit = min(limit, space.taken.shape[0] - 1)
    if base > limit or space.taken[0, start] >= 0:
        return -1
    number = _begin(space, start, limit - base + 1)
    low, looked = 0, 0
    while low <= limit - base and looked < effort:
        state = int(space.bucket[low])
        if state < 0:
            low += 1
            continue
        space.bucket[low] = space.link[state]
        looked += 1
        t, cell = state // cells, state % cells
        if cell == goal and t >= clear:
            _trace(table, space, state, cells, path)
            return t
        if t == limit:
            continue
        for k in range(5):
            action = 0 if k == 0 else 1 + (k - 1 + turn) % 4
            to = int(table[cell, action])
            if to < 0 or _blocked(space, t, cell, to):
                continue
            rise = max(t + 1 + int(guide[to]), clear) - base
            fresh = (t + 1) * cells + to
            if rise > limit - base or space.seen[fresh] >> 4 == number:
                continue
            space.seen[fresh] = number << 4 | action
            space.link[fresh] = space.bucket[rise]
            space.bucket[rise] = fresh
    return -1


@kernel
def route_window(
    table: NDArray[np.int32],
    guide: NDArray[np.int32],
    onward: NDArray[np.int32],
    space: Spacetime,
    start: int,
    goal: int,
    turn: int,
    path: NDArray[np.int32],
) -> bool:
    """Find the way up to the horizon that promises the earliest arrival at `goal` and then at the goal after it.

    `guide[H * W]` holds steps to the goal, `onward[H * W]` steps to the one after (zeros when it is not
    known: then any place will do). Writes `path[0..T]`, cells; False when every way is blocked.
    """
    horizon, cells = space.taken.shape[0] - 1, space.taken.shape[1]
    layer, beyond = (horizon + 1) * cells, int(onward[goal])
    if space.taken[0, start] >= 0:
        return False
    base = int(guide[start]) + beyond
    number = _begin(space, start, 2 * horizon + 2)
    low = 0
    while low <= 2 * horizon + 1:
        state = int(space.bucket[low])
        if state < 0:
            low += 1
            continue
        space.bucket[low] = space.link[state]
        leg, rest = state // layer, state % layer
        t, cell = rest // cells, rest % cells
        if t == horizon:
            _trace(table, space, state, cells, path)
            return True
        for k in range(5):
            action = 0 if k == 0 else 1 + (k - 1 + turn) % 4
            to = int(table[cell, action])
            if to < 0 or _blocked(space, t, cell, to):
                continue
            new_leg = 1 if leg == 1 or to == goal else 0
            ahead = int(onward[to]) if new_leg == 1 else int(guide[to]) + beyond
            rise = max(0, t + 1 + ahead - base)
            fresh = new_leg * layer + (t + 1) * cells + to
            if space.seen[fresh] >> 4 == number:
                continue
            space.seen[fresh] = number << 4 | leg << 3 | action
            space.link[fresh] = space.bucket[rise]
            space.bucket[rise] = fresh
    return False
