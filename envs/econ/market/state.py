"""The state of the market, what its kernels read of a config, and the names of its faults.

Seats are the traders, then the market maker and the regulator, where there are any. The account of a seat has its number;
those of the crowd follow. Axis 0 is the episode in the batch.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.state import COMMON, Field
from ludarium.envs.econ import book
from ludarium.envs.econ.book import Rules, book_fields
from ludarium.envs.econ.market.config import AUCTIONS, KINDS

__all__ = [
    "ALWAYS", "ASSET", "BOTH", "CLOSE", "FAULTS", "FEES", "FEE_STEP", "GRAINS", "HALTED", "INDUCED", "INSIDER",
    "MARKET_ONLY", "NO_UNITS", "OFF_GRID", "OPEN", "PATH", "PLAIN", "QUOTES_CROSS", "REPLACE", "WRONG_SIDE", "Scalars",
    "State", "fields",
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
REPLACE = 5
"""The kind of message that an action of offsets makes: what the seat has open in the market goes, a limit order comes."""
PLAIN = "plain"
"""The variant of the scalars of markets of traders alone, matched at once: less is compiled for them."""
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
    """one seat acts in a step"""
    events: bool
    """which is drawn anew for each step"""
    latency: int
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
    """int64[B, M, 4]: trades, volume and turnover before this step; goods bought less goods sold in it by those who did
    not wait"""
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
    value squared; price and value in levels from their mean. In other markets the first two, over steps, of the flow of
    those who did not wait and the change of the last price"""
    sent: NDArray[np.int64]
    """int64[B, T, latency + 1, 6]: messages under way, of traders and market maker, next to arrive first"""


def fields(c: Any, fills: int) -> tuple[Field, ...]:
    """The layout of a state for these scalars."""
    r, m, seats, late = c.rules, (c.markets,), (c.seats,), c.latency + 1 if c.latency else 0
    return (
        *COMMON(c.seats), *book_fields(c.markets, r.accounts, r.slots, r.levels, fills),
        Field("reference", np.int32, m), Field("halted", np.int8), Field("rate", np.int32), Field("grain", np.int32),
        Field("minted", np.int64), Field("faults", np.int32), Field("turn", np.int16, seats),
        Field("code", np.int16, seats, "derived"), Field("filled", np.int32, seats, "derived"),
        Field("wealth", np.float64, seats, "derived"), Field("first_wealth", np.float64, seats, "derived"),
        Field("worth", np.int64, (c.traders, c.units), "derived"), Field("name", np.int16, seats, "derived"),
        Field("first_cash", np.int64, (r.accounts,), "derived"),
        Field("first_stock", np.int64, (c.markets, r.accounts), "derived"),
        Field("seen", np.int64, (*m, 4), "derived"), Field("before", np.int32, m, "derived"),
        Field("changes", np.int64, (*m, 2), "derived"), Field("quoted", np.int64, (*m, 3), "derived"),
        Field("traded", np.int64, (*m, c.periods, 2), "derived"),
        Field("path", np.int32, (*m, min(PATH, c.max_steps)), "derived"), Field("paid", np.int64, m, "derived"),
        Field("value", np.int32, (), "derived"), Field("signal", np.int64, (5,), "derived"),
        Field("sent", np.int64, (c.traders + c.maker, late, 6), "state" if late else "derived"),
    )  # fmt: skip
