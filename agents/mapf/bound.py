"""Bounds that no plan can pass: what each agent would do with the map to itself.

The collision-free bound of lifelong throughput: every agent follows shortest paths through its own goal
sequence. A goal is counted on arrival, at most one a step, so a goal equal to the cell where the agent
stands (at the start, or twice in a row) costs one step. No joint plan can count more goals for any agent,
since collisions only delay.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel
from ludarium.envs.core.errors import InstanceError
from ludarium.envs.mapf.grid import UNREACHABLE, bfs, neighbours

__all__ = ["goal_bound", "throughput_bound"]


@kernel
def _solo_goals(
    table: NDArray[np.int32],
    starts: NDArray[np.int32],
    goals: NDArray[np.int32],
    lengths: NDArray[np.int32],
    max_steps: int,
    reached: NDArray[np.int32],
) -> None:
    """Fill `reached[N]` with the goals that each agent counts alone; sequences repeat from their start."""
    cells = table.shape[0]
    distance = np.empty(cells, np.int32)
    queue = np.empty(cells, np.int32)
    for agent in range(starts.shape[0]):
        cell, elapsed, count = int(starts[agent]), 0, 0
        length = int(lengths[agent])
        while length > 0:
            goal = int(goals[agent, count % length])
            bfs(table, goal, distance, queue)
            elapsed += max(1, int(distance[cell]))
            if elapsed > max_steps:
                break
            cell = goal
            count += 1
        reached[agent] = count


def goal_bound(
    grid: NDArray[np.uint8],
    starts: NDArray[np.int32],
    goals: NDArray[np.int32],
    max_steps: int,
    lengths: NDArray[np.int32] | None = None,
) -> NDArray[np.int32]:
    """Return `int32[N]`: the most goals that each agent can count in `max_steps` steps.

    `grid` is `uint8[H, W]`, `starts` `int32[N]` cells, `goals` `int32[N, K]` cells, of which the first
    `lengths[i]` (default: all K) are agent i's sequence, repeated for ever. A goal that cannot be reached
    ends the count. Raises `InstanceError` when shapes do not fit.
    """
    starts = np.ascontiguousarray(starts, np.int32)
    goals = np.ascontiguousarray(goals, np.int32)
    if starts.ndim != 1 or goals.ndim != 2 or len(goals) != len(starts):
        raise InstanceError(
            f"starts have shape {starts.shape} and goals {goals.shape}; "
            "expected [N] and [N, K]: give one row of goals an agent"
        )
    if lengths is None:
        lengths = np.full(len(starts), goals.shape[1], np.int32)
    reached = np.zeros(len(starts), np.int32)
    limit = min(int(max_steps), int(UNREACHABLE) - 1)
    _solo_goals(neighbours(grid), starts, goals, np.ascontiguousarray(lengths, np.int32), limit, reached)
    return reached


def throughput_bound(
    grid: NDArray[np.uint8],
    starts: NDArray[np.int32],
    goals: NDArray[np.int32],
    max_steps: int,
    lengths: NDArray[np.int32] | None = None,
) -> float:
    """Return the bound of throughput (goals a step, over all agents); arguments as in `goal_bound`."""
    return float(goal_bound(grid, starts, goals, max_steps, lengths).sum()) / max_steps
