"""Seeds of the later episodes of many rows at once; no kernel, so that resets of large batches compile nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.rng import _GOLDEN, _S11, mix64

__all__ = ["episode_seeds"]

_finish = getattr(mix64, "py_func", mix64)  # on arrays NumPy's operators wrap as the compiler's do


def episode_seeds(seeds: NDArray[np.int64], k: NDArray[np.int64]) -> NDArray[np.int64]:
    """`rng.episode_seed` of each row, int64[n]: `seeds` for k = 0, else mixed from it."""
    mixed = _finish(seeds.astype(np.uint64) * _GOLDEN + k.astype(np.uint64) + _GOLDEN) >> _S11
    return np.where(k > 0, mixed.astype(np.int64), seeds)
