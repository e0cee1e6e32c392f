"""Safe-interval path planning in a window, around the paths of agents of higher priority.

Phillips, Likhachev, "SIPP: Safe interval path planning for dynamic environments" (2011). A window has at most
60 steps, so the busy steps of a cell, and the steps at which a move would swap with somebody, fit the bits of
one integer; a safe interval is a run of zeros. A state is (cell, safe interval, legs done), and only the
earliest arrival counts. After the window all cells are free, and the exact distances tell the rest of the
cost (tasks and costs are those of `lns_window`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.mapf.lns_window import NO_PATH, Tasks, estimate
from ludarium.envs.core.compile import kernel

__all__ = ["LONGEST_WINDOW", "Sipp", "block_path", "make_sipp", "sipp_path", "unblock_path"]

LONGEST_WINDOW = 60


class Sipp(NamedTuple):
    """Blocked steps and working memory; `busy` and `swap` are 0 everywhere between uses."""

    busy: NDArray[np.int64]
    """int64[HW]: bit t is set when somebody of higher priority is there at step t"""
    swap: NDArray[np.int64]
    """int64[HW, 5]: bit t is set when somebody makes the opposite move from step t to t + 1"""
    stamp: NDArray[np.int32]
    """int32[nodes]: the call in which the node was last reached"""
    arrival: NDArray[np.int32]
    """int32[nodes]: the earliest step at which it was reached in that call"""
    parent: NDArray[np.int32]
    """int32[nodes]: the node before it, -1 for the start"""
    cell: NDArray[np.int32]
    """int32[nodes]"""
    below: NDArray[np.int32]
    """int32[entries]: the next entry of the same stack"""
    entry: NDArray[np.int32]
    """int32[entries, 2]: node, and its arrival or -1 for waiting there to the end of the window"""
    head: NDArray[np.int32]
    """int32[costs]: the top of the stack of each cost"""
    calls: NDArray[np.int64]
    """int64[2]: calls so far, entries of this call"""


def make_sipp(cells: int, window: int, legs: int) -> Sipp:
    """Return memory for windows of up to `window` <= 60 steps and up to `legs` goals an agent."""
    nodes = (legs + 1) * (window + 1) * (2 * window + 1) ** 2
    return Sipp(
        busy=np.zeros(cells, np.int64),
        swap=np.zeros((cells, 5), np.int64),
        stamp=np.zeros(nodes, np.int32),
        arrival=np.zeros(nodes, np.int32),
        parent=np.zeros(nodes, np.int32),
        cell=np.zeros(nodes, np.int32),
        below=np.zeros(6 * nodes, np.int32),
        entry=np.zeros((6 * nodes, 2), np.int32),
        head=np.zeros(3 * window + 2 * legs + 8, np.int32),
        calls=np.zeros(2, np.int64),
    )


@kernel
def block_path(table: NDArray[np.int32], plan: NDArray[np.int32], agent: int, sipp: Sipp) -> None:
    """Enter an agent's column of `plan` int32[T+1, N] as blocked steps."""
    one = np.int64(1)
    for step in range(plan.shape[0]):
        cell = int(plan[step, agent])
        sipp.busy[cell] |= one << np.int64(step)
        if step > 0 and plan[step - 1, agent] != cell:
            for action in range(1, 5):
                if table[cell, action] == plan[step - 1, agent]:
                    sipp.swap[cell, action] |= one << np.int64(step - 1)


@kernel
def unblock_path(plan: NDArray[np.int32], agent: int, sipp: Sipp) -> None:
    """Take back all blocks, whoever set them, on the cells of an agent's column of `plan`."""
    for step in range(plan.shape[0]):
        cell = int(plan[step, agent])
        sipp.busy[cell] = 0
        sipp.swap[cell, :] = 0


@kernel
def _first_safe(busy: int, step: int) -> int:
    """Return the first step of the safe interval around a free `step`."""
    while step > 0 and not (busy >> (step - 1)) & 1:
        step -= 1
    return step


@kernel
def _last_safe(busy: int, step: int, horizon: int) -> int:
    """Return the last step, within the window, of the safe interval around a free `step`."""
    while step < horizon and not (busy >> (step + 1)) & 1:
        step += 1
    return step


@kernel
def _push(sipp: Sipp, level: int, node: int, arrival: int) -> None:
    k = int(sipp.calls[1])
    sipp.calls[1] = k + 1
    sipp.entry[k, 0], sipp.entry[k, 1] = node, arrival
    sipp.below[k] = sipp.head[level]
    sipp.head[level] = k


