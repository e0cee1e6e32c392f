"""Single-robot planning for conflict-based search: cheapest cost, all cheapest paths, and the one that collides least.

Constraints are rows `(origin, cell, first, last)`: a robot must not stand on `cell` at the steps
`first..last` (origin -1; `last = FOREVER` for ever), or must not move from `origin` to `cell` so that it
arrives at step `first`. All paths of one cost form a multi-valued decision diagram, MDD (Sharon et al., "The
increasing cost tree search", AIJ 195, 2013): level t holds the cells where such a path can be at step t. An
MDD here is `(offsets int32[cost + 2], cells int32[n], kids int32[n, 5])`: level t are the nodes
`offsets[t]:offsets[t + 1]`, and `kids[node, action]` is a node of the next level, or -1.

The cost of a path is the step of its *last* arrival, so a path of cost c > 0 enters its goal by a move at
step c.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel
from ludarium.envs.mapf.grid import UNREACHABLE

__all__ = ["FOREVER", "INFEASIBLE", "OUT_OF_BUDGET", "cheapest", "diagram", "least_colliding", "mark", "wipe"]

FOREVER = 2**30
INFEASIBLE = -1
OUT_OF_BUDGET = -2
_VERTEX = 32


@kernel
def _horizon(rows: NDArray[np.int32]) -> int:
    """The last step that a constraint speaks of in particular; after it the world is at rest."""
    last = -1
    for k in range(rows.shape[0]):
        last = max(last, np.int64(rows[k, 2]) if rows[k, 3] == FOREVER else np.int64(rows[k, 3]))
    return last


@kernel
def mark(
    table: NDArray[np.int32], rows: NDArray[np.int32], blocked: NDArray[np.uint8], since: NDArray[np.int32]
) -> int:
    """Write constraints into `blocked[step, cell]` (bit 5: the cell, bit a: entering by action a) and `since[cell]`.

    Both must be clean (0 and FOREVER) and `blocked` must have more steps than the horizon, which is returned.
    """
    for k in range(rows.shape[0]):
        origin, cell = np.int64(rows[k, 0]), np.int64(rows[k, 1])
        first, last = np.int64(rows[k, 2]), np.int64(rows[k, 3])
        if origin >= 0:
            for action in range(1, 5):
                if table[origin, action] == cell:
                    blocked[first, cell] |= np.uint8(1 << action)
        elif last == FOREVER:
            since[cell] = min(np.int64(since[cell]), first)
        else:
            for step in range(first, last + 1):
                blocked[step, cell] |= np.uint8(_VERTEX)
    return _horizon(rows)


@kernel
def wipe(rows: NDArray[np.int32], blocked: NDArray[np.uint8], since: NDArray[np.int32]) -> None:
    """Undo `mark`."""
    for k in range(rows.shape[0]):
        cell, first, last = np.int64(rows[k, 1]), np.int64(rows[k, 2]), np.int64(rows[k, 3])
        if last == FOREVER:
            since[cell] = FOREVER
        else:
            for step in range(first, last + 1):
                blocked[step, cell] = 0


@kernel
def _open(
    blocked: NDArray[np.uint8], since: NDArray[np.int32], horizon: int, step: int, cell: int, action: int
) -> bool:
    """Whether a robot may enter `cell` by `action` so that it stands there at `step`."""
    if since[cell] <= step:
        return False
    return step > horizon or (np.int64(blocked[step, cell]) & (_VERTEX | (1 << action))) == 0


@kernel
def cheapest(
    table: NDArray[np.int32],
    distance: NDArray[np.int32],
    start: int,
    goal: int,
    blocked: NDArray[np.uint8],
    since: NDArray[np.int32],
    horizon: int,
    min_cost: int,
    max_cost: int,
    limit: int,
) -> tuple[int, int]:
    """Return the least cost in `min_cost..max_cost` of a path that keeps the constraints, and the states expanded.

    A* over (step, cell) with the distances to the goal as heuristic; steps after the last constraint are one.
    The cost is INFEASIBLE where there is no such path, OUT_OF_BUDGET after `limit` states. The open list is a
    bucket a cost, since a step raises the estimate by 0, 1 or 2.
    """
    if distance[start] >= UNREACHABLE or since[goal] < FOREVER:
        return INFEASIBLE, 0
    earliest = min_cost
    for step in range(horizon + 1):
        if np.int64(blocked[step, goal]) & _VERTEX:
            earliest = max(earliest, step + 1)
    if start == goal and earliest <= 0:
        return 0, 0
    cells = table.shape[0]
    rest = max(horizon, earliest) + 1  # from here on the world is at rest and only the cell matters
    seen = np.zeros((rest + 1) * cells, np.uint8)
    pool = np.empty((1024, 3), np.int32)  # step, cell, next entry of the same bucket
    heads = np.full(4, -1, np.int64)
    estimate = max(np.int64(distance[start]), earliest)
    pool[0, 0], pool[0, 1], pool[0, 2] = 0, start, -1
    heads[estimate & 3] = 0
    used, expanded, best, idle = 1, 0, FOREVER, 0
    while idle < 4 and estimate < best and estimate <= max_cost:
        entry = heads[estimate & 3]
        if entry < 0:
            estimate, idle = estimate + 1, idle + 1
            continue
        idle = 0
        heads[estimate & 3] = pool[entry, 2]
        step, cell = np.int64(pool[entry, 0]), np.int64(pool[entry, 1])
        state = min(step, rest) * cells + cell
        if seen[state]:
            continue
        seen[state] = 1
        expanded += 1
        if expanded > limit:
            return OUT_OF_BUDGET, expanded
        if used + 5 > pool.shape[0]:
            larger = np.empty((pool.shape[0] * 2, 3), np.int32)
            larger[:used] = pool[:used]
            pool = larger
        for action in range(5):
            nearby = np.int64(table[cell, action])
            if nearby < 0 or not _open(blocked, since, horizon, step + 1, nearby, action):
                continue
            if seen[min(step + 1, rest) * cells + nearby] and nearby != goal:
                continue
            if nearby == goal and action != 0 and step + 1 >= earliest:
                best = min(best, step + 1)
            bucket = max(step + 1 + np.int64(distance[nearby]), earliest) & 3
            pool[used, 0], pool[used, 1], pool[used, 2] = step + 1, nearby, heads[bucket]
            heads[bucket] = used
            used += 1
    return best if best < FOREVER and best <= max_cost else INFEASIBLE, expanded


@kernel
def _forward(
    table: NDArray[np.int32],
    distance: NDArray[np.int32],
    start: int,
    goal: int,
    blocked: NDArray[np.uint8],
    since: NDArray[np.int32],
    horizon: int,
    cost: int,
    offsets: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int32], int]:
    """Nodes reachable in time, level by level: cells, kids, and their number (0 when the goal is not among them)."""
    node_of = np.full(table.shape[0], -1, np.int32)
    cells, kids = np.empty(256, np.int32), np.empty((256, 5), np.int32)
    cells[0] = start
    offsets[0], offsets[1] = 0, 1
    used = 1
    for step in range(cost):
        first, last = np.int64(offsets[step]), np.int64(offsets[step + 1])
        if used + 5 * (last - first) > cells.shape[0]:
            room = 2 * (used + 5 * (last - first))
            more_cells, more_kids = np.empty(room, np.int32), np.empty((room, 5), np.int32)
            more_cells[:used], more_kids[:used] = cells[:used], kids[:used]
            cells, kids = more_cells, more_kids
        for node in range(first, last):
            for action in range(5):
                kids[node, action] = -1
                nearby = np.int64(table[np.int64(cells[node]), action])
                if nearby < 0 or step + 1 + np.int64(distance[nearby]) > cost:
                    continue
                if step + 1 == cost and action == 0:
                    continue
                if not _open(blocked, since, horizon, step + 1, nearby, action):
                    continue
                if node_of[nearby] < last:  # left over from an earlier level
                    node_of[nearby] = used
                    cells[used] = nearby
                    used += 1
                kids[node, action] = node_of[nearby]
        offsets[step + 2] = used
    for action in range(5):
        kids[used - 1, action] = -1
    complete = offsets[cost + 1] - offsets[cost] == 1 and np.int64(cells[used - 1]) == goal
    return cells, kids, used if complete else 0


@kernel
def diagram(
    table: NDArray[np.int32],
    distance: NDArray[np.int32],
    start: int,
    goal: int,
    blocked: NDArray[np.uint8],
    since: NDArray[np.int32],
    horizon: int,
    cost: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """All paths of exactly this cost that keep the constraints, as an MDD (no nodes where there are none)."""
    offsets = np.zeros(cost + 2, np.int32)
    cells, kids, used = _forward(table, distance, start, goal, blocked, since, horizon, cost, offsets)
    number = np.full(used + 1, -1, np.int32)
    kept = 0
    for back in range(used):  # keep what leads to the goal; numbers count from the end for now
        node = used - 1 - back
        alive = back == 0
        for action in range(5):
            kid = np.int64(kids[node, action])
            if kid >= 0 and number[kid] < 0:
                kids[node, action] = -1
            elif kid >= 0:
                alive = True
        if alive:
            number[node] = kept
            kept += 1
    levels = np.zeros(cost + 2, np.int32)
    few_cells, few_kids = np.empty(kept, np.int32), np.empty((kept, 5), np.int32)
    for step in range(cost + 1 if kept else 0):
        levels[step + 1] = levels[step]
        for node in range(np.int64(offsets[step]), np.int64(offsets[step + 1])):
            if number[node] < 0:
                continue
            place = kept - 1 - np.int64(number[node])
            few_cells[place] = cells[node]
            for action in range(5):
                kid = np.int64(kids[node, action])
                few_kids[place, action] = -1 if kid < 0 else kept - 1 - np.int64(number[kid])
            levels[step + 1] += 1
    return levels, few_cells, few_kids


@kernel
def least_colliding(
    levels: NDArray[np.int32],
    cells: NDArray[np.int32],
    kids: NDArray[np.int32],
    places: NDArray[np.int32],
    robot: int,
    cell_count: int,
    salt: int,
) -> NDArray[np.int32]:
    """Return the path of an MDD, `int32[cost + 1]`, that collides least with the others' paths `places[T, N]`.

    A pass from the last level to the first; `salt` decides ties (0: the lowest moving action, waiting last).
    """
    cost = levels.shape[0] - 2
    robots, last = places.shape[1], places.shape[0] - 1
    value, choice = np.zeros(cells.shape[0], np.int64), np.zeros(cells.shape[0], np.int8)
    crowd, who = np.zeros(cell_count, np.int32), np.full(cell_count, -1, np.int32)
    for back in range(cost + 1):
        step = cost - back
        now, then = min(step, last), min(step + 1, last)
        for other in range(robots):
            if other != robot:
                crowd[places[now, other]] += 1
                who[places[now, other]] = other
        for node in range(np.int64(levels[step]), np.int64(levels[step + 1])):
            best = np.int64(FOREVER) if step < cost else 0
            first = 1 if salt == 0 else ((salt * 2654435 + node * 40503) >> 7) % 5
            for turn in range(5):
                action = (turn + first) % 5
                kid = np.int64(kids[node, action])
                if kid < 0:
                    continue
                other = np.int64(who[cells[kid]])
                swap = action != 0 and other >= 0 and places[then, other] == cells[node]
                worth = value[kid] + (1 if swap else 0)
                if worth < best:
                    best = worth
                    choice[node] = action
            value[node] = best + crowd[cells[node]]
        for other in range(robots):
            crowd[places[now, other]] = 0
            who[places[now, other]] = -1
    path = np.empty(cost + 1, np.int32)
    node = 0
    for step in range(cost + 1):
        path[step] = cells[node]
        if step < cost:
            node = np.int64(kids[node, np.int64(choice[node])])
    return path
