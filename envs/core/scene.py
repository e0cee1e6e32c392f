"""The picture of a world as shapes: simulators say what is there, renderers draw it, neither knows the other.

A scene is measured in world units with its origin at the top left, x to the right and y down; a grid cell
is one unit, so the centre of cell (row, column) is (column + 0.5, row + 0.5). Colours are never given as
such: a shape has a *style*, the name of a role ("wall", "robot", "robot.idle"), which a theme resolves
(`ludarium.envs.core.theme`). Whatever must be told apart is told apart by its form or number as well as by
its colour.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ludarium.envs.core.errors import ConfigError, did_you_mean

__all__ = [
    "FORMS",
    "Circle",
    "Label",
    "Line",
    "Movie",
    "Polygon",
    "Rect",
    "Saying",
    "Scene",
    "Shape",
    "Sprites",
    "Tiles",
]

FORMS = ("circle", "ring", "diamond", "square", "triangle")


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle by its top left corner; `text` is written in its middle, `title` is its tooltip."""

    x: float
    y: float
    width: float
    height: float
    style: str = "accent.1"
    id: str = ""
    text: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Circle:
    """A disc by its centre; `text` is written in its middle."""

    x: float
    y: float
    radius: float
    style: str = "accent.1"
    id: str = ""
    text: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """An open line through `points` (x, y), `width` units wide."""

    points: tuple[tuple[float, float], ...]
    width: float = 0.1
    style: str = "path"
    id: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Polygon:
    """A filled outline through `points` (x, y), closed by itself."""

    points: tuple[tuple[float, float], ...]
    style: str = "accent.1"
    id: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """One line of text, `size` units high, whose `anchor` (start, middle or end) is at (x, y)."""

    x: float
    y: float
    text: str
    size: float = 0.6
    anchor: str = "middle"
    style: str = "text"
    id: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Tiles:
    """A grid of equal squares.

    `cells` uint8[H, W] are indices into `styles`; the style "" leaves a square empty.
    """

    cells: NDArray[np.uint8]
    styles: tuple[str, ...] = ("floor", "wall")
    x: float = 0.0
    y: float = 0.0
    size: float = 1.0
    id: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Sprites:
    """Many shapes of one form, as columns: the shape for things that are counted in thousands.

    `x`, `y` are float[N] centres; a place that is not a number hides that one. `which` int[N] are indices
    into `styles` (None: all 0). `number` int[N] is what is written on each and what a viewer follows (None:
    0..N-1; negative: no label). Sprites that belong to others (goals to robots) name them in `of`, and
    belong together by equal numbers. Those that jump instead of moving say `glide=False`.
    """

    name: str
    x: NDArray[np.floating[Any]]
    y: NDArray[np.floating[Any]]
    form: str = "circle"
    styles: tuple[str, ...] = ("robot",)
    which: NDArray[np.integer[Any]] | None = None
    number: NDArray[np.integer[Any]] | None = None
    radius: float = 0.4
    of: str = ""
    glide: bool = True
    title: str = ""

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise ConfigError(f"sprites {self.name!r} have the form {self.form!r}{did_you_mean(self.form, FORMS)}")
        for column in (self.y, self.which, self.number):
            if column is not None and len(column) != len(self.x):
                raise ConfigError(
                    f"sprites {self.name!r} have columns of {len(self.x)} and {len(column)} rows; "
                    "all must be of one length"
                )

    def __len__(self) -> int:
        return len(self.x)

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The numbers as int64[N], filled in where none were given."""
        return np.arange(len(self.x)) if self.number is None else np.asarray(self.number, np.int64)

    @property
    def kinds(self) -> NDArray[np.int64]:
        """The style indices as int64[N], filled in where none were given."""
        return np.zeros(len(self.x), np.int64) if self.which is None else np.asarray(self.which, np.int64)

    @classmethod
    def at_cells(
        cls, name: str, cells: ArrayLike, width: int, shown: NDArray[np.bool_] | None = None, **more: Any
    ) -> Sprites:
        """Place sprites on the cells int[N] (row * width + column) of a grid.

        Those not `shown` bool[N] are hidden.
        """
        row, column = np.divmod(np.asarray(cells, np.int64), width)
        x = column + 0.5
        if shown is not None:
            x = np.where(shown, x, np.nan)
        return cls(name, x, row + 0.5, **more)


Shape = Rect | Circle | Line | Polygon | Label | Tiles | Sprites


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One moment of one world, `width` x `height` units, drawn in order: first `background`, then `shapes`.

    `background` stays the same for an episode and is taken from its first scene; whatever moves is in
    `shapes`. `caption` says the moment in words ("Step 12 of 256: 4 goals reached"), `values` are the
    numbers to plot along the episode. `words` is what a terminal shows in place of shapes that are no grid of cells.
    """

    width: float
    height: float
    background: tuple[Shape, ...] = ()
    shapes: tuple[Shape, ...] = ()
    caption: str = ""
    values: dict[str, float] = field(default_factory=dict)
    words: str = ""

    def __post_init__(self) -> None:
        if not (self.width > 0 and self.height > 0):
            raise ConfigError(f"a scene is {self.width} x {self.height} units; both must be above 0")


@dataclass(frozen=True, slots=True)
class Saying:
    """A call of a language model as a replay shows it, beside the step for which it was made."""

    step: int
    who: str
    """The seat."""
    said: str
    asked: str = ""
    """What was new in the prompt."""
    segment: str = ""
    """The subgoal or state that the agent was in; equal ones in a row are one segment, of one colour."""
    status: str = "ok"
    note: str = ""
    """Tokens, money, tries."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a seat was told before a step, and what it then did; after the last step nothing is done."""

    step: int
    who: str
    """The seat."""
    told: str
    did: str = ""


@dataclass(slots=True, eq=False)
class Movie:
    """An episode to look at: scenes, one a step (any iterable, read once), and what to say about it.

    `meta` says what was played (environment, agent, seed); `metrics` is the table of results; `series` are
    curves with one value a scene, and where there are none, the scenes' own `values` are plotted; `talk` is what
    was said with language models; `words` the episode as seats read it. `marks` has one number a scene: where two movies
    of one episode first differ in it, the worlds do. Whatever else `scenes` fills in while it is read is shown too.
    """

    title: str
    scenes: Iterable[Scene]
    meta: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    series: dict[str, list[float]] = field(default_factory=dict)
    summary: str = ""
    talk: list[Saying] = field(default_factory=list)
    words: list[Exchange] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
