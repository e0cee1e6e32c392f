"""The tax engine that the worlds share: brackets, rates, and what is owed, in integers.

Money is int64 in minor units (cents), rates are basis points. The last bracket has no upper edge. What is owed is exact
up to one floor: the cumulative table is kept in ten thousandths of a cent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel
from ludarium.envs.core.errors import BadBracketsError
from ludarium.envs.econ.brackets import (
    BRACKETS,
    CENTS,
    MAX_BRACKETS,
    MAX_EDGE,
    POINTS,
    US2024_RATES,
    basis_points,
    check_edges,
)

__all__ = [
    "BRACKETS", "CENTS", "MAX_BRACKETS", "MAX_EDGE", "POINTS", "US2024_RATES", "Schedule", "basis_points", "bracket_of",
    "check_edges", "cumulate", "share_out", "tax_of",
]  # fmt: skip


class Schedule(NamedTuple):
    """A tax schedule: lower edges int64[K] in cents, rates int64[K] in basis points, and its cumulative table int64[K].

    `base[j]` is what is owed at edge j, in ten thousandths of a cent.
    """

    edges: NDArray[np.int64]
    rates: NDArray[np.int64]
    base: NDArray[np.int64]

    @classmethod
    def of(cls, edges: Sequence[Any], rates: Iterable[Any]) -> Schedule:
        """A schedule from edges in units of money and rates as fractions, both checked."""
        given = list(rates)
        if len(given) != len(edges):
            raise BadBracketsError(f"{len(given)} rates for {len(edges)} brackets; expected one rate a bracket")
        low = np.array([math.floor(edge * CENTS + 0.5) for edge in check_edges(edges)], np.int64)
        made = cls(
            low, np.array([basis_points(r, f"rate {j}") for j, r in enumerate(given)], np.int64), np.zeros_like(low)
        )
        cumulate(*made)
        return made

    def tax(self, income: NDArray[np.int64]) -> NDArray[np.int64]:
        """What each income owes, int64 cents."""
        out = np.empty(len(income), np.int64)
        _taxes(np.ascontiguousarray(income, np.int64), *self, out)
        return out


@kernel
def cumulate(edges: NDArray[np.int64], rates: NDArray[np.int64], base: NDArray[np.int64]) -> None:
    """Write what is owed at each edge, in ten thousandths of a cent (`base` int64[K])."""
    base[0] = 0
    for j in range(1, edges.shape[0]):
        base[j] = base[j - 1] + (edges[j] - edges[j - 1]) * rates[j - 1]


@kernel
def bracket_of(income: int, edges: NDArray[np.int64]) -> int:
    """The bracket in which the next cent would fall."""
    j = edges.shape[0] - 1
    while j > 0 and income < edges[j]:
        j -= 1
    return j


@kernel
def tax_of(income: int, edges: NDArray[np.int64], rates: NDArray[np.int64], base: NDArray[np.int64]) -> int:
    """What an income in cents owes, rounded down to the cent (0 for what is not above 0)."""
    if income <= 0:
        return 0
    j = edges.shape[0] - 1
    while j > 0 and income < edges[j]:
        j -= 1
    return (base[j] + (income - edges[j]) * rates[j]) // 10_000


@kernel
def _taxes(
    income: NDArray[np.int64],
    edges: NDArray[np.int64],
    rates: NDArray[np.int64],
    base: NDArray[np.int64],
    out: NDArray[np.int64],
) -> None:
    for i in range(income.shape[0]):
        out[i] = tax_of(income[i], edges, rates, base)


@kernel
def share_out(revenue: int, treasury: int, heads: int) -> tuple[int, int]:
    """An equal rebate a head of all that is there, rounded down, and what stays in the treasury."""
    pot = revenue + treasury
    rebate = pot // heads
    return rebate, pot - rebate * heads
