"""Grids as planners see them: obstacle arrays, cell numbers, neighbours, breadth-first distances, components.

A grid is `uint8[H, W]` with 1 for an obstacle. A cell number is `row * W + column`. Actions are 0 wait, 1 up, 2 down,
3 left, 4 right, as in POGEMA.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel

__all__ = ["ACTIONS", "UNREACHABLE", "bfs", "components", "neighbours"]

ACTIONS = ("wait", "up", "down", "left", "right")
UNREACHABLE = np.int32(2**30)


@kernel
def neighbours(grid: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return `int32[H * W, 5]`: the cell that each action leads to, -1 where a wall or the border is in the way."""
    height, width = grid.shape
    table = np.full((height * width, 5), -1, np.int32)
    for row in range(height):
        for column in range(width):
            if grid[row, column]:
                continue
            cell = row * width + column
            table[cell, 0] = cell
            if row > 0 and not grid[row - 1, column]:
                table[cell, 1] = cell - width
            if row + 1 < height and not grid[row + 1, column]:
                table[cell, 2] = cell + width
            if column > 0 and not grid[row, column - 1]:
                table[cell, 3] = cell - 1
            if column + 1 < width and not grid[row, column + 1]:
                table[cell, 4] = cell + 1
    return table


@kernel
def bfs(table: NDArray[np.int32], source: int, distance: NDArray[np.int32], queue: NDArray[np.int32]) -> int:
    """Fill `distance[H * W]` with steps to `source` (UNREACHABLE elsewhere); `queue[H * W]` is scratch. Return cells seen."""
    distance[:] = UNREACHABLE
    distance[source] = 0
    queue[0] = source
    head, tail = 0, 1
    while head < tail:
        cell = np.int64(queue[head])
        head += 1
        further = distance[cell] + 1
        for action in range(1, 5):
            nearby = np.int64(table[cell, action])
            if nearby >= 0 and distance[nearby] == UNREACHABLE:
                distance[nearby] = further
                queue[tail] = nearby
                tail += 1
    return tail


@kernel
def components(table: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return `int32[H * W]`: the number of each free cell's connected component (row-major by first cell), -1 for obstacles."""
    cells = table.shape[0]
    label = np.full(cells, -1, np.int32)
    queue = np.empty(cells, np.int32)
    count = 0
    for start in range(cells):
        if table[start, 0] < 0 or label[start] >= 0:
            continue
        label[start] = count
        queue[0] = start
        head, tail = 0, 1
        while head < tail:
            cell = np.int64(queue[head])
            head += 1
            for action in range(1, 5):
                nearby = np.int64(table[cell, action])
                if nearby >= 0 and label[nearby] < 0:
                    label[nearby] = count
                    queue[tail] = nearby
                    tail += 1
        count += 1
    return label
