"""What robots see: compiled windows around them, as POGEMA's channels, in float32 or in compact uint8.

Channel 0 holds obstacles, 1 robots (the observer included), 2 a single 1 at the goal, each axis clipped to the window.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.bytes import copy_run, widen_run
from ludarium.envs.core.compile import kernel
from ludarium.envs.mapf.dynamics import Scalars, State, step

__all__ = [
    "action_mask", "cost_to_go", "observe_bytes", "observe_floats", "observe_windows", "relative",
    "turn_blind", "turn_bytes", "turn_floats",
]  # fmt: skip

COMMON_SIDE = 11  # the window of radius 5, POGEMA's default, whose copies are compiled with a constant length


@kernel
def window_bytes(
    out: NDArray[np.uint8], to: int, grid: NDArray[np.uint8], corner: int, stride: int, side: int
) -> None:
    """Copy a window of a flat padded grid whose first cell is `corner` to `out[to:]`."""
    if side == COMMON_SIDE:
        for row in range(COMMON_SIDE):
            copy_run(out, to + row * COMMON_SIDE, grid, corner + row * stride, 11)
        return
    for row in range(side):
        for column in range(side):
            out[to + row * side + column] = grid[corner + row * stride + column]


@kernel
def window_floats(
    out: NDArray[np.float32], to: int, grid: NDArray[np.uint8], corner: int, stride: int, side: int
) -> None:
    """The same as float32."""
    if side == COMMON_SIDE:
        for row in range(COMMON_SIDE):
            widen_run(out, to + row * COMMON_SIDE, grid, corner + row * stride, 11)
        return
    for row in range(side):
        for column in range(side):
            out[to + row * side + column] = grid[corner + row * stride + column]


@kernel
def _goal_place(s: State, c: Scalars, b: int, i: int) -> int:
    """Where in the window the goal is marked."""
    row = min(max(np.int64(s.goal[b, i, 0]) - np.int64(s.pos[b, i, 0]), -c.radius), c.radius) + c.radius
    column = min(max(np.int64(s.goal[b, i, 1]) - np.int64(s.pos[b, i, 1]), -c.radius), c.radius) + c.radius
    return row * (2 * c.radius + 1) + column


@kernel
def _corner(s: State, c: Scalars, b: int, i: int) -> int:
    """The first cell of a robot's window on the flat padded grid."""
    row = np.int64(s.pos[b, i, 0]) + c.pad - c.radius
    return row * s.walls.shape[2] + np.int64(s.pos[b, i, 1]) + c.pad - c.radius


@kernel
def observe_bytes(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.uint8]) -> None:
    """Write uint8[B, n, 3, side, side] for the robots in `seats` int32[B, n] (-1: skip)."""
    stride, side = s.walls.shape[2], 2 * c.radius + 1
    area = side * side
    for b in range(seats.shape[0]):
        walls, busy = s.walls[b].reshape(-1), s.busy[b].reshape(-1)
        flat = out[b].reshape(-1)
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i < 0:
                continue
            corner, base = _corner(s, c, b, i), n * 3 * area
            window_bytes(flat, base, walls, corner, stride, side)
            window_bytes(flat, base + area, busy, corner, stride, side)
            for k in range(base + 2 * area, base + 3 * area):
                flat[k] = 0
            flat[base + 2 * area + _goal_place(s, c, b, i)] = 1


@kernel
def observe_floats(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.float32]) -> None:
    """Write float32[B, n, channels, side, side], channels >= 3, for the robots in `seats` (-1: skip)."""
    stride, side = s.walls.shape[2], 2 * c.radius + 1
    area = side * side
    channels = out.shape[2]
    for b in range(seats.shape[0]):
        walls, busy = s.walls[b].reshape(-1), s.busy[b].reshape(-1)
        flat = out[b].reshape(-1)
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i < 0:
                continue
            corner, base = _corner(s, c, b, i), n * channels * area
            window_floats(flat, base, walls, corner, stride, side)
            window_floats(flat, base + area, busy, corner, stride, side)
            for k in range(base + 2 * area, base + 3 * area):
                flat[k] = 0.0
            flat[base + 2 * area + _goal_place(s, c, b, i)] = 1.0


