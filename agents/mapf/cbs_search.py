"""The constraint tree of conflict-based search, best first over lower bounds of the sum of costs.

Source: Sharon, Stern, Felner, Sturtevant, "Conflict-based search for optimal multi-agent pathfinding", AIJ
219 (2015). What makes it fast, and where it comes from:

- conflicts by cardinality through MDDs, and bypassing: Boyarski et al., "ICBS", IJCAI 2015; - the WDG
heuristic, what every pair in conflict costs together, covered over all pairs: Li et al., IJCAI 2019; - target
reasoning, a branch on when a robot comes to rest: Li et al., "Pairwise symmetry reasoning for multi-agent
path
  finding search" (CBSH2-RTC), AIJ 301 (2021);
- for all other symmetries of a pair (rectangles, corridors) one rule in place of many: where no two paths of
costs below
  (a + A, b + B) go together, one child has the first robot cost a + A at least, the other child the second b
  + B. It is the increasing cost tree (Sharon et al., AIJ 195, 2013) used as a branching rule;
- before a branch that cannot raise the bound, robots in conflict choose again among their cheapest paths,
ties anew.
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.mapf.cbs_pairs import FIRST, SECOND, STEP, TARGET, collisions, cover, rank
from ludarium.agents.mapf.cbs_paths import FOREVER, least_colliding
from ludarium.agents.mapf.cbs_robots import BudgetSpent, Robots, Rules

__all__ = ["Node", "Tree"]

_COVER_LIMIT = 20_000
"""Steps of branch and bound for one component of the weighted dependency graph."""
_SWEEPS = 1
"""Rounds without gain after which robots stop choosing again."""
_PATIENCE = 4
"""Generations of nodes that do not choose again after it was in vain."""
_NON, _SEMI, _SYMMETRIC, _CARDINAL = range(4)


class Node:
    """A node of the constraint tree; lists run over the robots."""

    __slots__ = ("conflicts", "costs", "deadlines", "g", "h", "paths", "patience", "ranked", "rules")

    def __init__(self, rules: list[int], costs: list[int], paths: list[Any]) -> None:
        self.rules, self.costs, self.paths = rules, costs, paths
        self.deadlines: dict[int, int] = {}  # steps by which robots must have come to rest
        self.g, self.h = sum(costs), 0
        self.ranked = False
        self.patience = 0
        self.conflicts = np.empty((0, 6), np.int32)

    def copy(self) -> Node:
        """A node with the same paths and conflicts, to be changed."""
        made = Node(self.rules[:], self.costs[:], self.paths[:])
        made.deadlines, made.conflicts, made.patience = self.deadlines, self.conflicts, self.patience
        return made


class Tree:
    """The search for one instance."""

    def __init__(self, robots: Robots) -> None:
        self.robots = robots
        self.count = robots.count
        self.nodes = 0
        self._resize(64)

    def _resize(self, steps: int) -> None:
        """Tables of the paths shown and of the widths of their diagrams, for this many steps."""
        self._places = np.zeros((steps, self.count), np.int32)
        self._widths = np.ones((steps, self.count), np.int32)
        self._shown: list[Any] = [None] * self.count
        self._measured: list[Any] = [None] * self.count

    def _put(self, robot: int, path: NDArray[np.int32]) -> None:
        if self._shown[robot] is not path:
            self._places[: len(path), robot] = path
            self._places[len(path) :, robot] = path[-1]
            self._shown[robot] = path

    def _show(self, node: Node, spare: int = 0) -> None:
        """Bring a node's paths into the table that the kernels read, with room for paths of `spare` steps."""
        steps = max(spare, *node.costs) + 2
        if steps > len(self._places):
            self._resize(2 * steps)
        for robot in range(self.count):
            self._put(robot, node.paths[robot])

    def _measure(self, node: Node) -> None:
        """Bring the widths of a shown node's diagrams into their table."""
        for robot, number in enumerate(node.rules):
            drawn = self.robots.own(number)
            if self._measured[robot] is not drawn:
                self._widths[: len(drawn.widths), robot] = drawn.widths
                self._widths[len(drawn.widths) :, robot] = 1
                self._measured[robot] = drawn

    def _replan(self, node: Node, robot: int, number: int) -> bool:
        """Give a robot of a node new rules and the path that collides least; False if there is none."""
        cost = self.robots.cost(number)
        if cost < 0:
            return False
        self._show(node, cost)
        node.rules[robot], node.costs[robot] = number, cost
        node.paths[robot] = self._pick(number, robot, 0)
        return True

    def _pick(self, number: int, robot: int, salt: int) -> NDArray[np.int32]:
        """The path under these rules that collides least with those shown; it is shown at once."""
        drawn = self.robots.own(number)
        path = least_colliding(*drawn[:3], self._places, robot, self.robots.cells, salt)
        self.robots.spend(len(drawn.cells))
        self._put(robot, path)
        return path

    def _collide(self, node: Node, changed: list[int]) -> None:
        """Renew the conflicts of a node after the paths of some robots changed."""
        self._show(node)
        costs = np.array(node.costs, np.int64)
        moved = np.zeros(self.count, np.bool_)
        moved[changed] = True
        old = node.conflicts
        parts = [old[~(moved[old[:, FIRST]] | moved[old[:, SECOND]])]]
        moved[:] = False
        for robot in changed:
            found = collisions(self._places, costs, robot, max(node.costs) + 1)
            parts.append(found[~(moved[found[:, FIRST]] | moved[found[:, SECOND]])])
            moved[robot] = True
        node.conflicts = np.concatenate(parts)
        node.g = sum(node.costs)

    def root(self) -> Node:
        """Everybody's cheapest path, each chosen to collide little with those chosen before it."""
        rules = [self.robots.number(Rules(robot, (), 0, FOREVER)) for robot in range(self.count)]
        costs = [self.robots.cost(number) for number in rules]
        node = Node(rules, costs, [np.array([start], np.int32) for start in self.robots.starts])
        for robot, number in enumerate(rules):
            self._replan(node, robot, number)
        self._collide(node, list(range(self.count)))
        return node

    def _child(
        self,
        node: Node,
        robot: int,
        row: tuple[int, int, int, int] | None = None,
        min_cost: int = 0,
        max_cost: int = FOREVER,
    ) -> Node | None:
        """The node with one more constraint on a robot, or None if it cannot be kept.

        A deadline (`max_cost`) closes the robot's goal to all others from then on: those in the way are
        replanned at once, the rest learn of it when they are next replanned.
        """
        made = node.copy()
        todo = [robot]
        if max_cost < FOREVER:
            made.deadlines = {**node.deadlines, robot: min(max_cost, node.deadlines.get(robot, FOREVER))}
            goal = self.robots.goals[robot]
            todo += [k for k in range(self.count) if k != robot and (node.paths[k][max_cost:] == goal).any()]
        changed = []
        for k in todo:
            old = self.robots.rules[node.rules[k]]
            rows = {*old.rows, *((-1, self.robots.goals[i], by, FOREVER) for i, by in made.deadlines.items() if i != k)}
            if k == robot and row is not None:
                rows.add(row)
            low = max(old.min_cost, min_cost) if k == robot else old.min_cost
            number = self.robots.number(
                Rules(k, tuple(sorted(rows)), low, min(old.max_cost, made.deadlines.get(k, FOREVER)))
            )
            if k == robot and max_cost < FOREVER and self._still_good(number, node.paths[k]):
                made.rules[k] = number
                continue
            if not self._replan(made, k, number):
                return None
            changed.append(k)
        self._collide(made, changed)
        made.h = max(node.g + node.h - made.g, 0)
        made.patience -= 1
        return made

    def _still_good(self, number: int, path: NDArray[np.int32]) -> bool:
        """Whether a path is one of the cheapest under new rules too."""
        return self.robots.cost(number) == len(path) - 1 and self.robots.own(number).holds(path)

    def bound(self, node: Node) -> int:
        """The WDG heuristic: what the pairs in conflict must cost together beyond their own costs."""
        edges: dict[int, dict[int, int]] = {}
        for first, second in sorted({(first, second) for first, second in node.conflicts[:, :2].tolist()}):
            weight = self.robots.weight(node.rules[first], node.rules[second])
            if weight:
                edges.setdefault(first, {})[second] = weight
                edges.setdefault(second, {})[first] = weight
        total = 0
        done: set[int] = set()
        for robot in edges:
            if robot in done:
                continue
            done.add(robot)
            group = [robot]
            for member in group:  # grows to the whole component
                fresh = [other for other in edges[member] if other not in done]
                done.update(fresh)
                group += fresh
            group.sort(key=lambda member: (-len(edges[member]), member))
            matrix = np.array([[edges[a].get(b, 0) for b in group] for a in group], np.int64)
            total += cover(matrix, _COVER_LIMIT)
        return total

    def _choose(self, node: Node) -> tuple[int, list[int], tuple[int, int]]:
        """The conflict to branch on: its class, its row, and the rises of a branch on costs ((0, 0): another branch).

        Those that raise the bound come first, among them those of the dearest pairs, then targets, then early
        ones.
        """
        best: tuple[Any, ...] = ()
        for row, both in zip(node.conflicts.tolist(), rank(node.conflicts, self._widths).tolist(), strict=True):
            weight = self.robots.weight(node.rules[row[FIRST]], node.rules[row[SECOND]])
            kind = _CARDINAL if both == 2 else _SYMMETRIC if weight else both
            key = (-kind, -weight, row[TARGET] == 0, row[STEP], row[FIRST], row[SECOND], row)
            if not best or key < best:
                best = key
        kind, weight, row = -best[0], -best[1], best[-1]
        rises = (0, 0)
        if weight and not row[TARGET]:
            rises = self.robots.region(node.rules[row[FIRST]], node.rules[row[SECOND]])
            if kind == _CARDINAL and min(rises) < 2:  # forbidding the cell says more, and raises as much
                rises = (0, 0)
        return kind, row, rises

    def _branch(self, node: Node, row: list[int], rises: tuple[int, int]) -> list[Node]:
        """The children of a node for a conflict: every solution of the node is a solution of one of them."""
        first, second, origin, cell, step, target = row
        if target:
            holder = first if target == 1 else second
            made = [self._child(node, holder, min_cost=step + 1), self._child(node, holder, max_cost=step)]
        elif rises[0]:
            made = [
                self._child(node, first, min_cost=node.costs[first] + rises[0]),
                self._child(node, second, min_cost=node.costs[second] + rises[1]),
            ]
        else:
            back = (-1, cell) if origin < 0 else (cell, origin)
            made = [
                self._child(node, first, (origin, cell, step, step)),
                self._child(node, second, (*back, step, step)),
            ]
        return [child for child in made if child is not None]

    def _settle(self, node: Node) -> bool:
        """Have the robots in conflict choose again among their cheapest paths; whether that left fewer conflicts."""
        before = len(node.conflicts)
        work, stale, sweep = node.copy(), 0, 0
        while stale < _SWEEPS and len(node.conflicts):
            sweep, stale = sweep + 1, stale + 1
            robots = sorted(set(work.conflicts[:, [FIRST, SECOND]].ravel().tolist()))
            for robot in robots:
                work.paths[robot] = self._pick(node.rules[robot], robot, sweep * 64 + robot)
            self._collide(work, robots)
            if len(work.conflicts) < len(node.conflicts):
                node.paths, node.conflicts, stale = work.paths[:], work.conflicts, 0
        return len(node.conflicts) < before

    def _expand(self, node: Node) -> list[Node]:
        """Branch; before that settle and bypass (a child as cheap with fewer conflicts gives the node its paths)."""
        while len(node.conflicts):
            self._show(node)
            self._measure(node)
            kind, row, rises = self._choose(node)
            raises = kind == _CARDINAL or rises[0] > 0
            if not raises and node.patience <= 0:
                settled = self._settle(node)
                node.patience = 1 if settled else _PATIENCE
                if settled:
                    continue
            children = self._branch(node, row, rises)
            fewer = [child for child in children if child.g == node.g and len(child.conflicts) < len(node.conflicts)]
            if raises or not fewer:
                return children
            taken = min(fewer, key=lambda child: len(child.conflicts))
            node.paths, node.conflicts = taken.paths, taken.conflicts
        return [node]

    def run(self, max_nodes: int) -> tuple[Node | None, int]:
        """Search; return the node of an optimal plan and its cost, or None with a lower bound (-1: proven unsolvable).

        The low-level budget ends the search too. At least one robot, and every goal in reach.
        """
        lowest = sum(int(self.robots.distance[k, start]) for k, start in enumerate(self.robots.starts))
        queue: list[tuple[int, int, int, Node]] = []
        made = 0
        try:
            fresh = [self.root()]
            while fresh or queue:
                for node in fresh:
                    heapq.heappush(queue, (node.g + node.h, len(node.conflicts), made, node))
                    made += 1
                fresh = []
                value, _, _, node = heapq.heappop(queue)
                lowest = max(lowest, value)
                if not len(node.conflicts):
                    return node, node.g
                if not node.ranked:
                    node.ranked = True
                    node.h = max(node.h, self.bound(node))
                    if node.g + node.h > value:
                        fresh = [node]
                        continue
                if self.nodes >= max_nodes:
                    return None, lowest
                self.nodes += 1
                fresh = self._expand(node)
        except BudgetSpent:
            return None, lowest
        return None, -1
