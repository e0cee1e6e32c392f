"""Drawings on pages: SVG without styles of its own, which a strict content policy permits and the page's colours reach.

A drawing repeats figures that stand beside it in a table. Agents differ by number, mark and dashes as well as by colour.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from ludarium.leaderboards.stats import Interval, Profile
from ludarium.leaderboards.table import number

__all__ = ["Point", "bar", "key", "mark", "profile_plot", "scatter", "span_of"]

SERIES = 8
_DASHES = ("", "9 4", "2 3", "9 3 2 3", "5 3", "14 4", "7 2 2 2 2 2", "3 5")
_WIDTH, _HEIGHT = 640, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 20, 12, 46


class Point(NamedTuple):
    """An agent in a scatter plot."""

    label: str
    """A number, shown beside the mark."""
    x: float
    y: Interval


def _markup(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)


def _shape(place: int, x: float, y: float, r: float) -> str:
    """One of eight marks."""
    series = place % SERIES
    style = f'class="s{series + 1}"'
    if series == 0:
        return f'<circle {style} cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}"/>'
    if series == 1:
        return f'<rect {style} x="{x - r:.1f}" y="{y - r:.1f}" width="{2 * r:.1f}" height="{2 * r:.1f}"/>'
    corners = {
        2: ((0, -1.2), (1.1, 0.9), (-1.1, 0.9)), 3: ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
        4: ((0, 1.2), (1.1, -0.9), (-1.1, -0.9)), 5: ((-1.2, 0), (0.9, -1.1), (0.9, 1.1)),
        6: ((1.2, 0), (-0.9, -1.1), (-0.9, 1.1)),
        7: ((-0.45, -1.2), (0.45, -1.2), (0.45, -0.45), (1.2, -0.45), (1.2, 0.45), (0.45, 0.45), (0.45, 1.2), (-0.45, 1.2),
            (-0.45, 0.45), (-1.2, 0.45), (-1.2, -0.45), (-0.45, -0.45)),
    }[series]  # fmt: skip
    points = " ".join(f"{x + dx * r:.1f},{y + dy * r:.1f}" for dx, dy in corners)
    return f'<polygon {style} points="{points}"/>'


def mark(place: int) -> Any:
    """The mark of the agent at a place (from 0), for a legend or a table."""
    return _markup(
        f'<svg class="mark" viewBox="0 0 16 16" aria-hidden="true" focusable="false">{_shape(place, 8, 8, 5)}</svg>'
    )


def key(place: int) -> Any:
    """The line of the agent at a place (from 0), for a legend."""
    return _markup(
        '<svg class="key" viewBox="0 0 36 16" aria-hidden="true" focusable="false">'
        f'<line class="line l{place % SERIES + 1}" stroke-width="3" x1="0" x2="36" y1="8" y2="8"{_dashes(place)}/></svg>'
    )


def _dashes(place: int) -> str:
    dashes = _DASHES[(place + place // SERIES) % SERIES]
    return f' stroke-dasharray="{dashes}"' if dashes else ""


def span_of(found: Sequence[Interval]) -> tuple[float, float]:
    """The axis that all the intervals fit on."""
    low = min((i.low for i in found), default=0.0)
    high = max((i.high for i in found), default=1.0)
    room = (high - low) * 0.03 or max(abs(high), 1.0) * 0.03
    return low - room, high + room


def bar(found: Interval, axis: tuple[float, float]) -> Any:
    """An interval and its estimate on an axis that the rows of a table share."""
    low, high = axis
    place = [100 * (value - low) / (high - low) for value in found]
    return _markup(
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<line class="axis" x1="0" x2="100" y1="5" y2="5"/>'
        f'<rect class="span" x="{place[1]:.2f}" width="{max(place[2] - place[1], 0.4):.2f}" y="2" height="6"/>'
        f'<line class="mean" x1="{place[0]:.2f}" x2="{place[0]:.2f}" y1="0.5" y2="9.5"/></svg>'
    )


# --- plots -------------------------------------------------------------------------------------------------------------
def _ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from `low` to `high`."""
    raw = (high - low) / most
    scale = 10.0 ** math.floor(math.log10(raw))
    step = next(s * scale for s in (1, 2, 2.5, 5, 10) if s * scale >= raw)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 12) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _powers(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten from `low` to `high`; powers alone where these are many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if len(powers) <= 4 else (1,)
    return [s * 10.0**p for p in powers for s in steps if low <= s * 10.0**p <= high]


class _Axes:
    """A plot's frame, from values to places."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float], logarithmic: bool = False) -> None:
        self.x, self.y, self.logarithmic = x, y, logarithmic

    def across(self, value: float) -> float:
        low, high = self.x
        if self.logarithmic:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (value - low) / (high - low)

    def up(self, value: float) -> float:
        low, high = self.y
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * (value - low) / (high - low)

    def frame(self, x_label: str, y_label: str) -> str:
        from markupsafe import escape

        parts = []
        for value in _ticks(*self.y):
            y = self.up(value)
            parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{number(value, 3)}</text>')
        for value in _powers(*self.x) if self.logarithmic else _ticks(*self.x):
            x = self.across(value)
            parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>')
            parts.append(
                f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 17}" text-anchor="middle">{number(value, 3)}</text>'
            )
        middle = (_HEIGHT - _BOTTOM + _TOP) / 2
        parts.append(
            f'<text x="{(_WIDTH + _LEFT - _RIGHT) / 2}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(x_label)}</text>'
        )
        parts.append(
            f'<text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">{escape(y_label)}</text>'
        )
        return "".join(parts)


def _plot(title: str, content: str) -> Any:
    from markupsafe import escape

    return _markup(
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">{content}</svg>'
    )


def scatter(points: Sequence[Point], x_label: str, y_label: str) -> Any:
    """What agents reach against what it takes; x is logarithmic where it spans more than a factor of ten."""
    xs = [point.x for point in points]
    logarithmic = min(xs) > 0 and max(xs) / min(xs) > 10
    if logarithmic:
        x_axis = (min(xs) / 1.4, max(xs) * 1.4)
    else:
        room = (max(xs) - min(xs)) * 0.06 or max(xs) * 0.1 or 1.0
        x_axis = (max(0.0, min(xs) - room) if min(xs) >= 0 else min(xs) - room, max(xs) + room)
    axes = _Axes(x_axis, span_of([point.y for point in points]), logarithmic)
    parts = [axes.frame(f"{x_label}{', logarithmic' if logarithmic else ''}", y_label)]
    for place, point in enumerate(points):
        x, y = axes.across(point.x), axes.up(point.y.value)
        series = place % SERIES + 1
        low, high = axes.up(point.y.low), axes.up(point.y.high)
        parts.append(f'<line class="span l{series}" x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>')
        parts.append(_shape(place, x, y, 5))
        parts.append(f'<text class="number" x="{x + 8:.1f}" y="{y - 7:.1f}">{point.label}</text>')
    return _plot(f"{y_label} against {x_label}; the table has the figures", "".join(parts))


def profile_plot(profiles: Sequence[Profile], x_label: str) -> Any:
    """The part of episodes that reaches each score, with pointwise bands."""
    limits = profiles[0].thresholds
    axes = _Axes((float(limits[0]), float(limits[-1])), (-0.02, 1.02))
    parts = [axes.frame(x_label, "part of episodes")]
    for place, found in enumerate(profiles):
        x = [axes.across(float(limit)) for limit in limits]
        edge = [f"{a:.1f},{axes.up(float(b)):.1f}" for a, b in zip(x, found.low, strict=True)]
        back = [f"{a:.1f},{axes.up(float(b)):.1f}" for a, b in zip(x, found.high, strict=True)]
        series = place % SERIES + 1
        parts.append(f'<polygon class="band s{series}" points="{" ".join(edge + back[::-1])}"/>')
        line = " ".join(f"{a:.1f},{axes.up(float(b)):.1f}" for a, b in zip(x, found.value, strict=True))
        parts.append(f'<polyline class="line l{series}" points="{line}"{_dashes(place)}/>')
    return _plot(f"Performance profiles: {x_label}; the table has the figures", "".join(parts))
