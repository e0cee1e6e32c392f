"""A movie as bytes for the browser, and back: one JSON header, then columns of integers, all deflated.

The places of sprites are whole multiples of 1 / scale units and coded as differences along time, robot by
robot, so that a robot that goes straight on costs next to nothing. Other shapes are written once and named
by their index; a step is the list of what is drawn (negative: sprites), and only steps that change it are
kept. `page_data.js` reads the same.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.errors import ConfigError
from ludarium.envs.core.render.forms import plain_text
from ludarium.envs.core.scene import (
    Circle,
    Exchange,
    Label,
    Line,
    Movie,
    Polygon,
    Rect,
    Saying,
    Scene,
    Shape,
    Sprites,
    Tiles,
)
from ludarium.envs.core.theme import THEMES

__all__ = ["VERSION", "Recording", "decode", "encode", "scene_json"]

VERSION = 1
RESOLUTION = 2048
"""Places are kept to about this share of the longer side of the world, and at least to half a unit."""
KINDS: dict[str, type[Shape]] = {
    "rect": Rect,
    "circle": Circle,
    "line": Line,
    "polygon": Polygon,
    "label": Label,
    "tiles": Tiles,
}
NAMES = {shape: name for name, shape in KINDS.items()}
COLUMNS = ("x", "y", "which", "number", "shown")


def shape_json(shape: Shape) -> dict[str, Any]:
    """Return a shape that is not `Sprites` as plain JSON values; fields at their defaults are left out."""
    out: dict[str, Any] = {"kind": NAMES[type(shape)]}
    for field in fields(shape):
        value = getattr(shape, field.name)
        if field.name == "cells":
            cells = np.asarray(value, np.uint8)
            out["shape"], out["runs"] = list(cells.shape), _runs(cells)
        elif field.name == "points":
            out["points"] = [[float(x), float(y)] for x, y in value]
        elif isinstance(value, str):
            if value != field.default:
                out[field.name] = plain_text(value)
        elif field.name == "styles" or value != field.default:
            out[field.name] = list(value) if isinstance(value, tuple) else float(value)
    return out


def _runs(cells: NDArray[np.uint8]) -> list[int]:
    """Return the squares, row after row, as value, length, value, length, ..."""
    flat = cells.ravel()
    starts = np.flatnonzero(np.r_[True, flat[1:] != flat[:-1]]) if len(flat) else np.zeros(0, np.int64)
    return np.stack([flat[starts], np.diff(np.r_[starts, len(flat)])], 1).ravel().tolist()


def shape_from_json(row: dict[str, Any]) -> Shape:
    """Return the shape that `shape_json` wrote."""
    row = dict(row)
    kind = KINDS[row.pop("kind")]
    if kind is Tiles:
        runs = np.array(row.pop("runs"), np.int64).reshape(-1, 2)
        row["cells"] = np.repeat(runs[:, 0], runs[:, 1]).astype(np.uint8).reshape(row.pop("shape"))
        row["styles"] = tuple(row["styles"])
    if "points" in row:
        row["points"] = tuple((x, y) for x, y in row["points"])
    return kind(**row)


def scene_json(scene: Scene) -> dict[str, Any]:
    """Return one scene as plain JSON values (a movie of one step is smaller; this one is easier to read)."""
    return {
        "width": float(scene.width),
        "height": float(scene.height),
        "caption": plain_text(scene.caption),
        "values": {plain_text(name): _number(value) for name, value in scene.values.items()},
        "background": [_shape_or_sprites(shape) for shape in scene.background],
        "shapes": [_shape_or_sprites(shape) for shape in scene.shapes],
    }


def _shape_or_sprites(shape: Shape) -> dict[str, Any]:
    if not isinstance(shape, Sprites):
        return shape_json(shape)
    places = {axis: [_number(v) for v in getattr(shape, axis)] for axis in ("x", "y")}
    return _sprites_head(shape) | places | {"which": shape.kinds.tolist(), "number": shape.numbers.tolist()}


def _number(value: float) -> float | None:
    """Return a number that JSON knows, None for one that is not finite."""
    return float(value) if np.isfinite(value) else None


def _sprites_head(shape: Sprites) -> dict[str, Any]:
    return {
        "kind": "sprites",
        "name": plain_text(shape.name),
        "form": shape.form,
        "styles": list(shape.styles),
        "radius": float(shape.radius),
        "of": plain_text(shape.of),
        "glide": bool(shape.glide),
        "title": plain_text(shape.title),
    }


class _Track:
    """The columns of one set of sprites, filled step by step; a step it was not drawn in repeats the last."""

    def __init__(self, first: Sprites, scale: int, index: int) -> None:
        self.head, self.scale, self.index = _sprites_head(first), scale, index
        self.count = len(first)
        self.rows: list[tuple[NDArray[np.int32], ...]] = []

    def add(self, shape: Sprites, step: int) -> None:
        """Append one step; raise `ConfigError` if the number of sprites changed."""
        if len(shape) != self.count:
            raise ConfigError(
                f"sprites {shape.name!r} are {len(shape)} at step {step} and were {self.count} before; "
                "keep one number for an episode and hide those that are not there (x not a number)"
            )
        shown = np.isfinite(shape.x) & np.isfinite(shape.y)
        was = self.rows[-1] if self.rows else (np.zeros(self.count, np.int32),) * len(COLUMNS)
        x, y = (
            np.where(shown, np.rint(np.where(shown, axis, 0.0) * self.scale), before)
            for axis, before in ((shape.x, was[0]), (shape.y, was[1]))
        )
        new = (np.asarray(column, np.int32) for column in (x, y, shape.kinds, shape.numbers, shown))
        row = tuple(b if np.array_equal(a, b) else a for a, b in zip(new, was, strict=True))
        if not self.rows:
            self.rows = [row] * step
        self.rows.append(row)

    def pad(self, steps: int) -> None:
        """Repeat the last step until there are `steps`."""
        self.rows.extend(self.rows[-1:] * (steps - len(self.rows)))


class _Columns:
    """Collects arrays into one run of bytes and says in the header where each lies."""

    def __init__(self) -> None:
        self.table: list[list[Any]] = []
        self.parts: list[bytes] = []

    def add(self, values: NDArray[np.integer[Any]]) -> int:
        """Store `values` in the narrowest type that holds them; return the number of the column."""
        low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
        kind = next(k for k in ("i1", "i2", "i4") if np.iinfo(k).min <= low and high <= np.iinfo(k).max)
        self.table.append([kind, int(values.size)])
        self.parts.append(values.astype("<" + kind).tobytes())
        return len(self.table) - 1

    def add_track(self, values: NDArray[np.int32]) -> dict[str, int]:
        """Store int[T, N]: the first step, and the differences unless nothing ever changes."""
        steps = np.diff(values, axis=0).T
        first = {"first": self.add(values[0])}
        return first | ({"steps": self.add(np.ascontiguousarray(steps).ravel())} if steps.any() else {})


class _Recorder:
    """Reads scenes one after the other and keeps what is needed to draw them again."""

    def __init__(self) -> None:
        self.background: list[dict[str, Any]] = []
        self.shapes: list[str] = []
        self.index: dict[str, int] = {}
        self.tracks: dict[str, _Track] = {}
        self.frames: list[list[Any]] = []
        self.captions: list[str] = []
        self.values: dict[str, list[float | None]] = {}
        self.size = (0.0, 0.0)

    def add(self, scene: Scene) -> None:
        """Take in the next scene."""
        step = len(self.captions)
        if step == 0:
            self.size = (float(scene.width), float(scene.height))
            if any(isinstance(shape, Sprites) for shape in scene.background):
                raise ConfigError("the background of a movie cannot hold sprites; put them first in the scene's shapes")
            self.background = [shape_json(shape) for shape in scene.background]
        drawn = [self._place(shape, step) for shape in scene.shapes]
        if not self.frames or self.frames[-1][1] != drawn:
            self.frames.append([step, drawn])
        self.captions.append(plain_text(scene.caption))
        for name in dict.fromkeys((*self.values, *scene.values)):
            curve = self.values.setdefault(name, [None] * step)
            curve.append(_number(scene.values[name]) if name in scene.values else None)

    def _place(self, shape: Shape, step: int) -> int:
        """Return the index of a shape, negative for sprites, whose step is appended to their track."""
        if isinstance(shape, Sprites):
            track = self.tracks.get(shape.name)
            if track is None:
                power = np.floor(np.log2(RESOLUTION / max(self.size)))
                scale = 2 ** int(max(power, 1))
                track = self.tracks[shape.name] = _Track(shape, scale, len(self.tracks))
            track.pad(step)
            track.add(shape, step)
            return -1 - track.index
        text = json.dumps(shape_json(shape), separators=(",", ":"))
        if text not in self.index:
            self.index[text] = len(self.shapes)
            self.shapes.append(text)
        return self.index[text]


def encode(movie: Movie) -> bytes:
    """Return `movie` as one zlib stream; its scenes are read once, in order.

    Raises `ConfigError` for a movie without scenes, sprites whose number changes, or curves of the wrong
    length.
    """
    return record(movie)[1]


def record(movie: Movie) -> tuple[dict[str, Any], bytes]:
    """Return the header of `movie` and the whole stream, as `encode` does."""
    recorder = _Recorder()
    for scene in movie.scenes:
        recorder.add(scene)
    steps = len(recorder.captions)
    if steps == 0:
        raise ConfigError(f"the movie {movie.title!r} has no scenes; an episode has at least its first one")
    columns, sprites = _Columns(), []
    for track in recorder.tracks.values():
        track.pad(steps)
        placed = {name: columns.add_track(np.stack([row[i] for row in track.rows])) for i, name in enumerate(COLUMNS)}
        sprites.append(track.head | {"count": track.count, "scale": track.scale, "columns": placed})
    header = {
        "version": VERSION,
        "title": plain_text(movie.title),
        "steps": steps,
        "width": recorder.size[0],
        "height": recorder.size[1],
        "background": recorder.background,
        "shapes": [json.loads(text) for text in recorder.shapes],
        "frames": recorder.frames,
        "sprites": sprites,
        "captions": recorder.captions,
        "talk": [_saying(saying, steps) for saying in movie.talk],
        "words": _words(movie.words, steps),
        "marks": _marks(movie.marks, steps),
        "series": _series(movie, recorder.values, steps),
        "metrics": _table(movie.metrics),
        "meta": _table(movie.meta),
        "themes": _themes(),
        "columns": columns.table,
    }
    head = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    return header, zlib.compress(len(head).to_bytes(4, "little") + head + b"".join(columns.parts), 9)


def _saying(saying: Saying, steps: int) -> dict[str, Any]:
    texts = {name: plain_text(getattr(saying, name)) for name in ("who", "said", "asked", "segment", "status", "note")}
    return {"step": min(max(saying.step, 0), steps - 1), **texts}


def _words(exchanges: list[Exchange], steps: int) -> dict[str, list[Any]]:
    """Each text once, and the exchanges in order as step and the numbers of three texts."""
    texts: dict[str, int] = {}
    rows = [
        [min(max(told.step, 0), steps - 1)]
        + [texts.setdefault(plain_text(text), len(texts)) for text in (told.who, told.told, told.did)]
        for told in exchanges
    ]
    return {"texts": list(texts), "rows": rows}


def _table(table: dict[str, Any]) -> dict[str, Any]:
    """Numbers that JSON knows stay numbers; all else is text."""
    return {plain_text(str(name)): value if isinstance(value, int) else _plain(value) for name, value in table.items()}


def _plain(value: Any) -> float | str | None:
    return _number(value) if isinstance(value, float) else plain_text(str(value))


def _marks(marks: list[int], steps: int) -> list[int]:
    if marks and len(marks) != steps:
        raise ConfigError(f"{len(marks)} marks for {steps} scenes; a movie has one a scene or none")
    return marks


def _series(movie: Movie, values: dict[str, list[float | None]], steps: int) -> dict[str, list[float | None]]:
    """Return the curves to plot: the movie's own, else those of the scenes, in six figures."""
    for name, curve in movie.series.items():
        if len(curve) != steps:
            raise ConfigError(f"the curve {name!r} has {len(curve)} values for {steps} scenes; it needs one a scene")
    chosen = {plain_text(name): list(map(_number, curve)) for name, curve in movie.series.items()} or values
    return {name: [v if v is None else float(f"{v:.6g}") for v in curve] for name, curve in chosen.items()}


