"""Call auctions: one price for all that were collected."""

from __future__ import annotations

import numpy as np

from ludarium.envs.core.compile import inner, tight
from ludarium.envs.econ.book.layout import BUY, SELL, Book, Rules
from ludarium.envs.econ.book.matching import fill_resting, note_trade
from ludarium.envs.econ.book.queues import owner_of

__all__ = ["uncross"]


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
        note_trade(s, b, m, owner_of(r, bid), owner_of(r, ask), level, traded, value)
        s.treasury[b] += fill_resting(s, r, b, m, bid, level, traded)
        s.treasury[b] += fill_resting(s, r, b, m, ask, level, traded)
    return level
