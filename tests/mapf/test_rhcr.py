from __future__ import annotations

import numpy as np
import pytest
from mapf.checker import check_lifelong, check_moves
from mapf.rolling import blocked_window, exhaustive_cost, lifelong_instance
from mapf.worlds import SHARE, grid_of, play_lifelong, random_grid

from ludarium.agents.mapf.bound import goal_bound
from ludarium.agents.mapf.lns_rolling import gather_tasks
from ludarium.agents.mapf.lns_window import NO_PATH, path_cost
from ludarium.agents.mapf.rhcr import RHCR, RhcrPlanner
from ludarium.agents.mapf.rhcr_pbs import prioritise
from ludarium.agents.mapf.rhcr_sipp import block_path, make_sipp, sipp_path, unblock_path
from ludarium.agents.registry import make_agent
from ludarium.envs.core.errors import ConfigError
from ludarium.envs.mapf.grid import neighbours
from ludarium.envs.mapf.guides import Guides


def solve(grid, starts, goals, window, nodes):
    """One windowed instance: what `prioritise` returns, its plan, and the tasks."""
    guides = Guides(grid)
    starts, goals = np.array(starts, np.int32), np.array(goals, np.int32)
    tasks = gather_tasks(guides, starts, goals[:, 0], goals[:, 1:], window, 1000)
    plan = np.repeat(starts[None, :], window + 1, axis=0)
    owner = np.full((2, grid.size), -1, np.int32)
    sipp = make_sipp(grid.size, window, tasks.goals.shape[1])
    made = prioritise(guides.neighbours, grid.shape[1], tasks, plan, nodes, sipp, owner)
    assert (owner == -1).all()
    assert not sipp.busy.any()
    assert not sipp.swap.any()
    return made, plan, tasks


def test_sipp_costs_what_exhaustion_says():
    solved = 0
    for case in range(400 // SHARE):
        grid, tasks, plan = blocked_window(case)
        agent, before, table = plan.shape[1] - 1, plan.copy(), neighbours(grid)
        sipp = make_sipp(grid.size, len(plan) - 1, tasks.goals.shape[1])
        for other in range(agent):
            block_path(table, plan, other, sipp)
        best = exhaustive_cost(grid, tasks, plan, agent)
        found = sipp_path(table, grid.shape[1], tasks, plan, agent, sipp)
        for other in range(agent):
            unblock_path(plan, other, sipp)
        assert not sipp.busy.any()
        assert not sipp.swap.any()
        if best is None:
            assert found == NO_PATH
            assert (plan == before).all()
            continue
        solved += 1
        assert found == best == path_cost(tasks, plan, agent)
        assert (plan[:, :agent] == before[:, :agent]).all()
        check_moves(grid, plan)
    assert solved > 100 // SHARE


def test_search_finds_who_must_give_way():
    grid = grid_of("#.###\n.....")  # both want to pass: one must wait in the niche
    made, plan, tasks = solve(grid, [5, 9], [[9], [5]], 10, 50)
    assert made > 1
    check_moves(grid, plan)
    assert path_cost(tasks, plan, 0) + path_cost(tasks, plan, 1) == 4 + 7  # three steps for the niche


def test_search_says_when_no_priorities_help_or_the_budget_ends():
    grid = grid_of("....")
    made, plan, _ = solve(grid, [1, 2], [[3], [0]], 6, 1)
    assert made == -1
    assert (plan == [1, 2]).all()
    made, plan, _ = solve(grid_of(".."), [0, 1], [[1], [0]], 6, 1000)
    assert made == -1
    assert (plan == [0, 1]).all()


def test_solved_windows_are_free_of_conflicts_on_crowded_maps():
    solved = 0
    for case in range(30 // SHARE + 1):
        grid = random_grid(8, 8, 20, 41, case)
        starts, goals = lifelong_instance(grid, 12, 41, case, 8)
        made, plan, _ = solve(grid, starts, goals, 8, 300)
        check_moves(grid, plan)
        solved += made > 0
    assert solved >= 20 // SHARE


@pytest.mark.parametrize("nodes", [1, 200])
@pytest.mark.parametrize("ahead", [0, 12])
def test_episodes_are_valid_and_under_the_bound(nodes, ahead):
    for case in range(8 // SHARE + 1):
        grid = random_grid(5 + case % 4, 9, 25, 43, case)
        starts, goals = lifelong_instance(grid, 2 + 2 * (case % 5), 43, case, 61)
        trace = play_lifelong(RHCR(nodes=nodes), grid, starts, goals, 60, ahead=ahead)
        reached = check_lifelong(grid, starts, goals.tolist(), trace)
        assert (reached <= goal_bound(grid, starts, goals, 60)).all()


def test_a_lone_agent_meets_the_bound():
    grid = random_grid(9, 9, 25, 45, 1)
    starts, goals = lifelong_instance(grid, 1, 45, 1, 61)
    trace = play_lifelong(RHCR(), grid, starts, goals, 60, ahead=12)
    reached = check_lifelong(grid, starts, goals.tolist(), trace)
    assert reached.tolist() == goal_bound(grid, starts, goals, 60).tolist()


def test_budget_decides_between_search_and_fallback():
    grid = random_grid(8, 8, 15, 47, 0)
    starts, goals = lifelong_instance(grid, 14, 47, 0, 8)
    counts = []
    for nodes in (1, 1000):
        planner = RhcrPlanner(grid, len(starts), 0, nodes=nodes)
        pos = starts
        for t in range(5):
            pos = planner.step(pos, goals[:, 0], goals[:, 1:], t, 100)
        counts.append((planner.solved, planner.missed))
    assert counts == [(0, 1), (1, 0)]


def test_same_plan_whatever_the_cache():
    grid = random_grid(9, 9, 20, 49, 0)
    starts, goals = lifelong_instance(grid, 12, 49, 0, 61)
    agents = [RHCR(), RHCR(), RHCR()]
    agents[2].make = lambda grid, n, seed: RhcrPlanner(  # type: ignore[method-assign]
        grid, n, seed, guides=Guides(grid, max_bytes=0)
    )
    traces = [play_lifelong(agent, grid, starts, goals, 25, ahead=8) for agent in agents]
    assert (traces[0] == traces[1]).all()
    assert (traces[0] == traces[2]).all()


def test_corners():
    check_moves(grid_of("....."), play_lifelong(RHCR(), grid_of("....."), [0, 4], [[4] * 30, [0] * 30], 20))
    full = grid_of("..\n..")
    trace = play_lifelong(RHCR(nodes=50), full, [0, 1, 2, 3], [[3] * 20, [2] * 20, [1] * 20, [0] * 20], 12)
    check_moves(full, trace)
    stuck = play_lifelong(RHCR(), grid_of("..#."), [0, 3], [[3] * 9, [3] * 9], 8)
    assert (stuck == [0, 3]).all()


def test_options_are_checked():
    assert isinstance(make_agent("rhcr?window=12"), RHCR)
    for wrong in ({"window": 0}, {"window": 61}, {"replan": 11}, {"replan": 0}, {"nodes": 0}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            RHCR(**wrong)
