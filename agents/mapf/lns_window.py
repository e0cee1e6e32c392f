"""Windowed plans: tasks, reservations, and one agent's best path under the reservations of all others.

A window covers steps 0..T. Each agent has a short sequence of goals (its *legs*); its label counts the legs
that it has finished, at most one a step. The cost of a path is an estimate of when the agent will have
finished all its legs: `T + remaining distance` if the window ends first, the step of the last arrival
otherwise. After its last known goal an agent has no wish left and only keeps out of the way.

Everything here is arrays, so that the same kernels serve large neighbourhood search (`lns`) and
rolling-horizon collision resolution (`rhcr`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel

__all__ = [
    "NO_PATH",
    "Scratch",
    "Tasks",
    "estimate",
    "find_path",
    "make_scratch",
    "make_tasks",
    "occupy",
    "path_cost",
    "vacate",
]

NO_PATH = -1
_ORDERS = np.array(
    [
        [1, 2, 3, 4],
        [1, 3, 2, 4],
        [2, 4, 1, 3],
        [2, 3, 4, 1],
        [3, 1, 4, 2],
        [3, 4, 1, 2],
        [4, 2, 3, 1],
        [4, 1, 2, 3],
    ],
    np.int64,
)


class Tasks(NamedTuple):
    """What the agents want: the legs of each and the distance maps to their goals.

    `guide` i32[S, HW] distance maps; `rows` i32[N, L] the row of `guide` for each leg; `goals` i32[N, L]
    cells; `legs` i32[N] how many are known (0: no wish at all); `tail` i64[N, L + 1]: the distance from
    goal l through all later ones.
    """

    guide: NDArray[np.int32]
    rows: NDArray[np.int32]
    goals: NDArray[np.int32]
    legs: NDArray[np.int32]
    tail: NDArray[np.int64]


class Scratch(NamedTuple):
    """Working memory of `find_path`; `stamp` says which entries belong to the present call."""

    stamp: NDArray[np.int32]
    parent: NDArray[np.int32]
    cell: NDArray[np.int32]
    below: NDArray[np.int32]
    head: NDArray[np.int32]
    call: NDArray[np.int64]


def make_scratch(window: int, legs: int) -> Scratch:
    """Return scratch memory for windows of up to `window` steps and up to `legs` goals an agent."""
    nodes = (legs + 1) * (window + 1) * (2 * window + 1) ** 2
    stacks = 2 * window + legs + 4
    return Scratch(
        np.zeros(nodes, np.int32),
        np.empty(nodes, np.int32),
        np.empty(nodes, np.int32),
        np.empty(nodes, np.int32),
        np.empty(stacks, np.int32),
        np.zeros(1, np.int64),
    )


@kernel
def _tails(tasks: Tasks) -> None:
    for agent in range(tasks.legs.shape[0]):
        last = int(tasks.legs[agent]) - 1
        total = 0
        tasks.tail[agent, last + 1] = 0
        for leg in range(last, -1, -1):
            tasks.tail[agent, leg] = total
            if leg > 0:
                row = int(tasks.rows[agent, leg])
                total += max(1, int(tasks.guide[row, tasks.goals[agent, leg - 1]]))


def make_tasks(
    guide: NDArray[np.int32], rows: NDArray[np.int32], goals: NDArray[np.int32], legs: NDArray[np.int32]
) -> Tasks:
    """Return `Tasks` with the tails filled in."""
    tail = np.zeros((len(goals), goals.shape[1] + 1), np.int64)
    tasks = Tasks(guide, rows, goals, legs, tail)
    _tails(tasks)
    return tasks


@kernel
def estimate(tasks: Tasks, agent: int, cell: int, label: int) -> int:
    """Return the collision-free steps from `cell` through all legs from `label` on (0 when none is left).

    A goal underfoot that is not counted yet takes a step of waiting.
    """
    if label >= tasks.legs[agent]:
        return 0
    return max(1, int(tasks.guide[tasks.rows[agent, label], cell])) + int(tasks.tail[agent, label])


@kernel
def occupy(plan: NDArray[np.int32], owner: NDArray[np.int32], agent: int) -> None:
    """Enter an agent's column of `plan` i32[T+1, N] into the reservations `owner` i32[T+1, HW]."""
    for step in range(plan.shape[0]):
        owner[step, plan[step, agent]] = agent


