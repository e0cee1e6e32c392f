"""What goods are worth, and what seats gain: the rewards."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, special
from ludarium.envs.econ.market.clock import to_come
from ludarium.envs.econ.market.state import ASSET, INDUCED, PLAIN, Scalars, State

__all__ = ["judge", "reward", "wealth", "worth_of"]


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


@inner
def reward(s: State, c: Scalars, b: int, out: NDArray[np.float64]) -> None:
    """By how much each seat's wealth grew; the regulator's is in `judge`."""
    for seat in range(c.traders + c.maker):
        now = wealth(s, c, b, seat, np.int64(s.t[b]))
        out[seat] = now - s.wealth[b, seat]
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
def judge(s: State, c: Scalars, b: int, out: NDArray[np.float64]) -> None:
    """The regulator's reward."""
    if c.regulator:
        now, seat = _welfare(s, c, b), c.seats - 1
        out[seat] = now - s.wealth[b, seat] if c.kind == INDUCED else now
        s.wealth[b, seat] = now


@special(judge, PLAIN)
def _no_judge(s: State, c: Scalars, b: int, out: NDArray[np.float64]) -> None:
    """There is none."""
