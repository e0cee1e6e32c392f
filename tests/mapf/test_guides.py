"""Cost-to-go maps equal a plain breadth-first search, whatever the size of their cache."""

from __future__ import annotations

import copy
import pickle
from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ludarium.envs.core.errors import ConfigError, InstanceError
from ludarium.envs.mapf.grid import UNREACHABLE
from ludarium.envs.mapf.guides import Guides


def plain_bfs(grid: np.ndarray, goal: int) -> np.ndarray:
    """The rule written again: steps over the four neighbours, from the goal outwards."""
    height, width = grid.shape
    steps = {divmod(goal, width): 0}
    queue = deque(steps)
    while queue:
        row, column = queue.popleft()
        for near in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if 0 <= near[0] < height and 0 <= near[1] < width and not grid[near] and near not in steps:
                steps[near] = steps[row, column] + 1
                queue.append(near)
    flat = np.full(grid.size, UNREACHABLE, np.int32)
    for (row, column), value in steps.items():
        flat[row * width + column] = value
    return flat


@st.composite
def grids(draw):
    height, width = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    bits = draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    grid = np.array(bits, np.uint8).reshape(height, width)
    grid.flat[draw(st.integers(0, grid.size - 1))] = 0
    return grid


@settings(max_examples=150, deadline=None)
@given(grids(), st.integers(0, 12), st.data())
def test_every_cache_size_gives_the_plain_distances(grid, rows, data):
    free = [int(cell) for cell in np.flatnonzero(grid.reshape(-1) == 0)]
    truth = {cell: plain_bfs(grid, cell) for cell in free}
    guides = Guides(grid, max_bytes=rows * 4 * grid.size)
    handed_out = []
    for cells in data.draw(st.lists(st.lists(st.sampled_from(free), max_size=9), max_size=8)):
        table, rows_of = guides.table(cells)
        assert table.dtype == rows_of.dtype == np.int32
        handed_out += [(cell, table, int(row)) for cell, row in zip(cells, rows_of, strict=True)]
        if cells:
            assert np.array_equal(guides.row(cells[0]), truth[cells[0]])
    for cell, table, row in handed_out:  # also those from before an eviction
        assert np.array_equal(table[row], truth[cell])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 8), st.lists(st.integers(0, 24), min_size=1, max_size=60))
def test_rows_held_stay_within_the_bound_and_the_newest_stay(limit, goals):
    grid = np.zeros((5, 5), np.uint8)
    guides = Guides(grid, max_bytes=limit * 4 * 25 + 99)
    for goal in goals:
        before = guides.row(goal)
        assert 1 <= len(guides) <= limit
        assert np.shares_memory(before, guides.row(goal))  # asked again at once: not searched again


def test_goals_needed_together_are_held_together_beyond_the_bound():
    grid = np.zeros((6, 6), np.uint8)
    guides = Guides(grid, max_bytes=0)
    everything = np.arange(36)
    table, rows = guides.table(np.concatenate([everything, everything[::-1]]))
    assert len(np.unique(rows)) == len(guides) == 36
    for cell, row in zip(everything, rows, strict=False):
        assert np.array_equal(table[row], plain_bfs(grid, int(cell)))
    guides.table([0, 1])
    guides.row(35)
    assert len(guides) == 36  # all held already: nothing to forget


def test_no_goals_and_repeated_goals():
    guides = Guides(np.zeros((3, 4), np.uint8))
    table, rows = guides.table([])
    assert rows.shape == (0,)
    assert table.shape[1] == 12
    _, rows = guides.table(np.full(5, 7, np.int32))
    assert set(rows.tolist()) == {0}
    assert len(guides) == 1


def test_pickle_and_copy_keep_the_answers():
    grid = np.array([[0, 1, 0], [0, 0, 0]], np.uint8)
    guides = Guides(grid, max_bytes=100)
    guides.row(0)
    for other in (pickle.loads(pickle.dumps(guides)), copy.deepcopy(guides)):
        assert np.array_equal(other.row(2), guides.row(2))


def test_the_caller_s_grid_is_not_shared():
    grid = np.zeros((2, 3), np.uint8)
    guides = Guides(grid)
    grid[:] = 1
    assert guides.row(0).tolist() == [0, 1, 2, 1, 2, 3]


@pytest.mark.parametrize(("cell", "reason"), [(-1, "outside"), (6, "outside"), (1, "row 0, column 1")])
def test_a_goal_that_is_no_free_cell_is_named(cell, reason):
    guides = Guides(np.array([[0, 1, 0], [0, 0, 0]], np.uint8))
    with pytest.raises(InstanceError, match=reason):
        guides.row(cell)
    with pytest.raises(InstanceError, match=str(cell)):
        guides.table([0, cell, 2])
    assert np.array_equal(guides.table([0, 2])[0][0], plain_bfs(np.array([[0, 1, 0], [0, 0, 0]]), 0))


@pytest.mark.parametrize("grid", [np.zeros((0, 3)), np.zeros(4), np.zeros((2, 2, 2))])
def test_a_grid_without_cells_is_refused(grid):
    with pytest.raises(InstanceError, match="shape"):
        Guides(grid)


def test_a_negative_bound_is_refused():
    with pytest.raises(ConfigError, match="max_bytes"):
        Guides(np.zeros((2, 2)), max_bytes=-1)
