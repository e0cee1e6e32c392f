from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from mapf.rolling import lifelong_instance
from mapf.worlds import DATA, grid_of, random_grid

from ludarium.agents.mapf.bound import goal_bound, throughput_bound
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import InstanceError
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.mapf.dynamics import look_ahead
from ludarium.envs.mapf.grid import bfs, neighbours

FROZEN = DATA / "pogema-benchmark"
UB = {
    "random": (0.634, 1.290, 1.885, 2.440, 3.616, 4.808),
    "mazes": (0.493, 1.010, 1.517, 1.998, 2.997, 3.986),
    "puzzles": (0.510, 0.766, 1.022),
    "cities": (1.586, 3.134, 4.668, 6.156),
    "warehouse": (1.037, 2.078, 3.124, 4.164, 5.207, 6.249),
}
"""The mean bound on the POGEMA benchmark's lifelong files, at each agent count, worked out elsewhere."""


def test_bound_on_a_corridor_by_hand():
    grid = grid_of(".....")
    goals = np.array([[4, 0, 2]], np.int32)  # 4 steps, 4 steps, 2 steps, then 2, 4, 2 and so on
    for steps, expected in [(3, 0), (4, 1), (7, 1), (8, 2), (10, 3), (12, 4), (16, 5)]:
        assert goal_bound(grid, np.array([0]), goals, steps).tolist() == [expected]
    assert throughput_bound(grid, np.array([0]), goals, 10) == 0.3


def test_a_goal_underfoot_costs_one_step():
    grid = grid_of("...")
    assert goal_bound(grid, np.array([1]), np.array([[1]], np.int32), 7).tolist() == [7]
    assert goal_bound(grid, np.array([1]), np.array([[1, 1, 2]], np.int32), 3).tolist() == [3]


def test_an_unreachable_goal_ends_the_count():
    grid = grid_of("..#.")
    assert goal_bound(grid, np.array([0]), np.array([[1, 3, 0]], np.int32), 100).tolist() == [1]
    assert goal_bound(grid, np.array([0]), np.zeros((1, 0), np.int32), 100).tolist() == [0]


def test_lengths_cut_the_sequences():
    grid, goals = grid_of("..."), np.array([[1, 0, 2, -1], [2, 1, -1, -1]], np.int32)
    short = goal_bound(grid, np.array([0, 1]), goals, 9, np.array([2, 1]))
    assert short.tolist() == [9, 9]


def test_shapes_that_do_not_fit_are_told():
    with pytest.raises(InstanceError, match="one row of goals an agent"):
        goal_bound(grid_of("..."), np.array([0, 1]), np.array([[1]], np.int32), 5)


def test_bound_is_what_a_lone_walker_counts():
    for case in range(20):
        grid = random_grid(6, 7, 25, 9, case)
        starts, goals = lifelong_instance(grid, 3, 9, case, 30)
        table, counts = neighbours(grid), []
        for start, sequence in zip(starts.tolist(), goals.tolist(), strict=True):
            cell, count = start, 0
            for _ in range(40):
                distance, queue = np.empty(grid.size, np.int32), np.empty(grid.size, np.int32)
                goal = sequence[count % 30]
                bfs(table, goal, distance, queue)
                cell = min((c for c in table[cell].tolist() if c >= 0), key=lambda c: distance[c])
                count += cell == goal
            counts.append(count)
        assert goal_bound(grid, starts, goals, 40).tolist() == counts


@pytest.mark.skipif(not FROZEN.exists(), reason="the POGEMA benchmark's files are not here")
@pytest.mark.parametrize(
    "name",
    [
        "mazes",
        "puzzles",
        pytest.param("random", marks=pytest.mark.slow),
        pytest.param("cities", marks=pytest.mark.slow),
        pytest.param("warehouse", marks=pytest.mark.slow),
    ],
)
def test_bound_of_the_frozen_scenarios(name, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parents[2] / "benchmarks"), *sys.path])
    from frozen import SETS, load_frozen

    _, counts, steps = SETS[name]
    scenarios = load_frozen(FROZEN, name)
    reached = np.array([goal_bound(s.grid, s.starts, s.goals, steps, s.lengths) for s in scenarios])
    means = [reached[:, :count].sum(axis=1).mean() / steps for count in counts]
    assert np.allclose(means, UB[name], atol=0.00051)


@pytest.mark.parametrize("seed", range(6))
def test_the_environments_bound_is_the_planners_bound(seed):
    """Two searches written apart, over goals drawn by the environment and goals as a table."""
    batch = Batch(make_simulator("mapf-lifelong-v0", size=12, num_robots=6, max_steps=60), 1, "mapf-lifelong-v0")
    one = np.ones(1, np.bool_)
    batch.seed(one, [seed])
    batch.reset(one)
    view = batch.simulator.full(batch.state, 0, "full")
    upcoming = np.full((6, 60), -1, np.int32)
    look_ahead(batch.state, 0, upcoming)
    goals = np.concatenate([view.goal[:, None], upcoming], axis=1)
    expected = throughput_bound(view.grid, view.pos, goals, 60)
    assert batch.simulator.bounds(batch.state, 0)["throughput"] == pytest.approx(expected, rel=1e-12)
