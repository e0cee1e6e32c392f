"""The oracles of the planners must themselves see every kind of violation, and agree with costs worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from mapf.brute import optimal_makespan, optimal_sum_of_costs, solvable
from mapf.checker import check_lifelong, check_plan, makespan, sum_of_costs

OPEN = np.zeros((2, 3), np.uint8)
BAY = np.array([[0, 0, 0], [1, 0, 1]], np.uint8)


def test_a_rotation_and_a_chain_are_allowed():
    ring = np.zeros((2, 2), np.uint8)
    check_plan(ring, [0, 1, 3], [1, 3, 2], [[0, 1, 3], [1, 3, 2]])
    check_plan(ring, [0, 1, 3, 2], [1, 3, 2, 0], [[0, 1, 3, 2], [1, 3, 2, 0]])


@pytest.mark.parametrize(
    ("grid", "plan", "words"),
    [
        (BAY, [[0], [3]], "step 1: agent 0 stands on an obstacle at cell 3"),
        (OPEN, [[0], [2]], "step 1: agent 0 jumps"),
        (OPEN, [[2], [3]], "step 1: agent 0 jumps"),
        (OPEN, [[0], [-1]], "step 1: agent 0 is outside"),
        (OPEN, [[0], [6]], "step 1: agent 0 is outside"),
        (OPEN, [[0, 2], [1, 1]], "step 1: agents 0, 1 share cell 1"),
        (OPEN, [[0, 5, 1], [1, 5, 0]], "step 1: agents 0 and 2 swap cell 0"),
    ],
)
def test_a_broken_rule_is_named(grid, plan, words):
    with pytest.raises(AssertionError, match=words):
        check_plan(grid, plan[0], plan[-1], plan)


def test_wrong_ends_are_named():
    with pytest.raises(AssertionError, match="step 0: agent 0 is at cell 1"):
        check_plan(OPEN, [0], [1], [[1], [1]])
    with pytest.raises(AssertionError, match="step 1: agent 0 ends at cell 0"):
        check_plan(OPEN, [0], [1], [[0], [0]])
    with pytest.raises(AssertionError, match="2 starts, 2 goals"):
        check_plan(OPEN, [0, 1], [0, 1], [[0]])


def test_costs_count_to_the_last_arrival():
    plan = [[0, 4, 2], [0, 1, 2], [0, 4, 2], [0, 4, 2]]
    assert sum_of_costs(plan, [0, 4, 2]) == 2
    assert makespan(plan, [0, 4, 2]) == 2
    assert sum_of_costs([[0, 4]], [0, 4]) == makespan([[0, 4]], [0, 4]) == 0


def test_lifelong_goals_are_counted_after_a_step():
    trace = [[0, 5], [1, 5], [2, 4], [2, 4]]
    assert check_lifelong(OPEN, [0, 5], [[1, 2, 2, 0], [5, 3]], trace).tolist() == [3, 1]
    with pytest.raises(AssertionError, match="step 2: agent 0 used up its 1 goals"):
        check_lifelong(OPEN, [0, 5], [[1], [5, 3]], trace)


def test_exhaustive_search_by_hand():
    """Changing places through a bay: one robot steps aside (2 + 2 moves, 1 wait in the bay), the other waits once."""
    assert optimal_sum_of_costs(BAY, [0, 2], [2, 0]) == 7
    assert optimal_makespan(BAY, [0, 2], [2, 0]) == 4
    assert optimal_sum_of_costs(np.zeros((1, 3), np.uint8), [0, 2], [2, 0]) is None
    assert not solvable(np.zeros((1, 3), np.uint8), [0, 2], [2, 0])
    assert optimal_sum_of_costs(OPEN, [0, 2], [0, 2]) == optimal_makespan(OPEN, [0, 2], [0, 2]) == 0
    assert optimal_sum_of_costs(np.array([[0, 1, 0]], np.uint8), [0], [2]) is None


def test_a_robot_that_steps_aside_pays_for_its_stay():
    """Robot 1 stands on its goal in the middle of a row and must let robot 0 by: out and back, 2 steps."""
    assert optimal_sum_of_costs(BAY, [0, 1], [2, 1]) == 4
