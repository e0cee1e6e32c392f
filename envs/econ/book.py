"""The order book: price-time priority over integer price levels, with money and goods in escrow, as kernels.

The kernels work in place on row `b`, market `m` of any named tuple that has the fields of `Book` (a world's own state
holds them by `book_fields`), under `Rules`. An account has `slots` places for open orders on each side of each market;
the place of order j of an account on a side is `(side * accounts + account) * slots + j`, so that owner and side follow
from the place, and the pool can never be full. A price is a level 0..levels - 1 and costs `low + level * tick` of money.

An order commits what it may cost when it enters: a buy its price and fee, a sell its goods. Fills happen at the resting
order's price (in a call auction at one price for all). Fees, in basis points of the value, rounded down, go to the
treasury from both sides; an order keeps the rate that it entered with. Nothing is minted or lost here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.bytes import flat
from ludarium.envs.core.compile import inner, tight
from ludarium.envs.core.state import Field
from ludarium.envs.econ.orders import SELF_MATCH

__all__ = [
    "BUY", "CANCEL", "FAULTS", "LIMIT", "MARKET", "MODIFY", "NEVER", "SELF_MATCH", "SELL", "Book", "Rules", "book_fields",
    "cancel", "clear", "commitment", "expire", "limit", "market", "modify", "open_book", "play", "sound", "uncross",
    "wipe", "wipe_wide",
]  # fmt: skip

BUY, SELL = 0, 1
NONE, LIMIT, MARKET, CANCEL, MODIFY = 0, 1, 2, 3, 4
"""Kinds of messages."""
NEWEST, OLDEST, BOTH = 0, 1, 2
FAULTS = (
    "none", "zero_quantity", "outside_collar", "no_cash", "no_stock", "too_many_orders", "unknown_order", "self_match",
    "empty_book",
)  # fmt: skip
"""Why a message had no effect, by number."""
ZERO_QUANTITY, OUTSIDE, NO_CASH, NO_STOCK, TOO_MANY, UNKNOWN, OWN_ORDER, EMPTY = 1, 2, 3, 4, 5, 6, 7, 8
NEVER = 2**31 - 1
"""The expiry of an order that stays until it is filled or cancelled."""
POINTS = 10_000
"""Basis points in one."""


class Rules(NamedTuple):
    """What the engine needs to know of a world."""

    accounts: int
    slots: int
    """open orders that an account may have on each side of each market"""
    levels: int
    low: int
    """money of level 0"""
    tick: int
    """money from one level to the next"""
    self_match: int


class Book(NamedTuple):
    """The books of B episodes: M markets, A accounts, N = 2 * A * slots places for orders, L levels, F fills kept."""

    cash: NDArray[np.int64]
    """int64[B, A]: money that is free"""
    held_cash: NDArray[np.int64]
    """int64[B, A]: money that open buys have committed"""
    stock: NDArray[np.int64]
    """int64[B, M, A]: goods that are free"""
    held_stock: NDArray[np.int64]
    """int64[B, M, A]: goods that open sells have committed"""
    treasury: NDArray[np.int64]
    """int64[B]: fees"""
    floor: NDArray[np.int32]
    """int32[B, M]: the collar: no order below this level"""
    cap: NDArray[np.int32]
    """int32[B, M]: nor above this one"""
    order_quantity: NDArray[np.int32]
    """int32[B, M, N]: what is left of it; 0: the place is free"""
    order_level: NDArray[np.int32]
    order_fee: NDArray[np.int32]
    """int32[B, M, N]: basis points"""
    order_expiry: NDArray[np.int32]
    """int32[B, M, N]: the step in which it lapses"""
    order_id: NDArray[np.int64]
    order_stamp: NDArray[np.int64]
    """int64[B, M, N]: its place in time"""
    issued: NDArray[np.int64]
    """int64[B, M]: ids given so far"""
    stamps: NDArray[np.int64]
    """int64[B, M]: stamps given so far"""
    last: NDArray[np.int32]
    """int32[B, M]: the level of the last trade, or -1"""
    trades: NDArray[np.int64]
    """int64[B, M]: trades so far"""
    volume: NDArray[np.int64]
    """int64[B, M]: goods traded"""
    turnover: NDArray[np.int64]
    """int64[B, M]: money paid for them, without fees"""
    level_sum: NDArray[np.int64]
    """int64[B, M]: the sum of the trades' levels"""
    level_squares: NDArray[np.int64]
    """int64[B, M]: the sum of their squares"""
    order_next: NDArray[np.int32]
    order_before: NDArray[np.int32]
    head: NDArray[np.int32]
    """int32[B, M, 2, L]: the first order of a level, or -1"""
    tail: NDArray[np.int32]
    depth: NDArray[np.int64]
    """int64[B, M, 2, L]: what all orders of a level have left"""
    best: NDArray[np.int32]
    """int32[B, M, 2]: the best bid (-1: none) and the best ask (L: none)"""
    fill: NDArray[np.int32]
    """int32[B, M, F, 4]: the last trades, a ring: buyer, seller, level, quantity; trade n is at n % F"""


