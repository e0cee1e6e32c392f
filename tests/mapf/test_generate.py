"""Generated maps are what their names say, and robots are placed as the rules of placement say."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, stats

from ludarium.envs.core.errors import ConfigError
from ludarium.envs.core.rng import episode_key
from ludarium.envs.mapf.generate import KINDS, draw_map, generate_grid, map_scalars
from ludarium.envs.mapf.grid import components, neighbours
from ludarium.envs.mapf.placement import (
    component_lists,
    distinct_goals,
    first_goals,
    next_goal,
    place_starts,
    placeable,
    pool_lists,
)

KEYS = st.integers(0, 2**63 - 1)
SIDES = st.integers(1, 24)


@st.composite
def parameters(draw):
    """A kind of map and parameters within bounds, small enough to matter on a small map."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    chosen = {}
    for name, parameter in KINDS[kind].parameters.items():
        if parameter.slot in "abcd":
            chosen[name] = draw(st.integers(int(parameter.low), 9))
        else:
            chosen[name] = draw(st.floats(parameter.low, parameter.high))
    return kind, chosen


def lists_of(grid):
    """Label, cells, first, count from buffers full of rubbish."""
    height, width = grid.shape
    size = grid.size
    label, cells = np.full(size + 3, -7, np.int32), np.full(size + 3, -7, np.int32)
    first = np.full(size + 4, -7, np.int32)
    count = int(component_lists(grid, height, width, label, cells, first))
    return label, cells, first, count


def placed(grid, robots, key, distinct, start_pool=None, goal_pool=None):
    """Starts and first goals on a whole grid: how many robots fit, the starts and the goals."""
    label, cells, first, count = lists_of(grid)
    lists = []
    for pool in (start_pool, goal_pool):
        if pool is None:
            lists.append((cells, first))
        else:
            chosen = np.full_like(cells, -7), np.full_like(first, -7)
            pool_lists(label, cells, first, count, pool.astype(np.uint8), *chosen)
            lists.append(chosen)
    (start_cells, start_first), (goal_cells, goal_first) = lists
    starts, goals = np.full(robots, -7, np.int32), np.full(robots, -7, np.int32)
    scratch = np.full((3, grid.size), -7, np.int32)
    arguments = (label, start_cells, start_first, goal_cells, goal_first, starts, scratch)
    most = int(place_starts(np.uint64(key), robots, distinct, count, *arguments))
    assert most == placeable(count, *arguments[1:5], distinct)
    if most >= robots and distinct:
        distinct_goals(np.uint64(key), robots, count, label, goal_cells, goal_first, starts, goals, scratch)
    elif most >= robots:
        first_goals(np.uint64(key), robots, label, goal_cells, goal_first, starts, goals)
    return most, starts, goals, (label, goal_cells, goal_first)


# --- maps


@settings(max_examples=200, deadline=None)
@given(parameters(), SIDES, SIDES, KEYS, st.integers(0, 9), st.integers(0, 9))
def test_a_map_depends_on_its_key_and_size_only(chosen, height, width, key, more_rows, more_columns):
    code, *scalars = map_scalars(chosen[0], **chosen[1])
    tight = np.full((height, width), 9, np.uint8)
    padded = np.full((height + more_rows, width + more_columns), 7, np.uint8)
    for grid in (tight, padded):
        draw_map(code, np.uint64(key), grid, height, width, *scalars)
    assert np.array_equal(padded[:height, :width], tight)
    assert set(np.unique(tight)) <= {0, 1}
    assert (padded[height:] == 7).all()
    assert (padded[:, width:] == 7).all()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_seeds_give_different_maps(kind):
    chosen = {"missing": 0.3} if kind == "warehouse" else {}
    maps = {generate_grid(kind, 40, 41, seed, **chosen).tobytes() for seed in range(40)}
    assert len(maps) == 40


@pytest.mark.parametrize("density", [0.0, 0.05, 0.3, 0.9, 1.0])
def test_random_obstacles_are_binomial(density):
    counts = [int(generate_grid("random", 50, 60, seed, density=density).sum()) for seed in range(30)]
    low, high = stats.binom.interval(1 - 1e-9, 50 * 60 * 30, density)
    assert low <= sum(counts) <= high
    if 0 < density < 1:  # neighbouring cells are independent
        grid = generate_grid("random", 200, 200, 5, density=density).astype(float)
        assert abs(np.corrcoef(grid[:, 1:].ravel(), grid[:, :-1].ravel())[0, 1]) < 0.03
        assert abs(np.corrcoef(grid[1:].ravel(), grid[:-1].ravel())[0, 1]) < 0.03


