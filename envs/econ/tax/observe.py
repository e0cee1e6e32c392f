"""What seats see as arrays: incomes in units of the median untaxed one, wages in units of the median wage, rates as shares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, kernel
from ludarium.envs.econ.tax.dynamics import felt, limit_of
from ludarium.envs.econ.tax.gaming import may_defer
from ludarium.envs.econ.tax.state import MEMORY, WORK, Scalars, State
from ludarium.envs.econ.taxes import bracket_of, tax_of

__all__ = ["OWN", "masks", "own_size", "planner_size", "see_group", "see_planner", "see_workers", "shared_size"]

OWN = 6
"""Wage, hours, income, tax, utility, marginal rate."""


def own_size(c: Scalars) -> int:
    """Numbers that a worker sees of himself; with personas also occupation, sex, age group and taste; with games, what is due."""
    return OWN + (4 if c.personas else 0) + (1 if c.gaming else 0)


def shared_size(c: Scalars) -> int:
    """Numbers that all workers see: rates, rebate, share of the year, phase; with votes the slate."""
    return c.brackets + 6 + (2 * c.candidates + 1 if c.rule >= 0 else 0)


def planner_size(c: Scalars) -> int:
    """Numbers that the planner sees."""
    return c.brackets + 9 + 5 + c.brackets + MEMORY + 5 + (2 if c.rule >= 0 else 0)


@inner
def _own(s: State, c: Scalars, b: int, i: int, edges: NDArray[np.int64], out: NDArray[np.float32]) -> None:
    per = 1.0 / s.median_income[b]
    h = np.int64(s.hours[b, i])
    z = s.wage[b, i] * h // c.hour_parts
    tax = s.owed[b, i] if c.gaming else tax_of(z, edges, s.rates[b], s.base[b])
    taste = np.int64(s.person[b, i, 3]) if c.personas else 0
    out[0] = s.wage[b, i] * (1.0 / s.median_wage[b])
    out[1] = h * (1.0 / (c.choices - 1))
    out[2] = z * per
    out[3] = tax * per
    money = z - tax + s.rebate[b]
    if c.utility == 0:
        out[4] = (money - s.cost[b, taste, h]) * per
    else:
        out[4] = felt(np.float64(money), s.strain[b, taste, h], c, s.median_income[b])
    out[5] = s.rates[b, bracket_of(z, edges)] * 0.0001
    if c.personas:
        for p in range(4):
            out[6 + p] = s.person[b, i, p]
    if c.gaming:
        out[10 if c.personas else 6] = s.due[b, i] * per


@inner
def _own_of_all(s: State, c: Scalars, b: int, edges: NDArray[np.int64], out: NDArray[np.float32]) -> None:
    """What `_own` writes, for all workers: with all that is common at hand, three times as fast."""
    if c.utility != 0 or c.personas or c.gaming:
        for i in range(c.workers):
            _own(s, c, b, i, edges, out[i])
        return
    wage, hours, rates, base, cost = s.wage[b], s.hours[b], s.rates[b], s.base[b], s.cost[b, 0]
    parts, rebate, top, count = c.hour_parts, s.rebate[b], c.brackets - 1, c.workers
    per, per_wage, per_hour = 1.0 / s.median_income[b], 1.0 / s.median_wage[b], 1.0 / (c.choices - 1)
    for i in range(count):
        h = np.int64(hours[i])
        z = wage[i] * h if parts == 1 else wage[i] * h // parts
        j = top
        while j > 0 and z < edges[j]:
            j -= 1
        tax = (base[j] + (z - edges[j]) * rates[j]) // 10_000
        out[i, 0] = wage[i] * per_wage
        out[i, 1] = h * per_hour
        out[i, 2] = z * per
        out[i, 3] = tax * per
        out[i, 4] = (z - tax + rebate - cost[h]) * per
        out[i, 5] = rates[j] * 0.0001


@inner
def _shared(s: State, c: Scalars, b: int, out: NDArray[np.float32]) -> None:
    k = c.brackets
    for j in range(k):
        out[j] = s.rates[b, j] / 10_000
    out[k] = s.rebate[b] / s.median_income[b]
    out[k + 1] = s.day[b] / c.steps_per_year
    for phase in range(4):
        out[k + 2 + phase] = phase == s.phase[b]
    if c.rule >= 0:
        for place in range(c.candidates):
            who = np.int64(s.slate[b, place])
            out[k + 6 + place] = s.platform[b, place] / 20 if s.platform[b, place] >= 0 else -1.0
            out[k + 6 + c.candidates + place] = s.wage[b, who] / s.median_wage[b] if who >= 0 else -1.0
        leader = np.int64(s.leader[b])
        out[k + 6 + 2 * c.candidates] = s.wage[b, leader] / s.median_wage[b] if leader >= 0 else -1.0


@kernel
def see_workers(
    s: State, c: Scalars, edges: NDArray[np.int64], seats: NDArray[np.int32], out: NDArray[np.float32]
) -> None:
    """Write float32[B, n, F]: a worker's own numbers, then the shared ones."""
    own = (10 if c.personas else 6) + (1 if c.gaming else 0)
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i >= 0:
                _own(s, c, b, i, edges, out[b, n, :own])
                _shared(s, c, b, out[b, n, own:])