@kernel
def _reach(
    tasks: Tasks,
    sipp: Sipp,
    place: tuple[int, int, int, int, int],
    agent: int,
    parent: int,
    level: int,
    cell: int,
    arrival: int,
    label: int,
) -> None:
    """Enter the state of arriving at `cell` with `label` legs done before, unless it was reached earlier."""
    width, row0, column0, horizon, base = place
    legs = int(tasks.legs[agent])
    if label < legs:
        if cell == tasks.goals[agent, label]:
            label += 1
        level = arrival + estimate(tasks, agent, cell, label) - base
    if level >= sipp.head.shape[0]:
        return
    side = 2 * horizon + 1
    first = _first_safe(int(sipp.busy[cell]), arrival)
    local = (cell // width - row0) * side + cell % width - column0
    node = (label * (horizon + 1) + first) * side * side + local
    if sipp.stamp[node] == sipp.calls[0] and sipp.arrival[node] <= arrival:
        return
    sipp.stamp[node], sipp.arrival[node] = sipp.calls[0], arrival
    sipp.parent[node], sipp.cell[node] = parent, cell
    _push(sipp, level, node, arrival)


@kernel
def _trace(plan: NDArray[np.int32], sipp: Sipp, node: int, agent: int) -> None:
    """Write the path that ends at a node: wait on each cell until the next can be reached in time."""
    until = plan.shape[0] - 1
    while node >= 0:
        for step in range(int(sipp.arrival[node]), until + 1):
            plan[step, agent] = sipp.cell[node]
        until = min(until, int(sipp.arrival[node]) - 1)
        node = int(sipp.parent[node])


@kernel
def _leave(
    table: NDArray[np.int32],
    tasks: Tasks,
    sipp: Sipp,
    place: tuple[int, int, int, int, int],
    agent: int,
    node: int,
    level: int,
    last: int,
    label: int,
) -> None:
    """Reach the earliest possible arrival in every safe interval of the cells beside a node."""
    cell, arrival, horizon = int(sipp.cell[node]), int(sipp.arrival[node]), place[3]
    for action in range(1, 5):
        target = int(table[cell, action])
        if target < 0:
            continue
        busy, swap = int(sipp.busy[target]), int(sipp.swap[cell, action])
        entered = False
        for depart in range(arrival, min(last, horizon - 1) + 1):
            if (busy >> (depart + 1)) & 1:
                entered = False
            elif not entered and not (swap >> depart) & 1:
                entered = True
                _reach(tasks, sipp, place, agent, node, level, target, depart + 1, label)


@kernel
def sipp_path(
    table: NDArray[np.int32],
    width: int,
    tasks: Tasks,
    plan: NDArray[np.int32],
    agent: int,
    sipp: Sipp,
) -> int:
    """Write the cheapest path of `agent` from `plan[0, agent]` around all blocked steps; return its cost.

    `NO_PATH` when there is none; the column of `plan` is then unchanged.
    """
    horizon = plan.shape[0] - 1
    start, legs = int(plan[0, agent]), int(tasks.legs[agent])
    base = estimate(tasks, agent, start, 0)
    place = (width, start // width - horizon, start % width - horizon, horizon, base)
    area = (2 * horizon + 1) ** 2
    sipp.calls[0] += 1
    sipp.calls[1] = 0
    sipp.head[:] = -1
    origin = horizon * (2 * horizon + 1) + horizon
    sipp.stamp[origin], sipp.arrival[origin] = sipp.calls[0], 0
    sipp.parent[origin], sipp.cell[origin] = -1, start
    _push(sipp, 0, origin, 0)
    level = 0
    while level < sipp.head.shape[0]:
        top = int(sipp.head[level])
        if top < 0:
            level += 1
            continue
        sipp.head[level] = sipp.below[top]
        node, arrival = int(sipp.entry[top, 0]), int(sipp.entry[top, 1])
        if arrival < 0 or arrival == horizon:
            _trace(plan, sipp, node, agent)
            return base + level
        if sipp.arrival[node] < arrival:
            continue
        cell, label = int(sipp.cell[node]), node // (area * (horizon + 1))
        last = _last_safe(int(sipp.busy[cell]), arrival, horizon)
        if label < legs and cell == tasks.goals[agent, label] and arrival < last:
            _reach(tasks, sipp, place, agent, node, level, cell, arrival + 1, label)
        _leave(table, tasks, sipp, place, agent, node, level, last, label)
        if last == horizon:
            rest = horizon + estimate(tasks, agent, cell, label) - base
            ending = rest if label < legs else level
            if ending < sipp.head.shape[0]:
                _push(sipp, ending, node, -1)
    return NO_PATH
