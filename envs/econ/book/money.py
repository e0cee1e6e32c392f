"""Money and goods of the accounts: fees, what an order commits, what can be paid for."""

from __future__ import annotations

import numpy as np

from ludarium.envs.core.compile import inner
from ludarium.envs.econ.book.layout import BUY, POINTS, SELL, Book, Rules

__all__ = ["affordable", "commitment", "fee_of", "hold"]


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
def affordable(cash: int, price: int, quantity: int, rate: int) -> int:
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
def hold(s: Book, b: int, m: int, side: int, account: int, amount: int) -> None:
    """Move `amount` from what is free to what is committed (back, if it is negative)."""
    if side == BUY:
        s.cash[b, account] -= amount
        s.held_cash[b, account] += amount
    else:
        s.stock[b, m, account] -= amount
        s.held_stock[b, m, account] += amount
