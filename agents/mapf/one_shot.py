"""What one-shot planners share: instances are checked, solutions are described, and plans are followed step by step."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ludarium.agents.mapf.pibt import PIBT, actions_between
from ludarium.agents.mapf.planner import Planner, PlannerView
from ludarium.envs.core.errors import ConfigError, InstanceError
from ludarium.envs.core.rng import mix
from ludarium.envs.mapf.grid import neighbours

__all__ = ["OneShotPlanner", "Solution", "check_instance", "sum_of_costs"]

Status = Literal["optimal", "solved", "budget", "unsolvable"]


class Solution(NamedTuple):
    """What came of an attempt to solve an instance."""

    plan: NDArray[np.int32] | None
    """int32[T + 1, N] cells, row 0 the starts; None when none was found"""
    status: Status
    """`optimal`: nothing has a lower cost; `unsolvable`: a proof; `budget`: none found in time"""
    cost: int
    """the plan's sum of loss (robots not staying on their goals, summed over steps); -1 without a plan"""
    iterations: int


def sum_of_costs(plan: NDArray[np.int32], goals: NDArray[np.int32]) -> int:
    """Return the sum over robots of the step at which each has arrived for good; waiting there is free.

    `plan` is `int32[T + 1, N]` and must end on `goals[N]`.
    """
    away = plan != goals
    last = len(plan) - np.argmax(away[::-1], axis=0)
    return int(np.where(away.any(axis=0), last, 0).sum())


def check_instance(
    grid: NDArray[np.uint8], starts: ArrayLike, goals: ArrayLike
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return starts and goals as `int32[N]`; raise `InstanceError` naming the robot and the cell at fault."""
    cells: list[NDArray[np.int32]] = []
    for name, given in (("start", starts), ("goal", goals)):
        array = np.ascontiguousarray(given, np.int32)
        if array.ndim != 1:
            raise InstanceError(f"{name}s are one cell number a robot; got an array of shape {array.shape}")
        outside = (array < 0) | (array >= grid.size)
        blocked = outside.copy()
        blocked[~outside] = grid.reshape(-1)[array[~outside]] != 0
        if blocked.any():
            robot = int(np.argmax(blocked))
            what = "outside the grid" if outside[robot] else "an obstacle"
            raise InstanceError(f"the {name} of robot {robot}, cell {array[robot]}, is {what}; give a free cell")
        values, count = np.unique(array, return_counts=True)
        if (count > 1).any():
            cell = int(values[np.argmax(count > 1)])
            robots = ", ".join(map(str, np.flatnonzero(array == cell)[:4]))
            raise InstanceError(f"robots {robots} share the {name} cell {cell}; give each its own")
        cells.append(array)
    if len(cells[0]) != len(cells[1]):
        raise InstanceError(f"{len(cells[0])} starts but {len(cells[1])} goals; give one of each for every robot")
    return cells[0], cells[1]


class OneShotPlanner(Planner):
    """Finds a whole plan, follows it, and finds another when the world did not do as planned.

    Subclasses give `find`. Where none is found the robots go on by PIBT with swap, so that most still arrive.
    """

    view = "state"

    def find(
        self, grid: NDArray[np.uint8], starts: NDArray[np.int32], goals: NDArray[np.int32], seed: int
    ) -> NDArray[np.int32] | None:
        """Return a plan `int32[T + 1, N]`, or None."""
        raise NotImplementedError(f"{type(self).__name__} must define find")

    def begin(self, view: PlannerView, seed: int) -> None:
        """Note the map; the plan is found at the first decision."""
        if view.lifelong:
            raise ConfigError(f"{type(self).__name__} plans one goal a robot; take pibt or lns for lifelong worlds")
        self._seed, self._attempts = int(seed), 0
        self._grid = np.ascontiguousarray(view.grid, np.uint8)
        self._table = neighbours(self._grid)
        self._plan: NDArray[np.int32] | None = None
        self._step = 0
        self._aside: PIBT | None = None

    def decide(self, view: PlannerView) -> NDArray[np.int64]:
        """Return one action for every robot."""
        active = np.flatnonzero(view.active)
        if self._aside is None and not self._as_planned(view.pos, active):
            self._find(view, active)
        if self._plan is None:
            if self._aside is None:
                self._aside = PIBT(swap=True)
                self._aside.begin(view, self._seed)
            return self._aside.decide(view)
        self._step = min(self._step + 1, len(self._plan) - 1)
        actions = np.zeros(len(view.pos), np.int64)
        following = np.where(view.active, self._plan[self._step], view.pos).astype(np.int32)
        actions_between(self._table, np.ascontiguousarray(view.pos, np.int32), following, actions)
        return actions

    def _as_planned(self, pos: NDArray[np.int32], active: NDArray[np.intp]) -> bool:
        return self._plan is not None and bool((self._plan[self._step][active] == pos[active]).all())

    def _find(self, view: PlannerView, active: NDArray[np.intp]) -> None:
        """Plan for the robots that are on the map, from where they stand."""
        self._plan, self._step = None, 0
        starts, goals = view.pos[active], view.goal[active]
        if len(np.unique(goals)) < len(goals):  # allowed where robots vanish; no plan ends on a shared cell
            return
        part = self.find(self._grid, starts, goals, int(mix(np.uint64(self._seed), self._attempts)) >> 1)
        self._attempts += 1
        if part is not None:
            self._plan = np.repeat(view.pos[None], len(part), axis=0).astype(np.int32)
            self._plan[:, active] = part
