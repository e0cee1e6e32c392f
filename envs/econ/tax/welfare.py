"""Social welfare a head, and what a planner is told of incomes at the end of a year: the kernels that sort."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel, special
from ludarium.envs.econ.floats import power
from ludarium.envs.econ.sorting import sort_whole
from ludarium.envs.econ.tax.state import PLAIN, Scalars, State

__all__ = ["social_welfare", "survey"]


@kernel
def survey(s: State, c: Scalars, b: int, edges: NDArray[np.int64]) -> None:
    """What a planner is told of incomes: counts by bracket, deciles, mean, deviation, Gini (0 where all are idle)."""
    n = c.workers
    incomes = np.empty(n, np.int64)
    for i in range(n):
        incomes[i] = s.wage[b, i] * np.int64(s.hours[b, i]) // c.hour_parts
    sort_whole(incomes)
    for j in range(c.brackets):
        s.counts[b, j] = 0
    bracket, total, ranked = 0, 0.0, 0.0
    for i in range(n):
        while bracket + 1 < c.brackets and incomes[i] >= edges[bracket + 1]:
            bracket += 1
        s.counts[b, bracket] += 1
        total += incomes[i]
        ranked += (2.0 * (i + 1) - n - 1.0) * incomes[i]
    for q in range(9):
        s.deciles[b, q] = incomes[(q + 1) * (n - 1) // 10]
    s.mean[b] = total / n
    spread = 0.0
    for i in range(n):
        spread += (incomes[i] - s.mean[b]) * (incomes[i] - s.mean[b])
    s.deviation[b] = math.sqrt(spread / n)
    s.gini[b] = ranked / (n * total) if total > 0.0 else 0.0


@kernel
def social_welfare(s: State, c: Scalars, b: int, weighted: float, least: float, mean_income: float) -> float:
    """Welfare a head: of the weighted sum of utilities, the least one, or what `value` holds."""
    n = c.workers
    if c.swf <= 2:
        return weighted / n
    if c.swf == 3:
        return least
    if c.swf == 6:
        return weighted
    value = s.value[:n]
    if c.swf == 4:  # the equally distributed equivalent (Atkinson 1970)
        total = 0.0
        for i in range(n):
            total += power(max(value[i], 1.0) / s.median_income[b], 1.0 - c.eta)
        return s.median_income[b] * power(total / n, 1.0 / (1.0 - c.eta))
    ordered = np.empty(n, np.int64)
    for i in range(n):
        ordered[i] = np.int64(max(value[i], 0.0))
    sort_whole(ordered)
    total, ranked = 0.0, 0.0
    for i in range(n):
        x = np.float64(ordered[i])
        total += x
        ranked += (2.0 * (i + 1) - n - 1.0) * x
    equality = 1.0 - ranked / (total * (n - 1)) if total > 0.0 and n > 1 else 1.0
    return equality * mean_income


@special(social_welfare, PLAIN)
def _weighted_welfare(s: State, c: Scalars, b: int, weighted: float, least: float, mean_income: float) -> float:
    return weighted / c.workers
