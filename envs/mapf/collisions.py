"""Who moves: the collision rules as kernels over the robots' places on one padded grid, flat.

`at` and `target` are int32[N] places; afterwards `target` is where each robot will stand. `occ` int16[cells] holds
robot numbers, -1 for free cells, -2 for obstacles, and is left as it was. `claim` int16[cells] is scratch that holds -1
but for the cells that robots will move into, until the moves are committed or released. `fault` int16[N] gets a code for
every robot whose move failed. The rules are those of POGEMA 1.4; `strict` rejects a joint action with any conflict whole
(as the League of Robot Runners does).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner

__all__ = ["BLOCKED", "FREE", "OBSTACLE", "SWAP", "VERTEX", "WALL", "intend", "release", "resolve", "soft"]

SOFT, BLOCK_BOTH, PRIORITY, STRICT = 0, 1, 2, 3
OBSTACLE, VERTEX, SWAP, BLOCKED = 1, 2, 3, 4
FREE, WALL = -1, -2


@inner
def intend(
    occ: NDArray[np.int16],
    stride: int,
    pad: int,
    pos: NDArray[np.int32],
    active: NDArray[np.bool_],
    actions: NDArray[np.int64],
    at: NDArray[np.int32],
    target: NDArray[np.int32],
    fault: NDArray[np.int16],
) -> None:
    """Fill `at` with the robots' places and `target` with those that the actions mean; a move into an obstacle is a wait."""
    for i in range(at.shape[0]):
        here = (np.int64(pos[i, 0]) + pad) * stride + np.int64(pos[i, 1]) + pad
        action = actions[i]
        # up and down by a row, left and right by a place, without branches: actions are hard to foretell
        down = np.int64(action == 2) - np.int64(action == 1)
        step = down * stride + np.int64(action == 4) - np.int64(action == 3)
        there = here + (step if active[i] else 0)
        wall = occ[there] == WALL
        fault[i] = OBSTACLE if wall else 0
        at[i] = here
        target[i] = here if wall else there


@inner
def soft(
    occ: NDArray[np.int16],
    claim: NDArray[np.int16],
    active: NDArray[np.bool_],
    at: NDArray[np.int32],
    target: NDArray[np.int32],
    fault: NDArray[np.int16],
) -> None:
    """Swaps stay, the lowest number takes a contested cell, chains behind a robot that stays, stay; rotations pass."""
    robots = at.shape[0]
    stays = False
    for i in range(robots):
        there, here = np.int64(target[i]), np.int64(at[i])
        if there == here:
            stays = True
            continue
        other = np.int64(occ[there])
        if other >= 0 and target[other] == here:
            fault[i] = SWAP
            fault[other] = SWAP
            target[i] = here
            target[other] = there
            stays = True
        elif claim[there] < 0:
            claim[there] = i
        else:
            fault[i] = VERTEX
            target[i] = here
            stays = True
    if not stays:
        return
    for i in range(robots):
        cell = np.int64(at[i])
        if target[i] != cell or not active[i]:
            continue
        follower = np.int64(claim[cell])
        while follower >= 0:
            claim[cell] = -1
            fault[follower] = BLOCKED
            cell = np.int64(at[follower])
            target[follower] = cell
            follower = np.int64(claim[cell])


@inner
def _reject(
    claim: NDArray[np.int16], at: NDArray[np.int32], target: NDArray[np.int32], fault: NDArray[np.int16]
) -> None:
    """Nobody moves if anybody is at fault."""
    rejected = False
    for i in range(at.shape[0]):
        rejected |= fault[i] != 0
    if rejected:
        for i in range(at.shape[0]):
            claim[np.int64(target[i])] = -1
            target[i] = at[i]


@inner
def release(claim: NDArray[np.int16], at: NDArray[np.int32], target: NDArray[np.int32]) -> None:
    """Give back the claims of those that will move: for a check that is not followed by the moves."""
    for i in range(at.shape[0]):
        if target[i] != at[i]:
            claim[np.int64(target[i])] = -1


@inner
def _block_both(
    occ: NDArray[np.int16],
    claim: NDArray[np.int16],
    at: NDArray[np.int32],
    target: NDArray[np.int32],
    fault: NDArray[np.int16],
) -> None:
    """A robot moves iff its target is empty now and nobody else wants it."""
    robots = at.shape[0]
    for i in range(robots):
        if target[i] != at[i]:
            claim[np.int64(target[i])] += 1
    for i in range(robots):
        there = np.int64(target[i])
        if there == at[i]:
            continue
        other = np.int64(occ[there])
        if other >= 0 and target[other] == at[i]:
            fault[i] = SWAP
        elif other >= 0 or claim[there] > 0:
            fault[i] = VERTEX
    for i in range(robots):
        if target[i] != at[i]:
            claim[np.int64(target[i])] = -1
            if fault[i]:
                target[i] = at[i]


@inner
def _priority(
    occ: NDArray[np.int16], at: NDArray[np.int32], target: NDArray[np.int32], fault: NDArray[np.int16]
) -> None:
    """Robots move one after another by number, each iff its target is empty at that moment."""
    robots = at.shape[0]
    for i in range(robots):
        here, there = np.int64(at[i]), np.int64(target[i])
        if there == here:
            continue
        other = np.int64(occ[there])
        if other == FREE:
            occ[here] = FREE
            occ[there] = i
        elif target[other] == here and at[other] == there:
            fault[i] = SWAP
        else:
            fault[i] = VERTEX
    for i in range(robots):  # `occ` as it was: the moves are committed in one place, for all rules
        if target[i] != at[i]:
            if fault[i]:
                target[i] = at[i]
            else:
                occ[np.int64(target[i])] = FREE
    for i in range(robots):
        if target[i] != at[i]:
            occ[np.int64(at[i])] = i


@inner
def resolve(
    rule: int,
    occ: NDArray[np.int16],
    stride: int,
    pad: int,
    claim: NDArray[np.int16],
    active: NDArray[np.bool_],
    pos: NDArray[np.int32],
    actions: NDArray[np.int64],
    at: NDArray[np.int32],
    target: NDArray[np.int32],
    fault: NDArray[np.int16],
) -> None:
    """Decide by a rule who moves where; `pos` is int32[N, 2], `stride` the length of a row of the padded grid."""
    intend(occ, stride, pad, pos, active, actions, at, target, fault)
    if rule == BLOCK_BOTH:
        _block_both(occ, claim, at, target, fault)
    elif rule == PRIORITY:
        _priority(occ, at, target, fault)
    else:
        soft(occ, claim, active, at, target, fault)
        if rule == STRICT:
            _reject(claim, at, target, fault)
