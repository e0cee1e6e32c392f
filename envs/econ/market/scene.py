"""The picture of the market: depth by price on the left, the path of prices on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ludarium.envs.core.scene import Label, Line, Rect, Scene, Shape
from ludarium.envs.econ.market.oracles import fundamental_values

if TYPE_CHECKING:
    from ludarium.envs.econ.market.simulator import Market

__all__ = ["scene"]

_HEIGHT, _DEPTH, _PATH = 10.0, 6.0, 14.0
_BARS = 60
"""Bars of depth at most; levels next to each other share one where there are more."""


def scene(simulator: Market, state: Any, row: int) -> Scene:
    """Shapes of one row of a state, one panel below the other for each instrument."""
    p, markets = simulator.plan, simulator.scalars.markets
    shapes: list[Shape] = []
    background: list[Shape] = []
    for m in range(markets):
        top = m * (_HEIGHT + 1.5) + 1
        background += [Rect(0.5, top, _DEPTH, _HEIGHT, "floor"), Rect(1 + _DEPTH, top, _PATH, _HEIGHT, "floor")]
        low, high = _window(simulator, state, row, m)
        background.append(Label(0.5, top - 0.3, p.instruments[m], 0.7, "start"))
        shapes += _depth(state, row, m, top, low, high)
        shapes += _path(simulator, state, row, m, top, low, high)
        for level, y in ((high, top + 0.5), (low, top + _HEIGHT - 0.1)):
            shapes.append(Label(1.2 + _DEPTH, y, str(p.low + level * p.tick), 0.45, "start", "text.muted"))
    last = int(state.last[row, 0])
    price = p.low + last * p.tick if last >= 0 else None
    told = f"last trade at {price}" if price is not None else "no trade yet"
    return Scene(
        _DEPTH + _PATH + 1.5,
        markets * (_HEIGHT + 1.5) + 0.5,
        background=tuple(background),
        shapes=tuple(shapes),
        caption=f"Step {int(state.t[row])} of {simulator.config.max_steps}: {told}, {int(state.trades[row].sum())} trades",
        values={"price": float(price or 0), "volume": float(state.volume[row].sum())},
    )


def _window(simulator: Market, state: Any, row: int, m: int) -> tuple[int, int]:
    """The levels that the picture shows: all that were traded at or have orders, with some room, and what it is worth."""
    seen = [int(state.reference[row, m]), *np.flatnonzero(state.depth[row, m].any(0)).tolist()]
    path = state.path[row, m]
    seen += path[path >= 0].tolist()
    low, high = max(min(seen) - 5, 0), min(max(seen) + 5, simulator.plan.levels - 1)
    return low, max(high, low + 1)


def _y(level: float, top: float, low: int, high: int) -> float:
    return top + _HEIGHT * (1 - (level - low + 0.5) / (high - low + 1))


def _depth(state: Any, row: int, m: int, top: float, low: int, high: int) -> list[Shape]:
    """Bars to the left for bids, to the right for asks."""
    group = -(-(high - low + 1) // _BARS)
    starts = np.arange(low, high + 1, group)
    sums = [np.add.reduceat(state.depth[row, m, side, low : high + 1], starts - low) for side in range(2)]
    most = max(1, int(max(part.max() for part in sums)))
    thick = _HEIGHT / (high - low + 1) * group
    middle, bars = 0.5 + _DEPTH / 2, []
    for side, style in ((0, "accent.1"), (1, "accent.2")):
        for start, total in zip(starts.tolist(), sums[side].tolist(), strict=True):
            if total:
                wide = (_DEPTH / 2 - 0.2) * total / most
                y = max(_y(start + group - 1, top, low, high) - thick / group / 2, top)
                x = middle - wide if side == 0 else middle
                title = f"{('bids', 'asks')[side]}: {total}"
                bars.append(Rect(x, y, wide, min(thick, top + _HEIGHT - y) * 0.9, style, title=title))
    return bars  # type: ignore[return-value]  # a list of rectangles is a list of shapes


def _path(simulator: Market, state: Any, row: int, m: int, top: float, low: int, high: int) -> list[Shape]:
    """Prices of the last steps, and what shares are worth, as a thin line."""
    steps, length = int(state.t[row]), state.path.shape[2]
    first = max(0, steps - length)
    span = max(simulator.config.max_steps if simulator.config.max_steps <= length else length, 2)

    def x(step: int) -> float:
        return 1 + _DEPTH + _PATH * (step - first + 0.5) / span

    shown = [(x(t), int(state.path[row, m, t % length])) for t in range(first, steps)]
    points = tuple((at, _y(level, top, low, high)) for at, level in shown if level >= 0)
    lines: list[Shape] = []
    if simulator.plan.kind == "asset":
        c, p = simulator.scalars, simulator.plan
        values = fundamental_values(c.periods, p.dividends[m], p.terminal[m])
        worth = [
            (x(t), (values[min(t // c.period_steps, c.periods - 1)] - p.low) / p.tick)
            for t in range(first, first + span)
        ]
        inside = tuple((at, _y(level, top, low, high)) for at, level in worth if low <= level <= high)
        if len(inside) > 1:
            lines.append(Line(inside, 0.05, "text.muted", title="what a share is worth"))
    if len(points) > 1:
        lines.append(Line(points, 0.12, "path", title="prices"))
    return lines
