"""Large neighbourhood search over a windowed plan: plan a few agents again, keep what is no worse.

After Li, Chen, Harabor, Stuckey, Koenig, "Anytime Multi-Agent Path Finding via Large Neighborhood Search"
(2021) and the windowed use of it by Jiang, Zhang, Veerapaneni, Li, "Scaling Lifelong Multi-Agent Path
Finding to More Realistic Settings" (2024). The plan stays free of conflicts at every moment, so the search
may stop after any iteration.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.mapf.lns_window import (
    NO_PATH,
    Scratch,
    Tasks,
    estimate,
    find_path,
    occupy,
    path_cost,
    vacate,
)
from ludarium.envs.core.compile import kernel, tight
from ludarium.envs.core.rng import below, draw

__all__ = ["improve"]

_STREAM = 71
_PROBES = 24
_ANYTHING = 10**6  # steps of delay
_TRIES = 8  # neighbourhoods an agent: a handful of agents has only so many orders


@tight
def _delayed(delay: NDArray[np.int64], key: np.uint64, round_: int, iteration: int) -> int:
    """Return a delayed agent, the worse of two found by random probing; any agent if there is none."""
    agents = delay.shape[0]
    best, found = 0, 0
    for probe in range(_PROBES):
        agent = below(draw(key, _STREAM, round_, iteration, probe), agents)
        if probe == 0:
            best = agent
        if delay[agent] > 0:
            if found == 0 or delay[agent] > delay[best]:
                best = agent
            found += 1
            if found == 2:
                break
    return best


@tight
def _join(group: NDArray[np.int64], size: int, agent: int) -> int:
    """Add an agent to the group unless it is none or a member; return the new size."""
    if agent < 0 or size >= group.shape[0]:
        return size
    for i in range(size):
        if group[i] == agent:
            return size
    group[size] = agent
    return size + 1


@tight
def _blockers(
    table: NDArray[np.int32],
    tasks: Tasks,
    owner: NDArray[np.int32],
    plan: NDArray[np.int32],
    group: NDArray[np.int64],
    size: int,
    agent: int,
    random: np.uint64,
) -> int:
    """Add the agents in the way of `agent`, walking a shortest path from a random moment of its plan."""
    horizon = plan.shape[0] - 1
    first = below(random, horizon)
    label, count = 0, int(tasks.legs[agent])
    for step in range(1, first + 1):
        if label < count and plan[step, agent] == tasks.goals[agent, label]:
            label += 1
    cell = int(plan[first, agent])
    turn = int(np.int64(random & np.uint64(3)))
    for step in range(first, horizon):
        if label >= count or size >= group.shape[0]:
            break
        row = int(tasks.rows[agent, label])
        best = cell
        for k in range(4):
            target = int(table[cell, 1 + (k + turn) % 4])
            if target < 0 or tasks.guide[row, target] >= tasks.guide[row, cell]:
                continue
            best = target
            other = int(owner[step + 1, target])
            if other < 0 or other == agent:
                break
            size = _join(group, size, other)
        behind = int(owner[step + 1, cell])
        if behind >= 0 and owner[step, best] == behind:
            size = _join(group, size, behind)
        cell = best
        if cell == tasks.goals[agent, label]:
            label += 1
    return size


@tight
def _crowd(
    table: NDArray[np.int32],
    owner: NDArray[np.int32],
    plan: NDArray[np.int32],
    group: NDArray[np.int64],
    size: int,
    agent: int,
    random: np.uint64,
) -> int:
    """Add agents met by a random walk around a random moment of an agent's plan."""
    step = below(random, plan.shape[0])
    cell = int(plan[step, agent])
    for k in range(8 * group.shape[0]):
        if size >= group.shape[0]:
            break
        random = draw(random, _STREAM, step, k, 1)
        target = int(table[cell, 1 + below(random, 4)])
        if target >= 0:
            cell = target
            size = _join(group, size, int(owner[step, cell]))
    return size


@tight
def _select(
    table: NDArray[np.int32],
    tasks: Tasks,
    owner: NDArray[np.int32],
    plan: NDArray[np.int32],
    group: NDArray[np.int64],
    agent: int,
    random: np.uint64,
) -> int:
    """Write a neighbourhood around a delayed agent to `group`, in random order; return its size.

    Most are agents in its way, some are a crowd somewhere on it, some are random; where all agents fit into
    one neighbourhood, every second one is all of them.
    """
    agents, most = plan.shape[1], group.shape[0]
    limit = max(min(2, most), 1 + below(draw(random, _STREAM, 0, 0, 3), most))
    if agents <= most and (limit == agents or below(draw(random, _STREAM, 0, 0, 6), 2) == 0):
        for other in range(agents):
            group[other] = other
        _shuffle(group, agents, random)
        return agents
    part = group[:limit]
    part[0] = agent
    size = 1
    kind = below(draw(random, _STREAM, 0, 0, 4), 8)
    if kind < 5:
        size = _blockers(table, tasks, owner, plan, part, size, agent, random)
    if kind < 7 and size < limit:
        size = _crowd(table, owner, plan, part, size, agent, random)
    for k in range(2 * limit):
        if kind < 7 or size >= limit:
            break
        size = _join(part, size, below(draw(random, _STREAM, k, 0, 5), agents))
    _shuffle(part, size, random)
    return size


