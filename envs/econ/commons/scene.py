"""The picture of the commons: the stock before each harvest as a line, and what each took of it as stacked bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ludarium.envs.core.scene import Label, Line, Rect, Scene, Shape

if TYPE_CHECKING:
    from ludarium.envs.econ.commons.simulator import Commons

__all__ = ["scene"]

_HEIGHT, _WIDTH = 10.0, 20.0
_STYLES = tuple(f"accent.{k}" for k in range(1, 7))


def scene(simulator: Commons, state: Any, row: int) -> Scene:
    """Shapes of one row of a state."""
    c, steps = simulator.scalars, int(state.survived[row])
    first = max(0, steps - c.path)
    wide = _WIDTH / c.path
    shapes: list[Shape] = []
    points = []
    for r in range(first, steps):
        place, x = r % c.path, 1.5 + (r - first) * wide
        points.append((x + wide / 2, _y(int(state.path[row, place]), c.cap)))
        shapes += _bars(simulator, state, row, place, x, wide)
    if not state.over[row] and steps - first < c.path:
        points.append((1.5 + (steps - first + 0.5) * wide, _y(int(state.stock[row]), c.cap)))
    if len(points) > 1:
        shapes.append(Line(tuple(points), 0.12, "path", title="stock before each harvest"))
    limit = _y(c.threshold, c.cap)
    background: tuple[Shape, ...] = (
        Rect(1.5, 1.0, _WIDTH, _HEIGHT, "floor"),
        Line(((1.5, limit), (1.5 + _WIDTH, limit)), 0.05, "text.muted", title="less than this: all is lost"),
        Label(1.3, 1.5, str(c.cap), 0.5, "end", "text.muted"), Label(1.3, 1.0 + _HEIGHT, "0", 0.5, "end", "text.muted"),
    )  # fmt: skip
    total, now = int(state.total[row].sum()), min(int(state.round[row]) + 1, c.rounds)
    return Scene(
        _WIDTH + 3, _HEIGHT + 2, background=background, shapes=tuple(shapes),
        caption=f"Round {now} of {c.rounds}: {int(state.stock[row])} there, {total} harvested",
        values={"stock": float(state.stock[row]), "harvested": float(total)},
    )  # fmt: skip


def _y(amount: float, cap: int) -> float:
    return 1.0 + _HEIGHT * (1.0 - amount / cap)


def _bars(simulator: Commons, state: Any, row: int, place: int, x: float, wide: float) -> list[Shape]:
    """What each took, one above the other."""
    below, bars, cap = 0, [], simulator.scalars.cap
    for i, got in enumerate(state.taken[row, place].tolist()):
        if got:
            y = _y(below + got, cap)
            high = _y(below, cap) - y
            title = f"harvester_{i}: {got}"
            bars.append(Rect(x + 0.1 * wide, y, 0.8 * wide, high, _STYLES[i % len(_STYLES)], title=title))
            below += got
    return bars  # type: ignore[return-value]  # a list of rectangles is a list of shapes
