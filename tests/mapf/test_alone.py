"""The collision-free bound of an episode, against plain breadth-first search and against play."""

import numpy as np
import pytest

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.mapf.grid import UNREACHABLE, bfs, neighbours

MAPS = ({"map": "random", "density": 0.35}, {"map": "maze"}, {"map": "room"}, {"map": "random", "density": 0.0})


def begun(world, seed, **options):
    batch = Batch(make_simulator(world, **options), 1, world)
    batch.seed(np.ones(1, np.bool_), [seed])
    batch.reset(np.ones(1, np.bool_))
    return batch


def distances(view, cells):
    table = neighbours(view.grid)
    rows = np.empty((len(cells), view.grid.size), np.int32)
    queue = np.empty(view.grid.size, np.int32)
    for row, cell in zip(rows, cells, strict=True):
        bfs(table, int(cell), row, queue)
    return rows


@pytest.mark.parametrize("options", MAPS)
def test_one_shot_bounds_are_the_shortest_paths(options):
    for seed in range(25):
        batch = begun("mapf-v0", seed, height=13, width=21, num_robots=9, **options)
        view = batch.simulator.full(batch.state, 0)
        steps = distances(view, view.goal)[np.arange(9), view.pos]
        assert (steps != UNREACHABLE).all()
        bounds = batch.simulator.bounds(batch.state, 0)
        assert bounds == {"sum_of_costs": float(steps.sum()), "makespan": float(steps.max())}


@pytest.mark.parametrize("options", MAPS)
def test_a_robot_alone_that_walks_shortest_paths_meets_the_lifelong_bound_exactly(options):
    for seed in range(6):
        batch = begun("mapf-lifelong-v0", seed, height=11, width=17, num_robots=1, max_steps=90, **options)
        bound = batch.simulator.bounds(batch.state, 0)["throughput"]
        while not batch.over[0]:
            view = batch.simulator.full(batch.state, 0)
            far = distances(view, view.goal)[0]
            near = neighbours(view.grid)[view.pos[0]]
            batch.actions[0][0, 0] = min(
                range(5), key=lambda a, near=near, far=far: far[near[a]] if near[a] >= 0 else 2**40
            )
            batch.step()
        assert batch.result()["metrics"]["throughput"] == bound
