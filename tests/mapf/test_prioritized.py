from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from mapf.brute import optimal_makespan
from mapf.checker import check_lifelong, check_moves, check_plan, makespan, sum_of_costs
from mapf.worlds import (
    SHARE,
    chance,
    free_cells,
    grid_of,
    instance,
    play,
    play_lifelong,
    random_grid,
    shuffled,
    view_of,
)

from ludarium.agents.mapf.pibt import PIBT
from ludarium.agents.mapf.prioritized import Prioritized, solve
from ludarium.agents.mapf.shortest import RandomPlanner, ShortestPath
from ludarium.agents.mapf.spacetime import new_spacetime, reserve, route
from ludarium.envs.core.errors import ConfigError
from ludarium.envs.mapf.grid import UNREACHABLE, neighbours
from ludarium.envs.mapf.guides import Guides


# --- the search in space and time  ---
def earliest(grid, others, start, goal, horizon):
    """Breadth-first over (step, cell) around the paths of others: the earliest arrival for good, or -1."""
    width = grid.shape[1]
    free = set(free_cells(grid).tolist())

    def at(path, t):
        return path[min(t, len(path) - 1)]

    def allowed(t, cell, to):
        return to in free and all(
            at(path, t + 1) != to and not (at(path, t) == to and at(path, t + 1) == cell) for path in others
        )

    front, best = {start}, -1
    for t in range(horizon + 1):
        if goal in front and all(at(path, k) != goal for path in others for k in range(t, horizon + 1)):
            best = t
            break
        steps = [(cell, cell) for cell in front]
        steps += [(cell, cell + move) for cell in front for move in (-width, width)]
        steps += [(cell, cell - 1) for cell in front if cell % width > 0]
        steps += [(cell, cell + 1) for cell in front if cell % width < width - 1]
        front = {to for cell, to in steps if allowed(t, cell, to)}
    return best


def test_routes_are_the_earliest_around_reservations():
    found = 0
    for case in range(0, 200, SHARE):
        grid = random_grid(2 + chance(4, 41, case, 1), 2 + chance(4, 41, case, 2), 20, 42, case)
        cells = free_cells(grid)
        starts = shuffled(cells, 43, case)
        if len(starts) < 3:
            continue
        robots, horizon = 1 + chance(min(4, len(starts) - 2), 41, case, 3), 16
        goals = shuffled(cells, 44, case)
        trace = play(PIBT(), grid, starts[:robots], goals[:robots], horizon, seed=case)
        space, table = new_spacetime(horizon, grid.size), neighbours(grid)
        for robot in range(robots):
            reserve(space, np.ascontiguousarray(trace[:, robot]), len(trace) - 1, robot)
        start, goal = int(starts[robots]), int(goals[robots])
        path = np.empty(horizon + 1, np.int32)
        guide = Guides(grid).row(goal)
        arrival = route(table, guide, space, start, goal, horizon, chance(4, 41, case, 4), 10**9, path)
        assert arrival == earliest(grid, trace.T.tolist(), start, goal, horizon)
        if arrival >= 0:
            own = np.concatenate([path[: arrival + 1], np.full(horizon - arrival, goal)])
            others = np.concatenate([trace, np.repeat(trace[-1:], horizon + 1 - len(trace), axis=0)])
            check_moves(grid, np.column_stack([others, own]))
            assert (own[0], own[-1]) == (start, goal)
            found += 1
    assert found >= 80 // SHARE


