"""Priority-based search over a window: which agent must give way to which, found by depth-first search.

Ma, Harabor, Stuckey, Li, Koenig, "Searching with Consistent Prioritization for Multi-Agent Path Finding" (2019).
A node holds pairwise priorities and a path for every agent that avoids the paths of all who (directly or not)
have priority over it. Where two paths still collide, one child puts the first agent above the second, the
other the reverse; the cheaper child is looked at first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.mapf.lns_window import NO_PATH, Tasks
from ludarium.agents.mapf.rhcr_sipp import Sipp, block_path, sipp_path, unblock_path
from ludarium.envs.core.compile import kernel

__all__ = ["prioritise"]


@kernel
def _collide(plan: NDArray[np.int32], a: int, b: int) -> bool:
    """Whether two columns of `plan` int32[T+1, N] share a cell at some step or swap."""
    for step in range(plan.shape[0]):
        if plan[step, a] == plan[step, b]:
            return True
        if step > 0 and plan[step, a] == plan[step - 1, b] and plan[step - 1, a] == plan[step, b]:
            return True
    return False


@kernel
def _collisions(plan: NDArray[np.int32], owner: NDArray[np.int32], pair: NDArray[np.int64]) -> int:
    """Count the collisions of a plan and write the earliest to `pair[2]`; `owner` int32[2, HW] is all -1."""
    rows, agents = plan.shape
    count = 0
    for step in range(rows):
        here, before = owner[step & 1], owner[1 - (step & 1)]
        for agent in range(agents):
            cell = int(plan[step, agent])
            other = int(here[cell])
            if other < 0:
                here[cell] = agent
            if other < 0 and step > 0:
                other = int(before[cell])
                if other >= agent or other < 0 or plan[step, other] != plan[step - 1, agent]:
                    other = -1
            if other >= 0:
                if count == 0:
                    pair[0], pair[1] = other, agent
                count += 1
        if step > 0:
            before[plan[step - 1]] = -1
    owner[(rows - 1) & 1][plan[rows - 1]] = -1
    return count


@kernel
def _above(below: NDArray[np.uint8], agent: int, reverse: bool, seen: NDArray[np.bool_]) -> None:
    """Mark all agents above `agent` (below it, if `reverse`) in `seen[N]`; `below[a, b]`: b gives way to a."""
    agents = below.shape[0]
    stack = np.empty(agents, np.int64)
    seen[:] = False
    stack[0], depth = agent, 1
    while depth > 0:
        depth -= 1
        a = int(stack[depth])
        for b in range(agents):
            related = below[a, b] if reverse else below[b, a]
            if related and not seen[b]:
                seen[b] = True
                stack[depth] = b
                depth += 1


@kernel
def _avoid(
    table: NDArray[np.int32],
    width: int,
    tasks: Tasks,
    plan: NDArray[np.int32],
    agent: int,
    seen: NDArray[np.bool_],
    sipp: Sipp,
) -> int:
    """Plan an agent around the paths of all agents marked in `seen`; return its cost or `NO_PATH`."""
    for other in range(plan.shape[1]):
        if seen[other]:
            block_path(table, plan, other, sipp)
    found = sipp_path(table, width, tasks, plan, agent, sipp)
    for other in range(plan.shape[1]):
        if seen[other]:
            unblock_path(plan, other, sipp)
    return found


@kernel
def _update(
    table: NDArray[np.int32],
    width: int,
    tasks: Tasks,
    plan: NDArray[np.int32],
    cost: NDArray[np.int64],
    below: NDArray[np.uint8],
    agent: int,
    sipp: Sipp,
) -> bool:
    """Plan `agent` again, and everybody under it who now collides with someone above; False if one cannot."""
    agents = plan.shape[1]
    affected = np.zeros(agents, np.bool_)
    seen = np.zeros(agents, np.bool_)
    _above(below, agent, True, affected)
    rank = np.full(agents, -1, np.int64)
    for other in range(agents):
        if affected[other] or other == agent:
            _above(below, other, False, seen)
            rank[other] = np.sum(seen)  # who is above somebody has fewer above himself
    for other in np.argsort(rank, kind="mergesort"):
        if rank[other] < 0:
            continue
        _above(below, other, False, seen)
        must = other == agent
        for k in range(agents):
            if must:
                break
            must = seen[k] and _collide(plan, other, k)
        if must:
            found = _avoid(table, width, tasks, plan, other, seen, sipp)
            if found == NO_PATH:
                return False
            cost[other] = found
    return True


@kernel
def _priorities(parent: NDArray[np.int64], order: NDArray[np.int64], node: int, below: NDArray[np.uint8]) -> None:
    """Collect the priorities of a node and of all nodes above it."""
    below[:] = 0
    while node > 0:
        below[order[node, 0], order[node, 1]] = 1
        node = int(parent[node])


@kernel
def prioritise(
    table: NDArray[np.int32],
    width: int,
    tasks: Tasks,
    plan: NDArray[np.int32],
    nodes: int,
    sipp: Sipp,
    owner: NDArray[np.int32],
) -> int:
    """Fill rows 1.. of `plan` int32[T+1, N] with paths free of collisions; row 0 holds where the agents are.

    Return how many nodes were made, or -1 if the budget of `nodes` ran out (or no priorities work); `plan` is
    then unchanged. `owner` int32[2, HW] is scratch, all -1.
    """
    rows, agents = plan.shape
    plans = np.empty((nodes + 2, rows, agents), np.int32)
    costs = np.zeros((nodes + 2, agents), np.int64)
    order = np.zeros((nodes + 2, 2), np.int64)
    parent = np.full(nodes + 2, -1, np.int64)
    clashes = np.zeros(nodes + 2, np.int64)
    conflict = np.zeros((nodes + 2, 2), np.int64)
    below = np.zeros((agents, agents), np.uint8)
    stack = np.empty(nodes + 3, np.int64)
    plans[0] = plan
    for agent in range(agents):
        costs[0, agent] = sipp_path(table, width, tasks, plans[0], agent, sipp)
    clashes[0] = _collisions(plans[0], owner, conflict[0])
    made, depth = 1, 1
    stack[0] = 0
    while depth > 0:
        depth -= 1
        node = int(stack[depth])
        if clashes[node] == 0:
            plan[:] = plans[node]
            return made
        if made >= nodes:
            return -1
        first, fits = made, 0
        for side in range(2):
            child = made
            parent[child] = node
            order[child, 0], order[child, 1] = conflict[node, side], conflict[node, 1 - side]
            _priorities(parent, order, child, below)
            plans[child], costs[child] = plans[node], costs[node]
            if _update(table, width, tasks, plans[child], costs[child], below, int(order[child, 1]), sipp):
                clashes[child] = _collisions(plans[child], owner, conflict[child])
                made += 1
                fits += 1
        if fits == 2:
            a, b = costs[first].sum(), costs[first + 1].sum()
            if b > a or (a == b and clashes[first + 1] > clashes[first]):
                stack[depth], stack[depth + 1] = first + 1, first
            else:
                stack[depth], stack[depth + 1] = first, first + 1
        elif fits == 1:
            stack[depth] = first
        depth += fits
    return -1
