"""Instances of the guessing game: a number from a seed."""

from __future__ import annotations

import numpy as np

from ludarium.envs.core.rng import draw_below, episode_key

__all__ = ["draw_secret"]

STREAM_SECRET = 1


def draw_secret(seed: int, high: int) -> int:
    """The number to guess, uniform in 1 to `high`."""
    return 1 + int(draw_below(np.uint64(episode_key(seed)), STREAM_SECRET, 0, 0, 0, high))
