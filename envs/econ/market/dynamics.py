"""The dynamics of the market: state, scalars, and the kernels of a step over the order book of `envs/econ/book`.

Seats are the traders, then the market maker and the regulator, where there are any. The account of a seat has its number;
those of the crowd follow. Axis 0 is the episode in the batch.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, special, tight
from ludarium.envs.core.rng import below, draw
from ludarium.envs.core.state import COMMON, Field
from ludarium.envs.econ import book
from ludarium.envs.econ.book import BUY, CANCEL, LIMIT, MARKET, MODIFY, NEVER, NONE, SELL, Rules, book_fields
from ludarium.envs.econ.market import flow
from ludarium.envs.econ.market.config import AUCTIONS, KINDS

__all__ = [
    "FAULTS",
    "PATH",
    "PLAIN",
    "Scalars",
    "State",
    "asked",
    "calling",
    "draw_turns",
    "fields",
    "step",
    "to_come",
    "wealth",
    "worth_of",
]  # fmt: skip

FAULTS = (*book.FAULTS, "halted", "off_grid", "wrong_side", "no_units", "market_orders_only", "quotes_cross")
"""Why an action had no effect, by number."""
HALTED, OFF_GRID, WRONG_SIDE, NO_UNITS, MARKET_ONLY, QUOTES_CROSS = range(len(book.FAULTS), len(FAULTS))
INDUCED, ASSET, INSIDER = range(len(KINDS))
OPEN, CLOSE, BOTH, ALWAYS = range(1, len(AUCTIONS))
GRAINS = (1, 2, 5, 10)
"""Levels between the prices that the regulator may allow."""
FEES = 8
"""Fees that the regulator may set: 0 to 7 times `FEE_STEP` basis points."""
FEE_STEP = 10
STREAM_TURNS, STREAM_DIVIDEND = 11, 12
PLAIN = "plain"
"""The variant of the scalars of markets without auctions, crowd, insiders and roles but traders: less is compiled for them."""
PATH = 1024
"""Steps of which the prices are kept."""


class Scalars(NamedTuple):
    """The parameters that kernels read."""

    rules: Rules
    kind: int
    traders: int
    maker: int
    """market makers, 0 or 1"""
    regulator: int
    seats: int
    accounts: int
    markets: int
    units: int
    max_quantity: int
    depth: int
    fee: int
    collar: int
    lifetime: int
    calls: int
    call_steps: int
    periods: int
    period_steps: int
    sequential: bool
    clear_on_trade: bool
    crowd: int
    noise: int
    impact: float
    uniform: bool
    max_steps: int
    dividends: NDArray[np.int64]
    """int64[M, D]"""
    states: NDArray[np.int64]
    """int64[M]: how many of them count"""
    terminal: NDArray[np.int64]
    """int64[M]"""


class State(NamedTuple):
    """A batch of episodes: the fields of `Book`, and what the market adds. A accounts, S seats, M markets, P periods."""

    key: NDArray[np.uint64]
    t: NDArray[np.int32]
    over: NDArray[np.bool_]
    live: NDArray[np.bool_]
    inst: NDArray[np.int32]
    cash: NDArray[np.int64]
    held_cash: NDArray[np.int64]
    stock: NDArray[np.int64]
    held_stock: NDArray[np.int64]
    treasury: NDArray[np.int64]
    floor: NDArray[np.int32]
    cap: NDArray[np.int32]
    order_quantity: NDArray[np.int32]
    order_level: NDArray[np.int32]
    order_fee: NDArray[np.int32]
    order_expiry: NDArray[np.int32]
    order_id: NDArray[np.int64]
    order_stamp: NDArray[np.int64]
    issued: NDArray[np.int64]
    stamps: NDArray[np.int64]
    last: NDArray[np.int32]
    trades: NDArray[np.int64]
    volume: NDArray[np.int64]
    turnover: NDArray[np.int64]
    level_sum: NDArray[np.int64]
    level_squares: NDArray[np.int64]
    order_next: NDArray[np.int32]
    order_before: NDArray[np.int32]
    head: NDArray[np.int32]
    tail: NDArray[np.int32]
    depth: NDArray[np.int64]
    best: NDArray[np.int32]
    fill: NDArray[np.int32]
    reference: NDArray[np.int32]
    """int32[B, M]: the level of the last trade, or the first guess: what collars and auctions look to"""
    halted: NDArray[np.int8]
    rate: NDArray[np.int32]
    """int32[B]: the fee in force, in basis points"""
    grain: NDArray[np.int32]
    """int32[B]: prices are multiples of so many levels"""
    minted: NDArray[np.int64]
    """int64[B]: money that dividends, or the worth of units, brought in"""
    faults: NDArray[np.int32]
    turn: NDArray[np.int16]
    """int16[B, S]: seats in the order in which they act"""
    code: NDArray[np.int16]
    """int16[B, S]: the fault of the last action"""
    filled: NDArray[np.int32]
    """int32[B, S]: what the last action traded at once"""
    wealth: NDArray[np.float64]
    """float64[B, S]: money and what the goods are worth"""
    first_wealth: NDArray[np.float64]
    worth: NDArray[np.int64]
    """int64[B, T, U]: what the k-th unit held is worth to a trader, falling (induced values)"""
    name: NDArray[np.int16]
    """int16[B, S]: the number under which a seat's turn is drawn"""
    first_cash: NDArray[np.int64]
    first_stock: NDArray[np.int64]
    seen: NDArray[np.int64]
    """int64[B, M, 3]: trades, volume and turnover before this step"""
    before: NDArray[np.int32]
    """int32[B, M]: the level of the last trade before this step"""
    changes: NDArray[np.int64]
    """int64[B, M, 2]: steps in which the price could change, and the sum of the squared changes in levels"""
    quoted: NDArray[np.int64]
    """int64[B, M, 3]: steps with bid and ask, the sum of their spreads in levels, and of the depth at the best prices"""
    traded: NDArray[np.int64]
    """int64[B, M, P, 2]: volume and turnover of each period"""
    path: NDArray[np.int32]
    """int32[B, M, PATH]: the level of the last trade in a step, -1 without one; a ring"""
    paid: NDArray[np.int64]
    """int64[B, M]: the last dividend of a share"""
    value: NDArray[np.int32]
    """int32[B]: the level of the value that insiders know"""
    signal: NDArray[np.int64]
    """int64[B, 5]: sums over auctions with insiders: flow squared, flow times price, price squared, value times price,
    value squared; price and value in levels from their mean"""