def book_fields(markets: int, accounts: int, slots: int, levels: int, fills: int) -> tuple[Field, ...]:
    """The layout of the fields of `Book`, in its order."""
    m, places = (markets,), (markets, 2 * accounts * slots)
    ladder = (markets, 2, levels)
    return (
        Field("cash", np.int64, (accounts,)), Field("held_cash", np.int64, (accounts,)),
        Field("stock", np.int64, (markets, accounts)), Field("held_stock", np.int64, (markets, accounts)),
        Field("treasury", np.int64), Field("floor", np.int32, m), Field("cap", np.int32, m),
        Field("order_quantity", np.int32, places), Field("order_level", np.int32, places),
        Field("order_fee", np.int32, places), Field("order_expiry", np.int32, places),
        Field("order_id", np.int64, places), Field("order_stamp", np.int64, places),
        Field("issued", np.int64, m), Field("stamps", np.int64, m), Field("last", np.int32, m),
        Field("trades", np.int64, m), Field("volume", np.int64, m), Field("turnover", np.int64, m),
        Field("level_sum", np.int64, m), Field("level_squares", np.int64, m),
        Field("order_next", np.int32, places, "derived"), Field("order_before", np.int32, places, "derived"),
        Field("head", np.int32, ladder, "derived"), Field("tail", np.int32, ladder, "derived"),
        Field("depth", np.int64, ladder, "derived"), Field("best", np.int32, (markets, 2), "derived"),
        Field("fill", np.int32, (markets, fills, 4), "derived"),
    )  # fmt: skip


# --- money -----------------------------------------------------------------------------------------------------------
@inner
def fee_of(value: int, rate: int) -> int:
    """`value * rate / 10,000` rounded down, without the product that could overflow."""
    return value // POINTS * rate + value % POINTS * rate // POINTS


@inner
def commitment(r: Rules, side: int, level: int, quantity: int, rate: int) -> int:
    """What an order sets aside: money for a buy, goods for a sell."""
    if side == SELL:
        return np.int64(quantity)
    value = (r.low + level * r.tick) * np.int64(quantity)
    return value + fee_of(value, rate)


@inner
def _affordable(cash: int, price: int, quantity: int, rate: int) -> int:
    """How many of `quantity` the money buys at this price, fee included."""
    if price * quantity + fee_of(price * quantity, rate) <= cash:
        return quantity
    low, high = np.int64(0), np.int64(quantity)  # affordable, not affordable
    while high - low > 1:
        middle = (low + high) // 2
        if price * middle + fee_of(price * middle, rate) <= cash:
            low = middle
        else:
            high = middle
    return low


@inner
def _hold(s: Book, b: int, m: int, side: int, account: int, amount: int) -> None:
    """Move `amount` from what is free to what is committed (back, if it is negative)."""
    if side == BUY:
        s.cash[b, account] -= amount
        s.held_cash[b, account] += amount
    else:
        s.stock[b, m, account] -= amount
        s.held_stock[b, m, account] += amount


@inner
def _note_trade(s: Book, b: int, m: int, buyer: int, seller: int, level: int, quantity: int, value: int) -> None:
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


