"""Follower's planner without its network: each robot avoids the middle of the map and the cells where it met others.

Skrynnik, Andreychuk, Nesterova, Yakovlev, Panov, "Learn to Follow: Decentralized Lifelong Multi-Agent Pathfinding
via Planning and Learning" (2024), of which this is the planning half: the learned half is replaced by taking the
first step of the path. A step into a cell costs

    static(c) + seen(c)

where static(c) is the largest mean distance of the component divided by the mean distance of c to all cells that
it can reach (1 at the remotest cell, more in the middle), and seen(c) is how often the robot saw another one on c
since its present goal was set. Every step it plans anew with A*, whose heuristic is the exact static cost to go.

Information is local: a robot knows the map, its goal, and who is at most `radius` rows and columns away now.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.mapf.planner import Planner, PlannerView
from ludarium.envs.core.compile import kernel
from ludarium.envs.core.errors import ConfigError
from ludarium.envs.mapf.grid import bfs, components, neighbours

__all__ = ["Follower", "costs_to_go", "first_actions", "static_costs"]

_FAR = 1e300


@kernel
def _mean_distances(
    table: NDArray[np.int32], label: NDArray[np.int32], sources: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the mean steps from every cell to the sources in its component, `float64[HW]`."""
    cells = table.shape[0]
    total, count = np.zeros(cells, np.int64), np.zeros(cells, np.int64)
    distance, queue = np.empty(cells, np.int32), np.empty(cells, np.int32)
    for source in sources:
        reached = bfs(table, source, distance, queue)
        for k in range(reached):
            cell = int(queue[k])
            total[cell] += distance[cell]
            count[cell] += 1
    return total / np.maximum(count, 1)


