"""Closed forms of bargaining, and backward induction and the Nash product over all offers. Pure functions."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "SCALE",
    "Plan",
    "Round",
    "backward_induction",
    "finite_share",
    "nash_solution",
    "rubinstein_share",
    "split",
    "worths",
]

SCALE = 10**9
"""Discount factors are whole numbers of parts of this."""
Ints = NDArray[np.int64]


def rubinstein_share(first: float, second: float) -> float:
    """What the first to propose gets of 1 without an end: (1 - d2) / (1 - d1 d2) (Rubinstein 1982)."""
    return (1 - second) / (1 - first * second)


def finite_share(first: float, second: float, rounds: int) -> float:
    """What the first to propose gets of 1 if there are so many offers, and nothing after the last (Ståhl 1972)."""
    share = 0.0  # of who proposes, one round after the last
    for r in reversed(range(rounds)):
        other = second if r % 2 == 0 else first
        share = 1 - other * share
    return share


def split(offers: Ints, issues: int, units: int) -> Ints:
    """The units int64[..., issues] that offers keep: the digits of their numbers, the first issue being the lowest one."""
    return np.asarray(offers)[..., None] // (units + 1) ** np.arange(issues) % (units + 1)


def worths(values: Ints, units: int) -> Ints:
    """What each party has by each offer of each proposer: int64[proposer, party, offer], for values int64[2, issues]."""
    issues = values.shape[1]
    kept = split(np.arange((units + 1) ** issues), issues, units)
    found = np.empty((2, 2, len(kept)), np.int64)
    for proposer in range(2):
        found[proposer, proposer] = kept @ values[proposer]
        found[proposer, 1 - proposer] = (units - kept) @ values[1 - proposer]
    return found


@dataclasses.dataclass(frozen=True)
class Round:
    """What is done in a round of a subgame-perfect equilibrium."""

    offer: int
    accept: int
    """the least discounted worth that the other party accepts"""
    value: tuple[int, int]
    """what each party gets from here on"""


@dataclasses.dataclass(frozen=True)
class Plan:
    """A subgame-perfect equilibrium, round by round."""

    rounds: tuple[Round, ...]

    @property
    def value(self) -> tuple[int, int]:
        """What each party gets."""
        return self.rounds[0].value


def backward_induction(values: Ints, units: int, discounts: Ints, first: int = 0, *, strict: bool = False) -> Plan:
    """The equilibrium under complete information: values int64[2, issues], discounts int64[2, rounds] in parts of `SCALE`.

    Who is indifferent accepts; under `strict` only what is more than the alternative, as in (1 - e, e) of the ultimatum game.
    Of offers that are as good the one that leaves most to the other is made.
    """
    worth, later, plan = worths(values, units), (0, 0), []
    for r in reversed(range(discounts.shape[1])):
        p = (first + r) % 2
        own, theirs = (worth[p, i] * discounts[i, r] // SCALE for i in (p, 1 - p))
        least = later[1 - p] + strict
        able = np.flatnonzero(theirs >= least)
        order = np.lexsort((able, -theirs[able], -own[able])) if len(able) else able
        best = int(able[order[0]]) if len(able) else -1
        if best < 0 or own[best] < later[p]:  # nothing that both prefer: an offer that is refused
            best = int(np.argmin(theirs)) if best < 0 else best
            value = later
        else:
            value = (int(own[best]), int(theirs[best])) if p == 0 else (int(theirs[best]), int(own[best]))
        plan.append(Round(best, int(least), value))
        later = value
    return Plan(tuple(reversed(plan)))


def nash_solution(values: Ints, units: int, outside: Sequence[int] = (0, 0)) -> tuple[int, tuple[int, int]]:
    """The offer of party 0 of the largest product of gains above `outside`, and both worths (Nash 1950).

    Of equal products the one of the larger sum, then the more equal one, then the lowest number.
    """
    a, b = worths(values, units)[0]
    gains = np.maximum(a - outside[0], 0) * np.maximum(b - outside[1], 0)
    best = int(np.lexsort((np.arange(len(a)), np.abs(a - b), -(a + b), -gains))[0])
    return best, (int(a[best]), int(b[best]))
