"""Two baselines that know nothing of other robots: each its shortest way, and moves at random."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.mapf.planner import Planner, PlannerView
from ludarium.envs.core.compile import kernel
from ludarium.envs.core.rng import below, draw
from ludarium.envs.mapf.grid import neighbours
from ludarium.envs.mapf.guides import Guides

__all__ = ["RandomPlanner", "ShortestPath"]

_STREAM_TIES, _STREAM_MOVES = 141, 142


@kernel
def _downhill(
    table: NDArray[np.int32],
    distance: NDArray[np.int32],
    rows: NDArray[np.int32],
    pos: NDArray[np.int32],
    key: np.uint64,
    t: int,
    actions: NDArray[np.int64],
) -> None:
    """For every robot a move that shortens its way, one of these at random; wait where none does."""
    for robot in range(pos.shape[0]):
        here, guide = int(pos[robot]), distance[rows[robot]]
        choices = 0
        actions[robot] = 0
        for action in range(1, 5):
            to = int(table[here, action])
            if to >= 0 and guide[to] < guide[here]:
                choices += 1
                if below(draw(key, _STREAM_TIES, t, robot, choices), choices) == 0:
                    actions[robot] = action


@kernel
def _wander(
    table: NDArray[np.int32], pos: NDArray[np.int32], key: np.uint64, t: int, actions: NDArray[np.int64]
) -> None:
    """For every robot one of the actions that lead to a free cell, waiting among them, all equally likely."""
    for robot in range(pos.shape[0]):
        choices = 0
        actions[robot] = 0
        for action in range(5):
            if table[pos[robot], action] >= 0:
                choices += 1
                if below(draw(key, _STREAM_MOVES, t, robot, choices), choices) == 0:
                    actions[robot] = action


class ShortestPath(Planner):
    """Every robot follows a shortest way to its goal as if it were alone (what A* gives, without its search)."""

    view = "state"

    def begin(self, view: PlannerView, seed: int) -> None:
        """Prepare the distance maps."""
        grid = np.ascontiguousarray(view.grid, np.uint8)
        self._key, self._guides, self._table = np.uint64(seed), Guides(grid), neighbours(grid)

    def decide(self, view: PlannerView) -> NDArray[np.int64]:
        """Return one action for every robot."""
        distance, rows = self._guides.table(view.goal)
        actions = np.empty(len(view.pos), np.int64)
        _downhill(self._table, distance, rows, view.pos, self._key, view.t, actions)
        actions[~view.active] = 0
        return actions


class RandomPlanner(Planner):
    """Every robot waits or moves to a free cell beside it, all equally likely; walls are never run into."""

    view = "state"

    def begin(self, view: PlannerView, seed: int) -> None:
        """Note the map."""
        self._key, self._table = np.uint64(seed), neighbours(np.ascontiguousarray(view.grid, np.uint8))

    def decide(self, view: PlannerView) -> NDArray[np.int64]:
        """Return one action for every robot."""
        actions = np.empty(len(view.pos), np.int64)
        _wander(self._table, view.pos, self._key, view.t, actions)
        actions[~view.active] = 0
        return actions
