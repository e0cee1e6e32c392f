"""What must hold of a book at any time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, tight
from ludarium.envs.econ.book.layout import BUY, SELL, Book, Rules
from ludarium.envs.econ.book.money import commitment

__all__ = ["sound"]


@inner
def _sound_side(s: Book, r: Rules, b: int, m: int, side: int) -> bool:
    """Whether the queues of a side hold exactly its open orders, in order of arrival, and best and depth agree."""
    best, seen = np.int64(-1) if side == BUY else np.int64(r.levels), 0
    for level in range(r.levels):
        total, stamp, before = np.int64(0), np.int64(-1), np.int64(-1)
        place = np.int64(s.head[b, m, side, level])
        while place >= 0:
            here = s.order_quantity[b, m, place] > 0 and s.order_level[b, m, place] == level
            if not here or s.order_stamp[b, m, place] <= stamp or s.order_before[b, m, place] != before:
                return False
            total += np.int64(s.order_quantity[b, m, place])
            stamp, before = np.int64(s.order_stamp[b, m, place]), place
            seen += 1
            place = np.int64(s.order_next[b, m, place])
        if total != s.depth[b, m, side, level] or s.tail[b, m, side, level] != before:
            return False
        if total > 0 and (side == BUY or best == r.levels):
            best = level
    count, first = 0, side * r.accounts * r.slots
    for place in range(first, first + r.accounts * r.slots):
        count += s.order_quantity[b, m, place] != 0
    return count == seen and best == s.best[b, m, side]


@tight
def sound(s: Book, r: Rules, out: NDArray[np.bool_]) -> None:
    """Write bool[B, 3]: queues are in order, commitments equal what is held, no balance is below zero."""
    for b in range(out.shape[0]):
        out[b, 0] = out[b, 1] = out[b, 2] = True
        for account in range(r.accounts):
            money = np.int64(0)
            for m in range(s.stock.shape[1]):
                goods = np.int64(0)
                for j in range(r.slots):
                    buy, sell = account * r.slots + j, (r.accounts + account) * r.slots + j
                    left, rate = np.int64(s.order_quantity[b, m, buy]), np.int64(s.order_fee[b, m, buy])
                    money += commitment(r, BUY, np.int64(s.order_level[b, m, buy]), left, rate)
                    goods += np.int64(s.order_quantity[b, m, sell])
                out[b, 1] &= goods == s.held_stock[b, m, account]
                out[b, 2] &= s.stock[b, m, account] >= 0
            out[b, 1] &= money == s.held_cash[b, account]
            out[b, 2] &= s.cash[b, account] >= 0
        for m in range(s.stock.shape[1]):
            out[b, 0] &= _sound_side(s, r, b, m, BUY) and _sound_side(s, r, b, m, SELL)