@kernel
def vacate(plan: NDArray[np.int32], owner: NDArray[np.int32], agent: int) -> None:
    """Take an agent's column of `plan` out of the reservations."""
    for step in range(plan.shape[0]):
        owner[step, plan[step, agent]] = -1


@kernel
def _trace(plan: NDArray[np.int32], scratch: Scratch, node: int, horizon: int, agent: int) -> None:
    for step in range(horizon, -1, -1):
        plan[step, agent] = scratch.cell[node]
        node = int(scratch.parent[node])


@kernel
def find_path(
    table: NDArray[np.int32],
    width: int,
    tasks: Tasks,
    owner: NDArray[np.int32],
    plan: NDArray[np.int32],
    agent: int,
    limit: int,
    bits: int,
    scratch: Scratch,
) -> int:
    """Write the cheapest path of `agent` from `plan[0, agent]` that respects all reservations.

    Return its cost, or `NO_PATH` when there is none of cost at most `limit`; the column of `plan` is then
    unchanged. `bits` (any integer) picks among equally cheap paths. A* over (cell, step, label): the exact
    distances make the cost never fall along a path, so the open list is one stack per cost, and the deepest
    of the cheapest nodes comes first.
    """
    horizon = plan.shape[0] - 1
    start = int(plan[0, agent])
    count = int(tasks.legs[agent])
    side = 2 * horizon + 1
    area = side * side
    row0, column0 = start // width - horizon, start % width - horizon
    base = estimate(tasks, agent, start, 0)
    top = min(limit - base, scratch.head.shape[0] - 1)
    if top < 0:
        return NO_PATH
    scratch.call[0] += 1
    call = np.int32(scratch.call[0])
    scratch.head[: top + 1] = -1
    node = horizon * side + horizon
    scratch.stamp[node], scratch.parent[node], scratch.cell[node], scratch.below[node] = call, -1, start, -1
    scratch.head[0] = node
    order = _ORDERS[bits & 7]
    level = 0
    while level <= top:
        node = int(scratch.head[level])
        if node < 0:
            level += 1
            continue
        scratch.head[level] = scratch.below[node]
        step = (node // area) % (horizon + 1)
        if step == horizon:
            _trace(plan, scratch, node, horizon, agent)
            return base + level
        label = node // (area * (horizon + 1))
        cell = int(scratch.cell[node])
        behind = int(owner[step + 1, cell])
        for i in range(5):
            k = i if label < count else 4 - i  # the last one entered is looked at first: who has no wish stays
            target = cell if k == 0 else int(table[cell, order[k - 1]])
            if target < 0 or owner[step + 1, target] >= 0:
                continue
            if behind >= 0 and owner[step, target] == behind:
                continue  # the two would swap
            after = label
            cost = level
            if label < count:
                if target == tasks.goals[agent, label]:
                    after = label + 1
                cost = step + 1 + estimate(tasks, agent, target, after) - base
            if cost > top:
                continue
            local = (target // width - row0) * side + target % width - column0
            child = (after * (horizon + 1) + step + 1) * area + local
            if scratch.stamp[child] == call:
                continue
            scratch.stamp[child], scratch.parent[child], scratch.cell[child] = call, node, target
            scratch.below[child] = scratch.head[cost]
            scratch.head[cost] = child
    return NO_PATH


@kernel
def path_cost(tasks: Tasks, plan: NDArray[np.int32], agent: int) -> int:
    """Return the cost of an agent's column of `plan` (see the module's docstring)."""
    horizon = plan.shape[0] - 1
    label, count = 0, int(tasks.legs[agent])
    for step in range(1, horizon + 1):
        if label < count and plan[step, agent] == tasks.goals[agent, label]:
            label += 1
            if label == count:
                return step
    if label >= count:
        return 0
    return horizon + estimate(tasks, agent, plan[horizon, agent], label)
