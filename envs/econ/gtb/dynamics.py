"""The dynamics of gather, trade and build: the kernels of a step over the state of `layout`.

Whether actions are in order is judged before anybody acts; then all act in an order that is drawn.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, tight
from ludarium.envs.core.rng import below, draw, unit
from ludarium.envs.econ import book
from ludarium.envs.econ.book import BUY
from ludarium.envs.econ.floats import log_of, power
from ludarium.envs.econ.gtb.layout import (
    BUILD,
    BUILT,
    CENTS,
    CONTESTED,
    EQUAL_PRODUCT,
    FILLS,
    FULL,
    GATHERED,
    HOUSE,
    INVERSE,
    ORDERS,
    PRICES,
    RAWLS,
    SOMEBODY,
    STREAM_BONUS,
    STREAM_REGROW,
    STREAM_TURNS,
    TRADED,
    Scalars,
    State,
)
from ludarium.envs.econ.gtb.legal import change, index, may, shift, shows
from ludarium.envs.econ.taxes import cumulate, share_out, tax_of

__all__ = ["begin_accounts", "check", "step"]


# --- actions ---------------------------------------------------------------------------------------------------------
@inner
def _move(s: State, c: Scalars, b: int, i: int, action: int) -> int:
    y, x = np.int64(s.pos[b, i, 0]), np.int64(s.pos[b, i, 1])
    to_y, to_x = y + shift(action, 0), x + shift(action, 1)
    if shows(s, b, SOMEBODY, index(c, to_y, to_x)):
        return CONTESTED
    change(s, b, SOMEBODY, index(c, y, x))
    change(s, b, SOMEBODY, index(c, to_y, to_x))
    s.pos[b, i, 0] = to_y
    s.pos[b, i, 1] = to_x
    s.labour[b, i] += c.move
    return 0


@inner
def _build(s: State, c: Scalars, b: int, i: int) -> None:
    y, x = np.int64(s.pos[b, i, 0]), np.int64(s.pos[b, i, 1])
    for r in range(c.kinds):
        s.stock[b, r, i] -= c.recipe[r]
    s.owner[b, y * c.width + x] = i + 1
    change(s, b, HOUSE, index(c, y, x))
    s.cash[b, i] += s.pay[b, i]
    s.minted[b] += s.pay[b, i]
    s.houses[b] += 1
    s.done[b, i, BUILT] += 1
    s.labour[b, i] += c.build


@inner
def _order(s: State, c: Scalars, b: int, i: int, action: int) -> None:
    r, rest = (action - ORDERS) // (2 * PRICES), (action - ORDERS) % (2 * PRICES)
    before = np.int64(s.trades[b, r])
    book.limit(s, c.rules, b, r, i, rest // PRICES, rest % PRICES, 1, np.int64(s.t[b]) + c.lifetime, 0, True)
    s.labour[b, i] += c.trade
    if s.trades[b, r] > before:
        place = before % FILLS
        s.done[b, np.int64(s.fill[b, r, place, 0]), TRADED] += 1
        s.done[b, np.int64(s.fill[b, r, place, 1]), TRADED] += 1


@inner
def _gather(s: State, c: Scalars, b: int, i: int) -> None:
    """Whoever stands on a full source at the end of its turn empties it; when it is full again is drawn at once."""
    y, x, t = np.int64(s.pos[b, i, 0]), np.int64(s.pos[b, i, 1]), np.int64(s.t[b])
    cell = y * c.width + x
    r = np.int64(s.ground[b, cell]) - 2
    if r < 0 or not shows(s, b, FULL + r, index(c, y, x)):
        return
    units = 1 + np.int64(below(draw(s.key[b], STREAM_BONUS, t, i, 0), 10_000) < s.bonus[b, i])
    s.stock[b, r, i] += units
    s.gathered[b, r] += units
    s.done[b, i, GATHERED] += units
    s.labour[b, i] += c.gather
    left = 1.0 - unit(draw(s.key[b], STREAM_REGROW, t, i, 0))
    wait = math.floor(log_of(left) / c.stay) if c.stay > -math.inf else 0.0
    s.ready_at[b, cell] = t + 1 + np.int64(min(wait, 1e9))
    change(s, b, FULL + r, index(c, y, x))
    s.waiting[b, np.int64(s.waits[b])] = cell
    s.waits[b] += 1


@inner
def _regrow(s: State, c: Scalars, b: int) -> None:
    """The sources whose time has come are full."""
    k, t = np.int64(0), np.int64(s.t[b])
    while k < s.waits[b]:
        cell = np.int64(s.waiting[b, k])
        if s.ready_at[b, cell] > t:
            k += 1
            continue
        s.ready_at[b, cell] = 0
        change(s, b, FULL - 2 + np.int64(s.ground[b, cell]), index(c, cell // c.width, cell % c.width))
        s.waits[b] -= 1
        s.waiting[b, k] = s.waiting[b, np.int64(s.waits[b])]


# --- taxes -----------------------------------------------------------------------------------------------------------
@inner
def _cancel_newest_bid(s: State, c: Scalars, b: int, i: int) -> bool:
    """Cancel a worker's newest buy, the one that lapses last; whether there was one."""
    newest, market, slot, first = np.int64(-1), np.int64(0), np.int64(0), i * c.rules.slots
    for r in range(c.kinds):
        for j in range(c.rules.slots):
            if s.order_quantity[b, r, first + j] != 0 and s.order_expiry[b, r, first + j] > newest:
                newest, market, slot = np.int64(s.order_expiry[b, r, first + j]), np.int64(r), np.int64(j)
    if newest < 0:
        return False
    book.cancel(s, c.rules, b, market, i, BUY, slot)
    return True


