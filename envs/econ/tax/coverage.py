"""The start-up check: whether units, wages, hours and brackets fit each other.

A population whose workers all stand at the limit of hours has no elasticity, and a bracket that nobody reaches cannot be
taxed: both were found in published work, unnoticed.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ludarium.envs.core.errors import UncoveredBracketError

if TYPE_CHECKING:
    from ludarium.envs.econ.tax.simulator import Tax

__all__ = ["Coverage", "coverage", "warn"]

MOST_AT_CORNER = 0.5
PLACES = 1001


class Coverage(NamedTuple):
    """Shares of the workers by untaxed best response, at 1,001 quantiles of the population."""

    reached: tuple[float, ...]
    """Of workers whose untaxed income is in each bracket."""
    corner: float
    """Of workers who stand at the limit of hours."""
    median_hours: float


def coverage(simulator: Tax) -> Coverage:
    """Count untaxed best responses by bracket and at the corner."""
    from ludarium.envs.econ.tax.config import TaxConfig
    from ludarium.envs.econ.tax.reset import reference_incomes

    config: TaxConfig = simulator.config
    given = config.replace(
        n_workers=config.n_workers if config.incomes else PLACES, grouped="auto" if config.incomes else "no",
        drawn="quantile", personas=False, legacy=False,
    )  # fmt: skip
    probe = type(simulator)._unchecked(given)
    state = probe.new(1)
    probe.reset(state, np.ones(1, np.bool_), np.zeros(1, np.int64), np.full(1, -1, np.int32))
    count = given.n_workers
    incomes = np.empty(count)
    reference_incomes(state, probe.scalars, 0, probe.tastes, incomes)
    hours = incomes / state.wage[0]
    inside = np.searchsorted(simulator.edges, incomes, side="right") - 1
    reached = np.bincount(inside, minlength=len(simulator.edges)) / count
    corner = float((hours > config.hours_max - 1e-6).mean())
    return Coverage(tuple(reached.tolist()), corner, float(np.median(hours)))


def warn(simulator: Tax) -> None:
    """Say what does not fit; `UncoveredBracketError` under a strict config."""
    config = simulator.config
    if config.legacy and not config.strict:
        return  # whose constants are known not to fit
    found = simulator.covered
    trouble = []
    if found.corner > MOST_AT_CORNER:
        trouble.append(
            f"{found.corner:.0%} of the workers would work all of hours_max = {config.hours_max} hours untaxed, so taxes "
            "hardly move them; use k = 'median_40h', or more hours"
        )
    empty = [j for j, share in enumerate(found.reached) if share == 0.0]
    if empty and (config.strict or len(empty) == len(found.reached) - 1 > 0):
        trouble.append(
            f"no untaxed worker is in bracket {', '.join(map(str, empty))} of the edges {config.edges}; check hours_per, "
            "income_per and wages, or the edges"
        )
    if trouble and config.strict:
        raise UncoveredBracketError("; ".join(trouble))
    if trouble:
        warnings.warn("; ".join(trouble), stacklevel=5)
