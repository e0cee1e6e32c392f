from __future__ import annotations

import numpy as np
import pytest
from mapf.checker import check_lifelong, check_moves
from mapf.rolling import blocked_window, exhaustive_cost, lifelong_instance
from mapf.worlds import SHARE, grid_of, play, play_lifelong, random_grid, view_of

from ludarium.agents.mapf.bound import goal_bound
from ludarium.agents.mapf.lns import LNS, LnsPlanner
from ludarium.agents.mapf.lns_rolling import gather_tasks
from ludarium.agents.mapf.lns_search import improve
from ludarium.agents.mapf.lns_tail import continue_plan
from ludarium.agents.mapf.lns_window import NO_PATH, estimate, find_path, make_scratch, occupy, path_cost
from ludarium.agents.mapf.pibt import PIBT, pibt_work
from ludarium.agents.registry import make_agent
from ludarium.envs.core.errors import ConfigError
from ludarium.envs.mapf.grid import neighbours
from ludarium.envs.mapf.guides import Guides

FAST = {"iterations": 40, "patience": 20}


def window_of(case, horizon=10, robots=14):
    """A crowded map with tasks and a plan by PIBT."""
    grid = random_grid(7, 8, 20, 21, case)
    starts, goals = lifelong_instance(grid, robots, 21, case, 8)
    guides = Guides(grid)
    tasks = gather_tasks(guides, starts, goals[:, 0], goals[:, 1:], horizon, 1000)
    plan = np.empty((horizon + 1, len(starts)), np.int32)
    plan[0] = starts
    waited = np.zeros(len(starts), np.int64)
    continue_plan(guides.neighbours, tasks, plan, 1, waited, np.uint64(1), 0, pibt_work(grid.size, len(starts)))
    return grid, tasks, plan