@inner
def _collect(s: State, c: Scalars, b: int, i: int) -> int:
    """Take a worker's taxes for the year and what was due before; return what he paid."""
    whole = np.int64(s.cash[b, i]) + np.int64(s.held_cash[b, i]) - np.int64(s.start_coin[b, i])
    income = np.int64(s.cash[b, i]) - np.int64(s.start_free[b, i]) if c.legacy else whole
    s.income[b, i] = income if income > 0 else 0
    tax = tax_of(s.income[b, i], c.edges, s.rates[b], s.base[b])
    s.avoided[b] += max(tax_of(whole, c.edges, s.rates[b], s.base[b]) - tax, 0)
    due = tax + np.int64(s.lien[b, i])
    if c.cancel and not c.legacy:
        while s.cash[b, i] < due and _cancel_newest_bid(s, c, b, i):
            pass
    got = min(due, np.int64(s.cash[b, i]))
    s.cash[b, i] -= got
    s.lien[b, i] = due - got
    s.paid[b, i] = got
    return got


@inner
def _settle(s: State, c: Scalars, b: int) -> None:
    """The end of a tax year: taxes are paid and shared out, in whole cents; what is left over stays in the treasury."""
    revenue = np.int64(0)
    for i in range(c.workers):
        revenue += _collect(s, c, b, i)
    rebate, rest = share_out(revenue, np.int64(s.treasury[b]), c.workers)
    s.treasury[b] = rest
    s.rebate[b] = rebate
    s.revenue[b] = revenue
    s.taxed[b] += revenue
    s.settled[b] += 1
    for i in range(c.workers):
        s.cash[b, i] += rebate
        s.start_coin[b, i] = s.cash[b, i] + s.held_cash[b, i]
        s.start_free[b, i] = s.cash[b, i]


@inner
def _set_rates(s: State, c: Scalars, b: int, plan: NDArray[np.int64]) -> None:
    """0 leaves a rate, 1 + k makes it k steps."""
    for j in range(c.brackets):
        if plan[j] > 0:
            s.rates[b, j] = (plan[j] - 1) * c.rate_step
    cumulate(c.edges, s.rates[b], s.base[b])


# --- how they fare ---------------------------------------------------------------------------------------------------
@inner
def _felt(c: Scalars, cents: int) -> float:
    coin = np.float64(max(cents, 1)) / CENTS
    if c.eta == 1.0:
        return log_of(coin)
    return (power(coin, 1.0 - c.eta) - 1.0) / (1.0 - c.eta)


@inner
def _utility(s: State, c: Scalars, b: int, i: int) -> float:
    """A worker's utility; that of money is found again only where the money has changed."""
    coin = np.int64(s.cash[b, i]) + np.int64(s.held_cash[b, i])
    if coin != s.worth[b, i]:
        s.worth[b, i] = coin
        s.felt[b, i] = _felt(c, coin)
    return s.felt[b, i] - c.labour_cost * (0.25 * np.float64(s.labour[b, i]))


@inner
def equality(s: State, c: Scalars, b: int) -> float:
    """1 - Gini * N / (N - 1) of all coin, in whole numbers up to one division; 1 where there is none."""
    row, total, apart = s.sorted, np.int64(0), np.int64(0)
    for i in range(c.workers):
        coin, at = np.int64(s.cash[b, i]) + np.int64(s.held_cash[b, i]), i
        total += coin
        while at > 0 and row[at - 1] > coin:
            row[at] = row[at - 1]
            at -= 1
        row[at] = coin
    for k in range(c.workers):
        apart += (2 * k + 1 - c.workers) * row[k]
    return 1.0 - np.float64(apart) / np.float64((c.workers - 1) * total) if total > 0 and c.workers > 1 else 1.0


@inner
def social(s: State, c: Scalars, b: int) -> float:
    """Social welfare a head, in coins or in units of utility."""
    if c.swf == EQUAL_PRODUCT:
        total = np.int64(0)
        for i in range(c.workers):
            total += np.int64(s.cash[b, i]) + np.int64(s.held_cash[b, i])
        return equality(s, c, b) * (np.float64(total) / np.float64(CENTS * c.workers))
    mean, least = 0.0, s.utility[b, 0]
    for i in range(c.workers):
        mean += s.weight[b, i] * s.utility[b, i]
        least = min(least, s.utility[b, i])
    return least if c.swf == RAWLS else mean / c.workers


