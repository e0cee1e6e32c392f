"""PIBT: priority inheritance with backtracking, one step at a time.

Source: Okumura, Machida, Defago, Tamura (Artificial Intelligence 310, 2022). Robots choose in the order of
their priority. One that wants an undecided robot's cell lends that robot its priority and has it choose
first; if it finds no place, the next best cell is tried. On a map in which every two neighbouring cells lie
on a common cycle every robot reaches its goal at some time, though not all need to be there together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.mapf.planner import Planner, PlannerView
from ludarium.agents.mapf.swap import swap_partner
from ludarium.envs.core.compile import kernel
from ludarium.envs.core.rng import draw
from ludarium.envs.mapf.grid import neighbours
from ludarium.envs.mapf.guides import Guides

__all__ = [
    "PIBT",
    "PibtWork",
    "actions_between",
    "initial_order",
    "next_order",
    "pibt_actions",
    "pibt_step",
    "pibt_work",
    "tie_draws",
]

_STREAM_TIES = 101
_NOWHERE = 2**62
_TIE = np.uint64(0xFFF)
_TWELVE = np.uint64(12)


class PibtWork(NamedTuple):
    """Scratch of `pibt_step`; `now` and `later` are -1 everywhere between calls."""

    now: NDArray[np.int32]
    """int32[H * W]: the robot on each cell"""
    later: NDArray[np.int32]
    """int32[H * W]: the robot that has reserved each cell"""
    choice: NDArray[np.int32]
    """int32[N, 5]: next cells, best first, -1 after the last"""
    tried: NDArray[np.int32]
    """int32[N]: how many of them were tried"""
    partner: NDArray[np.int32]
    """int32[N]: the robot to pull along (swap), -1 for none"""
    chain: NDArray[np.int32]
    """int32[N]: robots that wait for the one after them; a chain may be as long as the fleet"""


def pibt_work(cells: int, robots: int) -> PibtWork:
    """Allocate scratch for a grid of so many cells and so many robots."""
    return PibtWork(
        now=np.full(cells, -1, np.int32),
        later=np.full(cells, -1, np.int32),
        choice=np.empty((robots, 5), np.int32),
        tried=np.empty(robots, np.int32),
        partner=np.empty(robots, np.int32),
        chain=np.empty(robots, np.int32),
    )


@kernel
def tie_draws(key: np.uint64, t: int, out: NDArray[np.uint64]) -> None:
    """Fill `out[N]` with the step's random ties: 12 bits for each of the five actions, wait lowest."""
    for robot in range(out.shape[0]):
        out[robot] = draw(key, _STREAM_TIES, t, robot, 0)


@kernel
def _key(steps: int, ties: np.uint64, action: int) -> int:
    tie = int(np.int64((ties >> (_TWELVE * np.uint64(action))) & _TIE))
    return (int(steps) << 15) | (tie << 3) | action


@kernel
def _rank(
    table: NDArray[np.int32],
    guide: NDArray[np.int32],
    here: int,
    ties: np.uint64,
    choice: NDArray[np.int32],
) -> None:
    """Write the cells within a step of `here` to `choice[5]`, nearest to the goal first."""
    around = table[here]
    up, down, left, right = (
        int(around[1]),
        int(around[2]),
        int(around[3]),
        int(around[4]),
    )
    a = _key(guide[here], ties, 0)
    b = _key(guide[max(up, 0)], ties, 1) if up >= 0 else _NOWHERE
    c = _key(guide[max(down, 0)], ties, 2) if down >= 0 else _NOWHERE
    d = _key(guide[max(left, 0)], ties, 3) if left >= 0 else _NOWHERE
    e = _key(guide[max(right, 0)], ties, 4) if right >= 0 else _NOWHERE
    # a sorting network of five: no branch depends on the data
    a, b = min(a, b), max(a, b)
    d, e = min(d, e), max(d, e)
    c, e = min(c, e), max(c, e)
    c, d = min(c, d), max(c, d)
    b, e = min(b, e), max(b, e)
    a, d = min(a, d), max(a, d)
    a, c = min(a, c), max(a, c)
    b, d = min(b, d), max(b, d)
    b, c = min(b, c), max(b, c)
    choice[0] = around[a & 7]
    choice[1] = around[b & 7] if b < _NOWHERE else -1
    choice[2] = around[c & 7] if c < _NOWHERE else -1
    choice[3] = around[d & 7] if d < _NOWHERE else -1
    choice[4] = around[e & 7] if e < _NOWHERE else -1


@kernel
def _reverse(choice: NDArray[np.int32]) -> None:
    last = 4
    while last > 0 and choice[last] < 0:
        last -= 1
    first = 0
    while first < last:
        choice[first], choice[last] = choice[last], choice[first]
        first += 1
        last -= 1


