"""What no play of an economy can pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.econ.tax.state import State

if TYPE_CHECKING:
    from ludarium.envs.econ.tax.simulator import Tax

__all__ = ["bounds", "most_welfare"]

_ROUNDING = 1.0
"""Cents a head by which rounded costs may be below exact ones, and more."""


def most_welfare(
    wage: NDArray[np.float64], k: NDArray[np.float64], d: float, hours: float, weight: NDArray[np.float64]
) -> float:
    """An upper bound of sum(g u) / N, weights of mean 1, over all hours and all taxes from 0 to the whole income.

    Rebates are equal, so a cent of tax counts 1 wherever it comes from, and a cent that is kept counts g: the most that a
    worker adds is max(1, g) z - g k l**d, at the hours where its slope is 0, or all there are. Attained where every worker
    can be taxed by himself.
    """
    worth = np.maximum(weight, 1.0) * wage
    best = np.minimum((worth / (weight * k * d)) ** (1.0 / (d - 1.0)), hours)
    return float((worth * best - weight * k * best**d).mean())


def bounds(simulator: Tax, state: State, row: int) -> dict[str, float]:
    """Of `productivity`, and of `welfare` where workers are quasi-linear, welfare is a weighted sum and nobody can be fined."""
    config = simulator.config
    wage = state.wage[row].astype(np.float64)
    found = {"productivity": float(wage.mean()) * config.hours_max / 100.0}
    weighted = config.swf in ("inverse", "uniform", "rank")
    if config.utility == "quasilinear" and weighted and not config.gaming and (state.weight[row] > 0).all():
        taste = simulator.tastes[state.person[row, :, 3]] if config.personas else 1.0
        k = np.broadcast_to(float(state.scale_k[row]) * taste, wage.shape)
        most = most_welfare(wage, k, config.d, float(config.hours_max), state.weight[row])
        found["welfare"] = (most + _ROUNDING) / 100.0
    return found
