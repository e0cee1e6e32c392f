"""The dynamics of exchange in pairs: state, scalars, and the compiled kernels over them. Axis 0 is the episode."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, tight
from ludarium.envs.core.rng import below, draw
from ludarium.envs.core.state import COMMON, Field
from ludarium.envs.econ.games import LOADED, begin, conclude

__all__ = ["FAULTS", "SEEN", "Scalars", "State", "check", "fields", "masks", "reset", "see", "step"]

FAULTS = ("none", "too_much")
TOO_MUCH = 1
BOLTZMANN, CARA = 0, 1
STREAM_PAIR, STREAM_COIN, STREAM_UNITS, STREAM_RISK, STREAM_NAME = 1, 2, 3, 4, 5
SEEN = 8
"""Numbers of an observation."""


class Scalars(NamedTuple):
    """The parameters that kernels read."""

    kind: int
    traders: int
    money: int
    choices: int
    units: int
    mean: int
    risk_high: int
    step: int
    max_steps: int


class State(NamedTuple):
    """A batch of episodes of n traders."""

    key: NDArray[np.uint64]
    t: NDArray[np.int32]
    over: NDArray[np.bool_]
    live: NDArray[np.bool_]
    inst: NDArray[np.int32]
    cash: NDArray[np.int64]
    units: NDArray[np.int64]
    choice: NDArray[np.int32]
    """int32[B, n]: the last stake or price level, -1: none yet"""
    change: NDArray[np.int64]
    """int64[B, n]: twice what the last step brought, in money or worth"""
    price: NDArray[np.int64]
    """int64[B, n]: what the last step's unit was sold for, or was paid; -1: nothing"""
    trades: NDArray[np.int64]
    """int64[B]: times that something changed hands"""
    turnover: NDArray[np.int64]
    faults: NDArray[np.int32]
    money: NDArray[np.int64]
    """int64[B, n]: cash at the beginning"""
    goods: NDArray[np.int64]
    """int64[B, n]: units at the beginning"""
    risk: NDArray[np.int64]
    """int64[B, n]: aversion times variance, by which each further unit is worth less"""
    name: NDArray[np.int64]
    """int64[B, n]: the number under which a seat meets others"""
    order: NDArray[np.int32]
    """int32[B, n]: seats in the order of this step, neighbours being pairs"""


def fields(c: Scalars) -> tuple[Field, ...]:
    """The layout of a state."""
    n = (c.traders,)
    return (
        *COMMON(c.traders), Field("cash", np.int64, n), Field("units", np.int64, n), Field("choice", np.int32, n),
        Field("change", np.int64, n), Field("price", np.int64, n), Field("trades", np.int64), Field("turnover", np.int64),
        Field("faults", np.int32), Field("money", np.int64, n, "derived"), Field("goods", np.int64, n, "derived"),
        Field("risk", np.int64, n, "derived"), Field("name", np.int64, n, "derived"), Field("order", np.int32, n, "derived"),
    )  # fmt: skip


