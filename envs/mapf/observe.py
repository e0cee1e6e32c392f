"""What robots see: compiled windows around them, as POGEMA's channels, in float32 or in compact uint8.

Channel 0 holds obstacles, 1 robots (the observer included), 2 a single 1 at the goal, each axis clipped to the window.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.buffers import DUE, MARK, canonical, row_sums
from ludarium.envs.core.bytes import clear_run, copy_run, flat
from ludarium.envs.core.compile import inner, kernel, tight
from ludarium.envs.mapf.dynamics import Scalars, State, advance

__all__ = ["action_mask", "cost_to_go", "observe_grid", "observe_pomapf", "turn_blind", "turn_grid", "turn_windows"]

COMMON_SIDE = 11  # the window of radius 5, POGEMA's default, whose copies are compiled with a constant length


@inner
def _window(out: NDArray[Any], to: int, grid: NDArray[np.uint8], corner: int, stride: int, side: int) -> None:
    """Copy a window of a flat padded grid whose first cell is `corner` to `out[to:]`, uint8 or float32."""
    if side == COMMON_SIDE:
        for row in range(COMMON_SIDE):
            copy_run(out, to + row * COMMON_SIDE, grid, corner + row * stride, 11)
        return
    for row in range(side):
        for column in range(side):
            out[to + row * side + column] = grid[corner + row * stride + column]


@inner
def _row(
    seats: NDArray[np.int32],
    walls: NDArray[np.uint8],
    busy: NDArray[np.uint8],
    pos: NDArray[np.int32],
    goal: NDArray[np.int32],
    stride: int,
    pad: int,
    radius: int,
    step: int,
    out: NDArray[Any],
) -> None:
    """Write the windows of one row's robots; `step` items lie between two robots in the flat `out`."""
    side = 2 * radius + 1
    area = side * side
    for n in range(seats.shape[0]):
        i = np.int64(seats[n])
        if i < 0:
            continue
        row, column = np.int64(pos[i, 0]), np.int64(pos[i, 1])
        corner, base = (row + pad - radius) * stride + column + pad - radius, n * step
        _window(out, base, walls, corner, stride, side)
        _window(out, base + area, busy, corner, stride, side)
        base += 2 * area
        if side == COMMON_SIDE:
            clear_run(out, base, 121)
        else:
            for k in range(area):
                out[base + k] = 0
        down = min(max(np.int64(goal[i, 0]) - row, -radius), radius)
        right = min(max(np.int64(goal[i, 1]) - column, -radius), radius)
        out[base + (down + radius) * side + right + radius] = 1


@inner
def look(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[Any]) -> None:
    """Write [B, n, channels, side, side], channels >= 3, uint8 or float32, for the robots in `seats` (-1: skip)."""
    stride, step = s.walls.shape[2], out.shape[2] * out.shape[3] * out.shape[4]
    for b in range(seats.shape[0]):
        _row(
            seats[b], flat(s.walls, b), flat(s.busy, b), s.pos[b], s.goal[b], stride, c.pad, c.radius, step, flat(out, b)
        )  # fmt: skip


@inner
def look_windows(
    s: State, c: Scalars, seats: NDArray[np.int32], obstacles: NDArray[np.float32], agents: NDArray[np.float32]
) -> None:
    """Write the first two channels as arrays of their own, float32[B, n, side, side]."""
    stride, side = s.walls.shape[2], 2 * c.radius + 1
    for b in range(seats.shape[0]):
        walls, busy, pos = flat(s.walls, b), flat(s.busy, b), s.pos[b]
        seen_walls, seen_robots = flat(obstacles, b), flat(agents, b)
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i >= 0:
                top, left = np.int64(pos[i, 0]) + c.pad - c.radius, np.int64(pos[i, 1]) + c.pad - c.radius
                _window(seen_walls, n * side * side, walls, top * stride + left, stride, side)
                _window(seen_robots, n * side * side, busy, top * stride + left, stride, side)


@inner
def look_relative(s: State, seats: NDArray[np.int32], xy: NDArray[np.int32], goal: NDArray[np.int32]) -> None:
    """Write position and goal, int32[B, n, 2], relative to where the robot started."""
    for b in range(seats.shape[0]):
        pos, target, origin = s.pos[b], s.goal[b], s.origin[b]
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i >= 0:
                for axis in range(2):
                    xy[b, n, axis] = pos[i, axis] - origin[i, axis]
                    goal[b, n, axis] = target[i, axis] - origin[i, axis]


@kernel
def cost_to_go(
    s: State, c: Scalars, b: int, i: int, distance: NDArray[np.int32], far: int, out: NDArray[np.float32]
) -> None:
    """Write float32[side, side]: (distance of a cell to the goal - distance of robot i's cell) / side, in [-1, 1].

    Cells that cannot reach the goal, obstacles and cells off the map, hold 1. `distance` int32[H * W] is a guide.
    """
    height, width = np.int64(s.size[b, 0]), np.int64(s.size[b, 1])
    top, left = np.int64(s.pos[b, i, 0]), np.int64(s.pos[b, i, 1])
    own, side = np.int64(distance[top * width + left]), 2 * c.radius + 1
    for row in range(side):
        for column in range(side):
            y, x = top + row - c.radius, left + column - c.radius
            value = 1.0
            if 0 <= y < height and 0 <= x < width and distance[y * width + x] < far:
                value = min(max((np.int64(distance[y * width + x]) - own) / side, -1.0), 1.0)
            out[row, column] = value


