"""Orders of a level in order of arrival: linked lists over the places of a pool."""

from __future__ import annotations

import numpy as np

from ludarium.envs.core.compile import inner
from ludarium.envs.econ.book.layout import BUY, SELL, Book, Rules
from ludarium.envs.econ.book.money import commitment, hold

__all__ = ["drop", "link", "owner_of", "unlink"]


@inner
def owner_of(r: Rules, place: int) -> int:
    """The account whose order is in a place."""
    return place // r.slots % r.accounts


@inner
def link(s: Book, b: int, m: int, side: int, level: int, place: int) -> None:
    """Put an order at the end of its level's queue."""
    last = np.int64(s.tail[b, m, side, level])
    s.order_next[b, m, place] = -1
    s.order_before[b, m, place] = last
    if last < 0:
        s.head[b, m, side, level] = place
    else:
        s.order_next[b, m, last] = place
    s.tail[b, m, side, level] = place
    s.depth[b, m, side, level] += np.int64(s.order_quantity[b, m, place])
    if (side == BUY and level > s.best[b, m, BUY]) or (side == SELL and level < s.best[b, m, SELL]):
        s.best[b, m, side] = level
    s.order_stamp[b, m, place] = s.stamps[b, m]
    s.stamps[b, m] += 1


@inner
def _retreat(s: Book, r: Rules, b: int, m: int, side: int) -> None:
    """Move the best price of a side from a level that became empty to the next one with an order."""
    level = np.int64(s.best[b, m, side])
    if side == BUY:
        while level >= 0 and s.head[b, m, BUY, level] < 0:
            level -= 1
    else:
        while level < r.levels and s.head[b, m, SELL, level] < 0:
            level += 1
    s.best[b, m, side] = level


@inner
def unlink(s: Book, r: Rules, b: int, m: int, side: int, place: int) -> None:
    """Take an order out of its queue and free its place."""
    level = np.int64(s.order_level[b, m, place])
    before, after = np.int64(s.order_before[b, m, place]), np.int64(s.order_next[b, m, place])
    if before < 0:
        s.head[b, m, side, level] = after
    else:
        s.order_next[b, m, before] = after
    if after < 0:
        s.tail[b, m, side, level] = before
    else:
        s.order_before[b, m, after] = before
    s.depth[b, m, side, level] -= np.int64(s.order_quantity[b, m, place])
    s.order_quantity[b, m, place] = 0
    if before < 0 and after < 0 and level == s.best[b, m, side]:
        _retreat(s, r, b, m, side)


@inner
def drop(s: Book, r: Rules, b: int, m: int, place: int) -> None:
    """Cancel an open order: its commitment is free again."""
    side, level = place // (r.accounts * r.slots), np.int64(s.order_level[b, m, place])
    left, rate = np.int64(s.order_quantity[b, m, place]), np.int64(s.order_fee[b, m, place])
    hold(s, b, m, side, owner_of(r, place), -commitment(r, side, level, left, rate))
    unlink(s, r, b, m, side, place)
