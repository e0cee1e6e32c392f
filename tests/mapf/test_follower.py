from __future__ import annotations

import numpy as np
import pytest
from mapf.reference import Reference
from mapf.rolling import lifelong_instance
from mapf.worlds import SHARE, chance, free_cells, grid_of, play_lifelong, random_grid, view_of

from ludarium.agents.mapf.bound import goal_bound
from ludarium.agents.mapf.follower import Follower, costs_to_go, first_actions, static_costs
from ludarium.agents.registry import make_agent
from ludarium.envs.core.errors import ConfigError
from ludarium.envs.mapf.grid import UNREACHABLE, bfs, components, neighbours


def values(table, cost, goal):
    """Least costs to the goal where a step into c costs `cost[c]`, by sweeping until nothing changes."""
    value = np.full(len(table), np.inf)
    value[goal] = 0.0
    while True:
        before = value.copy()
        for cell in range(len(table)):
            for target in table[cell, 1:].tolist():
                if target >= 0 and table[cell, 0] >= 0:
                    value[cell] = min(value[cell], cost[target] + value[target])
        if (before == value).all():
            return value


def rest_of(table, cost, goals):
    rest = np.empty((len(goals), len(table)))
    for robot, goal in enumerate(goals):
        heap, where = np.empty(len(table), np.int64), np.full(len(table), -1, np.int64)
        costs_to_go(table, cost, goal, rest[robot], heap, where)
        assert (where == -1).all()
    return rest


def test_static_costs_by_hand():
    assert static_costs(grid_of("...")).tolist() == [1.0, 1.5, 1.0]  # mean distances 1, 2/3, 1
    assert static_costs(grid_of(".#")).tolist() == [1.0, 1.0]
    assert np.allclose(static_costs(grid_of("...#..")), [1, 1.5, 1, 1, 1, 1])  # each component by itself


def test_static_costs_are_ratios_of_mean_distances():
    grid = random_grid(7, 6, 25, 51, 3)
    table, cost = neighbours(grid), static_costs(grid)
    label, distance, queue = components(table), np.empty(grid.size, np.int32), np.empty(grid.size, np.int32)
    mean = np.zeros(grid.size)
    for cell in free_cells(grid).tolist():
        bfs(table, cell, distance, queue)
        mean[cell] = distance[distance < UNREACHABLE].mean()
    for cell in free_cells(grid).tolist():
        if mean[cell] > 0:
            assert cost[cell] == pytest.approx(mean[label == label[cell]].max() / mean[cell], rel=1e-12)
    assert (cost >= 1).all()


def test_costs_to_go_are_least_costs():
    for case in range(20 // SHARE + 1):
        grid = random_grid(6, 7, 30, 53, case)
        table, cost = neighbours(grid), static_costs(grid)
        goal = int(free_cells(grid)[chance(len(free_cells(grid)), 53, case, 9)])
        rest, expected = rest_of(table, cost, [goal])[0], values(table, cost, goal)
        assert np.allclose(np.where(rest < 1e300, rest, np.inf), expected)


def test_the_first_step_begins_a_cheapest_path():
    for case in range(40 // SHARE + 1):
        grid = random_grid(6, 7, 25, 55, case)
        table, cost = neighbours(grid), static_costs(grid)
        starts, goals = lifelong_instance(grid, 5, 55, case, 1)
        pos, goal = starts, goals[:, 0]
        seen = np.array([[chance(3, case, i, c) for c in range(grid.size)] for i in range(len(pos))], np.int32)
        before, actions = seen.copy(), np.zeros(len(pos), np.int64)
        first_actions(table, 7, 2, cost, seen, rest_of(table, cost, goal.tolist()), pos, goal, actions)
        for robot in range(len(pos)):
            added = np.zeros(grid.size, np.int32)
            for other in np.delete(pos, robot).tolist():
                near = max(abs(other // 7 - pos[robot] // 7), abs(other % 7 - pos[robot] % 7)) <= 2
                added[other] += near
            assert (seen[robot] - before[robot] == added).all()
            value = values(table, cost + seen[robot], goal[robot])
            here, there = pos[robot], table[pos[robot], actions[robot]]
            if here == goal[robot]:
                assert actions[robot] == 0
            else:
                assert value[here] == pytest.approx(cost[there] + seen[robot, there] + value[there])


def test_only_robots_in_sight_matter_and_a_new_goal_clears_the_memory():
    grid = grid_of("............\n............")
    agent = Follower(radius=3)
    near = view_of(grid, [0, 2], [11, 23])

    def eight_decisions(view):
        agent.begin(view, 0)
        return [int(agent.decide(view)[0]) for _ in range(8)]

    assert eight_decisions(near)[0] == 4
    assert eight_decisions(near)[-1] == 2  # round the one who keeps standing on the way
    for far in (4, 8, 20):
        assert eight_decisions(view_of(grid, [0, far], [11, 23])) == [4] * 8
    agent.begin(near, 0)
    for _ in range(3):
        agent.decide(near)
    assert agent._seen[0, 2] == 3
    agent.decide(view_of(grid, [0, 2], [10, 23]))
    assert agent._seen[0, 2] == 1
    assert agent._seen[1, 0] == 4


def test_a_lone_robot_walks_least_cost_paths():
    grid = grid_of(".....")
    trace = play_lifelong(Follower(), grid, [0], [[4, 0] * 10], 24)
    assert trace[:, 0].tolist() == [*([0, 1, 2, 3, 4, 3, 2, 1] * 3), 0]
    stuck = play_lifelong(Follower(), grid_of(".#."), [0], [[2] * 5], 4)
    assert (stuck == 0).all()


def test_episodes_under_the_soft_rule_count_goals_below_the_bound():
    total = 0
    for case in range(4 // SHARE + 1):
        grid = random_grid(8, 8, 15, 57, case)
        starts, goals = lifelong_instance(grid, 10, 57, case, 60)
        cells = [[(g // 8, g % 8) for g in own] for own in goals.tolist()]
        begins = [(s // 8, s % 8) for s in starts.tolist()]
        traces = []
        for _ in range(2):
            world, agent = Reference(grid, begins, cells, on_goal="restart", max_steps=50), Follower()
            trace = []
            for t in range(50):
                pos = [r * 8 + c for r, c in world.pos]
                view = view_of(grid, pos, [r * 8 + c for r, c in world.goal], t=t, lifelong=True)
                if t == 0:
                    agent.begin(view, 0)
                world.step(agent.decide(view).tolist())
                trace.append(list(world.pos))
            traces.append(trace)
            assert (np.array(world.reached) <= goal_bound(grid, starts, goals, 50)).all()
            total += sum(world.reached)
        assert traces[0] == traces[1]
    assert total > 0


def test_robots_that_left_are_neither_seen_nor_moved():
    grid = grid_of("....\n....")
    agent = Follower()
    view = view_of(grid, [0, 2], [3, 4])
    agent.begin(view, 0)
    gone = view._replace(active=np.array([True, False]))
    actions = agent.decide(gone)
    assert actions[1] == 0
    assert not agent._seen.any()


def test_options_are_checked():
    assert isinstance(make_agent("follower?radius=3"), Follower)
    with pytest.raises(ConfigError, match="radius"):
        Follower(radius=-1)
