"""States of array simulators: one named tuple of arrays, laid out in one block of memory.

Because every array of a state is a view into one block, a snapshot is one copy, and one kernel can digest any state.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.bytes import flat, word_at
from ludarium.envs.core.compile import inner, tight
from ludarium.envs.core.frozen import freeze
from ludarium.envs.core.rng import mix64

__all__ = ["COMMON", "Field", "Layout", "allocate", "block", "digest_rows", "layout"]

_ALIGN = 64
_T = TypeVar("_T", bound=tuple)


class Field(NamedTuple):
    """One array of a state: `[B, *shape]`, or `[*shape]` for scratch space that no row owns.

    `kind` is `"state"` (dynamic: in the digest), `"derived"` (in snapshots, not in the digest: it follows from the
    rest, or belongs to the instance, which is hashed once), or `"scratch"` (meaningless between calls).
    """

    name: str
    dtype: Any
    shape: tuple[int, ...] = ()
    kind: str = "state"


def COMMON(seats: int) -> tuple[Field, ...]:
    """The fields with which every array state begins."""
    return (
        Field("key", np.uint64),
        Field("t", np.int32),
        Field("over", np.bool_),
        Field("live", np.bool_, (seats,)),
        Field("inst", np.int32),
    )


class Layout(NamedTuple):
    """Where the fields of a state lie in its block: byte offsets and bytes a row, digested fields first."""

    offset: NDArray[np.int64]
    width: NDArray[np.int64]
    digested: int
    rows: int
    size: int


def _bytes(field: Field, rows: int) -> int:
    count = int(np.prod(field.shape, dtype=np.int64))
    return count * np.dtype(field.dtype).itemsize * (1 if field.kind == "scratch" else rows)


def _padded(field: Field, rows: int) -> int:
    return -(-_bytes(field, rows) // _ALIGN) * _ALIGN


def _ranked(fields: tuple[Field, ...]) -> list[Field]:
    return sorted(fields, key=lambda field: ("state", "derived", "scratch").index(field.kind))


@functools.lru_cache(maxsize=256)
def layout(fields: tuple[Field, ...], rows: int) -> Layout:
    """Lay out the fields of a batch of `rows` episodes: dynamic ones first, then derived, then scratch."""
    kept = [field for field in _ranked(fields) if field.kind != "scratch"]
    ends = np.cumsum([0, *(_padded(field, rows) for field in kept)])
    width = np.array([_bytes(field, 1) for field in kept], np.int64)
    digested = sum(field.kind == "state" for field in kept)
    return Layout(ends[:-1].astype(np.int64), width, digested, rows, int(ends[-1]))


@functools.lru_cache(maxsize=256)
def _places(fields: tuple[Field, ...], rows: int) -> tuple[int, tuple[tuple[Any, ...], ...]]:
    """The size of the block, and where in it each field lies: name, start, end, type and shape."""
    places, start = [], 0
    for field in _ranked(fields):
        shape = field.shape if field.kind == "scratch" else (rows, *field.shape)
        places.append((field.name, start, start + _bytes(field, rows), np.dtype(field.dtype), shape))
        start += _padded(field, rows)
    return start, tuple(places)


def allocate(kind: type[_T], fields: tuple[Field, ...], rows: int) -> _T:
    """Return a zeroed state of `rows` episodes, laid out in one block; fields come in the order of the named tuple `kind`."""
    names = tuple(field.name for field in fields)
    if names != kind._fields:  # type: ignore[attr-defined]
        raise TypeError(f"{kind.__name__} has fields {kind._fields}, its layout has {names}")  # type: ignore[attr-defined]
    total, places = _places(fields, rows)
    memory = np.zeros(total + _ALIGN, np.uint8)
    memory = memory[-memory.ctypes.data % _ALIGN :][:total]
    arrays = {name: memory[start:end].view(dtype).reshape(shape) for name, start, end, dtype, shape in places}
    return freeze(kind(*(arrays[name] for name in names)))


def block(state: tuple[Any, ...], where: Layout) -> NDArray[np.uint8]:
    """The memory behind a state that `allocate` made: all digested and derived fields, as a writable view."""
    first = state[0]
    start = first.ctypes.data - first.base.ctypes.data
    return first.base.view(np.uint8)[start : start + where.size]


_K = np.uint64(0x9FB21C651E98DF25)
_S = np.uint64(29)
_EIGHT = np.uint64(8)


@inner
def _fold(h: np.uint64, memory: NDArray[np.uint8], start: int, size: int) -> np.uint64:
    """Fold `size` bytes into a hash, eight at a time, little end first."""
    for i in range(start, start + size - 7, 8):
        h = (h ^ word_at(memory, i)) * _K
        h ^= h >> _S
    rest = np.uint64(0)
    tail = size % 8
    for i in range(tail):
        rest |= np.uint64(memory[start + size - tail + i]) << (_EIGHT * np.uint64(i))
    h = (h ^ rest ^ np.uint64(size)) * _K
    return np.uint64(h ^ (h >> _S))


@tight
def digest_rows(
    memory: NDArray[np.uint8],
    offset: NDArray[np.int64],
    width: NDArray[np.int64],
    digested: int,
    reward: NDArray[np.uint8],
    flags: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    which: NDArray[np.bool_],
    chain: NDArray[np.uint64],
) -> None:
    """Advance the digest chain of the rows in `which` by their dynamic state, reward and flags.

    `reward` is the bytes of float64[B, S] (`uint8[B, 8 * S]`), `flags` bool[B, S], `truncated` bool[B], `chain`
    uint64[B].
    """
    for b in range(which.shape[0]):
        if not which[b]:
            continue
        h = mix64(np.uint64(chain[b]) + np.uint64(1))
        for f in range(digested):
            h = _fold(h, memory, offset[f] + b * width[f], width[f])
        h = _fold(h, flat(reward, b), 0, reward.shape[1])
        for s in range(flags.shape[1]):
            h = (h ^ np.uint64(flags[b, s])) * _K
        chain[b] = mix64(h ^ np.uint64(truncated[b]))
