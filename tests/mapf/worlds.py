"""Small worlds for tests of planners: maps with known structure, and a loop that plays a planner by the rules."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.mapf.planner import Planner, PlannerView
from ludarium.envs.core.compile import DISABLED
from ludarium.envs.core.rng import below, draw
from ludarium.envs.mapf.grid import components, neighbours

DATA = Path(os.environ.get("LUDARIUM_MAPF_DATA", Path(__file__).parents[3] / "shared" / "data" / "mapf"))
"""Where the field's own files are, if they are."""


SHARE = 40 if DISABLED else 1
"""Without the compiler only every so manieth case is run."""


def grid_of(text: str) -> NDArray[np.uint8]:
    """A grid from rows of `.` (free) and `#`."""
    return np.array([[character == "#" for character in row] for row in text.split()], np.uint8)


def chance(n: int, *coordinates: int) -> int:
    """An integer in 0..n-1, by coordinates (a seed and up to three more)."""
    seed, a, b, c = (*coordinates, 0, 0, 0)[:4]
    return int(below(np.uint64(draw(np.uint64(seed), 7, a, b, c)), n))


def shuffled(values: NDArray[Any], seed: int, case: int) -> NDArray[Any]:
    """The values in an order drawn for this case."""
    keys = [int(draw(np.uint64(seed), 8, case, i, 0)) for i in range(len(values))]
    return np.asarray(values)[np.argsort(np.array(keys, np.uint64), kind="stable")]


def random_grid(height: int, width: int, percent: int, seed: int, case: int) -> NDArray[np.uint8]:
    """Obstacles independently with this probability, and at least one free cell."""
    cells = [chance(100, seed, case, i, 1) < percent for i in range(height * width)]
    cells[chance(height * width, seed, case, 0, 2)] = False
    return np.array(cells, np.uint8).reshape(height, width)


def free_cells(grid: NDArray[np.uint8]) -> NDArray[np.int32]:
    return np.flatnonzero(grid.reshape(-1) == 0).astype(np.int32)


def _connected(cells: set[int], width: int) -> bool:
    if not cells:
        return False
    first = min(cells)
    found, queue = {first}, [first]
    while queue:
        cell = queue.pop()
        for other in (cell - width, cell + width, cell - 1, cell + 1):
            beside = other // width == cell // width or other % width == cell % width
            if other in cells and other not in found and beside:
                found.add(other)
                queue.append(other)
    return len(found) == len(cells)


def biconnected(grid: NDArray[np.uint8]) -> bool:
    """Whether the map is connected and stays so without any one cell (and has a cycle at all)."""
    cells, width = set(free_cells(grid).tolist()), grid.shape[1]
    return len(cells) >= 4 and _connected(cells, width) and all(_connected(cells - {c}, width) for c in cells)


def biconnected_maps(count: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    """Maps of 2x2 to 6x6 in which every two neighbouring cells lie on a cycle, obstacles where that allows."""
    for case in range(count):
        grid = np.zeros((2 + chance(5, seed, case, 0), 2 + chance(5, seed, case, 1)), np.uint8)
        for cell in shuffled(free_cells(grid), seed, case)[: grid.size // 2]:
            grid.reshape(-1)[cell] = 1
            if not biconnected(grid):
                grid.reshape(-1)[cell] = 0
        yield grid


def view_of(
    grid: NDArray[np.uint8], pos: Any, goal: Any, *, t: int = 0, lifelong: bool = False, upcoming: Any = None
) -> PlannerView:
    robots = len(pos)
    return PlannerView(
        grid=grid,
        pos=np.array(pos, np.int32),
        goal=np.array(goal, np.int32),
        active=np.ones(robots, bool),
        upcoming=np.empty((robots, 0), np.int32) if upcoming is None else np.array(upcoming, np.int32),
        t=t,
        max_steps=10**6,
        lifelong=lifelong,
    )


def moved(grid: NDArray[np.uint8], pos: NDArray[np.int32], actions: NDArray[np.int64]) -> NDArray[np.int32]:
    """Where actions lead when nothing stops a robot; whether anything should have is for `check_moves` to say."""
    step = np.array([0, -grid.shape[1], grid.shape[1], -1, 1])
    return (pos + step[actions]).astype(np.int32)


def instance(grid: NDArray[np.uint8], robots: int, seed: int, case: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Starts and goals, neither with repetition, each robot's in one component."""
    label, cells = components(neighbours(grid)), free_cells(grid)
    starts, ends = shuffled(cells, seed, 2 * case)[:robots], shuffled(cells, seed, 2 * case + 1)
    goals = np.empty_like(starts)
    for part in range(label.max() + 1):
        mine = label[starts] == part
        goals[mine] = ends[label[ends] == part][: mine.sum()]
    return starts, goals


def play(
    planner: Planner, grid: NDArray[np.uint8], starts: Any, goals: Any, steps: int, seed: int = 0
) -> NDArray[np.int32]:
    """Positions `int32[T + 1, N]` of a one-shot episode, which ends when all stand on their goals."""
    pos = np.array(starts, np.int32)
    trace = [pos]
    planner.begin(view_of(grid, pos, goals), seed)
    for t in range(steps):
        if (pos == np.asarray(goals)).all():
            break
        pos = moved(grid, pos, planner.decide(view_of(grid, pos, goals, t=t)))
        trace.append(pos)
    return np.array(trace)


def play_lifelong(
    planner: Planner, grid: NDArray[np.uint8], starts: Any, sequences: Any, steps: int, seed: int = 0, ahead: int = 0
) -> NDArray[np.int32]:
    """Positions of a lifelong episode; `sequences[N, K]` are the robots' goals in order, cycled."""
    table = np.array(sequences, np.int32)
    robots = np.arange(len(starts))
    pos, number = np.array(starts, np.int32), np.zeros(len(starts), np.int64)
    trace = [pos]

    def view(t: int) -> PlannerView:
        known = [table[robots, (number + k) % table.shape[1]] for k in range(ahead + 1)]
        upcoming = np.stack(known[1:], axis=1) if ahead else None
        return view_of(grid, pos, known[0], t=t, lifelong=True, upcoming=upcoming)

    planner.begin(view(0), seed)
    for t in range(steps):
        pos = moved(grid, pos, planner.decide(view(t)))
        trace.append(pos)
        number += pos == table[robots, number % table.shape[1]]
    return np.array(trace)
