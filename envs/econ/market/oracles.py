"""Closed forms and exact values that market worlds are held against; pure functions, no state."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

__all__ = [
    "Equilibrium", "Kyle", "bubble", "fundamental_values", "induced_equilibrium", "kyle", "maximum_surplus", "smiths_alpha",
]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Equilibrium:
    """Where sorted demand and supply cross: prices `low` to `high` clear `quantity` units for `surplus` in all."""

    quantity: int
    low: float
    high: float
    surplus: float

    @property
    def price(self) -> float:
        """The middle of the tunnel of equilibrium prices."""
        return (self.low + self.high) / 2


def induced_equilibrium(values: Sequence[float], costs: Sequence[float]) -> Equilibrium:
    """The competitive equilibrium of induced values (Smith 1962): buyers' values and sellers' costs, unit by unit.

    Units whose value equals their cost are traded. Without any gain from trade the quantity is 0, and the tunnel lies
    between the highest value and the lowest cost. Both sides need a unit.
    """
    demand, supply = sorted(values, reverse=True), sorted(costs)
    quantity = sum(1 for v, c in zip(demand, supply, strict=False) if v >= c)
    inside, outside = slice(None, quantity), slice(quantity, quantity + 1)
    low = max([*supply[inside][-1:], *demand[outside]])
    high = min([*demand[inside][-1:], *supply[outside]], default=math.inf)
    if quantity == 0:
        low, high = demand[0], supply[0]
    return Equilibrium(quantity, low, high, float(sum(demand[inside]) - sum(supply[inside])))


def maximum_surplus(worth: Sequence[Sequence[float]], stock: Sequence[int]) -> float:
    """The gains from trade of an efficient allocation: `worth[i][k]` is what the k-th unit held is worth to i, descending.

    All units go to whom they are worth most; what they were worth to their first owners is taken off.
    """
    best = sorted((value for row in worth for value in row), reverse=True)[: sum(stock)]
    return float(sum(best) - sum(sum(row[:units]) for row, units in zip(worth, stock, strict=True)))


def fundamental_values(periods: int, dividends: Sequence[float], terminal: float = 0.0) -> tuple[float, ...]:
    """What a share is worth at the beginning of each period: mean dividends still to come, and its last value.

    Smith, Suchanek and Williams (1988): V_t = E[d] (T - t + 1); with d in {0, 8, 28, 60} and T = 15, 360 falling by 24.
    """
    mean = sum(dividends) / len(dividends)
    return tuple(mean * (periods - t) + terminal for t in range(periods))


def bubble(prices: Sequence[float], values: Sequence[float]) -> tuple[float, int]:
    """Amplitude and duration of a bubble from mean prices of periods (NaN: no trade) and fundamental values.

    Amplitude is max - min of (P_t - V_t) / V_1; duration the longest run of periods in which P_t - V_t grows
    (King, Smith, Williams, Van Boening 1993).
    """
    off = [price - value for price, value in zip(prices, values, strict=True) if not math.isnan(price)]
    if not off:
        return 0.0, 0
    run = longest = 0
    for before, after in itertools.pairwise(off):
        run = run + 1 if after > before else 0
        longest = max(longest, run)
    return (max(off) - min(off)) / values[0], longest


def smiths_alpha(prices: Sequence[float], equilibrium: float) -> float:
    """The root of the mean squared distance of trades' prices from the equilibrium, in per cent of it (Smith 1962)."""
    if not prices:
        return 0.0
    return 100 * math.sqrt(sum((price - equilibrium) ** 2 for price in prices) / len(prices)) / equilibrium


@dataclasses.dataclass(frozen=True)
class Kyle:
    """The equilibrium of one auction of Kyle (1985)."""

    impact: float
    """lambda: what one unit of order flow adds to the price"""
    intensity: float
    """beta: units that the insider orders for each unit by which the value exceeds its mean"""
    profit: float
    """the insider's expected profit"""
    revealed: float
    """the share of the value's variance that the price reveals"""


def kyle(sigma_value: float, sigma_noise: float) -> Kyle:
    """The linear equilibrium of one auction: lambda = s_v / (2 s_u), beta = s_u / s_v; half of the variance is revealed."""
    return Kyle(sigma_value / (2 * sigma_noise), sigma_noise / sigma_value, sigma_value * sigma_noise / 2, 0.5)
