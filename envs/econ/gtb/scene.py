"""The picture of gather, trade and build: the map with sources, houses and workers; coins and the tax schedule beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ludarium.envs.core.scene import Circle, Label, Line, Rect, Scene, Shape, Tiles
from ludarium.envs.econ.gtb.figures import coin_of, equalities
from ludarium.envs.econ.gtb.layout import CENTS, State

if TYPE_CHECKING:
    from ludarium.envs.econ.gtb.simulator import Gtb

__all__ = ["scene"]

SIDE = 12.0
"""Width of the panels beside the map."""
_SOURCES = ("accent.3", "accent.8", "accent.5", "accent.7")
BARS = 32


def scene(simulator: Gtb, state: State, row: int) -> Scene:
    """Shapes of one row: full sources are filled squares, empty ones small; houses carry their owner's number."""
    c = simulator.config
    height = float(max(c.height, 18))
    ground = state.ground[row].reshape(c.height, c.width)
    background: list[Shape] = [Tiles((ground == 1).astype(np.uint8), ("floor", "zone.pickup"))]
    shapes: list[Shape] = []
    for y, x in np.argwhere(ground >= 2).tolist():
        r, waits = int(ground[y, x]) - 2, int(state.ready_at[row, y * c.width + x])
        name = c.resources[r]
        size = 0.3 if waits else 0.7
        at = (1 - size) / 2
        shapes.append(
            Rect(x + at, y + at, size, size, _SOURCES[r], f"source{y}_{x}", "" if waits else name[0].upper(), name)
        )
    for cell in np.flatnonzero(state.owner[row]).tolist():
        y, x, who = cell // c.width, cell % c.width, int(state.owner[row, cell]) - 1
        shapes.append(Rect(x + 0.1, y + 0.1, 0.8, 0.8, "accent.2", f"house{cell}", str(who), f"house of worker {who}"))
    coin = coin_of(state)[row] / CENTS
    for i, (y, x) in enumerate(state.pos[row].tolist()):
        title = f"worker {i}: {coin[i]:.2f} coins, {int(state.done[row, i, 1])} houses"
        shapes.append(Circle(x + 0.5, y + 0.5, 0.38, "robot", f"worker{i}", str(i), title))
    left = c.width + 1.0
    shapes += _bars(state, row, coin, left)
    shapes += _schedule(simulator, state, row, left)
    equal = float(equalities(coin_of(state)[row : row + 1])[0])
    caption = (
        f"Step {int(state.t[row])} of {c.max_steps}: {coin.sum():.2f} coins, equality {equal:.2f}, "
        f"{int(state.houses[row])} houses, {int(state.trades[row].sum())} trades"
    )
    background += [
        Label(left, 1.0, "coins by worker, with bids", 0.5, "start"),
        Label(left, 10.0, "marginal rate by bracket", 0.5, "start"),
    ]
    values = {"productivity": float(coin.sum()), "equality": equal}
    return Scene(c.width + SIDE + 2.0, height, tuple(background), tuple(shapes), caption, values)


def _bars(state: State, row: int, coin: np.ndarray, left: float) -> list[Shape]:
    """Coins, richest first where they are too many to show all."""
    held = state.held_cash[row] / CENTS
    shown = range(len(coin)) if len(coin) <= BARS else np.argsort(-coin, kind="stable")[:BARS].tolist()
    wide, high = SIDE / max(len(shown), 1), max(float(coin.max()), 1.0)
    found: list[Shape] = [Line(((left, 8.5), (left + SIDE, 8.5)), 0.05, "text")]
    for n, i in enumerate(shown):
        tall, part = 6.5 * float(coin[i]) / high, 6.5 * float(held[i]) / high
        x = left + n * wide + 0.05 * wide
        title = f"worker {i}: {coin[i]:.2f} coins"
        found.append(Rect(x, 8.5 - tall, 0.9 * wide, tall - part, "accent.1", f"coin{i}", title=title))
        found.append(Rect(x, 8.5 - part, 0.9 * wide, part, "accent.4", f"held{i}", title=f"{held[i]:.2f} in bids"))
    return found


def _schedule(simulator: Gtb, state: State, row: int, left: float) -> list[Shape]:
    rates = [rate / 100.0 for rate in state.rates[row].tolist()]
    wide = SIDE / len(rates)
    found: list[Shape] = [Line(((left, 16.5), (left + SIDE, 16.5)), 0.05, "text")]
    for j, (rate, edge) in enumerate(zip(rates, simulator.edges.tolist(), strict=True)):
        x, y = left + j * wide, 16.5 - 5.0 * rate / 100.0
        found.append(Line(((x + 0.05, y), (x + wide - 0.05, y)), 0.12, "path", f"rate{j}"))
        found.append(Label(x + wide / 2, y - 0.2, f"{rate:g} %", 0.38, id=f"rate_label{j}"))
        found.append(Label(x, 17.1, f"{edge / CENTS:g}", 0.38, "start", "text.muted"))
    return found
