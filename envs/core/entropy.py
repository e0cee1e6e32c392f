"""Small numbers in few bits: asymmetric numeral systems (rANS, Duda 2013, arXiv:1311.2540) with static tables by context.

A robot's next action follows from its last ones, so that each number is coded by the frequencies of what followed the
same `order` numbers before it in its row. Decoding is a table look-up, a multiplication and a shift a number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import tight

__all__ = ["MAX_BASE", "MAX_ORDER", "compress", "decompress"]

MAX_BASE, MAX_ORDER = 16, 3
_MAX_CONTEXTS = 256
_BITS = 8
_SCALE = 1 << _BITS
_LOW = 1 << 16
"""The coder's state is in `_LOW` .. 2**32 - 1, and leaves or takes 16 bits at a time."""


@tight
def _count(rows: NDArray[np.uint8], base: int, counts: NDArray[np.int64]) -> None:
    """Count in int64[contexts, base] what follows each context."""
    contexts = counts.shape[0]
    for r in range(rows.shape[0]):
        context = 0
        for k in range(rows.shape[1]):
            value = np.int64(rows[r, k])
            counts[context, value] += 1
            context = (context * base + value) % contexts


@tight
def _encode(rows: NDArray[np.uint8], base: int, table: NDArray[np.int64], words: NDArray[np.uint16]) -> int:
    """Write the words, last one first, so that they are read forwards; return how many there are.

    `table` int64[contexts, base + 1] holds where the share of each number begins. `words` ends with the final state.
    """
    contexts = table.shape[0]
    state, n = np.int64(_LOW), 0
    for r in range(rows.shape[0] - 1, -1, -1):
        for k in range(rows.shape[1] - 1, -1, -1):
            value = np.int64(rows[r, k])
            context = 0
            first = k
            span = 1
            while span < contexts and first > 0:
                first -= 1
                span *= base
            for j in range(first, k):
                context = context * base + np.int64(rows[r, j])
            begin = table[context, value]
            share = table[context, value + 1] - begin
            if state >= share << (32 - _BITS):
                words[n] = state & 0xFFFF
                n += 1
                state >>= 16
            state = ((state // share) << _BITS) + state % share + begin
    words[n] = state & 0xFFFF
    words[n + 1] = state >> 16
    return n + 2


@tight
def _lay_out(shares: NDArray[np.uint8], table: NDArray[np.int64], slots: NDArray[np.uint8]) -> bool:
    """Write where each number's share begins, and whose each place is; False if shares do not add up to 256.

    A context without shares does not occur, and anything that adds up will do for it.
    """
    contexts, base = shares.shape
    for context in range(contexts):
        begin = 0
        for value in range(base):
            table[context, value] = begin
            for _ in range(np.int64(shares[context, value])):
                if begin < _SCALE:
                    slots[context, begin] = value
                begin += 1
        if begin == 0:
            table[context, 1:] = _SCALE
        elif begin != _SCALE:
            return False
        table[context, base] = _SCALE
    return True


@tight
def _decode(
    words: NDArray[np.uint16], base: int, table: NDArray[np.int64], slots: NDArray[np.uint8], rows: NDArray[np.uint8]
) -> bool:
    """Fill the rows; return whether the words were used up and the state is the first one again.

    `slots` uint8[contexts, 256] holds the number to whose share each place belongs.
    """
    contexts = table.shape[0]
    count = words.shape[0]
    if count < 2:
        return False
    state = (np.int64(words[0]) << 16) | np.int64(words[1])
    n = 2
    for r in range(rows.shape[0]):
        context = 0
        for k in range(rows.shape[1]):
            slot = state & (_SCALE - 1)
            value = np.int64(slots[context, slot])
            begin = table[context, value]
            state = (table[context, value + 1] - begin) * (state >> _BITS) + slot - begin
            if state < _LOW:
                if n >= count:
                    return False
                state = (state << 16) | np.int64(words[n])
                n += 1
            rows[r, k] = value
            context = (context * base + value) % contexts
    return n == count and state == _LOW


def _shares(counts: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Frequencies that add up to 256, uint8[contexts, base]: at least 1 for every number that occurs.

    A number that always occurs would need 256: it shares with its neighbour, which takes 1.
    """
    shares = np.zeros(counts.shape, np.int64)
    for row, own in zip(counts, shares, strict=True):
        total = int(row.sum())
        if not total:
            continue
        own[:] = np.maximum(row * _SCALE // total, row > 0)
        if np.count_nonzero(own) == 1:
            own[(int(own.argmax()) + 1) % len(own)] = 1
        own[int(own.argmax())] += _SCALE - int(own.sum())
    return shares.astype(np.uint8)


def _table(shares: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros((len(shares), 1), np.int64), np.cumsum(shares, 1, np.int64)], 1)


def compress(rows: NDArray[np.uint8], base: int) -> bytes | None:
    """The bytes for numbers below `base` in uint8[rows, n]; None where there is nothing to gain."""
    if not 2 <= base <= MAX_BASE or rows.size == 0 or int(rows.max()) >= base:
        return None
    best: bytes | None = None
    for order in range(MAX_ORDER + 1):
        if base**order > _MAX_CONTEXTS or (best is not None and base**order * base > len(best)):
            break
        counts = np.zeros((base**order, base), np.int64)
        _count(rows, base, counts)
        shares = _shares(counts)
        words = np.zeros(rows.size + 2, np.uint16)  # at most one word a number
        size = _encode(rows, base, _table(shares), words)
        found = bytes([order]) + shares.tobytes() + words[:size][::-1].astype("<u2").tobytes()
        if best is None or len(found) < len(best):
            best = found
    return best


def decompress(data: bytes, base: int, rows: NDArray[np.uint8]) -> bool:
    """Fill uint8[rows, n] from `compress`'s bytes; False if they are not such bytes."""
    order = data[0] if data else MAX_ORDER + 1
    if order > MAX_ORDER or not 2 <= base <= MAX_BASE or base**order > _MAX_CONTEXTS:
        return False
    contexts = base**order
    body: Any = data[1 + contexts * base :]
    if len(data) < 1 + contexts * base or len(body) % 2:
        return False
    shares = np.frombuffer(data, np.uint8, contexts * base, 1).reshape(contexts, base).copy()
    table, slots = np.zeros((contexts, base + 1), np.int64), np.zeros((contexts, _SCALE), np.uint8)
    words = np.frombuffer(body, "<u2").astype(np.uint16)
    return bool(_lay_out(shares, table, slots) and _decode(words, base, table, slots, rows))
