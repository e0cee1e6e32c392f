"""Those who follow a rule of the world: a crowd of zero-intelligence orders, and Kyle's noise traders and market maker."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, special
from ludarium.envs.core.rng import below, draw
from ludarium.envs.econ import book
from ludarium.envs.econ.book import BUY, MARKET, NEVER, NONE, ZERO_QUANTITY

__all__ = ["draw_value", "event", "ones", "order", "settle"]

STREAM_CROWD, STREAM_VALUE, STREAM_NOISE = 21, 22, 23
MARKET_ONLY, NO_CASH = 13, 3
REACH = 16
"""Levels over which the crowd spreads its limit orders, counted from the best price of the other side."""
_LIMITS, _MARKETS = 128, 24
"""Of 256 events of the crowd so many are limit and market orders; the rest are cancellations, which often find nothing."""
_PAIRS, _FOURS, _NIBBLES = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333), np.uint64(0x0F0F0F0F0F0F0F0F)
_BYTES, _S1, _S2, _S4, _S56 = np.uint64(0x0101010101010101), np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(56)


@inner
def ones(x: np.uint64) -> int:
    """How many of 64 bits are set: of a uniform integer, a number of mean 32 and standard deviation 4, near to normal."""
    x = np.uint64(x)
    x = x - ((x >> _S1) & _PAIRS)
    x = (x & _FOURS) + ((x >> _S2) & _FOURS)
    x = (x + (x >> _S4)) & _NIBBLES
    return np.int64((x * _BYTES) >> _S56)


@inner
def event(s: Any, c: Any, b: int, n: int) -> None:
    """The n-th event of a step: a limit order near the other side's best price, a market order, or a cancellation.

    After Daniels, Farmer, Gillemot, Iori and Smith (2003): rates do not depend on the book.
    """
    t = np.int64(s.t[b])
    first, r = c.accounts - 16, c.rules
    account = first + below(draw(s.key[b], STREAM_CROWD, t, n, 0), 16)
    side = below(draw(s.key[b], STREAM_CROWD, t, n, 1), 2)
    kind = below(draw(s.key[b], STREAM_CROWD, t, n, 2), 256)
    where = below(draw(s.key[b], STREAM_CROWD, t, n, 3), REACH)
    quantity = 1 + below(draw(s.key[b], STREAM_CROWD, t, n, 4), 3)
    if s.halted[b]:
        return
    had = np.int64(s.volume[b, 0])
    if kind < _LIMITS:
        middle = np.int64(s.reference[b, 0])
        if side == BUY:
            other = np.int64(s.best[b, 0, 1])
            level = (other if other < r.levels else middle + 1) - 1 - where
        else:
            other = np.int64(s.best[b, 0, 0])
            level = (other if other >= 0 else middle - 1) + 1 + where
        level = min(max(level, np.int64(s.floor[b, 0])), np.int64(s.cap[b, 0]))
        level -= level % np.int64(s.grain[b])
        book.limit(s, r, b, 0, account, side, level, quantity, NEVER, np.int64(s.rate[b]), True)
    elif kind < _LIMITS + _MARKETS:
        book.market(s, r, b, 0, account, side, quantity, np.int64(s.rate[b]))
    else:
        book.cancel(s, r, b, 0, account, side, where % r.slots)
    traded = np.int64(s.volume[b, 0]) - had
    s.seen[b, 0, 3] += traded if side == BUY else -traded


@inner
def draw_value(s: Any, c: Any, b: int) -> None:
    """Draw what the insiders are told before the next auction: a level around the middle."""
    middle = c.rules.levels // 2
    s.value[b] = middle + (middle // 32) * (ones(draw(s.key[b], STREAM_VALUE, np.int64(s.t[b]), 0, 0)) - 32)


@special(draw_value, "plain")
def draw_no_value(s: Any, c: Any, b: int) -> None:
    """There are no insiders."""


@inner
def order(s: Any, c: Any, b: int, seat: int, a: NDArray[np.int64]) -> int:
    """An insider's market order for the auction of this step; `filled` keeps it, below zero for sales, until it clears."""
    kind, side, quantity = a[0], a[1], a[3]
    if kind == NONE:
        return 0
    if kind != MARKET:
        return MARKET_ONLY
    if quantity == 0:
        return ZERO_QUANTITY
    if quantity * c.rules.tick * c.rules.levels > s.cash[b, seat]:  # what it can lose at most
        return NO_CASH
    s.filled[b, seat] = quantity if side == BUY else -quantity
    return 0


@inner
def settle(s: Any, c: Any, b: int) -> None:
    """Kyle's auction: the price follows the whole order flow by a linear rule, then all is settled at the value.

    Money moves between insiders, noise traders (the account before the last) and the market maker (the last one).
    """
    middle, t = c.rules.levels // 2, np.int64(s.t[b])
    noise = c.noise * (ones(draw(s.key[b], STREAM_NOISE, t, 0, 0)) - 32)
    total = np.int64(noise)
    for seat in range(c.traders):
        total += np.int64(s.filled[b, seat])
    price = middle + np.int64(np.floor(c.impact * np.float64(total) + 0.5))
    price = min(max(price, 0), c.rules.levels - 1)
    gain = (np.int64(s.value[b]) - price) * c.rules.tick
    for seat in range(c.traders):
        s.cash[b, seat] += gain * np.int64(s.filled[b, seat])
        s.volume[b, 0] += abs(np.int64(s.filled[b, seat]))
    s.cash[b, c.accounts - 2] += gain * noise
    s.cash[b, c.accounts - 1] -= gain * total
    moved, off = price - middle, np.int64(s.value[b]) - middle
    s.signal[b, 0] += total * total
    s.signal[b, 1] += total * moved
    s.signal[b, 2] += moved * moved
    s.signal[b, 3] += off * moved
    s.signal[b, 4] += off * off
    s.volume[b, 0] += abs(noise)
    s.turnover[b, 0] += (c.rules.low + price * c.rules.tick) * abs(total)
    s.trades[b, 0] += 1
    s.level_sum[b, 0] += price
    s.level_squares[b, 0] += price * price
    s.last[b, 0] = price
