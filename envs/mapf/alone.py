"""What robots would do alone: the collision-free bound of an instance, sought by one compiled search a goal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, kernel
from ludarium.envs.mapf.dynamics import LOADED, RESTART, Scalars, State, goal_after

__all__ = ["alone"]


@inner
def _steps_between(
    table: NDArray[np.int32],
    width: int,
    start: int,
    end: int,
    seen: NDArray[np.int32],
    mark: int,
    stack: NDArray[np.int32],
) -> int:
    """Steps from one cell to another, -1 if there is no way; the search goes towards the end first.

    A step away from the end costs two, itself and its compensation, and a step towards it nothing: so the cells that
    need no further detour come first, then those of one, in any order among themselves. `seen` holds the marks of
    earlier searches, all smaller than `mark`; `stack` is scratch int32[2, 4 * cells + 1].
    """
    row, column = end // width, end % width
    stack[0, 0] = start
    side, near, far, detours = 0, 1, 0, 0
    while near > 0:
        while near > 0:
            near -= 1
            cell = np.int64(stack[side, near])
            if cell == end:
                return abs(start // width - row) + abs(start % width - column) + 2 * detours
            if seen[cell] == mark:
                continue
            seen[cell] = mark
            for action in range(1, 5):
                nearby = np.int64(table[cell, action])
                if nearby < 0 or seen[nearby] == mark:
                    continue
                if action <= 2:
                    closer = (cell // width > row) if action == 1 else (cell // width < row)
                else:
                    closer = (cell % width > column) if action == 3 else (cell % width < column)
                if closer:
                    stack[side, near] = nearby
                    near += 1
                else:
                    stack[1 - side, far] = nearby
                    far += 1
        side, near, far, detours = 1 - side, far, 0, detours + 1
    return -1


@kernel
def alone(s: State, c: Scalars, b: int, table: NDArray[np.int32], out: NDArray[np.int64]) -> None:
    """What each robot would do with row b's map to itself, from its start: goals reached (lifelong), or steps to its goal."""
    seen = np.zeros(table.shape[0], np.int32)
    stack = np.empty((2, 4 * table.shape[0] + 1), np.int32)
    width, mark = np.int64(s.size[b, 1]), 0
    for i in range(c.robots):
        cell = np.int64(s.origin[b, i, 0]) * width + np.int64(s.origin[b, i, 1])
        if c.on_goal != RESTART:
            mark += 1
            goal = np.int64(s.goal[b, i, 0]) * width + np.int64(s.goal[b, i, 1])
            out[i] = _steps_between(table, width, cell, goal, seen, mark, stack)
            continue
        elapsed, reached = 0, 0
        while elapsed <= c.max_steps:
            mark += 1
            goal = np.int64(s.given[b, i, 0]) if s.inst[b] == LOADED else np.int64(-1)
            if reached > 0 or goal < 0:
                goal = goal_after(s, b, i, reached, cell)
            steps = _steps_between(table, width, cell, goal, seen, mark, stack)
            if steps < 0 or elapsed + max(steps, 1) > c.max_steps:
                break
            elapsed += max(steps, 1)
            cell = goal
            reached += 1
        out[i] = reached
