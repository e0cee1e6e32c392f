"""What seats see, as float32 vectors: the ladders of all markets, then what is one's own. Prices are in levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, tight
from ludarium.envs.econ.book import BUY, CANCEL, LIMIT, MARKET, MODIFY, SELL
from ludarium.envs.econ.market.clock import calling, to_come
from ludarium.envs.econ.market.state import ASSET, INDUCED, INSIDER, Scalars, State
from ludarium.envs.econ.market.worth import worth_of

__all__ = ["length", "masks", "names", "see"]


def names(markets: int, depth: int, orders: int, own: bool) -> tuple[str, ...]:
    """What each number of an observation is."""
    found = ["steps_taken", "periods_left", "auction", "halted", "fee", "grid"]
    for m in range(markets):
        for side in ("bid", "ask"):
            for k in range(depth):
                found += [f"market_{m}_{side}_{k}_price", f"market_{m}_{side}_{k}_quantity"]
        found += [f"market_{m}_{name}" for name in ("last_price", "volume", "fundamental", "dividend")]
    if not own:
        return tuple(found)
    found += ["cash", "held_cash", "value_of_next", "value_of_last", "insight", "last_fault", "last_filled"]
    for m in range(markets):
        found += [f"market_{m}_stock", f"market_{m}_held_stock"]
        for side in ("buy", "sell"):
            for j in range(orders):
                found += [f"market_{m}_{side}_{j}_price", f"market_{m}_{side}_{j}_quantity"]
    return tuple(found)


def length(markets: int, depth: int, orders: int, own: bool) -> int:
    """How many numbers an observation has."""
    return len(names(markets, depth, orders, own))


@inner
def _ladder(s: State, c: Scalars, b: int, m: int, side: int, out: NDArray[np.float32], at: int) -> int:
    """The best `depth` levels that hold orders: price and quantity; -1 and 0 where there are none."""
    level, shown = np.int64(s.best[b, m, side]), 0
    while shown < c.depth and 0 <= level < c.rules.levels:
        if s.depth[b, m, side, level] > 0:
            out[at] = level
            out[at + 1] = s.depth[b, m, side, level]
            at += 2
            shown += 1
        level += -1 if side == BUY else 1
    for _ in range(shown, c.depth):
        out[at] = -1.0
        out[at + 1] = 0.0
        at += 2
    return at


@inner
def _levels(c: Scalars, money: float) -> float:
    """Money as a price in levels."""
    return (money - np.float64(c.rules.low)) / np.float64(c.rules.tick)


@inner
def _public(s: State, c: Scalars, b: int, out: NDArray[np.float32]) -> int:
    t = np.int64(s.t[b])
    out[0] = t
    out[1] = to_come(c, t)
    out[2] = calling(c, t)
    out[3] = s.halted[b]
    out[4] = s.rate[b]
    out[5] = s.grain[b]
    at = 6
    for m in range(c.markets):
        at = _ladder(s, c, b, m, BUY, out, at)
        at = _ladder(s, c, b, m, SELL, out, at)
        out[at] = s.last[b, m]
        out[at + 1] = s.volume[b, m]
        out[at + 2] = _levels(c, worth_of(c, m, t)) if c.kind == ASSET else -1.0
        out[at + 3] = s.paid[b, m]
        at += 4
    return at


@inner
def _own(s: State, c: Scalars, b: int, seat: int, out: NDArray[np.float32], at: int) -> None:
    out[at] = s.cash[b, seat]
    out[at + 1] = s.held_cash[b, seat]
    out[at + 2] = -1.0
    out[at + 3] = -1.0
    if c.kind == INDUCED and seat < c.traders:
        units = np.int64(s.stock[b, 0, seat]) + np.int64(s.held_stock[b, 0, seat])
        if units < c.units:
            out[at + 2] = _levels(c, np.float64(s.worth[b, seat, units]))
        if 0 < units <= c.units:
            out[at + 3] = _levels(c, np.float64(s.worth[b, seat, units - 1]))
    out[at + 4] = np.float64(s.value[b]) if c.kind == INSIDER else -1.0
    out[at + 5] = s.code[b, seat]
    out[at + 6] = s.filled[b, seat]
    at += 7
    for m in range(c.markets):
        out[at] = s.stock[b, m, seat]
        out[at + 1] = s.held_stock[b, m, seat]
        at += 2
        for side in range(2):
            for j in range(c.rules.slots):
                place = (side * c.rules.accounts + seat) * c.rules.slots + j
                left = np.int64(s.order_quantity[b, m, place])
                out[at] = np.float64(s.order_level[b, m, place]) if left > 0 else -1.0
                out[at + 1] = left
                at += 2


@tight
def see(s: State, c: Scalars, first: int, own: bool, seats: NDArray[np.int32], out: NDArray[np.float32]) -> None:
    """Write float32[B, n, X] of the seats int32[B, n] (-1: skip) of the role whose first seat is `first`."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i >= 0:
                at = _public(s, c, b, out[b, n])
                if own:
                    _own(s, c, b, first + i, out[b, n], at)


@inner
def _waits(s: State, c: Scalars, b: int, seat: int) -> bool:
    """Whether a seat has an open order."""
    for m in range(c.markets):
        for side in range(2):
            first = (side * c.rules.accounts + seat) * c.rules.slots
            for place in range(first, first + c.rules.slots):
                if s.order_quantity[b, m, place] > 0:
                    return True
    return False


@inner
def _may_trade(s: State, c: Scalars, b: int, seat: int) -> bool:
    """Whether there is something left that a seat may buy or sell; without induced values always."""
    if c.kind != INDUCED:
        return True
    if s.first_stock[b, 0, seat] > 0:
        return s.stock[b, 0, seat] + s.held_stock[b, 0, seat] > 0
    return s.stock[b, 0, seat] < c.units


@tight
def masks(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
    """Write int8[B, n, X] of the traders int32[B, n] (-1: skip): the kinds of messages that may not be in vain.

    A kind is forbidden that is a fault whatever the other numbers are and whatever others do; these are all allowed, since
    what is right of them depends on each other.
    """
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i < 0:
                continue
            trading = _may_trade(s, c, b, i) and not (s.halted[b] and c.sequential)
            waiting = c.kind != INSIDER and _waits(s, c, b, i)
            out[b, n, LIMIT] = trading and c.kind != INSIDER
            out[b, n, MARKET] = trading
            out[b, n, CANCEL] = waiting
            out[b, n, MODIFY] = waiting and not (s.halted[b] and c.sequential)