@kernel
def observe_windows(
    s: State,
    c: Scalars,
    seats: NDArray[np.int32],
    obstacles: NDArray[np.float32],
    agents: NDArray[np.float32],
) -> None:
    """Write the first two channels as arrays of their own, float32[B, n, side, side]."""
    stride, side = s.walls.shape[2], 2 * c.radius + 1
    area = side * side
    for b in range(seats.shape[0]):
        walls, busy = s.walls[b].reshape(-1), s.busy[b].reshape(-1)
        seen_walls, seen_robots = obstacles[b].reshape(-1), agents[b].reshape(-1)
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i >= 0:
                corner = _corner(s, c, b, i)
                window_floats(seen_walls, n * area, walls, corner, stride, side)
                window_floats(seen_robots, n * area, busy, corner, stride, side)


@kernel
def relative(
    s: State,
    c: Scalars,
    origin: NDArray[np.int32],
    seats: NDArray[np.int32],
    xy: NDArray[np.int32],
    goal: NDArray[np.int32],
) -> None:
    """Write position and goal, int32[B, n, 2], relative to `origin` int32[B, N, 2]."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i >= 0:
                for axis in range(2):
                    xy[b, n, axis] = s.pos[b, i, axis] - origin[b, i, axis]
                    goal[b, n, axis] = s.goal[b, i, axis] - origin[b, i, axis]


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


@kernel
def action_mask(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
    """Write int8[B, n, 5]: 1 for waiting and for moves that no obstacle stops; a robot off the map may only wait."""
    stride = s.walls.shape[2]
    for b in range(seats.shape[0]):
        walls = s.walls[b].reshape(-1)
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i < 0:
                continue
            here = (np.int64(s.pos[b, i, 0]) + c.pad) * stride + np.int64(s.pos[b, i, 1]) + c.pad
            moves = np.int8(1 if s.active[b, i] else 0)
            out[b, n, 0] = 1
            out[b, n, 1] = moves * (1 - np.int8(walls[here - stride]))
            out[b, n, 2] = moves * (1 - np.int8(walls[here + stride]))
            out[b, n, 3] = moves * (1 - np.int8(walls[here - 1]))
            out[b, n, 4] = moves * (1 - np.int8(walls[here + 1]))


@kernel
def turn_bytes(
    s: State,
    c: Scalars,
    seats: NDArray[np.int32],
    actions: NDArray[np.int64],
    reward: NDArray[np.float64],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    fault: NDArray[np.int16],
    out: NDArray[np.uint8],
    mask: NDArray[np.int8],
) -> None:
    """Step, then observe all robots in uint8, and mask."""
    step(s, c, actions, reward, terminated, truncated, fault)
    observe_bytes(s, c, seats, out)
    action_mask(s, c, seats, mask)


@kernel
def turn_floats(
    s: State,
    c: Scalars,
    seats: NDArray[np.int32],
    actions: NDArray[np.int64],
    reward: NDArray[np.float64],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    fault: NDArray[np.int16],
    out: NDArray[np.float32],
    mask: NDArray[np.int8],
) -> None:
    """Step, then observe all robots in float32, and mask."""
    step(s, c, actions, reward, terminated, truncated, fault)
    observe_floats(s, c, seats, out)
    action_mask(s, c, seats, mask)


@kernel
def turn_blind(
    s: State,
    c: Scalars,
    seats: NDArray[np.int32],
    actions: NDArray[np.int64],
    reward: NDArray[np.float64],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    fault: NDArray[np.int16],
    out: NDArray[np.float32],
    mask: NDArray[np.int8],
) -> None:
    """Step, then mask, for those who look at nothing else."""
    step(s, c, actions, reward, terminated, truncated, fault)
    action_mask(s, c, seats, mask)
