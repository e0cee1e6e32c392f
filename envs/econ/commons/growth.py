"""How a stock grows back, as a table over what is left of it: whole numbers, exact on every machine."""

from __future__ import annotations

import functools
import math

__all__ = ["GROWTH", "POINTS", "growth_table", "sustainable_table"]

GROWTH = ("doubling", "logistic", "power", "inflow")
POINTS = 10_000
"""Rates are kept in such parts of 1."""


def _root(value: int, degree: int, high: int) -> int:
    """The largest x of 0..high with x ** degree <= value."""
    low = 0
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**degree <= value else (low, middle - 1)
    return low


@functools.lru_cache(maxsize=64)
def growth_table(kind: str, cap: int, rate: int, exponent: int) -> tuple[int, ...]:
    """The stock of the next round for each stock that is left, 0..cap: divisions floor, and `cap` is the most.

    `rate` is in parts of `POINTS`, `exponent` in hundredths. With y left: doubling y + rate y; logistic
    y + rate y (1 - y / cap); power cap (y / cap) ** exponent (Levhari and Mirman 1980, in shares of `cap`); inflow
    y + rate cap / 2.
    """
    if kind == "doubling":
        found = [y + rate * y // POINTS for y in range(cap + 1)]
    elif kind == "logistic":
        found = [y + rate * y * (cap - y) // (POINTS * cap) for y in range(cap + 1)]
    elif kind == "inflow":
        found = [y + rate * cap // (2 * POINTS) for y in range(cap + 1)]
    else:  # x ** 100 <= cap ** (100 - exponent) * y ** exponent, in lowest terms and without a float
        part = math.gcd(exponent, 100)
        power, degree = exponent // part, 100 // part
        found = [_root(cap ** (degree - power) * y**power, degree, cap) for y in range(cap + 1)]
    return tuple(min(x, cap) for x in found)


def sustainable_table(grow: tuple[int, ...], threshold: int) -> tuple[int, ...]:
    """The most that can be taken of each stock so that it grows back to what it was (0 where it cannot)."""
    found, least = [], threshold
    for x in range(len(grow)):
        while least < x and grow[least] < x:
            least += 1
        found.append(max(x - least, 0))
    return tuple(found)
