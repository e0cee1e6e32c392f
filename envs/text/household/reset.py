"""Beginning episodes of a household: copying a house into a row, and putting everything where it belongs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.bytes import flat
from ludarium.envs.core.compile import inner, tight
from ludarium.envs.core.rng import below, draw, episode_key
from ludarium.envs.text.household.dynamics import HEAD, IN_HAND, NONE, START, STREAM_SLOT, Scalars, State, Tables
from ludarium.envs.text.household.knowledge import arrive, look_round
from ludarium.envs.text.household.rounds import judge

__all__ = ["furnish", "reset"]


@inner
def _copy(to: NDArray[Any], b: int, source: NDArray[Any], n: int) -> None:
    """Copy row `n` of an array into row `b` of another of its shape."""
    target, given = flat(to, b), flat(source, n)
    for k in range(target.shape[0]):
        target[k] = given[k]


@inner
def _furnish(s: State, p: Tables, b: int, n: int) -> None:
    """Copy a house of the pool into a row."""
    _copy(s.sizes, b, p.sizes, n)
    _copy(s.place, b, p.place, n)
    _copy(s.first, b, p.first, n)
    _copy(s.after, b, p.after, n)
    _copy(s.openable, b, p.openable, n)
    _copy(s.process, b, p.process, n)
    _copy(s.able, b, p.able, n)
    _copy(s.fits, b, p.fits, n)
    _copy(s.target, b, p.target, n)
    _copy(s.wanted, b, p.wanted, n)
    _copy(s.goal, b, p.goal, n)
    _copy(s.relevant, b, p.relevant, n)
    _copy(s.brief, b, p.brief, n)
    _copy(s.briefs, b, p.briefs, n)
    _copy(s.kinds, b, p.kinds, n)
    _copy(s.things, b, p.things, n)
    _copy(s.start, b, p.start, n)
    _copy(s.open0, b, p.open0, n)
    _copy(s.content0, b, p.content0, n)
    _copy(s.around0, b, p.around0, n)
    _copy(s.flags0, b, p.flags0, n)
    _copy(s.house, b, p.house, n)
    _copy(s.packed, b, p.packed, n)


@tight
def furnish(s: State, p: Tables, b: int, n: int) -> None:
    """`_furnish` as Python calls it."""
    _furnish(s, p, b, n)


@inner
def _begin(s: State, c: Scalars, b: int) -> None:
    """Put everything of a row where its house has it at the start."""
    s.t[b] = 0
    s.over[b] = False
    s.subgoals[b] = 0
    s.moves[b] = 0
    s.faults[b] = 0
    for i in range(c.agents):
        s.live[b, i] = True
        s.loc[b, i] = s.start[b, 0]
        s.hold[b, i] = s.start[b, 1 + i]
        s.verb[b, i] = START
        s.object[b, i] = -1
        s.receptacle[b, i] = -1
        s.reason[b, i] = NONE
        if c.talk > 0:
            s.budget[b, i] = c.talk
            s.shut[b, i] = 0
            s.told[b, i] = np.uint64(0)
    _copy(s.opened, b, s.open0, b)
    _copy(s.content, b, s.content0, b)
    _copy(s.around, b, s.around0, b)
    _copy(s.flags, b, s.flags0, b)
    s.left[b] = np.uint64(0)
    s.seen[b] = np.uint8(0)
    at = c.known
    for i in range(c.agents):
        for n in range(HEAD):
            s.seen[b, i, n] = s.briefs[b, i, n] if c.split else s.brief[b, n]
        for r in range(c.receptacles):
            s.seen[b, i, at + r] = s.kinds[b, r]
        held = int(s.hold[b, i])
        if held >= 0:
            s.seen[b, i, 4] = 1 + held
            s.seen[b, i, at + 3 * c.receptacles + held] = s.things[b, held]
            s.seen[b, i, at + 3 * c.receptacles + c.objects + held] = IN_HAND
        arrive(s, c, b, i)
    if c.agents > 1:
        look_round(s, c, b)
    judge(s, c, b)


@tight
def reset(
    s: State,
    c: Scalars,
    p: Tables,
    which: NDArray[np.bool_],
    seeds: NDArray[np.int64],
    slots: NDArray[np.int32],
    houses: int,
) -> int:
    """Begin episodes in the rows of `which`, in a house of the pool or (-2) in the one that was loaded.

    `slots` names the house, or lets the seed draw it (-1). Return the first row whose house the pool does not have, or -1.
    """
    for b in range(which.shape[0]):
        if which[b]:
            s.key[b] = episode_key(seeds[b])
            slot = int(slots[b])
            if slot == -1 and houses > 0:
                slot = below(draw(s.key[b], STREAM_SLOT, 0, 0, 0), houses)
            if slot >= houses or slot == -1:
                return b
            if slot >= 0:
                _furnish(s, p, b, slot)
            s.inst[b] = slot
            _begin(s, c, b)
    return -1
