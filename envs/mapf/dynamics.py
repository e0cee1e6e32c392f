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

from ludarium.envs.core.bytes import flat
from ludarium.envs.core.compile import inner, kernel, special, tight
from ludarium.envs.core.state import COMMON, Field
from ludarium.envs.mapf.collisions import FREE, SOFT, intend, release, resolve, soft
from ludarium.envs.mapf.placement import next_goal

__all__ = [
    "GENERATED",
    "LOADED",
    "RESTART",
    "Pool",
    "Scalars",
    "State",
    "advance",
    "advance_row",
    "check",
    "crowding",
    "fields",
    "goal_after",
    "look_ahead",
    "step",
    "variant",
]

STAY, VANISH, RESTART = 0, 1, 2
GENERATED, LOADED = -1, -2
USUAL = "usual"
"""The variant of scalars for lifelong episodes under `soft`, crowding not tracked, no `compat`: kernels for it are fewer."""


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


def variant(c: Scalars) -> str:
    """Which special kernels are meant for these scalars."""
    usual = c.collision == SOFT and c.on_goal == RESTART and not c.compat and not c.track_density
    return USUAL if usual else ""


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


# --- step ------------------------------------------------------------------------------------------------------------
@inner
def _decide(s: State, c: Scalars, b: int, actions: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """Fill `at` and `target`: where row b's robots stand, and where they will."""
    resolve(
        c.collision, flat(s.occ, b), s.occ.shape[2], c.pad, s.claim, s.active[b], s.pos[b],
        actions, s.at, s.target, fault,
    )  # fmt: skip


@special(_decide, USUAL)
def _decide_softly(s: State, c: Scalars, b: int, actions: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """The same under `soft`."""
    occ, active = flat(s.occ, b), s.active[b]
    intend(occ, s.occ.shape[2], c.pad, s.pos[b], active, actions, s.at, s.target, fault)
    soft(occ, s.claim, active, s.at, s.target, fault)


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
def goal_after(s: State, b: int, i: int, number: int, here: int) -> int:
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
            cell = goal_after(s, b, i, np.int64(s.reached[b, i]) + 1 + k, cell)
            out[i, k] = cell


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
            cell = goal_after(s, b, i, np.int64(s.reached[b, i]), here)
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
def crowding(s: State, c: Scalars, b: int) -> float:
    """The mean over row b's robots of robots seen / free cells seen, in the window of the observation radius.

    POGEMA counts what robots that have left the map would see. Nothing unless the config tracks it.
    """
    if not c.track_density:
        return 0.0
    walls, busy, pos, active = s.walls[b], s.busy[b], s.pos[b], s.active[b]
    total, seen_by = 0.0, 0
    for i in range(c.robots):
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


@special(crowding, USUAL)
def _no_crowding(s: State, c: Scalars, b: int) -> float:
    """The same where nobody asks."""
    return 0.0


@inner
def _arrive(s: State, c: Scalars, b: int, t: int, reward: NDArray[np.float64], terminated: NDArray[np.bool_]) -> None:
    """What follows for row b from where its robots stand now, in step t."""
    if c.compat and c.collision == SOFT:
        _pogema_crowd(s.active[b], s.at, s.target, flat(s.busy, b))
    if c.on_goal == RESTART:
        _restart(s, b, t, reward)
    elif c.on_goal == STAY:
        _stay(s, b, t, c.compat and t >= c.max_steps, reward, terminated)
    else:
        _vanish(s, c, b, t, reward, terminated)
    s.crowd[b] += crowding(s, c, b)


@special(_arrive, USUAL)
def _arrive_and_go_on(
    s: State, c: Scalars, b: int, t: int, reward: NDArray[np.float64], terminated: NDArray[np.bool_]
) -> None:
    """The same where robots go on for ever."""
    _restart(s, b, t, reward)


@inner
def advance_row(
    s: State,
    c: Scalars,
    b: int,
    actions: NDArray[np.int64],
    reward: NDArray[np.float64],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    fault: NDArray[np.int16],
) -> None:
    """Advance row b, which is not over: `actions` int64[B, N] in 0..4; the rest as in `Out`."""
    _decide(s, c, b, actions[b], fault[b])
    _commit(s.at, s.target, flat(s.occ, b), flat(s.busy, b), s.claim, s.pos[b], s.executed[b])
    t = np.int64(s.t[b]) + 1
    s.t[b] = t
    for i in range(c.robots):
        if fault[b, i]:
            s.conflicts[b, np.int64(fault[b, i])] += 1
    _arrive(s, c, b, t, reward[b], terminated[b])
    finished = c.on_goal != RESTART
    if finished:
        for i in range(c.robots):
            finished &= terminated[b, i]
    truncated[b] = not finished and t >= c.max_steps
    if finished or truncated[b]:
        s.over[b] = True
        for i in range(c.robots):
            s.live[b, i] = False


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
    """Advance every row that is not over."""
    for b in range(actions.shape[0]):
        if not s.over[b]:
            advance_row(s, c, b, actions, reward, terminated, truncated, fault)


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
