"""Conflict-based search: plans with the least sum of costs, or a lower bound when the budget ends first.

Sources: Sharon et al. (AIJ 219, 2015) for the search; Boyarski et al. (IJCAI 2015), Li et al. (IJCAI 2019;
AIJ 301, 2021) for what makes it fast. `cbs_search` says which part comes from where.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ludarium.agents.mapf.cbs_robots import Robots
from ludarium.agents.mapf.cbs_search import Tree
from ludarium.agents.mapf.one_shot import OneShotPlanner, check_instance
from ludarium.envs.mapf.grid import components, neighbours

__all__ = ["CBS", "Solution", "solve"]


class Solution(NamedTuple):
    """What the search found."""

    plan: NDArray[np.int32] | None
    """int32[T + 1, N] cells, row 0 the starts; None unless the status is `optimal`"""
    cost: int | None
    """the sum over robots of the step of their last arrival; None without a plan"""
    lower_bound: int
    """no plan costs less (with a plan: its cost; of no meaning where the instance is unsolvable)"""
    nodes: int
    """expanded nodes of the constraint tree"""
    expansions: int
    """low-level work: states of path searches, cells of diagrams, joint states of pairs"""
    status: Literal["optimal", "budget", "unsolvable"]


def solve(
    grid: NDArray[np.uint8],
    starts: ArrayLike,
    goals: ArrayLike,
    *,
    max_nodes: int = 20_000,
    max_expansions: int = 50_000_000,
) -> Solution:
    """Find a plan with the least sum of costs.

    `grid` is `uint8[H, W]` (1 = obstacle), `starts` and `goals` cells, `[N]`. The result depends on the
    arguments only. `unsolvable` is a proof (a goal out of reach, or a constraint tree with no node left);
    instances in which robots block each other for good mostly end with `budget`. Raises `InstanceError` for
    cells on obstacles or outside the grid, and for shared starts or goals.
    """
    grid = np.ascontiguousarray(grid, np.uint8)
    first, last = check_instance(grid, starts, goals)
    if not len(first):
        return Solution(np.empty((1, 0), np.int32), 0, 0, 0, 0, "optimal")
    label = components(neighbours(grid))
    if (label[first] != label[last]).any():
        return Solution(None, None, 0, 0, 0, "unsolvable")
    tree = Tree(Robots(grid, first, last, max_expansions))
    node, bound = tree.run(max_nodes)
    work = (tree.nodes, tree.robots.expansions)
    if node is None:
        return Solution(None, None, max(bound, 0), *work, "unsolvable" if bound < 0 else "budget")
    plan = np.empty((max(node.costs) + 1, len(first)), np.int32)
    for robot, path in enumerate(node.paths):
        plan[: len(path), robot] = path
        plan[len(path) :, robot] = path[-1]
    return Solution(plan, bound, bound, *work, "optimal")


class CBS(OneShotPlanner):
    """Plans optimally at the beginning and follows the plan; for one-shot worlds with up to some dozens of robots.

    Robots are taken to stay on their goals: where they vanish, a plan is valid but may cost more than needed. Where the
    budget ends first, robots go on by PIBT. `solution` is the last result, `None` before the first.
    """

    def __init__(self, max_nodes: int = 20_000, max_expansions: int = 50_000_000) -> None:
        self.max_nodes, self.max_expansions = max_nodes, max_expansions
        self.solution: Solution | None = None

    def find(
        self, grid: NDArray[np.uint8], starts: NDArray[np.int32], goals: NDArray[np.int32], seed: int
    ) -> NDArray[np.int32] | None:
        """Return an optimal plan `int32[T + 1, N]`, or None when the budget ends first; chance plays no part."""
        self.solution = solve(grid, starts, goals, max_nodes=self.max_nodes, max_expansions=self.max_expansions)
        return self.solution.plan
