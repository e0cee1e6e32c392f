"""Large neighbourhood search over a whole plan: a few robots at a time are planned anew around all the others.

Source: Li, Chen, Harabor, Stuckey, Koenig, "Anytime Multi-Agent Path Finding via Large Neighborhood Search"
(IJCAI 2021).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.mapf.spacetime import Spacetime, new_spacetime, release, reserve, route
from ludarium.envs.core.compile import kernel
from ludarium.envs.core.errors import ConfigError
from ludarium.envs.core.rng import below, draw
from ludarium.envs.mapf.grid import neighbours
from ludarium.envs.mapf.guides import Guides

__all__ = ["refine"]

_STREAM_CHOICE, _STREAM_ORDER = 121, 122
_EFFORT = 16000
"""States that one robot's new path may take to find; rather another choice of robots than a search of the whole map."""


class _Work(NamedTuple):
    space: Spacetime
    path: NDArray[np.int32]
    """int32[N, T + 1]: each robot's path, its goal after the arrival"""
    cost: NDArray[np.int32]
    """int32[N]: arrivals"""
    fresh: NDArray[np.int32]
    """int32[size, T + 1]: paths of the robots chosen"""
    fresh_cost: NDArray[np.int32]
    chosen: NDArray[np.int32]
    """int32[size]"""
    member: NDArray[np.bool_]
    """bool[N]: whether chosen"""


@kernel
def _choose(work: _Work, robot: int, count: int) -> int:
    """Add a robot to those chosen, if it is new and there is room; return how many there are."""
    if robot < 0 or work.member[robot] or count == work.chosen.shape[0]:
        return count
    work.member[robot] = True
    work.chosen[count] = robot
    return count + 1


@kernel
def _most_delayed(work: _Work, distance: NDArray[np.int32], rows: NDArray[np.int32], key: np.uint64, i: int) -> int:
    """The robot that loses most against its shortest way, among a few drawn ones."""
    robots = work.cost.shape[0]
    best, most = 0, -1
    for attempt in range(min(8, robots)):
        robot = below(draw(key, _STREAM_CHOICE, i, attempt, 1), robots)
        delay = int(work.cost[robot]) - int(distance[rows[robot], work.path[robot, 0]])
        if delay > most:
            best, most = robot, delay
    return best


@kernel
def _choose_hinderers(
    work: _Work,
    table: NDArray[np.int32],
    distance: NDArray[np.int32],
    rows: NDArray[np.int32],
    key: np.uint64,
    i: int,
) -> int:
    """Choose a delayed robot and those met on random walks that would have it arrive sooner."""
    robot = _most_delayed(work, distance, rows, key, i)
    count = _choose(work, robot, 0)
    horizon = work.space.taken.shape[0] - 1
    for walk in range(2 * work.chosen.shape[0]):
        t = below(draw(key, _STREAM_CHOICE, i, walk, 2), int(work.cost[robot]) + 1)
        cell = int(work.path[robot, t])
        while t < horizon and count < work.chosen.shape[0]:
            first = below(draw(key, _STREAM_CHOICE, i, walk, 3 + t), 5)
            to = -1
            for k in range(5):
                nearby = int(table[cell, (first + k) % 5])
                if nearby >= 0 and t + 1 + distance[rows[robot], nearby] < work.cost[robot]:
                    to = nearby
                    break
            if to < 0:
                break
            count = _choose(work, int(work.space.taken[t + 1, to]), count)
            other = int(work.space.taken[t, to])
            if other >= 0 and work.space.taken[t + 1, cell] == other:
                count = _choose(work, other, count)
            cell = to
            t += 1
    return count


@kernel
def _choose_around(work: _Work, table: NDArray[np.int32], key: np.uint64, i: int) -> int:
    """Choose robots that pass near a place of some robot's path at about the same time."""
    robots, steps = work.cost.shape[0], work.space.taken.shape[0]
    robot = below(draw(key, _STREAM_CHOICE, i, 0, 1), robots)
    middle = below(draw(key, _STREAM_CHOICE, i, 0, 2), int(work.cost[robot]) + 1)
    cell = int(work.path[robot, middle])
    count = _choose(work, robot, 0)
    for away in range(steps):
        if count == work.chosen.shape[0]:
            break
        for t in (middle - away, middle + away):
            if 0 <= t < steps:
                for action in range(5):
                    if table[cell, action] >= 0:
                        count = _choose(work, int(work.space.taken[t, table[cell, action]]), count)
    return count


@kernel
def _fill_up(work: _Work, key: np.uint64, i: int, count: int) -> int:
    """Choose at random until there are enough."""
    robots = work.cost.shape[0]
    for attempt in range(4 * work.chosen.shape[0]):
        count = _choose(work, below(draw(key, _STREAM_CHOICE, i, attempt, 0), robots), count)
    return count


