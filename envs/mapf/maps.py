"""Maps as data: the frozen `GridMap`, MovingAI `.map` files, POGEMA text maps, the maps of the suite.

`.map` is the format of Sturtevant, "Benchmarks for Grid-Based Pathfinding" (2012), as multi-agent work reads
it (Stern et al. 2019): `.` and `G` are free, `@`, `O`, `T`, `W` and `S` blocked, moves go to four neighbours.
Other formats (`.scen`, the League of Robot Runners, viewers) are in `formats.py`.
"""

from __future__ import annotations

import hashlib
import importlib.resources
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ludarium.envs.core.errors import FileFormatError, InstanceError, did_you_mean
from ludarium.envs.mapf.generate import MAX_SIDE

__all__ = [
    "GridMap",
    "format_map",
    "format_pogema",
    "load_map",
    "map_names",
    "parse_map",
    "parse_pogema",
    "read_lines",
    "read_map",
    "read_pogema",
    "write_map",
]

_FREE, _BLOCKED, _LORR_FREE = ".G", "@OTWS", "ES"
_START_LETTERS, _GOAL_LETTERS = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _frozen(values: ArrayLike, dtype: type, shape: tuple[int, ...], what: str) -> NDArray[np.generic]:
    array: NDArray[np.generic] = np.array(values, dtype)
    if array.shape != shape:
        raise InstanceError(f"{what} has shape {array.shape}; expected {shape}")
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class GridMap:
    """A named map, and where robots may stand on it if that is known.

    `grid` is `uint8[H, W]`, 1 = obstacle (any nonzero value is taken as one). `starts` and `goals` are
    `int32[N]` cell numbers (row * W + column), robot by robot, both or neither. `start_pool` and `goal_pool`
    are `uint8[H, W]`, 1 where a robot may start or be sent, None for every free cell. All arrays are copied
    and read-only. Raises `InstanceError` when the parts contradict each other.
    """

    name: str
    grid: NDArray[np.uint8]
    starts: NDArray[np.int32] | None = None
    goals: NDArray[np.int32] | None = None
    start_pool: NDArray[np.uint8] | None = None
    goal_pool: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        grid = np.asarray(self.grid)
        if grid.ndim != 2 or not (1 <= grid.shape[0] <= MAX_SIDE and 1 <= grid.shape[1] <= MAX_SIDE):
            raise InstanceError(f"map {self.name!r} has shape {grid.shape}; both sides are 1 to {MAX_SIDE}")
        object.__setattr__(self, "grid", _frozen(grid != 0, np.uint8, grid.shape, "grid"))
        for field in ("start_pool", "goal_pool"):
            pool = getattr(self, field)
            if pool is not None:
                pool = _frozen(np.asarray(pool) != 0, np.uint8, grid.shape, field)
                if (pool.astype(bool) & (self.grid != 0)).any():
                    raise InstanceError(f"map {self.name!r}: an obstacle is in {field}")
                object.__setattr__(self, field, pool)
        if (self.starts is None) != (self.goals is None):
            raise InstanceError(f"map {self.name!r} has starts or goals without the other; give both or neither")
        if self.starts is not None and self.goals is not None:
            robots = (int(np.size(self.starts)),)
            for field in ("starts", "goals"):
                object.__setattr__(self, field, _frozen(getattr(self, field), np.int32, robots, field))
                self._check_cells(field, getattr(self, field))

    def _check_cells(self, field: str, cells: NDArray[np.int32]) -> None:
        for robot, cell in enumerate(cells.tolist()):
            row, column = divmod(cell, self.width)
            where = f"map {self.name!r}: {field}[{robot}] is cell {cell} (row {row}, column {column})"
            if not 0 <= cell < self.grid.size:
                raise InstanceError(f"{where}, outside the {self.height}x{self.width} map")
            if self.grid[row, column]:
                raise InstanceError(f"{where}, an obstacle")
        if field == "starts" and len(set(cells.tolist())) < len(cells):
            raise InstanceError(f"map {self.name!r}: two robots start in one cell")

    @property
    def height(self) -> int:
        """The number of rows."""
        return int(self.grid.shape[0])

    @property
    def width(self) -> int:
        """The number of columns."""
        return int(self.grid.shape[1])

    @property
    def free_cells(self) -> int:
        """How many cells are free."""
        return int((self.grid == 0).sum())

    @property
    def hash(self) -> str:
        """BLAKE2b (32 hex digits) over height and width (little-endian int64) and the cells; not the name."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(np.array(self.grid.shape, "<i8").tobytes())
        digest.update(self.grid.tobytes())
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        """Two maps are equal when all their parts are, the name included."""
        if not isinstance(other, GridMap):
            return NotImplemented
        return self.name == other.name and all(
            (mine is None and theirs is None)
            or (mine is not None and theirs is not None and np.array_equal(mine, theirs))
            for mine, theirs in zip(self._arrays(), other._arrays(), strict=True)
        )

    def __hash__(self) -> int:
        return hash((self.name, self.hash))

    def _arrays(self) -> Iterable[NDArray[np.generic] | None]:
        return self.grid, self.starts, self.goals, self.start_pool, self.goal_pool


def read_lines(path: str | PathLike[str], limit: int = 2**26) -> list[str]:
    """Return the lines of a UTF-8 text file, without line ends and without empty lines at its end.

    Raises `FileFormatError` when the file is missing, not a file, empty, not UTF-8 or longer than `limit`
    bytes.
    """
    file = Path(path)
    if not file.is_file():
        raise FileFormatError(path, "is a folder" if file.is_dir() else "no such file")
    if file.stat().st_size > limit:
        raise FileFormatError(path, f"is longer than {limit} bytes")
    content = file.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileFormatError(path, f"is not UTF-8 text (byte {content[error.start]:#04x})", line) from error
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise FileFormatError(path, "is empty")
    return lines


# --- MovingAI


def _header(lines: list[str], path: object) -> tuple[int, int]:
    """Check the four lines before the rows; return height and width."""
    sides: dict[str, int] = {}
    wanted = [("type",), ("height", "width"), ("height", "width"), ("map",)]
    for number, names in enumerate(wanted, 1):
        words = lines[number - 1].split() if number <= len(lines) else []
        if not words or words[0] not in names or words[0] in sides:
            given = repr(lines[number - 1][:40]) if number <= len(lines) else "the end of the file"
            raise FileFormatError(path, f"expected {' or '.join(names)}, got {given}", number)
        if names == ("type",) and words != ["type", "octile"]:
            raise FileFormatError(path, f"expected 'type octile', got {lines[0][:40]!r}", number)
        if names == ("map",) and len(words) > 1:
            raise FileFormatError(path, f"expected 'map', got {lines[3][:40]!r}", number)
        if len(names) == 2:
            if len(words) != 2 or not words[1].isdecimal():
                raise FileFormatError(path, f"expected '{words[0]} <integer>', got {lines[number - 1][:40]!r}", number)
            side = int(words[1]) if len(words[1]) < 10 else MAX_SIDE + 1
            if not 1 <= side <= MAX_SIDE:
                raise FileFormatError(path, f"{words[0]} is {words[1][:20]}; 1 to {MAX_SIDE} are supported", number)
            sides[words[0]] = side
    return sides["height"], sides["width"]


def parse_map(lines: list[str], name: str, path: object = "<text>", lorr: bool = False) -> GridMap:
    """Return the map in the lines of a MovingAI `.map` file; see `read_map`. `path` is named in errors."""
    height, width = _header(lines, path)
    if len(lines) - 4 != height:
        reason = f"height is {height}, but there are {len(lines) - 4} rows"
        raise FileFormatError(path, reason, min(len(lines), height + 5))
    known = dict.fromkeys(_FREE, "0") | dict.fromkeys(_BLOCKED, "1")
    if lorr:
        known |= dict.fromkeys(_LORR_FREE, "0")
    digits = str.maketrans(known)
    grid = np.empty((height, width), np.uint8)
    for row, line in enumerate(lines[4:]):
        if len(line) != width:
            raise FileFormatError(path, f"the row has {len(line)} characters; width is {width}", row + 5)
        column = next((i for i, character in enumerate(line) if character not in known), None)
        if column is not None:
            hint = " (a station of the League of Robot Runners: give lorr=True)" if line[column] == "E" else ""
            reason = f"unknown character {line[column]!r} in column {column + 1}{hint}; known: {''.join(known)}"
            raise FileFormatError(path, reason, row + 5)
        grid[row] = np.frombuffer(line.translate(digits).encode(), np.uint8) - ord("0")
    return GridMap(name, grid)


def read_map(path: str | PathLike[str], lorr: bool = False) -> GridMap:
    """Read a MovingAI `.map` file; the map is named for the file.

    With `lorr`, the stations `E` and `S` of the League of Robot Runners are free; without it, `S` (swamp) is
    blocked and `E` unknown. Raises `FileFormatError` (file, line, reason).
    """
    return parse_map(read_lines(path), Path(path).stem, path, lorr)


def format_map(grid_map: GridMap) -> str:
    """Return the text of a `.map` file: the cells only, obstacles as `@`."""
    rows = ["".join("@" if cell else "." for cell in row) for row in grid_map.grid.tolist()]
    return "\n".join(["type octile", f"height {grid_map.height}", f"width {grid_map.width}", "map", *rows, ""])


def write_map(path: str | PathLike[str], grid_map: GridMap) -> None:
    """Write a `.map` file: the cells only, obstacles as `@`."""
    Path(path).write_text(format_map(grid_map), encoding="utf-8", newline="\n")


# --- POGEMA


def parse_pogema(text: str, name: str, path: object = "<text>") -> GridMap:
    """Return the map of a POGEMA map string.

    `.` is free, `#` blocked, `@` free and only a start, `$` free and only a goal, `!` free and neither; `a`
    to `z` are starts and `A` to `Z` the goals of the same robots, in the order of the alphabet. Lines may be
    indented, empty lines at both ends are dropped. Pools are None when no `@`, `$` or `!` occurs. Raises
    `FileFormatError`.
    """
    lines = [line.strip() for line in text.split("\n")]
    offset = next((i for i, line in enumerate(lines) if line), 0)
    lines = lines[offset:]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise FileFormatError(path, "the map is empty")
    height, width = len(lines), len(lines[0])
    if height > MAX_SIDE or width > MAX_SIDE:
        raise FileFormatError(path, f"the map is {height}x{width}; sides up to {MAX_SIDE} are supported")
    grid = np.zeros((height, width), np.uint8)
    start_pool, goal_pool = np.ones_like(grid), np.ones_like(grid)
    robots: dict[str, int] = {}
    for row, line in enumerate(lines):
        at = offset + row + 1
        if len(line) != width:
            raise FileFormatError(path, f"the row has {len(line)} characters, the first one {width}", at)
        for column, character in enumerate(line):
            if character in _START_LETTERS or character in _GOAL_LETTERS:
                if character in robots:
                    raise FileFormatError(path, f"{character!r} occurs twice", at)
                robots[character] = row * width + column
            elif character not in ".#@$!":
                reason = f"unknown character {character!r} in column {column + 1}; known: .#@$! and letters"
                raise FileFormatError(path, reason, at)
            grid[row, column] = character == "#"
            start_pool[row, column] = character not in "#$!"
            goal_pool[row, column] = character not in "#@!"
    starts, goals = _robots(robots, path)
    if set("@$!").isdisjoint("".join(lines)):
        return GridMap(name, grid, starts, goals)
    return GridMap(name, grid, starts, goals, start_pool, goal_pool)


def _robots(letters: dict[str, int], path: object) -> tuple[NDArray[np.int32] | None, NDArray[np.int32] | None]:
    """Starts and goals in the order of the alphabet; every robot has both."""
    for letter in sorted(letters):
        if letter.swapcase() not in letters:
            what = ("start", "goal") if letter.islower() else ("goal", "start")
            raise FileFormatError(path, f"{what[0]} {letter!r} has no {what[1]} {letter.swapcase()!r}")
    names = sorted(letter for letter in letters if letter.islower())
    if not names:
        return None, None
    starts, goals = [letters[n] for n in names], [letters[n.upper()] for n in names]
    return np.array(starts, np.int32), np.array(goals, np.int32)


def read_pogema(path: str | PathLike[str]) -> GridMap:
    """Read a file that holds one POGEMA map string; the map is named for the file. See `parse_pogema`."""
    return parse_pogema("\n".join(read_lines(path)), Path(path).stem, path)


def format_pogema(grid_map: GridMap) -> str:
    """Return the POGEMA map string of a map, with its pools and robots.

    Raises `InstanceError` for what the letters cannot say: more than 26 robots, two letters in one cell, a
    letter in a cell that is not in both pools.
    """
    blocked = grid_map.grid != 0
    start = ~blocked if grid_map.start_pool is None else grid_map.start_pool != 0
    goal = ~blocked if grid_map.goal_pool is None else grid_map.goal_pool != 0
    text = np.where(blocked, "#", np.where(start & goal, ".", np.where(start, "@", np.where(goal, "$", "!"))))
    flat = text.reshape(-1)
    robots = 0 if grid_map.starts is None else len(grid_map.starts)
    if robots > len(_START_LETTERS):
        raise InstanceError(f"a POGEMA map has letters for 26 robots; this one has {robots}")
    for letters, cells in ((_START_LETTERS, grid_map.starts), (_GOAL_LETTERS, grid_map.goals)):
        for letter, cell in zip(letters, [] if cells is None else cells.tolist(), strict=False):
            if flat[cell] != ".":
                raise InstanceError(
                    f"cell {cell} cannot be {letter!r} in a POGEMA map: it is {str(flat[cell])!r} already"
                )
            flat[cell] = letter
    return "\n".join("".join(row) for row in text.tolist())


# --- the maps of the suite


def _shelf() -> Traversable:
    return importlib.resources.files("ludarium.scenarios") / "maps"


def map_names() -> list[str]:
    """Return the names of the maps that come with the suite, sorted."""
    return sorted(entry.name[:-4] for entry in _shelf().iterdir() if entry.name.endswith(".map"))


def load_map(name: str | PathLike[str]) -> GridMap:
    """Return a map of the suite by its name, read the `.map` file at a path, or parse a POGEMA text map.

    A text map is told by its line break. Raises `InstanceError` for a name that is none of these,
    `FileFormatError` for a file or text that cannot be read.
    """
    if "\n" in str(name):
        return parse_pogema(str(name), "text map")
    known = map_names()
    if name in known:
        text = (_shelf() / f"{name}.map").read_text(encoding="utf-8")
        return parse_map(text.splitlines(), str(name), f"{name}.map")
    path = Path(name)
    if path.suffix == ".map" or len(path.parts) > 1 or path.exists():
        return read_map(path)
    raise InstanceError(f"there is no map {str(name)!r}{did_you_mean(str(name), known)}; or give a path to a .map file")