# --- queues ----------------------------------------------------------------------------------------------------------
@inner
def _owner(r: Rules, place: int) -> int:
    return place // r.slots % r.accounts


@inner
def _link(s: Book, b: int, m: int, side: int, level: int, place: int) -> None:
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
def _unlink(s: Book, r: Rules, b: int, m: int, side: int, place: int) -> None:
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
def _drop(s: Book, r: Rules, b: int, m: int, place: int) -> None:
    """Cancel an open order: its commitment is free again."""
    side, level = place // (r.accounts * r.slots), np.int64(s.order_level[b, m, place])
    left, rate = np.int64(s.order_quantity[b, m, place]), np.int64(s.order_fee[b, m, place])
    _hold(s, b, m, side, _owner(r, place), -commitment(r, side, level, left, rate))
    _unlink(s, r, b, m, side, place)


@inner
def _fill_resting(s: Book, r: Rules, b: int, m: int, place: int, level: int, quantity: int) -> int:
    """Settle a resting order's side of a trade at `level`; return the fee that it pays."""
    side, account = place // (r.accounts * r.slots), _owner(r, place)
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
        _unlink(s, r, b, m, side, place)
    else:
        s.order_quantity[b, m, place] = left - quantity
        s.depth[b, m, side, own] -= quantity
    return fee


@inner
def _match(
    s: Book, r: Rules, b: int, m: int, account: int, side: int, worst: int, quantity: int, rate: int
) -> tuple[int, int]:
    """Trade against the other side up to the level `worst`; return what is left, and why it went no further (or 0)."""
    left, other = np.int64(quantity), 1 - side
    while left > 0:
        level = np.int64(s.best[b, m, other])
        if level < 0 or level >= r.levels or (level > worst if side == BUY else level < worst):
            return left, EMPTY
        place = np.int64(s.head[b, m, other, level])
        owner = _owner(r, place)
        if owner == account:
            if r.self_match != NEWEST:
                _drop(s, r, b, m, place)
            if r.self_match != OLDEST:
                return left, OWN_ORDER
            continue
        price = r.low + level * r.tick
        traded = min(left, np.int64(s.order_quantity[b, m, place]))
        if side == BUY:
            traded = _affordable(s.cash[b, account], price, traded, rate)
            if traded == 0:
                return left, NO_CASH
        value = price * traded
        fee = fee_of(value, rate)
        if side == BUY:
            s.cash[b, account] -= value + fee
            s.stock[b, m, account] += traded
            _note_trade(s, b, m, account, owner, level, traded, value)
        else:
            s.stock[b, m, account] -= traded
            s.cash[b, account] += value - fee
            _note_trade(s, b, m, owner, account, level, traded, value)
        s.treasury[b] += fee + _fill_resting(s, r, b, m, place, level, traded)
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
                _drop(s, r, b, m, place)
    return met and r.self_match != OLDEST


@inner
def _enter(
    s: Book, r: Rules, b: int, m: int, account: int, side: int, level: int, quantity: int, expiry: int, rate: int,
    matched: bool, place: int, number: int,
) -> int:  # fmt: skip
    """A limit order whose place is free and whose cost is covered: match it, then let the rest of it wait."""
    left, why = np.int64(quantity), 0
    if matched:
        left, why = _match(s, r, b, m, account, side, level, quantity, rate)
    elif _own_crossing(s, r, b, m, account, side, level):
        why = OWN_ORDER
    if why == OWN_ORDER:
        return OWN_ORDER if left == quantity else 0
    if left > 0:
        _hold(s, b, m, side, account, commitment(r, side, level, left, rate))
        s.order_quantity[b, m, place] = left
        s.order_level[b, m, place] = level
        s.order_fee[b, m, place] = rate
        s.order_expiry[b, m, place] = expiry
        s.order_id[b, m, place] = number
        _link(s, b, m, side, level, place)
    return 0


