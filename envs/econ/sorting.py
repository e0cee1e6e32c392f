"""Sorting of whole numbers from 0 upwards in kernels: quick to compile, and linear in how many there are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel

__all__ = ["count_below", "sort_whole"]

_DIGITS = 2048


@kernel
def sort_whole(values: NDArray[np.int64]) -> None:
    """Sort int64[N] >= 0 upwards, in place: by insertion where they are few, else by eleven bits at a time."""
    n = values.shape[0]
    if n <= 64:
        for i in range(1, n):
            x, at = values[i], i
            while at > 0 and values[at - 1] > x:
                values[at] = values[at - 1]
                at -= 1
            values[at] = x
        return
    highest = np.int64(0)
    for i in range(n):
        highest = max(highest, values[i])
    spare = np.empty(n, np.int64)
    starts = np.empty(_DIGITS, np.int64)
    there, shift = False, 0
    while shift < 63 and highest >> shift > 0:
        source = spare if there else values
        target = values if there else spare
        starts[:] = 0
        for i in range(n):
            starts[(source[i] >> shift) & 2047] += 1
        total = 0
        for digit in range(_DIGITS):
            count = starts[digit]
            starts[digit] = total
            total += count
        for i in range(n):
            digit = (source[i] >> shift) & 2047
            target[starts[digit]] = source[i]
            starts[digit] += 1
        there = not there
        shift += 11
    if there:
        for i in range(n):  # whole arrays are assigned with a check of shapes, which takes seconds to compile
            values[i] = spare[i]


@kernel
def count_below(ordered: NDArray[np.int64], x: int) -> int:
    """How many of int64[N], sorted upwards, are below x."""
    low, high = 0, ordered.shape[0]
    while low < high:
        middle = (low + high) // 2
        if ordered[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low
