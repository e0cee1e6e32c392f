"""The kinds of population and what they need, as plain numbers: what a config needs, without the compiler."""

from __future__ import annotations

import math

from ludarium.envs.core.errors import PopulationError

__all__ = ["DRAWN", "GB2", "KINDS", "MAX_WAGE", "check_incomes"]

GB2 = (72402.7818, 2.0721071, 0.4865187, 1.1410399)
"""mu, sigma, nu, tau of incomes: F(x) = I_v(nu, tau), v = y / (1 + y), y = (x / mu) ** sigma."""
KINDS = ("gb2", "pareto", "lognormal", "uniform", "array")
DRAWN = ("quantile", "stratified", "sampled")
MAX_WAGE = 10**9
"""The highest wage, in cents a year for each weekly hour."""


def check_incomes(incomes: tuple[float, ...]) -> None:
    """Raise `PopulationError` unless there is somebody, and everybody's income is a finite number above 0."""
    if not incomes:
        raise PopulationError("a population of nobody; expected at least one income")
    for i, income in enumerate(incomes):
        number = isinstance(income, int | float) and not isinstance(income, bool) and math.isfinite(income)
        if not number or income <= 0:
            raise PopulationError(f"income {i} is {income!r}; expected a finite number above 0")
