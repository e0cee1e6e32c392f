"""Spaces of one's own: simulators are shared, and so are their roles' spaces, but the seed of a space is its user's."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

__all__ = ["own", "stacked"]


def own(space: spaces.Space[Any]) -> spaces.Space[Any]:
    """An equal space with arrays and random numbers of its own; quicker than a deep copy, and not seeded."""
    twin = copy.copy(space)
    for name, value in vars(space).items():
        if isinstance(value, np.ndarray):
            setattr(twin, name, value.copy())
    setattr(twin, "_np_random", None)  # noqa: B010  (Gymnasium's type leaves None out)
    if isinstance(twin, spaces.Dict):
        twin.spaces = {name: own(part) for name, part in twin.spaces.items()}
    elif isinstance(twin, spaces.Tuple):
        twin.spaces = tuple(own(part) for part in twin.spaces)
    elif not isinstance(twin, (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)):
        return copy.deepcopy(space)
    return twin


def stacked(space: spaces.Space[Any], count: int) -> spaces.Space[Any]:
    """The space of `count` elements together."""
    if isinstance(space, spaces.Dict):
        return spaces.Dict({name: stacked(part, count) for name, part in space.spaces.items()})
    if isinstance(space, spaces.MultiDiscrete):  # of which Gymnasium makes a Box, whose numbers have no masks
        return spaces.MultiDiscrete(
            np.stack([space.nvec] * count), dtype=space.dtype, start=np.stack([space.start] * count)
        )
    if isinstance(space, spaces.Discrete):
        counts, starts = np.full(count, space.n, space.dtype), np.full(count, space.start, space.dtype)
        return spaces.MultiDiscrete(counts, dtype=space.dtype, start=starts)
    if isinstance(space, spaces.Box):
        return spaces.Box(np.stack([space.low] * count), np.stack([space.high] * count), dtype=space.dtype)
    try:
        return batch_space(own(space), count)
    except TypeError:  # a space that Gymnasium does not know
        return spaces.Tuple([space] * count)