@inner
def begin_accounts(s: State, c: Scalars, b: int) -> None:
    """Figures at the start of an episode."""
    total = 0.0
    for i in range(c.workers):
        s.utility[b, i] = _utility(s, c, b, i)
        s.start_coin[b, i] = s.cash[b, i]
        s.start_free[b, i] = s.cash[b, i]
        s.weight[b, i] = 1.0 / np.float64(s.pay[b, i]) if c.swf == INVERSE else 1.0
        total += s.weight[b, i]
    for i in range(c.workers):
        s.weight[b, i] *= c.workers / total
    s.welfare[b] = social(s, c, b)


# --- a step ----------------------------------------------------------------------------------------------------------
@inner
def _draw_turns(s: State, c: Scalars, b: int) -> None:
    for i in range(c.workers):
        s.turn[i] = i
    for i in range(c.workers - 1, 0, -1):
        j = below(draw(s.key[b], STREAM_TURNS, np.int64(s.t[b]), i, 0), i + 1)
        kept = s.turn[i]
        s.turn[i] = s.turn[j]
        s.turn[j] = kept


@inner
def _act(s: State, c: Scalars, b: int, work: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """Whether actions are in order is judged before anybody acts; then all act in an order that is drawn."""
    for i in range(c.workers):
        fault[1 + i] = may(s, c, b, i, work[i])
    _draw_turns(s, c, b)
    for place in range(c.workers):
        i = np.int64(s.turn[place])
        action = work[i]
        if fault[1 + i] == 0 and action > 0:
            if action < BUILD:
                fault[1 + i] = _move(s, c, b, i, action)
            elif action == BUILD:
                _build(s, c, b, i)
            else:
                _order(s, c, b, i, action)
        _gather(s, c, b, i)


@inner
def _advance(s: State, c: Scalars, b: int, reward: NDArray[np.float64]) -> None:
    """Taxes if they are due, rewards, and what happens before the next step."""
    t = np.int64(s.t[b])
    last = t + 1 >= c.max_steps
    settles = last or (t + 1) % c.period == 0
    if settles:
        _settle(s, c, b)
    for i in range(c.workers):
        now = _utility(s, c, b, i)
        reward[1 + i] = now - s.utility[b, i]
        s.utility[b, i] = now
    reward[0] = 0.0
    if settles:
        welfare = social(s, c, b)
        reward[0] = welfare - s.welfare[b]
        s.welfare[b] = welfare
    s.t[b] = t + 1
    for r in range(c.kinds):
        book.expire(s, c.rules, b, r, book.NEVER if last else t + 1)
    if not last:
        _regrow(s, c, b)


@tight
def step(
    s: State, c: Scalars, plan: NDArray[np.int64], work: NDArray[np.int64], reward: NDArray[np.float64],
    terminated: NDArray[np.bool_], truncated: NDArray[np.bool_], fault: NDArray[np.int16],
) -> None:  # fmt: skip
    """Advance every row that is not over: `plan` int64[B, 1, K], `work` int64[B, N]."""
    for b in range(s.t.shape[0]):
        if s.over[b]:
            continue
        if s.t[b] % c.period == 0:
            _set_rates(s, c, b, plan[b, 0])
        fault[b, 0] = 0
        _act(s, c, b, work[b], fault[b])
        _advance(s, c, b, reward[b])
        truncated[b] = s.t[b] >= c.max_steps
        for seat in range(c.workers + 1):
            terminated[b, seat] = False
            s.code[b, seat] = fault[b, seat]
            s.faults[b] += fault[b, seat] != 0
        if truncated[b]:
            s.over[b] = True
            for seat in range(c.workers + 1):
                s.live[b, seat] = False


@inner
def _contested(s: State, c: Scalars, b: int, work: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """Which moves come second to a cell: an order is drawn as the step will draw it."""
    _draw_turns(s, c, b)
    for place in range(c.workers):
        i = np.int64(s.turn[place])
        if fault[1 + i] != 0 or not 0 < work[i] < BUILD:
            continue
        y, x = np.int64(s.pos[b, i, 0]) + shift(work[i], 0), np.int64(s.pos[b, i, 1]) + shift(work[i], 1)
        for before in range(place):
            j = np.int64(s.turn[before])
            if fault[1 + j] == 0 and 0 < work[j] < BUILD:
                same = y == s.pos[b, j, 0] + shift(work[j], 0) and x == s.pos[b, j, 1] + shift(work[j], 1)
                if same:
                    fault[1 + i] = CONTESTED


@tight
def check(s: State, c: Scalars, work: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """The faults that a step would find (int16[B, S])."""
    for b in range(s.t.shape[0]):
        fault[b, 0] = 0
        for i in range(c.workers):
            fault[b, 1 + i] = may(s, c, b, i, work[b, i]) if not s.over[b] else 0
        if not s.over[b]:
            _contested(s, c, b, work[b], fault[b])
