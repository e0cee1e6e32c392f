"""The dynamics of the auctions: state, scalars, and the compiled kernels over them. Axis 0 is the episode."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, tight
from ludarium.envs.core.rng import below, draw
from ludarium.envs.core.state import COMMON, Field
from ludarium.envs.econ.games import LOADED, begin

__all__ = ["FAULTS", "HEALTHY", "NO_MONEY", "Scalars", "State", "check", "fields", "masks", "reset", "see", "step"]

FAULTS = ("none", "no_money")
NO_MONEY = 1
FIRST, SECOND, ALL_PAY, WATER = range(4)
STREAM_VALUE, STREAM_TIE, STREAM_SUPPLY, STREAM_NAME = 1, 2, 3, 4
BEGUN_WITH, HEALTHY = 8, 10
"""Health at the beginning and at most (Alympics)."""
OWN = 9
"""Numbers of an observation about the bidder itself; the others' last bids and their health follow."""


class Scalars(NamedTuple):
    """The parameters that kernels read."""

    form: int
    bidders: int
    levels: int
    step: int
    reserve: int
    budget: int
    supply_low: int
    supply_high: int
    max_steps: int
    bid_of: NDArray[np.int64]
    """int64[highest value + 1]: the equilibrium bid at each value (for water: one 0)"""
    needs: NDArray[np.int64]
    incomes: NDArray[np.int64]


class State(NamedTuple):
    """A batch of episodes of n bidders."""

    key: NDArray[np.uint64]
    t: NDArray[np.int32]
    over: NDArray[np.bool_]
    live: NDArray[np.bool_]
    inst: NDArray[np.int32]
    value: NDArray[np.int64]
    """int64[B, n]: what the good is worth to each now; for water: units needed"""
    supply: NDArray[np.int64]
    """int64[B]: units of water today"""
    bid: NDArray[np.int32]
    """int32[B, n]: the last level, -1: none yet"""
    won: NDArray[np.bool_]
    paid: NDArray[np.int64]
    """int64[B, n]: money in the last auction"""
    cash: NDArray[np.int64]
    worth: NDArray[np.int64]
    """int64[B, n]: what all that each won was worth to it (for water: days with water)"""
    treasury: NDArray[np.int64]
    """int64[B]: the seller's money, and that of the dead"""
    minted: NDArray[np.int64]
    """int64[B]: budgets and incomes"""
    revenue: NDArray[np.int64]
    most: NDArray[np.int64]
    """int64[B]: the sum of the highest values"""
    sold: NDArray[np.int32]
    off: NDArray[np.int64]
    """int64[B]: the sum of the distances of bids from those of the equilibrium"""
    health: NDArray[np.int32]
    thirst: NDArray[np.int32]
    """int32[B, n]: health that the next day without water costs"""
    days: NDArray[np.int32]
    """int32[B, n]: days survived"""
    faults: NDArray[np.int32]
    name: NDArray[np.int64]
    """int64[B, n]: the number under which a seat's values and ties are drawn, and what it needs and earns"""


def fields(c: Scalars) -> tuple[Field, ...]:
    """The layout of a state."""
    n = (c.bidders,)
    return (
        *COMMON(c.bidders), Field("value", np.int64, n), Field("supply", np.int64), Field("bid", np.int32, n),
        Field("won", np.bool_, n), Field("paid", np.int64, n), Field("cash", np.int64, n), Field("worth", np.int64, n),
        Field("treasury", np.int64), Field("minted", np.int64), Field("revenue", np.int64), Field("most", np.int64),
        Field("sold", np.int32), Field("off", np.int64), Field("health", np.int32, n), Field("thirst", np.int32, n),
        Field("days", np.int32, n), Field("faults", np.int32), Field("name", np.int64, n, "derived"),
    )  # fmt: skip


