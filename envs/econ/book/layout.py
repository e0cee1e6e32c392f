"""What the order book holds: its arrays, its rules, the kinds of messages and why one has no effect."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.state import Field

__all__ = [
    "BOTH", "BUY", "CANCEL", "EMPTY", "FAULTS", "LIMIT", "MARKET", "MODIFY", "NEVER", "NEWEST", "NONE", "NO_CASH",
    "NO_STOCK", "OLDEST", "OUTSIDE", "OWN_ORDER", "POINTS", "SELL", "TOO_MANY", "UNKNOWN", "ZERO_QUANTITY", "Book",
    "Rules", "book_fields",
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
