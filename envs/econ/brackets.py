"""Brackets and rates as plain numbers, and their checks: what a config needs, without the compiler."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ludarium.envs.core.errors import BadBracketsError, ConfigError, NonFiniteError, RateRangeError

__all__ = [
    "BRACKETS", "CENTS", "MAX_BRACKETS", "MAX_EDGE", "POINTS", "US2024_RATES", "basis_points", "check_edges", "check_rate_step",
]  # fmt: skip

CENTS = 100
"""Minor units of one unit of money."""
POINTS = 10_000
"""Basis points of one."""
MAX_BRACKETS = 16
MAX_EDGE = 10**12
"""The highest edge, in units of money: what is owed then fits int64."""

BRACKETS: dict[str, tuple[int, ...]] = {
    "flat": (0,),
    "three": (0, 90_000, 159_100),
    "us2018": (0, 9_700, 39_475, 84_200, 160_725, 204_100, 510_300),
    "us2024": (0, 11_600, 47_150, 100_525, 191_950, 243_725, 609_350),
}
"""Lower edges of the brackets, in units of money a year (single filers)."""
US2024_RATES = (0.10, 0.12, 0.22, 0.24, 0.32, 0.35, 0.37)


def check_edges(edges: Sequence[Any]) -> tuple[float, ...]:
    """The lower edges of brackets as finite numbers; `BadBracketsError` unless they begin at 0 and rise."""
    if not 1 <= len(edges) <= MAX_BRACKETS:
        raise BadBracketsError(f"{len(edges)} brackets; expected 1 to {MAX_BRACKETS} lower edges, the first of them 0")
    for j, edge in enumerate(edges):
        if isinstance(edge, bool) or not isinstance(edge, int | float | np.integer | np.floating):
            raise BadBracketsError(f"edge {j} is {edge!r}; expected a number, the lower edge of a bracket")
        if not math.isfinite(edge):
            raise NonFiniteError(f"edge {j} is {edge}; the last bracket has no upper edge, so leave infinity out")
    if edges[0] != 0:
        raise BadBracketsError(f"the first edge is {edges[0]}; expected 0: begin the list with 0")
    for j in range(1, len(edges)):
        if not edges[j] > edges[j - 1]:
            raise BadBracketsError(f"edge {j} is {edges[j]} after {edges[j - 1]}; edges must rise: sort them")
    if edges[-1] > MAX_EDGE:
        raise BadBracketsError(f"the last edge is {edges[-1]}; expected at most {MAX_EDGE}")
    return tuple(float(edge) for edge in edges)


def basis_points(rate: Any, where: str = "rate") -> int:
    """A rate (a fraction from 0 to 1) in basis points, the nearest one; `RateRangeError` if it is none."""
    if isinstance(rate, bool) or not isinstance(rate, int | float | np.integer | np.floating):
        raise RateRangeError(f"{where} = {rate!r}; expected a fraction from 0 to 1")
    if not math.isfinite(rate):
        raise NonFiniteError(f"{where} = {rate}; expected a fraction from 0 to 1")
    if rate > 1:
        hint = f"{rate:g} looks like a percentage; use {rate / 100:g}" if rate <= 100 else "use a fraction"
        raise RateRangeError(f"{where} = {rate:g}; expected a fraction from 0 to 1: {hint}")
    if rate < 0:
        raise RateRangeError(f"{where} = {rate:g}; expected a fraction from 0 to 1: subsidies are no rates")
    return math.floor(float(rate) * POINTS + 0.5)


def check_rate_step(step: Any) -> None:
    """Raise `ConfigError` unless rates of this distance are whole basis points and end at 1."""
    points = basis_points(step, "rate_step")
    if points < 1 or POINTS % points:
        raise ConfigError(f"rate_step = {step}; expected a part of 1 in whole basis points, such as 0.05")
