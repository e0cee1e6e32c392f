"""The *swap* operation: of two robots that block each other in a corridor, one pulls the other out.

Plain PIBT cannot let two robots change places in a corridor: the stronger pushes the weaker back and forth.
With swap it looks ahead along the corridor, and where a place to pass exists behind it, walks back there and
pulls the other robot along. Source: Okumura, "Improving LaCAM for Scalable Eventually Optimal Multi-Agent
Pathfinding" (IJCAI 2023), after the push-and-swap of Luna and Bekris (2011).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel

__all__ = ["swap_partner"]


@kernel
def _ways_on(
    table: NDArray[np.int32],
    occupied: NDArray[np.int32],
    goal: NDArray[np.int32],
    cell: int,
    origin: int,
) -> tuple[int, int]:
    """Count the cells that one could go on to from `cell`, coming from `origin`, and give the last of them.

    A dead end whose robot has arrived there is no way on: that robot never needs to move.
    """
    count, onward = 0, -1
    for action in range(1, 5):
        nearby = int(table[cell, action])
        if nearby < 0 or nearby == origin:
            continue
        robot = int(occupied[nearby])
        if robot >= 0 and goal[robot] == nearby:
            exits = 0
            for other in range(1, 5):
                exits += table[nearby, other] >= 0
            if exits == 1:
                continue
        count += 1
        onward = nearby
    return count, onward


@kernel
def _required(
    table: NDArray[np.int32],
    distance: NDArray[np.int32],
    rows: NDArray[np.int32],
    occupied: NDArray[np.int32],
    goal: NDArray[np.int32],
    pusher: int,
    puller: int,
    pusher_cell: int,
    puller_cell: int,
) -> bool:
    """Whether `pusher`, pushing `puller` ahead along the corridor, meets no place to pass in time."""
    pushed, pulled = int(rows[pusher]), int(rows[puller])
    while distance[pushed, puller_cell] < distance[pushed, pusher_cell]:
        count, onward = _ways_on(table, occupied, goal, puller_cell, pusher_cell)
        if count >= 2:
            return False
        if count == 0:
            break
        pusher_cell, puller_cell = puller_cell, onward
    wants_back = distance[pulled, pusher_cell] < distance[pulled, puller_cell]
    near, far = distance[pushed, pusher_cell], distance[pushed, puller_cell]
    return bool(wants_back and (near == 0 or far < near))


@kernel
def _possible(
    table: NDArray[np.int32],
    occupied: NDArray[np.int32],
    goal: NDArray[np.int32],
    pusher_cell: int,
    puller_cell: int,
) -> bool:
    """Whether a robot at `puller_cell`, going away from `pusher_cell`, comes to a place with two ways on."""
    stop = pusher_cell
    while puller_cell != stop:
        count, onward = _ways_on(table, occupied, goal, puller_cell, pusher_cell)
        if count >= 2:
            return True
        if count == 0:
            return False
        pusher_cell, puller_cell = puller_cell, onward
    return False


@kernel
def swap_partner(
    table: NDArray[np.int32],
    distance: NDArray[np.int32],
    rows: NDArray[np.int32],
    occupied: NDArray[np.int32],
    pos: NDArray[np.int32],
    goal: NDArray[np.int32],
    planned: NDArray[np.int32],
    robot: int,
    best: int,
) -> int:
    """Return the robot that `robot`, whose best next cell is `best`, should pull along, or -1.

    `occupied[H * W]` is the robot on each cell now, `planned[N]` the cells already decided on (-1:
    undecided).
    """
    here = int(pos[robot])
    if best == here:
        return -1
    ahead = int(occupied[best])
    if (
        ahead >= 0
        and planned[ahead] < 0
        and _required(table, distance, rows, occupied, goal, robot, ahead, here, best)
        and _possible(table, occupied, goal, best, here)
    ):
        return ahead
    for action in range(1, 5):  # somebody behind needs to change places with us one step from now
        nearby = int(table[here, action])
        if nearby < 0 or nearby == best:
            continue
        behind = int(occupied[nearby])
        if (
            behind >= 0
            and _required(table, distance, rows, occupied, goal, behind, robot, here, best)
            and _possible(table, occupied, goal, best, here)
        ):
            return behind
    return -1
