"""What an account can tell the book: limit and market orders, cancellations, changes; and what the clock does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, tight
from ludarium.envs.econ.book.layout import (
    BUY,
    CANCEL,
    LIMIT,
    MARKET,
    MODIFY,
    NEVER,
    NO_CASH,
    NO_STOCK,
    OUTSIDE,
    SELL,
    TOO_MANY,
    UNKNOWN,
    ZERO_QUANTITY,
    Book,
    Rules,
)  # fmt: skip
from ludarium.envs.econ.book.matching import enter, match
from ludarium.envs.econ.book.money import commitment, hold
from ludarium.envs.econ.book.queues import drop

__all__ = ["cancel", "clear", "expire", "limit", "market", "modify", "play"]

_BLOCK = 32


@tight
def limit(
    s: Book, r: Rules, b: int, m: int, account: int, side: int, level: int, quantity: int, expiry: int, rate: int,
    matched: bool,
) -> int:  # fmt: skip
    """A limit order (0 <= level < levels, quantity < 2**31): trade at once what can be, let the rest wait.

    What an order may cost must fit 63 bits.

    `matched` is False while a call auction collects orders. Returns a code of `FAULTS`; unless it is 0, the account has
    neither traded nor an order more. An id is given to each order that is accepted.
    """
    if quantity <= 0:
        return ZERO_QUANTITY
    if level < s.floor[b, m] or level > s.cap[b, m]:
        return OUTSIDE
    need = commitment(r, side, level, quantity, rate)
    if side == BUY and need > s.cash[b, account]:
        return NO_CASH
    if side == SELL and need > s.stock[b, m, account]:
        return NO_STOCK
    place = (side * r.accounts + account) * r.slots
    end = place + r.slots
    while place < end and s.order_quantity[b, m, place] != 0:
        place += 1
    if place == end:
        return TOO_MANY
    code = enter(s, r, b, m, account, side, level, quantity, expiry, rate, matched, place, np.int64(s.issued[b, m]))
    s.issued[b, m] += code == 0
    return code


@tight
def market(s: Book, r: Rules, b: int, m: int, account: int, side: int, quantity: int, rate: int) -> int:
    """A market order: trade what the other side offers within the collar and the account can pay; the rest is cancelled.

    Returns a code of `FAULTS` if nothing was traded, else 0.
    """
    if quantity <= 0:
        return ZERO_QUANTITY
    if side == SELL and quantity > s.stock[b, m, account]:
        return NO_STOCK
    worst = np.int64(s.cap[b, m]) if side == BUY else np.int64(s.floor[b, m])
    left, why = match(s, r, b, m, account, side, worst, quantity, rate)
    return why if left == quantity else 0


@tight
def cancel(s: Book, r: Rules, b: int, m: int, account: int, side: int, j: int) -> int:
    """Cancel the order in an account's place j (0 <= j < slots) of a side."""
    place = (side * r.accounts + account) * r.slots + j
    if s.order_quantity[b, m, place] == 0:
        return UNKNOWN
    drop(s, r, b, m, place)
    return 0


@tight
def modify(
    s: Book, r: Rules, b: int, m: int, account: int, side: int, j: int, level: int, quantity: int, expiry: int,
    rate: int, matched: bool,
) -> int:  # fmt: skip
    """Change price and quantity of an order; it keeps its id, and its priority if the price stays and it grows no larger.

    Otherwise it is as if it had been cancelled and entered again: it may trade, and waits behind all others.
    """
    place = (side * r.accounts + account) * r.slots + j
    old = np.int64(s.order_quantity[b, m, place])
    if old == 0:
        return UNKNOWN
    if quantity <= 0:
        return ZERO_QUANTITY
    before, kept = np.int64(s.order_level[b, m, place]), np.int64(s.order_fee[b, m, place])
    held = commitment(r, side, before, old, kept)
    if level == before and quantity <= old:
        hold(s, b, m, side, account, commitment(r, side, level, quantity, kept) - held)
        s.order_quantity[b, m, place] = quantity
        s.depth[b, m, side, level] -= old - quantity
        return 0
    if level < s.floor[b, m] or level > s.cap[b, m]:
        return OUTSIDE
    need = commitment(r, side, level, quantity, rate)
    if side == BUY and need > s.cash[b, account] + held:
        return NO_CASH
    if side == SELL and need > s.stock[b, m, account] + held:
        return NO_STOCK
    number = np.int64(s.order_id[b, m, place])
    drop(s, r, b, m, place)
    return enter(s, r, b, m, account, side, level, quantity, expiry, rate, matched, place, number)


@inner
def _soonest(quantity: NDArray[np.int32], expiry: NDArray[np.int32]) -> np.int32:
    """When the first of these orders lapses: a loop without branches, which the compiler makes vectors of."""
    found = np.int32(NEVER)
    for place in range(quantity.shape[0]):
        found = min(found, expiry[place] if quantity[place] != 0 else np.int32(NEVER))
    return found


@tight
def expire(s: Book, r: Rules, b: int, m: int, now: int) -> int:
    """Cancel the orders that lapse at step `now` or have lapsed; return how many."""
    count, quantity, expiry = 0, s.order_quantity[b, m], s.order_expiry[b, m]
    for first in range(0, quantity.shape[0], _BLOCK):
        if _soonest(quantity[first : first + _BLOCK], expiry[first : first + _BLOCK]) > now:
            continue
        for place in range(first, min(first + _BLOCK, quantity.shape[0])):
            if quantity[place] != 0 and expiry[place] <= now:
                drop(s, r, b, m, place)
                count += 1
    return count


@tight
def clear(s: Book, r: Rules, b: int, m: int) -> None:
    """Cancel all orders, best prices first, as at the end of a session: all commitments are free again."""
    while s.best[b, m, BUY] >= 0:
        drop(s, r, b, m, np.int64(s.head[b, m, BUY, np.int64(s.best[b, m, BUY])]))
    while s.best[b, m, SELL] < r.levels:
        drop(s, r, b, m, np.int64(s.head[b, m, SELL, np.int64(s.best[b, m, SELL])]))


@tight
def play(s: Book, r: Rules, b: int, m: int, log: NDArray[np.int64], matched: bool, codes: NDArray[np.int16]) -> None:
    """Take a log of messages int64[n, 8]: kind, account, side, level, quantity, j, expiry, fee; write a code for each."""
    for n in range(log.shape[0]):
        kind, account, side, level = log[n, 0], log[n, 1], log[n, 2], log[n, 3]
        quantity, j, expiry, rate = log[n, 4], log[n, 5], log[n, 6], log[n, 7]
        if kind == LIMIT:
            codes[n] = limit(s, r, b, m, account, side, level, quantity, expiry, rate, matched)
        elif kind == MARKET:
            codes[n] = market(s, r, b, m, account, side, quantity, rate)
        elif kind == CANCEL:
            codes[n] = cancel(s, r, b, m, account, side, j)
        elif kind == MODIFY:
            codes[n] = modify(s, r, b, m, account, side, j, level, quantity, expiry, rate, matched)
        else:
            codes[n] = 0