@tight
def reset(s: State, c: Scalars, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
    """Begin episodes in the rows of `which`: goods and risk drawn from the seed, or as `load` put them."""
    for b in range(which.shape[0]):
        if not which[b]:
            continue
        begin(s, b, seeds[b], slots[b])
        for i in range(c.traders):
            if slots[b] != LOADED:
                s.name[b, i] = i
                s.money[b, i] = c.money
                s.goods[b, i] = 0
                s.risk[b, i] = 0
                if c.kind == CARA:
                    s.goods[b, i] = below(draw(s.key[b], STREAM_UNITS, i, 0, 0), c.units + 1)
                    s.risk[b, i] = c.step * (1 + below(draw(s.key[b], STREAM_RISK, i, 0, 0), c.risk_high))
            s.cash[b, i] = s.money[b, i]
            s.units[b, i] = s.goods[b, i]
            s.choice[b, i] = -1
            s.change[b, i] = 0
            s.price[b, i] = -1
            s.order[b, i] = i
        s.trades[b] = 0
        s.turnover[b] = 0
        s.faults[b] = 0


@inner
def _fault(s: State, c: Scalars, b: int, i: int, action: int) -> int:
    """Whether more is put at stake than there is."""
    return TOO_MUCH if c.kind == BOLTZMANN and action > s.cash[b, i] else 0


@tight
def check(s: State, c: Scalars, action: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """Write the faults that `step` would find (`fault` int16[B, n]), changing nothing."""
    for b in range(s.t.shape[0]):
        for i in range(c.traders):
            fault[b, i] = 0 if s.over[b] else _fault(s, c, b, i, action[b, i])


@inner
def _mix(s: State, c: Scalars, b: int) -> None:
    """Draw the pairs of this step: seats by name, shuffled."""
    order, t = s.order[b], np.int64(s.t[b])
    for i in range(c.traders):
        order[s.name[b, i]] = i
    for i in range(c.traders - 1, 0, -1):
        j = below(draw(s.key[b], STREAM_PAIR, t, i, 0), i + 1)
        kept = order[i]
        order[i] = order[j]
        order[j] = kept


@inner
def _hand_over(s: State, b: int, payer: int, other: int, amount: int) -> None:
    """Move money; twice the change is noted for both."""
    s.cash[b, payer] -= amount
    s.cash[b, other] += amount
    s.change[b, payer] -= 2 * amount
    s.change[b, other] += 2 * amount
    s.price[b, payer] = amount
    s.price[b, other] = amount
    s.turnover[b] += amount
    s.trades[b] += 1


@inner
def _twice_worth(s: State, c: Scalars, b: int, i: int) -> int:
    """Twice the certainty equivalent of a trader's units: 2 m x - r x^2."""
    x = s.units[b, i]
    return 2 * c.mean * x - s.risk[b, i] * x * x


@inner
def _sell(s: State, c: Scalars, b: int, i: int, j: int) -> None:
    """A unit goes from the lower to the higher price if the buyer's bid reaches the seller's ask, at their mean, floored.

    A trader's bid lies half of its risk below the price that it names, its ask as far above.
    """
    buyer, seller = (i, j) if s.choice[b, i] > s.choice[b, j] else (j, i)
    bid = 2 * np.int64(s.choice[b, buyer]) * c.step - s.risk[b, buyer]
    ask = 2 * np.int64(s.choice[b, seller]) * c.step + s.risk[b, seller]
    price = (bid + ask) // 4
    if bid < ask or price < 0 or s.units[b, seller] == 0 or s.cash[b, buyer] < price:
        return
    for k in (buyer, seller):
        s.change[b, k] -= _twice_worth(s, c, b, k)
    s.units[b, buyer] += 1
    s.units[b, seller] -= 1
    for k in (buyer, seller):
        s.change[b, k] += _twice_worth(s, c, b, k)
    _hand_over(s, b, buyer, seller, price)


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
    """Advance every row that is not over: `action` int64[B, n] are stakes, or price levels."""
    for b in range(s.t.shape[0]):
        if s.over[b]:
            continue
        for i in range(c.traders):
            fault[b, i] = _fault(s, c, b, i, action[b, i])
            s.faults[b] += fault[b, i] != 0
            s.choice[b, i] = 0 if fault[b, i] else action[b, i]
            s.change[b, i] = 0
            s.price[b, i] = -1
        _mix(s, c, b)
        for pair in range(c.traders // 2):
            i, j = np.int64(s.order[b, 2 * pair]), np.int64(s.order[b, 2 * pair + 1])
            if c.kind == CARA:
                _sell(s, c, b, i, j)
                continue
            coin = draw(s.key[b], STREAM_COIN, np.int64(s.t[b]), pair, 0)
            payer, other = (i, j) if below(coin, 2) == 0 else (j, i)
            if s.choice[b, payer] > 0:
                _hand_over(s, b, payer, other, np.int64(s.choice[b, payer]))
        for i in range(c.traders):
            reward[b, i] = 0.5 * s.change[b, i]
        conclude(s, b, c.max_steps, False, terminated, truncated)


@tight
def see(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.float32]) -> None:
    """Write float32[B, n, 8]: steps, cash, units, risk, what a unit is worth, last choice, last gain, last price."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i < 0:
                continue
            row = out[b, n]
            row[0] = s.t[b]
            row[1] = s.cash[b, i]
            row[2] = s.units[b, i]
            row[3] = s.risk[b, i]
            row[4] = c.mean - s.risk[b, i] * s.units[b, i] if c.kind == CARA else 0
            row[5] = s.choice[b, i]
            row[6] = 0.5 * s.change[b, i]
            row[7] = s.price[b, i]


@tight
def masks(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
    """Write int8[B, n, choices]: stakes that one has, or all prices."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i < 0:
                continue
            row, most = out[b, n], np.int64(c.choices)
            if c.kind == BOLTZMANN:
                most = s.cash[b, i]
            for action in range(c.choices):
                row[action] = action <= most
