"""The compiled loop behind replays of path finding: many recorded steps of many episodes in one call, observed by nobody."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import tight
from ludarium.envs.mapf.dynamics import Scalars, State, advance_row

__all__ = ["play_through"]

_LAST_ACTION = 4


@tight
def play_through(
    s: State,
    c: Scalars,
    recorded: NDArray[np.uint8],
    stop: NDArray[np.int32],
    actions: NDArray[np.int64],
    reward: NDArray[np.float64],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    fault: NDArray[np.int16],
) -> None:
    """Play row b from its step t to `stop[b]` by `recorded` uint8[B, T, N]: row after row, whose state stays in the cache.

    A row ends early when its episode does, or before an action that is none. Seats that are not asked wait, as in all
    forms of play. `actions` int64[B, N] and the rest are the buffers of the batch.
    """
    for b in range(stop.shape[0]):
        for k in range(np.int64(s.t[b]), np.int64(stop[b])):
            if s.over[b]:
                break
            wrong = False
            for i in range(recorded.shape[2]):
                action = np.int64(recorded[b, k, i]) if s.live[b, i] else 0
                if action > _LAST_ACTION:
                    wrong = True
                actions[b, i] = action
            if wrong:
                break
            advance_row(s, c, b, actions, reward, terminated, truncated, fault)