# --- one agent's path ----------------------------------------------------------------------------------------------
def test_find_path_costs_what_exhaustion_says():
    solved = 0
    for case in range(400 // SHARE):
        grid, tasks, plan = blocked_window(case)
        agent, before = plan.shape[1] - 1, plan.copy()
        owner = np.full((len(plan), grid.size), -1, np.int32)
        for other in range(agent):
            occupy(plan, owner, other)
        best = exhaustive_cost(grid, tasks, plan, agent)
        scratch = make_scratch(len(plan) - 1, tasks.goals.shape[1])
        found = find_path(neighbours(grid), tasks, owner, plan, agent, 10**6, case, scratch)
        if best is None:
            assert found == NO_PATH
            assert (plan == before).all()
            continue
        solved += 1
        assert found == best == path_cost(tasks, plan, agent)
        assert (plan[:, :agent] == before[:, :agent]).all()
        check_moves(grid, plan)
        assert find_path(neighbours(grid), tasks, owner, plan, agent, best, 0, scratch) == best
        assert find_path(neighbours(grid), tasks, owner, plan, agent, best - 1, 0, scratch) == NO_PATH
    assert solved > 100 // SHARE


def test_tasks_cover_the_window_and_leave_out_what_cannot_be_done():
    grid = grid_of("......\n####.#\n......")
    guides = Guides(grid)
    pos, goal = np.array([0, 12], np.int32), np.array([2, 17], np.int32)
    upcoming = np.array([[0, 5, 0], [12, 13, 14]], np.int32)
    tasks = gather_tasks(guides, pos, goal, upcoming, 6, 100)
    assert tasks.legs.tolist() == [3, 2]  # 2 + 2 + 5 steps and 5 + 5 steps
    assert tasks.tail[0].tolist() == [7, 5, 0, 0]
    assert estimate(tasks, 0, 1, 1) == 1 + 5
    assert gather_tasks(guides, pos, goal, upcoming, 6, 4).legs.tolist() == [2, 0]  # 4 steps are left
    apart = Guides(grid_of(".#."))
    assert gather_tasks(apart, np.array([0]), np.array([2]), np.zeros((1, 0), np.int32), 6, 9).legs.tolist() == [0]


def test_what_is_asked_for_first_changes_no_task():
    for case in range(20 // SHARE + 1):
        grid = random_grid(6 + case % 5, 9, 25, 22, case)
        starts, goals = lifelong_instance(grid, 9, 22, case, 12)
        goals[case % len(goals), case % 4 :] = -1
        tasks = [
            gather_tasks(Guides(grid), starts, goals[:, 0], goals[:, 1:], 12, 5 + case, guess)
            for guess in (None, np.arange(len(starts), dtype=np.int32), np.full(len(starts), 99, np.int32))
        ]
        for other in tasks[1:]:
            assert (other.goals == tasks[0].goals).all()
            assert (other.legs == tasks[0].legs).all()
            assert (other.tail == tasks[0].tail).all()
            for agent, legs in enumerate(other.legs):
                for leg in range(max(1, legs)):
                    ours, theirs = other.guide[other.rows[agent, leg]], tasks[0].guide[tasks[0].rows[agent, leg]]
                    assert (ours == theirs).all()


# --- the search ----------------------------------------------------------------------------------------------------
def test_search_never_raises_the_cost_and_keeps_the_plan_valid():
    gained = 0
    for case in range(40 // SHARE + 1):
        grid, tasks, plan = window_of(case)
        agents = plan.shape[1]
        weight = np.array([1 + i % 3 for i in range(agents)], np.int64)
        base = np.array([estimate(tasks, i, plan[0, i], 0) for i in range(agents)])
        before = np.array([path_cost(tasks, plan, i) for i in range(agents)]) - base
        owner = np.full((len(plan), grid.size), -1, np.int32)
        scratch = make_scratch(len(plan) - 1, tasks.goals.shape[1])
        table, key = neighbours(grid), np.uint64(case)
        left, late = improve(table, tasks, weight, plan, owner, scratch, key, 0, 60, 5, 60, False)
        after = np.array([path_cost(tasks, plan, i) for i in range(agents)]) - base
        check_moves(grid, plan)
        assert left == (weight * after).sum() <= (weight * before).sum()
        assert (after >= 0).all()
        assert late == (after > 0).sum()
        expected = np.full_like(owner, -1)
        for step, row in enumerate(plan):
            expected[step, row] = np.arange(agents)
        assert (owner == expected).all()
        gained += int((weight * (before - after)).sum())
    assert gained > 0


def test_only_a_plan_begun_anew_may_cost_more_and_only_with_few_agents():
    rose = 0
    for case in range(40 // SHARE + 1):
        grid, tasks, plan = window_of(case, horizon=8, robots=5)
        agents = plan.shape[1]
        plan[:] = plan[0]  # all stand still
        before = sum(path_cost(tasks, plan, i) for i in range(agents))
        for most in (agents, agents - 1):
            trial = plan.copy()
            owner = np.full((len(plan), grid.size), -1, np.int32)
            scratch = make_scratch(len(plan) - 1, tasks.goals.shape[1])
            ones = np.ones(agents, np.int64)
            improve(neighbours(grid), tasks, ones, trial, owner, scratch, np.uint64(case), 0, 1, most, 60, True)
            check_moves(grid, trial)
            after = sum(path_cost(tasks, trial, i) for i in range(agents))
            assert after <= before or most == agents
        still = plan.copy()
        owner[:] = -1
        improve(neighbours(grid), tasks, ones, still, owner, scratch, np.uint64(case), 0, 60, agents, 60, False)
        rose += sum(path_cost(tasks, still, i) for i in range(agents)) < before
    assert rose > 0


# --- whole episodes ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("ahead", [0, 1, 24])
def test_episodes_are_valid_and_under_the_bound(ahead):
    for case in range(12 // SHARE + 1):
        grid = random_grid(5 + case % 5, 9, 25, 31, case)
        starts, goals = lifelong_instance(grid, 2 + 3 * (case % 5), 31, case, 61)
        trace = play_lifelong(LNS(window=8, **FAST), grid, starts, goals, 60, ahead=ahead)
        reached = check_lifelong(grid, starts, goals.tolist(), trace)
        assert (reached <= goal_bound(grid, starts, goals, 60)).all()


def test_a_lone_agent_meets_the_bound():
    for case in range(6 // SHARE + 1):
        grid = random_grid(9, 9, 25, 33, case)
        starts, goals = lifelong_instance(grid, 1, 33, case, 61)
        for ahead in (0, 24):  # what comes after a goal is known in time even without foresight
            trace = play_lifelong(LNS(**FAST), grid, starts, goals, 60, ahead=ahead)
            reached = check_lifelong(grid, starts, goals.tolist(), trace)
            assert reached.tolist() == goal_bound(grid, starts, goals, 60).tolist()


@pytest.mark.skipif(SHARE > 1, reason="long episodes are for the compiler")
def test_more_goals_than_pibt_where_it_is_crowded():
    totals = np.zeros(3, np.int64)
    for case in range(3):
        grid = random_grid(14, 14, 20, 35, case)
        starts, goals = lifelong_instance(grid, 45, 35, case, 129)
        for k, (planner, ahead) in enumerate([(PIBT(), 0), (LNS(), 0), (LNS(), 24)]):
            trace = play_lifelong(planner, grid, starts, goals, 128, ahead=ahead)
            totals[k] += check_lifelong(grid, starts, goals.tolist(), trace).sum()
    pibt, present, full = totals
    assert present > 1.1 * pibt
    assert full > present


def test_same_seed_same_plan_and_no_word_from_the_cache():
    grid = random_grid(10, 10, 20, 37, 0)
    starts, goals = lifelong_instance(grid, 20, 37, 0, 61)
    traces = [play_lifelong(LNS(**FAST), grid, starts, goals, 30, seed=seed, ahead=8) for seed in (5, 5, 6)]
    assert (traces[0] == traces[1]).all()
    assert (traces[0] != traces[2]).any()
    small = LNS(**FAST)
    small.make = lambda grid, agents, seed: LnsPlanner(  # type: ignore[method-assign]
        grid, agents, seed, guides=Guides(grid, max_bytes=0), **FAST
    )
    assert (play_lifelong(small, grid, starts, goals, 30, seed=5, ahead=8) == traces[0]).all()


# --- corners -------------------------------------------------------------------------------------------------------
def test_a_corridor_of_two_who_cannot_pass():
    grid = grid_of("......")
    trace = play_lifelong(LNS(**FAST), grid, [0, 5], [[5] * 40, [0] * 40], 30)
    check_moves(grid, trace)


def test_a_full_map_rotates():
    grid = grid_of("..\n..")
    starts, goals = [0, 1, 3, 2], [[1, 3, 2, 0] * 10, [3, 2, 0, 1] * 10, [2, 0, 1, 3] * 10, [0, 1, 3, 2] * 10]
    trace = play_lifelong(LNS(**FAST), grid, starts, goals, 24, ahead=8)
    check_moves(grid, trace)
    full = grid_of("...\n...\n...")
    starts, goals = lifelong_instance(full, 9, 39, 0, 31)
    check_lifelong(full, starts, goals.tolist(), play_lifelong(LNS(**FAST), full, starts, goals, 30, ahead=8))


def test_an_unreachable_goal_means_waiting():
    grid = grid_of("...#.")
    trace = play_lifelong(LNS(**FAST), grid, [0, 4], [[4] * 9, [4] * 9], 8)
    assert (trace == [0, 4]).all()


def test_who_can_no_longer_reach_a_goal_in_time_gives_way():
    grid = grid_of("........")
    planner = LnsPlanner(grid, 2, 0)
    pos = np.array([1, 0], np.int32)
    goal, none = np.array([7, 1], np.int32), np.zeros((2, 0), np.int32)
    for t in range(6, 8):  # two steps are left: the second agent's goal is all that can still be reached
        pos = planner.step(pos, goal, none, t, 8)
    assert pos[1] == 1


def test_robots_that_leave_the_map_are_planned_no_more():
    grid = grid_of("....\n....")
    agent = LNS(**FAST)
    view = view_of(grid, [0, 3, 4], [3, 0, 7])
    agent.begin(view, 1)
    assert len(agent.decide(view)) == 3
    for t in range(1, 4):
        gone = view_of(grid, [1, 1, 4 + t], [3, 0, 7], t=t)._replace(active=np.array([True, False, True]))
        assert agent.decide(gone)[1] == 0
    nobody = view_of(grid, [1, 1, 7], [3, 0, 7], t=4)._replace(active=np.zeros(3, bool))
    assert agent.decide(nobody).tolist() == [0, 0, 0]


def test_one_shot_instances_are_solved_too():
    grid = grid_of("....\n.##.\n....")
    trace = play(LNS(), grid, [0, 3], [3, 0], 30)
    check_moves(grid, trace)
    assert trace[-1].tolist() == [3, 0]


def test_options_are_checked():
    assert isinstance(make_agent("lns?window=12&iterations=0"), LNS)
    for wrong in ({"window": 0}, {"replan": 0}, {"iterations": -1}, {"neighbourhood": 0}, {"patience": 0}, {"calm": 0}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            LNS(**wrong)
