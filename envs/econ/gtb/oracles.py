"""What is known of gather, trade and build beforehand, in floats: what tests hold the world and its figures against.

Sources: Zheng et al., The AI Economist (2020): utility, skills, labour, social metrics; Gini 1912.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

__all__ = [
    "bonus_chance", "entropy", "equality", "felt", "lomax_quantile", "mean_wait", "owed", "payment", "settle",
    "still_empty", "welfare",
]  # fmt: skip


def felt(coin: float, eta: float, least: float = 0.01) -> float:
    """Isoelastic utility of money (log utility at eta = 1); below the least coin it is that of the least coin."""
    held = max(coin, least)
    return math.log(held) if eta == 1.0 else (held ** (1.0 - eta) - 1.0) / (1.0 - eta)


def equality(values: Sequence[float]) -> float:
    """1 - Gini * n / (n - 1) by all pairs: one formula for every n; 1 where all have nothing, and for one alone."""
    n, total = len(values), float(sum(values))
    if n < 2 or total == 0.0:
        return 1.0
    apart = sum(abs(a - b) for a, b in itertools.combinations(values, 2))
    return 1.0 - apart / ((n - 1) * total)


def welfare(kind: str, coin: Sequence[float], utility: Sequence[float], pay: Sequence[float]) -> float:
    """Social welfare a head; the weights of `inverse` follow from skills alone and have mean 1."""
    n = len(coin)
    if kind == "equality_productivity":
        return equality(coin) * sum(coin) / n
    if kind == "rawls":
        return min(utility)
    weight = [1.0 / p for p in pay] if kind == "inverse" else [1.0] * n
    return sum(w * u for w, u in zip(weight, utility, strict=True)) / sum(weight)


def lomax_quantile(u: float, a: float) -> float:
    """The quantile of a Pareto distribution of index a that begins at 0 (Lomax)."""
    return (1.0 - u) ** (-1.0 / a) - 1.0


def payment(u: float, base: float, a: float, cap: float) -> float:
    """What a house pays a builder at the quantile u of skill."""
    return base * min(cap, 1.0 + (cap - 1.0) * lomax_quantile(u, a))


def bonus_chance(u: float) -> float:
    """The chance of a second unit of a gatherer at the quantile u of skill."""
    return min(2.0, lomax_quantile(u, 3.0)) / 2.0


def still_empty(chance: float, steps: int) -> float:
    """The probability that a source has not regrown so many steps after it was emptied."""
    return float((1.0 - chance) ** steps)


def mean_wait(chance: float) -> float:
    """Steps until it regrows, on average."""
    return 1.0 / chance


def owed(income: float, edges: Sequence[float], rates: Sequence[float]) -> float:
    """What an income owes, bracket by bracket."""
    tops = [*edges[1:], math.inf]
    return sum(max(0.0, min(income, top) - low) * rate for low, top, rate in zip(edges, tops, rates, strict=True))


def settle(
    incomes: Sequence[int], edges: Sequence[int], rates: Sequence[int], treasury: int
) -> tuple[list[int], int, int]:
    """Taxes in cents at rates in basis points, the rebate a head, and what stays, when everybody can pay."""
    tops: list[int | None] = [*edges[1:], None]
    taxes = []
    for z in incomes:
        parts = (max(0, (z if t is None else min(z, t)) - e) * r for e, t, r in zip(edges, tops, rates, strict=True))
        taxes.append(sum(parts) // 10_000)
    pot = sum(taxes) + treasury
    return taxes, pot // len(incomes), pot % len(incomes)


def entropy(counts: Sequence[float]) -> float:
    """The entropy of what somebody does, in nats: 0 for a specialist, and for who does nothing."""
    total = sum(counts)
    return -sum(c / total * math.log(c / total) for c in counts if c > 0) if total else 0.0