@kernel
def _shuffle(work: _Work, count: int, key: np.uint64, i: int) -> None:
    for k in range(count - 1, 0, -1):
        j = below(draw(key, _STREAM_ORDER, i, k, 0), k + 1)
        work.chosen[k], work.chosen[j] = work.chosen[j], work.chosen[k]


@kernel
def _replan(
    work: _Work,
    table: NDArray[np.int32],
    distance: NDArray[np.int32],
    rows: NDArray[np.int32],
    count: int,
    key: np.uint64,
    i: int,
) -> bool:
    """Plan the chosen robots anew, one after the other; False, and nothing changed, when that costs more."""
    slack = 0
    for k in range(count):
        robot = int(work.chosen[k])
        release(work.space, work.path[robot], int(work.cost[robot]))
        slack += int(work.cost[robot]) - int(distance[rows[robot], work.path[robot, 0]])
    done = 0
    while done < count:
        robot = int(work.chosen[done])
        start, goal = int(work.path[robot, 0]), int(work.path[robot, work.path.shape[1] - 1])
        shortest = int(distance[rows[robot], start])
        turn = below(draw(key, _STREAM_ORDER, i, robot, 1), 4)
        guide = distance[rows[robot]]
        arrival = route(table, guide, work.space, start, goal, shortest + slack, turn, _EFFORT, work.fresh[done])
        if arrival < 0:
            break
        slack -= arrival - shortest
        work.fresh_cost[done] = arrival
        reserve(work.space, work.fresh[done], arrival, robot)
        done += 1
    if done == count:
        for k in range(count):
            robot, arrival = int(work.chosen[k]), int(work.fresh_cost[k])
            work.path[robot, :arrival] = work.fresh[k, :arrival]
            work.path[robot, arrival:] = work.fresh[k, arrival]
            work.cost[robot] = arrival
        return True
    for k in range(done):
        release(work.space, work.fresh[k], int(work.fresh_cost[k]))
    for k in range(count):
        robot = int(work.chosen[k])
        reserve(work.space, work.path[robot], int(work.cost[robot]), robot)
    return False


@kernel
def _total_delay(work: _Work, distance: NDArray[np.int32], rows: NDArray[np.int32]) -> int:
    total = 0
    for robot in range(work.cost.shape[0]):
        total += int(work.cost[robot]) - int(distance[rows[robot], work.path[robot, 0]])
    return total


@kernel
def _improve(
    work: _Work,
    table: NDArray[np.int32],
    distance: NDArray[np.int32],
    rows: NDArray[np.int32],
    iterations: int,
    key: np.uint64,
) -> None:
    for i in range(iterations):
        if _total_delay(work, distance, rows) == 0:
            return
        kind = below(draw(key, _STREAM_CHOICE, i, 0, 9), 4)
        count = 0
        if kind <= 1:
            count = _choose_hinderers(work, table, distance, rows, key, i)
        elif kind == 2:
            count = _choose_around(work, table, key, i)
        count = _fill_up(work, key, i, count)
        _shuffle(work, count, key, i)
        _replan(work, table, distance, rows, count, key, i)
        for k in range(count):
            work.member[work.chosen[k]] = False


def refine(
    grid: NDArray[np.uint8],
    plan: NDArray[np.int32],
    *,
    iterations: int,
    size: int = 5,
    seed: int = 0,
    guides: Guides | None = None,
) -> NDArray[np.int32]:
    """Return a plan of the same starts and ends whose sum of costs is no higher.

    `plan` is a valid `int32[T + 1, N]` (cells); in each of `iterations` up to `size` robots are planned
    anew. Its makespan never grows. Raises `ConfigError` for a negative number of iterations or a size below
    1.
    """
    if iterations < 0 or size < 1:
        raise ConfigError(f"iterations {iterations} and size {size}: give at least 0 and 1")
    steps, robots = plan.shape
    if iterations == 0 or robots == 0 or steps == 1:
        return plan.copy()
    goals = plan[-1].copy()
    away = plan != goals
    cost = np.where(away.any(axis=0), steps - np.argmax(away[::-1], axis=0), 0).astype(np.int32)
    size = min(size, robots)
    work = _Work(
        space=new_spacetime(steps - 1, grid.size),
        path=np.ascontiguousarray(plan.T),
        cost=cost,
        fresh=np.empty((size, steps), np.int32),
        fresh_cost=np.empty(size, np.int32),
        chosen=np.empty(size, np.int32),
        member=np.zeros(robots, np.bool_),
    )
    work.space.taken[np.arange(steps)[:, None], plan] = np.arange(robots, dtype=np.int32)
    distance, rows = (guides or Guides(grid)).table(goals)
    _improve(work, neighbours(np.ascontiguousarray(grid, np.uint8)), distance, rows, iterations, np.uint64(seed))
    return np.ascontiguousarray(work.path[:, : int(work.cost.max()) + 1].T)
