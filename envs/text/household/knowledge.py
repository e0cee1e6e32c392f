"""What the agents of a household know: what they have seen, written as they observe it."""

from __future__ import annotations

import numpy as np

from ludarium.envs.core.compile import inner
from ludarium.envs.text.household.dynamics import (
    FOUND,
    HEAD,
    ONE,
    SAY_PLACE,
    SAY_THING,
    Scalars,
    State,
    has,
    is_open,
    lowest,
)

__all__ = ["arrive", "know_flags", "look_round", "notice"]


@inner
def notice(s: State, c: Scalars, b: int, i: int, r: int) -> None:
    """Look at a receptacle: whether it is open, and if so what lies in it."""
    at = c.known
    if not is_open(s, b, r):
        s.seen[b, i, at + c.receptacles + r] = 1
        return
    s.seen[b, i, at + c.receptacles + r] = 2
    kinds = at + 3 * c.receptacles
    if c.agents > 1:
        for o in range(int(s.sizes[b, 1])):
            if s.seen[b, i, kinds + c.objects + o] == 1 + r and not has(s.content, b, r, o):
                s.seen[b, i, kinds + c.objects + o] = 0
    for w in range(s.target.shape[1]):
        word = np.uint64(s.content[b, r, w])
        if word & np.uint64(s.target[b, w]):
            s.subgoals[b] |= FOUND
        while word:
            o = lowest(word) + 64 * w
            word &= word - ONE
            s.seen[b, i, kinds + o] = s.things[b, o]
            s.seen[b, i, kinds + c.objects + o] = 1 + r


@inner
def arrive(s: State, c: Scalars, b: int, i: int) -> None:
    """Look around at a new location."""
    here = c.known + 2 * c.receptacles
    for r in range(c.receptacles):
        s.seen[b, i, here + r] = 0
    r = int(s.first[b, s.loc[b, i]])
    while r >= 0:
        s.seen[b, i, here + r] = 1
        notice(s, c, b, i, r)
        r = int(s.after[b, r])


@inner
def know_flags(s: State, c: Scalars, b: int, i: int, o: int) -> None:
    """Note the states of an object that the agent has to do with."""
    bits = 0
    for flag in range(5):
        if has(s.flags, b, flag, o):
            bits |= 1 << flag
    s.seen[b, i, c.known + 3 * c.receptacles + 2 * c.objects + o] = bits


@inner
def _note_speech(s: State, c: Scalars, b: int, i: int, k: int) -> None:
    """Note what robot k said in this round (1 of a receptacle, 2 of an object, 3 where it goes), and its words left."""
    at, verb = HEAD + c.agents + 3 * k, int(s.verb[b, k])
    named = int(s.object[b, k]) if verb == SAY_THING else int(s.receptacle[b, k])
    s.seen[b, i, at] = verb - SAY_PLACE + 1 if verb >= SAY_PLACE else 0
    s.seen[b, i, at + 1] = 1 + named if verb >= SAY_PLACE else 0
    s.seen[b, i, at + 2] = min(int(s.budget[b, k]), 255)


@inner
def look_round(s: State, c: Scalars, b: int) -> None:
    """In a house of several: see where the others are, and what they changed where one is."""
    for i in range(c.agents):
        for k in range(c.agents):
            s.seen[b, i, HEAD + k] = 1 + int(s.first[b, s.loc[b, k]])
            if c.talk > 0:
                _note_speech(s, c, b, i, k)
        r = int(s.first[b, s.loc[b, i]])
        while r >= 0:
            notice(s, c, b, i, r)
            r = int(s.after[b, r])
