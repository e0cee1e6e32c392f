"""LaCAM*: complete, anytime and eventually optimal one-shot path finding for hundreds of robots.

`solve` searches configurations depth first with PIBT as the generator of successors (`lacam_tree.py`), and
after the first solution keeps rewiring towards a lower sum of loss: the number of robots that do not stay on
their goals, summed over steps. Sources: see `lacam_tree.py`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ludarium.agents.mapf.lacam_tree import (
    EXHAUSTED,
    FOUND,
    FULL,
    GOAL,
    ITERATIONS,
    Problem,
    Tree,
    enlarge,
    new_tree,
    search,
    start_tree,
)
from ludarium.agents.mapf.one_shot import OneShotPlanner, Solution, check_instance
from ludarium.agents.mapf.pibt import initial_order, pibt_work
from ludarium.agents.mapf.refine import refine
from ludarium.envs.core.errors import ConfigError
from ludarium.envs.mapf.grid import UNREACHABLE, neighbours
from ludarium.envs.mapf.guides import Guides

__all__ = ["LaCAM", "solve"]


def _backtrack(tree: Tree) -> NDArray[np.int32]:
    node, path = int(tree.facts[GOAL]), []
    while node >= 0:
        path.append(node)
        node = int(tree.parent[node])
    return tree.config[path[::-1]].copy()


def _advance(problem: Problem, tree: Tree, key: np.uint64, limit: int, swap: bool, samples: int) -> tuple[Tree, int]:
    """Search up to the limit, with as much room as that takes."""
    while True:
        why = int(search(problem, tree, key, limit, swap, samples))
        if why != FULL:
            return tree, why
        tree = enlarge(tree)


def solve(
    grid: NDArray[np.uint8],
    starts: ArrayLike,
    goals: ArrayLike,
    *,
    max_iterations: int = 100_000,
    refine_iterations: int = 0,
    seed: int = 0,
    swap: bool = True,
    samples: int = 1,
    guides: Guides | None = None,
) -> Solution:
    """Find a plan from `starts[N]` to `goals[N]` (cells) on `grid` (`uint8[H, W]`, 1 = obstacle).

    `max_iterations` bounds the search for the first solution, `refine_iterations` the improvement after it;
    one iteration asks PIBT for one configuration, the best of `samples`. The result is a pure function of
    the arguments. Pass `guides` of the same grid to keep its distance maps. Raises `InstanceError` for cells
    that are outside, blocked or given twice, `ConfigError` for bad budgets.
    """
    if max_iterations < 1 or refine_iterations < 0 or samples < 1:
        raise ConfigError(
            f"max_iterations {max_iterations}, refine_iterations {refine_iterations}, samples {samples}: "
            "give at least 1, 0 and 1"
        )
    grid = np.ascontiguousarray(grid, np.uint8)
    start, goal = check_instance(grid, starts, goals)
    if len(start) == 0:
        return Solution(np.empty((1, 0), np.int32), "optimal", 0, 0)
    distance, rows = (guides or Guides(grid)).table(goal)
    if (distance[rows, start] >= UNREACHABLE).any():
        return Solution(None, "unsolvable", -1, 0)
    robots = len(start)
    problem = Problem(
        table=neighbours(grid),
        distance=distance,
        rows=rows,
        goal=goal,
        rank=initial_order(distance, rows, start),
        work=pibt_work(grid.size, robots),
        ties=np.empty(robots, np.uint64),
        planned=np.empty(robots, np.int32),
        best=np.empty(robots, np.int32),
        where=np.empty(robots, np.int32),
        arrived=np.empty(robots, np.bool_),
    )
    tree = new_tree(robots, 256)
    start_tree(problem, tree, start)
    key = np.uint64(seed)
    tree, why = _advance(problem, tree, key, max_iterations, swap, samples)
    if why == FOUND:
        limit = int(tree.facts[ITERATIONS]) + refine_iterations
        tree, why = _advance(problem, tree, key, limit, swap, samples)
    iterations = int(tree.facts[ITERATIONS])
    if tree.facts[GOAL] < 0:
        return Solution(None, "unsolvable" if why == EXHAUSTED else "budget", -1, iterations)
    cost = int(tree.cost[tree.facts[GOAL]])
    return Solution(_backtrack(tree), "optimal" if why == EXHAUSTED else "solved", cost, iterations)


class LaCAM(OneShotPlanner):
    """LaCAM* as a planner: the first plan, rewired, then refined by large neighbourhood search.

    Budgets: `max_iterations` and `refine_iterations` of LaCAM* (see `solve`) and `lns_iterations` (see
    `agents/mapf/refine.py`). Without a plan the robots go by PIBT with swap.
    """

    def __init__(self, max_iterations: int = 200_000, refine_iterations: int = 100, lns_iterations: int = 1000) -> None:
        self.max_iterations = int(max_iterations)
        self.refine_iterations = int(refine_iterations)
        self.lns_iterations = int(lns_iterations)

    def find(
        self, grid: NDArray[np.uint8], starts: NDArray[np.int32], goals: NDArray[np.int32], seed: int
    ) -> NDArray[np.int32] | None:
        """Return a plan, or None."""
        guides = Guides(grid)
        solution = solve(
            grid,
            starts,
            goals,
            max_iterations=self.max_iterations,
            refine_iterations=self.refine_iterations,
            seed=seed,
            guides=guides,
        )
        if solution.plan is None:
            return None
        return refine(grid, solution.plan, iterations=self.lns_iterations, seed=seed, guides=guides)
