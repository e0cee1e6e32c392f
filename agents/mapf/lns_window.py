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

from ludarium.envs.core.compile import kernel, tight

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
    """Working memory of `find_path`; `stamp` says which states were reached in the present call.

    A node is a row of `node`: where it lies in `stamp`, the node before it, cell, step, label, and the next of
    the same cost.
    """

    stamp: NDArray[np.int32]
    node: NDArray[np.int32]
    head: NDArray[np.int32]
    call: NDArray[np.int64]


def make_scratch(window: int, legs: int) -> Scratch:
    """Return scratch memory for windows of up to `window` steps and up to `legs` goals an agent."""
    states = (legs + 1) * (window + 1) * (2 * window + 1) ** 2
    return Scratch(
        stamp=np.zeros(states, np.int32),
        node=np.empty((states, 6), np.int32),
        head=np.empty(2 * window + legs + 4, np.int32),
        call=np.zeros(1, np.int64),
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


@tight
def estimate(tasks: Tasks, agent: int, cell: int, label: int) -> int:
    """Return the collision-free steps from `cell` through all legs from `label` on (0 when none is left).

    A goal underfoot that is not counted yet takes a step of waiting.
    """
    if label >= tasks.legs[agent]:
        return 0
    return max(1, int(tasks.guide[tasks.rows[agent, label], cell])) + int(tasks.tail[agent, label])


@tight
def occupy(plan: NDArray[np.int32], owner: NDArray[np.int32], agent: int) -> None:
    """Enter an agent's column of `plan` i32[T+1, N] into the reservations `owner` i32[T+1, HW]."""
    for step in range(plan.shape[0]):
        owner[step, plan[step, agent]] = agent


@tight
def vacate(plan: NDArray[np.int32], owner: NDArray[np.int32], agent: int) -> None:
    """Take an agent's column of `plan` out of the reservations."""
    for step in range(plan.shape[0]):
        owner[step, plan[step, agent]] = -1


@tight
def _shift(action: int, side: int) -> int:
    """How far an action (0 wait 1 up 2 down 3 left 4 right) leads in rows of `side` cells."""
    vertical = (action == 2) - (action == 1)
    return side * vertical + (action == 4) - (action == 3)


@tight
def _enter(scratch: Scratch, node: int, place: int, parent: int, cell: int, step: int, label: int, level: int) -> None:
    """Write a node and put it on the stack of its cost."""
    row = scratch.node[node]
    row[0], row[1], row[2], row[3], row[4] = place, parent, cell, step, label
    row[5] = scratch.head[level]
    scratch.head[level] = node


@tight
def _trace(plan: NDArray[np.int32], scratch: Scratch, node: int, horizon: int, agent: int) -> None:
    for step in range(horizon, -1, -1):
        plan[step, agent] = scratch.node[node, 2]
        node = int(scratch.node[node, 1])


@tight
def find_path(
    table: NDArray[np.int32],
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
    small = table.shape[0] <= side * side  # a state's place: label, step, and the cell or its offset from the start
    area = table.shape[0] if small else side * side
    base = estimate(tasks, agent, start, 0)
    top = min(limit - base, scratch.head.shape[0] - 1)
    if top < 0:
        return NO_PATH
    scratch.call[0] += 1
    call = np.int32(scratch.call[0])
    for k in range(top + 1):
        scratch.head[k] = -1
    made, level = 1, 0
    _enter(scratch, 0, start if small else horizon * side + horizon, -1, start, 0, 0, 0)
    order = _ORDERS[bits & 7]
    while level <= top:
        node = int(scratch.head[level])
        if node < 0:
            level += 1
            continue
        row = scratch.node[node]
        scratch.head[level] = row[5]
        step = int(row[3])
        if step == horizon:
            _trace(plan, scratch, node, horizon, agent)
            return base + level
        cell, label, ahead = int(row[2]), int(row[4]), int(row[0]) + area
        goal, guide, passed = -1, 0, 0
        if label < count:
            goal, guide = int(tasks.goals[agent, label]), int(tasks.rows[agent, label])
            passed = step + 1 + int(tasks.tail[agent, label]) - base
        behind = int(owner[step + 1, cell])
        for i in range(5):
            k = i if label < count else 4 - i  # the last one entered is looked at first: who has no wish stays
            action = 0 if k == 0 else int(order[k - 1])
            target = int(table[cell, action])
            if target < 0 or owner[step + 1, target] >= 0:
                continue
            if behind >= 0 and owner[step, target] == behind:
                continue  # the two would swap
            after, cost = label, level
            if target == goal:
                after = label + 1
                cost = step + 1 + estimate(tasks, agent, target, after) - base
            elif label < count:
                cost = passed + int(tasks.guide[guide, target])
            if cost > top:
                continue
            place = ahead + (target - cell if small else _shift(action, side))
            place += (after - label) * area * (horizon + 1)
            if scratch.stamp[place] == call:
                continue
            scratch.stamp[place] = call
            _enter(scratch, made, place, node, target, step + 1, after, cost)
            made += 1
    return NO_PATH


@tight
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
