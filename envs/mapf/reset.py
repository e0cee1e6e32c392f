"""How episodes of path finding begin: maps are drawn, loaded or taken from the pool, and robots put on them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.bytes import flat
from ludarium.envs.core.compile import inner, special, tight
from ludarium.envs.core.rng import draw, episode_key
from ludarium.envs.mapf.collisions import FREE, WALL
from ludarium.envs.mapf.dynamics import GENERATED, LOADED, RESTART, USUAL, Pool, Scalars, State, crowding
from ludarium.envs.mapf.generate import city_map, maze_map, random_map, room_map, warehouse_map
from ludarium.envs.mapf.placement import component_lists, distinct_goals, first_goals, place_starts

__all__ = ["LAY", "lay_loaded", "reset"]

STREAM_SLOT = 4


@inner
def _lay(
    grid: NDArray[np.uint8], height: int, width: int, pad: int, walls: NDArray[np.uint8], occ: NDArray[np.int16]
) -> None:
    """Put a map into padded grids: the map, one cell of wall around it, free ground beyond."""
    for row in range(walls.shape[0]):
        for column in range(walls.shape[1]):
            y, x = row - pad, column - pad
            wall = -1 <= y <= height and -1 <= x <= width
            if 0 <= y < height and 0 <= x < width:
                wall = grid[y, x] != 0
            walls[row, column] = 1 if wall else 0
            occ[row, column] = WALL if wall else FREE


@inner
def _own(s: State, c: Scalars, b: int, height: int, width: int) -> None:
    """Make the map in `plain` row b's own: grids, components."""
    s.size[b, 0], s.size[b, 1] = height, width
    _lay(s.plain, height, width, c.pad, s.walls[b], s.occ[b])
    s.parts[b] = component_lists(s.plain, height, width, s.label[b], s.cells[b], s.first[b])


@tight
def lay_loaded(s: State, c: Scalars, b: int, height: int, width: int) -> None:
    """Make row b ready for an instance whose map lies in `plain`."""
    _own(s, c, b, height, width)
    s.inst[b] = LOADED


@tight
def _lay_random(
    s: State, c: Scalars, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]
) -> None:
    """Draw the maps of the rows in `which` that take none from elsewhere."""
    for b in range(which.shape[0]):
        if which[b] and slots[b] == GENERATED:
            random_map(episode_key(seeds[b]), s.plain, c.height, c.width, c.p)
            _own(s, c, b, c.height, c.width)


@tight
def _lay_maze(
    s: State, c: Scalars, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]
) -> None:
    """The same for mazes."""
    for b in range(which.shape[0]):
        if which[b] and slots[b] == GENERATED:
            maze_map(episode_key(seeds[b]), s.plain, c.height, c.width, c.a, c.p)
            _own(s, c, b, c.height, c.width)


@tight
def _lay_room(
    s: State, c: Scalars, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]
) -> None:
    """The same for rooms."""
    for b in range(which.shape[0]):
        if which[b] and slots[b] == GENERATED:
            room_map(episode_key(seeds[b]), s.plain, c.height, c.width, c.a, c.p)
            _own(s, c, b, c.height, c.width)


@tight
def _lay_warehouse(
    s: State, c: Scalars, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]
) -> None:
    """The same for warehouses."""
    for b in range(which.shape[0]):
        if which[b] and slots[b] == GENERATED:
            warehouse_map(episode_key(seeds[b]), s.plain, c.height, c.width, c.a, c.b, c.c, c.d, c.p)
            _own(s, c, b, c.height, c.width)


@tight
def _lay_city(
    s: State, c: Scalars, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]
) -> None:
    """The same for cities."""
    for b in range(which.shape[0]):
        if which[b] and slots[b] == GENERATED:
            city_map(episode_key(seeds[b]), s.plain, c.height, c.width, c.a, c.b, c.c, c.p, c.q)
            _own(s, c, b, c.height, c.width)


LAY = {"random": _lay_random, "maze": _lay_maze, "room": _lay_room, "warehouse": _lay_warehouse, "city": _lay_city}
"""One kernel a generator, so that a world compiles only its own."""


@inner
def _take(
    pool: Pool, slot: int, label: NDArray[np.int32], cells: NDArray[np.int32], first: NDArray[np.int32], area: int
) -> None:
    """Copy the lists of a map of the pool."""
    for cell in range(area):
        label[cell] = pool.label[slot, cell]
        cells[cell] = pool.goal_cells[slot, cell]
        first[cell] = pool.goal_first[slot, cell]
    first[area] = pool.goal_first[slot, area]


