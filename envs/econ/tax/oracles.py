"""Closed forms and exact searches of the tax economy, in floats: what tests and planners hold the world against.

Quasi-linear workers of wage w (money a year for each weekly hour) choose hours l to maximise
u = z - T(z) + rebate - k * l**d, z = w * l; the elasticity of income is e = 1 / (d - 1). A worker is small: nobody counts
in his own rebate. All arrays are float64; edges and incomes are in units of money, rates are fractions.

Sources: Mirrlees 1971; Saez 2001 (top rate, bracket formula); Romer 1975 (voting on a flat rate).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Economy", "best_income", "bracket_rates", "bracket_rule", "elasticity", "flat_income", "gap", "gini", "grid_search",
    "inverse_weights", "laffer_peak", "legacy_welfare", "median_scale", "optimal_flat", "optimum", "owed", "pareto_gini",
    "preferred_flat", "search", "top_rate", "utility", "welfare",
]  # fmt: skip

Floats = NDArray[np.float64]
Rates = Sequence[float] | NDArray[np.float64]


def elasticity(d: float) -> float:
    """The elasticity of income with respect to what is kept of the last unit."""
    return 1.0 / (d - 1.0)


def median_scale(wage: float, d: float, hours: float = 40.0) -> float:
    """The k at which a worker of this wage works so many hours untaxed."""
    return wage / (d * hours ** (d - 1.0))


def laffer_peak(e: float) -> float:
    """The flat rate of highest revenue."""
    return 1.0 / (1.0 + e)


def flat_income(z0: ArrayLike, rate: float, e: float) -> Floats:
    """Incomes under a flat rate, of workers who earn z0 untaxed and are not at a corner."""
    return np.asarray(z0, np.float64) * (1.0 - rate) ** e


def optimal_flat(gbar: float, e: float) -> float:
    """The flat rate of highest welfare; gbar = sum(g z) / sum(z) for weights of mean 1."""
    return max(0.0, (1.0 - gbar) / (1.0 - gbar + e))


def preferred_flat(share: ArrayLike, e: float) -> Floats:
    """The flat rate that a worker prefers whose income is `share` of the mean; 0 from the mean on."""
    s = np.minimum(np.asarray(share, np.float64), 1.0)
    return (1.0 - s) / (1.0 - s + e)


def top_rate(tail: float, e: float, g: float = 0.0) -> float:
    """The limiting top rate for *incomes* of Pareto index `tail`."""
    return (1.0 - g) / (1.0 - g + tail * e)


def pareto_gini(a: float) -> float:
    """The Gini index of a Pareto distribution."""
    return 1.0 / (2.0 * a - 1.0)


def gini(values: ArrayLike) -> float:
    """The Gini index of values >= 0 by one formula for all n; 0 where all are 0."""
    x = np.sort(np.asarray(values, np.float64))
    n, total = len(x), float(x.sum())
    if total <= 0.0:
        return 0.0
    return float((2.0 * np.arange(1, n + 1) - n - 1.0) @ x / (n * total))


def owed(z: ArrayLike, edges: Sequence[float], rates: Rates) -> Floats:
    """Tax on incomes float[N] under marginal rates; the last bracket is unbounded."""
    z = np.asarray(z, np.float64)
    tops = [*edges[1:], np.inf]
    total = np.zeros_like(z)
    for low, high, rate in zip(edges, tops, rates, strict=True):
        total += rate * np.clip(z - low, 0.0, high - low)
    return total


class Economy(NamedTuple):
    """Workers of wages w float[N] with disutility k float[N] * l**d, at most `hours` hours, and welfare weights g float[N]."""

    w: Floats
    k: Floats
    d: float
    hours: float
    edges: tuple[float, ...]
    g: Floats

    @property
    def e(self) -> float:
        """The elasticity of income."""
        return elasticity(self.d)

    @property
    def untaxed(self) -> Floats:
        """Incomes without taxes."""
        return best_income(self, [0.0] * len(self.edges))


def best_income(economy: Economy, rates: Rates) -> Floats:
    """Each worker's exactly best income under a schedule, regressive ones too; the lowest one where he is indifferent.

    In every bracket the objective is concave: its best income there is where the marginal net wage meets marginal
    disutility, or the nearer end. The best bracket is found by comparing utilities.
    """
    w, k, d, hours, edges, _ = economy
    best = np.zeros_like(w)
    value = np.zeros_like(w)
    cap = w * hours
    base = 0.0
    for j, low in enumerate(edges):
        high = edges[j + 1] if j + 1 < len(edges) else np.inf
        kept = max(1.0 - rates[j], 0.0)
        z = w * (w * kept / (k * d)) ** (1.0 / (d - 1.0))
        z = np.minimum(np.clip(z, low, high), cap)
        u = z - (base + (z - low) * rates[j]) - k * (z / w) ** d
        better = (u > value + 1e-12 * np.maximum(1.0, np.abs(value))) & (cap >= low)
        best, value = np.where(better, z, best), np.where(better, u, value)
        base += (high - low) * rates[j] if np.isfinite(high) else 0.0
    return best


def utility(economy: Economy, z: ArrayLike, rates: Rates) -> Floats:
    """Utilities of workers with these incomes: after tax and an equal rebate, less disutility."""
    z = np.asarray(z, np.float64)
    tax = owed(z, economy.edges, rates)
    return z - tax + tax.mean() - economy.k * (z / economy.w) ** economy.d


def welfare(economy: Economy, rates: Rates) -> float:
    """Welfare a head, sum(g u) / N, when everybody answers the schedule best."""
    return float((economy.g * utility(economy, best_income(economy, rates), rates)).mean())


def legacy_welfare(economy: Economy, rates: Rates) -> float:
    """The seed project's sum(u / max(z, 1)), which idle workers inflate; for comparison only."""
    z = best_income(economy, rates)
    return float((utility(economy, z, rates) / np.maximum(z, 1.0)).sum())


