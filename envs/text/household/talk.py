"""What robots say to each other: what they know of a receptacle or of an object, and where they are going.

What is said in a round is heard by all others when everybody has acted. It is made from what the speaker knows, and who
hears it knows it then too: so the arrays show what the words say. What is heard replaces what was known, but not what
is in one's own hand; what one sees oneself at the end of the round replaces what one heard.
"""

from __future__ import annotations

import numpy as np

from ludarium.envs.core.compile import inner
from ludarium.envs.text.household.dynamics import (
    IN_HAND,
    SAY_GOING,
    SAY_PLACE,
    SAY_THING,
    Scalars,
    State,
    has,
    put,
    words_of,
)

__all__ = ["hear", "utter"]


@inner
def utter(s: State, c: Scalars, b: int, i: int, verb: int, o: int, r: int) -> None:
    """Say something that `speech` permits, and pay for its words."""
    if verb == SAY_GOING:
        s.budget[b, i] -= 7
        return
    if verb == SAY_THING:
        s.budget[b, i] -= 9 if r >= 0 else 5
        return
    places = c.known + 3 * c.receptacles + c.objects
    things = 0
    s.told[b, i] = np.uint64(0)
    for o in range(int(s.sizes[b, 1])):
        if s.seen[b, i, places + o] == 1 + r:
            put(s.told, b, i, o)
            things += 1
    s.shut[b, i] = things == 0 and s.seen[b, i, c.known + c.receptacles + r] == 1
    s.budget[b, i] -= words_of(things, s.shut[b, i] != 0)


@inner
def hear(s: State, c: Scalars, b: int, i: int) -> None:
    """Let all others hear what robot i said in this round, if it said anything that others can use."""
    verb, o, r = int(s.verb[b, i]), int(s.object[b, i]), int(s.receptacle[b, i])
    if verb != SAY_PLACE and verb != SAY_THING:
        return
    kinds = c.known + 3 * c.receptacles
    places, status = kinds + c.objects, c.known + c.receptacles + r
    for k in range(c.agents):
        if k == i:
            continue
        if verb == SAY_THING:
            if s.seen[b, k, places + o] != IN_HAND:
                s.seen[b, k, kinds + o] = s.things[b, o]
                s.seen[b, k, places + o] = 1 + r
        elif s.shut[b, i]:
            if s.seen[b, k, status] == 0:
                s.seen[b, k, status] = 1
        else:
            s.seen[b, k, status] = 2
            for n in range(int(s.sizes[b, 1])):
                if has(s.told, b, i, n):
                    if s.seen[b, k, places + n] != IN_HAND:
                        s.seen[b, k, kinds + n] = s.things[b, n]
                        s.seen[b, k, places + n] = 1 + r
                elif s.seen[b, k, places + n] == 1 + r:
                    s.seen[b, k, places + n] = 0
