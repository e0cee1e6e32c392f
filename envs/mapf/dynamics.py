"""The dynamics of path finding: the state, the scalars, and the compiled kernels over them.

Axis 0 is the episode in the batch. Positions and goals are (row, column) on the instance's own map. The grids `occ` and
`busy` are padded by `pad` cells on each side, so that a window never leaves them: one cell of wall, then free ground, as in
POGEMA. Collision rules are those of POGEMA 1.4 (`soft`, `block_both`, `priority`); `strict` rejects a joint action with any
conflict whole.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel
from ludarium.envs.core.rng import draw, episode_key
from ludarium.envs.core.state import COMMON, Field
from ludarium.envs.mapf.generate import draw_map
from ludarium.envs.mapf.placement import component_lists, next_goal, place

__all__ = [
    "BLOCKED",
    "OBSTACLE",
    "SWAP",
    "VERTEX",
    "Pool",
    "Scalars",
    "State",
    "check",
    "fields",
    "reset",
    "step",
]

SOFT, BLOCK_BOTH, PRIORITY, STRICT = 0, 1, 2, 3
STAY, VANISH, RESTART = 0, 1, 2
OBSTACLE, VERTEX, SWAP, BLOCKED = 1, 2, 3, 4
FREE, WALL = -1, -2
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
    kind: int
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
    """float64[B]: sum over steps of the mean share of seen free cells that hold a robot"""
    origin: NDArray[np.int32]
    """int32[B, N, 2]: where the robots started"""
    size: NDArray[np.int32]
    """int32[B, 2]: height and width of the instance's map"""
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
    count: NDArray[np.int32]
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


# --- reset ---------------------------------------------------------------------------------------------------------
@kernel
def _lay(s: State, c: Scalars, b: int, height: int, width: int, grid: NDArray[np.uint8]) -> None:
    """Put a map into row b's padded grids: the map, one cell of wall around it, free ground beyond."""
    s.size[b, 0], s.size[b, 1] = height, width
    s.walls[b] = 0
    walls, occ, pad = s.walls[b], s.occ[b], c.pad
    for column in range(pad - 1, pad + width + 1):
        walls[pad - 1, column] = 1
        walls[pad + height, column] = 1
    for row in range(height):
        walls[pad + row, pad - 1] = 1
        walls[pad + row, pad + width] = 1
        for column in range(width):
            walls[pad + row, pad + column] = grid[row, column]
    for row in range(walls.shape[0]):
        for column in range(walls.shape[1]):
            occ[row, column] = WALL if walls[row, column] else FREE


@kernel
def _clear(s: State, b: int) -> None:
    """Take all robots off row b's grids; the walls stay."""
    s.busy[b] = 0
    occ, walls = s.occ[b], s.walls[b]
    for row in range(occ.shape[0]):
        for column in range(occ.shape[1]):
            occ[row, column] = WALL if walls[row, column] else FREE


@kernel
def lay_loaded(s: State, c: Scalars, b: int, height: int, width: int) -> int:
    """Make row b ready for an instance whose map lies in `plain`; return the number of components."""
    _lay(s, c, b, height, width, s.plain)
    s.inst[b] = LOADED
    return component_lists(s.plain, height, width, s.label[b], s.cells[b], s.first[b])


@kernel
def _draw_places(s: State, c: Scalars, pool: Pool, b: int, slot: int) -> int:
    """Bring row b's map and draw starts and goals into `work[0]` and `work[1]`; return how many robots fit."""
    key, distinct = s.key[b], c.on_goal != RESTART
    if slot < 0:
        draw_map(c.kind, key, s.plain, c.height, c.width, c.a, c.b, c.c, c.d, c.p, c.q)
        _lay(s, c, b, c.height, c.width, s.plain)
        count = component_lists(s.plain, c.height, c.width, s.label[b], s.cells[b], s.first[b])
        return place(
            key, c.robots, distinct, count, s.label[b], s.cells[b], s.first[b], s.cells[b], s.first[b],
            s.work[0], s.work[1], s.work[2:],
        )  # fmt: skip
    if s.inst[b] != slot:
        _lay(s, c, b, np.int64(pool.size[slot, 0]), np.int64(pool.size[slot, 1]), pool.grid[slot])
        s.label[b] = pool.label[slot]
        s.cells[b] = pool.goal_cells[slot]
        s.first[b] = pool.goal_first[slot]
    return place(
        key, c.robots, distinct, np.int64(pool.count[slot]), pool.label[slot],
        pool.start_cells[slot], pool.start_first[slot], pool.goal_cells[slot], pool.goal_first[slot],
        s.work[0], s.work[1], s.work[2:],
    )  # fmt: skip


