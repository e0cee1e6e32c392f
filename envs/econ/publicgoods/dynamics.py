"""The dynamics of the public goods game: state, scalars, and the compiled kernels over them. Axis 0 is the episode."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, tight
from ludarium.envs.core.rng import below, draw
from ludarium.envs.core.state import COMMON, Field
from ludarium.envs.econ.games import LOADED, begin, conclude

__all__ = ["FAULTS", "GIVE", "PUNISH", "Scalars", "State", "asked", "check", "fields", "masks", "reset", "see", "step"]

FAULTS = ("none", "too_much", "no_such_choice", "oneself", "no_money")
TOO_MUCH, NO_SUCH_CHOICE, ONESELF, NO_MONEY = range(1, len(FAULTS))
GIVE, PUNISH = 0, 1
STREAM_ENDOWMENT = 1
OWN = 7
"""Numbers of an observation about the member itself; what the others gave follows."""


class Scalars(NamedTuple):
    """The parameters that kernels read."""

    members: int
    endowment: int
    spread: int
    token: int
    parts: int
    whole: int
    """so many parts of the marginal per-capita return are 1"""
    punishment: bool
    points: int
    cost: int
    fine: int
    choices: int
    max_steps: int


class State(NamedTuple):
    """A batch of episodes of n members."""

    key: NDArray[np.uint64]
    t: NDArray[np.int32]
    over: NDArray[np.bool_]
    live: NDArray[np.bool_]
    inst: NDArray[np.int32]
    phase: NDArray[np.int8]
    """int8[B]: what is decided now"""
    given: NDArray[np.int32]
    """int32[B, n]: tokens that each gave last, -1: nothing yet"""
    received: NDArray[np.int32]
    """int32[B, n]: points that each got last"""
    earned: NDArray[np.int64]
    """int64[B, n]: money in the last step"""
    cash: NDArray[np.int64]
    treasury: NDArray[np.int64]
    """int64[B]: what cannot be shared evenly, the price of points, and fines"""
    minted: NDArray[np.int64]
    """int64[B]: endowments, and what the pot grew by (or shrank)"""
    rounds: NDArray[np.int32]
    tokens: NDArray[np.int64]
    """int64[B, n]: tokens given so far"""
    nothing: NDArray[np.int32]
    """int32[B]: how often a member gave nothing of something"""
    sanctions: NDArray[np.int64]
    """int64[B]: points given"""
    faults: NDArray[np.int32]
    endowment: NDArray[np.int64]
    """int64[B, n]: tokens of a member in a round"""


def fields(c: Scalars) -> tuple[Field, ...]:
    """The layout of a state."""
    n = (c.members,)
    return (
        *COMMON(c.members), Field("phase", np.int8), Field("given", np.int32, n), Field("received", np.int32, n),
        Field("earned", np.int64, n), Field("cash", np.int64, n), Field("treasury", np.int64), Field("minted", np.int64),
        Field("rounds", np.int32), Field("tokens", np.int64, n), Field("nothing", np.int32), Field("sanctions", np.int64),
        Field("faults", np.int32), Field("endowment", np.int64, n, "derived"),
    )  # fmt: skip


@tight
def reset(s: State, c: Scalars, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
    """Begin episodes in the rows of `which`: endowments drawn from the seed, or as `load` put them."""
    for b in range(which.shape[0]):
        if not which[b]:
            continue
        begin(s, b, seeds[b], slots[b])
        for i in range(c.members):
            if slots[b] != LOADED:
                chance = below(draw(s.key[b], STREAM_ENDOWMENT, i, 0, 0), 2 * c.spread + 1)
                s.endowment[b, i] = c.endowment - c.spread + chance
            s.given[b, i] = -1
            s.received[b, i] = 0
            s.earned[b, i] = 0
            s.cash[b, i] = 0
            s.tokens[b, i] = 0
        s.phase[b] = GIVE
        s.treasury[b] = 0
        s.minted[b] = 0
        s.rounds[b] = 0
        s.nothing[b] = 0
        s.sanctions[b] = 0
        s.faults[b] = 0


@tight
def asked(s: State, c: Scalars, out: NDArray[np.int8]) -> None:
    """All members: 1 to give, 2 to punish (int8[B, n])."""
    for b in range(out.shape[0]):
        for i in range(c.members):
            out[b, i] = 0 if s.over[b] else 1 + s.phase[b]


@inner
def _fault(s: State, c: Scalars, b: int, i: int, action: int) -> int:
    """What is wrong with an action now."""
    if s.phase[b] == GIVE:
        return TOO_MUCH if action > s.endowment[b, i] else 0
    if action == 0:
        return 0
    if action > c.members * c.points:
        return NO_SUCH_CHOICE
    if (action - 1) // c.points == i:
        return ONESELF
    return NO_MONEY if ((action - 1) % c.points + 1) * c.cost > s.cash[b, i] else 0


@tight
def check(s: State, c: Scalars, action: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """Write the faults that `step` would find (`fault` int16[B, n]), changing nothing."""
    for b in range(s.t.shape[0]):
        for i in range(c.members):
            fault[b, i] = 0 if s.over[b] else _fault(s, c, b, i, action[b, i])


@inner
def _give(s: State, c: Scalars, b: int, action: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """A round of giving: the pot grows by n times the return and is shared evenly; the remainder goes to the treasury."""
    total, had = np.int64(0), np.int64(0)
    for i in range(c.members):
        tokens = np.int64(0) if fault[i] else action[i]
        s.given[b, i] = tokens
        s.tokens[b, i] += tokens
        s.received[b, i] = 0
        s.nothing[b] += tokens == 0 and s.endowment[b, i] > 0
        total += tokens
        had += s.endowment[b, i]
    pot = total * c.token * c.parts * c.members // c.whole
    share = pot // c.members
    for i in range(c.members):
        s.earned[b, i] = (s.endowment[b, i] - s.given[b, i]) * c.token + share
        s.cash[b, i] += s.earned[b, i]
    s.treasury[b] += pot - share * c.members
    s.minted[b] += (had - total) * c.token + pot
    s.rounds[b] += 1


@inner
def _punish(s: State, c: Scalars, b: int, action: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """Who gives points pays for them; who got points pays fines out of what is left."""
    for i in range(c.members):
        s.received[b, i] = 0
        s.earned[b, i] = 0
    for i in range(c.members):
        if fault[i] == 0 and action[i] > 0:
            points = (action[i] - 1) % c.points + 1
            s.received[b, (action[i] - 1) // c.points] += points
            s.earned[b, i] -= points * c.cost
            s.sanctions[b] += points
    for i in range(c.members):
        left = s.cash[b, i] + s.earned[b, i]
        s.earned[b, i] -= min(left, s.received[b, i] * c.fine)
        s.cash[b, i] += s.earned[b, i]
        s.treasury[b] -= s.earned[b, i]


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
    """Advance every row that is not over: `action` int64[B, n] are tokens, or 0 and 1 + target * points + points - 1."""
    for b in range(s.t.shape[0]):
        if s.over[b]:
            continue
        for i in range(c.members):
            fault[b, i] = _fault(s, c, b, i, action[b, i])
            s.faults[b] += fault[b, i] != 0
        if s.phase[b] == GIVE:
            _give(s, c, b, action[b], fault[b])
            s.phase[b] = PUNISH if c.punishment else GIVE
        else:
            _punish(s, c, b, action[b], fault[b])
            s.phase[b] = GIVE
        for i in range(c.members):
            reward[b, i] = s.earned[b, i]
        conclude(s, b, c.max_steps, False, terminated, truncated)


@tight
def see(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.float32]) -> None:
    """Write float32[B, n, 7 + others]: steps, phase, endowment, given, points got, money in the last step, cash; others."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i < 0:
                continue
            out[b, n, 0] = s.t[b]
            out[b, n, 1] = s.phase[b]
            out[b, n, 2] = s.endowment[b, i]
            out[b, n, 3] = s.given[b, i]
            out[b, n, 4] = s.received[b, i]
            out[b, n, 5] = s.earned[b, i]
            out[b, n, 6] = s.cash[b, i]
            at = OWN
            for j in range(c.members):
                if j != i:
                    out[b, n, at] = s.given[b, j]
                    at += 1


@tight
def masks(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
    """Write int8[B, n, choices]: what one has, or points that one can pay for."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i < 0:
                continue
            row = out[b, n]
            most = s.endowment[b, i] if s.phase[b] == GIVE else np.int64(0)
            for action in range(c.choices):
                row[action] = action <= most
            if s.phase[b] == PUNISH:
                afford = min(c.points, s.cash[b, i] // c.cost if c.cost > 0 else c.points)
                for target in range(c.members):
                    for p in range(afford if target != i else 0):
                        row[1 + target * c.points + p] = 1
