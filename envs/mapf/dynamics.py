"""The dynamics of path finding: the state, the scalars, and the compiled kernels over them.

Axis 0 is the episode in the batch. Positions and goals are (row, column) on the instance's own map. The grids `occ` and
`busy` are padded by `pad` cells on each side, so that a window never leaves them: one cell of wall, then free ground,
as in POGEMA. Collision rules are those of POGEMA 1.4 (`soft`, `block_both`, `priority`); `strict` rejects a joint
action with any conflict whole.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, kernel, tight
from ludarium.envs.core.rng import draw, episode_key
from ludarium.envs.core.state import COMMON, Field
from ludarium.envs.mapf.collisions import FREE, SOFT, WALL, release, resolve
from ludarium.envs.mapf.generate import city_map, maze_map, random_map, room_map, warehouse_map
from ludarium.envs.mapf.placement import component_lists, next_goal, place

__all__ = [
    "GENERATED",
    "LAY",
    "LOADED",
    "Pool",
    "Scalars",
    "State",
    "advance",
    "check",
    "fields",
    "lay_loaded",
    "look_ahead",
    "reset",
    "step",
]

STAY, VANISH, RESTART = 0, 1, 2
STREAM_SLOT = 4
GENERATED, LOADED = -1, -2


class Scalars(NamedTuple):
    """The parameters that kernels read."""

    robots: int
    height: int
    width: int
    pad: int
    radius: int
    collision: int
    on_goal: int
    max_steps: int
    compat: int
    track_density: int
    a: int
    b: int
    c: int
    d: int
    p: float
    q: float


class State(NamedTuple):
    """A batch of episodes; N robots, capacities H x W, padded Hp x Wp, L given goals a robot."""

    key: NDArray[np.uint64]
    t: NDArray[np.int32]
    over: NDArray[np.bool_]
    live: NDArray[np.bool_]
    inst: NDArray[np.int32]
    active: NDArray[np.bool_]
    """bool[B, N]: on the map"""
    pos: NDArray[np.int32]
    goal: NDArray[np.int32]
    """int32[B, N, 2]: row, column"""
    reached: NDArray[np.int32]
    """int32[B, N]: goals reached"""
    arrived: NDArray[np.int32]
    """int32[B, N]: step of the last arrival at the goal, -1 while away from it"""
    conflicts: NDArray[np.int32]
    """int32[B, 5]: faults so far, by code"""
    crowd: NDArray[np.float64]
    """float64[B]: sum over steps, the reset included, of the mean share of seen free cells that hold a robot"""
    origin: NDArray[np.int32]
    """int32[B, N, 2]: where the robots started"""
    size: NDArray[np.int32]
    """int32[B, 2]: height and width of the instance's map"""
    parts: NDArray[np.int32]
    """int32[B]: how many components the map has"""
    executed: NDArray[np.int8]
    on_goal: NDArray[np.bool_]
    busy: NDArray[np.uint8]
    """uint8[B, Hp, Wp]: 1 where a robot stands"""
    walls: NDArray[np.uint8]
    """uint8[B, Hp, Wp]: 1 for an obstacle"""
    occ: NDArray[np.int16]
    """int16[B, Hp, Wp]: robot number, -1 free, -2 obstacle"""
    label: NDArray[np.int32]
    cells: NDArray[np.int32]
    first: NDArray[np.int32]
    """the map's goal cells by component: see `placement.component_lists`"""
    given: NDArray[np.int32]
    """int32[B, N, L]: goal cells of a loaded instance, taken in turn; -1 pads"""
    starts: NDArray[np.int32]
    """int32[B, N]: start cells of a loaded instance"""
    claim: NDArray[np.int16]
    at: NDArray[np.int32]
    target: NDArray[np.int32]
    plain: NDArray[np.uint8]
    work: NDArray[np.int32]
    placed: NDArray[np.int32]
    """int32[B]: how many robots the last reset could place"""


class Pool(NamedTuple):
    """The maps that a config names, ready to be copied into a row; P slots, possibly none."""

    grid: NDArray[np.uint8]
    size: NDArray[np.int32]
    label: NDArray[np.int32]
    parts: NDArray[np.int32]
    start_cells: NDArray[np.int32]
    start_first: NDArray[np.int32]
    goal_cells: NDArray[np.int32]
    goal_first: NDArray[np.int32]


