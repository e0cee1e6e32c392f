"""What conflict-based search knows of robots and of pairs of robots under constraints, each fact computed once.

A set of constraints has a number; costs, MDDs and joint costs are kept by these numbers, so that branches of
the constraint tree share them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.mapf.cbs_pairs import compatible
from ludarium.agents.mapf.cbs_paths import FOREVER, OUT_OF_BUDGET, cheapest, diagram, mark, wipe
from ludarium.envs.mapf.grid import bfs, neighbours

__all__ = ["BudgetSpent", "Diagram", "Robots", "Rules"]

_DEPTH = 8
"""How far above their own least costs a pair is examined: the most that a pair adds to the heuristic."""
_REACH = 8
"""How far a branch on the costs of a pair may raise one of them."""
_PAIR_LIMIT = 500_000
"""Joint states after which a pair of diagrams is taken to be compatible, the harmless answer."""
_HELD_BYTES = 512 * 2**20
"""Diagrams kept; beyond it all are dropped and drawn again when needed."""


class BudgetSpent(Exception):
    """The budget of low-level expansions is used up."""


class Rules(NamedTuple):
    """The constraints on one robot: rows as in `cbs_paths`, and the costs it may have."""

    robot: int
    rows: tuple[tuple[int, int, int, int], ...]
    min_cost: int
    max_cost: int


class Diagram(NamedTuple):
    """An MDD as in `cbs_paths`, and the number of its cells at each step."""

    levels: NDArray[np.int32]
    cells: NDArray[np.int32]
    kids: NDArray[np.int32]
    widths: NDArray[np.int32]

    def holds(self, path: NDArray[np.int32]) -> bool:
        """Whether a path of the same cost is one of those of the diagram."""
        node = 0
        for cell in path[1:].tolist():
            kids = [kid for kid in self.kids[node].tolist() if kid >= 0 and self.cells[kid] == cell]
            if not kids:
                return False
            node = kids[0]
        return True


class Robots:
    """The robots of one instance, and the low-level budget; `starts` and `goals` are distinct free cells."""

    def __init__(
        self, grid: NDArray[np.uint8], starts: NDArray[np.int32], goals: NDArray[np.int32], budget: int
    ) -> None:
        self.table = neighbours(grid)
        self.cells = len(self.table)
        self.starts, self.goals = starts.tolist(), goals.tolist()
        self.count = len(self.starts)
        self.distance = np.empty((self.count, self.cells), np.int32)
        queue = np.empty(self.cells, np.int32)
        for robot, goal in enumerate(self.goals):
            bfs(self.table, goal, self.distance[robot], queue)
        self.budget, self.expansions = budget, 0
        self._blocked = np.zeros((64, self.cells), np.uint8)
        self._since = np.full(self.cells, FOREVER, np.int32)
        self._numbers: dict[Rules, int] = {}
        self.rules: list[Rules] = []
        self._rows: list[NDArray[np.int32]] = []
        self._least: dict[int, int] = {}
        self._diagrams: dict[tuple[int, int], Diagram | None] = {}
        self._held = 0
        self._fits: dict[tuple[int, int, int, int], bool] = {}
        self._weights: dict[tuple[int, int], int] = {}

    def spend(self, work: int) -> None:
        """Count low-level work; raise `BudgetSpent` when there is too much of it."""
        self.expansions += work
        if self.expansions > self.budget:
            raise BudgetSpent

    def number(self, rules: Rules) -> int:
        """The number of a set of rules, the same for equal ones."""
        found = self._numbers.get(rules)
        if found is None:
            found = self._numbers[rules] = len(self.rules)
            self.rules.append(rules)
            self._rows.append(np.array(rules.rows, np.int32).reshape(-1, 4))
        return found

    def _mark(self, rows: NDArray[np.int32]) -> int:
        """Enter constraints into the tables, made longer where they must be; return the horizon."""
        if len(rows):
            steps = 1 + max(first if last == FOREVER else last for first, last in rows[:, 2:].tolist())
            if steps > len(self._blocked):
                self._blocked = np.zeros((2 * steps, self.cells), np.uint8)
        return mark(self.table, rows, self._blocked, self._since)

    def cost(self, number: int) -> int:
        """The least cost under a set of rules, negative where there is no path."""
        known = self._least.get(number)
        if known is not None:
            return known
        rules, rows = self.rules[number], self._rows[number]
        start, goal = self.starts[rules.robot], self.goals[rules.robot]
        horizon = self._mark(rows)
        limits = (rules.min_cost, rules.max_cost, self.budget - self.expansions)
        world = (self._blocked, self._since, horizon)
        cost, work = cheapest(self.table, self.distance[rules.robot], start, goal, *world, *limits)
        wipe(rows, self._blocked, self._since)
        self.spend(work)
        if cost == OUT_OF_BUDGET:
            raise BudgetSpent
        self._least[number] = cost
        return cost

    def diagram(self, number: int, cost: int) -> Diagram | None:
        """All paths of exactly this cost under a set of rules, or None where there are none."""
        key = (number, cost)
        if key in self._diagrams:
            return self._diagrams[key]
        rules, rows = self.rules[number], self._rows[number]
        found: Diagram | None = None
        if 0 <= self.cost(number) <= cost <= rules.max_cost:
            start, goal = self.starts[rules.robot], self.goals[rules.robot]
            world = (self._blocked, self._since, self._mark(rows))
            levels, cells, kids = diagram(self.table, self.distance[rules.robot], start, goal, *world, cost)
            wipe(rows, self._blocked, self._since)
            self.spend(len(cells))
            if len(cells):
                found = Diagram(levels, cells, kids, np.diff(levels))
                self._held += sum(part.nbytes for part in found)
        if self._held > _HELD_BYTES:
            self._diagrams.clear()
            self._held = 0
        self._diagrams[key] = found
        return found

    def own(self, number: int) -> Diagram:
        """All paths of the least cost under a set of rules that can be kept."""
        found = self.diagram(number, self.cost(number))
        assert found is not None, "the least cost has a path"
        return found

    def fits(self, one: int, cost_one: int, two: int, cost_two: int) -> bool:
        """Whether two robots can go together at exactly these costs."""
        key = (one, cost_one, two, cost_two)
        known = self._fits.get(key)
        if known is None:
            first, second = self.diagram(one, cost_one), self.diagram(two, cost_two)
            known = False
            if first is not None and second is not None:
                known, looked = compatible(*first[:3], *second[:3], _PAIR_LIMIT)
                self.spend(looked)
            self._fits[key] = known
        return known

    def weight(self, one: int, two: int) -> int:
        """How much more than their own least costs two robots cost together, at most `_DEPTH`."""
        key = (one, two)
        known = self._weights.get(key)
        if known is None:
            a, b = self.cost(one), self.cost(two)
            known = 0
            while known < _DEPTH and not any(self.fits(one, a + k, two, b + known - k) for k in range(known + 1)):
                known += 1
            self._weights[key] = known
        return known

    def region(self, one: int, two: int) -> tuple[int, int]:
        """Rises (A, B): no costs below (a + A, b + B) go together, a and b being the least ones; (0, 0) where those do.

        The rectangle grows side by side as far as it can, at most to `_REACH`.
        """
        a, b = self.cost(one), self.cost(two)
        if self.fits(one, a, two, b):
            return 0, 0
        rise_a = rise_b = 1
        grow_a = grow_b = True
        while grow_a or grow_b:
            if grow_a and (rise_a <= rise_b or not grow_b):
                grow_a = rise_a < _REACH and not any(self.fits(one, a + rise_a, two, b + k) for k in range(rise_b))
                rise_a += grow_a
            else:
                grow_b = rise_b < _REACH and not any(self.fits(one, a + k, two, b + rise_b) for k in range(rise_a))
                rise_b += grow_b
        return rise_a, rise_b