@tight
def _shuffle(group: NDArray[np.int64], size: int, random: np.uint64) -> None:
    for i in range(size - 1, 0, -1):
        random = draw(random, _STREAM, i, 0, 2)
        j = below(random, i + 1)
        group[i], group[j] = group[j], group[i]


@tight
def _replan(
    table: NDArray[np.int32],
    tasks: Tasks,
    weight: NDArray[np.int64],
    owner: NDArray[np.int32],
    plan: NDArray[np.int32],
    cost: NDArray[np.int64],
    group: NDArray[np.int64],
    size: int,
    random: np.uint64,
    slack: int,
    scratch: Scratch,
    saved: NDArray[np.int32],
    fresh: NDArray[np.int64],
) -> bool:
    """Plan the group again, one by one; keep the result, and say so, if the weighted cost rose by at most `slack`."""
    spare = slack
    for i in range(size):
        agent = group[i]
        for step in range(plan.shape[0]):
            saved[step, i] = plan[step, agent]
        vacate(plan, owner, agent)
        spare += weight[agent] * (cost[agent] - estimate(tasks, agent, plan[0, agent], 0))
    done = 0
    for i in range(size):
        agent = group[i]
        least = estimate(tasks, agent, plan[0, agent], 0)
        bits = int(np.int64((random >> np.uint64(3 * (i % 16))) & np.uint64(7)))
        found = find_path(table, tasks, owner, plan, agent, least + spare // weight[agent], bits, scratch)
        if found == NO_PATH:
            break
        fresh[i] = found
        spare -= weight[agent] * (found - least)
        occupy(plan, owner, agent)
        done += 1
    if done == size:
        for i in range(size):
            cost[group[i]] = fresh[i]
        return True
    for i in range(done):
        vacate(plan, owner, group[i])
    for i in range(size):
        for step in range(plan.shape[0]):
            plan[step, group[i]] = saved[step, i]
        occupy(plan, owner, group[i])
    return False


@kernel
def improve(
    table: NDArray[np.int32],
    tasks: Tasks,
    weight: NDArray[np.int64],
    plan: NDArray[np.int32],
    owner: NDArray[np.int32],
    scratch: Scratch,
    key: np.uint64,
    round_: int,
    iterations: int,
    neighbourhood: int,
    patience: int,
    anew: bool,
) -> tuple[int, int]:
    """Improve `plan` i32[T+1, N] in place, never to a higher weighted cost; return what is left.

    That is the weighted delays, and how many agents are delayed. The search ends after `iterations`
    neighbourhoods, or after as many in vain, one after another, as there are steps of delay to gain, but at
    most `patience`. `anew`: where all agents fit into one neighbourhood, the first one planned again may
    raise the cost, to leave a deadlock that no cheaper plan is found for.

    `weight` i64[N] >= 1 says what a step of each agent's delay costs; `owner` i32[T+1, HW] is overwritten
    with the reservations of the plan. The search is a function of its arguments: all chance comes from
    `key` and `round_`.
    """
    horizon, agents = plan.shape[0] - 1, plan.shape[1]
    owner[: horizon + 1] = -1
    cost = np.empty(agents, np.int64)
    delay = np.empty(agents, np.int64)
    total = 0
    for agent in range(agents):
        occupy(plan, owner, agent)
        cost[agent] = path_cost(tasks, plan, agent)
        delay[agent] = cost[agent] - estimate(tasks, agent, plan[0, agent], 0)
        total += weight[agent] * delay[agent]
    most = min(neighbourhood, agents)
    group = np.empty(most, np.int64)
    fresh = np.empty(most, np.int64)
    saved = np.empty((horizon + 1, most), np.int32)
    least, since = total, 0
    patience = min(patience, _TRIES * agents)
    slack = _ANYTHING if anew and agents <= most and total >= horizon else 0
    enough = min(patience, total)
    for iteration in range(iterations):
        if total == 0 or horizon == 0 or since >= enough:
            break
        since += 1
        random = draw(key, _STREAM + 1, round_, iteration, 0)
        agent = _delayed(delay, key, round_, iteration)
        size = _select(table, tasks, owner, plan, group, agent, random)
        part = group[:size]
        if _replan(table, tasks, weight, owner, plan, cost, part, size, random, slack, scratch, saved, fresh):
            for i in range(size):
                agent = part[i]
                total -= weight[agent] * delay[agent]
                delay[agent] = cost[agent] - estimate(tasks, agent, plan[0, agent], 0)
                total += weight[agent] * delay[agent]
            if total < least or slack > 0:
                slack = 0
                least, since = total, 0
                enough = min(patience, total)
    return total, int(np.sum(delay > 0))