def fields(c: Any, fills: int) -> tuple[Field, ...]:
    """The layout of a state for these scalars."""
    r, m, seats = c.rules, (c.markets,), (c.seats,)
    return (
        *COMMON(c.seats), *book_fields(c.markets, r.accounts, r.slots, r.levels, fills),
        Field("reference", np.int32, m), Field("halted", np.int8), Field("rate", np.int32), Field("grain", np.int32),
        Field("minted", np.int64), Field("faults", np.int32), Field("turn", np.int16, seats),
        Field("code", np.int16, seats, "derived"), Field("filled", np.int32, seats, "derived"),
        Field("wealth", np.float64, seats, "derived"), Field("first_wealth", np.float64, seats, "derived"),
        Field("worth", np.int64, (c.traders, c.units), "derived"), Field("name", np.int16, seats, "derived"),
        Field("first_cash", np.int64, (r.accounts,), "derived"),
        Field("first_stock", np.int64, (c.markets, r.accounts), "derived"),
        Field("seen", np.int64, (*m, 3), "derived"), Field("before", np.int32, m, "derived"),
        Field("changes", np.int64, (*m, 2), "derived"), Field("quoted", np.int64, (*m, 3), "derived"),
        Field("traded", np.int64, (*m, c.periods, 2), "derived"),
        Field("path", np.int32, (*m, min(PATH, c.max_steps)), "derived"), Field("paid", np.int64, m, "derived"),
        Field("value", np.int32, (), "derived"), Field("signal", np.int64, (5,), "derived"),
    )  # fmt: skip


