"""Prioritised planning: one robot after the other finds its best way around those before it.

One-shot: whole paths, with new orders until one works (`solve`). Lifelong: WHCA*, reservations within a window only
and a new plan every few steps, with rotating order. Source: Silver, "Cooperative Pathfinding" (AIIDE 2005); Erdmann
and Lozano-Perez (1987) for the principle. Neither is complete.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ludarium.agents.mapf.one_shot import OneShotPlanner, Solution, check_instance
from ludarium.agents.mapf.pibt import PIBT, actions_between, initial_order
from ludarium.agents.mapf.planner import PlannerView
from ludarium.agents.mapf.spacetime import Spacetime, new_spacetime, reserve, route, route_window
from ludarium.envs.core.compile import kernel
from ludarium.envs.core.errors import ConfigError
from ludarium.envs.core.rng import below, draw
from ludarium.envs.mapf.grid import UNREACHABLE, neighbours
from ludarium.envs.mapf.guides import Guides

__all__ = ["Prioritized", "solve"]

_STREAM_ORDER, _STREAM_TURN = 131, 132
_EVERYTHING = 2**62


@kernel
def _to_front(order: NDArray[np.int32], place: int) -> None:
    """Move the robot at this place of the order to the front."""
    robot = order[place]
    for k in range(place, 0, -1):
        order[k] = order[k - 1]
    order[0] = robot


@kernel
def _shuffle(order: NDArray[np.int32], key: np.uint64, attempt: int) -> None:
    for k in range(order.shape[0] - 1, 0, -1):
        j = below(draw(key, _STREAM_ORDER, attempt, k, 0), k + 1)
        order[k], order[j] = order[j], order[k]


@kernel
def _plan_all(
    table: NDArray[np.int32],
    distance: NDArray[np.int32],
    rows: NDArray[np.int32],
    space: Spacetime,
    start: NDArray[np.int32],
    goal: NDArray[np.int32],
    order: NDArray[np.int32],
    key: np.uint64,
    attempt: int,
    path: NDArray[np.int32],
    arrival: NDArray[np.int32],
) -> int:
    """Plan all robots in this order into `path[N, T + 1]`; return N, or the place of the first that found no way."""
    space.taken[:] = -1
    horizon = space.taken.shape[0] - 1
    for k in range(order.shape[0]):
        robot = int(order[k])
        turn = below(draw(key, _STREAM_TURN, attempt, robot, 0), 4)
        guide = distance[rows[robot]]
        last = route(table, guide, space, int(start[robot]), int(goal[robot]), horizon, turn, _EVERYTHING, path[robot])
        if last < 0:
            return k
        arrival[robot] = last
        path[robot, last:] = goal[robot]
        reserve(space, path[robot], last, robot)
    return order.shape[0]


def _horizon(longest: int, robots: int) -> int:
    """Steps within which a plan is looked for: twice the longest way, and time for everybody to pass a narrow place."""
    return 2 * longest + 2 * robots + 32


def solve(
    grid: NDArray[np.uint8],
    starts: ArrayLike,
    goals: ArrayLike,
    *,
    restarts: int = 100,
    horizon: int | None = None,
    seed: int = 0,
    guides: Guides | None = None,
) -> Solution:
    """Find a plan from `starts[N]` to `goals[N]` (cells) on `grid` (`uint8[H, W]`, 1 = obstacle) by priorities.

    The first order is longest way first. Whoever finds no way goes to the front of the next order, and every tenth
    order is a random one; `restarts` bounds their number, `horizon` the steps of a plan. `Solution.iterations`
    counts the orders tried; the status is never `optimal`, and `unsolvable` only where a robot's goal is out of
    reach. Raises `InstanceError` for cells outside, blocked or given twice, `ConfigError` for bad budgets.
    """
    if restarts < 0 or (horizon is not None and horizon < 0):
        raise ConfigError(f"restarts is {restarts}, horizon {horizon}; give 0 or more")
    grid = np.ascontiguousarray(grid, np.uint8)
    start, goal = check_instance(grid, starts, goals)
    robots = len(start)
    if robots == 0:
        return Solution(np.empty((1, 0), np.int32), "solved", 0, 0)
    distance, rows = (guides or Guides(grid)).table(goal)
    longest = int(distance[rows, start].max())
    if longest >= UNREACHABLE:
        return Solution(None, "unsolvable", -1, 0)
    steps = _horizon(longest, robots) if horizon is None else int(horizon)
    table, space = neighbours(grid), new_spacetime(steps, grid.size)
    path, arrival = np.empty((robots, steps + 1), np.int32), np.empty(robots, np.int32)
    order, key = initial_order(distance, rows, start), np.uint64(seed)
    for attempt in range(restarts + 1):
        done = int(_plan_all(table, distance, rows, space, start, goal, order, key, attempt, path, arrival))
        if done == robots:
            plan = np.ascontiguousarray(path[:, : int(arrival.max()) + 1].T)
            away = (plan[:-1] != goal) | (plan[1:] != goal)
            return Solution(plan, "solved", int(away.sum()), attempt + 1)
        if attempt % 10 == 9:
            _shuffle(order, key, attempt)
        else:
            _to_front(order, done)
    return Solution(None, "budget", -1, restarts + 1)


@kernel
def _plan_window(
    table: NDArray[np.int32],
    distance: NDArray[np.int32],
    rows: NDArray[np.int32],
    onward: NDArray[np.int32],
    space: Spacetime,
    pos: NDArray[np.int32],
    goal: NDArray[np.int32],
    order: NDArray[np.int32],
    key: np.uint64,
    attempt: int,
    path: NDArray[np.int32],
) -> int:
    """Plan all robots in this order up to the horizon; return how many found a way.

    `onward[N]` is the row of the distances to the goal after the present one, -1 where that is not known.
    """
    space.taken[:] = -1
    nowhere = np.zeros(table.shape[0], np.int32)
    for k in range(order.shape[0]):
        robot = int(order[k])
        turn = below(draw(key, _STREAM_TURN, attempt, robot, 0), 4)
        after = distance[onward[robot]] if onward[robot] >= 0 else nowhere
        here, there = int(pos[robot]), int(goal[robot])
        if not route_window(table, distance[rows[robot]], after, space, here, there, turn, path[robot]):
            return k
        reserve(space, path[robot], space.taken.shape[0] - 1, robot)
    return order.shape[0]


class Prioritized(OneShotPlanner):
    """Prioritised planning: whole paths in one-shot worlds, WHCA* in lifelong ones.

    `restarts` orders are tried before the robots go by PIBT (with swap) instead: for good in one-shot worlds, for
    one step in lifelong ones. Lifelong, plans look `window` steps ahead and are made anew every `period` steps or
    when a robot reaches its goal; known further goals guide the way beyond the first.
    """

    information = "full"

    def __init__(self, restarts: int = 30, window: int = 16, period: int = 4) -> None:
        if restarts < 0 or not 1 <= period <= window:
            raise ConfigError(
                f"restarts {restarts}, window {window}, period {period}: give 0 or more and 1 <= period <= window"
            )
        self.restarts, self.window, self.period = int(restarts), int(window), int(period)

    def find(
        self, grid: NDArray[np.uint8], starts: NDArray[np.int32], goals: NDArray[np.int32], seed: int
    ) -> NDArray[np.int32] | None:
        """Return a whole plan, or None."""
        return solve(grid, starts, goals, restarts=self.restarts, seed=seed).plan

    def begin(self, view: PlannerView, seed: int) -> None:
        """Prepare the window, or with the first decision the whole plan."""
        self._lifelong = view.lifelong
        if not view.lifelong:
            super().begin(view, seed)
            return
        self._seed, self._rounds = int(seed), 0
        grid = np.ascontiguousarray(view.grid, np.uint8)
        self._guides, self._table = Guides(grid), neighbours(grid)
        self._space = new_spacetime(self.window, grid.size, legs=2)
        self._path = np.empty((len(view.pos), self.window + 1), np.int32)
        self._followed = self.window
        self._goal = view.goal.copy()
        self._rotation = np.arange(len(view.pos), dtype=np.int32)
        self._relief = PIBT(swap=True)
        self._relief.begin(view, seed)

    def decide(self, view: PlannerView) -> NDArray[np.int64]:
        """Return one action for every robot."""
        if not self._lifelong:
            return super().decide(view)
        relief = self._relief.decide(view)  # every step, for its priorities count them
        stale = self._followed >= self.period or bool((view.goal != self._goal).any())
        if stale or bool((self._path[:, self._followed] != view.pos).any()):
            self._goal[:] = view.goal
            if not self._look_ahead(view):
                self._followed = self.window
                return relief
            self._followed = 0
        self._followed += 1
        actions = np.empty(len(view.pos), np.int64)
        target = np.ascontiguousarray(self._path[:, self._followed])
        actions_between(self._table, np.ascontiguousarray(view.pos, np.int32), target, actions)
        return actions

    def _look_ahead(self, view: PlannerView) -> bool:
        """Plan a window; False when no order that was tried gave everybody a way."""
        robots = len(view.pos)
        further = view.upcoming[:, 0] if view.upcoming.shape[1] else np.full(robots, -1, np.int32)
        known = further >= 0
        distance, rows = self._guides.table(np.concatenate([view.goal, further[known]]))
        onward = np.full(robots, -1, np.int32)
        onward[known] = rows[robots:]
        order = np.roll(self._rotation, -self._rounds)
        key = np.uint64(self._seed)
        for _ in range(self.restarts + 1):
            self._rounds += 1
            done = _plan_window(
                self._table,
                distance,
                rows[:robots],
                onward,
                self._space,
                view.pos,
                view.goal,
                order,
                key,
                self._rounds,
                self._path,
            )
            if done == robots:
                return True
            _to_front(order, int(done))
        return False
