"""The dynamics of the oligopoly: the state, the scalars, and the compiled kernels over them. Axis 0 is the episode."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, tight
from ludarium.envs.core.rng import below, draw
from ludarium.envs.core.state import COMMON, Field
from ludarium.envs.econ.games import LOADED, begin, conclude

__all__ = ["FAULTS", "TOO_FAR", "Scalars", "State", "check", "fields", "masks", "reset", "see", "step"]

FAULTS = ("none", "too_far")
TOO_FAR = 1
LOGIT, COURNOT = 0, 1
STREAM_COST = 1
OWN = 5
"""Numbers of an observation that are about the firm itself; the last levels of the others follow."""


class Scalars(NamedTuple):
    """The parameters that kernels read."""

    game: int
    firms: int
    levels: int
    low: int
    step: int
    cost: int
    spread: int
    demand: int
    slope: int
    consumers: int
    max_change: int
    max_steps: int
    outside: int
    """the weight of buying nothing"""
    weight: NDArray[np.int64]
    """int64[levels]: the weight of a good at each price, in the same units: consumers buy in proportion"""


class State(NamedTuple):
    """A batch of episodes of n firms."""

    key: NDArray[np.uint64]
    t: NDArray[np.int32]
    over: NDArray[np.bool_]
    live: NDArray[np.bool_]
    inst: NDArray[np.int32]
    level: NDArray[np.int32]
    """int32[B, n]: what each firm chose last, -1: nothing yet"""
    units: NDArray[np.int64]
    """int64[B, n]: what each sold in the last step"""
    profit: NDArray[np.int64]
    """int64[B, n]: what each earned by it"""
    cash: NDArray[np.int64]
    """int64[B, n]: all that it earned"""
    paid: NDArray[np.int64]
    """int64[B]: what consumers have paid"""
    spent: NDArray[np.int64]
    """int64[B]: what production has cost"""
    sold: NDArray[np.int64]
    """int64[B]: units sold"""
    faults: NDArray[np.int32]
    cost: NDArray[np.int64]
    """int64[B, n]: what a unit costs each firm"""


def fields(c: Scalars) -> tuple[Field, ...]:
    """The layout of a state."""
    n = (c.firms,)
    return (
        *COMMON(c.firms), Field("level", np.int32, n), Field("units", np.int64, n), Field("profit", np.int64, n),
        Field("cash", np.int64, n), Field("paid", np.int64), Field("spent", np.int64), Field("sold", np.int64),
        Field("faults", np.int32), Field("cost", np.int64, n, "derived"),
    )  # fmt: skip


@tight
def reset(s: State, c: Scalars, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
    """Begin episodes in the rows of `which`: costs drawn from the seed, or as `load` put them."""
    for b in range(which.shape[0]):
        if not which[b]:
            continue
        begin(s, b, seeds[b], slots[b])
        for i in range(c.firms):
            if slots[b] != LOADED:
                s.cost[b, i] = c.cost - c.spread + below(draw(s.key[b], STREAM_COST, i, 0, 0), 2 * c.spread + 1)
            s.level[b, i] = -1
            s.units[b, i] = 0
            s.profit[b, i] = 0
            s.cash[b, i] = 0
        s.paid[b] = 0
        s.spent[b] = 0
        s.sold[b] = 0
        s.faults[b] = 0


@inner
def _too_far(s: State, c: Scalars, b: int, i: int, level: int) -> bool:
    """Whether a firm may not go there from where it is."""
    last = np.int64(s.level[b, i])
    return c.max_change > 0 and last >= 0 and abs(level - last) > c.max_change


@tight
def check(s: State, c: Scalars, action: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """Write the faults that `step` would find (`fault` int16[B, n]), changing nothing."""
    for b in range(s.t.shape[0]):
        for i in range(c.firms):
            fault[b, i] = TOO_FAR if not s.over[b] and _too_far(s, c, b, i, action[b, i]) else 0


@inner
def _trade(s: State, c: Scalars, b: int) -> None:
    """What each firm sells and earns at the levels that stand; parts of a unit are not sold."""
    total, lowest, rivals = np.int64(c.outside), np.int64(c.levels), np.int64(0)
    for i in range(c.firms):
        level = np.int64(s.level[b, i])
        if c.game == COURNOT:
            total += c.low + level * c.step
        elif c.game == LOGIT:
            total += c.weight[level]
        else:
            rivals = 1 if level < lowest else rivals + (level == lowest)
            lowest = min(lowest, level)
    price = max(np.int64(0), c.demand - c.slope * total) if c.game == COURNOT else c.low + lowest * c.step
    for i in range(c.firms):
        level = np.int64(s.level[b, i])
        value = c.low + level * c.step
        if c.game == COURNOT:
            units, asked = value, price
        elif c.game == LOGIT:
            units, asked = c.consumers * c.weight[level] // total, value
        else:
            units, asked = np.int64(0), value
            if level == lowest and value < c.demand:
                units = (c.demand - value) // c.slope // rivals
        s.units[b, i] = units
        s.profit[b, i] = (asked - s.cost[b, i]) * units
        s.cash[b, i] += s.profit[b, i]
        s.paid[b] += asked * units
        s.spent[b] += s.cost[b, i] * units
        s.sold[b] += units


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
    """Advance every row that is not over: `action` int64[B, n] are levels; who goes too far stays where it was."""
    for b in range(s.t.shape[0]):
        if s.over[b]:
            continue
        for i in range(c.firms):
            wrong = _too_far(s, c, b, i, action[b, i])
            fault[b, i] = TOO_FAR if wrong else 0
            s.faults[b] += wrong
            if not wrong:
                s.level[b, i] = action[b, i]
        _trade(s, c, b)
        for i in range(c.firms):
            reward[b, i] = s.profit[b, i]
        conclude(s, b, c.max_steps, False, terminated, truncated)


@tight
def see(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.float32]) -> None:
    """Write float32[B, n, 5 + others]: steps, own cost, last level, units and profit; the others' last levels."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i < 0:
                continue
            out[b, n, 0] = s.t[b]
            out[b, n, 1] = s.cost[b, i]
            out[b, n, 2] = s.level[b, i]
            out[b, n, 3] = s.units[b, i]
            out[b, n, 4] = s.profit[b, i]
            at = OWN
            for j in range(c.firms):
                if j != i:
                    out[b, n, at] = s.level[b, j]
                    at += 1


@tight
def masks(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
    """Write int8[B, n, levels]: those that are not too far."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i < 0:
                continue
            for level in range(c.levels):
                out[b, n, level] = not _too_far(s, c, b, i, level)
