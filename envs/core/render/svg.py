"""A scene as one standalone SVG document, with a title and a description for those who do not see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.render.forms import HOLLOW, OUTLINES, STROKE, TINT, number_height, plain_text
from ludarium.envs.core.scene import Circle, Label, Line, Polygon, Rect, Scene, Shape, Sprites, Tiles
from ludarium.envs.core.theme import Paint, Theme, theme_named

__all__ = ["svg"]

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
SMALLEST_TYPE = 5.0
"""Numbers upon sprites that would be lower than this many pixels are left out: nobody could read them."""


def svg(scene: Scene, theme: str = "light", size: int = 640) -> str:
    """Return `scene` as an SVG document whose longer side is `size` pixels.

    Raises `ConfigError` for an unknown theme.
    """
    look = theme_named(theme)
    unit = size / max(scene.width, scene.height)
    width, height = _n(scene.width * unit), _n(scene.height * unit)
    values = ", ".join(f"{name} {value:g}" for name, value in scene.values.items())
    title = _text(scene.caption or "Scene")
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" '
        f'role="img" aria-label={_quoted(scene.caption or "Scene")} font-family={quoteattr(FONT)}>',
        f"<title>{title}</title>",
        f"<desc>{_text(values or scene.caption)}</desc>",
        f'<rect width="{width}" height="{height}" fill="{look.paint("background").fill}"/>',
    ]
    for shape in (*scene.background, *scene.shapes):
        lines.extend(_DRAW[type(shape)](shape, look, unit))
    lines.append("</svg>")
    return "\n".join(lines)


def _n(value: float) -> str:
    """Write a coordinate in pixels, to a hundredth, without trailing zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _text(text: str) -> str:
    return escape(plain_text(text))


def _quoted(text: str) -> str:
    return quoteattr(plain_text(text).replace("\n", " "))


def _points(points: tuple[tuple[float, float], ...], unit: float) -> str:
    return " ".join(f"{_n(x * unit)},{_n(y * unit)}" for x, y in points)


def _close(tag: str, title: str) -> str:
    return "/>" if not title else f"><title>{_text(title)}</title></{tag}>"


def _write(x: float, y: float, height: float, text: str, fill: str, anchor: str = "middle") -> str:
    """Write one line of text, `height` pixels high, its middle at `y`."""
    return (
        f'<text x="{_n(x)}" y="{_n(y)}" dy=".35em" font-size="{_n(height)}" fill="{fill}" '
        f'text-anchor="{anchor}">{_text(text)}</text>'
    )


def _identity(shape: Rect | Circle | Line | Polygon | Label) -> str:
    return f" id={_quoted(shape.id)}" if shape.id else ""


def _rect(shape: Rect, look: Theme, unit: float) -> Iterator[str]:
    paint = look.paint(shape.style)
    yield (
        f'<rect{_identity(shape)} x="{_n(shape.x * unit)}" y="{_n(shape.y * unit)}" '
        f'width="{_n(shape.width * unit)}" height="{_n(shape.height * unit)}"'
        f"{_fill(paint)}{_close('rect', shape.title)}"
    )
    if shape.text:
        height = min(0.6 * shape.height, 1.5 * shape.width / len(shape.text)) * unit
        x, y = shape.x + shape.width / 2, shape.y + shape.height / 2
        yield _write(x * unit, y * unit, height, shape.text, paint.text)


def _circle(shape: Circle, look: Theme, unit: float) -> Iterator[str]:
    paint = look.paint(shape.style)
    yield (
        f'<circle{_identity(shape)} cx="{_n(shape.x * unit)}" cy="{_n(shape.y * unit)}" '
        f'r="{_n(shape.radius * unit)}"'
        f"{_fill(paint)}{_close('circle', shape.title)}"
    )
    if shape.text:
        height = min(1.1, 2.6 / len(shape.text)) * shape.radius * unit
        yield _write(shape.x * unit, shape.y * unit, height, shape.text, paint.text)


def _fill(paint: Paint) -> str:
    return f' fill="{paint.fill}"' + (f' stroke="{paint.stroke}"' if paint.stroke else "")


def _line(shape: Line, look: Theme, unit: float) -> Iterator[str]:
    yield (
        f'<polyline{_identity(shape)} points="{_points(shape.points, unit)}" fill="none" '
        f'stroke="{look.paint(shape.style).fill}" stroke-width="{_n(shape.width * unit)}" '
        f'stroke-linecap="round" stroke-linejoin="round"{_close("polyline", shape.title)}'
    )


