"""Moving bytes inside kernels: what the compiled form writes is what slices of NumPy write."""

import numpy as np
import pytest

from ludarium.envs.core.bytes import bit_run, clear_run, copy_run, flat, word_at
from ludarium.envs.core.compile import tight


@tight
def _bits(target, source, to, start, bit):
    bit_run(target, to, source, start, bit, 16)
    bit_run(target, to + 20, source, start, bit, 8)


@tight
def _copies(target, source, to, start):
    copy_run(target, to, source, start, 11)
    copy_run(target, to + 16, source, start, 4)


@tight
def _cleared(target, to):
    clear_run(target, to, 7)


@tight
def _row_and_word(array, b, start):
    row = flat(array, b)
    return row[start], word_at(row, start)


@pytest.mark.parametrize("bit", range(8))
def test_bits_of_bytes(bit):
    rng = np.random.default_rng(bit)
    source = rng.integers(0, 256, 64).astype(np.uint8)
    for to, start in rng.integers(0, 30, (20, 2)).tolist():
        target = rng.integers(0, 256, 80).astype(np.uint8)
        expected = target.copy()
        expected[to : to + 16] = source[start : start + 16] >> bit & 1
        expected[to + 20 : to + 28] = source[start : start + 8] >> bit & 1
        _bits(target, source, to, start, bit)
        assert target.tolist() == expected.tolist()


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.float32])
def test_copies(kind):
    rng = np.random.default_rng(0)
    source = rng.integers(0, 128, 64).astype(np.uint8)
    for to, start in rng.integers(0, 30, (20, 2)).tolist():
        target = rng.integers(0, 128, 80).astype(kind)
        expected = target.copy()
        expected[to : to + 11] = source[start : start + 11]
        expected[to + 16 : to + 20] = source[start : start + 4]
        _copies(target, source, to, start)
        assert target.tolist() == expected.tolist()
        expected[to : to + 7] = 0
        _cleared(target, to)
        assert target.tolist() == expected.tolist()


def test_rows_and_words():
    array = np.random.default_rng(0).integers(0, 256, (3, 4, 8)).astype(np.uint8)
    for b in range(3):
        for start in range(24):
            value, word = _row_and_word(array, b, start)
            row = array[b].reshape(-1)
            assert value == row[start]
            assert int(word) == int.from_bytes(row[start : start + 8].tobytes(), "little")