@settings(max_examples=150, deadline=None)
@given(SIDES, SIDES, st.integers(0, 2**40))
def test_a_maze_without_loops_is_a_tree(height, width, seed):
    grid = generate_grid("maze", height, width, seed, loops=0.0)
    free = grid == 0
    edges = (free[1:] & free[:-1]).sum() + (free[:, 1:] & free[:, :-1]).sum()
    assert ndimage.label(free)[1] == 1
    assert edges == free.sum() - 1
    assert free[::2, ::2].all()


def test_the_walk_through_four_rooms_goes_either_way_round():
    seen = Counter(generate_grid("maze", 3, 3, seed, loops=0.0).tobytes() for seed in range(400))
    assert len(seen) == 2
    assert min(seen.values()) > 140
    for grid in seen:
        assert sum(grid) == 2


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["maze", "room"]), st.integers(1, 6), SIDES, SIDES, st.integers(0, 2**40))
def test_mazes_and_rooms_are_connected_and_loops_open_every_wall(kind, size, height, width, seed):
    name = "corridor" if kind == "maze" else "room"
    few = generate_grid(kind, height, width, seed, loops=0.0, **{name: size})
    all_open = generate_grid(kind, height, width, seed, loops=1.0, **{name: size})
    assert ndimage.label(few == 0)[1] == 1
    assert (all_open <= few).all()  # a loop only opens cells
    rooms = -(-height // (size + 1)), -(-width // (size + 1))
    if kind == "room":
        doors = rooms[0] * (rooms[1] - 1) + rooms[1] * (rooms[0] - 1)
        tree = rooms[0] * rooms[1] - 1
        assert few.sum() - all_open.sum() == doors - tree
    else:
        inner = all_open[: rooms[0] * (size + 1) - 1, : rooms[1] * (size + 1) - 1]
        pillars = inner[size :: size + 1, size :: size + 1]
        assert pillars.all()
        assert inner.sum() == pillars.size


def test_loop_rate_opens_that_share_of_the_closed_walls():
    few = sum(int(generate_grid("room", 79, 79, seed, loops=0.0).sum()) for seed in range(20))
    some = sum(int(generate_grid("room", 79, 79, seed, loops=0.4).sum()) for seed in range(20))
    closed = 20 * (2 * 16 * 15 - (16 * 16 - 1))
    low, high = stats.binom.interval(1 - 1e-9, closed, 0.4)
    assert low <= few - some <= high


def test_the_default_warehouse_has_the_shape_of_the_benchmark_s():
    grid = generate_grid("warehouse", 33, 46, 0)
    assert grid.sum() == 8 * 3 * 10
    rows, columns = np.flatnonzero(grid.any(1)), np.flatnonzero(grid.any(0))
    assert rows.tolist() == list(range(2, 33, 4))
    assert (columns[0], columns[-1]) == (7, 38)
    assert not grid[:, [17, 28]].any()


@settings(max_examples=100, deadline=None)
@given(*(st.integers(1, 5) for _ in range(4)), SIDES, SIDES, st.floats(0, 1), st.integers(0, 2**40))
def test_a_warehouse_is_whole_shelves_on_a_connected_floor(length, depth, aisle, margin, height, width, missing, seed):
    shape = {"length": length, "depth": depth, "aisle": aisle, "margin": margin}
    full = generate_grid("warehouse", height, width, seed, **shape)
    grid = generate_grid("warehouse", height, width, seed, missing=missing, **shape)
    assert ndimage.label(grid == 0)[1] == 1
    shelves, count = ndimage.label(full)
    assert (np.bincount(shelves.ravel())[1:] == length * depth).all()
    for shelf in range(1, count + 1):
        assert len(set(grid[shelves == shelf])) == 1  # there or missing as a whole
    assert not grid[full == 0].any()
    assert not full[[0, -1]].any()
    assert not full[:, : min(margin, width)].any()
    assert not full[:, max(0, width - margin) :].any()


@settings(max_examples=150, deadline=None)
@given(parameters(), SIDES, SIDES, st.integers(0, 2**40))
def test_a_city_of_more_than_one_and_a_half_blocks_is_connected(chosen, taller, wider, seed):
    shape = {k: v for k, v in chosen[1].items() if k in KINDS["city"].parameters}
    block = int(shape.setdefault("block", 4))
    grid = generate_grid("city", 3 * block // 2 + taller, 3 * block // 2 + wider, seed, **shape)
    assert ndimage.label(grid == 0)[1] == 1


def test_a_city_is_partly_built_and_all_its_parameters_act():
    plain = generate_grid("city", 64, 64, 7)
    assert 0.25 < plain.mean() < 0.75
    for name, value in {"block": 5, "street": 2, "avenues": 4, "plaza": 0.9, "irregular": 1.0}.items():
        assert not np.array_equal(plain, generate_grid("city", 64, 64, 7, **{name: value}))
    assert generate_grid("city", 64, 64, 7, plaza=1.0).mean() < 0.05
    bare = generate_grid("city", 64, 64, 7, avenues=0)
    assert (generate_grid("city", 64, 64, 7, avenues=3) <= bare).all()


@pytest.mark.parametrize(
    ("kind", "wrong", "message"),
    [
        ("mazes", {}, "did you mean 'maze'"),
        ("maze", {"loop": 0.1}, "did you mean 'loops'"),
        ("random", {"density": float("nan")}, "density .* nan.* from 0.0 to 1.0"),
        ("random", {"density": 1.01}, "density"),
        ("random", {"density": "0.3"}, "density"),
        ("maze", {"corridor": 0}, "corridor .* an integer from 1"),
        ("maze", {"corridor": 1.5}, "corridor"),
        ("maze", {"corridor": True}, "corridor"),
        ("city", {"street": 10**9}, "street"),
    ],
)
def test_wrong_parameters_are_named(kind, wrong, message):
    with pytest.raises(ConfigError, match=message):
        generate_grid(kind, 5, 5, 0, **wrong)


@pytest.mark.parametrize(("height", "width", "name"), [(0, 5, "height"), (5, 4097, "width"), (-1, 5, "height")])
def test_wrong_sides_are_named(height, width, name):
    with pytest.raises(ConfigError, match=name):
        generate_grid("random", height, width, 0)


# --- components


@settings(max_examples=200, deadline=None)
@given(SIDES, SIDES, st.integers(0, 2**40), st.floats(0, 1))
def test_component_lists_agree_with_scipy_and_the_flood_fill(height, width, seed, density):
    grid = generate_grid("random", height, width, seed, density=density)
    padded = np.ones((height + 2, width + 3), np.uint8)
    padded[:height, :width] = grid
    padded[height:] = 0  # free cells in the padding belong to nothing
    size = grid.size
    label, cells, first = (np.full(size + extra, -7, np.int32) for extra in (0, 0, 1))
    count = int(component_lists(padded, height, width, label, cells, first))
    theirs, their_count = ndimage.label(grid == 0)
    assert count == their_count
    assert np.array_equal(label.reshape(height, width) + 1, theirs)  # both number by first cell, row-major
    assert np.array_equal(label, components(neighbours(grid)))
    assert first[0] == 0
    assert first[count] == (grid == 0).sum()
    for component in range(count):
        listed = cells[first[component] : first[component + 1]]
        assert listed.tolist() == np.flatnonzero(label == component).tolist()


@pytest.mark.parametrize("side", [64, 65])
def test_components_of_spirals_and_combs(side):
    """Shapes whose parts meet late: the worst for labels given row by row."""
    comb = np.zeros((side, side), np.uint8)
    comb[:-1, 1::2] = 1
    spiral = np.zeros((side, side), np.uint8)
    for ring in range(1, side // 2, 2):
        spiral[ring, ring:-ring] = spiral[-ring - 1, ring:-ring] = 1
        spiral[ring:-ring, ring] = spiral[ring:-ring, -ring - 1] = 1
        spiral[ring + 1, ring] = 0
    for grid in (comb, comb[::-1].copy(), comb.T.copy(), spiral, spiral[::-1].copy()):
        label, _, _, count = lists_of(grid)
        assert count == ndimage.label(grid == 0)[1]
        assert np.array_equal(label[: grid.size].reshape(grid.shape) + 1, ndimage.label(grid == 0)[0])


# --- placement


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**40), st.floats(0, 0.8), st.booleans(), st.data())
def test_placement_keeps_its_rules_up_to_the_last_robot(height, width, seed, density, distinct, data):
    grid = generate_grid("random", height, width, seed, density=density)
    flat = grid.reshape(-1)
    pools = []
    for _ in range(2):
        bits = data.draw(st.none() | st.lists(st.booleans(), min_size=grid.size, max_size=grid.size))
        pools.append(None if bits is None else np.array(bits))
    key = episode_key(seed)
    most, *_ = placed(grid, 0, key, distinct, *pools)
    robots = data.draw(st.sampled_from([most, most // 2, min(most, 1)]))
    _, starts, goals, (label, _, _) = placed(grid, robots, key, distinct, *pools)
    assert len(set(starts.tolist())) == robots
    for start, goal in zip(starts.tolist(), goals.tolist(), strict=True):
        assert flat[start] == flat[goal] == 0
        assert start != goal
        assert label[start] == label[goal]
        assert pools[0] is None or pools[0][start]
        assert pools[1] is None or pools[1][goal]
    if distinct:
        assert len(set(goals.tolist())) == robots
    refused, starts, goals, _ = placed(grid, most + 1, key, distinct, *pools)
    assert refused == most  # "need n, can place k"
    assert (starts == -7).all()
    assert (goals == -7).all()


def matching(grid, start_pool, goal_pool):
    """The greatest number of robots with distinct starts and distinct goals elsewhere in their components."""
    label = ndimage.label(grid.reshape(grid.shape) == 0)[0].reshape(-1)
    starts = [c for c in range(grid.size) if label[c] and start_pool[c]]
    goals = [c for c in range(grid.size) if label[c] and goal_pool[c]]
    owner: dict[int, int] = {}

    def augment(start, seen):
        for goal in goals:
            if goal != start and label[goal] == label[start] and goal not in seen:
                seen.add(goal)
                if goal not in owner or augment(owner[goal], seen):
                    owner[goal] = start
                    return True
        return False

    return sum(augment(start, set()) for start in starts)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**40), st.lists(st.booleans(), min_size=12, max_size=12), st.data())
def test_the_number_that_can_be_placed_is_a_maximum_matching(seed, start_bits, data):
    grid = generate_grid("random", 3, 4, seed, density=0.4)
    goal_bits = data.draw(st.lists(st.booleans(), min_size=12, max_size=12))
    most, *_ = placed(grid, 0, 1, True, np.array(start_bits), np.array(goal_bits))
    assert most == matching(grid, start_bits, goal_bits)


def test_every_cell_can_be_taken_and_cells_of_size_one_never_are():
    grid = np.array([[0, 1, 0, 0], [1, 1, 1, 1], [0, 0, 1, 0]], np.uint8)
    most, *_ = placed(grid, 0, 5, True)
    assert most == 4
    for seed in range(200):
        _, starts, goals, _ = placed(grid, 4, episode_key(seed), True)
        assert sorted(starts.tolist()) == sorted(goals.tolist()) == [2, 3, 8, 9]


def test_fewer_robots_are_the_first_of_more():
    grid = generate_grid("random", 12, 12, 3, density=0.25)
    for distinct in (True, False):
        _, starts, goals, _ = placed(grid, 40, 77, distinct)
        for robots in (1, 7, 39):
            _, fewer, fewer_goals, _ = placed(grid, robots, 77, distinct)
            assert np.array_equal(fewer, starts[:robots])
            assert np.array_equal(fewer_goals, goals[:robots])


def test_starts_and_goals_are_uniform():
    """Chi-square over cells, for the first robot and a later one, and for pairs of start and goal."""
    grid = np.array([[0, 0, 0, 1, 0], [0, 1, 0, 1, 0], [0, 0, 0, 1, 0]], np.uint8)
    free = np.flatnonzero(grid.reshape(-1) == 0).tolist()
    starts, goals, later = Counter(), Counter(), Counter()
    trials = 11_000
    for seed in range(trials):
        _, start, goal, _ = placed(grid, 3, episode_key(seed), True)
        starts[int(start[0])] += 1
        later[int(start[2])] += 1
        goals[int(start[0]), int(goal[0])] += 1
    for seen in (starts, later):
        assert sorted(seen) == free
        assert stats.chisquare([seen[cell] for cell in free]).pvalue > 1e-4
    label = ndimage.label(grid == 0)[0].reshape(-1)
    pairs = [(a, b) for a in free for b in free if a != b and label[a] == label[b]]
    expected = [trials / 11 / ((label == label[a]).sum() - 1) for a, _ in pairs]
    assert sorted(goals) == pairs
    assert stats.chisquare([goals[pair] for pair in pairs], expected).pvalue > 1e-4


def test_the_goals_of_a_lifelong_robot_follow_from_the_one_before():
    grid = np.array([[0, 0, 0, 1, 0], [0, 1, 0, 1, 0], [0, 0, 0, 1, 0]], np.uint8)
    label, cells, first, _ = lists_of(grid)
    seen = Counter()
    previous = 0
    for number in range(9000):
        goal = int(next_goal(np.uint64(9), 2, number, previous, label, cells, first))
        assert goal != previous
        assert label[goal] == label[0]
        assert goal == int(next_goal(np.uint64(9), 2, number, previous, label, cells, first))
        seen[previous, goal] += 1
        previous = goal
    assert len(seen) == 8 * 7
    assert stats.chisquare(list(seen.values())).pvalue > 1e-4


def test_first_lifelong_goals_are_goal_number_zero_and_may_coincide():
    grid = np.zeros((2, 3), np.uint8)
    together = 0
    for seed in range(50):
        key = episode_key(seed)
        _, starts, goals, lists = placed(grid, 6, key, False)
        for robot in range(6):
            assert goals[robot] == next_goal(np.uint64(key), robot, 0, int(starts[robot]), *lists)
        together += len(set(goals.tolist())) < 6
    assert together > 40


def test_a_robot_with_nowhere_else_to_go_keeps_its_goal():
    label, cells, first, _ = lists_of(np.array([[0, 1, 0, 0]], np.uint8))
    assert next_goal(np.uint64(1), 0, 0, 0, label, cells, first) == 0


# --- plain Python


_SAME = """
import hashlib, numpy as np
from ludarium.envs.core.rng import episode_key
from ludarium.envs.mapf.generate import generate_grid, KINDS
from ludarium.envs.mapf.placement import component_lists, distinct_goals, first_goals, next_goal, place_starts
digest = hashlib.blake2b()
for seed in range(3):
    for kind in KINDS:
        for height, width in ((1, 1), (1, 9), (13, 14), (18, 11)):
            grid = generate_grid(kind, height, width, seed)
            size, free = grid.size, int((grid == 0).sum())
            label, cells = np.zeros(size, np.int32), np.zeros(size, np.int32)
            first, scratch = np.zeros(size + 1, np.int32), np.zeros((3, size), np.int32)
            count = component_lists(grid, height, width, label, cells, first)
            digest.update(grid.tobytes() + label.tobytes())
            digest.update(cells[:free].tobytes() + first[:count + 1].tobytes())
            key = np.uint64(episode_key(seed))
            for distinct in (True, False):
                starts, goals = np.zeros(3, np.int32), np.zeros(3, np.int32)
                lists = (label, cells, first, cells, first)
                most = place_starts(key, 3, distinct, count, *lists, starts, scratch)
                if most >= 3 and distinct:
                    distinct_goals(key, 3, count, label, cells, first, starts, goals, scratch)
                elif most >= 3:
                    first_goals(key, 3, label, cells, first, starts, goals)
                digest.update(repr(int(most)).encode() + starts.tobytes() + goals.tobytes())
                if most >= 3:
                    for number in range(1, 5):
                        goals[0] = next_goal(key, 0, number, int(goals[0]), label, cells, first)
                        digest.update(goals.tobytes())
print(digest.hexdigest())
"""


def test_compiled_and_plain_python_agree():
    results = set()
    for disabled in ("0", "1"):
        environment = {**os.environ, "NUMBA_DISABLE_JIT": disabled, "LUDARIUM_QUIET": "1"}
        run = subprocess.run([sys.executable, "-c", _SAME], env=environment, capture_output=True, text=True, check=True)
        results.add(run.stdout)
    assert len(results) == 1
    assert len(results.pop().strip()) == 128
