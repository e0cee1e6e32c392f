"""What seats do: traders' orders, the market maker's quotes, the regulator's rules, and messages that come late."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, special
from ludarium.envs.econ import book
from ludarium.envs.econ.book import BUY, CANCEL, LIMIT, MARKET, MODIFY, NEVER, NONE, SELL
from ludarium.envs.econ.market import flow
from ludarium.envs.econ.market.clock import calling, place_of
from ludarium.envs.econ.market.state import (
    FEE_STEP,
    GRAINS,
    HALTED,
    INDUCED,
    INSIDER,
    NO_UNITS,
    OFF_GRID,
    PLAIN,
    QUOTES_CROSS,
    REPLACE,
    WRONG_SIDE,
    Scalars,
    State,
)  # fmt: skip

__all__ = ["act"]


@inner
def _expiry(s: State, c: Scalars, b: int) -> int:
    return np.int64(s.t[b]) + c.lifetime if c.lifetime > 0 else NEVER


@inner
def _wanting(s: State, c: Scalars, b: int, seat: int, side: int, quantity: int, besides: int) -> int:
    """Under induced values buyers buy and sellers sell, no more than their units; `besides` is a place that is given up."""
    seller = s.first_stock[b, 0, seat] > 0
    if (side == SELL) != seller:
        return WRONG_SIDE
    if side == SELL:
        return 0
    wanted = np.int64(s.stock[b, 0, seat]) + quantity
    first = seat * c.rules.slots
    for place in range(first, first + c.rules.slots):
        if place != besides:
            wanted += np.int64(s.order_quantity[b, 0, place])
    return NO_UNITS if wanted > c.units else 0


@inner
def _goods(s: State, b: int, m: int, account: int) -> int:
    """All goods of an account, free and committed."""
    return np.int64(s.stock[b, m, account]) + np.int64(s.held_stock[b, m, account])


@inner
def _send(
    s: State, c: Scalars, b: int, account: int, kind: int, side: int, level: int, quantity: int, j: int, m: int
) -> int:
    """Give the book a message of an account; return the fault."""
    r, matched, rate = c.rules, not calling(c, np.int64(s.t[b])), np.int64(s.rate[b])
    if kind == CANCEL:
        return book.cancel(s, r, b, m, account, side, j)
    if kind == MARKET and matched:
        return book.market(s, r, b, m, account, side, quantity, rate)
    if kind == MARKET:  # an auction has no price yet: at any price that the collar allows
        level = np.int64(s.cap[b, m]) if side == BUY else np.int64(s.floor[b, m])
        kind = LIMIT
    elif level % s.grain[b] != 0:
        return OFF_GRID
    if kind == LIMIT:
        return book.limit(s, r, b, m, account, side, level, quantity, _expiry(s, c, b), rate, matched)
    return book.modify(s, r, b, m, account, side, j, level, quantity, _expiry(s, c, b), rate, matched)


@inner
def _note_flow(s: State, b: int, m: int, seat: int, gained: int) -> None:
    """Keep what a message traded at once."""
    s.filled[b, seat] = abs(gained)
    s.seen[b, m, 3] += gained


@inner
def _withdraw(s: State, c: Scalars, b: int, m: int, seat: int) -> None:
    """Cancel all that a seat has open in a market."""
    for side in range(2):
        for j in range(c.rules.slots):
            book.cancel(s, c.rules, b, m, seat, side, j)


@inner
def _clear_others(s: State, c: Scalars, b: int, m: int, trades: int) -> None:
    """Gode and Sunder's rule: a trade cancels all orders that wait."""
    if c.clear_on_trade and s.trades[b, m] > trades:
        book.clear(s, c.rules, b, m)


@inner
def _trader(s: State, c: Scalars, b: int, seat: int, a: NDArray[np.int64]) -> int:
    """A trader's action: kind, side, level, quantity, order, market."""
    kind, side, level, quantity, j, m = a[0], a[1], a[2], a[3], a[4], a[5]
    if kind == NONE:
        return 0
    if s.halted[b] and kind != CANCEL:
        return HALTED
    if kind == REPLACE:
        _withdraw(s, c, b, m, seat)
    if c.kind == INDUCED and kind != CANCEL:
        besides = np.int64(-1)
        if kind == MODIFY:
            besides = (side * c.rules.accounts + seat) * c.rules.slots + j
        code = _wanting(s, c, b, seat, side, quantity, besides)
        if code:
            return code
    if kind == REPLACE:
        level = min(max(level, np.int64(s.floor[b, m])), np.int64(s.cap[b, m]))
        level, kind = level - level % np.int64(s.grain[b]), LIMIT
    had, trades = _goods(s, b, m, seat), np.int64(s.trades[b, m])
    code = _send(s, c, b, seat, kind, side, level, quantity, j, m)
    _note_flow(s, b, m, seat, _goods(s, b, m, seat) - had)
    _clear_others(s, c, b, m, trades)
    return code