@inner
def _deal(s: State, c: Scalars, b: int) -> None:
    """What is given before an auction: values, or supply and incomes."""
    t = np.int64(s.t[b])
    for i in range(c.bidders):
        name = s.name[b, i]
        if c.form != WATER:
            s.value[b, i] = below(draw(s.key[b], STREAM_VALUE, t, name, 0), (c.levels - 1) * c.step + 1)
        elif s.live[b, i]:
            income = c.incomes[name % c.incomes.shape[0]]
            s.value[b, i] = c.needs[name % c.needs.shape[0]]
            s.cash[b, i] += income
            s.minted[b] += income
    if c.form == WATER:
        chance = below(draw(s.key[b], STREAM_SUPPLY, t, 0, 0), c.supply_high - c.supply_low + 1)
        s.supply[b] = c.supply_low + chance


@tight
def reset(s: State, c: Scalars, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
    """Begin episodes in the rows of `which`; names are shuffled by the seed, or as `load` put them."""
    for b in range(which.shape[0]):
        if not which[b]:
            continue
        begin(s, b, seeds[b], slots[b])
        for i in range(c.bidders):
            if slots[b] != LOADED:
                j = below(draw(s.key[b], STREAM_NAME, i, 0, 0), i + 1)  # the inside-out shuffle
                s.name[b, i] = s.name[b, j]
                s.name[b, j] = i
            s.bid[b, i] = -1
            s.won[b, i] = False
            s.paid[b, i] = 0
            s.cash[b, i] = c.budget
            s.worth[b, i] = 0
            s.health[b, i] = BEGUN_WITH
            s.thirst[b, i] = 1
            s.days[b, i] = 0
        s.treasury[b] = 0
        s.minted[b] = c.budget * c.bidders
        s.revenue[b] = 0
        s.most[b] = 0
        s.sold[b] = 0
        s.off[b] = 0
        s.faults[b] = 0
        s.supply[b] = 0
        _deal(s, c, b)


@inner
def _fault(s: State, c: Scalars, b: int, i: int, level: int) -> int:
    """Whether a bid is more than there is to pay it with."""
    limited = c.form == WATER or c.budget > 0
    return NO_MONEY if limited and s.live[b, i] and level * c.step > s.cash[b, i] else 0


@tight
def check(s: State, c: Scalars, action: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """Write the faults that `step` would find (`fault` int16[B, n]), changing nothing."""
    for b in range(s.t.shape[0]):
        for i in range(c.bidders):
            fault[b, i] = 0 if s.over[b] else _fault(s, c, b, i, action[b, i])


@inner
def _before(s: State, b: int, i: int, j: int) -> bool:
    """Whether bidder i comes before j: by the bid, for water by the smaller need, then by lot."""
    if s.bid[b, i] != s.bid[b, j]:
        return s.bid[b, i] > s.bid[b, j]
    if s.supply[b] > 0 and s.value[b, i] != s.value[b, j]:
        return s.value[b, i] < s.value[b, j]
    t = np.int64(s.t[b])
    return draw(s.key[b], STREAM_TIE, t, s.name[b, i], 0) > draw(s.key[b], STREAM_TIE, t, s.name[b, j], 0)


@inner
def _sell(s: State, c: Scalars, b: int, reward: NDArray[np.float64]) -> None:
    """One good for the highest bid that reaches the reserve."""
    first, second, most = np.int64(-1), np.int64(0), np.int64(0)
    for i in range(c.bidders):
        bid = np.int64(s.bid[b, i]) * c.step
        most = max(most, s.value[b, i])
        s.off[b] += abs(bid - c.bid_of[s.value[b, i]])
        if bid == 0 or bid < c.reserve:
            continue
        if first < 0 or _before(s, b, i, first):
            second = np.int64(s.bid[b, first]) * c.step if first >= 0 else second
            first = i
        else:
            second = max(second, bid)
    s.most[b] += most
    s.sold[b] += first >= 0
    for i in range(c.bidders):
        bid = np.int64(s.bid[b, i]) * c.step
        paid = np.int64(0)
        if c.form == ALL_PAY:
            paid = bid if bid >= c.reserve else np.int64(0)
        elif i == first:
            paid = bid if c.form == FIRST else max(second, np.int64(c.reserve))
        gained = s.value[b, i] if i == first else np.int64(0)
        s.won[b, i] = i == first
        s.worth[b, i] += gained
        _pay(s, b, i, paid)
        s.days[b, i] += 1
        reward[i] = gained - paid


@inner
def _pay(s: State, b: int, i: int, paid: int) -> None:
    s.paid[b, i] = paid
    s.cash[b, i] -= paid
    s.treasury[b] += paid
    s.revenue[b] += paid


@inner
def _water(s: State, c: Scalars, b: int, reward: NDArray[np.float64]) -> None:
    """Bids are served from the highest down, each for its whole need, as far as there is water; then health changes."""
    left = np.int64(s.supply[b])
    for i in range(c.bidders):
        s.won[b, i] = False
        s.paid[b, i] = 0
    while True:
        best = np.int64(-1)
        for i in range(c.bidders):
            free = s.live[b, i] and not s.won[b, i] and s.bid[b, i] > 0 and s.value[b, i] <= left
            if free and (best < 0 or _before(s, b, i, best)):
                best = i
        if best < 0:
            break
        s.won[b, best] = True
        left -= s.value[b, best]
        s.worth[b, best] += 1
        s.sold[b] += 1
        _pay(s, b, best, np.int64(s.bid[b, best]) * c.step)
    for i in range(c.bidders):
        reward[i] = 0.0
        if not s.live[b, i]:
            continue
        if s.won[b, i]:
            s.health[b, i] = min(HEALTHY, s.health[b, i] + 2)
            s.thirst[b, i] = 1
        else:
            s.health[b, i] -= s.thirst[b, i]
            s.thirst[b, i] += 1
        if s.health[b, i] > 0:
            s.days[b, i] += 1
            reward[i] = 1.0
        else:
            s.health[b, i] = 0
            s.live[b, i] = False
            s.treasury[b] += s.cash[b, i]
            s.cash[b, i] = 0


@tight
def step(
    s: State,
    c: Scalars,
    action: NDArray[np.int64],
    reward: NDArray[np.float64],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    fault: NDArray[np.int16],
) -> None:
    """Advance every row that is not over: `action` int64[B, n] are levels; a bid that cannot be paid is none."""
    for b in range(s.t.shape[0]):
        if s.over[b]:
            continue
        for i in range(c.bidders):
            fault[b, i] = _fault(s, c, b, i, action[b, i])
            s.faults[b] += fault[b, i] != 0
            s.bid[b, i] = 0 if fault[b, i] or not s.live[b, i] else action[b, i]
        if c.form == WATER:
            _water(s, c, b, reward[b])
        else:
            _sell(s, c, b, reward[b])
        s.t[b] += 1
        alive = 0
        for i in range(c.bidders):
            terminated[b, i] = not s.live[b, i]
            alive += s.live[b, i]
        truncated[b] = alive > 0 and s.t[b] >= c.max_steps
        if alive == 0 or truncated[b]:
            s.over[b] = True
            for i in range(c.bidders):
                s.live[b, i] = False
        else:
            _deal(s, c, b)


@tight
def see(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.float32]) -> None:
    """Write float32[B, n, 9 + 2 others]: steps, value or need, cash, last level, won, paid, health, thirst, supply; others."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i < 0:
                continue
            row = out[b, n]
            row[0] = s.t[b]
            row[1] = s.value[b, i]
            row[2] = s.cash[b, i]
            row[3] = s.bid[b, i]
            row[4] = s.won[b, i]
            row[5] = s.paid[b, i]
            row[6] = s.health[b, i]
            row[7] = s.thirst[b, i]
            row[8] = s.supply[b]
            at = OWN
            for j in range(c.bidders):
                if j != i:
                    row[at] = s.bid[b, j]
                    row[at + c.bidders - 1] = s.health[b, j]
                    at += 1


@tight
def masks(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
    """Write int8[B, n, levels]: bids that can be paid."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i < 0:
                continue
            row, most = out[b, n], np.int64(c.levels)
            if c.form == WATER or c.budget > 0:
                most = s.cash[b, i] // c.step
            for level in range(c.levels):
                row[level] = level <= most
