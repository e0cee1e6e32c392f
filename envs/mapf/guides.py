"""Cost-to-go maps of a grid: one breadth-first search per distinct goal, kept for as long as memory allows.

Every planner asks "how many steps from here to that goal?" thousands of times an episode. `Guides` answers
from one table of maps, `int32[S, H * W]`, that compiled planners index directly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ludarium.envs.core.compile import kernel
from ludarium.envs.core.errors import ConfigError, InstanceError
from ludarium.envs.mapf.grid import UNREACHABLE, neighbours

__all__ = ["Guides"]

_SMALLEST = 16  # rows of the first table
_NONE, _LISTED = -1, -2  # in place of a row number


@kernel
def _lookup(
    cells: NDArray[np.int64],
    obstacle: NDArray[np.uint8],
    row_of: NDArray[np.int32],
    used: NDArray[np.int64],
    tick: int,
    missing: NDArray[np.int64],
) -> int:
    """Mark the rows of `cells` as used at `tick`, and list each cell without a row once.

    Return the length of the list, or -1 - i when cell i is outside or an obstacle.
    """
    for i in range(cells.shape[0]):
        cell = np.int64(cells[i])
        if cell < 0 or cell >= obstacle.shape[0] or obstacle[cell]:
            return -1 - i
    count = 0
    for i in range(cells.shape[0]):
        cell = np.int64(cells[i])
        row = np.int64(row_of[cell])
        if row >= 0:
            used[row] = tick
        elif row == _NONE:
            row_of[cell] = _LISTED
            missing[count] = cell
            count += 1
    return count


@kernel
def _search(
    blank: NDArray[np.int32],
    width: int,
    source: int,
    padded: NDArray[np.int32],
    queue: NDArray[np.int32],
    out: NDArray[np.int32],
) -> None:
    """Fill `out[H * W]` with the steps to `source`, as `grid.bfs` does, 1.5 times as fast.

    The grid has a border of obstacles here (rows of `width + 1`), so that no neighbour needs a check, and
    every neighbour is written, fresh or not, so that no branch is mispredicted. `padded` and `queue` are
    scratch.
    """
    for i in range(blank.shape[0]):
        padded[i] = blank[i]
    one, stride = np.uint64(1), np.uint64(width + 1)
    start = np.uint64((source // width + 1) * (width + 1) + source % width)
    padded[start] = 0
    queue[0] = start
    head, tail = np.uint64(0), np.uint64(1)
    while head < tail:
        cell = np.uint64(queue[head])
        head += one
        further = np.int32(padded[cell] + 1)
        for near in (cell - stride, cell + stride, cell - one, cell + one):
            fresh = padded[near] == UNREACHABLE
            padded[near] = further if fresh else padded[near]
            queue[tail] = near
            tail += np.uint64(fresh)
    for row in range(out.shape[0] // width):
        inside, outside = row * width, (row + 1) * (width + 1)
        for column in range(width):
            steps = padded[outside + column]
            out[inside + column] = steps if steps >= 0 else UNREACHABLE


@kernel
def _fill(
    blank: NDArray[np.int32],
    width: int,
    missing: NDArray[np.int64],
    size: int,
    table: NDArray[np.int32],
    row_of: NDArray[np.int32],
    padded: NDArray[np.int32],
    queue: NDArray[np.int32],
) -> None:
    """Search from every missing cell into the rows of the table from `size` on."""
    for i in range(missing.shape[0]):
        cell = int(missing[i])
        _search(blank, width, cell, padded, queue, table[size + i])
        row_of[cell] = size + i


def _blank(grid: NDArray[np.uint8]) -> NDArray[np.int32]:
    """The grid inside a border, row after row: UNREACHABLE where free, -1 in obstacles and the border."""
    height, width = grid.shape
    padded = np.full((height + 2, width + 1), -1, np.int32)
    padded[1:-1, :-1][grid == 0] = UNREACHABLE
    return padded.reshape(-1)


class Guides:
    """Distance maps to goals on one grid, with least recently used maps forgotten when memory is short.

    Distances are steps of 4-connected moves without other robots; `UNREACHABLE` where there is no way
    (obstacles too). A map once handed out is never overwritten: when the table is full, a new one is made
    from the maps used last. So the size of the cache changes time and memory but never a result, and arrays
    from earlier calls stay right. (During that copy the memory is up to one and a half times the bound.) Not
    for use from two threads at once.
    """

    def __init__(self, grid: ArrayLike, max_bytes: int = 256 * 2**20) -> None:
        """Make an empty cache for a grid (array-like `[H, W]`, nonzero = obstacle) bounded by `max_bytes`.

        Maps needed by one call of `table` are always held together, even beyond the bound. Raises
        `ConfigError` for a negative bound, `InstanceError` for a grid that is not a two-dimensional array of
        at least one cell.
        """
        if max_bytes < 0:
            raise ConfigError(f"max_bytes is {max_bytes}; give 0 or more")
        array = np.asarray(grid)
        if array.ndim != 2 or array.size == 0:
            raise InstanceError(f"a grid has shape (height, width), both at least 1; got shape {array.shape}")
        self._grid = np.ascontiguousarray(array != 0).astype(np.uint8)
        self._max_bytes = int(max_bytes)
        cells = self._grid.size
        self._limit = max(1, self._max_bytes // (4 * cells))
        self._obstacle = self._grid.reshape(-1)
        self._neighbour = neighbours(self._grid)
        self._row_of = np.full(cells, _NONE, np.int32)
        self._blank = _blank(self._grid)
        self._padded = np.empty_like(self._blank)
        self._queue = np.empty(cells + 1, np.int32)  # the last neighbour is written, if not counted
        self._tick = 0
        self._size = 0
        self._allocate(min(self._limit, _SMALLEST))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy the grid and the bound only; the maps are searched again when they are needed."""
        return Guides, (self._grid, self._max_bytes)

    def __len__(self) -> int:
        """Return how many maps are held."""
        return self._size

    @property
    def neighbours(self) -> NDArray[np.int32]:
        """The grid's neighbour table, `int32[H * W, 5]` (see `grid.neighbours`); do not write."""
        return self._neighbour

    def row(self, cell: int) -> NDArray[np.int32]:
        """Return the steps from every cell to `cell`, `int32[H * W]`; do not write.

        Raises `InstanceError` when `cell` is outside the grid or an obstacle.
        """
        self._need(np.array([cell], np.int64))
        return self._table[self._row_of[cell]]

    def table(self, cells: ArrayLike) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return `(int32[S, H * W], rows int32[N])`: row `rows[i]` of the table is the map to `cells[i]`.

        Do not write. The table may be another object at the next call; this one stays right. Raises
        `InstanceError` when a cell is outside the grid or an obstacle.
        """
        wanted = np.ascontiguousarray(cells, np.int64).reshape(-1)
        self._need(wanted)
        return self._table, self._row_of[wanted]

    def _need(self, cells: NDArray[np.int64]) -> None:
        """See to it that every cell listed has a row."""
        self._tick += 1
        missing = np.empty(cells.size, np.int64)
        count = int(_lookup(cells, self._obstacle, self._row_of, self._used, self._tick, missing))
        if count < 0:
            cell, (height, width) = int(cells[-1 - count]), self._grid.shape
            inside = 0 <= cell < height * width
            what = f"an obstacle (row {cell // width}, column {cell % width})" if inside else "outside"
            raise InstanceError(f"goal {cell} is {what}; give a free cell of this {height}x{width} grid")
        if count == 0:
            return
        if self._size + count > len(self._table):
            self._make_room(count)
        missing = missing[:count]
        _fill(
            self._blank,
            self._grid.shape[1],
            missing,
            self._size,
            self._table,
            self._row_of,
            self._padded,
            self._queue,
        )
        end = self._size + count
        self._cell_of[self._size : end] = missing
        self._used[self._size : end] = self._tick
        self._size = end

    def _make_room(self, count: int) -> None:
        """Move to a new table with room for `count` more maps, leaving the least recently used if it must be.

        Half of the bound is freed at once: a stream of new goals copies about one map for each that it adds.
        """
        size, capacity = self._size, self._limit
        if size + count <= self._limit:
            keep = np.arange(size)
            capacity = min(self._limit, max(2 * size, size + count))
        else:
            in_use = int(np.count_nonzero(self._used[:size] == self._tick))
            kept = max(in_use, min(size, self._limit // 2, self._limit - count))
            newest_first = np.argsort(-self._used[:size], kind="stable")
            keep = np.sort(newest_first[:kept])
            if kept + count > self._limit:
                capacity = (kept + count) * 3 // 2
        table, cell_of, used = self._table, self._cell_of, self._used
        self._row_of[cell_of[:size]] = _NONE
        self._allocate(capacity)
        self._size = len(keep)
        self._table[: self._size] = table[keep]
        self._cell_of[: self._size] = cell_of[keep]
        self._used[: self._size] = used[keep]
        self._row_of[self._cell_of[: self._size]] = np.arange(self._size)

    def _allocate(self, rows: int) -> None:
        self._table = np.empty((rows, self._grid.size), np.int32)
        self._cell_of = np.full(rows, -1, np.int64)
        self._used = np.zeros(rows, np.int64)