def fields(robots: int, height: int, width: int, pad: int, given: int) -> tuple[Field, ...]:
    """The layout of a state."""
    area, padded = height * width, (height + 2 * pad, width + 2 * pad)
    i32, i16, u8, flag = np.int32, np.int16, np.uint8, np.bool_
    return (
        *COMMON(robots),
        Field("active", flag, (robots,)),
        Field("pos", i32, (robots, 2)),
        Field("goal", i32, (robots, 2)),
        Field("reached", i32, (robots,)),
        Field("arrived", i32, (robots,)),
        Field("conflicts", i32, (5,)),
        Field("crowd", np.float64),
        Field("origin", i32, (robots, 2), "derived"),
        Field("size", i32, (2,), "derived"),
        Field("parts", i32, (), "derived"),
        Field("executed", np.int8, (robots,), "derived"),
        Field("on_goal", flag, (robots,), "derived"),
        Field("busy", u8, padded, "derived"),
        Field("walls", u8, padded, "derived"),
        Field("occ", i16, padded, "derived"),
        Field("label", i32, (area,), "derived"),
        Field("cells", i32, (area,), "derived"),
        Field("first", i32, (area + 1,), "derived"),
        Field("given", i32, (robots, given), "derived"),
        Field("starts", i32, (robots,), "derived"),
        Field("claim", i16, (padded[0] * padded[1],), "scratch"),
        Field("at", i32, (robots,), "scratch"),
        Field("target", i32, (robots,), "scratch"),
        Field("plain", u8, (height, width), "scratch"),
        Field("work", i32, (5, max(area, robots) + 1), "scratch"),
        Field("placed", i32, (), "derived"),
    )


# --- maps ------------------------------------------------------------------------------------------------------------
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
    occ, busy = s.occ[b].reshape(-1), s.busy[b].reshape(-1)
    _clear(s.walls[b].reshape(-1), occ, busy)
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
    s.crowd[b] = _crowding(s.walls[b], s.busy[b], s.pos[b], s.active[b], c) if c.track_density else 0.0
    s.t[b] = 0
    s.over[b] = False


@inner
def _place(s: State, c: Scalars, pool: Pool, b: int, slot: int) -> int:
    """Draw row b's starts and goals into `work[0]` and `work[1]`; return how many robots fit."""
    start_cells, start_first = s.cells[b], s.first[b]
    if slot >= 0:
        start_cells, start_first = pool.start_cells[slot], pool.start_first[slot]
    return place(
        s.key[b], c.robots, c.on_goal != RESTART, np.int64(s.parts[b]), s.label[b], start_cells, start_first,
        s.cells[b], s.first[b], s.work[0], s.work[1], s.work[2:],
    )  # fmt: skip


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


