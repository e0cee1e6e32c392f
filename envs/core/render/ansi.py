"""A scene as a grid of characters for terminals, in colour where the terminal shows colour.

A unit of the world becomes three, two or one characters, as wide as fits; numbers are written where there
is room. Without colour everything is still told apart by its sign: walls are blocks, robots bare numbers,
goals numbers in diamonds.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from ludarium.envs.core.render.forms import plain_text, rgb
from ludarium.envs.core.scene import Circle, Label, Line, Polygon, Rect, Scene, Shape, Sprites, Tiles
from ludarium.envs.core.theme import Theme, theme_named

__all__ = ["ansi"]

SIGNS = {"circle": "●", "ring": "○", "diamond": "◇", "square": "■", "triangle": "▲"}
RESET = "\x1b[0m"


def ansi(scene: Scene, theme: str = "light", columns: int | None = None, color: bool | None = None) -> str:
    """Return `scene` as lines of text no wider than `columns` (None: the terminal's width), caption below.

    `color` None follows the convention of no-color.org: colour unless the variable NO_COLOR is set and not
    empty. A world wider than the terminal is thinned: one character stands for a block of units. A scene that
    has `words` is shown by them.
    """
    if scene.words:
        lines = [plain_text(line) for line in scene.words.splitlines()]
        return "\n".join([*lines, plain_text(scene.caption).replace("\n", " ")] if scene.caption else lines)
    columns = columns or shutil.get_terminal_size().columns
    color = not os.environ.get("NO_COLOR") if color is None else color
    page = _Page(scene, theme_named(theme), columns)
    for shape in (*scene.background, *scene.shapes):
        _DRAW[type(shape)](page, shape)
    lines = page.lines(color)
    if scene.caption:
        lines.append(plain_text(scene.caption).replace("\n", " "))
    return "\n".join(lines)


class _Page:
    """A grid of cells, `wide` characters each.

    Every cell has a text, a colour of it and a colour behind it.
    """

    def __init__(self, scene: Scene, look: Theme, columns: int) -> None:
        self.step = max(1, int(np.ceil(scene.width / columns)))
        across, down = (max(1, int(np.ceil(side / self.step))) for side in (scene.width, scene.height))
        self.wide = min(3, max(1, columns // across))
        self.look = look
        self.text = np.full((down, across), " " * self.wide, dtype="<U3")
        self.ink = np.full((down, across), look.paint("text").fill, dtype="<U7")
        self.behind = np.full((down, across), look.paint("floor").fill, dtype="<U7")

    def put(self, x: float, y: float, text: str, ink: str, behind: str = "") -> None:
        """Write `text` into the cell at (x, y), if there is one; `behind` "" keeps what is behind it."""
        row, column = int(y // self.step), int(x // self.step)
        if 0 <= row < self.text.shape[0] and 0 <= column < self.text.shape[1]:
            self.text[row, column] = f"{text[: self.wide]:^{self.wide}}"
            self.ink[row, column] = ink
            if behind:
                self.behind[row, column] = behind

    def numbered(self, sign: str, number: int) -> str:
        """Return what says most about a thing in the room of a cell."""
        digits = str(number)
        if number < 0 or len(digits) > self.wide or (self.wide == 1 and sign):
            return sign or "●"
        return sign + digits if len(digits) < self.wide else sign or digits

    def lines(self, color: bool) -> list[str]:
        """Return the rows of the grid, with an escape sequence wherever the colours change."""
        if not color:
            return ["".join(row).rstrip() for row in self.text]
        out = []
        for text, ink, behind in zip(self.text, self.ink, self.behind, strict=True):
            line, last = [], ("", "")
            for cell, pair in zip(text, zip(ink.tolist(), behind.tolist(), strict=True), strict=True):
                if pair != last:
                    fore, back = (";".join(str(v) for v in rgb(colour)) for colour in pair)
                    line.append(f"\x1b[38;2;{fore};48;2;{back}m")
                    last = pair
                line.append(str(cell))
            out.append("".join(line) + RESET)
        return out


def _tiles(page: _Page, shape: Tiles) -> None:
    """Fill the grid square by square; of a thinned block, the square with the highest index is seen."""
    cells = np.asarray(shape.cells)
    signs = {"wall": "█", "floor": "·" if page.wide == 1 else " · "[3 - page.wide :]}
    edge = shape.size
    rows = ((np.arange(cells.shape[0]) + 0.5) * edge + shape.y) // page.step
    columns = ((np.arange(cells.shape[1]) + 0.5) * edge + shape.x) // page.step
    for index, style in enumerate(shape.styles):
        ys, xs = np.nonzero(cells == index)
        r, c = rows[ys].astype(np.int64), columns[xs].astype(np.int64)
        inside = (r >= 0) & (r < page.text.shape[0]) & (c >= 0) & (c < page.text.shape[1])
        if not style or not inside.any():
            continue
        r, c = r[inside], c[inside]
        fill = page.look.paint(style).fill
        base = style.partition(".")[0]
        page.text[r, c] = {"wall": "█" * page.wide}.get(base, signs.get(base, f"{index:^{page.wide}}"))
        page.ink[r, c] = fill if base == "wall" else page.look.paint("text.muted").fill
        page.behind[r, c] = fill


def _sprites(page: _Page, shape: Sprites) -> None:
    sign = "" if shape.form == "circle" else SIGNS[shape.form]
    for i in np.flatnonzero(np.isfinite(shape.x) & np.isfinite(shape.y)):
        paint = page.look.paint(shape.styles[int(shape.kinds[i])])
        text = page.numbered(sign, int(shape.numbers[i]))
        solid = shape.form in ("circle", "square", "triangle")
        ink, behind = (paint.text, paint.fill) if solid else (paint.fill, "")
        page.put(float(shape.x[i]), float(shape.y[i]), text, ink, behind)


def _rect(page: _Page, shape: Rect) -> None:
    paint = page.look.paint(shape.style)
    for y in np.arange(np.floor(shape.y) + 0.5, shape.y + shape.height, page.step):
        for x in np.arange(np.floor(shape.x) + 0.5, shape.x + shape.width, page.step):
            page.put(float(x), float(y), "" if shape.text else "▒" * page.wide, paint.fill, paint.fill)
    if shape.text:
        x, y = shape.x + shape.width / 2, shape.y + shape.height / 2
        _spell(page, x, y, shape.text, "middle", paint.text)


def _circle(page: _Page, shape: Circle) -> None:
    paint = page.look.paint(shape.style)
    page.put(shape.x, shape.y, shape.text or SIGNS["circle"], paint.text, paint.fill)


def _line(page: _Page, shape: Line | Polygon) -> None:
    """Mark the cells that the line, or the edge of the polygon, runs through."""
    ink = page.look.paint(shape.style).fill
    points = shape.points if isinstance(shape, Line) else (*shape.points, *shape.points[:1])
    for (ax, ay), (bx, by) in pairwise(points):
        marks = max(2, int(2 * max(abs(bx - ax), abs(by - ay)) / page.step) + 1)
        for x, y in zip(np.linspace(ax, bx, marks), np.linspace(ay, by, marks), strict=True):
            page.put(float(x), float(y), "∙", ink)


def _label(page: _Page, shape: Label) -> None:
    _spell(page, shape.x, shape.y, shape.text, shape.anchor, page.look.paint(shape.style).fill)


def _spell(page: _Page, x: float, y: float, text: str, anchor: str, ink: str) -> None:
    """Write a line of text over as many cells as it needs."""
    text = plain_text(text).replace("\n", " ")
    cells = -(-len(text) // page.wide)
    left = x - {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor] * cells * page.step
    for i in range(cells):
        part = text[i * page.wide : (i + 1) * page.wide]
        page.put(left + (i + 0.5) * page.step, y, f"{part:<{page.wide}}", ink)


_DRAW: dict[type[Shape], Callable[..., None]] = {
    Rect: _rect,
    Circle: _circle,
    Line: _line,
    Polygon: _line,
    Label: _label,
    Tiles: _tiles,
    Sprites: _sprites,
}
