"""Where robots start and what they are sent to: components, starts, first goals and the goals after them.

A cell number is `row * width + column` of the live part of a grid, never of a padded buffer. The kernels
allocate nothing, so that a batch of worlds resets in place; buffers may be longer than the world needs.
Chance comes from `draw` with coordinates robot, goal number: a draw never depends on padding or on the other
robots' number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, tight
from ludarium.envs.core.rng import below, draw

__all__ = [
    "STREAM_GOAL",
    "STREAM_START",
    "component_lists",
    "distinct_goals",
    "first_goals",
    "next_goal",
    "place_starts",
    "placeable",
    "pool_lists",
]

STREAM_START, STREAM_GOAL = 2, 3


@inner
def _root(parent: NDArray[np.int32], cell: int) -> int:
    """The first cell of the tree that holds `cell`, halving the path on the way."""
    while parent[cell] != cell:
        parent[cell] = parent[parent[cell]]
        cell = int(parent[cell])
    return cell


@inner
def _link_neighbours(grid: NDArray[np.uint8], height: int, width: int, parent: NDArray[np.int32]) -> None:
    """Make `parent` a forest whose trees are the components and whose roots are their smallest cells.

    A cell that continues a run joins the cell to its left. A union with the cell above is needed only where
    the run above begins, else the cells to the left of both have done it.
    """
    for row in range(height):
        for column in range(width):
            if grid[row, column]:
                continue
            cell = row * width + column
            left = column > 0 and not grid[row, column - 1]
            above = row > 0 and not grid[row - 1, column]
            parent[cell] = parent[cell - 1] if left else (parent[cell - width] if above else cell)
            if left and above and grid[row - 1, column - 1]:
                one, other = _root(parent, cell), _root(parent, cell - width)
                parent[max(one, other)] = min(one, other)


@tight
def component_lists(
    grid: NDArray[np.uint8],
    height: int,
    width: int,
    label: NDArray[np.int32],
    cells: NDArray[np.int32],
    first: NDArray[np.int32],
) -> int:
    """Number the 4-connected components of `grid[:height, :width]` and list their cells, in O(cells).

    Writes `label[:HW]` (the component of each cell, numbered in row-major order of their first cells, -1 for
    obstacles), `cells` (the free cells sorted by component, then row-major) and `first[:C + 1]`: component c
    is `cells[first[c]:first[c + 1]]`. `first` needs room for HW + 1. Returns C. Union-find as in Rosenfeld
    and Pfaltz (1966).
    """
    parent = cells  # scratch until the lists are written
    _link_neighbours(grid, height, width, parent)
    count = 0
    first[0] = 0
    for row in range(height):
        for column in range(width):
            cell = row * width + column
            if grid[row, column]:
                label[cell] = -1
            elif parent[cell] == cell:
                label[cell] = count
                count += 1
                first[count] = 1
            else:  # a parent is a smaller cell of the same component: its label is known
                label[cell] = label[parent[cell]]
                first[label[cell] + 1] += 1
    _list_cells(label, height * width, count, cells, first)
    return count


@inner
def _list_cells(
    label: NDArray[np.int32], size: int, count: int, cells: NDArray[np.int32], first: NDArray[np.int32]
) -> None:
    """Sort the labelled cells by component; `first[c + 1]` is the size of c before and its end after."""
    end = 0
    for component in range(count):
        start = end
        end += int(first[component + 1])
        first[component + 1] = start
    for cell in range(size):
        if label[cell] >= 0:
            place = int(first[label[cell] + 1])
            cells[place] = cell
            first[label[cell] + 1] = place + 1


@tight
def pool_lists(
    label: NDArray[np.int32],
    cells: NDArray[np.int32],
    first: NDArray[np.int32],
    count: int,
    pool: NDArray[np.uint8],
    pool_cells: NDArray[np.int32],
    pool_first: NDArray[np.int32],
) -> None:
    """Write the lists of `component_lists` without the cells where `pool[cell]` is 0."""
    place = 0
    pool_first[0] = 0
    for component in range(count):
        for i in range(first[component], first[component + 1]):
            if pool[cells[i]]:
                pool_cells[place] = cells[i]
                place += 1
        pool_first[component + 1] = place


@inner
def _rank(cells: NDArray[np.int32], low: int, high: int, cell: int) -> int:
    """Return the place of `cell` in the ascending `cells[low:high]`, or -1."""
    end = high
    while low < high:
        middle = (low + high) // 2
        if cells[middle] < cell:
            low = middle + 1
        else:
            high = middle
    return low if low < end and cells[low] == cell else -1


@tight
def next_goal(
    key: np.uint64,
    robot: int,
    number: int,
    previous: int,
    label: NDArray[np.int32],
    goal_cells: NDArray[np.int32],
    goal_first: NDArray[np.int32],
) -> int:
    """Return goal `number` of a robot: uniform over the goal cells of its component except `previous`.

    `previous` is the goal before it, or the start for number 0. Returns `previous` itself when there is no
    other.
    """
    component = int(label[previous])
    low, high = int(goal_first[component]), int(goal_first[component + 1])
    listed = _rank(goal_cells, low, high, previous)
    others = high - low - (1 if listed >= 0 else 0)
    if others <= 0:
        return previous
    chosen = low + below(draw(key, STREAM_GOAL, robot, number, 0), others)
    return int(goal_cells[chosen + 1 if 0 <= listed <= chosen else chosen])


@inner
def _usable(
    component: int,
    cell: int,
    goal_cells: NDArray[np.int32],
    goal_first: NDArray[np.int32],
    distinct: bool,
) -> bool:
    """Whether a robot in `cell` has a goal elsewhere in its component; for a lifelong robot, two goals."""
    low, high = int(goal_first[component]), int(goal_first[component + 1])
    if high - low >= 2:
        return True
    return distinct and high - low == 1 and goal_cells[low] != cell


@tight
def placeable(
    count: int,
    start_cells: NDArray[np.int32],
    start_first: NDArray[np.int32],
    goal_cells: NDArray[np.int32],
    goal_first: NDArray[np.int32],
    distinct: bool,
) -> int:
    """Return how many robots can have distinct starts and goals elsewhere in their components.

    With `distinct` no two goals are equal (one-shot); without it a component needs two goal cells, so that
    the goals of a robot can go on for ever (lifelong).
    """
    total = 0
    for component in range(count):
        usable = 0
        for i in range(start_first[component], start_first[component + 1]):
            usable += _usable(component, int(start_cells[i]), goal_cells, goal_first, distinct)
        goals = int(goal_first[component + 1]) - int(goal_first[component])
        total += min(usable, goals) if distinct else usable
    return total


@tight
def place_starts(
    key: np.uint64,
    robots: int,
    distinct: bool,
    count: int,
    label: NDArray[np.int32],
    start_cells: NDArray[np.int32],
    start_first: NDArray[np.int32],
    goal_cells: NDArray[np.int32],
    goal_first: NDArray[np.int32],
    starts: NDArray[np.int32],
    scratch: NDArray[np.int32],
) -> int:
    """Draw distinct starts for all robots; return how many could be placed at most, and write none if too few.

    Lists are those of `component_lists` or `pool_lists`; `scratch` is `int32[3, >= HW]`. Starts are uniform over the
    start cells that have a goal (with `distinct` a component takes no more robots than it has goals): a random order of
    them (Fisher and Yates), passing by full components. Fewer robots get the same starts.
    """
    most = placeable(count, start_cells, start_first, goal_cells, goal_first, distinct)
    if most < robots:
        return most
    order, taken = scratch[0], scratch[1]
    size = 0
    for component in range(count):
        taken[component] = 0
        for i in range(start_first[component], start_first[component + 1]):
            if _usable(component, int(start_cells[i]), goal_cells, goal_first, distinct):
                order[size] = start_cells[i]
                size += 1
    robot, place = 0, 0
    while robot < robots and place < size:
        other = place + below(draw(key, STREAM_START, place, 0, 0), size - place)
        cell = int(order[other])
        order[other] = order[place]
        place += 1
        component = int(label[cell])
        if distinct and taken[component] >= goal_first[component + 1] - goal_first[component]:
            continue
        taken[component] += 1
        starts[robot] = cell
        robot += 1
    return most


@tight
def first_goals(
    key: np.uint64,
    robots: int,
    label: NDArray[np.int32],
    goal_cells: NDArray[np.int32],
    goal_first: NDArray[np.int32],
    starts: NDArray[np.int32],
    goals: NDArray[np.int32],
) -> None:
    """Give each robot goal number 0 of its endless sequence: see `next_goal`."""
    for robot in range(robots):
        goals[robot] = next_goal(key, robot, 0, np.int64(starts[robot]), label, goal_cells, goal_first)


@tight
def distinct_goals(
    key: np.uint64,
    robots: int,
    count: int,
    label: NDArray[np.int32],
    goal_cells: NDArray[np.int32],
    goal_first: NDArray[np.int32],
    starts: NDArray[np.int32],
    goals: NDArray[np.int32],
    scratch: NDArray[np.int32],
) -> None:
    """Draw distinct goals, one robot after the other, each uniform over what is left in its component but its start.

    Fewer robots get the same goals, except for a robot whose component is filled to the last goal. `scratch` is
    `int32[3, >= HW]`.
    """
    left, where, begin = scratch[0], scratch[1], scratch[2]
    for component in range(count):
        begin[component] = goal_first[component]
    for robot in range(robots):
        where[starts[robot]] = -1
    for i in range(goal_first[count]):
        left[i] = goal_cells[i]
        where[goal_cells[i]] = i
    for robot in range(robots):
        start = int(starts[robot])
        component = int(label[start])
        low, high = int(begin[component]), int(goal_first[component + 1])
        own = int(where[start])  # where the start lies among what is left, if it does
        others = high - low - (1 if own >= low else 0)
        if others == 0:  # only its own start is left: change with a robot before it
            earlier = robot - 1
            while label[starts[earlier]] != component:
                earlier -= 1
            goals[robot] = goals[earlier]
            goals[earlier] = start
            begin[component] = low + 1
            continue
        chosen = low + below(draw(key, STREAM_GOAL, robot, 0, 0), others)
        if low <= own <= chosen:
            chosen += 1
        goals[robot] = left[chosen]
        left[chosen] = left[low]
        where[left[chosen]] = chosen
        where[goals[robot]] = low
        begin[component] = low + 1
