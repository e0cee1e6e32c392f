"""Exact values and closed forms that the commons is held against; pure functions, no state."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "best_harvest", "best_quota", "clairvoyant", "fish_war", "fish_war_stock", "optimal_totals", "proportional",
    "quota_totals",
]  # fmt: skip


@functools.lru_cache(maxsize=64)
def optimal_totals(
    grow: tuple[int, ...], threshold: int, rounds: int, shock: float = 0.0, loss: int = 0
) -> NDArray[np.float64]:
    """The most that all together can harvest, float64[rounds + 1, cap + 1] by rounds left and stock.

    Backwards over rounds: V(x) = max over y <= x of x - y + V'(g(y)), without the second part where y, what is left, is
    below the threshold. A shock of chance `shock` takes floor(x loss / 10000) of the stock that has grown; then the
    values are expectations.
    """
    size = len(grow)
    grown = np.array(grow)
    hit = grown - grown * loss // 10_000
    values = np.zeros((rounds + 1, size))
    left = np.arange(size)
    for k in range(1, rounds + 1):
        later = (1.0 - shock) * values[k - 1][grown] + shock * values[k - 1][hit] if shock else values[k - 1][grown]
        worth = np.where(left >= threshold, later, 0.0) - left
        values[k] = left + np.maximum.accumulate(worth)
    values.flags.writeable = False
    return values


def best_harvest(
    values: NDArray[np.float64],
    grow: Sequence[int],
    threshold: int,
    left: int,
    stock: int,
    shock: float = 0.0,
    loss: int = 0,
) -> int:
    """The smallest harvest of a stock that is optimal with `left` rounds to go, this one included: `values` as above."""
    later = values[left - 1]
    for harvest in range(stock + 1):
        y = stock - harvest
        grown = grow[y]
        ahead = (1 - shock) * later[grown] + shock * later[grown - grown * loss // 10_000] if y >= threshold else 0.0
        if harvest + ahead >= values[left][stock] - 1e-9:
            return harvest
    return stock


@functools.lru_cache(maxsize=64)
def quota_totals(grow: tuple[int, ...], threshold: int, rounds: int, heads: int) -> NDArray[np.float64]:
    """As `optimal_totals`, where each of `heads` takes the same whole number of units, or what there is of it."""
    values = np.zeros((rounds + 1, len(grow)))
    for k in range(1, rounds + 1):
        later = np.where(np.arange(len(grow)) >= threshold, values[k - 1][np.array(grow)], 0.0)
        for x in range(len(grow)):
            taken = np.minimum(heads * np.arange(-(-x // heads) + 1), x)
            values[k, x] = (taken + later[x - taken]).max()
    values.flags.writeable = False
    return values


def _later(values: NDArray[np.float64], grow: Sequence[int], threshold: int, y: int) -> float:
    return float(values[grow[y]]) if y >= threshold else 0.0


def best_quota(
    values: NDArray[np.float64], grow: Sequence[int], threshold: int, left: int, stock: int, heads: int
) -> int:
    """The smallest quota that is optimal under `quota_totals`, if all take as much as it allows."""
    for quota in range(-(-stock // heads) + 1):
        taken = min(heads * quota, stock)
        if taken + _later(values[left - 1], grow, threshold, stock - taken) >= values[left][stock] - 1e-9:
            return quota
    return -(-stock // heads)


def clairvoyant(grow: Sequence[int], threshold: int, first: int, hits: Sequence[bool], loss: int) -> int:
    """The most that can be harvested by who knows which rounds are hit: `hits[r]` after the harvest of round r."""
    grown = np.array(grow)
    left = np.arange(len(grown))
    values = np.zeros(len(grown), np.int64)
    for hit in reversed(hits):
        later = values[grown - grown * loss // 10_000] if hit else values[grown]
        values = left + np.maximum.accumulate(np.where(left >= threshold, later, 0) - left)
    return int(values[first])


def proportional(wants: Sequence[int], stock: int, ties: Sequence[int]) -> list[int]:
    """Shares of a stock in proportion to wants, by largest remainder; equal remainders in the order of `ties`.

    All get what they want where there is enough.
    """
    total = sum(wants)
    if total <= stock:
        return list(wants)
    shares = [want * stock // total for want in wants]
    order = sorted(range(len(wants)), key=lambda i: (-(wants[i] * stock % total), ties[i]))
    for i in order[: stock - sum(shares)]:
        shares[i] += 1
    return shares


def fish_war(alpha: float, beta: float, players: int) -> tuple[float, float]:
    """Shares of the stock that are taken in the great fish war: by each in Nash equilibrium, and by all who cooperate.

    x' = (x - C) ** alpha, utility log c, discount factor beta (Levhari and Mirman 1980): (1 - ab) / (n - (n - 1) ab) for
    each, and 1 - ab in all.
    """
    ab = alpha * beta
    return (1 - ab) / (players - (players - 1) * ab), 1 - ab


def fish_war_stock(alpha: float, share: float) -> float:
    """The stock at which the great fish war comes to rest if this share of it is taken in every round."""
    return float((1 - share) ** (alpha / (1 - alpha)))
