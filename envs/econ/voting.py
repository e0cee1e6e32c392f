"""Voting rules over C candidates, 2 to 4 of them: ballots are small integers, ties fall to a given order.

A ballot's number means, by rule: plurality, random dictator: the candidate; approval: the set of candidates, bit c for
candidate c; ranked, condorcet: a ranking, the permutations of 0..C-1 in lexical order; score: C digits to the base
`levels`, the lowest for candidate 0. The number after the last one (none under approval and score) abstains.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel
from ludarium.envs.econ.ballots import (
    APPROVAL,
    CONDORCET,
    DICTATOR,
    MAX_CANDIDATES,
    PLURALITY,
    RANKED,
    RULES,
    SCORE,
    count_ballots,
)

__all__ = [
    "APPROVAL", "CONDORCET", "DICTATOR", "MAX_CANDIDATES", "PLURALITY", "RANKED", "RULES", "SCORE", "ballots", "decide",
    "order_of", "ranking_number",
]  # fmt: skip

ballots = kernel(count_ballots)


@kernel
def order_of(number: int, order: NDArray[np.int64]) -> None:
    """Write the ranking (best first, int64[C]) of a number."""
    count = order.shape[0]
    block = 1
    for c in range(2, count):
        block *= c
    taken = 0
    for place in range(count):
        skip = number // block
        number -= skip * block
        for c in range(count):
            if taken >> c & 1:
                continue
            if skip == 0:
                order[place] = c
                taken |= 1 << c
                break
            skip -= 1
        if place < count - 1:
            block //= max(count - 1 - place, 1)


def ranking_number(order: tuple[int, ...]) -> int:
    """The number of a ranking (best first): the inverse of `order_of`."""
    number, left = 0, sorted(order)
    for place in order:
        number = number * len(left) + left.index(place)
        left.remove(place)
    return number


@kernel
def _first(tally: NDArray[np.int64], alive: NDArray[np.bool_], ties: NDArray[np.int64]) -> int:
    """The living candidate of the highest tally, of equals the first in the order of `ties`."""
    best = -1
    for place in range(ties.shape[0]):
        c = ties[place]
        if alive[c] and (best < 0 or tally[c] > tally[best]):
            best = c
    return best


@kernel
def _instant_runoff(
    number: NDArray[np.int64], alive: NDArray[np.bool_], ties: NDArray[np.int64], tally: NDArray[np.int64]
) -> int:
    """Strike out the last one by first places until one is left; of equals the last in the order of `ties`."""
    count = ties.shape[0]
    order = np.zeros(count, np.int64)
    while True:
        tally[:] = 0
        for kind in range(number.shape[0]):
            if number[kind] == 0:
                continue
            order_of(kind, order)
            for c in order:
                if alive[c]:
                    tally[c] += number[kind]
                    break
        left, worst = 0, -1
        for place in range(count - 1, -1, -1):
            c = ties[place]
            if alive[c]:
                left += 1
                if worst < 0 or tally[c] < tally[worst]:
                    worst = c
        if left <= 1:
            return worst
        alive[worst] = False


@kernel
def _pairwise(
    number: NDArray[np.int64], alive: NDArray[np.bool_], ties: NDArray[np.int64], tally: NDArray[np.int64]
) -> tuple[int, bool]:
    """The Condorcet winner; without one the least bad defeat decides (Simpson), and the second item is True."""
    count = ties.shape[0]
    order = np.zeros(count, np.int64)
    above = np.zeros((count, count), np.int64)
    for kind in range(number.shape[0]):
        if number[kind] == 0:
            continue
        order_of(kind, order)
        for i in range(count):
            for j in range(i + 1, count):
                above[order[i], order[j]] += number[kind]
    beats_all = -1
    for c in range(count):
        tally[c] = 0
        wins = True
        for other in range(count):
            if other != c and alive[c] and alive[other]:
                tally[c] = min(tally[c], above[c, other] - above[other, c])
                wins = wins and above[c, other] > above[other, c]
        if alive[c] and wins:
            beats_all = c
    if beats_all >= 0:
        return beats_all, False
    return _first(tally, alive, ties), True


@kernel
def decide(
    rule: int,
    cast: NDArray[np.int64],
    standing: NDArray[np.bool_],
    levels: int,
    ties: NDArray[np.int64],
    dictator: int,
    tally: NDArray[np.int64],
) -> tuple[int, bool]:
    """The winner among those `standing` bool[C] (-1: nobody stands), and whether majorities went in a circle.

    `cast` int64[N] are ballots, those out of range abstain; `ties` int64[C] is the order in which equals win; `dictator`
    is the voter whose first choice wins under that rule, or the next one who has any. What decided is left in `tally`
    int64[C]: votes, approvals, points, last round's first places, or the worst majority.
    """
    count = ties.shape[0]
    alive = np.zeros(count, np.bool_)
    tally[:] = 0
    anybody = False
    for c in range(count):
        alive[c] = standing[c]
        anybody = anybody or alive[c]
    if not anybody:
        return -1, False
    if rule == DICTATOR:
        for k in range(cast.shape[0]):
            choice = cast[(dictator + k) % cast.shape[0]]
            if 0 <= choice < count and alive[choice]:
                tally[choice] = 1
                return choice, False
        return _first(tally, alive, ties), False
    number = np.zeros(ballots(rule, count, levels), np.int64)
    for i in range(cast.shape[0]):
        if 0 <= cast[i] < number.shape[0]:
            number[cast[i]] += 1
    if rule in (RANKED, CONDORCET):
        number[number.shape[0] - 1] = 0  # abstentions
        if rule == RANKED:
            return _instant_runoff(number, alive, ties, tally), False
        return _pairwise(number, alive, ties, tally)
    for kind in range(number.shape[0]):
        rest = kind
        for c in range(count):
            if rule == PLURALITY:
                tally[c] += number[kind] if kind == c else 0
            elif rule == APPROVAL:
                tally[c] += number[kind] * (kind >> c & 1)
            else:
                tally[c] += number[kind] * (rest % levels)
                rest //= levels
    return _first(tally, alive, ties), False
