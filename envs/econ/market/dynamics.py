"""The step of the market: orders lapse, seats act, those who follow a rule act, auctions clear, periods end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, special, tight
from ludarium.envs.core.rng import below, draw
from ludarium.envs.econ import book
from ludarium.envs.econ.book import BUY, SELL
from ludarium.envs.econ.market import flow
from ludarium.envs.econ.market.actions import act
from ludarium.envs.econ.market.clock import asked, clearing, draw_turns, left_in_period
from ludarium.envs.econ.market.state import ASSET, FAULTS, INDUCED, INSIDER, PLAIN, Scalars, State, fields
from ludarium.envs.econ.market.worth import judge, reward

__all__ = ["FAULTS", "PLAIN", "Scalars", "State", "asked", "fields", "step"]

STREAM_DIVIDEND = 12


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


@special(_prepare, PLAIN)
def _note_last(s: State, c: Scalars, b: int) -> None:
    """Orders never lapse, and there are no collars."""
    for m in range(c.markets):
        s.before[b, m] = s.last[b, m]


@inner
def _call(s: State, c: Scalars, b: int) -> None:
    """The auctions that are due clear."""
    if clearing(c, np.int64(s.t[b])):
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
        flowed, s.seen[b, m, 3] = np.int64(s.seen[b, m, 3]), 0
        if traded:
            s.reference[b, m] = s.last[b, m]
            if s.before[b, m] >= 0:
                change = np.int64(s.last[b, m]) - np.int64(s.before[b, m])
                s.changes[b, m, 1] += change * change
                s.signal[b, 0] += flowed * flowed
                s.signal[b, 1] += flowed * change
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


@tight
def step(
    s: State,
    c: Scalars,
    trade: NDArray[np.int64],
    quote: NDArray[np.int64],
    rule: NDArray[np.int64],
    gained: NDArray[np.float64],
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
        act(s, c, b, trade[b], quote[b], rule[b], fault[b])
        t = np.int64(s.t[b])
        _others(s, c, b)
        if c.kind != INSIDER:
            _call(s, c, b)
        _note(s, c, b)
        if left_in_period(c, t) == 0:
            _end_period(s, c, b)
        s.t[b] = t + 1
        reward(s, c, b, gained[b])
        judge(s, c, b, gained[b])
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
        if not c.sequential or c.events or (t + 1) % c.seats == 0:
            draw_turns(s, c, b)
