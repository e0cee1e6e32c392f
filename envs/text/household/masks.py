"""What the agents of a household see and may do, written into the caller"s buffers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, tight
from ludarium.envs.text.household.dynamics import (
    IN_HAND,
    KNIFE,
    ONE,
    PICKUPABLE,
    SLICEABLE,
    TOGGLEABLE,
    Scalars,
    State,
    has,
    is_open,
    lies_in,
    lowest,
    words_of,
)

__all__ = ["look", "look_mask", "masks", "see"]


@inner
def look(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.uint8]) -> None:
    """Write what the listed seats know, uint8[B, n, N]."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i >= 0:
                for k in range(out.shape[2]):
                    out[b, n, k] = s.seen[b, i, k]


@tight
def see(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.uint8]) -> None:
    """`look` as Python calls it."""
    look(s, c, seats, out)


@inner
def _mask_here(s: State, c: Scalars, b: int, i: int, r: int, out: NDArray[np.int8], n: int) -> None:
    """Allow what can be done with a receptacle that is at hand, and with what lies in it."""
    wide, held = c.receptacles, int(s.hold[b, i])
    reach = is_open(s, b, r)
    out[b, n, 3 * wide + r] = 1
    if s.openable[b, r]:
        out[b, n, (2 if reach else 1) * wide + r] = 1
    if held >= 0:
        if reach and has(s.fits, b, r, held):
            out[b, n, 4 * wide + r] = 1
        if s.process[b, r] and has(s.able, b, int(s.process[b, r]), held):
            out[b, n, 5 * wide + r] = 1
    use = 6 * wide + c.copies * c.objects
    for w in range(s.target.shape[1]):
        lies = np.uint64(s.content[b, r, w])
        word = lies & np.uint64(s.able[b, PICKUPABLE, w]) if held < 0 and reach else np.uint64(0)
        while word:
            o = lowest(word) + 64 * w
            word &= word - ONE
            place = 6 * wide + o * c.copies
            for _ in range(c.copies):  # the first of its numbers that is not taken by an earlier receptacle
                if out[b, n, place] == 0:
                    break
                place += 1
            if place < 6 * wide + (o + 1) * c.copies:
                out[b, n, place] = 1
        word = lies & np.uint64(s.able[b, TOGGLEABLE, w]) if reach or c.quirks else np.uint64(0)
        while word:
            out[b, n, use + lowest(word) + 64 * w] = 1
            word &= word - ONE


@inner
def _mask_slice(s: State, c: Scalars, b: int, i: int, out: NDArray[np.int8], n: int) -> None:
    held, place = int(s.hold[b, i]), int(s.loc[b, i])
    if held < 0 or not has(s.able, b, KNIFE, held):
        return
    first = 6 * c.receptacles + (c.copies + 1) * c.objects
    for w in range(s.target.shape[1]):
        word = np.uint64(s.around[b, place, w]) & np.uint64(s.able[b, SLICEABLE, w])
        while word:
            o = lowest(word) + 64 * w
            word &= word - ONE
            if c.quirks or lies_in(s, b, i, o, 0, False) >= 0:
                out[b, n, first + o] = 1


@inner
def _mask_speech(s: State, c: Scalars, b: int, i: int, out: NDArray[np.int8], n: int) -> None:
    """Allow to say what is known, and where one is going, in no more words than are left."""
    left, first = int(s.budget[b, i]), 6 * c.receptacles + (c.copies + 2) * c.objects
    places = c.known + 3 * c.receptacles + c.objects
    s.counts[:] = 0
    for o in range(int(s.sizes[b, 1])):
        where = int(s.seen[b, i, places + o])
        if where == IN_HAND:
            out[b, n, first + c.receptacles + o] = left >= 5
        elif where > 0:
            out[b, n, first + c.receptacles + o] = left >= 9
            s.counts[where - 1] += 1
    for r in range(int(s.sizes[b, 0])):
        status = s.seen[b, i, c.known + c.receptacles + r]
        out[b, n, first + r] = status > 0 and left >= words_of(int(s.counts[r]), status == 1)
        out[b, n, first + c.receptacles + c.objects + r] = left >= 7


@inner
def look_mask(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
    """Write the legal actions of the listed seats, int8[B, n, A]."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i < 0:
                continue
            for k in range(out.shape[2]):
                out[b, n, k] = 0
            place = s.loc[b, i]
            for r in range(int(s.sizes[b, 0])):
                out[b, n, r] = s.place[b, r] != place
            r = int(s.first[b, place])
            while r >= 0:
                _mask_here(s, c, b, i, r, out, n)
                r = int(s.after[b, r])
            _mask_slice(s, c, b, i, out, n)
            if c.talk > 0:
                _mask_speech(s, c, b, i, out, n)
            last = c.actions - 5
            out[b, n, last] = s.hold[b, i] >= 0
            out[b, n, last + 1] = 1
            out[b, n, last + 2] = 1
            out[b, n, last + 3] = c.helps


@tight
def masks(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
    """`look_mask` as Python calls it."""
    look_mask(s, c, seats, out)
