"""Counter-based random numbers, the only source of chance in every world.

A draw is a pure function of a 64-bit key (the episode) and of coordinates that mean something in the world: the stream
(a named constant), then up to three integers such as goal number, seat and try. It never depends on padding, batch size
or threads. The mixer is the finaliser of SplitMix64 (Steele, Lea, Flood 2014), applied once per coordinate.
"""

from __future__ import annotations

import numpy as np

from ludarium.envs.core.compile import kernel

__all__ = ["below", "draw", "draw_below", "episode_key", "episode_seed", "mix", "mix64", "unit"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S32, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32), np.uint64(11)
_LOW = np.uint64(0xFFFFFFFF)


@kernel
def mix64(x: np.uint64) -> np.uint64:
    """The SplitMix64 finaliser: a bijection of 64-bit integers."""
    x = np.uint64(x)
    x = (x ^ (x >> _S30)) * _M1
    x = (x ^ (x >> _S27)) * _M2
    return np.uint64(x ^ (x >> _S31))


@kernel
def mix(a: np.uint64, b: int) -> np.uint64:
    """Fold the integer `b` into `a`."""
    return mix64(np.uint64(a) * _GOLDEN + np.uint64(b) + _GOLDEN)


@kernel
def draw(key: np.uint64, stream: int, a: int, b: int, c: int) -> np.uint64:
    """A uniform 64-bit integer for these coordinates."""
    x = mix64(np.uint64(key) + _GOLDEN * np.uint64(stream + 1))
    x = mix64(x + _GOLDEN * np.uint64(a + 1))
    x = mix64(x ^ (_GOLDEN * np.uint64(b + 1)))
    return mix64(x + _M1 * np.uint64(c + 1))


@kernel
def below(x: np.uint64, n: int) -> int:
    """Map a uniform 64-bit integer to 0..n-1 (n < 2**32) by multiply and shift; bias below n / 2**32."""
    return np.int64(((np.uint64(x) >> _S32) * np.uint64(n)) >> _S32)


@kernel
def draw_below(key: np.uint64, stream: int, a: int, b: int, c: int, n: int) -> int:
    """A uniform integer of 0..n-1: `below(draw(...), n)`, which plain Python may call.

    A compiled function hands a 64-bit draw back as a Python int, and one above 2**63 does not go into the next.
    """
    return below(draw(key, stream, a, b, c), n)


@kernel
def unit(x: np.uint64) -> float:
    """Map a uniform 64-bit integer to [0, 1) with 53 bits."""
    return np.float64(np.uint64(x) >> _S11) * (1.0 / 9007199254740992.0)


@kernel
def episode_key(seed: int) -> np.uint64:
    """The key of the episode with this seed."""
    return mix64(np.uint64(seed) ^ _M2)


@kernel
def _later_seed(seed: int, k: int) -> int:
    return np.int64(mix(np.uint64(seed), k) >> _S11)


def episode_seed(seed: int, k: int) -> int:
    """The seed of a row's k-th episode: the row's own seed first, then 53-bit seeds mixed from it."""
    return int(_later_seed(seed, k)) if k > 0 else seed
