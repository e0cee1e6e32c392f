"""A scene as pixels, by NumPy alone: no display, no font, no imaging library.

A shape is filled by its signed distance to the edge: a pixel half covered is half coloured, so edges look
smooth.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.render.font import text_mask
from ludarium.envs.core.render.forms import HOLLOW, OUTLINES, STROKE, TINT, number_height, rgb
from ludarium.envs.core.scene import Circle, Label, Line, Polygon, Rect, Scene, Shape, Sprites, Tiles
from ludarium.envs.core.theme import Theme, theme_named

__all__ = ["rgb_array"]

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]
AT_ONCE = 1 << 21
"""Sprites are drawn in groups of at most this many pixels, to bound the memory that a large picture takes."""


def rgb_array(scene: Scene, theme: str = "light", size: int = 512) -> Pixels:
    """Return `scene` as uint8[H, W, 3].

    The longer side is at most `size` pixels, and a whole number of pixels per unit where at least one fits.
    Raises `ConfigError` for an unknown theme.
    """
    canvas = _Canvas(scene, theme_named(theme), size)
    for shape in (*scene.background, *scene.shapes):
        _DRAW[type(shape)](canvas, shape)
    return canvas.pixels


class _Canvas:
    """The pixels of one picture, how many there are to a unit, and the ways to put colour on them."""

    def __init__(self, scene: Scene, look: Theme, size: int) -> None:
        unit = size / max(scene.width, scene.height)
        self.unit = float(np.floor(unit)) if unit >= 1 else unit
        self.look = look
        height, width = (max(1, round(side * self.unit)) for side in (scene.height, scene.width))
        self.pixels = np.empty((height, width, 3), np.uint8)
        self.pixels[:] = rgb(look.paint("background").fill)

    def fill(self, box: tuple[float, float, float, float], colour: str, distance: Callable[..., Floats]) -> None:
        """Colour the pixels of `box` (left, top, right, bottom; units) where `distance(x, y)` is below 0."""
        rows, columns = self.pixels.shape[:2]
        left, top = (max(int(np.floor(v * self.unit)) - 1, 0) for v in box[:2])
        right, bottom = min(int(box[2] * self.unit) + 2, columns), min(int(box[3] * self.unit) + 2, rows)
        if left >= right or top >= bottom:
            return
        y, x = np.ogrid[top:bottom, left:right]
        cover = np.clip(0.5 - self.unit * distance((x + 0.5) / self.unit, (y + 0.5) / self.unit), 0.0, 1.0)
        part = self.pixels[top:bottom, left:right]
        part[:] = np.rint(part + cover[..., None] * (rgb(colour) - part.astype(np.float64)))

    def write(self, x: float, y: float, text: str, colour: str, height: float, anchor: str = "middle") -> None:
        """Write `text` with its middle at `y`, at most `height` units high.

        What would be lower than 5 pixels is left out.
        """
        scale = int(height * self.unit / 5)
        if scale < 1 or not text:
            return
        mask = np.kron(text_mask(text), np.ones((scale, scale), bool))
        shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
        left, top = round(x * self.unit - shift * mask.shape[1]), round(y * self.unit - 0.5 * mask.shape[0])
        rows, columns = np.nonzero(mask)
        rows, columns = rows + top, columns + left
        inside = (rows >= 0) & (rows < self.pixels.shape[0]) & (columns >= 0) & (columns < self.pixels.shape[1])
        self.pixels[rows[inside], columns[inside]] = rgb(colour)


def _rect(canvas: _Canvas, shape: Rect) -> None:
    x, y, w, h = shape.x, shape.y, shape.width / 2, shape.height / 2
    paint = canvas.look.paint(shape.style)
    box = (x, y, x + 2 * w, y + 2 * h)
    canvas.fill(box, paint.fill, lambda px, py: np.maximum(np.abs(px - x - w) - w, np.abs(py - y - h) - h))
    canvas.write(x + w, y + h, shape.text, paint.text, _fits(shape.text, 1.2 * h, 1.8 * w))


def _fits(text: str, height: float, width: float) -> float:
    """Return the height at which `text` is no higher than `height` and no wider than `width`."""
    return min(height, 5 * width / max(4 * len(text) - 1, 1))


def _circle(canvas: _Canvas, shape: Circle) -> None:
    x, y, r = shape.x, shape.y, shape.radius
    paint = canvas.look.paint(shape.style)
    canvas.fill((x - r, y - r, x + r, y + r), paint.fill, lambda px, py: np.hypot(px - x, py - y) - r)
    canvas.write(x, y, shape.text, paint.text, _fits(shape.text, 1.2 * r, 1.6 * r))


def _segments(points: tuple[tuple[float, float], ...], px: Floats, py: Floats) -> Floats:
    """Return the distance from each pixel to the nearest of the segments through `points`."""
    nearest = np.full(np.broadcast_shapes(px.shape, py.shape), np.inf)
    for (ax, ay), (bx, by) in zip(points, points[1:] or points, strict=False):
        dx, dy = bx - ax, by - ay
        along = np.clip(((px - ax) * dx + (py - ay) * dy) / max(dx * dx + dy * dy, 1e-12), 0.0, 1.0)
        nearest = np.minimum(nearest, np.hypot(px - ax - along * dx, py - ay - along * dy))
    return nearest


def _line(canvas: _Canvas, shape: Line) -> None:
    if not shape.points:
        return
    half = shape.width / 2
    box = _box(shape.points, half)
    colour = canvas.look.paint(shape.style).fill
    canvas.fill(box, colour, lambda px, py: _segments(shape.points, px, py) - half)


def _box(points: tuple[tuple[float, float], ...], margin: float) -> tuple[float, float, float, float]:
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return min(xs) - margin, min(ys) - margin, max(xs) + margin, max(ys) + margin


def _polygon(canvas: _Canvas, shape: Polygon) -> None:
    points = shape.points
    if len(points) < 3:
        return

    def distance(px: Floats, py: Floats) -> Floats:
        inside = np.zeros(np.broadcast_shapes(px.shape, py.shape), bool)
        for (ax, ay), (bx, by) in zip(points, (*points[1:], points[0]), strict=True):
            if ay != by:  # even-odd: count the edges to the right that the pixel's row crosses
                inside ^= ((ay > py) != (by > py)) & (px < ax + (py - ay) * (bx - ax) / (by - ay))
        return np.where(inside, -1.0, 1.0) * _segments((*points, points[0]), px, py)

    canvas.fill(_box(points, 0.0), canvas.look.paint(shape.style).fill, distance)


def _label(canvas: _Canvas, shape: Label) -> None:
    colour = canvas.look.paint(shape.style).fill
    canvas.write(shape.x, shape.y, shape.text, colour, shape.size, shape.anchor)


def _tiles(canvas: _Canvas, shape: Tiles) -> None:
    """Colour every pixel by the square that its centre lies in."""
    cells = np.asarray(shape.cells)
    height, width = canvas.pixels.shape[:2]
    rows = np.floor(((np.arange(height) + 0.5) / canvas.unit - shape.y) / shape.size).astype(np.int64)
    columns = np.floor(((np.arange(width) + 0.5) / canvas.unit - shape.x) / shape.size).astype(np.int64)
    ys = np.flatnonzero((rows >= 0) & (rows < cells.shape[0]))
    xs = np.flatnonzero((columns >= 0) & (columns < cells.shape[1]))
    if not (len(ys) and len(xs)):
        return
    seen = cells[np.ix_(rows[ys], columns[xs])]
    palette = np.array([rgb(canvas.look.paint(style or "floor").fill) for style in shape.styles], np.uint8)
    filled = np.array([bool(style) for style in shape.styles])[seen]
    part = canvas.pixels[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1]
    part[filled] = palette[seen[filled]]


def _sprites(canvas: _Canvas, shape: Sprites) -> None:
    """Colour all sprites of a style together: distances for every sprite's own little square of pixels."""
    shown = np.isfinite(shape.x) & np.isfinite(shape.y)
    half = int(np.ceil(shape.radius * canvas.unit)) + 1
    group = max(1, AT_ONCE // (2 * half + 1) ** 2)
    hollow = shape.form in HOLLOW
    for index, style in enumerate(shape.styles):
        paint = canvas.look.paint(style)
        chosen = np.flatnonzero(shown & (shape.kinds == index))
        for start in range(0, len(chosen), group):
            _stamp(canvas, shape, chosen[start : start + group], half, rgb(paint.fill))
        room = (1.05 if shape.form == "diamond" else 1.5) * shape.radius
        for i in chosen:
            number = int(shape.numbers[i])
            if number >= 0:
                height = _fits(str(number), number_height(number, shape.form) * shape.radius, room)
                colour = paint.fill if hollow else paint.text
                canvas.write(float(shape.x[i]), float(shape.y[i]), str(number), colour, height)


def _stamp(canvas: _Canvas, shape: Sprites, chosen: NDArray[np.int64], half: int, colour: Pixels) -> None:
    unit = canvas.unit
    x, y = shape.x[chosen] * unit, shape.y[chosen] * unit
    offsets = np.arange(-half, half + 1)
    columns = np.floor(x).astype(np.int64)[:, None, None] + offsets[None, None, :]
    rows = np.floor(y).astype(np.int64)[:, None, None] + offsets[None, :, None]
    edge = _distance(shape.form, columns + 0.5 - x[:, None, None], rows + 0.5 - y[:, None, None], shape.radius * unit)
    cover = np.clip(0.5 - edge, 0.0, 1.0)
    if shape.form in HOLLOW:
        line = max(STROKE * shape.radius * unit, 1.0)
        cover = np.maximum(np.clip(0.5 - np.abs(edge + line / 2) + line / 2, 0.0, 1.0), TINT * cover)
    rows, columns = np.broadcast_to(rows, cover.shape), np.broadcast_to(columns, cover.shape)
    height, width = canvas.pixels.shape[:2]
    touched = (cover > 0) & (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    r, c, share = rows[touched], columns[touched], cover[touched][:, None]
    below = canvas.pixels[r, c].astype(np.float64)
    canvas.pixels[r, c] = np.rint(below + share * (colour - below))


def _distance(form: str, dx: Floats, dy: Floats, radius: float) -> Floats:
    """Return the signed distance in pixels to the edge of a form (outside its corners: a lower bound)."""
    if form not in OUTLINES:
        return np.asarray(np.hypot(dx, dy) - radius)
    corners = [(x * radius, y * radius) for x, y in OUTLINES[form]]
    furthest = np.full(np.broadcast_shapes(dx.shape, dy.shape), -np.inf)
    for (ax, ay), (bx, by) in zip(corners, (*corners[1:], corners[0]), strict=True):
        ex, ey = bx - ax, by - ay
        furthest = np.maximum(furthest, ((dx - ax) * ey - (dy - ay) * ex) / np.hypot(ex, ey))
    return furthest


_DRAW: dict[type[Shape], Callable[..., None]] = {
    Rect: _rect,
    Circle: _circle,
    Line: _line,
    Polygon: _polygon,
    Label: _label,
    Tiles: _tiles,
    Sprites: _sprites,
}
