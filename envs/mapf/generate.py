"""Maps from a seed: random obstacles, mazes, rooms, warehouses and cities.

Each kernel writes 0 (free) or 1 (obstacle) into every cell of `grid[:height, :width]` and touches nothing
else, so that worlds of different sizes are generated in place in one padded batch. Nothing is allocated.
Chance comes from `draw(key, STREAM_MAP, ...)` at coordinates of the map itself (cell, room, block), never of
the buffer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel
from ludarium.envs.core.errors import ConfigError, did_you_mean
from ludarium.envs.core.rng import below, draw, episode_key, unit

__all__ = [
    "KINDS",
    "MAX_SIDE",
    "STREAM_MAP",
    "MapKind",
    "Parameter",
    "city_map",
    "draw_map",
    "generate_grid",
    "lattice_map",
    "map_scalars",
    "maze_map",
    "random_map",
    "room_map",
    "warehouse_map",
]

STREAM_MAP = 1
MAX_SIDE = 4096
RANDOM, MAZE, ROOM, WAREHOUSE, CITY = 0, 1, 2, 3, 4

# What a draw at lattice or block coordinates is for: its last coordinate. 1 to 4: the way out of a maze node.
_DOOR_RIGHT, _DOOR_DOWN, _LOOP_RIGHT, _LOOP_DOWN = 5, 6, 7, 8
_ORIGIN, _DEPTH, _SPAN, _STREET_DOWN, _STREET_RIGHT, _PLAZA, _ALLEY, _NOTCH, _AVENUE = (
    9,
    10,
    11,
    12,
    13,
    14,
    15,
    16,
    32,
)
_UNSEEN, _SEEN = 1, 2  # marks of a lattice node while its tree grows; _SEEN + k: reached by the step back k


@kernel
def random_map(key: np.uint64, grid: NDArray[np.uint8], height: int, width: int, density: float) -> None:
    """Every cell is an obstacle with probability `density`, independently."""
    for row in range(height):
        for column in range(width):
            grid[row, column] = unit(draw(key, STREAM_MAP, row, column, 0)) < density


@kernel
def _open_right(key: np.uint64, grid: NDArray[np.uint8], height: int, i: int, j: int, size: int, gap: int) -> None:
    """Open a door of `gap` cells, at a drawn place, between lattice rooms (i, j) and (i, j + 1)."""
    top = i * (size + 1)
    extent = min(size, height - top)
    door = min(gap, extent)
    top += below(draw(key, STREAM_MAP, i, j, _DOOR_RIGHT), extent - door + 1)
    for row in range(top, top + door):
        grid[row, j * (size + 1) + size] = 0


@kernel
def _open_down(key: np.uint64, grid: NDArray[np.uint8], width: int, i: int, j: int, size: int, gap: int) -> None:
    """Open a door of `gap` cells, at a drawn place, between lattice rooms (i, j) and (i + 1, j)."""
    left = j * (size + 1)
    extent = min(size, width - left)
    door = min(gap, extent)
    left += below(draw(key, STREAM_MAP, i, j, _DOOR_DOWN), extent - door + 1)
    for column in range(left, left + door):
        grid[i * (size + 1) + size, column] = 0


@kernel
def _unseen(grid: NDArray[np.uint8], rows: int, columns: int, i: int, j: int, pitch: int) -> bool:
    return 0 <= i < rows and 0 <= j < columns and grid[i * pitch, j * pitch] == _UNSEEN


@kernel
def _grow_tree(key: np.uint64, grid: NDArray[np.uint8], height: int, width: int, size: int, gap: int) -> None:
    """Open the doors of a spanning tree of the lattice by a random depth-first walk.

    The walk keeps its way back in the corner cell of each room, so that it needs no stack. A room is left for
    a new one once for each number of new neighbours, so that number tells the draws of a room apart.
    """
    pitch = size + 1
    rows, columns = (height + size) // pitch, (width + size) // pitch
    i, j = rows // 2, columns // 2
    grid[i * pitch, j * pitch] = _SEEN
    while True:
        up = _unseen(grid, rows, columns, i - 1, j, pitch)
        down = _unseen(grid, rows, columns, i + 1, j, pitch)
        left = _unseen(grid, rows, columns, i, j - 1, pitch)
        right = _unseen(grid, rows, columns, i, j + 1, pitch)
        count = int(up) + int(down) + int(left) + int(right)
        if count == 0:
            back = int(grid[i * pitch, j * pitch]) - _SEEN
            if back == 0:
                return
            i += int(back == 1) - int(back == 2)
            j += int(back == 3) - int(back == 4)
            continue
        chosen = below(draw(key, STREAM_MAP, i, j, count), count)
        if up and chosen == 0:
            i -= 1
            _open_down(key, grid, width, i, j, size, gap)
            grid[i * pitch, j * pitch] = _SEEN + 1
        elif down and chosen == int(up):
            _open_down(key, grid, width, i, j, size, gap)
            i += 1
            grid[i * pitch, j * pitch] = _SEEN + 2
        elif left and chosen == int(up) + int(down):
            j -= 1
            _open_right(key, grid, height, i, j, size, gap)
            grid[i * pitch, j * pitch] = _SEEN + 3
        else:
            _open_right(key, grid, height, i, j, size, gap)
            j += 1
            grid[i * pitch, j * pitch] = _SEEN + 4


@kernel
def lattice_map(
    key: np.uint64, grid: NDArray[np.uint8], height: int, width: int, size: int, gap: int, loops: float
) -> None:
    """Square rooms of `size` cells with walls of one cell, all connected by doors of `gap` cells.

    The doors of a random spanning tree are open (a depth-first walk: long ways), every other one with
    probability `loops`. Rooms at the lower and right border are cut where the map ends.
    """
    for row in range(height):
        for column in range(width):
            grid[row, column] = 1
    _grow_tree(key, grid, height, width, size, gap)
    pitch = size + 1
    rows, columns = (height + size) // pitch, (width + size) // pitch
    for row in range(height):
        for column in range(width):
            if row % pitch < size and column % pitch < size:
                grid[row, column] = 0
    for i in range(rows):
        for j in range(columns):
            if j + 1 < columns and unit(draw(key, STREAM_MAP, i, j, _LOOP_RIGHT)) < loops:
                _open_right(key, grid, height, i, j, size, gap)
            if i + 1 < rows and unit(draw(key, STREAM_MAP, i, j, _LOOP_DOWN)) < loops:
                _open_down(key, grid, width, i, j, size, gap)


@kernel
def maze_map(key: np.uint64, grid: NDArray[np.uint8], height: int, width: int, corridor: int, loops: float) -> None:
    """A perfect maze with corridors of `corridor` cells, then each inner wall opened with rate `loops`.

    With corridor 1 and loops 0 the free cells are a tree. On even sides the last row and column are wall.
    """
    lattice_map(key, grid, height, width, corridor, corridor, loops)


@kernel
def room_map(key: np.uint64, grid: NDArray[np.uint8], height: int, width: int, room: int, loops: float) -> None:
    """Rooms as in the room maps of the MovingAI benchmark: squares of `room` cells with doors of one cell."""
    lattice_map(key, grid, height, width, room, 1, loops)


@kernel
def warehouse_map(
    key: np.uint64,
    grid: NDArray[np.uint8],
    height: int,
    width: int,
    length: int,
    depth: int,
    aisle: int,
    margin: int,
    missing: float,
) -> None:
    """Shelves of `depth` x `length` cells in the middle of a free floor.

    `aisle` rows separate the shelves from those above, one column from those beside; at least one row stays
    free above and below, `margin` columns on both sides. A shelf is missing with probability `missing`. The
    warehouse of the POGEMA benchmark is 33 x 46 with length 10, depth 1, aisle 3, margin 7.
    """
    down = max(0, (height - 2 + aisle) // (depth + aisle))
    across = max(0, (width - 2 * margin + 1) // (length + 1))
    top = (height - down * (depth + aisle) + aisle) // 2
    left = (width - across * (length + 1) + 1) // 2
    for row in range(height):
        for column in range(width):
            grid[row, column] = 0
    for i in range(down):
        for j in range(across):
            if unit(draw(key, STREAM_MAP, i, j, 0)) < missing:
                continue
            for row in range(top + i * (depth + aisle), top + i * (depth + aisle) + depth):
                for column in range(left + j * (length + 1), left + j * (length + 1) + length):
                    grid[row, column] = 1


@kernel
def _fill(
    grid: NDArray[np.uint8], height: int, width: int, top: int, left: int, bottom: int, right: int, value: int
) -> None:
    """Set the part of rows top..bottom-1, columns left..right-1 that lies on the map."""
    for row in range(max(0, top), min(height, bottom)):
        for column in range(max(0, left), min(width, right)):
            grid[row, column] = value


@kernel
def _building(
    key: np.uint64,
    grid: NDArray[np.uint8],
    height: int,
    width: int,
    top: int,
    left: int,
    depth: int,
    span: int,
    i: int,
    j: int,
    irregular: float,
) -> None:
    """A house on the block; pieces cut from its corners lie open to the street above or below."""
    bottom, right = top + depth, left + span
    _fill(grid, height, width, top, left, bottom, right, 1)
    for corner in range(4):
        upper, west = corner < 2, corner % 2 == 0
        on_street = top > 0 if upper else bottom < height
        if not on_street or unit(draw(key, STREAM_MAP, i, j, _NOTCH + corner)) >= irregular:
            continue
        cut_down = 1 + below(draw(key, STREAM_MAP, i, j, _NOTCH + 4 + corner), max(1, depth // 2))
        cut_across = 1 + below(draw(key, STREAM_MAP, i, j, _NOTCH + 8 + corner), max(1, span // 2))
        from_row = top if upper else bottom - cut_down
        from_column = left if west else right - cut_across
        _fill(grid, height, width, from_row, from_column, from_row + cut_down, from_column + cut_across, 0)


@kernel
def _avenue(key: np.uint64, grid: NDArray[np.uint8], height: int, width: int, number: int, street: int) -> None:
    """Cut an avenue, at least two cells wide, from a drawn column of the first row to one of the last."""
    if height < 2:
        return
    start = below(draw(key, STREAM_MAP, number, 0, _AVENUE), width)
    change = below(draw(key, STREAM_MAP, number, 1, _AVENUE), width) - start
    reach = max(street, 2) * max(height - 1, abs(change))
    for row in range(height):
        for column in range(width):
            if 2 * abs((column - start) * (height - 1) - change * row) <= reach:
                grid[row, column] = 0


@kernel
def city_map(
    key: np.uint64,
    grid: NDArray[np.uint8],
    height: int,
    width: int,
    block: int,
    street: int,
    avenues: int,
    plaza: float,
    irregular: float,
) -> None:
    """A city: rows of blocks of half to one and a half times `block` cells between streets of `street` cells.

    A street is one cell wider once in four. A block is a plaza (with a monument) with probability `plaza`, else a
    house; each corner of a house is cut out with probability `irregular`; a quarter as often the street to the
    right of a block is built up. `avenues` straight diagonals cut through the blocks. Streets between rows of blocks
    are open from side to side, and so is one street across each row: all free cells are connected on maps higher
    and wider than one and a half blocks.
    """
    _fill(grid, height, width, 0, 0, height, width, 0)
    low = (block + 1) // 2
    top, i = -below(draw(key, STREAM_MAP, 0, 0, _ORIGIN), low), 0
    while top < height:
        depth = low + below(draw(key, STREAM_MAP, i, 0, _DEPTH), block)
        left, j, crossed = -below(draw(key, STREAM_MAP, i, 1, _ORIGIN), low + street), 0, False
        while left < width:
            span = low + below(draw(key, STREAM_MAP, i, j, _SPAN), block)
            gap = street + int(below(draw(key, STREAM_MAP, i, j, _STREET_RIGHT), 4) == 0)
            if unit(draw(key, STREAM_MAP, i, j, _PLAZA)) < plaza:
                middle_row, middle = top + depth // 2, left + span // 2
                if depth >= 3 and span >= 3:
                    _fill(grid, height, width, middle_row, middle, middle_row + 1, middle + 1, 1)
            else:
                _building(key, grid, height, width, top, left, depth, span, i, j, irregular)
            if crossed and unit(draw(key, STREAM_MAP, i, j, _ALLEY)) < 0.25 * irregular:
                _fill(grid, height, width, top, left + span, top + depth, left + span + gap, 1)
            crossed = True  # the first street that crosses these blocks stays open
            left += span + gap
            j += 1
        top += depth + street + int(below(draw(key, STREAM_MAP, i, 0, _STREET_DOWN), 4) == 0)
        i += 1
    for number in range(avenues):
        _avenue(key, grid, height, width, number, street)


@kernel
def draw_map(
    kind: int,
    key: np.uint64,
    grid: NDArray[np.uint8],
    height: int,
    width: int,
    a: int,
    b: int,
    c: int,
    d: int,
    p: float,
    q: float,
) -> None:
    """Write the map of a kind (a code of `KINDS`) with the parameters that `map_scalars` returns."""
    if kind == RANDOM:
        random_map(key, grid, height, width, p)
    elif kind == MAZE:
        maze_map(key, grid, height, width, a, p)
    elif kind == ROOM:
        room_map(key, grid, height, width, a, p)
    elif kind == WAREHOUSE:
        warehouse_map(key, grid, height, width, a, b, c, d, p)
    else:
        city_map(key, grid, height, width, a, b, c, p, q)


class Parameter(NamedTuple):
    """A parameter of a kind of map: its slot in `draw_map` (`a` to `d` integers, `p`, `q` floats)."""

    slot: str
    default: float
    low: float
    high: float


class MapKind(NamedTuple):
    """A kind of map: the code for `draw_map` and its parameters by name."""

    code: int
    parameters: dict[str, Parameter]


KINDS: dict[str, MapKind] = {
    "random": MapKind(RANDOM, {"density": Parameter("p", 0.3, 0.0, 1.0)}),
    "maze": MapKind(MAZE, {"corridor": Parameter("a", 1, 1, MAX_SIDE), "loops": Parameter("p", 0.2, 0.0, 1.0)}),
    "room": MapKind(ROOM, {"room": Parameter("a", 4, 1, MAX_SIDE), "loops": Parameter("p", 0.5, 0.0, 1.0)}),
    "warehouse": MapKind(
        WAREHOUSE,
        {
            "length": Parameter("a", 10, 1, MAX_SIDE),
            "depth": Parameter("b", 1, 1, MAX_SIDE),
            "aisle": Parameter("c", 3, 1, MAX_SIDE),
            "margin": Parameter("d", 7, 1, MAX_SIDE),
            "missing": Parameter("p", 0.0, 0.0, 1.0),
        },
    ),
    "city": MapKind(
        CITY,
        {
            "block": Parameter("a", 8, 1, MAX_SIDE),
            "street": Parameter("b", 3, 1, MAX_SIDE),
            "avenues": Parameter("c", 1, 0, 64),
            "plaza": Parameter("p", 0.1, 0.0, 1.0),
            "irregular": Parameter("q", 0.3, 0.0, 1.0),
        },
    ),
}


def map_scalars(kind: str, **parameters: float) -> tuple[int, int, int, int, int, float, float]:
    """Return `(code, a, b, c, d, p, q)` for `draw_map`: the parameters given, defaults for the others.

    Raises `ConfigError` for an unknown kind or parameter and for a value of the wrong type or out of bounds.
    """
    if kind not in KINDS:
        raise ConfigError(f"unknown kind of map {kind!r}{did_you_mean(kind, KINDS)}")
    known = KINDS[kind].parameters
    slots: dict[str, float] = {"a": 0, "b": 0, "c": 0, "d": 0, "p": 0.0, "q": 0.0}
    for name in parameters:
        if name not in known:
            raise ConfigError(f"a {kind} map has no parameter {name!r}{did_you_mean(name, known)}")
    for name, (slot, default, low, high) in known.items():
        value = parameters.get(name, default)
        whole = slot in "abcd"
        types = (int, np.integer) if whole else (int, float, np.integer, np.floating)
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, types) or not low <= value <= high:
            what = "an integer" if whole else "a number"
            raise ConfigError(f"{name} of a {kind} map is {value!r}; give {what} from {low} to {high}")
        slots[slot] = int(value) if whole else float(value)
    a, b, c, d = (int(slots[slot]) for slot in "abcd")
    return KINDS[kind].code, a, b, c, d, slots["p"], slots["q"]


def generate_grid(kind: str, height: int, width: int, seed: int, **parameters: float) -> NDArray[np.uint8]:
    """Return the map `uint8[height, width]` (1 = obstacle) that an episode with this seed draws.

    Raises `ConfigError` for sides outside 1..4096 and for what `map_scalars` refuses.
    """
    for name, side in (("height", height), ("width", width)):
        if not 1 <= side <= MAX_SIDE:
            raise ConfigError(f"{name} is {side}; give 1 to {MAX_SIDE}")
    code, a, b, c, d, p, q = map_scalars(kind, **parameters)
    grid = np.empty((height, width), np.uint8)
    draw_map(code, np.uint64(episode_key(seed)), grid, height, width, a, b, c, d, p, q)
    return grid
