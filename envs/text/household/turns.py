"""Whole turns in one compiled call: check the actions, log, step, observe, mask and sum up."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.buffers import DUE, MARK, canonical, row_sums
from ludarium.envs.core.compile import inner, tight
from ludarium.envs.text.household.dynamics import Scalars, State
from ludarium.envs.text.household.masks import look, look_mask
from ludarium.envs.text.household.rounds import advance

__all__ = ["Turn", "turn"]


class Turn(NamedTuple):
    """A state with the buffers of its turns; a mask with no actions is not wanted."""

    state: State
    scalars: Scalars
    seats: NDArray[np.int32]
    actions: NDArray[np.int64]
    reward: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    fault: NDArray[np.int16]
    mask: NDArray[np.int8]
    summary: NDArray[np.float64]
    log: NDArray[np.uint16]
    out: NDArray[np.uint8]


@inner
def _log(io: Turn) -> None:
    """Keep the actions of the rows that are not over, if there is room: there is none where nothing is recorded."""
    for b in range(io.log.shape[0]):
        t = np.int64(io.state.t[b])
        if t < io.log.shape[1] and not io.state.over[b]:
            for i in range(io.log.shape[2]):
                io.log[b, t, i] = io.actions[b, i]


@inner
def _sum_up(io: Turn) -> int:
    """Write the summary; return `DUE` if a row that was not over in the last one is at a mark or over now, else -1."""
    s, found = io.state, -1
    row_sums(io.reward, io.summary)
    for b in range(io.summary.shape[0]):
        if io.summary[b, 1] == 0.0 and (s.over[b] or s.t[b] % MARK == 0):
            found = DUE
        io.summary[b, 1] = 1.0 if s.over[b] else 0.0
        io.summary[b, 2] = 1.0 if io.truncated[b] else 0.0
    return found


@tight
def turn(stepping: bool, io: Turn) -> int:
    """Check and step if `stepping`, then observe and mask the agents in `seats`.

    The result is the place of the first action out of range, having moved nobody, else `DUE` or -1.
    """
    if stepping:
        bad = canonical(io.actions, io.state.live, 0, 0, io.scalars.actions - 1)
        if bad >= 0:
            return bad
        _log(io)
        advance(io.state, io.scalars, io.actions, io.reward, io.terminated, io.truncated, io.fault)
    found = _sum_up(io)
    look(io.state, io.scalars, io.seats, io.out)
    if io.mask.shape[2] > 0:
        look_mask(io.state, io.scalars, io.seats, io.mask)
    return found
