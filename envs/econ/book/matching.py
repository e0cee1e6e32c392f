"""An incoming order against those that wait: trades, their settlement, and whoever would trade with himself."""

from __future__ import annotations

import numpy as np

from ludarium.envs.core.compile import inner
from ludarium.envs.econ.book.layout import BUY, EMPTY, NEWEST, NO_CASH, OLDEST, OWN_ORDER, Book, Rules
from ludarium.envs.econ.book.money import affordable, commitment, fee_of, hold
from ludarium.envs.econ.book.queues import drop, link, owner_of, unlink

__all__ = ["enter", "fill_resting", "match", "note_trade"]


@inner
def note_trade(s: Book, b: int, m: int, buyer: int, seller: int, level: int, quantity: int, value: int) -> None:
    """Keep a trade: in the ring of the last ones, and in the sums."""
    place = np.int64(s.trades[b, m]) % s.fill.shape[2]
    s.fill[b, m, place, 0] = buyer
    s.fill[b, m, place, 1] = seller
    s.fill[b, m, place, 2] = level
    s.fill[b, m, place, 3] = quantity
    s.trades[b, m] += 1
    s.volume[b, m] += quantity
    s.turnover[b, m] += value
    s.level_sum[b, m] += level
    s.level_squares[b, m] += level * level
    s.last[b, m] = level


@inner
def fill_resting(s: Book, r: Rules, b: int, m: int, place: int, level: int, quantity: int) -> int:
    """Settle a resting order's side of a trade at `level`; return the fee that it pays."""
    side, account = place // (r.accounts * r.slots), owner_of(r, place)
    own, rate = np.int64(s.order_level[b, m, place]), np.int64(s.order_fee[b, m, place])
    left = np.int64(s.order_quantity[b, m, place])
    value = (r.low + level * r.tick) * np.int64(quantity)
    fee = fee_of(value, rate)
    if side == BUY:
        freed = commitment(r, BUY, own, left, rate) - commitment(r, BUY, own, left - quantity, rate)
        s.held_cash[b, account] -= freed
        s.cash[b, account] += freed - value - fee
        s.stock[b, m, account] += quantity
    else:
        s.held_stock[b, m, account] -= quantity
        s.cash[b, account] += value - fee
    if quantity == left:
        unlink(s, r, b, m, side, place)
    else:
        s.order_quantity[b, m, place] = left - quantity
        s.depth[b, m, side, own] -= quantity
    return fee


@inner
def match(
    s: Book, r: Rules, b: int, m: int, account: int, side: int, worst: int, quantity: int, rate: int
) -> tuple[int, int]:
    """Trade against the other side up to the level `worst`; return what is left, and why it went no further (or 0)."""
    left, other = np.int64(quantity), 1 - side
    while left > 0:
        level = np.int64(s.best[b, m, other])
        if level < 0 or level >= r.levels or (level > worst if side == BUY else level < worst):
            return left, EMPTY
        place = np.int64(s.head[b, m, other, level])
        owner = owner_of(r, place)
        if owner == account:
            if r.self_match != NEWEST:
                drop(s, r, b, m, place)
            if r.self_match != OLDEST:
                return left, OWN_ORDER
            continue
        price = r.low + level * r.tick
        traded = min(left, np.int64(s.order_quantity[b, m, place]))
        if side == BUY:
            traded = affordable(s.cash[b, account], price, traded, rate)
            if traded == 0:
                return left, NO_CASH
        value = price * traded
        fee = fee_of(value, rate)
        if side == BUY:
            s.cash[b, account] -= value + fee
            s.stock[b, m, account] += traded
            note_trade(s, b, m, account, owner, level, traded, value)
        else:
            s.stock[b, m, account] -= traded
            s.cash[b, account] += value - fee
            note_trade(s, b, m, owner, account, level, traded, value)
        s.treasury[b] += fee + fill_resting(s, r, b, m, place, level, traded)
        left -= traded
    return left, 0


@inner
def _own_crossing(s: Book, r: Rules, b: int, m: int, account: int, side: int, level: int) -> bool:
    """While nothing is matched: deal with the account's own orders that this one would cross; whether it must not enter."""
    first = ((1 - side) * r.accounts + account) * r.slots
    met = False
    for place in range(first, first + r.slots):
        if s.order_quantity[b, m, place] == 0:
            continue
        own = np.int64(s.order_level[b, m, place])
        if (own <= level) if side == BUY else (own >= level):
            met = True
            if r.self_match != NEWEST:
                drop(s, r, b, m, place)
    return met and r.self_match != OLDEST


@inner
def enter(
    s: Book, r: Rules, b: int, m: int, account: int, side: int, level: int, quantity: int, expiry: int, rate: int,
    matched: bool, place: int, number: int,
) -> int:  # fmt: skip
    """A limit order whose place is free and whose cost is covered: match it, then let the rest of it wait."""
    left, why = np.int64(quantity), 0
    if matched:
        left, why = match(s, r, b, m, account, side, level, quantity, rate)
    elif _own_crossing(s, r, b, m, account, side, level):
        why = OWN_ORDER
    if why == OWN_ORDER:
        return OWN_ORDER if left == quantity else 0
    if left > 0:
        hold(s, b, m, side, account, commitment(r, side, level, left, rate))
        s.order_quantity[b, m, place] = left
        s.order_level[b, m, place] = level
        s.order_fee[b, m, place] = rate
        s.order_expiry[b, m, place] = expiry
        s.order_id[b, m, place] = number
        link(s, b, m, side, level, place)
    return 0