@kernel
def _enter(
    table: NDArray[np.int32],
    distance: NDArray[np.int32],
    rows: NDArray[np.int32],
    pos: NDArray[np.int32],
    goal: NDArray[np.int32],
    swap: bool,
    work: PibtWork,
    planned: NDArray[np.int32],
    robot: int,
) -> None:
    """Make a robot ready to choose."""
    work.tried[robot] = 0
    if swap:
        choice = work.choice[robot]
        best = int(choice[0])
        partner = swap_partner(table, distance, rows, work.now, pos, goal, planned, robot, best)
        work.partner[robot] = partner
        if partner >= 0:
            _reverse(choice)


@kernel
def _advance(pos: NDArray[np.int32], work: PibtWork, planned: NDArray[np.int32], robot: int) -> int:
    """Reserve the robot's next untried cell that is still free.

    Return the undecided robot that must choose first, -1 if there is none, -2 if no cell is left.
    """
    here = int(pos[robot])
    choice = work.choice[robot]
    for k in range(int(work.tried[robot]), 5):
        cell = int(choice[k])
        if cell < 0:
            break
        if work.later[cell] >= 0:
            continue
        other = int(work.now[cell])
        if other >= 0 and planned[other] == here and other != robot:
            continue
        work.later[cell] = robot
        planned[robot] = cell
        work.tried[robot] = k + 1
        if other >= 0 and planned[other] < 0:
            return other
        return -1
    work.later[here] = robot
    planned[robot] = here
    return -2


@kernel
def _choose(
    table: NDArray[np.int32],
    distance: NDArray[np.int32],
    rows: NDArray[np.int32],
    pos: NDArray[np.int32],
    goal: NDArray[np.int32],
    swap: bool,
    work: PibtWork,
    planned: NDArray[np.int32],
    first: int,
) -> bool:
    """Let a robot choose, and before it all whom it pushes: the recursion, with a stack of its own."""
    _enter(table, distance, rows, pos, goal, swap, work, planned, first)
    work.chain[0] = first
    depth = 0
    while True:
        robot = int(work.chain[depth])
        pushed = _advance(pos, work, planned, robot)
        if pushed >= 0:
            depth += 1
            work.chain[depth] = pushed
            _enter(table, distance, rows, pos, goal, swap, work, planned, pushed)
        elif pushed == -1:
            break
        elif depth == 0:
            return False
        else:
            depth -= 1
    if swap:
        while depth >= 0:
            robot = int(work.chain[depth])
            partner, here = int(work.partner[robot]), int(pos[robot])
            if partner >= 0 and work.tried[robot] == 1 and planned[partner] < 0 and work.later[here] < 0:
                work.later[here] = partner
                planned[partner] = here
            depth -= 1
    return True


@kernel
def _reserve(pos: NDArray[np.int32], order: NDArray[np.int32], work: PibtWork, planned: NDArray[np.int32]) -> bool:
    """Enter all robots and the moves that are given in advance; False when two of these collide."""
    fits = True
    for k in range(order.shape[0]):
        work.now[pos[order[k]]] = order[k]
    for k in range(order.shape[0]):
        robot = int(order[k])
        cell = int(planned[robot])
        if cell < 0:
            continue
        other = int(work.now[cell])
        swaps = other >= 0 and other != robot and planned[other] == pos[robot]
        if work.later[cell] >= 0 or swaps:
            fits = False
        work.later[cell] = robot
    return fits


@kernel
def pibt_step(
    table: NDArray[np.int32],
    distance: NDArray[np.int32],
    rows: NDArray[np.int32],
    pos: NDArray[np.int32],
    goal: NDArray[np.int32],
    order: NDArray[np.int32],
    ties: NDArray[np.uint64],
    swap: bool,
    work: PibtWork,
    planned: NDArray[np.int32],
) -> bool:
    """Decide the next cell of every robot in `order[M]`, highest priority first; no others are on the map.

    `table[H * W, 5]` from `grid.neighbours`; `distance[S, H * W]` with `rows[N]` from `Guides.table(goal)`;
    `pos[N]` and `goal[N]` cells; `ties[N]` random bits from `tie_draws`. `planned[N]` holds the cells given
    in advance (-1 for undecided robots) and receives the rest. Returns False, with `planned` of no use, when
    the given moves collide or leave some robot no place; without given moves it always succeeds. `work`
    comes from `pibt_work`.
    """
    success = _reserve(pos, order, work, planned)
    if success:
        for k in range(order.shape[0]):  # apart from the choosing, so that the memory is read for many at once
            robot = int(order[k])
            if planned[robot] < 0:
                _rank(table, distance[rows[robot]], int(pos[robot]), ties[robot], work.choice[robot])
        for k in range(order.shape[0]):
            robot = int(order[k])
            if planned[robot] < 0 and not _choose(table, distance, rows, pos, goal, swap, work, planned, robot):
                success = False
                break
    for k in range(order.shape[0]):
        robot = int(order[k])
        work.now[pos[robot]] = -1
        if planned[robot] >= 0:
            work.later[planned[robot]] = -1
    return success


