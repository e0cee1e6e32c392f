"""For tests of planners with a rolling horizon: lifelong instances, and the best windowed path by exhaustion."""

from __future__ import annotations

from typing import Any

import numpy as np
from mapf.worlds import chance, free_cells, instance, random_grid
from numpy.typing import NDArray

from ludarium.agents.mapf.lns_window import Tasks, make_tasks
from ludarium.envs.mapf.grid import bfs, components, neighbours
from ludarium.envs.mapf.guides import Guides


def lifelong_instance(
    grid: NDArray[np.uint8], robots: int, seed: int, case: int, count: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Starts `[N]` and goal sequences `[N, count]`, each in its robot's component; equal goals in a row may occur."""
    starts, _ = instance(grid, robots, seed, case)
    label, cells = components(neighbours(grid)), free_cells(grid)
    goals = np.empty((len(starts), count), np.int32)
    for robot, start in enumerate(starts):
        own = cells[label[cells] == label[start]]
        for k in range(count):
            goals[robot, k] = own[chance(len(own), seed, case, robot, k)]
    return starts, goals


def blocked_window(case: int) -> tuple[NDArray[np.uint8], Tasks, NDArray[np.int32]]:
    """A small map, tasks of 1 to 3 legs, and a plan in which all agents but the last take random valid steps."""
    grid = random_grid(3 + chance(4, 1, case), 3 + chance(4, 2, case), 20, 3, case)
    table, cells = neighbours(grid), free_cells(grid)
    robots = min(len(cells), 2 + chance(6, 4, case))
    starts, goals = lifelong_instance(grid, robots, 5, case, 3)
    horizon = 1 + chance(8, 6, case)
    plan = np.repeat(starts[None, :], horizon + 1, axis=0)
    for step in range(1, horizon + 1):
        plan[step, :-1] = plan[step - 1, :-1]
        for robot in range(robots - 1):
            here = plan[step - 1, robot]
            target = int(table[here, chance(5, 7, case, step, robot)])
            held = np.flatnonzero(plan[step - 1, :-1] == target)
            swap = len(held) and held[0] != robot and plan[step, held[0]] == here
            if target >= 0 and not swap and target not in np.delete(plan[step, :-1], robot):
                plan[step, robot] = target
    legs = np.array([1 + chance(3, 8, case, robot) for robot in range(robots)], np.int32)
    guide, rows = Guides(grid).table(goals)
    return grid, make_tasks(guide, rows.reshape(goals.shape).astype(np.int32), goals, legs), plan


def exhaustive_cost(grid: NDArray[np.uint8], tasks: Tasks, plan: NDArray[np.int32], agent: int) -> int | None:
    """The least cost of a path for `agent` among the others' columns of `plan`, from all reachable states."""
    table, horizon = neighbours(grid), len(plan) - 1
    goals = tasks.goals[agent, : tasks.legs[agent]].tolist()
    others = [robot for robot in range(plan.shape[1]) if robot != agent]
    states: dict[tuple[int, int], int] = {(int(plan[0, agent]), 0): -1}  # (cell, legs done) -> step of the last arrival
    for step in range(horizon):
        now, then = plan[step, others].tolist(), plan[step + 1, others].tolist()
        following: dict[tuple[int, int], int] = {}
        for (cell, label), finished in states.items():
            for target in table[cell].tolist():
                swap = any(a == target and b == cell for a, b in zip(now, then, strict=True))
                if target < 0 or target in then or (swap and target != cell):
                    continue
                hit = label < len(goals) and target == goals[label]
                after = (target, label + hit)
                done = step + 1 if hit and label + 1 == len(goals) else finished
                following[after] = min(following.get(after, done), done)
        states = following
    distance = {goal: _distances(table, goal) for goal in set(goals)}
    costs = []
    for (cell, label), finished in states.items():
        if label == len(goals):
            costs.append(finished)
            continue
        rest, here = max(1, int(distance[goals[label]][cell])), goals[label]
        for goal in goals[label + 1 :]:
            rest, here = rest + max(1, int(distance[goal][here])), goal
        costs.append(horizon + rest)
    return min(costs) if costs else None


def _distances(table: NDArray[np.int32], goal: int) -> NDArray[Any]:
    distance, queue = np.empty(len(table), np.int32), np.empty(len(table), np.int32)
    bfs(table, goal, distance, queue)
    return distance
