"""Exhaustive joint search on tiny maps: optimal sum of costs, optimal makespan, and what cannot be solved.

Slow on purpose: all joint moves of all agents, no conflict reasoning, nothing of the suite; for maps up to
about 4x4.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

Cells = tuple[int, ...]


def _neighbourhood(grid: ArrayLike) -> dict[int, list[int]]:
    """For every free cell the cells that one step can lead to, itself first."""
    walls = np.asarray(grid)
    height, width = walls.shape
    free = {r * width + c for r in range(height) for c in range(width) if not walls[r, c]}
    return {
        cell: [cell]
        + [
            other
            for other in (cell - width, cell + width, cell - 1, cell + 1)
            if other in free and (other // width == cell // width or other % width == cell % width)
        ]
        for cell in sorted(free)
    }


def _joint_moves(around: dict[int, list[int]], cells: Cells, fixed: Sequence[bool]) -> Iterator[Cells]:
    """All next positions without a shared cell or a swap; agents that are `fixed` stay."""

    def extend(agent: int, chosen: list[int]) -> Iterator[Cells]:
        if agent == len(cells):
            yield tuple(chosen)
            return
        for cell in [cells[agent]] if fixed[agent] else around[cells[agent]]:
            clash = any(
                taken == cell or (taken == cells[agent] and cells[other] == cell) for other, taken in enumerate(chosen)
            )
            if not clash:
                yield from extend(agent + 1, [*chosen, cell])

    yield from extend(0, [])


def _distances(around: dict[int, list[int]], goal: int) -> dict[int, int]:
    found, queue = {goal: 0}, deque([goal])
    while queue:
        cell = queue.popleft()
        for other in around[cell]:
            if other not in found:
                found[other] = found[cell] + 1
                queue.append(other)
    return found


def optimal_sum_of_costs(grid: ArrayLike, starts: Sequence[int], goals: Sequence[int]) -> int | None:
    """The least sum of costs, or None where no plan exists.

    Best-first search over (positions, who has finished for ever). An agent on its goal may declare that it
    has finished: from then on it never moves and pays nothing; every other agent pays 1 a step. So its cost
    is the step of its last arrival, and an agent that steps aside later has paid for its stay. Distances to
    the goals order the search (a consistent bound, so the first solution popped is optimal).
    """
    around = _neighbourhood(grid)
    home = [_distances(around, int(goal)) for goal in goals]
    cells = tuple(int(start) for start in starts)
    if any(cell not in home[agent] for agent, cell in enumerate(cells)):
        return None
    target = tuple(int(goal) for goal in goals)
    agents = range(len(cells))

    def bound(places: Cells, done: tuple[bool, ...]) -> int:
        return sum(home[agent][places[agent]] for agent in agents if not done[agent])

    waiting = tuple(False for _ in agents)
    queue = [(bound(cells, waiting), 0, cells, waiting)]
    best = {(cells, waiting): 0}
    while queue:
        _, paid, places, done = heapq.heappop(queue)
        if paid > best[places, done]:
            continue
        if all(done):
            return paid
        following = [
            (paid, places, tuple(done[other] or other == agent for other in agents))
            for agent in agents
            if not done[agent] and places[agent] == target[agent]
        ]
        step = paid + done.count(False)
        following += [(step, moved, done) for moved in _joint_moves(around, places, done)]
        for cost, moved, ended in following:
            if cost < best.get((moved, ended), 1 << 30):
                best[moved, ended] = cost
                heapq.heappush(queue, (cost + bound(moved, ended), cost, moved, ended))
    return None


def optimal_makespan(grid: ArrayLike, starts: Sequence[int], goals: Sequence[int]) -> int | None:
    """The least number of steps after which all agents stand on their goals, or None where no plan exists."""
    around = _neighbourhood(grid)
    cells, target = tuple(int(start) for start in starts), tuple(int(goal) for goal in goals)
    free = tuple(False for _ in cells)
    found, queue = {cells: 0}, deque([cells])
    while queue:
        places = queue.popleft()
        if places == target:
            return found[places]
        for moved in _joint_moves(around, places, free):
            if moved not in found:
                found[moved] = found[places] + 1
                queue.append(moved)
    return None


def solvable(grid: ArrayLike, starts: Sequence[int], goals: Sequence[int]) -> bool:
    """Whether any plan exists."""
    return optimal_makespan(grid, starts, goals) is not None
