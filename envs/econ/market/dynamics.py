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
def _note_figures(
    now: tuple[int, int, int], seen: NDArray[np.int64], traded: NDArray[np.int64], changes: NDArray[np.int64],
    signal: NDArray[np.int64], before: int, last: int,
) -> None:  # fmt: skip
    """Keep the trades of a step: `now` holds trades, volume and turnover so far, the arrays are the market's own rows."""
    traded[0] += now[1] - seen[1]
    traded[1] += now[2] - seen[2]
    if before >= 0:
        changes[0] += 1
        if now[0] > seen[0]:
            change, flowed = last - before, seen[3]
            changes[1] += change * change
            signal[0] += flowed * flowed
            signal[1] += flowed * change
    seen[0], seen[1], seen[2], seen[3] = now[0], now[1], now[2], 0


@inner
def _note_quotes(s: State, c: Scalars, b: int, m: int, quoted: NDArray[np.int64]) -> None:
    """Keep spread and depth, where there are a bid and an ask."""
    bid, ask = np.int64(s.best[b, m, BUY]), np.int64(s.best[b, m, SELL])
    if bid >= 0 and ask < c.rules.levels and bid < ask:
        quoted[0] += 1
        quoted[1] += ask - bid
        quoted[2] += np.int64(s.depth[b, m, BUY, bid]) + np.int64(s.depth[b, m, SELL, ask])


@inner
def _note(s: State, c: Scalars, b: int) -> None:
    """Keep the figures of the step."""
    t = np.int64(s.t[b])
    for m in range(c.markets):
        now = np.int64(s.trades[b, m]), np.int64(s.volume[b, m]), np.int64(s.turnover[b, m])
        last, traded = np.int64(s.last[b, m]), now[0] > s.seen[b, m, 0]
        s.path[b, m, t % s.path.shape[2]] = last if traded else -1
        if traded:
            s.reference[b, m] = last
        own = s.traded[b, m, t // c.period_steps]
        _note_figures(now, s.seen[b, m], own, s.changes[b, m], s.signal[b], np.int64(s.before[b, m]), last)
        _note_quotes(s, c, b, m, s.quoted[b, m])


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