# --- reset -----------------------------------------------------------------------------------------------------------
@inner
def _clear(walls: NDArray[np.uint8], occ: NDArray[np.int16], busy: NDArray[np.uint8]) -> None:
    """Take all robots off flat grids; the walls stay."""
    for cell in range(walls.shape[0]):
        busy[cell] = 0
        occ[cell] = WALL if walls[cell] else FREE


@inner
def _begin(s: State, c: Scalars, b: int) -> None:
    """Put the robots of row b on starts `work[0]` with goals `work[1]` (cells)."""
    occ, busy = flat(s.occ, b), flat(s.busy, b)
    _clear(flat(s.walls, b), occ, busy)
    width, stride = np.int64(s.size[b, 1]), s.occ.shape[2]
    for i in range(c.robots):
        start, goal = np.int64(s.work[0, i]), np.int64(s.work[1, i])
        row, column = start // width, start % width
        here = (c.pad + row) * stride + c.pad + column
        occ[here] = i
        busy[here] = 1
        s.pos[b, i, 0], s.pos[b, i, 1] = row, column
        s.origin[b, i, 0], s.origin[b, i, 1] = row, column
        s.goal[b, i, 0], s.goal[b, i, 1] = goal // width, goal % width
        s.active[b, i], s.live[b, i] = True, True
        s.reached[b, i], s.executed[b, i] = 0, 0
        s.on_goal[b, i] = start == goal
        s.arrived[b, i] = 0 if start == goal else -1
    for code in range(5):
        s.conflicts[b, code] = 0
    s.crowd[b] = crowding(s, c, b)
    s.t[b] = 0
    s.over[b] = False


@inner
def _first_goals(s: State, c: Scalars, b: int) -> None:
    """Draw the first goals of row b, whose starts are `work[0]`, into `work[1]`."""
    if c.on_goal == RESTART:
        first_goals(s.key[b], c.robots, s.label[b], s.cells[b], s.first[b], s.work[0], s.work[1])
    else:
        distinct_goals(
            s.key[b], c.robots, np.int64(s.parts[b]), s.label[b], s.cells[b], s.first[b], s.work[0], s.work[1],
            s.work[2:],
        )  # fmt: skip


@special(_first_goals, USUAL)
def _endless_goals(s: State, c: Scalars, b: int) -> None:
    """The same where goals go on for ever."""
    first_goals(s.key[b], c.robots, s.label[b], s.cells[b], s.first[b], s.work[0], s.work[1])


@inner
def _place(s: State, c: Scalars, pool: Pool, b: int, slot: int) -> int:
    """Draw row b's starts and goals into `work[0]` and `work[1]`; return how many robots fit."""
    start_cells, start_first = s.cells[b], s.first[b]
    if slot >= 0:
        start_cells, start_first = pool.start_cells[slot], pool.start_first[slot]
    most = place_starts(
        s.key[b], c.robots, c.on_goal != RESTART, np.int64(s.parts[b]), s.label[b], start_cells, start_first,
        s.cells[b], s.first[b], s.work[0], s.work[2:],
    )  # fmt: skip
    if most >= c.robots:
        _first_goals(s, c, b)
    return most


@tight
def reset(
    s: State, c: Scalars, pool: Pool, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]
) -> int:
    """Begin episodes in the rows of `which`, whose generated or loaded maps lie ready.

    Slot -1 draws a map of the pool, if there is one. Returns the first row whose map is too small for the robots, or
    -1.
    """
    slots_here = pool.grid.shape[0]
    for b in range(which.shape[0]):
        if not which[b]:
            continue
        s.key[b] = episode_key(seeds[b])
        slot = np.int64(slots[b])
        s.placed[b] = c.robots
        if slot == LOADED:
            for i in range(c.robots):
                s.work[0, i] = s.starts[b, i]
                s.work[1, i] = s.given[b, i, 0]
        else:
            if slot < 0 and slots_here > 0:
                slot = np.int64(draw(s.key[b], STREAM_SLOT, 0, 0, 0) % np.uint64(slots_here))
            if slot >= 0 and s.inst[b] != slot:
                s.size[b, 0], s.size[b, 1] = pool.size[slot, 0], pool.size[slot, 1]
                s.parts[b] = pool.parts[slot]
                _lay(pool.grid[slot], np.int64(s.size[b, 0]), np.int64(s.size[b, 1]), c.pad, s.walls[b], s.occ[b])
                _take(pool, slot, s.label[b], s.cells[b], s.first[b], s.label.shape[1])
            s.inst[b] = slot
            s.placed[b] = _place(s, c, pool, b, slot)
            if s.placed[b] < c.robots:
                s.inst[b] = GENERATED
                return b
        _begin(s, c, b)
    return -1