def inverse_weights(reference: ArrayLike, percentile: float = 5.0) -> Floats:
    """Weights of mean 1 in inverse proportion to a reference income, floored at a percentile.

    The percentile is interpolated, as in the reference table; the world takes the income of whoever stands there, so that
    everybody's being there twice changes nothing.
    """
    z = np.asarray(reference, np.float64)
    floor = float(np.percentile(z, percentile))
    weights = 1.0 / np.maximum(z, max(floor, 1e-9))
    return weights / weights.mean()


def optimum(economy: Economy) -> float:
    """The optimal flat rate in closed form, for workers away from corners."""
    z = economy.untaxed
    return optimal_flat(float((economy.g * z).sum() / z.sum()), economy.e)


def bracket_rates(
    z: Floats, g: Floats, edges: Sequence[float], e: float, before: Rates, stuck: NDArray[np.bool_] | None = None
) -> Floats:
    """One application of the bracket rule to observed incomes (specs: tau = (1 - G) / (1 - G + a e)).

    For bracket j, M is the income inside it of all workers, G the g-weighted share of M, Z the income of the workers
    interior to it, a = Z / M. A bracket without income or without workers interior to it, who alone could answer its rate,
    keeps that of `before`: else the rule asks for 100 %, and of few workers the next one stops at the kink. Those `stuck`
    bool[N] at the limit of hours pay and do not answer.
    """
    tolerance = 1e-9
    found = np.array(before, np.float64)
    tops = [*edges[1:], np.inf]
    for j, (low, high) in enumerate(zip(edges, tops, strict=True)):
        inside = np.clip(z - low, 0.0, high - low)
        mass = inside.sum()
        if mass <= 0.0:
            continue
        weight = float((g * inside).sum() / mass)
        slack = tolerance * max(1.0, low)
        interior = (z > low + slack) & (z < high - tolerance * max(1.0, high if np.isfinite(high) else 1.0))
        if not interior.any():
            continue
        if stuck is not None:
            interior &= ~stuck
        a = float(z[interior].sum() / mass)
        gain = max(1.0 - weight, 0.0)
        found[j] = gain / (gain + a * e) if gain + a * e > 0.0 else 0.0
    return found


def bracket_rule(economy: Economy, damping: float = 0.5, sweeps: int = 60, tolerance: float = 1e-6) -> Floats:
    """The bracket rule iterated to rest, against exact best responses; begins at the optimal flat rate."""
    rates = np.full(len(economy.edges), optimum(economy))
    for _ in range(sweeps):
        z = best_income(economy, rates)
        stuck = z >= economy.w * economy.hours * (1.0 - 1e-9)
        found = bracket_rates(z, economy.g, economy.edges, economy.e, rates, stuck)
        step = found - rates
        rates = np.clip(rates + damping * step, 0.0, 1.0)
        if np.abs(step).max() < tolerance:
            break
    return rates


def search(
    value: Callable[[Floats], float], start: ArrayLike, step: float, smallest: float, high: float = 1.0
) -> tuple[Floats, float]:
    """Climb by one coordinate at a time (and all together), halving the step; returns where it stopped and what is there."""
    at = np.array(start, np.float64)
    best = value(at)
    ways = [*np.eye(len(at)), np.ones(len(at))]
    while step >= smallest:
        moved = False
        for way in ways:
            for sign in (1.0, -1.0):
                while True:
                    there = np.clip(at + sign * step * way, 0.0, high)
                    found = value(there)
                    if found <= best + 1e-9 * abs(best):
                        break
                    at, best, moved = there, found, True
        if not moved:
            step /= 2.0
    return at, best


def grid_search(economy: Economy, points: float = 0.05, start: ArrayLike | None = None) -> tuple[Floats, float]:
    """The best schedule on a grid of rates that single moves and moves of two neighbours reach."""
    rule = bracket_rule(economy) if start is None else np.asarray(start, np.float64)
    at = np.round(rule / points) * points
    best = welfare(economy, at)
    count = len(at)
    ways = [np.eye(count)[j] for j in range(count)]
    ways += [np.eye(count)[j] + sign * np.eye(count)[j + 1] for j in range(count - 1) for sign in (1, -1)]
    moved = True
    while moved:
        moved = False
        for way in ways:
            for sign in (points, -points):
                there = np.clip(np.round((at + sign * way) / points) * points, 0.0, 1.0)
                found = welfare(economy, there)
                if found > best + 1e-9 * abs(best):
                    at, best, moved = there, found, True
    return at, best


def gap(achieved: float, untaxed: float, best: float) -> float:
    """The Stackelberg gap: the share of the achievable welfare gain that a planner leaves (0: none)."""
    return 1.0 - (achieved - untaxed) / (best - untaxed) if best > untaxed else 0.0