# --- one-shot  ---
def test_plans_are_valid_and_lone_robots_go_the_shortest_way():
    solved = 0
    for case in range(0, 150, SHARE):
        grid = random_grid(3 + chance(6, 45, case, 1), 3 + chance(6, 45, case, 2), 20, 46, case)
        robots = 1 + chance(max(1, len(free_cells(grid)) // 3), 45, case, 3)
        starts, goals = instance(grid, robots, 47, case)
        solution = solve(grid, starts, goals, restarts=10, seed=case)
        if solution.plan is None:
            assert solution.status == "budget"
            continue
        solved += 1
        check_plan(grid, starts, goals, solution.plan)
        shortest = [int(Guides(grid).row(int(goal))[start]) for start, goal in zip(starts, goals, strict=True)]
        assert sum_of_costs(solution.plan, goals) >= sum(shortest)
        if robots == 1:
            assert makespan(solution.plan, goals) == shortest[0]
    assert solved >= 100 // SHARE


def test_a_new_order_helps_where_the_first_fails():
    """Only the left robot can step aside in time, so the right one has to be first."""
    grid = grid_of("..... #.###")
    solution = solve(grid, [0, 4], [4, 0], restarts=50)
    assert solution.iterations == 2
    check_plan(grid, [0, 4], [4, 0], solution.plan)
    assert makespan(solution.plan, [4, 0]) == 7


def test_what_no_order_solves_is_not_found():
    grid = grid_of("..... #####")
    assert optimal_makespan(grid, [1, 3], [3, 1]) is None
    solution = solve(grid, [1, 3], [3, 1], restarts=20)
    assert (solution.plan, solution.status, solution.iterations) == (None, "budget", 21)
    assert solve(grid_of("..#.."), [0], [4]).status == "unsolvable"


def test_the_horizon_bounds_the_plan():
    grid = np.zeros((1, 10), np.uint8)
    assert solve(grid, [0], [9], horizon=9).plan is not None
    assert solve(grid, [0], [9], horizon=8).plan is None


def test_options_are_checked():
    with pytest.raises(ConfigError, match="window"):
        Prioritized(window=3, period=4)
    with pytest.raises(ConfigError, match="restarts"):
        solve(grid_of(".."), [0], [1], restarts=-1)


def test_the_planner_follows_its_plan():
    grid = np.zeros((6, 6), np.uint8)
    starts, goals = instance(grid, 12, 48, 0)
    trace = play(Prioritized(), grid, starts, goals, 100, seed=5)
    check_plan(grid, starts, goals, trace)
    assert trace.tolist() == play(Prioritized(), grid, starts, goals, 100, seed=5).tolist()


# --- lifelong: windows  ---
@pytest.mark.parametrize("ahead", [0, 2])
@pytest.mark.parametrize(("robots", "fair"), [(1, 25), (12, 25), (25, 60)])
def test_windows_are_valid_and_goals_are_reached(robots, fair, ahead):
    grid = random_grid(7, 7, 10, 49, 3)
    cells = free_cells(grid)
    starts = shuffled(cells, 50, robots)[:robots]
    sequences = np.stack([shuffled(cells, 51, robot)[:10] for robot in range(robots)])
    steps = 150 if SHARE == 1 else 12
    trace = play_lifelong(Prioritized(restarts=5), grid, starts, sequences, steps, seed=2, ahead=ahead)
    reached = check_lifelong(grid, starts, [list(row) * 30 for row in sequences.tolist()], trace)
    assert reached.sum() > robots * steps // fair


def test_a_lone_robot_s_windows_add_up_to_shortest_ways():
    grid = random_grid(12, 12, 25, 52, 1)
    label = Guides(grid)
    first = int(free_cells(grid)[0])
    cells = free_cells(grid)
    cells = cells[label.row(first)[cells] < UNREACHABLE]
    goals = shuffled(cells, 53, 0)[:8]
    way = [first, *goals.tolist()]
    steps = sum(int(label.row(b)[a]) for a, b in pairwise(way))
    trace = play_lifelong(Prioritized(window=6, period=3), grid, [first], [goals], steps, seed=0)
    assert trace[-1, 0] == goals[-1]


def test_known_goals_do_windows_no_harm():
    grid = np.zeros((10, 10), np.uint8)
    cells, robots = free_cells(grid), 25
    starts = shuffled(cells, 54, 0)[:robots]
    sequences = np.stack([shuffled(cells, 55, robot)[:20] for robot in range(robots)])
    steps = 200 if SHARE == 1 else 10
    reached = []
    for ahead in (0, 1):
        trace = play_lifelong(Prioritized(), grid, starts, sequences, steps, seed=2, ahead=ahead)
        reached.append(check_lifelong(grid, starts, [list(row) * 9 for row in sequences.tolist()], trace).sum())
    assert reached[1] >= reached[0] * (0.97 if SHARE == 1 else 0.8)


# --- baselines  ---
def test_shortest_path_goes_downhill_and_waits_on_its_goal():
    grid = random_grid(12, 12, 20, 56, 0)
    cells = free_cells(grid)
    for case in range(0, 40, SHARE):
        start, goal = (int(c) for c in shuffled(cells, 57, case)[:2])
        distance = int(Guides(grid).row(goal)[start])
        trace = play(ShortestPath(), grid, [start], [goal], 60, seed=case)
        check_moves(grid, trace)
        assert trace[-1, 0] == (goal if distance < UNREACHABLE else start)
        if distance < UNREACHABLE:
            assert len(trace) - 1 == distance
    planner = ShortestPath()
    view = view_of(grid, [goal], [goal])
    planner.begin(view, 0)
    assert planner.decide(view).tolist() == [0]


def test_random_moves_are_uniform_over_free_cells():
    grid = grid_of("... .#. ...")
    pos = np.array([4 - 3, 0], np.int32)  # above the obstacle: wait, left, right; in the corner: wait, down, right
    planner = RandomPlanner()
    planner.begin(view_of(grid, pos, pos), 9)
    tries = 6000 // SHARE
    counts = np.zeros((2, 5), int)
    for t in range(tries):
        counts[[0, 1], planner.decide(view_of(grid, pos, pos, t=t))] += 1
    assert (counts[0] > 0).tolist() == [True, False, False, True, True]
    assert (counts[1] > 0).tolist() == [True, False, True, False, True]
    share = counts[counts > 0] / tries
    assert np.abs(share - 1 / 3).max() < 5 * np.sqrt(2 / 9 / tries)