@kernel
def _begin(s: State, c: Scalars, b: int) -> None:
    """Put the robots of row b on starts `work[0]` with goals `work[1]` (cells)."""
    _clear(s, b)
    width = np.int64(s.size[b, 1])
    for i in range(c.robots):
        start, goal = np.int64(s.work[0, i]), np.int64(s.work[1, i])
        s.pos[b, i, 0], s.pos[b, i, 1] = start // width, start % width
        s.goal[b, i, 0], s.goal[b, i, 1] = goal // width, goal % width
        s.origin[b, i, 0], s.origin[b, i, 1] = start // width, start % width
        s.occ[b, c.pad + start // width, c.pad + start % width] = i
        s.busy[b, c.pad + start // width, c.pad + start % width] = 1
        s.active[b, i] = True
        s.live[b, i] = True
        s.reached[b, i] = 0
        s.on_goal[b, i] = start == goal
        s.arrived[b, i] = 0 if start == goal else -1
        s.executed[b, i] = 0
    s.conflicts[b] = 0
    s.crowd[b] = 0.0
    s.t[b] = 0
    s.over[b] = False


@kernel
def reset(
    s: State,
    c: Scalars,
    pool: Pool,
    which: NDArray[np.bool_],
    seeds: NDArray[np.int64],
    slots: NDArray[np.int32],
) -> int:
    """Begin episodes in the rows of `which`; return the first row whose map is too small for the robots, or -1."""
    slots_here = pool.grid.shape[0]
    for b in range(which.shape[0]):
        if not which[b]:
            continue
        s.key[b] = episode_key(seeds[b])
        slot = np.int64(slots[b])
        if slot == LOADED:
            s.placed[b] = c.robots
            for i in range(c.robots):
                s.work[0, i] = s.starts[b, i]
                s.work[1, i] = s.given[b, i, 0]
        else:
            if slot < 0 and slots_here > 0:
                slot = np.int64(draw(s.key[b], STREAM_SLOT, 0, 0, 0) % np.uint64(slots_here))
            s.placed[b] = _draw_places(s, c, pool, b, slot)
            s.inst[b] = slot
            if s.placed[b] < c.robots:
                s.inst[b] = GENERATED
                return b
        _begin(s, c, b)
    return -1


# --- collisions ----------------------------------------------------------------------------------------------------
@kernel
def _intend(s: State, c: Scalars, b: int, actions: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """Fill `at` and `target` (places on the padded grid); moves into obstacles become waits."""
    stride = np.int64(s.occ.shape[2])
    occ = s.occ[b].reshape(-1)
    pos, active, at, target = s.pos[b], s.active[b], s.at, s.target
    for i in range(c.robots):
        here = (np.int64(pos[i, 0]) + c.pad) * stride + np.int64(pos[i, 1]) + c.pad
        action = actions[i]
        there = here
        if action == 1:
            there = here - stride
        elif action == 2:
            there = here + stride
        elif action == 3:
            there = here - 1
        elif action == 4:
            there = here + 1
        fault[i] = 0
        if not active[i]:
            there = here
        elif there != here and occ[there] == WALL:
            fault[i] = OBSTACLE
            there = here
        at[i] = here
        target[i] = there


@kernel
def _soft(s: State, c: Scalars, b: int, fault: NDArray[np.int16]) -> None:
    """Swaps stay, the lowest number takes a contested cell, chains behind a robot that stays, stay; rotations pass."""
    occ, active = s.occ[b].reshape(-1), s.active[b]
    at, target, claim = s.at, s.target, s.claim
    stays = False
    for i in range(c.robots):
        there, here = np.int64(target[i]), np.int64(at[i])
        if there == here:
            stays = True
            continue
        other = np.int64(occ[there])
        if other >= 0 and target[other] == here:
            fault[i] = SWAP
            fault[other] = SWAP
            target[i] = here
            target[other] = there
            stays = True
        elif claim[there] < 0:
            claim[there] = i
        else:
            fault[i] = VERTEX
            target[i] = here
            stays = True
    if not stays:
        return
    for i in range(c.robots):
        cell = np.int64(at[i])
        if target[i] != cell or not active[i]:
            continue
        follower = np.int64(claim[cell])
        while follower >= 0:
            claim[cell] = -1
            fault[follower] = BLOCKED
            cell = np.int64(at[follower])
            target[follower] = cell
            follower = np.int64(claim[cell])


@kernel
def _block_both(s: State, c: Scalars, b: int, fault: NDArray[np.int16]) -> None:
    """A robot moves iff its target is empty now and nobody else wants it."""
    occ = s.occ[b].reshape(-1)
    at, target, claim = s.at, s.target, s.claim
    for i in range(c.robots):
        if target[i] != at[i]:
            claim[np.int64(target[i])] += 1
    for i in range(c.robots):
        there = np.int64(target[i])
        if there == at[i]:
            continue
        other = np.int64(occ[there])
        if other >= 0 and target[other] == at[i]:
            fault[i] = SWAP
        elif other >= 0 or claim[there] > 0:
            fault[i] = VERTEX
    for i in range(c.robots):
        claim[np.int64(target[i])] = -1
    for i in range(c.robots):
        if fault[i]:
            target[i] = at[i]


@kernel
def _priority(s: State, c: Scalars, b: int, fault: NDArray[np.int16]) -> None:
    """Robots move one after another by number, each iff its target is empty at that moment."""
    occ = s.occ[b].reshape(-1)
    at, target = s.at, s.target
    for i in range(c.robots):
        here, there = np.int64(at[i]), np.int64(target[i])
        if there == here:
            continue
        other = np.int64(occ[there])
        if other == FREE:
            occ[here] = FREE
            occ[there] = i
        elif target[other] == here and at[other] == there:
            fault[i] = SWAP
        else:
            fault[i] = VERTEX
    for i in range(c.robots):  # `occ` as it was: the moves are committed in one place, for all rules
        if target[i] != at[i]:
            if fault[i]:
                target[i] = at[i]
            else:
                occ[np.int64(target[i])] = FREE
    for i in range(c.robots):
        if target[i] != at[i]:
            occ[np.int64(at[i])] = i


@kernel
def _resolve(s: State, c: Scalars, b: int, actions: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """Decide by the config's rule who moves: afterwards `target` is where each robot will stand. `occ` is unchanged."""
    _intend(s, c, b, actions, fault)
    if c.collision == BLOCK_BOTH:
        _block_both(s, c, b, fault)
        return
    if c.collision == PRIORITY:
        _priority(s, c, b, fault)
        return
    _soft(s, c, b, fault)
    rejected = False
    if c.collision == STRICT:
        for i in range(c.robots):
            rejected |= fault[i] != 0
    for i in range(c.robots):
        if target_moves(s, i):
            s.claim[np.int64(s.target[i])] = -1
            if rejected:
                s.target[i] = s.at[i]


@kernel
def target_moves(s: State, i: int) -> bool:
    """Whether the resolved target of robot i is another cell."""
    return s.target[i] != s.at[i]


@kernel
def check(s: State, c: Scalars, actions: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """Write the faults that `step` would find, moving nobody."""
    for b in range(actions.shape[0]):
        if not s.over[b]:
            _resolve(s, c, b, actions[b], fault[b])


# --- step ----------------------------------------------------------------------------------------------------------
@kernel
def _commit(s: State, c: Scalars, b: int) -> None:
    """Move the robots to their targets on all grids."""
    stride = np.int64(s.occ.shape[2])
    occ, busy, pos, executed = s.occ[b].reshape(-1), s.busy[b].reshape(-1), s.pos[b], s.executed[b]
    at, target = s.at, s.target
    for i in range(c.robots):
        here = np.int64(at[i])
        if target[i] != here:
            occ[here] = FREE
            busy[here] = 0
    for i in range(c.robots):
        step = np.int64(target[i]) - np.int64(at[i])
        if step == 0:
            executed[i] = 0
            continue
        there = np.int64(target[i])
        occ[there] = i
        busy[there] = 1
        if step == -1:
            pos[i, 1] -= 1
            executed[i] = 3
        elif step == 1:
            pos[i, 1] += 1
            executed[i] = 4
        elif step < 0:
            pos[i, 0] -= 1
            executed[i] = 1
        else:
            pos[i, 0] += 1
            executed[i] = 2
    if c.compat and c.collision == SOFT:
        _pogema_crowd(s, c, b)


@kernel
def _pogema_crowd(s: State, c: Scalars, b: int) -> None:
    """POGEMA's agents channel under `soft`: old cell cleared, new one set, robot by robot, so that followers vanish."""
    busy = s.busy[b].reshape(-1)
    for i in range(c.robots):
        if s.active[b, i]:
            busy[np.int64(s.at[i])] = 0
            busy[np.int64(s.target[i])] = 1


@kernel
def _goal_after(s: State, b: int, i: int, number: int, here: int) -> int:
    """Goal `number` of robot i, whose goal before is cell `here`: the next given one in turn, or a draw from its component."""
    if s.inst[b] == LOADED and s.given.shape[2] > 1:
        length = s.given.shape[2]
        while length > 1 and s.given[b, i, length - 1] < 0:
            length -= 1
        if length > 1:
            return np.int64(s.given[b, i, number % length])
    return next_goal(s.key[b], i, number, here, s.label[b], s.cells[b], s.first[b])


@kernel
def _new_goal(s: State, b: int, i: int) -> None:
    """Give robot i, who stands on its goal, the next one."""
    width = np.int64(s.size[b, 1])
    here = np.int64(s.pos[b, i, 0]) * width + np.int64(s.pos[b, i, 1])
    cell = _goal_after(s, b, i, np.int64(s.reached[b, i]), here)
    s.goal[b, i, 0], s.goal[b, i, 1] = cell // width, cell % width


@kernel
def look_ahead(s: State, b: int, out: NDArray[np.int32]) -> None:
    """Write the goals after the present one, `out` int32[N, K], as cells."""
    width = np.int64(s.size[b, 1])
    for i in range(out.shape[0]):
        cell = np.int64(s.goal[b, i, 0]) * width + np.int64(s.goal[b, i, 1])
        for k in range(out.shape[1]):
            cell = _goal_after(s, b, i, np.int64(s.reached[b, i]) + 1 + k, cell)
            out[i, k] = cell


@kernel
def _arrive(s: State, c: Scalars, b: int, reward: NDArray[np.float64], terminated: NDArray[np.bool_]) -> None:
    """Rewards, new goals, robots that leave; under `stay` the episode ends when all stand on their goals."""
    pos, goal, active, on_goal, arrived = s.pos[b], s.goal[b], s.active[b], s.on_goal[b], s.arrived[b]
    everywhere = True
    for i in range(c.robots):
        reward[i] = 0.0
        if not active[i]:
            continue
        there = pos[i, 0] == goal[i, 0] and pos[i, 1] == goal[i, 1]
        on_goal[i] = there
        if not there:
            everywhere = False
            arrived[i] = -1
            continue
        if arrived[i] < 0:
            arrived[i] = s.t[b]
        if c.on_goal == RESTART:
            reward[i] = 1.0
            s.reached[b, i] += 1
            _new_goal(s, b, i)
        elif c.on_goal == VANISH:
            reward[i] = 1.0
            s.reached[b, i] = 1
            terminated[i] = True
            active[i] = False
            s.live[b, i] = False
            s.occ[b, pos[i, 0] + c.pad, pos[i, 1] + c.pad] = FREE
            s.busy[b, pos[i, 0] + c.pad, pos[i, 1] + c.pad] = 0
    if c.on_goal == STAY and everywhere:
        for i in range(c.robots):
            reward[i] = 1.0
            s.reached[b, i] = 1
            terminated[i] = True


@kernel
def _crowding(s: State, c: Scalars, b: int) -> float:
    """The mean over robots of robots seen / free cells seen, in the window of the observation radius."""
    total, seen_by = 0.0, 0
    for i in range(c.robots):
        if not s.active[b, i]:
            continue
        free, robots = 0, 0
        for row in range(s.pos[b, i, 0] + c.pad - c.radius, s.pos[b, i, 0] + c.pad + c.radius + 1):
            for column in range(s.pos[b, i, 1] + c.pad - c.radius, s.pos[b, i, 1] + c.pad + c.radius + 1):
                free += 1 - np.int64(s.walls[b, row, column])
                robots += np.int64(s.busy[b, row, column])
        total += robots / free
        seen_by += 1
    return total / seen_by if seen_by else 0.0


@kernel
def step(
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
        _resolve(s, c, b, actions[b], fault[b])
        _commit(s, c, b)
        s.t[b] += 1
        for i in range(c.robots):
            if fault[b, i]:
                s.conflicts[b, fault[b, i]] += 1
        if c.track_density:
            s.crowd[b] += _crowding(s, c, b)
        _arrive(s, c, b, reward[b], terminated[b])
        finished = True
        for i in range(c.robots):
            finished &= terminated[b, i]
        truncated[b] = not finished and s.t[b] >= c.max_steps
        if finished or truncated[b]:
            s.over[b] = True
            for i in range(c.robots):
                s.live[b, i] = False
