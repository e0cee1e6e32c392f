"""Buffers for actions and observations: one array (or dict of arrays, or list) a role, `[B, seats of the role, ...]`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel

__all__ = ["DUE", "MARK", "canonical", "is_numeric", "make_buffer", "narrowest", "row_of", "row_sums", "seat_of"]

MARK = 64
"""Steps between two digests of a trace."""
DUE = -2
"""What a whole turn returns when some row's digest is due."""
_FLAT = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)


def is_numeric(space: spaces.Space[Any]) -> bool:
    """Whether elements of a space fit one array."""
    return isinstance(space, _FLAT)


def make_buffer(space: spaces.Space[Any], rows: int, count: int, wide: bool = False) -> Any:
    """Room for `[rows, count]` elements of a space: an array, a dict of them, or nested lists for everything else.

    `wide` makes integers int64, for actions, which are range-checked before anything narrows them.
    """
    if is_numeric(space):
        dtype = np.dtype(np.int64) if wide and not isinstance(space, spaces.Box) else np.dtype(space.dtype)
        return np.zeros((rows, count, *(space.shape or ())), dtype)
    if isinstance(space, spaces.Dict) and all(is_numeric(part) for part in space.spaces.values()):
        return {name: make_buffer(part, rows, count, wide) for name, part in space.spaces.items()}
    return [[None] * count for _ in range(rows)]


def _at(buffer: Any, pick: Callable[[NDArray[Any]], Any]) -> Any:
    if isinstance(buffer, dict):
        return {name: pick(part) for name, part in buffer.items()}
    return pick(buffer)


def row_of(buffer: Any, b: int) -> Any:
    """A fresh copy of one row: all seats of a role."""
    if isinstance(buffer, list):
        return tuple(buffer[b])
    return _at(buffer, lambda part: part[b].copy())


def seat_of(buffer: Any, b: int, s: int) -> Any:
    """A fresh copy of what one seat sees (a NumPy scalar for scalar spaces)."""
    if isinstance(buffer, list):
        return buffer[b][s]
    return _at(buffer, lambda part: part[b, s].copy())


def narrowest(space: spaces.Space[Any]) -> np.dtype[Any]:
    """The smallest type that holds every action of a numeric space, for traces."""
    if isinstance(space, spaces.Box):
        return np.dtype(space.dtype)
    low = np.asarray(getattr(space, "start", 0))
    if isinstance(space, spaces.Discrete):
        high = low + space.n - 1
    else:
        high = low + (np.asarray(space.nvec) - 1 if isinstance(space, spaces.MultiDiscrete) else 1)
    kinds = (np.uint8, np.uint16, np.uint32, np.int64) if low.min() >= 0 else (np.int8, np.int16, np.int32, np.int64)
    return np.dtype(next(t for t in kinds if np.iinfo(t).min <= low.min() and high.max() <= np.iinfo(t).max))


@kernel
def canonical(actions: NDArray[np.int64], asked: NDArray[np.int8], first: int, low: int, high: int) -> int:
    """Set the actions of seats that are not asked to `low`; return the flat place of the first one out of range, or -1.

    `actions` int64[B, n] of the role whose seats begin at `first` in `asked` int8[B, S]; the range is low..high.
    """
    rows, count = actions.shape
    for b in range(rows):
        wrong, idle = False, False
        for i in range(count):  # without branches, so that it is done in vectors
            here = asked[b, first + i] != 0
            wrong |= here & ((actions[b, i] < low) | (actions[b, i] > high))
            idle |= not here
        if wrong:
            for i in range(count):
                if asked[b, first + i] and (actions[b, i] < low or actions[b, i] > high):
                    return b * count + i
        if idle:
            for i in range(count):
                if not asked[b, first + i]:
                    actions[b, i] = low
    return -1


@kernel
def row_sums(values: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Write the sum of each row of float64[B, S] to `out[:, 0]`, from left to right: NumPy's order depends on the length."""
    for b in range(values.shape[0]):
        total = 0.0
        for s in range(values.shape[1]):
            total += values[b, s]
        out[b, 0] = total
