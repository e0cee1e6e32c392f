"""Stationary inequality of the Boltzmann economy, and equilibrium and optimum among CARA traders. Pure functions."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from typing import NamedTuple

__all__ = [
    "Sharing", "boltzmann_gini", "cara_equilibrium", "cara_optimum", "cara_worth", "exponential_gini", "gini", "pareto_gini",
    "wealth_chances",
]  # fmt: skip


def gini(wealth: Sequence[float]) -> float:
    """The Gini coefficient, sum |x_i - x_j| / (2 n sum x); 0 where there is nothing."""
    ordered, total = sorted(wealth), sum(wealth)
    if total == 0:
        return 0.0
    n = len(ordered)
    return sum((2 * k - n - 1) * x for k, x in enumerate(ordered, 1)) / (n * total)


def exponential_gini() -> float:
    """The Gini coefficient of exponentially distributed money (Dragulescu and Yakovenko 2000)."""
    return 0.5


def pareto_gini(tail: float) -> float:
    """The Gini coefficient of a Pareto distribution with this index above 1."""
    return 1 / (2 * tail - 1)


def wealth_chances(traders: int, money: int) -> list[float]:
    """The chances that a trader has 0, 1, ..., `money` in the long run: all ways to share it out are equally likely.

    P(k) = C(M - k + n - 2, n - 2) / C(M + n - 1, n - 1), since single coins move between pairs by a symmetric chain.
    """
    n, m = traders, money
    if n == 1:
        return [0.0] * m + [1.0]
    chances, last = [], (n - 1) / (m + n - 1)  # P(0)
    for k in range(m + 1):
        chances.append(last)
        last *= (m - k) / (m - k + n - 2) if m - k + n - 2 else 0.0
    return chances


def boltzmann_gini(traders: int, money: int) -> float:
    """The mean Gini coefficient in the long run, for all traders with `money` together; it tends to 1/2 as both grow.

    E|x_1 - x_2| (n - 1) / (2 M), where x_1 is k and x_2 is one of n - 1 who share the rest.
    """
    n, m = traders, money
    if n == 1 or m == 0:
        return 0.0
    total = 0.0
    for k, chance in enumerate(wealth_chances(n, m)):
        others = wealth_chances(n - 1, m - k)
        total += chance * sum(abs(k - j) * p for j, p in enumerate(others))
    return total * (n - 1) / (2 * m)


class Sharing(NamedTuple):
    """Units of each trader, and the price."""

    units: tuple[float, ...]
    price: float


def cara_worth(mean: float, risk: float, units: float) -> float:
    """The certainty equivalent of units of a normal good under constant absolute risk aversion: m x - r x^2 / 2.

    `risk` is aversion times variance (Pratt 1964).
    """
    return mean * units - risk * units * units / 2


def cara_equilibrium(mean: float, risks: Sequence[float], total: float) -> Sharing:
    """The competitive equilibrium, which is efficient: units in proportion to 1 / r, p = m - X / sum(1 / r) (Wilson 1968)."""
    tolerance = sum(1 / r for r in risks)
    return Sharing(tuple(total / r / tolerance for r in risks), mean - total / tolerance)


def cara_optimum(mean: float, risks: Sequence[int], total: int) -> tuple[tuple[int, ...], float]:
    """The best sharing of whole units and the sum of certainty equivalents: each next unit to whom it is worth most."""
    units = [0] * len(risks)
    heap = [(-(mean - r / 2), i) for i, r in enumerate(risks)]
    heapq.heapify(heap)
    for _ in range(total):
        _, i = heap[0]
        units[i] += 1
        heapq.heapreplace(heap, (-(mean - risks[i] * (units[i] + 0.5)), i))
    return tuple(units), math.fsum(cara_worth(mean, r, x) for r, x in zip(risks, units, strict=True))
