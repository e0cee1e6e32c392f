"""The picture of exchange in pairs: what traders have, from the poorest to the richest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ludarium.envs.core.scene import Scene
from ludarium.envs.econ.games import chart

if TYPE_CHECKING:
    from ludarium.envs.econ.exchange.simulator import Exchange

__all__ = ["scene"]

_BARS = 24
"""Bars at most: of more traders every so many are shown."""


def scene(simulator: Exchange, state: Any, row: int) -> Scene:
    """A bar a trader: money, or units of the good."""
    c, cara = simulator.config, simulator.config.kind == "cara"
    held = (state.units if cara else state.cash)[row]
    order = np.argsort(held, kind="stable")
    shown = order[np.linspace(0, len(order) - 1, min(_BARS, len(order))).astype(np.int64)]
    what = "units" if cara else "money"
    figures = simulator.metrics(state)
    return chart(
        [(str(int(i)), float(held[i]), f"accent.{int(i) % 8 + 1}") for i in shown],
        most=float(max(held.max(), 1)),
        lines=(("mean", float(held.mean())),),
        caption=f"Step {int(state.t[row])} of {c.max_steps}: {what} of traders, poorest first; "
        f"{float(figures['trades'][row]):.1f} transfers a step",
        values={"gini": float(figures["gini"][row]), "turnover": float(figures["turnover"][row])},
    )