# --- messages --------------------------------------------------------------------------------------------------------
@tight
def limit(
    s: Book, r: Rules, b: int, m: int, account: int, side: int, level: int, quantity: int, expiry: int, rate: int,
    matched: bool,
) -> int:  # fmt: skip
    """A limit order (0 <= level < levels, quantity >= 0): trade at once what can be, let the rest wait.

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
    code = _enter(s, r, b, m, account, side, level, quantity, expiry, rate, matched, place, np.int64(s.issued[b, m]))
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
    left, why = _match(s, r, b, m, account, side, worst, quantity, rate)
    return why if left == quantity else 0


@tight
def cancel(s: Book, r: Rules, b: int, m: int, account: int, side: int, j: int) -> int:
    """Cancel the order in an account's place j (0 <= j < slots) of a side."""
    place = (side * r.accounts + account) * r.slots + j
    if s.order_quantity[b, m, place] == 0:
        return UNKNOWN
    _drop(s, r, b, m, place)
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
        _hold(s, b, m, side, account, commitment(r, side, level, quantity, kept) - held)
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
    _drop(s, r, b, m, place)
    return _enter(s, r, b, m, account, side, level, quantity, expiry, rate, matched, place, number)


@tight
def expire(s: Book, r: Rules, b: int, m: int, now: int) -> int:
    """Cancel the orders that lapse at step `now` or have lapsed; return how many."""
    count = 0
    for place in range(s.order_quantity.shape[2]):
        if s.order_quantity[b, m, place] != 0 and s.order_expiry[b, m, place] <= now:
            _drop(s, r, b, m, place)
            count += 1
    return count


@tight
def clear(s: Book, r: Rules, b: int, m: int) -> None:
    """Cancel all orders, best prices first, as at the end of a session: all commitments are free again."""
    while s.best[b, m, BUY] >= 0:
        _drop(s, r, b, m, np.int64(s.head[b, m, BUY, np.int64(s.best[b, m, BUY])]))
    while s.best[b, m, SELL] < r.levels:
        _drop(s, r, b, m, np.int64(s.head[b, m, SELL, np.int64(s.best[b, m, SELL])]))


# --- call auction ----------------------------------------------------------------------------------------------------
@inner
def _auction_level(s: Book, b: int, m: int, reference: int) -> int:
    """The level of most volume; among equals of least imbalance, then nearest to the reference, then lowest."""
    low, high = np.int64(s.best[b, m, SELL]), np.int64(s.best[b, m, BUY])
    demand, supply = np.int64(0), np.int64(0)
    for level in range(low, high + 1):
        demand += s.depth[b, m, BUY, level]
    chosen, most, uneven = low, np.int64(-1), np.int64(0)
    for level in range(low, high + 1):
        supply += s.depth[b, m, SELL, level]
        volume, apart = min(demand, supply), abs(demand - supply)
        nearer = abs(level - reference) < abs(chosen - reference)
        if volume > most or (volume == most and (apart < uneven or (apart == uneven and nearer))):
            chosen, most, uneven = level, volume, apart
        demand -= s.depth[b, m, BUY, level]
    return chosen


@tight
def uncross(s: Book, r: Rules, b: int, m: int, reference: int) -> int:
    """Clear a call auction at one price for all, in price-time priority; return its level, or -1 if nothing crosses."""
    if s.best[b, m, BUY] < s.best[b, m, SELL]:
        return -1
    level = _auction_level(s, b, m, reference)
    while s.best[b, m, BUY] >= level and s.best[b, m, SELL] <= level:
        bid = np.int64(s.head[b, m, BUY, np.int64(s.best[b, m, BUY])])
        ask = np.int64(s.head[b, m, SELL, np.int64(s.best[b, m, SELL])])
        traded = min(np.int64(s.order_quantity[b, m, bid]), np.int64(s.order_quantity[b, m, ask]))
        value = (r.low + level * r.tick) * traded
        _note_trade(s, b, m, _owner(r, bid), _owner(r, ask), level, traded, value)
        s.treasury[b] += _fill_resting(s, r, b, m, bid, level, traded)
        s.treasury[b] += _fill_resting(s, r, b, m, ask, level, traded)
    return level


# --- beginning, whole logs, checks -----------------------------------------------------------------------------------
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