@inner
def _maker(s: State, c: Scalars, b: int, seat: int, a: NDArray[np.int64]) -> int:
    """The market maker's action: whether to quote, bid, ask, quantities of both, market: it replaces all of its orders."""
    m = a[5]
    if a[0] == 0:
        return 0
    if s.halted[b]:
        return HALTED
    if a[3] > 0 and a[4] > 0 and a[1] >= a[2]:
        return QUOTES_CROSS
    if (a[3] > 0 and a[1] % s.grain[b] != 0) or (a[4] > 0 and a[2] % s.grain[b] != 0):
        return OFF_GRID
    _withdraw(s, c, b, m, seat)
    had, trades, code = _goods(s, b, m, seat), np.int64(s.trades[b, m]), 0
    for side in range(2):
        if a[3 + side] > 0:
            found = _send(s, c, b, seat, LIMIT, side, a[1 + side], a[3 + side], 0, m)
            code = code if code else found
    _note_flow(s, b, m, seat, _goods(s, b, m, seat) - had)
    _clear_others(s, c, b, m, trades)
    return code


@inner
def _regulate(s: State, b: int, a: NDArray[np.int64]) -> None:
    """The regulator's action: trading or halted, fee, price grid; each 0 leaves things as they are."""
    if a[0] > 0:
        s.halted[b] = a[0] == 2
    if a[1] > 0:
        s.rate[b] = (a[1] - 1) * FEE_STEP
    if a[2] > 0:
        s.grain[b] = GRAINS[a[2] - 1]


@inner
def _rule(s: State, c: Scalars, b: int, a: NDArray[np.int64]) -> None:
    """The regulator acts before all others."""
    if c.regulator and (not c.sequential or s.turn[b, place_of(c, np.int64(s.t[b]))] == c.seats - 1):
        _regulate(s, b, a)


@special(_rule, PLAIN)
def _no_rule(s: State, c: Scalars, b: int, a: NDArray[np.int64]) -> None:
    """There is none."""


@inner
def _send_off(s: State, c: Scalars, b: int, seat: int, a: NDArray[np.int64]) -> None:
    """Put a message at the end of its seat's queue; the first of `latency + 1` is the one that arrives now."""
    for k in range(c.latency):
        for i in range(a.shape[0]):
            s.sent[b, seat, k, i] = s.sent[b, seat, k + 1, i]
    for i in range(a.shape[0]):
        s.sent[b, seat, c.latency, i] = a[i]


@inner
def _hear(s: State, c: Scalars, b: int, seat: int, a: NDArray[np.int64]) -> int:
    """A message of a trader, an insider or the market maker."""
    if seat >= c.traders:
        return _maker(s, c, b, seat, a)
    return flow.order(s, c, b, seat, a) if c.kind == INSIDER else _trader(s, c, b, seat, a)


@inner
def _take(s: State, c: Scalars, b: int, seat: int, a: NDArray[np.int64]) -> int:
    """A seat's message, or the one that it sent `latency` of its turns ago."""
    if c.latency == 0:
        return _hear(s, c, b, seat, a)
    _send_off(s, c, b, seat, a)
    return _hear(s, c, b, seat, s.sent[b, seat, 0])


@special(_take, PLAIN)
def _take_at_once(s: State, c: Scalars, b: int, seat: int, a: NDArray[np.int64]) -> int:
    """No message is late, and all are traders'."""
    return _trader(s, c, b, seat, a)


@inner
def act(
    s: State, c: Scalars, b: int, trade: NDArray[np.int64], quote: NDArray[np.int64], rule: NDArray[np.int64],
    fault: NDArray[np.int16],
) -> None:  # fmt: skip
    """All seats that are asked act: the regulator first, the others in their order."""
    for seat in range(c.seats):
        fault[seat] = 0
        s.filled[b, seat] = 0
    _rule(s, c, b, rule[0])
    for place in range(c.seats):
        seat = np.int64(s.turn[b, place])
        if c.sequential and place != place_of(c, np.int64(s.t[b])):
            continue
        if seat < c.traders:
            fault[seat] = _take(s, c, b, seat, trade[seat])
        elif seat < c.traders + c.maker:
            fault[seat] = _take(s, c, b, seat, quote[0])
        s.code[b, seat] = fault[seat]
        s.faults[b] += fault[seat] != 0