@inner
def _row_mask(
    seats: NDArray[np.int32],
    walls: NDArray[np.uint8],
    active: NDArray[np.bool_],
    pos: NDArray[np.int32],
    stride: int,
    pad: int,
    out: NDArray[np.int8],
) -> None:
    for n in range(seats.shape[0]):
        i = np.int64(seats[n])
        if i < 0:
            continue
        here = (np.int64(pos[i, 0]) + pad) * stride + np.int64(pos[i, 1]) + pad
        moves = np.uint8(1 if active[i] else 0)
        out[n, 0] = 1
        out[n, 1] = moves & (walls[here - stride] ^ 1)
        out[n, 2] = moves & (walls[here + stride] ^ 1)
        out[n, 3] = moves & (walls[here - 1] ^ 1)
        out[n, 4] = moves & (walls[here + 1] ^ 1)


@inner
def look_mask(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
    """Write int8[B, n, 5]: 1 for waiting and for moves that no obstacle stops; a robot off the map may only wait."""
    for b in range(out.shape[0]):
        _row_mask(seats[b], flat(s.walls, b), s.active[b], s.pos[b], s.walls.shape[2], c.pad, out[b])


@kernel
def observe_grid(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[Any]) -> None:
    """`look` as Python calls it."""
    look(s, c, seats, out)


@kernel
def action_mask(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
    """`look_mask` as Python calls it."""
    look_mask(s, c, seats, out)


@kernel
def observe_pomapf(
    s: State,
    c: Scalars,
    seats: NDArray[np.int32],
    obstacles: NDArray[np.float32],
    agents: NDArray[np.float32],
    xy: NDArray[np.int32],
    target_xy: NDArray[np.int32],
) -> None:
    """`look_windows` and `look_relative` as Python calls them."""
    look_windows(s, c, seats, obstacles, agents)
    look_relative(s, seats, xy, target_xy)


class Turn(NamedTuple):
    """A state with the buffers of its turns; `out` is uint8 or float32, the last four are empty unless observed."""

    state: State
    scalars: Scalars
    seats: NDArray[np.int32]
    actions: NDArray[np.int64]
    reward: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    fault: NDArray[np.int16]
    mask: NDArray[np.int8]
    summary: NDArray[np.float64]
    log: NDArray[np.uint8]
    out: NDArray[Any]
    obstacles: NDArray[np.float32]
    agents: NDArray[np.float32]
    xy: NDArray[np.int32]
    target_xy: NDArray[np.int32]


@inner
def _log(io: Turn) -> None:
    """Keep the actions of the rows that are not over, if there is room: there is none where nothing is recorded."""
    for b in range(io.log.shape[0]):
        t = np.int64(io.state.t[b])
        if t < io.log.shape[1] and not io.state.over[b]:
            for i in range(io.log.shape[2]):
                io.log[b, t, i] = io.actions[b, i]


@inner
def _sum_up(io: Turn) -> int:
    """Write the summary; return `DUE` if a row that was not over in the last one is at a mark or over now, else -1."""
    s, found = io.state, -1
    row_sums(io.reward, io.summary)
    for b in range(io.summary.shape[0]):
        if io.summary[b, 1] == 0.0 and (s.over[b] or s.t[b] % MARK == 0):
            found = DUE
        io.summary[b, 1] = 1.0 if s.over[b] else 0.0
        io.summary[b, 2] = 1.0 if io.truncated[b] else 0.0
    return found


@inner
def _turn(stepping: bool, io: Turn) -> int:
    """Step if `stepping`, and sum up; return the place of the first action out of range, having moved nobody, else < 0."""
    if stepping:
        bad = canonical(io.actions, io.state.live, 0, 0, 4)
        if bad >= 0:
            return bad
        _log(io)
        advance(io.state, io.scalars, io.actions, io.reward, io.terminated, io.truncated, io.fault)
    return _sum_up(io)


@tight
def turn_grid(stepping: bool, io: Turn) -> int:
    """Check and step if `stepping`, then observe the robots in `seats`, and mask; the result is `_turn`'s."""
    s, c = io.state, io.scalars
    bad = _turn(stepping, io)
    if bad < 0:
        look(s, c, io.seats, io.out)
        look_mask(s, c, io.seats, io.mask)
    return bad


@tight
def turn_windows(stepping: bool, io: Turn) -> int:
    """The same for POMAPF's windows and relative places."""
    s, c = io.state, io.scalars
    bad = _turn(stepping, io)
    if bad < 0:
        look_windows(s, c, io.seats, io.obstacles, io.agents)
        look_relative(s, io.seats, io.xy, io.target_xy)
        look_mask(s, c, io.seats, io.mask)
    return bad


@tight
def turn_blind(stepping: bool, io: Turn) -> int:
    """The same for those who look at nothing but the mask."""
    s, c = io.state, io.scalars
    bad = _turn(stepping, io)
    if bad < 0:
        look_mask(s, c, io.seats, io.mask)
    return bad
