"""The constraint tree of conflict-based search (Sharon et al., "Conflict-based search for optimal multi-agent pathfinding",
AIJ 219, 2015), best first over lower bounds of the sum of costs.

What makes it fast, and where it comes from:
- conflicts by cardinality through MDDs, and bypassing: Boyarski et al., "ICBS", IJCAI 2015;
- the WDG heuristic (what each pair of robots costs at least, covered over all pairs): Li et al., IJCAI 2019;
- target reasoning (branch on when a robot comes to rest): Li et al., "Pairwise symmetry reasoning for multi-agent path
  finding search", AIJ 301, 2021;
- for all other symmetries of a pair (rectangles, corridors) one rule in place of many: where no two paths of costs below
  (a + A, b + B) go together, one child makes the first robot cost a + A at least, the other child the second b + B. That is
  the increasing cost tree (Sharon et al., AIJ 195, 2013) as a branching rule.
"""

from __future__ import annotations

import heapq
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.mapf.cbs_pairs import FIRST, ORIGIN, SECOND, STEP, TARGET, collisions, compatible, cover, rank
from ludarium.agents.mapf.cbs_paths import FOREVER, OUT_OF_BUDGET, cheapest, diagram, least_colliding, mark, wipe
from ludarium.envs.mapf.grid import bfs, neighbours

__all__ = ["Tree"]

_DEPTH = 4
"""How far above their own costs a pair of robots is examined; the heuristic is at most this for a pair."""
_REACH = 8
"""How far a branch on the costs of a pair may raise one of them."""
_PAIR_LIMIT = 200_000
"""Joint states after which a pair is examined no further."""
_COVER_LIMIT = 20_000


class Rules(NamedTuple):
    """The constraints on one robot: rows as in `cbs_paths`, and the costs it may have."""

    robot: int
    rows: tuple[tuple[int, int, int, int], ...]
    min_cost: int
    max_cost: int


class Diagram(NamedTuple):
    """An MDD and the number of its cells at each step."""

    levels: NDArray[np.int32]
    cells: NDArray[np.int32]
    kids: NDArray[np.int32]
    widths: NDArray[np.int32]


class Node:
    """A node of the constraint tree; lists run over the robots."""

    __slots__ = ("conflicts", "costs", "deadlines", "g", "h", "paths", "ranked", "rules", "settled")

    def __init__(self, rules: list[int], costs: list[int], paths: list[Any], deadlines: dict[int, int]) -> None:
        self.rules = rules
        self.costs = costs
        self.paths = paths
        self.deadlines = deadlines
        self.g = sum(costs)
        self.h = 0
        self.ranked = False
        self.settled = False
        self.conflicts = np.empty((0, 6), np.int32)


import os
SWEEPS=int(os.environ.get('SWEEPS','5'))
class BudgetSpent(Exception):
    """The low-level budget is used up."""


