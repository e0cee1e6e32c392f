from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import yaml
from mapf.brute import solvable
from mapf.checker import check_moves, check_plan, makespan, sum_of_costs
from mapf.worlds import DATA, SHARE, chance, free_cells, grid_of, instance, play, random_grid, view_of

from ludarium.agents.mapf import one_shot
from ludarium.agents.mapf.lacam import LaCAM, solve
from ludarium.agents.mapf.refine import refine
from ludarium.envs.core.compile import kernel
from ludarium.envs.core.errors import ConfigError, InstanceError
from ludarium.envs.mapf.grid import neighbours

BENCHMARK = DATA / "pogema-benchmark"
needs_benchmark = pytest.mark.skipif(
    not BENCHMARK.exists() or SHARE > 1, reason="needs the POGEMA benchmark's files and the compiler"
)


def loss(plan, goals):
    """Robots that do not stay on their goals, summed over steps."""
    return int(((plan[:-1] != goals) | (plan[1:] != goals)).sum())


@cache
def frozen(stem):
    """The one-shot scenarios of a benchmark set: (map, starts, goals), all robots."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    maps = yaml.load((BENCHMARK / f"{stem}.maps.yaml").read_text(), loader)
    scenarios = yaml.load((BENCHMARK / f"{stem}.mapf.yaml").read_text(), loader)["scenarios"]
    found = []
    for name in sorted(scenarios):
        grid = grid_of(maps[scenarios[name]["map_name"]])
        starts, goals = (
            np.array([row * grid.shape[1] + column for row, column in scenarios[name][key]])
            for key in ("agents_xy", "targets_xy")
        )
        found.append((grid, starts, goals))
    return found


# --- completeness --------------------------------------------------------------------------------------------------
def test_it_solves_what_can_be_solved_and_proves_the_rest_unsolvable():
    """Hundreds of tiny instances against an exhaustive joint search."""
    solved = refuted = 0
    for case in range(0, 240, SHARE):
        grid = random_grid(1 + chance(3, 21, case, 1), 2 + chance(3, 21, case, 2), 25, 22, case)
        robots = 1 + chance(min(4, len(free_cells(grid))), 21, case, 3)
        starts, goals = instance(grid, robots, 23, case)
        solution = solve(grid, starts, goals, max_iterations=10**7, seed=case)
        if solvable(grid, starts, goals):
            assert solution.status in ("solved", "optimal")
            check_plan(grid, starts, goals, solution.plan)
            assert solution.cost == loss(solution.plan, goals)
            solved += 1
        else:
            assert solution == (None, "unsolvable", -1, solution.iterations)
            refuted += 1
    assert solved >= 60 // SHARE
    assert refuted >= 20 // SHARE


def test_a_full_map_can_only_rotate():
    full = np.zeros((2, 2), np.uint8)
    solution = solve(full, [0, 1, 3, 2], [1, 3, 2, 0], max_iterations=10**4)
    check_plan(full, [0, 1, 3, 2], [1, 3, 2, 0], solution.plan)
    assert solve(full, [0, 1, 2, 3], [1, 0, 2, 3], max_iterations=10**4).status == "unsolvable"
    width = 40
    corridor, cells = np.zeros((1, width), np.uint8), np.arange(width)
    assert solve(corridor, cells, cells[::-1], max_iterations=10**4).status == "unsolvable"
    assert solve(corridor, cells, cells, max_iterations=10**4).cost == 0


def test_goals_in_another_component_are_unsolvable_at_once():
    solution = solve(grid_of("..#.."), [0], [4], max_iterations=10)
    assert (solution.status, solution.iterations) == ("unsolvable", 0)


def test_a_budget_that_is_too_small_says_so():
    starts, goals = [9, 10, 12, 13], [13, 12, 10, 9]
    grid = grid_of("#.#####. ........")
    solution = solve(grid, starts, goals, max_iterations=3)
    assert (solution.plan, solution.status, solution.iterations) == (None, "budget", 3)


# --- optimality ------------------------------------------------------------------------------------------------------
def least_loss(grid, starts, goals):
    """Dijkstra over all joint moves with the number of robots that do not stay on their goals as the cost."""
    from mapf.brute import _joint_moves, _neighbourhood

    around, target = _neighbourhood(grid), tuple(int(g) for g in goals)
    layer, start, free = {}, tuple(int(s) for s in starts), [False] * len(starts)
    layer[0], best, done = [start], {start: 0}, set()
    cost = 0
    while layer:
        for cells in layer.pop(cost, []):
            if cells in done:
                continue
            done.add(cells)
            if cells == target:
                return cost
            for moved in _joint_moves(around, cells, free):
                away = sum(a != g or b != g for a, b, g in zip(cells, moved, target, strict=True))
                if cost + away < best.get(moved, 10**9):
                    best[moved] = cost + away
                    layer.setdefault(cost + away, []).append(moved)
        cost += 1
    return None


def test_with_time_it_is_optimal():
    compared = 0
    for case in range(0, 80, SHARE):
        grid = random_grid(2 + chance(2, 24, case, 1), 2 + chance(2, 24, case, 2), 20, 25, case)
        robots = 1 + chance(min(3, len(free_cells(grid))), 24, case, 3)
        starts, goals = instance(grid, robots, 26, case)
        solution = solve(grid, starts, goals, max_iterations=10**6, refine_iterations=10**6, seed=case)
        expected = least_loss(grid, starts, goals)
        if expected is None:
            assert solution.status == "unsolvable"
            continue
        assert solution.status == "optimal"
        assert solution.cost == expected == loss(solution.plan, goals)
        compared += 1
    assert compared >= 50 // SHARE


def test_more_iterations_never_cost_more():
    grid = np.zeros((8, 8), np.uint8)
    starts, goals = instance(grid, 30, 27, 0)
    costs = []
    for budget in (0, 10, 100, 1000):
        solution = solve(grid, starts, goals, refine_iterations=budget)
        check_plan(grid, starts, goals, solution.plan)
        costs.append(solution.cost)
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < costs[0]


def test_the_refined_plan_is_valid_and_never_worse():
    refined = 0
    for case in range(0, 25, SHARE):
        grid = random_grid(9, 9, 10, 28, case)
        starts, goals = instance(grid, 25, 29, case)
        plan = solve(grid, starts, goals, max_iterations=2000, seed=case).plan
        if plan is None:
            continue
        refined += 1
        before = sum_of_costs(plan, goals)
        assert one_shot.sum_of_costs(plan, goals) == before
        kept = plan.copy()
        better = refine(grid, plan, iterations=60, seed=case)
        check_plan(grid, starts, goals, better)
        assert sum_of_costs(better, goals) <= before
        assert len(better) <= len(plan)
        assert (plan == kept).all()
    assert refined >= 15 // SHARE
    with pytest.raises(ConfigError, match="size 0"):
        refine(grid, plan, iterations=1, size=0)


# --- the benchmark ---------------------------------------------------------------------------------------------------
@needs_benchmark
@pytest.mark.parametrize(("robots", "expected"), [(2, 160), (3, 153), (4, 150)])
def test_exactly_the_solvable_puzzles_are_solved(robots, expected):
    """O8: an exhaustive joint search found 160, 153 and 150 of the 160 puzzles solvable."""
    solved = 0
    for grid, starts, goals in frozen("05-puzzles"):
        solution = solve(grid, starts[:robots], goals[:robots], max_iterations=10**7)
        assert solution.status != "budget"
        if solution.plan is not None:
            check_plan(grid, starts[:robots], goals[:robots], solution.plan)
            solved += 1
    assert solved == expected


@kernel
def joint_search(table, starts, goals, seen, queue):
    """Least makespan by breadth-first search over all joint moves, -1 where no plan exists.

    `seen` is int32 of cells**robots, all -1; a joint position is a number in base `cells`.
    """
    cells, robots = table.shape[0], starts.shape[0]
    here, there = np.empty(robots, np.int64), np.empty(robots, np.int64)
    action = np.empty(robots, np.int64)
    first = last = 0
    for robot in range(robots):
        first, last = first * cells + starts[robot], last * cells + goals[robot]
    seen[first] = 0
    queue[0] = first
    head, tail = 0, 1
    while head < tail and seen[last] < 0:
        rest = here_code = int(queue[head])
        head += 1
        for robot in range(robots - 1, -1, -1):
            here[robot] = rest % cells
            rest //= cells
        k = 0
        action[0] = -1
        while k >= 0:
            action[k] += 1
            if action[k] == 5:
                k -= 1
                continue
            there[k] = table[here[k], action[k]]
            fits = there[k] >= 0
            for j in range(k):
                if there[j] == there[k] or (there[j] == here[k] and here[j] == there[k]):
                    fits = False
            if not fits:
                continue
            if k < robots - 1:
                k += 1
                action[k] = -1
                continue
            code = 0
            for robot in range(robots):
                code = code * cells + there[robot]
            if seen[code] < 0:
                seen[code] = seen[here_code] + 1
                queue[tail] = code
                tail += 1
    return int(seen[last])


@needs_benchmark
@pytest.mark.parametrize(
    ("robots", "mean", "most"),
    [(2, 6.6125, 22), (3, 7.412, 23), pytest.param(4, 8.447, 24, marks=pytest.mark.slow)],
)
def test_makespans_of_the_puzzles(robots, mean, most):
    """O8: the least makespans, by an exhaustive joint search; no plan of LaCAM is shorter, none is missing."""
    best = []
    for grid, starts, goals in frozen("05-puzzles"):
        start, goal = starts[:robots].astype(np.int64), goals[:robots].astype(np.int64)
        joint = grid.size**robots
        least = joint_search(neighbours(grid), start, goal, np.full(joint, -1, np.int32), np.empty(joint, np.int32))
        plan = solve(grid, start, goal, max_iterations=10**7, refine_iterations=200).plan
        assert (plan is None) == (least < 0)
        if plan is not None:
            assert makespan(plan, goal) >= least
            best.append(least)
    assert np.mean(best) == pytest.approx(mean, abs=5e-4)
    assert max(best) == most


@needs_benchmark
@pytest.mark.parametrize(("robots", "published"), [(8, 118), (32, 504), (64, 1214)])
def test_random_maps_of_the_benchmark_are_all_solved(robots, published):
    """CSR 1.0 within its 128 steps, and no higher sum of costs than published for LaCAM."""
    costs = []
    for grid, starts, goals in frozen("01-random")[::4]:
        planner = LaCAM(lns_iterations=300)
        plan = planner.find(grid, starts[:robots], goals[:robots], seed=0)
        check_plan(grid, starts[:robots], goals[:robots], plan)
        assert makespan(plan, goals[:robots]) <= 128
        costs.append(sum_of_costs(plan, goals[:robots]))
    assert np.mean(costs) <= published


# --- the planner -----------------------------------------------------------------------------------------------------
def test_the_planner_follows_its_plan():
    grid = np.zeros((6, 6), np.uint8)
    starts, goals = instance(grid, 20, 30, 0)
    trace = play(LaCAM(lns_iterations=20), grid, starts, goals, 100, seed=5)
    check_plan(grid, starts, goals, trace)
    again = play(LaCAM(lns_iterations=20), grid, starts, goals, 100, seed=5)
    assert trace.tolist() == again.tolist()


def test_the_planner_plans_anew_when_it_was_pushed_aside():
    grid = np.zeros((5, 5), np.uint8)
    planner = LaCAM(lns_iterations=0)
    planner.begin(view_of(grid, [0, 24], [24, 0]), 1)
    planner.decide(view_of(grid, [0, 24], [24, 0]))
    pos = np.array([4, 20], np.int32)  # somewhere else altogether
    for t in range(1, 30):
        step = planner.decide(view_of(grid, pos, [24, 0], t=t))
        pos = (pos + np.array([0, -5, 5, -1, 1])[step]).astype(np.int32)
    assert pos.tolist() == [24, 0]


def test_the_planner_goes_on_without_a_plan():
    grid = grid_of("..... #####")
    trace = play(LaCAM(max_iterations=1000), grid, [1, 3, 0], [3, 1, 0], 20)
    check_moves(grid, trace)
    assert len(trace) == 21


def test_lifelong_worlds_are_declined():
    with pytest.raises(ConfigError, match="lifelong"):
        LaCAM().begin(view_of(np.zeros((2, 2), np.uint8), [0], [1], lifelong=True), 0)


# --- what is given ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("starts", "goals", "message"),
    [
        ([0, 1], [3], "2 starts but 1 goals"),
        ([0, 0], [3, 4], "robots 0, 1 share the start cell 0"),
        ([0, 1], [3, 3], "robots 0, 1 share the goal cell 3"),
        ([2], [3], "start of robot 0, cell 2, is an obstacle"),
        ([0], [9], "goal of robot 0, cell 9, is outside"),
        ([-1], [0], "outside"),
        ([[0]], [[1]], "shape"),
    ],
)
def test_bad_instances_are_named(starts, goals, message):
    with pytest.raises(InstanceError, match=message):
        solve(grid_of("..#.."), starts, goals)


def test_bad_budgets_are_named():
    with pytest.raises(ConfigError, match="max_iterations 0"):
        solve(grid_of(".."), [0], [1], max_iterations=0)


def test_no_robots_and_robots_at_home():
    grid = grid_of("...")
    assert solve(grid, [], []).cost == 0
    solution = solve(grid, [2, 0], [2, 0])
    assert solution.plan.tolist() == [[2, 0]]
    assert solution.cost == 0


def test_the_same_arguments_give_the_same_plan():
    grid = np.zeros((7, 7), np.uint8)
    starts, goals = instance(grid, 25, 31, 0)
    plans = [solve(grid, starts, goals, refine_iterations=50, seed=seed).plan.tolist() for seed in (0, 0, 1)]
    assert plans[0] == plans[1] != plans[2]


def test_small_hash_tables_grow_without_a_change():
    """More nodes than the first table holds: refined until nothing is left."""
    grid = np.zeros((3, 3), np.uint8)
    starts, goals = [0, 1, 2, 3], [8, 7, 6, 5]
    solution = solve(grid, starts, goals, refine_iterations=10**6, max_iterations=10**6)
    check_plan(grid, starts, goals, solution.plan)
    assert solution.status == "optimal"
    assert solution.iterations > 2000
    assert solution.cost == least_loss(grid, starts, goals)
