"""Random numbers are a pure, fixed function of key and coordinates, uniform and independent."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ludarium.envs.core import rng
from ludarium.envs.core.compile import DISABLED
from ludarium.envs.core.seeding import episode_seeds

U64 = st.integers(0, 2**64 - 1)
SMALL = st.integers(0, 2**31 - 1)


def model_mix64(x: int) -> int:
    """SplitMix64's finaliser in unbounded integers, from Steele, Lea and Flood (2014), figure 16."""
    x &= 2**64 - 1
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) % 2**64
    return x ^ (x >> 31)


def test_the_mixer_gives_the_published_outputs_of_splitmix64() -> None:
    # the reference program's first outputs from the state 1234567
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    golden = 0x9E3779B97F4A7C15
    outputs = [int(rng.mix64(np.uint64((1234567 + golden * (i + 1)) % 2**64))) % 2**64 for i in range(4)]
    assert outputs == published


KNOWN = {
    (0, 0, 0, 0, 0): 1469387355211377867,
    (1, 2, 3, 4, 5): 13444470593935159372,
    (2**64 - 1, 7, 10**9, 2**31, 0): 15472810659603719680,
}


@pytest.mark.parametrize("coordinates", KNOWN)
def test_draws_are_fixed_for_ever(coordinates: tuple[int, ...]) -> None:
    key, *rest = coordinates
    assert int(rng.draw(np.uint64(key), *rest)) % 2**64 == KNOWN[coordinates]


def test_episode_keys_and_seeds_are_fixed_for_ever() -> None:
    assert [int(rng.episode_key(seed)) % 2**64 for seed in (0, 1, 2**53)] == [
        2902805962516761537,
        497703520335024666,
        6741304889930130455,
    ]
    assert [rng.episode_seed(5, k) for k in range(4)] == [5, 6871541798273696, 3122095855728886, 5730581168071657]


@given(U64, st.integers(0, 100), SMALL, SMALL, SMALL)
@settings(max_examples=300, deadline=None)
def test_compiled_draws_equal_unbounded_arithmetic(key: int, stream: int, a: int, b: int, c: int) -> None:
    golden = 0x9E3779B97F4A7C15
    x = model_mix64(key + golden * (stream + 1))
    x = model_mix64(x + golden * (a + 1))
    x = model_mix64(x ^ (golden * (b + 1) % 2**64))
    expected = model_mix64(x + 0xBF58476D1CE4E5B9 * (c + 1))
    assert int(rng.draw(np.uint64(key), stream, a, b, c)) % 2**64 == expected
    assert rng.below(np.uint64(expected), 1000) == (expected >> 32) * 1000 >> 32
    assert rng.draw_below(np.uint64(key), stream, a, b, c, 17) == (expected >> 32) * 17 >> 32
    assert rng.unit(np.uint64(expected)) == (expected >> 11) / 2**53


@pytest.mark.skipif(DISABLED, reason="everything is plain Python here")
def test_plain_python_in_another_process_gives_the_same_draws() -> None:
    program = (
        "import numpy as np\nfrom ludarium.envs.core import rng\n"
        "print([int(rng.draw(np.uint64(2**64 - 1 - k), k, k + 1, 2 * k, 3)) % 2**64 for k in range(200)],"
        " [rng.episode_seed(k, 3) for k in range(50)])"
    )
    compiled = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    environment = {"NUMBA_DISABLE_JIT": "1", "PATH": "/usr/bin:/bin"}
    without = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    assert compiled.stdout == without.stdout
    assert len(compiled.stdout) > 1000


@pytest.mark.parametrize("axis", range(5))
def test_draws_are_uniform_along_every_coordinate(axis: int) -> None:
    """Chi-squared over 64 cells at 20,000 draws: the 1e-6 quantile of 63 degrees of freedom is about 133."""
    counts = np.zeros(64)
    for k in range(20_000):
        at = [9, 1, 2, 3, 4]
        at[axis] = k
        counts[rng.draw_below(np.uint64(at[0]), *at[1:], 64)] += 1
    expected = 20_000 / 64
    assert ((counts - expected) ** 2 / expected).sum() < 133


def test_neighbouring_coordinates_are_independent() -> None:
    """The mean of products of centred neighbours is 0 within five standard errors, and all bits are fair."""
    draws = np.array(
        [[int(rng.draw(np.uint64(3), 1, a, b, 0)) % 2**64 for b in range(80)] for a in range(80)], np.uint64
    )
    centred = (draws >> np.uint64(11)).astype(np.float64) / 2**53 - 0.5
    for product in (centred[1:] * centred[:-1], centred[:, 1:] * centred[:, :-1]):
        assert abs(product.mean()) < 5 * (1 / 12) / np.sqrt(product.size)
    bits = np.unpackbits(draws.view(np.uint8)).reshape(-1, 64).mean(0)
    assert abs(bits - 0.5).max() < 5 * 0.5 / np.sqrt(draws.size)


def test_the_first_episode_has_the_seed_itself_and_later_ones_fit_a_float() -> None:
    seeds = [rng.episode_seed(7, k) for k in range(1000)]
    assert seeds[0] == 7
    assert len(set(seeds)) == 1000
    assert all(0 <= seed < 2**53 for seed in seeds)


def test_seeds_of_many_rows_are_those_of_each():
    seeds = np.array([0, 1, 5, 7, 2**53, 2**63 - 1] * 4)
    k = np.repeat([0, 1, 2, 2**40], 6)
    assert episode_seeds(seeds, k).tolist() == [rng.episode_seed(int(s), int(n)) for s, n in zip(seeds, k, strict=True)]