@kernel
def see_group(
    s: State,
    c: Scalars,
    edges: NDArray[np.int64],
    seats: NDArray[np.int32],
    own: NDArray[np.float32],
    shared: NDArray[np.float32],
) -> None:
    """Write float32[B, 1, N, F] of all workers, and float32[B, 1, M] that they share."""
    for b in range(seats.shape[0]):
        if seats[b, 0] >= 0:
            _own_of_all(s, c, b, edges, own[b, 0])
            _shared(s, c, b, shared[b, 0])


@kernel
def see_planner(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.float32]) -> None:
    """Write float32[B, n, F]: bracket shares, deciles, mean, deviation, Gini, revenue, rebate, rates, recent welfare, phase."""
    k = c.brackets
    for b in range(seats.shape[0]):
        if seats[b, 0] < 0:
            continue
        unit, seen = s.median_income[b], out[b, 0]
        for j in range(k):
            seen[j] = s.counts[b, j] / c.workers
            seen[k + 14 + j] = s.rates[b, j] / 10_000
        for q in range(9):
            seen[k + q] = s.deciles[b, q] / unit
        seen[k + 9] = s.mean[b] / unit
        seen[k + 10] = s.deviation[b] / unit
        seen[k + 11] = s.gini[b]
        seen[k + 12] = s.revenue[b] / (c.workers * unit)
        seen[k + 13] = s.rebate[b] / unit
        at = 2 * k + 14
        size = unit if c.utility == 0 and c.swf != 6 else 1.0
        for m in range(MEMORY):
            seen[at + m] = s.recent[b, m] / size
        at += MEMORY
        seen[at] = s.day[b] / c.steps_per_year
        for phase in range(4):
            seen[at + 1 + phase] = phase == s.phase[b]
        if c.rule >= 0:
            leader = np.int64(s.leader[b])
            seen[at + 5] = s.wage[b, leader] / s.median_wage[b] if leader >= 0 else -1.0
            seen[at + 6] = s.promise[b] / 20 if s.promise[b] >= 0 else -1.0


@kernel
def masks(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
    """Write int8[B, n, actions]: the workers' actions that mean something in this phase."""
    for b in range(seats.shape[0]):
        limit = limit_of(s, c, b)
        bound = c.gaming and s.phase[b] == WORK and not may_defer(s, c, b)  # nothing can be put off
        for n in range(seats.shape[1]):
            if seats[b, n] >= 0:
                for action in range(out.shape[2]):
                    out[b, n, action] = action < limit and not (bound and action // c.choices % c.shifts > 0)
