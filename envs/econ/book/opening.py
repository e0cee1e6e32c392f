"""The beginning: empty books."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.bytes import flat
from ludarium.envs.core.compile import inner, tight
from ludarium.envs.econ.book.layout import BUY, SELL, Book, Rules

__all__ = ["open_book", "wipe", "wipe_wide"]


@inner
def wipe(row: NDArray[np.int32], value: int) -> None:
    """Set all of a row; slices that are set at once take long to compile."""
    for i in range(row.shape[0]):
        row[i] = value


@inner
def wipe_wide(row: NDArray[np.int64], value: int) -> None:
    """The same for 64 bits."""
    for i in range(row.shape[0]):
        row[i] = value


@tight
def open_book(s: Book, r: Rules, b: int) -> None:
    """Empty all books of a row; the collars are open, the accounts are left as they are."""
    s.treasury[b] = 0
    wipe(flat(s.floor, b), 0)
    wipe(flat(s.cap, b), r.levels - 1)
    wipe(flat(s.order_quantity, b), 0)
    wipe(flat(s.order_level, b), 0)
    wipe(flat(s.order_fee, b), 0)
    wipe(flat(s.order_expiry, b), 0)
    wipe_wide(flat(s.order_id, b), 0)
    wipe_wide(flat(s.order_stamp, b), 0)
    wipe_wide(flat(s.issued, b), 0)
    wipe_wide(flat(s.stamps, b), 0)
    wipe(flat(s.last, b), -1)
    wipe_wide(flat(s.trades, b), 0)
    wipe_wide(flat(s.volume, b), 0)
    wipe_wide(flat(s.turnover, b), 0)
    wipe_wide(flat(s.level_sum, b), 0)
    wipe_wide(flat(s.level_squares, b), 0)
    wipe(flat(s.order_next, b), -1)
    wipe(flat(s.order_before, b), -1)
    wipe(flat(s.head, b), -1)
    wipe(flat(s.tail, b), -1)
    wipe_wide(flat(s.depth, b), 0)
    wipe(flat(s.fill, b), 0)
    for m in range(s.best.shape[1]):
        s.best[b, m, BUY] = -1
        s.best[b, m, SELL] = r.levels