def _themes() -> dict[str, dict[str, list[str]]]:
    return {
        name: {style: [p.fill, p.stroke, p.text] for style, p in theme.styles.items()} for name, theme in THEMES.items()
    }


@dataclass(frozen=True, eq=False)
class Recording:
    """What `encode` wrote, read back.

    The header, and the columns int64[T, N] of each set of sprites by its name.
    """

    header: dict[str, Any]
    tracks: dict[str, dict[str, NDArray[np.int64]]]

    def __len__(self) -> int:
        return int(self.header["steps"])

    def scene(self, step: int) -> Scene:
        """Return the scene of `step`, places rounded to the recording's scale."""
        drawn = next(frame[1] for frame in reversed(self.header["frames"]) if frame[0] <= step)
        shapes = [self._sprites(-1 - i, step) if i < 0 else shape_from_json(self.header["shapes"][i]) for i in drawn]
        values = {name: curve[step] for name, curve in self.header["series"].items() if curve[step] is not None}
        return Scene(
            self.header["width"],
            self.header["height"],
            tuple(shape_from_json(row) for row in self.header["background"]),
            tuple(shapes),
            self.header["captions"][step],
            values,
        )

    def _sprites(self, index: int, step: int) -> Sprites:
        head = self.header["sprites"][index]
        track = {name: values[step] for name, values in self.tracks[head["name"]].items()}
        x = np.where(track["shown"] == 1, track["x"] / head["scale"], np.nan)
        made = Sprites(head["name"], x, track["y"] / head["scale"], head["form"], tuple(head["styles"]))
        more = {name: head[name] for name in ("radius", "of", "glide", "title")}
        return replace(made, which=track["which"], number=track["number"], **more)


def decode(blob: bytes) -> Recording:
    """Read what `encode` wrote; raise `ConfigError` for another version."""
    raw = zlib.decompress(blob)
    start = 4 + int.from_bytes(raw[:4], "little")
    header = json.loads(raw[4:start])
    if header["version"] != VERSION:
        raise ConfigError(f"the movie has version {header['version']}; this release reads version {VERSION}")
    columns = []
    for kind, count in header["columns"]:
        values = np.frombuffer(raw, "<" + kind, count, start)
        columns.append(values.astype(np.int64))
        start += values.nbytes
    tracks = {}
    for head in header["sprites"]:
        tracks[head["name"]] = {
            name: _unroll(columns, place, header["steps"], head["count"]) for name, place in head["columns"].items()
        }
    return Recording(header, tracks)


def _unroll(columns: list[NDArray[np.int64]], place: dict[str, int], steps: int, count: int) -> NDArray[np.int64]:
    """Return a column as int64[T, N] from its first step and its differences."""
    values = np.zeros((steps, count), np.int64)
    values[0] = columns[place["first"]]
    if "steps" in place:
        values[1:] = columns[place["steps"]].reshape(count, steps - 1).T
    return np.cumsum(values, axis=0)