def static_costs(grid: NDArray[np.uint8], samples: int = 4096) -> NDArray[np.float64]:
    """Return the static cost of a step into each cell, `float64[H * W]`, at least 1 (and 1 on obstacles).

    On maps of more than `samples` free cells the mean is over every k-th free cell only, k as small as that allows.
    """
    table = neighbours(grid)
    label = components(table)
    free = np.flatnonzero(label >= 0)
    stride = max(1, -(-len(free) // samples))
    mean = _mean_distances(table, label, free[::stride])
    cost = np.ones(len(label), np.float64)
    largest = np.zeros(int(label.max(initial=-1)) + 1, np.float64)
    np.maximum.at(largest, label[free], mean[free])
    apart = free[mean[free] > 0]
    cost[apart] = largest[label[apart]] / mean[apart]
    return cost


@kernel
def _sift_down(heap: NDArray[np.int64], key: NDArray[np.float64], where: NDArray[np.int64], size: int, at: int) -> None:
    cell = heap[at]
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and key[heap[child + 1]] < key[heap[child]]:
            child += 1
        if key[heap[child]] >= key[cell]:
            break
        heap[at] = heap[child]
        where[heap[at]] = at
        at = child
    heap[at] = cell
    where[cell] = at


@kernel
def _sift_up(heap: NDArray[np.int64], key: NDArray[np.float64], where: NDArray[np.int64], at: int) -> None:
    cell = heap[at]
    while at > 0 and key[cell] < key[heap[(at - 1) // 2]]:
        heap[at] = heap[(at - 1) // 2]
        where[heap[at]] = at
        at = (at - 1) // 2
    heap[at] = cell
    where[cell] = at


@kernel
def costs_to_go(
    table: NDArray[np.int32],
    cost: NDArray[np.float64],
    goal: int,
    out: NDArray[np.float64],
    heap: NDArray[np.int64],
    where: NDArray[np.int64],
) -> None:
    """Fill `out[HW]` with the least static cost of a way to `goal` (1e300: none); Dijkstra. `where[HW]` all -1."""
    out[:] = _FAR
    out[goal] = 0.0
    heap[0], size = goal, 1
    where[goal] = 0
    while size > 0:
        cell = int(heap[0])
        size -= 1
        heap[0] = heap[size]
        where[cell] = -1
        if size > 0:
            _sift_down(heap, out, where, size, 0)
        for action in range(1, 5):
            before = int(table[cell, action])
            if before < 0 or out[cell] + cost[cell] >= out[before]:
                continue
            out[before] = out[cell] + cost[cell]
            if where[before] < 0:
                where[before] = size
                heap[size] = before
                size += 1
            _sift_up(heap, out, where, int(where[before]))


@kernel
def _plan(
    table: NDArray[np.int32],
    cost: NDArray[np.float64],
    seen: NDArray[np.int32],
    rest: NDArray[np.float64],
    start: int,
    goal: int,
    spent: NDArray[np.float64],
    key: NDArray[np.float64],
    came: NDArray[np.int64],
    heap: NDArray[np.int64],
    where: NDArray[np.int64],
    touched: NDArray[np.int64],
) -> int:
    """Return the first action of a cheapest path; 0 at the goal or where there is none. Scratch as in `Follower`."""
    if start == goal or rest[start] >= _FAR:
        return 0
    heap[0], size, marks = start, 1, 1
    where[start], spent[start], key[start], came[start], touched[0] = 0, 0.0, rest[start], 0, start
    while size > 0 and heap[0] != goal:
        cell = int(heap[0])
        size -= 1
        heap[0] = heap[size]
        where[cell] = -1
        if size > 0:
            _sift_down(heap, key, where, size, 0)
        for action in range(1, 5):
            after = int(table[cell, action])
            if after < 0:
                continue
            total = spent[cell] + cost[after] + seen[after]
            if total >= spent[after]:
                continue
            if came[after] < 0:
                touched[marks] = after
                marks += 1
            spent[after], key[after], came[after] = total, total + rest[after], action
            if where[after] < 0:
                where[after] = size
                heap[size] = after
                size += 1
            _sift_up(heap, key, where, int(where[after]))
    first, cell = 0, goal
    while cell != start:
        first = int(came[cell])
        cell = int(table[cell, first + 1 if first & 1 else first - 1])
    for k in range(size):
        where[heap[k]] = -1
    for k in range(marks):
        spent[touched[k]], came[touched[k]] = _FAR, -1
    return first


@kernel
def first_actions(
    table: NDArray[np.int32],
    width: int,
    radius: int,
    cost: NDArray[np.float64],
    seen: NDArray[np.int32],
    rest: NDArray[np.float64],
    pos: NDArray[np.int32],
    goal: NDArray[np.int32],
    actions: NDArray[np.int64],
) -> None:
    """Note who is seen where (`seen` int32[N, HW]) and write each robot's next action to `actions[N]`.

    `rest` float64[N, HW] holds the static costs to go to each robot's goal, `cost` float64[HW] the static costs.
    """
    cells, robots = table.shape[0], pos.shape[0]
    spent, key = np.full(cells, _FAR), np.empty(cells, np.float64)
    came, where = np.full(cells, -1, np.int64), np.full(cells, -1, np.int64)
    heap, touched = np.empty(cells, np.int64), np.empty(cells, np.int64)
    for robot in range(robots):
        row, column = int(pos[robot]) // width, int(pos[robot]) % width
        for other in range(robots):
            cell = int(pos[other])
            if other != robot and abs(cell // width - row) <= radius and abs(cell % width - column) <= radius:
                seen[robot, cell] += 1
        actions[robot] = _plan(
            table,
            cost,
            seen[robot],
            rest[robot],
            int(pos[robot]),
            int(goal[robot]),
            spent,
            key,
            came,
            heap,
            where,
            touched,
        )


class Follower(Planner):
    """Follower's planner as an agent; `radius`: how far a robot sees others, in rows and columns.

    Memory: 12 bytes for every robot and cell.
    """

    view = "state"
    information = "global"  # it knows the whole map; of the other robots it looks only at those within `radius`

    def __init__(self, radius: int = 5) -> None:
        if radius < 0:
            raise ConfigError(f"radius is {radius}; give 0 or more")
        self.radius = int(radius)

    def begin(self, view: PlannerView, seed: int) -> None:
        """Work out the static costs; nothing here is left to chance."""
        grid = np.ascontiguousarray(view.grid, np.uint8)
        robots, cells = len(view.pos), grid.size
        self._table, self._width = neighbours(grid), grid.shape[1]
        self._cost = static_costs(grid)
        self._seen = np.zeros((robots, cells), np.int32)
        self._rest = np.empty((robots, cells), np.float64)
        self._goal = np.full(robots, -1, np.int32)
        self._heap, self._where = np.empty(cells, np.int64), np.full(cells, -1, np.int64)

    def decide(self, view: PlannerView) -> NDArray[np.int64]:
        """Return one action for every robot; robots that left the map wait."""
        for robot in np.flatnonzero(view.goal != self._goal):
            self._seen[robot] = 0
            costs_to_go(self._table, self._cost, int(view.goal[robot]), self._rest[robot], self._heap, self._where)
        self._goal = np.array(view.goal, np.int32)
        actions = np.zeros(len(view.pos), np.int64)
        ids = np.flatnonzero(view.active)
        everybody = len(ids) == len(actions)
        seen, rest = (self._seen, self._rest) if everybody else (self._seen[ids], self._rest[ids])
        found = np.zeros(len(ids), np.int64)
        first_actions(
            self._table,
            self._width,
            self.radius,
            self._cost,
            seen,
            rest,
            np.ascontiguousarray(view.pos[ids], np.int32),
            self._goal[ids],
            found,
        )
        actions[ids] = found
        if not everybody:
            self._seen[ids] = seen
        return actions