# --- clock -----------------------------------------------------------------------------------------------------------
@inner
def _left_in_period(c: Scalars, t: int) -> int:
    """Steps of its period that follow step t."""
    end = min((t // c.period_steps + 1) * c.period_steps, c.max_steps)
    return end - t - 1


@inner
def calling(c: Scalars, t: int) -> bool:
    """Whether step t collects orders for an auction."""
    if c.calls == ALWAYS:
        return True
    opening = (c.calls == OPEN or c.calls == BOTH) and t % c.period_steps < c.call_steps
    return opening or ((c.calls == CLOSE or c.calls == BOTH) and _left_in_period(c, t) < c.call_steps)


@inner
def _clearing(c: Scalars, t: int) -> bool:
    """Whether an auction clears at the end of step t."""
    if not calling(c, t):
        return False
    last = c.calls != CLOSE and t % c.period_steps == c.call_steps - 1
    return c.calls == ALWAYS or last or _left_in_period(c, t) == 0


@inner
def to_come(c: Scalars, t: int) -> int:
    """Dividends that are still to be paid after t steps."""
    return 0 if t >= c.max_steps else c.periods - t // c.period_steps


# --- what goods are worth --------------------------------------------------------------------------------------------
@inner
def worth_of(c: Scalars, m: int, t: int) -> float:
    """What a share is worth after t steps: the dividends to come, on average, and its last value."""
    total = np.int64(0)
    for d in range(c.states[m]):
        total += c.dividends[m, d]
    return np.float64(total * to_come(c, t)) / np.float64(c.states[m]) + np.float64(c.terminal[m])


@inner
def wealth(s: State, c: Scalars, b: int, account: int, t: int) -> float:
    """Money and goods of an account; a market maker's goods are worth nothing where values are induced."""
    money = np.int64(s.cash[b, account]) + np.int64(s.held_cash[b, account])
    if c.kind == INDUCED:
        if account < c.traders:
            units = np.int64(s.stock[b, 0, account]) + np.int64(s.held_stock[b, 0, account])
            for k in range(c.units):
                money += np.int64(s.worth[b, account, k]) if k < units else 0
        return np.float64(money)
    total = np.float64(money)
    if c.kind == ASSET:
        for m in range(c.markets):
            goods = np.int64(s.stock[b, m, account]) + np.int64(s.held_stock[b, m, account])
            total += np.float64(goods) * worth_of(c, m, t)
    return total


# --- turns -----------------------------------------------------------------------------------------------------------
@inner
def draw_turns(s: State, c: Scalars, b: int) -> None:
    """Draw the order of the seats for the round that begins now; equal names come in the same order in every labelling."""
    for seat in range(c.seats):
        s.turn[b, np.int64(s.name[b, seat])] = seat
    for i in range(c.seats - 1, 0, -1):
        j = below(draw(s.key[b], STREAM_TURNS, np.int64(s.t[b]), i, 0), i + 1)
        kept = s.turn[b, i]
        s.turn[b, i] = s.turn[b, j]
        s.turn[b, j] = kept


@tight
def asked(s: State, c: Scalars, out: NDArray[np.int8]) -> None:
    """All seats, or the one whose turn it is (int8[B, S])."""
    for b in range(out.shape[0]):
        for seat in range(c.seats):
            out[b, seat] = not s.over[b] and not c.sequential
        if c.sequential and not s.over[b]:
            out[b, np.int64(s.turn[b, np.int64(s.t[b]) % c.seats])] = 1


# --- actions ---------------------------------------------------------------------------------------------------------
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
    if c.kind == INDUCED and kind != CANCEL:
        besides = np.int64(-1)
        if kind == MODIFY:
            besides = (side * c.rules.accounts + seat) * c.rules.slots + j
        code = _wanting(s, c, b, seat, side, quantity, besides)
        if code:
            return code
    had, trades = _goods(s, b, m, seat), np.int64(s.trades[b, m])
    code = _send(s, c, b, seat, kind, side, level, quantity, j, m)
    s.filled[b, seat] = abs(_goods(s, b, m, seat) - had)
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
    for side in range(2):
        for j in range(c.rules.slots):
            book.cancel(s, c.rules, b, m, seat, side, j)
    had, trades, code = _goods(s, b, m, seat), np.int64(s.trades[b, m]), 0
    for side in range(2):
        if a[3 + side] > 0:
            found = _send(s, c, b, seat, LIMIT, side, a[1 + side], a[3 + side], 0, m)
            code = code if code else found
    s.filled[b, seat] = abs(_goods(s, b, m, seat) - had)
    _clear_others(s, c, b, m, trades)
    return code


@special(_maker, PLAIN)
def _no_maker(s: State, c: Scalars, b: int, seat: int, a: NDArray[np.int64]) -> int:
    """There is none."""
    return 0


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
def _call(s: State, c: Scalars, b: int) -> None:
    """The auctions that are due clear."""
    if _clearing(c, np.int64(s.t[b])):
        for m in range(c.markets):
            book.uncross(s, c.rules, b, m, np.int64(s.reference[b, m]))


@special(_call, PLAIN)
def _no_call(s: State, c: Scalars, b: int) -> None:
    """There are none."""


@inner
def _others(s: State, c: Scalars, b: int) -> None:
    """Those who follow a rule act after the seats."""
    if c.kind == INSIDER:
        flow.settle(s, c, b)
    for n in range(c.crowd):
        flow.event(s, c, b, n)


@special(_others, PLAIN)
def _no_others(s: State, c: Scalars, b: int) -> None:
    """There are none."""


@inner
def _trade(s: State, c: Scalars, b: int, seat: int, a: NDArray[np.int64]) -> int:
    """A trader's or an insider's action."""
    return flow.order(s, c, b, seat, a) if c.kind == INSIDER else _trader(s, c, b, seat, a)


@special(_trade, PLAIN)
def _plain_trade(s: State, c: Scalars, b: int, seat: int, a: NDArray[np.int64]) -> int:
    """There are no insiders."""
    return _trader(s, c, b, seat, a)


# --- a step ----------------------------------------------------------------------------------------------------------
@inner
def _prepare(s: State, c: Scalars, b: int) -> None:
    """Lapse orders and set collars."""
    for m in range(c.markets):
        if c.lifetime > 0:
            book.expire(s, c.rules, b, m, np.int64(s.t[b]))
        if c.collar > 0:
            low, high = np.int64(s.reference[b, m]) - c.collar, np.int64(s.reference[b, m]) + c.collar
            s.floor[b, m] = low if low > 0 else 0
            s.cap[b, m] = high if high < c.rules.levels else c.rules.levels - 1
        s.before[b, m] = s.last[b, m]


@inner
def _note(s: State, c: Scalars, b: int) -> None:
    """Keep the figures of the step."""
    period, place = np.int64(s.t[b]) // c.period_steps, np.int64(s.t[b]) % s.path.shape[2]
    for m in range(c.markets):
        traded = s.trades[b, m] > s.seen[b, m, 0]
        s.path[b, m, place] = s.last[b, m] if traded else -1
        s.traded[b, m, period, 0] += np.int64(s.volume[b, m]) - np.int64(s.seen[b, m, 1])
        s.traded[b, m, period, 1] += np.int64(s.turnover[b, m]) - np.int64(s.seen[b, m, 2])
        s.seen[b, m, 0] = s.trades[b, m]
        s.seen[b, m, 1] = s.volume[b, m]
        s.seen[b, m, 2] = s.turnover[b, m]
        if traded:
            s.reference[b, m] = s.last[b, m]
            if s.before[b, m] >= 0:
                change = np.int64(s.last[b, m]) - np.int64(s.before[b, m])
                s.changes[b, m, 1] += change * change
        s.changes[b, m, 0] += s.before[b, m] >= 0
        bid, ask = np.int64(s.best[b, m, BUY]), np.int64(s.best[b, m, SELL])
        if bid >= 0 and ask < c.rules.levels and bid < ask:
            s.quoted[b, m, 0] += 1
            s.quoted[b, m, 1] += ask - bid
            s.quoted[b, m, 2] += np.int64(s.depth[b, m, BUY, bid]) + np.int64(s.depth[b, m, SELL, ask])


@inner
def _redeem(s: State, c: Scalars, b: int) -> None:
    """The end of a day under induced values: pay what units are worth, take back those of before, and begin anew."""
    for account in range(c.accounts):
        if account < c.traders:
            gained = np.int64(0)
            for k in range(c.units):
                gained += np.int64(s.worth[b, account, k]) * (
                    np.int64(k < s.stock[b, 0, account]) - np.int64(k < s.first_stock[b, 0, account])
                )
            s.cash[b, account] += gained
            s.minted[b] += gained
        s.stock[b, 0, account] = s.first_stock[b, 0, account]


@inner
def _end_period(s: State, c: Scalars, b: int) -> None:
    """Return what is held, then pay the dividends, or what units are worth."""
    period = np.int64(s.t[b]) // c.period_steps
    for m in range(c.markets):
        book.clear(s, c.rules, b, m)
        if c.kind == ASSET:
            chance = draw(s.key[b], STREAM_DIVIDEND, period, m, 0)
            paid = np.int64(c.dividends[m, below(chance, c.states[m])])
            s.paid[b, m] = paid
            for account in range(c.accounts):
                s.cash[b, account] += paid * np.int64(s.stock[b, m, account])
                s.minted[b] += paid * np.int64(s.stock[b, m, account])
    if c.kind == INDUCED:
        _redeem(s, c, b)


@inner
def _rule(s: State, c: Scalars, b: int, a: NDArray[np.int64]) -> None:
    """The regulator acts before all others."""
    if c.regulator and (not c.sequential or s.turn[b, np.int64(s.t[b]) % c.seats] == c.seats - 1):
        _regulate(s, b, a)


@special(_rule, PLAIN)
def _no_rule(s: State, c: Scalars, b: int, a: NDArray[np.int64]) -> None:
    """There is none."""


@inner
def _act(
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
        if c.sequential and place != np.int64(s.t[b]) % c.seats:
            continue
        if seat < c.traders:
            fault[seat] = (
                flow.order(s, c, b, seat, trade[seat]) if c.kind == INSIDER else _trader(s, c, b, seat, trade[seat])
            )
        elif seat < c.traders + c.maker:
            fault[seat] = _maker(s, c, b, seat, quote[0])
        s.code[b, seat] = fault[seat]
        s.faults[b] += fault[seat] != 0


@inner
def _reward(s: State, c: Scalars, b: int, reward: NDArray[np.float64]) -> None:
    """By how much each seat's wealth grew; the regulator's is in `_welfare`."""
    for seat in range(c.traders + c.maker):
        now = wealth(s, c, b, seat, np.int64(s.t[b]))
        reward[seat] = now - s.wealth[b, seat]
        s.wealth[b, seat] = now


@inner
def _welfare(s: State, c: Scalars, b: int) -> float:
    """The regulator's wealth: what all others have gained and the treasury, or how near prices are to what shares are worth."""
    total = np.float64(s.treasury[b])
    if c.kind == INDUCED:
        for seat in range(c.traders + c.maker):
            total += s.wealth[b, seat] - s.first_wealth[b, seat]
        return total
    total = 0.0
    for m in range(c.markets):
        price = np.float64(c.rules.low + np.int64(s.reference[b, m]) * c.rules.tick)
        total -= abs(price - worth_of(c, m, np.int64(s.t[b])))
    return total


@inner
def _judge(s: State, c: Scalars, b: int, reward: NDArray[np.float64]) -> None:
    """The regulator's reward."""
    if c.regulator:
        now, seat = _welfare(s, c, b), c.seats - 1
        reward[seat] = now - s.wealth[b, seat] if c.kind == INDUCED else now
        s.wealth[b, seat] = now


@special(_judge, PLAIN)
def _no_judge(s: State, c: Scalars, b: int, reward: NDArray[np.float64]) -> None:
    """There is none."""


@tight
def step(
    s: State,
    c: Scalars,
    trade: NDArray[np.int64],
    quote: NDArray[np.int64],
    rule: NDArray[np.int64],
    reward: NDArray[np.float64],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    fault: NDArray[np.int16],
) -> None:
    """Advance every row that is not over.

    `trade` int64[B, T, 6], `quote` int64[B, 1, 6] (or any, without a market maker), `rule` int64[B, 1, 3] (likewise).
    """
    for b in range(s.t.shape[0]):
        if s.over[b]:
            continue
        _prepare(s, c, b)
        _act(s, c, b, trade[b], quote[b], rule[b], fault[b])
        t = np.int64(s.t[b])
        _others(s, c, b)
        if c.kind != INSIDER:
            _call(s, c, b)
        _note(s, c, b)
        if _left_in_period(c, t) == 0:
            _end_period(s, c, b)
        s.t[b] = t + 1
        _reward(s, c, b, reward[b])
        _judge(s, c, b, reward[b])
        truncated[b] = t + 1 >= c.max_steps
        for seat in range(c.seats):
            terminated[b, seat] = False
        if truncated[b]:
            s.over[b] = True
            for seat in range(c.seats):
                s.live[b, seat] = False
            continue
        if c.kind == INSIDER:
            flow.draw_value(s, c, b)
        if not c.sequential or (t + 1) % c.seats == 0:
            draw_turns(s, c, b)
