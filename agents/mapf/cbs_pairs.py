"""What conflict-based search knows about pairs of robots: collisions, how binding they are, and joint costs.

`places int32[T, N]` holds all paths, each extended by its goal to T steps; `widths int32[T, N]` how many
cells the MDD of each robot has at each step (1 after its end).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel

__all__ = ["FIRST", "SECOND", "STEP", "TARGET", "collisions", "compatible", "cover", "rank"]

FIRST, SECOND, ORIGIN, CELL, STEP, TARGET = range(6)
"""Columns of a conflict: robots a < b; a's cell before (edge conflicts) or -1; a's cell; the step; what kind of target.

TARGET is 0, or 1 / 2 where the first / second robot has come to rest on the cell by then.
"""


@kernel
def collisions(places: NDArray[np.int32], costs: NDArray[np.int64], robot: int, steps: int) -> NDArray[np.int32]:
    """All conflicts of one robot's path with the others' before `steps`, `int32[m, 6]`; `costs` are all robots'."""
    robots = places.shape[1]
    rows = np.empty((16, 6), np.int32)
    count = 0
    for step in range(1, steps):
        mine, old = places[step, robot], places[step - 1, robot]
        for other in range(robots):
            theirs = places[step, other]
            vertex = theirs == mine
            if not vertex and not (theirs == old and places[step - 1, other] == mine):
                continue
            if other == robot:
                continue
            if count == rows.shape[0]:
                larger = np.empty((2 * count, 6), np.int32)
                larger[:count] = rows
                rows = larger
            low = robot < other
            rows[count, FIRST], rows[count, SECOND] = min(robot, other), max(robot, other)
            rows[count, ORIGIN] = -1 if vertex else (old if low else mine)
            rows[count, CELL] = mine if vertex or low else old
            rows[count, STEP] = step
            rows[count, TARGET] = 0
            if vertex and step >= costs[rows[count, FIRST]]:
                rows[count, TARGET] = 1
            elif vertex and step >= costs[rows[count, SECOND]]:
                rows[count, TARGET] = 2
            count += 1
    return rows[:count].copy()


@kernel
def rank(conflicts: NDArray[np.int32], widths: NDArray[np.int32]) -> NDArray[np.int8]:
    """How many of its two robots a conflict makes dearer: 2 cardinal, 1 semi-cardinal, 0 non-cardinal, `int8[m]`.

    Boyarski et al., "ICBS: improved conflict-based search" (IJCAI 2015).
    """
    out = np.zeros(conflicts.shape[0], np.int8)
    for k in range(conflicts.shape[0]):
        step = np.int64(conflicts[k, STEP])
        for column in (FIRST, SECOND):
            robot = np.int64(conflicts[k, column])
            alone = widths[step, robot] == 1
            if conflicts[k, ORIGIN] >= 0:
                alone = alone and widths[step - 1, robot] == 1
            out[k] += np.int8(1 if alone else 0)
    return out


@kernel
def compatible(
    levels_a: NDArray[np.int32],
    cells_a: NDArray[np.int32],
    kids_a: NDArray[np.int32],
    levels_b: NDArray[np.int32],
    cells_b: NDArray[np.int32],
    kids_b: NDArray[np.int32],
    limit: int,
) -> tuple[bool, int]:
    """Whether two MDDs hold two paths that do not collide, and the joint states looked at.

    Breadth first through the product of the diagrams; a robot that has arrived stays on its goal. After
    `limit` states the answer is True, the harmless one.
    """
    cost_a, cost_b = levels_a.shape[0] - 2, levels_b.shape[0] - 2
    wide_a = wide_b = 1
    for step in range(cost_a + 1):
        wide_a = max(wide_a, np.int64(levels_a[step + 1] - levels_a[step]))
    for step in range(cost_b + 1):
        wide_b = max(wide_b, np.int64(levels_b[step + 1] - levels_b[step]))
    now, then = np.zeros((wide_a, wide_b), np.uint8), np.zeros((wide_a, wide_b), np.uint8)
    now[0, 0] = 1
    looked = 0
    for step in range(max(cost_a, cost_b)):
        this_a, this_b = min(step, cost_a), min(step, cost_b)
        next_a, next_b = np.int64(levels_a[min(step + 1, cost_a)]), np.int64(levels_b[min(step + 1, cost_b)])
        then[:] = 0
        found = 0
        for a in range(np.int64(levels_a[this_a]), np.int64(levels_a[this_a + 1])):
            for b in range(np.int64(levels_b[this_b]), np.int64(levels_b[this_b + 1])):
                if not now[a - levels_a[this_a], b - levels_b[this_b]]:
                    continue
                looked += 1
                for action_a in range(5 if step < cost_a else 1):
                    kid_a = np.int64(kids_a[a, action_a]) if step < cost_a else a
                    if kid_a < 0:
                        continue
                    for action_b in range(5 if step < cost_b else 1):
                        kid_b = np.int64(kids_b[b, action_b]) if step < cost_b else b
                        if kid_b < 0 or cells_a[kid_a] == cells_b[kid_b]:
                            continue
                        if cells_a[kid_a] == cells_b[b] and cells_b[kid_b] == cells_a[a]:
                            continue
                        then[kid_a - next_a, kid_b - next_b] = 1
                        found = 1
        if not found:
            return False, looked
        if looked > limit:
            return True, looked
        now, then = then, now
    return True, looked


@kernel
def _bound(weights: NDArray[np.int64], low: NDArray[np.int64], depth: int) -> int:
    """A lower bound on what the vertices from `depth` on still cost: their minima and a greedy matching."""
    count = weights.shape[0]
    total = 0
    free = np.ones(count, np.bool_)
    for v in range(depth, count):
        total += low[v]
    for v in range(depth, count):
        best, mate = 0, -1
        for u in range(v + 1, count if free[v] else v + 1):
            gap = weights[v, u] - low[v] - low[u]
            if free[u] and gap > best:
                best, mate = gap, u
        if mate >= 0:
            free[mate] = False
            total += best
    return total


@kernel
def cover(weights: NDArray[np.int64], limit: int) -> int:
    """The least sum of integers x >= 0 with `x[u] + x[v] >= weights[u, v]` for all pairs (weights symmetric, `[n, n]`).

    Edge-weighted minimum vertex cover by depth-first branch and bound (Li et al., "Improved heuristics for
    multi-agent path finding with conflict-based search", IJCAI 2019). After `limit` steps a valid lower bound
    is returned instead.
    """
    count = weights.shape[0]
    low = np.zeros((count + 1, count), np.int64)  # by depth: what the choices so far demand of each vertex
    value, spent, high = np.zeros(count, np.int64), np.zeros(count + 1, np.int64), np.zeros(count, np.int64)
    bound = _bound(weights, low[0], 0)
    best = 0
    for v in range(count):
        for u in range(v + 1, count):
            high[v] = max(high[v], weights[v, u])
        best += high[v]
    depth, steps = 0, 0
    value[0] = -1
    while depth >= 0 and best > bound:
        steps += 1
        if steps > limit:
            return bound
        value[depth] = max(value[depth] + 1, low[depth, depth])
        if value[depth] > max(high[depth], low[depth, depth]):
            depth -= 1
            continue
        spent[depth + 1] = spent[depth] + value[depth]
        for u in range(depth + 1, count):
            low[depth + 1, u] = max(low[depth, u], weights[depth, u] - value[depth])
        if spent[depth + 1] + _bound(weights, low[depth + 1], depth + 1) >= best:
            continue
        if depth + 1 == count:
            best = spent[count]
            continue
        depth += 1
        value[depth] = -1
    return best