@kernel
def next_order(
    order: NDArray[np.int32],
    by_rank: NDArray[np.int32],
    arrived: NDArray[np.bool_],
    out: NDArray[np.int32],
) -> None:
    """Write the next step's order: robots under way as before, then the arrived ones by their fixed rank.

    This is pypibt's rule (priority + 1 each step off the goal, back to its fraction on the goal) without its
    sums: whoever is under way is above all who have arrived, and keeps its place among the others. All
    `[N]`.
    """
    count = 0
    for k in range(order.shape[0]):
        if not arrived[order[k]]:
            out[count] = order[k]
            count += 1
    for k in range(by_rank.shape[0]):
        if arrived[by_rank[k]]:
            out[count] = by_rank[k]
            count += 1


def initial_order(distance: NDArray[np.int32], rows: NDArray[np.int32], pos: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return robots by distance to their goal, farthest first, equals by number: `int32[N]`."""
    return np.argsort(-distance[rows, pos], kind="stable").astype(np.int32)


@kernel
def actions_between(
    table: NDArray[np.int32], pos: NDArray[np.int32], planned: NDArray[np.int32], out: NDArray[np.int64]
) -> None:
    """Write the actions `out[N]` that lead from the cells `pos` to `planned`, one step away at most."""
    for robot in range(pos.shape[0]):
        action = 0
        for candidate in range(1, 5):
            if table[pos[robot], candidate] == planned[robot] and planned[robot] != pos[robot]:
                action = candidate
        out[robot] = action


@kernel
def pibt_actions(
    table: NDArray[np.int32],
    distance: NDArray[np.int32],
    rows: NDArray[np.int32],
    pos: NDArray[np.int32],
    goal: NDArray[np.int32],
    order: NDArray[np.int32],
    key: np.uint64,
    t: int,
    swap: bool,
    work: PibtWork,
    ties: NDArray[np.uint64],
    planned: NDArray[np.int32],
    actions: NDArray[np.int64],
) -> None:
    """One whole step: draw the ties, decide, and write `actions[N]`; robots not in `order` wait."""
    tie_draws(key, t, ties)
    for robot in range(pos.shape[0]):
        planned[robot] = pos[robot]
    for k in range(order.shape[0]):
        planned[order[k]] = -1
    pibt_step(table, distance, rows, pos, goal, order, ties, swap, work, planned)
    actions_between(table, pos, planned, actions)


class PIBT(Planner):
    """PIBT as a planner, one-shot and lifelong: `swap` adds the swap operation (see `agents/mapf/swap.py`).

    Priorities follow pypibt: farthest first at the beginning, then longest under way; a robot falls back to
    its initial rank when it stands on its goal and, lifelong, when it is given a new one.
    """

    view = "state"

    def __init__(self, swap: bool = False) -> None:
        self.swap = bool(swap)

    def begin(self, view: PlannerView, seed: int) -> None:
        """Search the distance maps and order the robots."""
        grid = np.ascontiguousarray(view.grid, np.uint8)
        robots = len(view.pos)
        self._key = np.uint64(seed)
        self._guides = Guides(grid)
        self._table = neighbours(grid)
        self._work = pibt_work(grid.size, robots)
        self._ties = np.empty(robots, np.uint64)
        self._planned = np.empty(robots, np.int32)
        self._goal = view.goal.copy()
        distance, rows = self._guides.table(view.goal)
        self._by_rank = initial_order(distance, rows, view.pos)
        self._order = self._by_rank.copy()
        self._spare = self._by_rank.copy()
        self._started = False

    def decide(self, view: PlannerView) -> NDArray[np.int64]:
        """Return one action for every robot."""
        if self._started:
            arrived = (view.pos == view.goal) | (view.goal != self._goal)
            next_order(self._order, self._by_rank, arrived, self._spare)
            self._order, self._spare = self._spare, self._order
        self._started = True
        self._goal[:] = view.goal
        distance, rows = self._guides.table(view.goal)
        order = self._order if view.active.all() else self._order[view.active[self._order]]
        actions = np.empty(len(view.pos), np.int64)
        pibt_actions(
            self._table,
            distance,
            rows,
            view.pos,
            view.goal,
            order,
            self._key,
            view.t,
            self.swap,
            self._work,
            self._ties,
            self._planned,
            actions,
        )
        return actions
