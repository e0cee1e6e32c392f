"""The compiled loop behind replays of path finding: many recorded steps in one call, observed by nobody."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel
from ludarium.envs.mapf.dynamics import Scalars, State, advance

__all__ = ["play_through"]

_LAST_ACTION = 4


@kernel
def play_through(
    s: State,
    c: Scalars,
    recorded: NDArray[np.uint8],
    first: int,
    last: int,
    actions: NDArray[np.int64],
    reward: NDArray[np.float64],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    fault: NDArray[np.int16],
) -> int:
    """Play steps `first` to `last - 1` of `recorded` uint8[T, N] in row 0; return how many were played.

    It ends early when the episode does, or before an action that is none. Seats that are not asked wait, as in all
    forms of play. `actions` int64[1, N] and the rest are the buffers of a batch of one.
    """
    for k in range(first, last):
        if s.over[0]:
            return k - first
        for i in range(recorded.shape[1]):
            action = np.int64(recorded[k, i]) if s.live[0, i] else 0
            if action > _LAST_ACTION:
                return k - first
            actions[0, i] = action
        advance(s, c, actions, reward, terminated, truncated, fault)
    return last - first
