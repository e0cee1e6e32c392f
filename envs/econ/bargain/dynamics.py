"""The dynamics of bargaining: state, scalars, and the compiled kernels over them. Axis 0 is the episode."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, tight
from ludarium.envs.core.rng import below, draw
from ludarium.envs.core.state import COMMON, Field
from ludarium.envs.econ.games import LOADED, begin, conclude

__all__ = [
    "FAULTS",
    "PROPOSE",
    "RESPOND",
    "Scalars",
    "State",
    "asked",
    "check",
    "fields",
    "masks",
    "reset",
    "see",
    "step",
]

FAULTS = ("none", "no_such_choice")
NO_SUCH_CHOICE = 1
PROPOSE, RESPOND = 0, 1
STREAM_VALUE, STREAM_FIRST = 1, 2
OWN = 6
"""Numbers of an observation before those that are given by issue."""


class Scalars(NamedTuple):
    """The parameters that kernels read."""

    issues: int
    units: int
    offers: int
    rounds: int
    worth: int
    high: int
    """values are multiples of `worth` from 1 to this"""
    private: bool
    choices: int
    max_steps: int
    scale: int
    discount: NDArray[np.int64]
    """int64[2, rounds]: of who proposes first, and of the other, in parts of `scale`"""


class State(NamedTuple):
    """A batch of episodes of two parties."""

    key: NDArray[np.uint64]
    t: NDArray[np.int32]
    over: NDArray[np.bool_]
    live: NDArray[np.bool_]
    inst: NDArray[np.int32]
    phase: NDArray[np.int8]
    round: NDArray[np.int32]
    """int32[B]: offers refused"""
    offer: NDArray[np.int32]
    """int32[B]: the last offer, as what its proposer keeps, -1: none yet"""
    maker: NDArray[np.int8]
    """int8[B]: who made it"""
    agreed: NDArray[np.bool_]
    gain: NDArray[np.int64]
    """int64[B, 2]: what each has of the agreement"""
    faults: NDArray[np.int32]
    value: NDArray[np.int64]
    """int64[B, 2, issues]: what a unit is worth to each"""
    order: NDArray[np.int64]
    """int64[B, 2]: 0 for who proposes first, 1 for the other"""


def fields(c: Scalars) -> tuple[Field, ...]:
    """The layout of a state."""
    return (
        *COMMON(2), Field("phase", np.int8), Field("round", np.int32), Field("offer", np.int32), Field("maker", np.int8),
        Field("agreed", np.bool_), Field("gain", np.int64, (2,)), Field("faults", np.int32),
        Field("value", np.int64, (2, c.issues), "derived"), Field("order", np.int64, (2,), "derived"),
    )  # fmt: skip


@tight
def reset(s: State, c: Scalars, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
    """Begin episodes in the rows of `which`: values and who begins drawn from the seed, or as `load` put them."""
    for b in range(which.shape[0]):
        if not which[b]:
            continue
        begin(s, b, seeds[b], slots[b])
        first = below(draw(s.key[b], STREAM_FIRST, 0, 0, 0), 2)
        for i in range(2):
            if slots[b] != LOADED:
                s.order[b, i] = i != first
                for k in range(c.issues):
                    s.value[b, i, k] = c.worth * (1 + below(draw(s.key[b], STREAM_VALUE, i, k, 0), c.high))
            s.gain[b, i] = 0
        s.phase[b] = PROPOSE
        s.round[b] = 0
        s.offer[b] = -1
        s.maker[b] = 0
        s.agreed[b] = False
        s.faults[b] = 0


@inner
def _proposer(s: State, b: int) -> int:
    """Who makes the offer of this round."""
    return (s.round[b] + s.order[b, 0]) % 2


@inner
def _waits_for(s: State, b: int) -> int:
    """Who decides now."""
    return _proposer(s, b) if s.phase[b] == PROPOSE else 1 - _proposer(s, b)


@tight
def asked(s: State, out: NDArray[np.int8]) -> None:
    """One party: 1 to propose, 2 to respond (int8[B, 2])."""
    for b in range(out.shape[0]):
        for i in range(2):
            out[b, i] = 1 + s.phase[b] if not s.over[b] and i == _waits_for(s, b) else 0


@inner
def _units(s: State, c: Scalars, b: int, i: int, k: int) -> int:
    """The units of issue k that party i has by the last offer."""
    kept = np.int64(s.offer[b])
    for _ in range(k):
        kept //= c.units + 1
    kept %= c.units + 1
    return kept if s.maker[b] == i else c.units - kept


@inner
def _worth(s: State, c: Scalars, b: int, i: int) -> int:
    """What the last offer is worth to party i, before discounting."""
    total = np.int64(0)
    for k in range(c.issues):
        total += _units(s, c, b, i, k) * s.value[b, i, k]
    return total


@inner
def _fault(s: State, c: Scalars, b: int, action: int) -> int:
    """Whether the number is none of this phase."""
    return NO_SUCH_CHOICE if action >= (c.offers if s.phase[b] == PROPOSE else 2) else 0


@tight
def check(s: State, c: Scalars, action: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """Write the faults that `step` would find (`fault` int16[B, 2]), changing nothing."""
    for b in range(s.t.shape[0]):
        for i in range(2):
            fault[b, i] = _fault(s, c, b, action[b, i]) if not s.over[b] and i == _waits_for(s, b) else 0


@inner
def _move(s: State, c: Scalars, b: int, action: int) -> bool:
    """Make an offer, or answer it; return whether all is over."""
    if s.phase[b] == PROPOSE:
        s.maker[b] = _proposer(s, b)
        s.offer[b] = action
        s.phase[b] = RESPOND
        return False
    if action == 1:
        s.agreed[b] = True
        for i in range(2):
            s.gain[b, i] = _worth(s, c, b, i) * c.discount[s.order[b, i], np.int64(s.round[b])] // c.scale
        return True
    s.round[b] += 1
    s.phase[b] = PROPOSE
    return s.round[b] >= c.rounds


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
    """Advance every row that is not over: `action` int64[B, 2] are offers (what one keeps), or 0 refuse and 1 accept."""
    for b in range(s.t.shape[0]):
        if s.over[b]:
            continue
        who = _waits_for(s, b)
        fault[b, 0] = 0
        fault[b, 1] = 0
        fault[b, who] = _fault(s, c, b, action[b, who])
        s.faults[b] += fault[b, who] != 0
        finished = fault[b, who] == 0 and _move(s, c, b, action[b, who])
        for i in range(2):
            reward[b, i] = s.gain[b, i]
        conclude(s, b, c.max_steps, finished, terminated, truncated)


@tight
def see(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.float32]) -> None:
    """Write float32[B, n, 6 + 3 issues]: steps, refusals, phase, whether one proposes, what is left of 1, worth of the offer.

    Then by issue: units of the offer, own values, the other's (-1: not known).
    """
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i < 0:
                continue
            row, r = out[b, n], np.int64(s.round[b])
            if r >= c.rounds:
                r = c.rounds - 1
            row[0] = s.t[b]
            row[1] = s.round[b]
            row[2] = s.phase[b]
            row[3] = _proposer(s, b) == i
            row[4] = np.float64(c.discount[s.order[b, i], r]) / np.float64(c.scale)
            row[5] = _worth(s, c, b, i) if s.offer[b] >= 0 else -1
            for k in range(c.issues):
                row[OWN + k] = _units(s, c, b, i, k) if s.offer[b] >= 0 else -1
                row[OWN + c.issues + k] = s.value[b, i, k]
                row[OWN + 2 * c.issues + k] = -1 if c.private else s.value[b, 1 - i, k]


@tight
def masks(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
    """Write int8[B, n, choices]: all offers, or refuse and accept."""
    for b in range(seats.shape[0]):
        most = c.offers if s.phase[b] == PROPOSE else 2
        for n in range(seats.shape[1]):
            if seats[b, n] < 0:
                continue
            row = out[b, n]
            for action in range(c.choices):
                row[action] = action < most