class Tree:
    """The search for one instance; all caches live and die with it."""

    def __init__(self, grid: NDArray[np.uint8], starts: NDArray[np.int32], goals: NDArray[np.int32], budget: int) -> None:
        self.table = neighbours(grid)
        self.starts, self.goals = starts.tolist(), goals.tolist()
        self.count = len(self.starts)
        cells = len(self.table)
        self.distance = np.empty((self.count, cells), np.int32)
        queue = np.empty(cells, np.int32)
        for robot, goal in enumerate(self.goals):
            bfs(self.table, goal, self.distance[robot], queue)
        self.budget, self.expansions, self.nodes = budget, 0, 0
        self.blocked = np.zeros((64, cells), np.uint8)
        self.since = np.full(cells, FOREVER, np.int32)
        self.known: list[Rules] = []
        self.arrays: list[NDArray[np.int32]] = []
        self.number: dict[Rules, int] = {}
        self.least: dict[int, int] = {}
        self.diagrams: dict[tuple[int, int], Diagram | None] = {}
        self.pairs: dict[tuple[int, int, int, int], bool] = {}
        self.weights: dict[tuple[int, int], int] = {}
        self.places = np.zeros((64, self.count), np.int32)
        self.widths = np.ones((64, self.count), np.int32)
        self.shown: list[Any] = [None] * self.count
        self.shown_width: list[Any] = [None] * self.count
        self.stats: dict[str, int] = {}

    # ---- one robot

    def intern(self, rules: Rules) -> int:
        """The number of a set of rules."""
        found = self.number.get(rules)
        if found is None:
            found = self.number[rules] = len(self.known)
            self.known.append(rules)
            self.arrays.append(np.array(rules.rows, np.int32).reshape(-1, 4))
        return found

    def _spend(self, work: int) -> None:
        self.expansions += work
        if self.expansions > self.budget:
            raise BudgetSpent

    def _mark(self, rows: NDArray[np.int32]) -> int:
        if len(rows):
            need = max(int(last if last < FOREVER else first) for first, last in rows[:, 2:].tolist()) + 1
            if need > len(self.blocked):
                self.blocked = np.zeros((2 * need, len(self.table)), np.uint8)
        return mark(self.table, rows, self.blocked, self.since)

    def cost_of(self, number: int) -> int:
        """The least cost under a set of rules, negative where there is no path."""
        cost = self.least.get(number)
        if cost is None:
            rules, rows = self.known[number], self.arrays[number]
            robot = rules.robot
            horizon = self._mark(rows)
            cost, work = cheapest(
                self.table, self.distance[robot], self.starts[robot], self.goals[robot],
                self.blocked, self.since, horizon, rules.min_cost, rules.max_cost, self.budget - self.expansions,
            )  # fmt: skip
            wipe(rows, self.blocked, self.since)
            self._spend(work)
            if cost == OUT_OF_BUDGET:
                raise BudgetSpent
            self.least[number] = cost
        return cost

    def diagram_of(self, number: int, cost: int) -> Diagram | None:
        """All paths of a cost under a set of rules, or None where there are none."""
        key = (number, cost)
        if key in self.diagrams:
            return self.diagrams[key]
        rules, rows = self.known[number], self.arrays[number]
        robot = rules.robot
        found: Diagram | None = None
        if self.cost_of(number) >= 0 and self.cost_of(number) <= cost <= rules.max_cost:
            horizon = self._mark(rows)
            levels, cells, kids = diagram(
                self.table, self.distance[robot], self.starts[robot], self.goals[robot],
                self.blocked, self.since, horizon, cost,
            )  # fmt: skip
            wipe(rows, self.blocked, self.since)
            self._spend(len(cells))
            if len(cells):
                found = Diagram(levels, cells, kids, np.diff(levels))
        self.diagrams[key] = found
        return found

    # ---- pairs

    def fits(self, one: int, cost_one: int, two: int, cost_two: int) -> bool:
        """Whether two robots can go together at exactly these costs (True also where that is too dear to find out)."""
        key = (one, cost_one, two, cost_two)
        known = self.pairs.get(key)
        if known is None:
            first, second = self.diagram_of(one, cost_one), self.diagram_of(two, cost_two)
            known = False
            if first is not None and second is not None:
                known, looked = compatible(*first[:3], *second[:3], _PAIR_LIMIT)
                self._spend(looked)
            self.pairs[key] = known
        return known

    def weight(self, one: int, two: int) -> int:
        """How much more than their own least costs two robots cost together, at most `_DEPTH`."""
        key = (one, two)
        known = self.weights.get(key)
        if known is None:
            a, b = self.cost_of(one), self.cost_of(two)
            known = 0
            while known < _DEPTH and not any(self.fits(one, a + k, two, b + known - k) for k in range(known + 1)):
                known += 1
            self.weights[key] = known
        return known

    def region(self, one: int, two: int) -> tuple[int, int]:
        """Rises (A, B) so that no two costs below (a + A, b + B) go together; (0, 0) where a + 0, b + 0 do."""
        a, b = self.cost_of(one), self.cost_of(two)
        wide, tall = 0, 0
        grow_wide = grow_tall = True
        while grow_wide or grow_tall:
            if grow_wide and (wide <= tall or not grow_tall):
                if wide == _REACH or any(self.fits(one, a + wide, two, b + k) for k in range(max(tall, 1))):
                    grow_wide = False
                else:
                    wide += 1
                    tall = max(tall, 1)
            elif tall == _REACH or any(self.fits(one, a + k, two, b + tall) for k in range(wide)):
                grow_tall = False
            else:
                tall += 1
            if wide == 0:
                return 0, 0
        return wide, tall

    # ---- nodes

    def _fit_steps(self, steps: int) -> None:
        if steps > len(self.places):
            self.places = np.zeros((2 * steps, self.count), np.int32)
            self.widths = np.ones((2 * steps, self.count), np.int32)
            self.shown, self.shown_width = [None] * self.count, [None] * self.count

    def _put(self, robot: int, path: NDArray[np.int32]) -> None:
        if self.shown[robot] is not path:
            self._fit_steps(len(path) + 1)
            self.places[: len(path), robot] = path
            self.places[len(path) :, robot] = path[-1]
            self.shown[robot] = path

    def show(self, node: Node, measured: bool = False) -> None:
        """Bring a node's paths (and the widths of its MDDs) into the tables the kernels read."""
        self._fit_steps(max(node.costs) + 2)
        for robot in range(self.count):
            self._put(robot, node.paths[robot])
            if measured:
                drawn = self.diagram_of(node.rules[robot], node.costs[robot])
                assert drawn is not None, "a robot's own cost always has a path"
                if self.shown_width[robot] is not drawn:
                    self.widths[: len(drawn.widths), robot] = drawn.widths
                    self.widths[len(drawn.widths) :, robot] = 1
                    self.shown_width[robot] = drawn

    def _replan(self, node: Node, robot: int, number: int) -> bool:
        """Give a robot of a node (which is shown) new rules and the path that collides least; False if there is none."""
        cost = self.cost_of(number)
        if cost < 0:
            return False
        drawn = self.diagram_of(number, cost)
        assert drawn is not None, "the least cost has a path"
        self._fit_steps(cost + 2)
        path = least_colliding(*drawn[:3], self.places, robot, len(self.table), 0)
        self._spend(len(drawn.cells))
        node.g += cost - node.costs[robot]
        node.rules[robot], node.costs[robot], node.paths[robot] = number, cost, path
        self._put(robot, path)
        return True

    def _collide(self, node: Node, changed: list[int]) -> None:
        """Renew the conflicts of a shown node after these robots changed."""
        costs = np.array(node.costs, np.int64)
        steps = int(costs.max()) + 1
        kept = node.conflicts
        for robot in changed:
            kept = kept[(kept[:, FIRST] != robot) & (kept[:, SECOND] != robot)]
        parts = [kept]
        for robot in changed:
            fresh = collisions(self.places, costs, robot, steps, False)
            for earlier in changed:
                if earlier == robot:
                    break
                fresh = fresh[(fresh[:, FIRST] != earlier) & (fresh[:, SECOND] != earlier)]
            parts.append(fresh)
        node.conflicts = np.concatenate(parts)

    def root(self) -> Node:
        """Everybody's shortest path, each chosen to collide little with those before."""
        rules = [self.intern(Rules(robot, (), 0, FOREVER)) for robot in range(self.count)]
        costs = [self.cost_of(number) for number in rules]
        node = Node(rules, costs, [np.array([start], np.int32) for start in self.starts], {})
        self.show(node)
        for robot, number in enumerate(rules):
            self._replan(node, robot, number)
        self.show(node)
        self._collide(node, list(range(self.count)))
        return node

    def child(self, node: Node, robot: int, *, row: tuple[int, int, int, int] | None = None,
              min_cost: int = 0, max_cost: int = FOREVER) -> Node | None:  # fmt: skip
        """The node with one more constraint on a robot, or None if nobody can keep it.

        A deadline (`max_cost`) closes the robot's goal to all others from then on; those in the way are replanned at once,
        the rest when they are next replanned.
        """
        made = Node(node.rules[:], node.costs[:], node.paths[:], node.deadlines)
        made.g, made.conflicts = node.g, node.conflicts
        todo = [robot]
        if max_cost < FOREVER:
            made.deadlines = {**node.deadlines, robot: min(max_cost, node.deadlines.get(robot, FOREVER))}
            goal = self.goals[robot]
            todo += [k for k in range(self.count) if k != robot and (node.paths[k][max_cost:] == goal).any()]
        self.show(node)
        changed = []
        for k in todo:
            old = self.known[made.rules[k]]
            extra = {(-1, self.goals[i], end, FOREVER) for i, end in made.deadlines.items() if i != k}
            low, high = old.min_cost, min(old.max_cost, made.deadlines.get(k, FOREVER))
            if k == robot:
                low = max(low, min_cost)
                extra |= {row} if row is not None else set()
            number = self.intern(Rules(k, tuple(sorted(extra.union(old.rows))), low, high))
            if k == robot and max_cost < FOREVER and self.cost_of(number) == made.costs[k] and number not in (made.rules[k],):
                drawn = self.diagram_of(number, made.costs[k])
                if drawn is not None and _holds(drawn, made.paths[k]):
                    made.rules[k] = number
                    continue
            if not self._replan(made, k, number):
                return None
            changed.append(k)
        self.show(made)
        self._collide(made, changed)
        made.h = max(node.g + node.h - made.g, 0)
        return made


    # ---- search

    def bound(self, node: Node) -> int:
        """The WDG heuristic: what the pairs in conflict must cost together beyond their own costs."""
        edges: dict[int, dict[int, int]] = {}
        for first, second in _pairs(node.conflicts):
            weight = self.weight(node.rules[first], node.rules[second])
            if weight:
                edges.setdefault(first, {})[second] = weight
                edges.setdefault(second, {})[first] = weight
        total, done = 0, set()
        for vertex in edges:
            if vertex in done:
                continue
            done.add(vertex)
            group = [vertex]
            for member in group:
                for other in edges[member]:
                    if other not in done:
                        done.add(other)
                        group.append(other)
            if len(group) == 2:
                total += edges[group[0]][group[1]]
                continue
            group.sort(key=lambda member: (-len(edges[member]), member))
            matrix = np.array([[edges[a].get(b, 0) for b in group] for a in group], np.int64)
            total += cover(matrix, _COVER_LIMIT)
        return total

    def choose(self, node: Node) -> tuple[int, NDArray[np.int32], tuple[int, int]]:
        """The conflict to branch on: its class, its row, and the rises of a branch on costs (0, 0 for other branches)."""
        classes = rank(node.conflicts, self.widths)
        best: tuple[Any, ...] | None = None
        rows = node.conflicts.tolist()
        for k, row in enumerate(rows):
            one, two = node.rules[row[FIRST]], node.rules[row[SECOND]]
            weight = self.weight(one, two)
            level = int(classes[k])
            if weight and level < 2:
                level = 2 if False else 1.5
            key = (-level, -weight, row[TARGET] == 0, row[STEP], row[FIRST], row[SECOND])
            if best is None or key < best[0]:
                best = (key, k, level, weight)
        assert best is not None
        _, k, level, weight = best
        row = node.conflicts[k]
        rises = (0, 0)
        if weight and not row[TARGET]:
            rises = self.region(node.rules[row[FIRST]], node.rules[row[SECOND]])
            if level == 2 and min(rises) < 2:
                rises = (0, 0)
        return int(level), row, rises

    def branch(self, node: Node, row: NDArray[np.int32], rises: tuple[int, int]) -> list[Node]:
        """The children of a node for a conflict: every solution of the node is a solution of one of them."""
        first, second, origin, cell, step, target = row.tolist()
        if target:
            holder = first if target == 1 else second
            made = [self.child(node, holder, min_cost=step + 1), self.child(node, holder, max_cost=step)]
        elif rises[0]:
            a, b = node.costs[first] + rises[0], node.costs[second] + rises[1]
            made = [self.child(node, first, min_cost=a), self.child(node, second, min_cost=b)]
        elif origin < 0:
            made = [self.child(node, robot, row=(-1, cell, step, step)) for robot in (first, second)]
        else:
            made = [
                self.child(node, first, row=(origin, cell, step, step)),
                self.child(node, second, row=(cell, origin, step, step)),
            ]
        return [child for child in made if child is not None]

    def run(self, max_nodes: int) -> tuple[Node | None, int]:
        """Search; return the node of an optimal plan, or None with the best lower bound (-1: proven unsolvable)."""
        try:
            root = self.root()
        except BudgetSpent:
            return None, int(sum(self.distance[k][self.starts[k]] for k in range(self.count)))
        queue = [(root.g, len(root.conflicts), 0, root)]
        made = 1
        lowest = root.g
        try:
            while queue:
                value, _, _, node = heapq.heappop(queue)
                lowest = max(lowest, value)
                if not len(node.conflicts):
                    return node, node.g
                self.show(node, measured=True)
                if not node.ranked:
                    node.ranked = True
                    node.h = max(node.h, self.bound(node))
                    if node.g + node.h > value:
                        heapq.heappush(queue, (node.g + node.h, len(node.conflicts), made, node))
                        made += 1
                        continue
                if self.nodes >= max_nodes:
                    return None, lowest
                self.nodes += 1
                children = self.expand(node)
                for child in children:
                    heapq.heappush(queue, (child.g + child.h, len(child.conflicts), made, child))
                    made += 1
        except BudgetSpent:
            return None, lowest
        return None, -1

    def settle(self, node: Node) -> bool:
        """Choose again among the paths of the robots in conflict, at their costs; whether that left fewer conflicts."""
        before = least = len(node.conflicts)
        stale = 0
        sweep = 0
        paths, conflicts = node.paths, node.conflicts
        work = Node(node.rules, node.costs, node.paths[:], node.deadlines)
        work.conflicts = node.conflicts
        while stale < SWEEPS and least:
            sweep += 1
            robots = sorted(set(work.conflicts[:, :2].ravel().tolist()))
            for robot in robots:
                drawn = self.diagram_of(node.rules[robot], node.costs[robot])
                work.paths[robot] = least_colliding(*drawn[:3], self.places, robot, len(self.table), sweep * 64 + robot)
                self._put(robot, work.paths[robot])
            self._collide(work, robots)
            stale += 1
            if len(work.conflicts) < least:
                least = len(work.conflicts)
                paths, conflicts = work.paths[:], work.conflicts
                stale = 0
        node.paths, node.conflicts = paths, conflicts
        self.stats["settle"] = self.stats.get("settle", 0) + 1
        self.show(node)
        return least < before

    def expand(self, node: Node) -> list[Node]:
        """Branch, after all bypasses: a child as cheap as the node with fewer conflicts gives the node its paths."""
        while True:
            level, row, rises = self.choose(node)
            if level < 2 and not rises[0] and not node.settled:
                node.settled = True
                if self.settle(node):
                    if not len(node.conflicts):
                        return [node]
                    continue
            children = self.branch(node, row, rises)
            if level == 2 or rises[0]:
                return children
            better = [child for child in children if child.g == node.g and len(child.conflicts) < len(node.conflicts)]
            if not better:
                return children
            self.stats["bypass"] = self.stats.get("bypass", 0) + 1
            taken = min(better, key=lambda child: len(child.conflicts))
            node.paths, node.conflicts = taken.paths, taken.conflicts
            if not len(node.conflicts):
                return [node]
            self.show(node, measured=True)


def _pairs(conflicts: NDArray[np.int32]) -> list[tuple[int, int]]:
    """The pairs of robots in conflict, sorted."""
    return sorted({(first, second) for first, second in conflicts[:, :2].tolist()})


def _holds(drawn: Diagram, path: NDArray[np.int32]) -> bool:
    """Whether an MDD contains a path."""
    at = 0
    for step in range(len(path) - 1):
        for kid in drawn.kids[at].tolist():
            if kid >= 0 and drawn.cells[kid] == path[step + 1]:
                at = kid
                break
        else:
            return False
    return True