# --- step ------------------------------------------------------------------------------------------------------------
@inner
def _decide(s: State, c: Scalars, b: int, actions: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """Fill `at` and `target`: where row b's robots stand, and where they will."""
    resolve(
        c.collision, s.occ[b].reshape(-1), s.occ.shape[2], c.pad, s.claim, s.active[b], s.pos[b],
        actions, s.at, s.target, fault,
    )  # fmt: skip


@tight
def check(s: State, c: Scalars, actions: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """Write the faults that `step` would find, moving nobody."""
    for b in range(actions.shape[0]):
        if not s.over[b]:
            _decide(s, c, b, actions[b], fault[b])
            release(s.claim, s.at, s.target)


@inner
def _commit(
    at: NDArray[np.int32],
    target: NDArray[np.int32],
    occ: NDArray[np.int16],
    busy: NDArray[np.uint8],
    claim: NDArray[np.int16],
    pos: NDArray[np.int32],
    executed: NDArray[np.int8],
) -> None:
    """Move the robots to their targets on flat grids, and give back their claims."""
    robots = at.shape[0]
    for i in range(robots):
        if target[i] != at[i]:
            here = np.int64(at[i])
            occ[here] = FREE
            busy[here] = 0
    for i in range(robots):
        there = np.int64(target[i])
        step = there - np.int64(at[i])
        if step == 0:
            executed[i] = 0
            continue
        occ[there] = i
        busy[there] = 1
        claim[there] = -1
        if step == -1 or step == 1:
            pos[i, 1] += step
            executed[i] = 4 if step > 0 else 3
        else:
            pos[i, 0] += 1 if step > 0 else -1
            executed[i] = 2 if step > 0 else 1


@inner
def _pogema_crowd(
    active: NDArray[np.bool_], at: NDArray[np.int32], target: NDArray[np.int32], busy: NDArray[np.uint8]
) -> None:
    """POGEMA's agents channel under `soft`: old cell cleared, new one set, robot by robot, so that followers vanish."""
    for i in range(at.shape[0]):
        if active[i]:
            busy[np.int64(at[i])] = 0
            busy[np.int64(target[i])] = 1


@inner
def _goal_after(s: State, b: int, i: int, number: int, here: int) -> int:
    """Goal `number` of robot i, whose goal before is cell `here`: the next given one in turn, or a draw."""
    if s.inst[b] == LOADED and s.given.shape[2] > 1:
        length = s.given.shape[2]
        while length > 1 and s.given[b, i, length - 1] < 0:
            length -= 1
        if length > 1:
            return np.int64(s.given[b, i, number % length])
    return next_goal(s.key[b], i, number, here, s.label[b], s.cells[b], s.first[b])


@kernel
def look_ahead(s: State, b: int, out: NDArray[np.int32]) -> None:
    """Write the goals after the present one, `out` int32[N, K], as cells."""
    width = np.int64(s.size[b, 1])
    for i in range(out.shape[0]):
        cell = np.int64(s.goal[b, i, 0]) * width + np.int64(s.goal[b, i, 1])
        for k in range(out.shape[1]):
            cell = _goal_after(s, b, i, np.int64(s.reached[b, i]) + 1 + k, cell)
            out[i, k] = cell


@inner
def _steps_between(
    table: NDArray[np.int32],
    width: int,
    start: int,
    end: int,
    seen: NDArray[np.int32],
    mark: int,
    stack: NDArray[np.int32],
) -> int:
    """Steps from one cell to another, -1 if there is no way; the search goes towards the end first.

    A step away from the end costs two, itself and its compensation, and a step towards it nothing: so the cells that
    need no further detour come first, then those of one, in any order among themselves. `seen` holds the marks of
    earlier searches, all smaller than `mark`; `stack` is scratch int32[2, 4 * cells + 1].
    """
    row, column = end // width, end % width
    stack[0, 0] = start
    side, near, far, detours = 0, 1, 0, 0
    while near > 0:
        while near > 0:
            near -= 1
            cell = np.int64(stack[side, near])
            if cell == end:
                return abs(start // width - row) + abs(start % width - column) + 2 * detours
            if seen[cell] == mark:
                continue
            seen[cell] = mark
            for action in range(1, 5):
                nearby = np.int64(table[cell, action])
                if nearby < 0 or seen[nearby] == mark:
                    continue
                if action <= 2:
                    closer = (cell // width > row) if action == 1 else (cell // width < row)
                else:
                    closer = (cell % width > column) if action == 3 else (cell % width < column)
                if closer:
                    stack[side, near] = nearby
                    near += 1
                else:
                    stack[1 - side, far] = nearby
                    far += 1
        side, near, far, detours = 1 - side, far, 0, detours + 1
    return -1


@kernel
def alone(s: State, c: Scalars, b: int, table: NDArray[np.int32], out: NDArray[np.int64]) -> None:
    """What each robot would do with row b's map to itself, from its start: goals reached (lifelong), or steps to its goal."""
    seen = np.zeros(table.shape[0], np.int32)
    stack = np.empty((2, 4 * table.shape[0] + 1), np.int32)
    width, mark = np.int64(s.size[b, 1]), 0
    for i in range(c.robots):
        cell = np.int64(s.origin[b, i, 0]) * width + np.int64(s.origin[b, i, 1])
        if c.on_goal != RESTART:
            mark += 1
            goal = np.int64(s.goal[b, i, 0]) * width + np.int64(s.goal[b, i, 1])
            out[i] = _steps_between(table, width, cell, goal, seen, mark, stack)
            continue
        elapsed, reached = 0, 0
        while elapsed <= c.max_steps:
            mark += 1
            goal = np.int64(s.given[b, i, 0]) if s.inst[b] == LOADED else np.int64(-1)
            if reached > 0 or goal < 0:
                goal = _goal_after(s, b, i, reached, cell)
            steps = _steps_between(table, width, cell, goal, seen, mark, stack)
            if steps < 0 or elapsed + max(steps, 1) > c.max_steps:
                break
            elapsed += max(steps, 1)
            cell = goal
            reached += 1
        out[i] = reached


@inner
def _restart(s: State, b: int, t: int, reward: NDArray[np.float64]) -> None:
    """Lifelong: a robot on its goal scores and gets the next one."""
    pos, goal, on_goal, arrived = s.pos[b], s.goal[b], s.on_goal[b], s.arrived[b]
    width = np.int64(s.size[b, 1])
    for i in range(pos.shape[0]):
        there = pos[i, 0] == goal[i, 0] and pos[i, 1] == goal[i, 1]
        on_goal[i] = there
        reward[i] = 0.0
        arrived[i] = -1
        if there:
            reward[i] = 1.0
            arrived[i] = t
            s.reached[b, i] += 1
            here = np.int64(pos[i, 0]) * width + np.int64(pos[i, 1])
            cell = _goal_after(s, b, i, np.int64(s.reached[b, i]), here)
            goal[i, 0], goal[i, 1] = cell // width, cell % width


@inner
def _stay(s: State, b: int, t: int, keep: bool, reward: NDArray[np.float64], terminated: NDArray[np.bool_]) -> None:
    """One-shot: all score, and the episode ends, when all stand on their goals.

    With `keep` a robot that leaves its goal keeps its arrival: POGEMA looks no more on the last step.
    """
    pos, goal, on_goal, arrived = s.pos[b], s.goal[b], s.on_goal[b], s.arrived[b]
    everywhere = True
    for i in range(pos.shape[0]):
        there = pos[i, 0] == goal[i, 0] and pos[i, 1] == goal[i, 1]
        on_goal[i] = there
        reward[i] = 0.0
        everywhere &= there
        if there and arrived[i] < 0:
            arrived[i] = t
        elif not there and not keep:
            arrived[i] = -1
    if everywhere:
        for i in range(pos.shape[0]):
            reward[i] = 1.0
            s.reached[b, i] = 1
            terminated[i] = True


@inner
def _vanish(s: State, c: Scalars, b: int, t: int, reward: NDArray[np.float64], terminated: NDArray[np.bool_]) -> None:
    """One-shot: a robot on its goal scores and leaves the map."""
    pos, goal, active = s.pos[b], s.goal[b], s.active[b]
    for i in range(pos.shape[0]):
        reward[i] = 0.0
        if active[i] and pos[i, 0] == goal[i, 0] and pos[i, 1] == goal[i, 1]:
            reward[i] = 1.0
            s.reached[b, i], s.arrived[b, i], s.on_goal[b, i] = 1, t, True
            terminated[i] = True
            active[i], s.live[b, i] = False, False
            s.occ[b, pos[i, 0] + c.pad, pos[i, 1] + c.pad] = FREE
            s.busy[b, pos[i, 0] + c.pad, pos[i, 1] + c.pad] = 0


@inner
def _crowding(
    walls: NDArray[np.uint8], busy: NDArray[np.uint8], pos: NDArray[np.int32], active: NDArray[np.bool_], c: Scalars
) -> float:
    """The mean over robots of robots seen / free cells seen, in the window of the observation radius.

    POGEMA counts what robots that have left the map would see.
    """
    total, seen_by = 0.0, 0
    for i in range(pos.shape[0]):
        if not active[i] and not c.compat:
            continue
        free, robots = 0, 0
        top, left = np.int64(pos[i, 0]) + c.pad, np.int64(pos[i, 1]) + c.pad
        for row in range(top - c.radius, top + c.radius + 1):
            for column in range(left - c.radius, left + c.radius + 1):
                free += 1 - np.int64(walls[row, column])
                robots += np.int64(busy[row, column])
        total += robots / free
        seen_by += 1
    return total / seen_by if seen_by else 0.0


@inner
def advance(
    s: State,
    c: Scalars,
    actions: NDArray[np.int64],
    reward: NDArray[np.float64],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    fault: NDArray[np.int16],
) -> None:
    """Advance every row that is not over: `actions` int64[B, N] in 0..4; the rest as in `Out`."""
    for b in range(actions.shape[0]):
        if s.over[b]:
            continue
        _decide(s, c, b, actions[b], fault[b])
        _commit(s.at, s.target, s.occ[b].reshape(-1), s.busy[b].reshape(-1), s.claim, s.pos[b], s.executed[b])
        if c.compat and c.collision == SOFT:
            _pogema_crowd(s.active[b], s.at, s.target, s.busy[b].reshape(-1))
        t = np.int64(s.t[b]) + 1
        s.t[b] = t
        for i in range(c.robots):
            if fault[b, i]:
                s.conflicts[b, np.int64(fault[b, i])] += 1
        if c.on_goal == RESTART:
            _restart(s, b, t, reward[b])
        elif c.on_goal == STAY:
            _stay(s, b, t, c.compat and t >= c.max_steps, reward[b], terminated[b])
        else:
            _vanish(s, c, b, t, reward[b], terminated[b])
        if c.track_density:
            s.crowd[b] += _crowding(s.walls[b], s.busy[b], s.pos[b], s.active[b], c)
        finished = c.on_goal != RESTART
        if finished:
            for i in range(c.robots):
                finished &= terminated[b, i]
        truncated[b] = not finished and t >= c.max_steps
        if finished or truncated[b]:
            s.over[b] = True
            for i in range(c.robots):
                s.live[b, i] = False


@tight
def step(
    s: State,
    c: Scalars,
    actions: NDArray[np.int64],
    reward: NDArray[np.float64],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    fault: NDArray[np.int16],
) -> None:
    """`advance` as Python calls it."""
    advance(s, c, actions, reward, terminated, truncated, fault)
