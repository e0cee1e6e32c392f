"""An independent checker of plans: plain NumPy, the rules written again from their definition, no suite code.

Rules: a robot waits or moves to one of the four cells beside it; no two robots share a cell; no two robots
change places in one step. Following a robot and rotating in a ring of three or more are allowed. The cost of
a robot is the step of its last arrival at its goal (waiting there at the end is free, starting on it and
never moving is 0).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def _place(cell: int, width: int) -> str:
    return f"cell {cell} (row {cell // width}, column {cell % width})"


def check_moves(grid: ArrayLike, positions: ArrayLike) -> None:
    """Assert that `positions` (cells, [T + 1, N]) breaks no rule of movement on `grid` ([H, W], 1 = wall)."""
    walls, plan = np.asarray(grid), np.asarray(positions)
    height, width = walls.shape
    assert plan.ndim == 2, f"a plan has shape [steps + 1, agents], got {plan.shape}"
    assert plan.shape[0] >= 1, "a plan holds at least the row of the starts"
    for step, row in enumerate(plan.tolist()):
        seen: dict[int, int] = {}
        for agent, cell in enumerate(row):
            assert 0 <= cell < height * width, f"step {step}: agent {agent} is outside the map at cell {cell}"
            assert not walls[cell // width, cell % width], (
                f"step {step}: agent {agent} stands on an obstacle at {_place(cell, width)}"
            )
            assert cell not in seen, f"step {step}: agents {seen[cell]}, {agent} share {_place(cell, width)}"
            seen[cell] = agent
        if step == 0:
            continue
        before = plan[step - 1].tolist()
        came_from = {cell: agent for agent, cell in enumerate(before)}
        for agent, cell in enumerate(row):
            old = before[agent]
            jump = abs(cell // width - old // width) + abs(cell % width - old % width)
            assert jump <= 1, f"step {step}: agent {agent} jumps to {_place(cell, width)} from {old}"
            other = came_from.get(cell, agent)
            assert other == agent or row[other] != old, (
                f"step {step}: agents {agent} and {other} swap {_place(old, width)} and {_place(cell, width)}"
            )


def check_plan(grid: ArrayLike, starts: ArrayLike, goals: ArrayLike, plan: ArrayLike) -> None:
    """Assert that `plan` (cells, [T + 1, N]) leads every agent from its start to its goal by the rules."""
    table, width = np.asarray(plan), np.asarray(grid).shape[1]
    first, last = np.asarray(starts).tolist(), np.asarray(goals).tolist()
    assert table.ndim == 2, f"a plan has shape [steps + 1, agents], got {table.shape}"
    assert table.shape[1] == len(first) == len(last), (
        f"{len(first)} starts, {len(last)} goals, but a plan of {table.shape[1]} agents"
    )
    check_moves(grid, table)
    for agent in range(len(first)):
        assert table[0, agent] == first[agent], (
            f"step 0: agent {agent} is at {_place(int(table[0, agent]), width)}, "
            f"its start is {_place(first[agent], width)}"
        )
        assert table[-1, agent] == last[agent], (
            f"step {len(table) - 1}: agent {agent} ends at {_place(int(table[-1, agent]), width)}, "
            f"its goal is {_place(last[agent], width)}"
        )


def arrivals(plan: ArrayLike, goals: ArrayLike) -> NDArray[np.int64]:
    """The cost of every agent, int64[N]: the step of its last arrival at its goal."""
    away = np.asarray(plan) != np.asarray(goals)
    steps = np.arange(1, len(away) + 1)[:, None]
    return np.asarray((away * steps).max(axis=0), np.int64)


def sum_of_costs(plan: ArrayLike, goals: ArrayLike) -> int:
    """Sum over the agents of the step of their last arrival."""
    return int(arrivals(plan, goals).sum())


def makespan(plan: ArrayLike, goals: ArrayLike) -> int:
    """The step at which the last agent arrives for good."""
    return int(arrivals(plan, goals).max(initial=0))


def check_lifelong(
    grid: ArrayLike, starts: ArrayLike, sequences: Sequence[Sequence[int]], positions: ArrayLike
) -> NDArray[np.int64]:
    """Assert that a lifelong trace breaks no rule, and return how many goals each agent reached, int64[N].

    `positions` holds cells, [T + 1, N]; `sequences[i]` the goals of agent i in order. A goal is reached by
    standing on it after a step; the next goal counts from the following step on. It is an error to run out of
    goals.
    """
    table = np.asarray(positions)
    first = np.asarray(starts).tolist()
    assert table.shape[1] == len(first) == len(sequences), "starts, goals and positions differ in agents"
    assert table[0].tolist() == first, f"the trace begins at {table[0].tolist()}, the starts are {first}"
    check_moves(grid, table)
    reached = np.zeros(len(first), np.int64)
    for step in range(1, len(table)):
        for agent, goals in enumerate(sequences):
            assert reached[agent] < len(goals), f"step {step}: agent {agent} used up its {len(goals)} goals"
            reached[agent] += int(table[step, agent] == goals[reached[agent]])
    return reached
