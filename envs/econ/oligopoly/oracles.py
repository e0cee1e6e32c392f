"""Closed forms of static oligopoly: Cournot, Bertrand, logit demand; and brute force on a grid. Pure functions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

__all__ = [
    "Outcome", "bertrand", "collusion_index", "cournot", "cournot_cartel", "grid_equilibria", "logit_monopoly", "logit_nash",
    "logit_shares",
]  # fmt: skip


class Outcome(NamedTuple):
    """What firms do, what they earn, and the price that is paid (the mean over what is sold where there are several)."""

    actions: tuple[float, ...]
    profits: tuple[float, ...]
    price: float


def cournot(demand: float, slope: float, costs: Sequence[float]) -> Outcome:
    """The equilibrium in quantities under P = demand - slope * Q and constant unit costs.

    With equal costs q = (a - c) / ((n + 1) b) and P = (a + n c) / (n + 1). Firms whose cost is above the price that the
    others make stay out.
    """
    active = sorted(range(len(costs)), key=lambda i: costs[i])
    price = demand
    while active:
        price = (demand + sum(costs[i] for i in active)) / (len(active) + 1)
        if costs[active[-1]] < price:
            break
        active.pop()
    price = price if active else demand
    quantities = tuple((price - costs[i]) / slope if i in active else 0.0 for i in range(len(costs)))
    return Outcome(quantities, tuple((price - c) * q for c, q in zip(costs, quantities, strict=True)), price)


def cournot_cartel(demand: float, slope: float, costs: Sequence[float]) -> Outcome:
    """The largest joint profit: those of the lowest cost make Q = (a - c) / 2b together, in equal parts."""
    lowest = min(costs)
    total = max(demand - lowest, 0.0) / (2 * slope)
    share = total / sum(c == lowest for c in costs)
    quantities = tuple(share if c == lowest else 0.0 for c in costs)
    price = demand - slope * total
    return Outcome(quantities, tuple((price - c) * q for c, q in zip(costs, quantities, strict=True)), price)


def bertrand(demand: float, slope: float, costs: Sequence[float]) -> Outcome:
    """The equilibrium in prices of equal goods: p = c for two firms and more; the one of lowest cost prices the next out.

    It asks the second lowest cost, or its own monopoly price where that is lower, and takes the whole demand.
    """
    first, *rest = sorted(costs)
    alone = (demand + first) / 2
    price = min(rest[0], alone) if rest else alone
    total = max(demand - price, 0.0) / slope
    winners = sum(c == first for c in costs)
    profits = tuple((price - c) * total / winners if c == first else 0.0 for c in costs)
    return Outcome(tuple(max(price, c) for c in costs), profits, price)


def logit_shares(prices: Sequence[float], quality: float, outside: float, mu: float) -> tuple[float, ...]:
    """Shares exp((a - p_i) / mu) / (sum_j exp((a - p_j) / mu) + exp(a0 / mu)) of goods in logit demand."""
    top = max(quality - min(prices), outside)
    weights = [math.exp((quality - p - top) / mu) for p in prices]
    total = sum(weights) + math.exp((outside - top) / mu)
    return tuple(w / total for w in weights)


def _outcome(prices: Sequence[float], costs: Sequence[float], quality: float, outside: float, mu: float) -> Outcome:
    shares = logit_shares(prices, quality, outside, mu)
    profits = tuple((p - c) * q for p, c, q in zip(prices, costs, shares, strict=True))
    sold = sum(shares)
    return Outcome(tuple(prices), profits, sum(p * q for p, q in zip(prices, shares, strict=True)) / sold)


def logit_nash(quality: float, outside: float, mu: float, costs: Sequence[float]) -> Outcome:
    """The equilibrium in prices under logit demand for one consumer: p_i - c_i = mu / (1 - q_i), by damped iteration."""
    prices = [c + 2 * mu for c in costs]
    for _ in range(10_000):
        shares = logit_shares(prices, quality, outside, mu)
        moved = [0.5 * p + 0.5 * (c + mu / (1 - q)) for p, c, q in zip(prices, costs, shares, strict=True)]
        gap = max(abs(new - old) for new, old in zip(moved, prices, strict=True))
        prices = moved
        if gap < 1e-13 * max(prices):
            break
    return _outcome(prices, costs, quality, outside, mu)


def logit_monopoly(quality: float, outside: float, mu: float, costs: Sequence[float]) -> Outcome:
    """The largest joint profit under logit demand: one margin m = mu / q_0 on all goods, by bisection."""

    def excess(margin: float) -> float:
        unsold = 1 - sum(logit_shares([c + margin for c in costs], quality, outside, mu))
        return margin * unsold - mu  # grows with the margin

    low, high = mu, 2 * mu
    while excess(high) < 0:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    return _outcome([c + low for c in costs], costs, quality, outside, mu)


def collusion_index(profit: float, nash: float, monopoly: float) -> float:
    """How much of the gain from competition to monopoly was earned: (pi - pi_N) / (pi_M - pi_N) (Calvano et al. 2020)."""
    return (profit - nash) / (monopoly - nash) if monopoly != nash else 0.0


def grid_equilibria(
    profits: Callable[[tuple[int, ...]], Sequence[float]], levels: int, firms: int
) -> list[tuple[int, ...]]:
    """All pure equilibria of a game on a grid, by looking at every deviation from every profile."""
    found = []
    for profile in itertools.product(range(levels), repeat=firms):
        here = profits(profile)
        others = (
            profits((*profile[:i], k, *profile[i + 1 :]))[i] <= here[i] for i in range(firms) for k in range(levels)
        )
        if all(others):
            found.append(profile)
    return found
