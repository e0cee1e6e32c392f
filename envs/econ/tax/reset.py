"""The beginning of episodes: wages, personas, disutility, reference incomes and welfare weights."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, kernel
from ludarium.envs.core.rng import episode_key
from ludarium.envs.econ.floats import power
from ludarium.envs.econ.sorting import count_below, sort_whole
from ludarium.envs.econ.tax.dynamics import stand
from ludarium.envs.econ.tax.personas import draw_person
from ludarium.envs.econ.tax.population import Table, draw_wages
from ludarium.envs.econ.tax.state import LOADED, MEMORY, RATES, STAND, VOTE, Scalars, State
from ludarium.envs.econ.taxes import cumulate

__all__ = ["reference_incomes", "reset"]


@kernel
def _median_of(values: NDArray[np.int64]) -> int:
    ordered = np.empty(values.shape[0], np.int64)
    for i in range(values.shape[0]):
        ordered[i] = values[i]
    sort_whole(ordered)
    n = ordered.shape[0]
    return (ordered[(n - 1) // 2] + ordered[n // 2]) // 2


@inner
def _disutility(s: State, c: Scalars, b: int, standard: float, tastes: NDArray[np.float64]) -> None:
    """Tables of disutility by hours, one a taste, and the k behind them (in cents, or in units of utility)."""
    s.median_income[b] = standard * s.median_wage[b]
    base = c.d * power(standard, c.d - 1.0)
    if c.k > 0.0:
        s.scale_k[b] = c.k * 100.0 if c.utility == 0 else c.k
    elif c.utility == 0:
        s.scale_k[b] = s.median_wage[b] / base
    else:
        s.scale_k[b] = 1.0 / (standard * base)
    for p in range(c.tastes):
        for h in range(c.choices):
            felt = s.scale_k[b] * tastes[p] * power(h / c.hour_parts, c.d)
            if c.utility == 0:
                s.cost[b, p, h] = np.int64(math.floor(min(felt, 4e15) + 0.5))
            else:
                s.strain[b, p, h] = felt


@inner
def reference_income(s: State, c: Scalars, b: int, i: int, tastes: NDArray[np.float64]) -> float:
    """A worker's untaxed best response (cents), whatever he does in the world."""
    k = s.scale_k[b] * (tastes[np.int64(s.person[b, i, 3])] if c.personas else tastes[0])
    wage, most = np.float64(s.wage[b, i]), (c.choices - 1) / c.hour_parts
    if c.utility == 0:
        hours = power(wage / (k * c.d), 1.0 / (c.d - 1.0))
    else:
        eta = 1.0 if c.utility == 2 else c.eta
        hours = power(power(wage / s.median_income[b], 1.0 - eta) / (k * c.d), 1.0 / (c.d - 1.0 + eta))
    return wage * min(hours, most)


@kernel
def reference_incomes(s: State, c: Scalars, b: int, tastes: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Write everybody's untaxed best response (cents, float64[N])."""
    for i in range(out.shape[0]):
        out[i] = reference_income(s, c, b, i, tastes)


@kernel
def _weights(s: State, c: Scalars, b: int, tastes: NDArray[np.float64]) -> None:
    """Exogenous welfare weights of mean 1, from reference incomes alone (by inverse, or by rank) or equal."""
    n = c.workers
    weight = s.weight[b]
    if c.swf > 2 or c.swf == 1:
        for i in range(n):
            weight[i] = 1.0
        return
    ordered = np.empty(n, np.int64)
    for i in range(n):
        weight[i] = (
            math.floor(reference_income(s, c, b, i, tastes) + 0.5) + 1.0
        )  # whole cents, so that equals are equal
        ordered[i] = np.int64(weight[i])
    sort_whole(ordered)
    if c.swf == 0:
        least = np.float64(ordered[(n + 19) // 20 - 1])  # the fifth percentile, the same when everybody is there twice
        total = 0.0
        for i in range(n):
            weight[i] = 1.0 / max(weight[i], least)
            total += weight[i]
        for i in range(n):
            weight[i] *= n / total
        return
    for i in range(n):  # equal incomes share the middle of their ranks
        below = count_below(ordered, np.int64(weight[i]))
        upto = count_below(ordered, np.int64(weight[i]) + 1)
        weight[i] = 2.0 * (1.0 - 0.5 * (below + upto) / n)


@inner
def _nothing_done(s: State, c: Scalars, b: int) -> None:
    """Nobody has worked, voted or put anything off. Whole arrays take long to compile."""
    for seat in range(s.live.shape[1]):
        s.live[b, seat] = True
    for place in range(c.candidates):
        s.slate[b, place] = s.platform[b, place] = -1
        s.tally[b, place] = 0
    for m in range(MEMORY):
        s.recent[b, m] = 0.0
    for j in range(c.brackets):
        s.counts[b, j] = s.rates_before[b, j] = 0
    for q in range(9):
        s.deciles[b, q] = 0
    for i in range(c.workers):
        s.hours[b, i] = 0
        s.hours_before[b, i] = 0
    for i in range(s.earned.shape[1]):
        s.earned[b, i] = 0
        s.toil[b, i] = 0
    for i in range(s.ballot.shape[1]):
        s.ballot[b, i] = 0
    for i in range(s.due.shape[1]):
        s.due[b, i] = s.carried[b, i] = s.owed[b, i] = s.wanted[b, i] = 0
    for n in range(s.books.shape[1]):
        s.books[b, n] = 0


@kernel
def reset(
    s: State,
    c: Scalars,
    edges: NDArray[np.int64],
    start: NDArray[np.int64],
    tastes: NDArray[np.float64],
    standard: float,
    table: Table,
    which: NDArray[np.bool_],
    seeds: NDArray[np.int64],
    slots: NDArray[np.int32],
) -> None:
    """Begin episodes in the rows of `which`: workers drawn from the seed (slot -1), or as `load` put them (slot -2)."""
    for b in range(which.shape[0]):
        if not which[b]:
            continue
        s.key[b] = episode_key(seeds[b])
        if slots[b] != LOADED:
            if c.kind != 4:  # an array of wages stays where the simulator put it
                draw_wages(s.key[b], c.kind, c.drawn, c.scale, c.shape, c.cents, table, s.wage[b])
            if c.personas:
                for i in range(c.workers):
                    draw_person(s.key[b], i, c.tastes, s.person[b, i])
        s.inst[b] = slots[b]
        s.t[b] = s.year[b] = s.day[b] = s.faults[b] = s.settled[b] = s.labour_steps[b] = s.cycles[b] = s.votes[b] = 0
        s.over[b] = False
        s.leader[b] = -1
        s.promise[b] = -1
        for j in range(c.brackets):
            s.rates[b, j] = start[j]
        cumulate(edges, s.rates[b], s.base[b])
        _nothing_done(s, c, b)
        s.rebate[b] = s.revenue[b] = s.treasury[b] = s.produced[b] = s.taxed[b] = s.shared[b] = s.kept[b] = 0
        s.worked[b] = s.idle[b] = 0
        s.welfare[b] = s.welfare_sum[b] = s.mean[b] = s.deviation[b] = s.gini[b] = 0.0
        s.median_wage[b] = _median_of(s.wage[b])
        _disutility(s, c, b, standard, tastes)
        _weights(s, c, b, tastes)
        s.phase[b] = RATES if c.rule < 0 else STAND if c.candidacy else VOTE
        if s.phase[b] == VOTE:
            stand(s, c, b, np.zeros(1, np.int64))
