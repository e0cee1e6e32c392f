"""The beginning: empty books."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.bytes import flat
from ludarium.envs.core.compile import inner, tight
from ludarium.envs.econ.blank import MINUS_ONE
from ludarium.envs.econ.book.layout import BUY, SELL, Book, Rules

__all__ = ["BOOK_BYTES", "open_book", "open_sides", "wipe", "wipe_wide"]


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


BOOK_BYTES = {
    **dict.fromkeys(
        (
            "held_cash", "held_stock", "treasury", "floor", "order_quantity", "order_level", "order_fee", "order_expiry",
            "order_id", "order_stamp", "issued", "stamps", "trades", "volume", "turnover", "level_sum", "level_squares",
            "depth", "fill",
        ),
        0,
    ),
    **dict.fromkeys(("last", "order_next", "order_before", "head", "tail"), MINUS_ONE),
}  # fmt: skip
"""The bytes of the fields of an empty book, for `Blank`; `open_sides` writes the rest."""


@inner
def open_sides(s: Book, r: Rules, b: int) -> None:
    """No bids, no asks, and open collars."""
    for m in range(s.best.shape[1]):
        s.cap[b, m] = r.levels - 1
        s.best[b, m, BUY] = -1
        s.best[b, m, SELL] = r.levels


@tight
def open_book(s: Book, r: Rules, b: int) -> None:
    """Empty all books of a row; the collars are open, the accounts are left as they are."""
    s.treasury[b] = 0
    wipe(flat(s.floor, b), 0)
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
    open_sides(s, r, b)
