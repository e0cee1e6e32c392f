"""The picture of the tax economy: who earns what, what he keeps, and the schedule above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ludarium.envs.core.scene import Label, Line, Rect, Scene
from ludarium.envs.econ.tax.measures import incomes_of, taxes_of
from ludarium.envs.econ.tax.state import State

if TYPE_CHECKING:
    from ludarium.envs.econ.tax.simulator import Tax

__all__ = ["scene"]

BARS = 40
"""Bars of the distribution: equal parts of the workers, from the lowest wage to the highest."""
WIDTH, HEIGHT = 24.0, 14.0
LEFT, PLOT, FLOOR, BAND, TOP = 2.0, 20.0, 12.5, 6.0, 5.5


def scene(simulator: Tax, state: State, row: int) -> Scene:
    """Shapes of one row: marginal rates by bracket above, mean incomes of equal parts of the workers below."""
    income = incomes_of(simulator, state)[row] / 100.0
    tax = taxes_of(simulator, state)[row] / 100.0
    rates = [float(rate) / 100.0 for rate in state.rates[row]]
    order = np.argsort(state.wage[row], kind="stable")
    parts = [part for part in np.array_split(order, min(BARS, len(order))) if len(part)]
    means = [(float(income[part].mean()), float(tax[part].mean())) for part in parts]
    high = max(max(mean for mean, _ in means), 2.0 * float(state.median_income[row]) / 100.0, 1.0)
    shapes: list[Rect | Line | Label] = []
    step = PLOT / len(means)
    for n, (mean, owed) in enumerate(means):
        x, tall, taken = LEFT + n * step, BAND * mean / high, BAND * owed / high
        shapes.append(Rect(x + 0.05 * step, FLOOR - tall, 0.9 * step, tall - taken, "accent.1", f"kept{n}",
                           title=f"mean income {mean:,.0f}, tax {owed:,.0f}"))  # fmt: skip
        shapes.append(Rect(x + 0.05 * step, FLOOR - taken, 0.9 * step, taken, "accent.2", f"tax{n}"))
    wide = PLOT / len(rates)
    for j, rate in enumerate(rates):
        x, y = LEFT + j * wide, TOP - 4.0 * rate / 100.0
        shapes.append(Line(((x + 0.05, y), (x + wide - 0.05, y)), 0.12, "path", f"rate{j}"))
        shapes.append(Label(x + wide / 2, y - 0.2, f"{rate:g} %", 0.45, id=f"rate_label{j}"))
    money = 100.0 if simulator.config.utility == "quasilinear" and simulator.config.swf != "legacy" else 1.0
    welfare = float(state.welfare[row]) / money
    revenue = float(state.revenue[row]) / 100.0 / simulator.config.n_workers
    background: list[Line | Label] = [
        Line(((LEFT, FLOOR), (LEFT + PLOT, FLOOR)), 0.05, "text"),
        Line(((LEFT, TOP), (LEFT + PLOT, TOP)), 0.05, "text"),
        Label(LEFT, 13.3, "workers from the lowest wage to the highest: income kept, and tax", 0.45, "start"),
        Label(LEFT, 0.8, "marginal rate by bracket", 0.45, "start"),
    ]
    background += [
        Label(LEFT + (j + 0.05) * wide, TOP + 0.55, f"{edge:,.0f}", 0.38, "start")
        for j, edge in enumerate(simulator.config.edges)
    ]
    caption = (
        f"Step {int(state.t[row])} of {simulator.config.max_steps}, year {int(state.year[row])}: welfare {welfare:,.2f}, "
        f"revenue {revenue:,.2f} a head"
    )
    words = "\n".join([caption, "rates: " + ", ".join(f"{rate:g} %" for rate in rates),
                       "income by part of the workers: " + ", ".join(f"{mean:,.0f}" for mean, _ in means)])  # fmt: skip
    return Scene(
        WIDTH, HEIGHT, tuple(background), tuple(shapes), caption, {"welfare": welfare, "revenue": revenue}, words
    )