def _polygon(shape: Polygon, look: Theme, unit: float) -> Iterator[str]:
    yield (
        f'<polygon{_identity(shape)} points="{_points(shape.points, unit)}"{_fill(look.paint(shape.style))}'
        f"{_close('polygon', shape.title)}"
    )


def _label(shape: Label, look: Theme, unit: float) -> Iterator[str]:
    fill = look.paint(shape.style).fill
    yield _write(shape.x * unit, shape.y * unit, shape.size * unit, shape.text, fill, shape.anchor)


def _tiles(shape: Tiles, look: Theme, unit: float) -> Iterator[str]:
    """Draw the squares of a style as one path of blocks."""
    edge = unit * shape.size
    for index, style in enumerate(shape.styles):
        blocks = blocks_of(np.asarray(shape.cells) == index) if style else []
        if blocks:
            path = "".join(
                f"M{_n(shape.x * unit + left * edge)} {_n(shape.y * unit + top * edge)}"
                f"h{_n(wide * edge)}v{_n(high * edge)}h{_n(-wide * edge)}z"
                for top, left, high, wide in blocks
            )
            yield f'<path fill="{look.paint(style).fill}" shape-rendering="crispEdges" d="{path}"/>'


def blocks_of(mask: NDArray[np.bool_]) -> list[tuple[int, int, int, int]]:
    """Cover the true squares of bool[H, W] by few blocks (top, left, height, width), equal runs merged."""
    done: list[tuple[int, int, int, int]] = []
    growing: dict[tuple[int, int], int] = {}
    for row in range(mask.shape[0] + 1):
        edges = np.zeros(mask.shape[1] + 2, np.int8)
        if row < mask.shape[0]:
            edges[1:-1] = mask[row]
        starts, ends = np.flatnonzero(np.diff(edges) == 1), np.flatnonzero(np.diff(edges) == -1)
        runs = {(int(a), int(b)): growing.get((int(a), int(b)), row) for a, b in zip(starts, ends, strict=True)}
        done.extend((top, a, row - top, b - a) for (a, b), top in growing.items() if (a, b) not in runs)
        growing = runs
    return done


def _sprites(shape: Sprites, look: Theme, unit: float) -> Iterator[str]:
    """Draw the sprites style by style, each with its number and a tooltip."""
    radius, kinds, numbers = shape.radius * unit, shape.kinds, shape.numbers
    noun = shape.title or shape.name
    shown = np.isfinite(shape.x) & np.isfinite(shape.y)
    for index, style in enumerate(shape.styles):
        paint = look.paint(style)
        hollow = shape.form in HOLLOW
        edge = f' stroke="{paint.fill}" stroke-width="{_n(STROKE * radius)}" fill-opacity="{TINT}"' if hollow else ""
        chosen = np.flatnonzero(shown & (kinds == index))
        if not len(chosen):
            continue
        yield f'<g fill="{paint.fill}"{edge}>'
        for i in chosen:
            number, x, y = int(numbers[i]), float(shape.x[i]) * unit, float(shape.y[i]) * unit
            called = noun if number < 0 else f"{noun} {number}"
            yield _outline(shape.form, x, y, radius) + f"<title>{_text(called)}</title>" + _end(shape.form)
        yield "</g>"
        for i in chosen:
            number, x, y = int(numbers[i]), float(shape.x[i]) * unit, float(shape.y[i]) * unit
            height = number_height(number, shape.form) * radius
            if number >= 0 and height >= SMALLEST_TYPE:
                yield _write(x, y, height, str(number), paint.fill if hollow else paint.text)


def _outline(form: str, x: float, y: float, radius: float) -> str:
    if form not in OUTLINES:
        return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}">'
    corners = " ".join(f"{_n(x + dx * radius)},{_n(y + dy * radius)}" for dx, dy in OUTLINES[form])
    return f'<polygon points="{corners}">'


def _end(form: str) -> str:
    return "</polygon>" if form in OUTLINES else "</circle>"


_DRAW: dict[type[Shape], Callable[..., Iterator[str]]] = {
    Rect: _rect,
    Circle: _circle,
    Line: _line,
    Polygon: _polygon,
    Label: _label,
    Tiles: _tiles,
    Sprites: _sprites,
}
