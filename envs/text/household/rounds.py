"""Rounds of a household: effects, the goal, and one step of all agents.

In a step the agents act one after the other, the first being seat t mod S: a rotating priority. An action that was
legal when the round began and is not when its turn comes has the fault `conflict`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, tight
from ludarium.envs.text.household.dynamics import (
    AT,
    CLEAN,
    CLOSE,
    CONFLICT,
    COOL,
    EXAMINE_HELD,
    FACT_BITS,
    FIRST_BITS,
    FLAG,
    FOUND,
    GO,
    HOLDS,
    HOLDS_ANY,
    HOT,
    IN,
    IN_HAND,
    MOVE,
    NEGATED,
    NONE,
    NOTHING,
    OBJECT_AT,
    ONE,
    OPEN,
    OPENED,
    PLACED,
    PROCESS,
    PROCESSED,
    REACHED,
    SAY_PLACE,
    SLICE,
    SLICED,
    TAKE,
    TAKEN,
    TOGGLED,
    UNKNOWN,
    USE,
    Scalars,
    State,
    drop,
    has,
    put,
    resolve,
)
from ludarium.envs.text.household.knowledge import arrive, know_flags, look_round, notice
from ludarium.envs.text.household.talk import hear, utter

__all__ = ["advance", "judge", "step"]


_TOUCHES = np.array(
    [0, 1 << AT, 1 << OPENED, 1 << OPENED, 0, 0b10111, 0b111 << FLAG, 0b10111, 1 << (FLAG + TOGGLED), 1 << (FLAG + SLICED),
     0, 0, 0, 0, 0, 0, 0, 0], np.int64,
)  # fmt: skip
"""The kinds of facts that each verb can change, as bits."""


@inner
def _process(s: State, b: int, o: int, kind: int) -> None:
    if kind == 1:
        put(s.flags, b, HOT, o)
        drop(s.flags, b, COOL, o)
    elif kind == 2:
        put(s.flags, b, COOL, o)
        drop(s.flags, b, HOT, o)
    else:
        put(s.flags, b, CLEAN, o)


@inner
def _hand(s: State, c: Scalars, b: int, i: int, o: int, r: int, taking: bool) -> None:
    """Take an object out of a receptacle, or put it there."""
    place = int(s.loc[b, i])
    where = c.known + 3 * c.receptacles + c.objects + o
    if taking:
        drop(s.content, b, r, o)
        drop(s.around, b, place, o)
        put(s.left, b, r, o)
        s.hold[b, i] = o
        s.seen[b, i, 4] = 1 + o
        s.seen[b, i, where] = IN_HAND
    else:
        put(s.content, b, r, o)
        put(s.around, b, place, o)
        drop(s.left, b, r, o)
        s.hold[b, i] = -1
        s.seen[b, i, 4] = 0
        s.seen[b, i, where] = 1 + r


@inner
def _apply(s: State, c: Scalars, b: int, i: int, verb: int, o: int, r: int) -> None:
    """Do what a legal action does."""
    if verb == GO:
        s.loc[b, i] = s.place[b, r]
        arrive(s, c, b, i)
    elif verb in (OPEN, CLOSE):
        s.opened[b, r] = verb == OPEN
        notice(s, c, b, i, r)
    elif verb in (TAKE, MOVE):
        _hand(s, c, b, i, o, r, verb == TAKE)
    elif verb == PROCESS:
        _process(s, b, o, int(s.process[b, r]))
        know_flags(s, c, b, i, o)
    elif verb in (USE, SLICE):
        put(s.flags, b, TOGGLED if verb == USE else SLICED, o)
        know_flags(s, c, b, i, o)
    elif verb == EXAMINE_HELD:
        know_flags(s, c, b, i, o)
    elif verb >= SAY_PLACE:
        utter(s, c, b, i, verb, o, r)


@inner
def wants(s: State, b: int, o: int) -> bool:
    """Whether the goal wants an object in hand or in place."""
    return (np.uint64(s.target[b, o >> 6]) >> np.uint64(o & 63)) & ONE != 0


@inner
def _mark(s: State, b: int, i: int, verb: int, o: int) -> None:
    """Note which subgoals this action reached."""
    if verb >= SAY_PLACE:
        return
    if o >= 0:
        wanted = wants(s, b, o)
        if verb == TAKE and wanted:
            s.subgoals[b] |= FOUND | TAKEN
        elif ((verb in (PROCESS, SLICE)) and wanted) or verb == USE:
            for flag in range(5):
                if int(s.brief[b, 2]) & (1 << flag) and has(s.flags, b, flag, o):
                    s.subgoals[b] |= PROCESSED
    held = int(s.hold[b, i])
    if held >= 0 and wants(s, b, held):
        r = int(s.first[b, s.loc[b, i]])
        while r >= 0:
            if s.wanted[b, r]:
                s.subgoals[b] |= REACHED
            r = int(s.after[b, r])
    if verb == MOVE and s.wanted[b, s.receptacle[b, i]] and wants(s, b, o):
        s.subgoals[b] |= PLACED


# --- the goal --------------------------------------------------------------------------------------------------------
@inner
def _fact_holds(s: State, b: int, fact: int, x: int, y: int) -> bool:
    if fact == IN:
        return has(s.content, b, y, x)
    if fact == HOLDS:
        return s.hold[b, x] == y
    if fact == HOLDS_ANY:
        return s.hold[b, x] >= 0
    if fact == AT:
        return s.loc[b, x] == y
    if fact == OBJECT_AT:
        return has(s.around, b, y, x)
    if fact == OPENED:
        return s.opened[b, x] != 0
    return has(s.flags, b, fact - FLAG, x)


@inner
def _nearest(s: State, b: int, start: int) -> tuple[int, int]:
    """The goal that begins at `start`: facts that hold in the case that is nearest to holding, of so many."""
    at, good, size = start + 1, 0, 1
    for _ in range(int(s.goal[b, start])):
        length = int(s.goal[b, at])
        holding = 0
        for n in range(at + 1, at + 1 + length):
            code = int(s.goal[b, n])
            x, y = (code >> FACT_BITS) & 0xFFF, (code >> (FACT_BITS + FIRST_BITS)) & 0xFFF
            holding += _fact_holds(s, b, code & 31, x, y) == (code & NEGATED == 0)
        at += 1 + length
        if holding == length:
            return max(length, 1), max(length, 1)
        if holding * size > good * length:
            good, size = holding, length
    return good, size


@inner
def judge(s: State, c: Scalars, b: int) -> None:
    """Find how near the goal is, or all goals where each robot has its own, and whether it is reached."""
    if c.split == 0:
        good, size = _nearest(s, b, 0)
    else:
        good, size = 0, 0
        for i in range(c.agents):
            holding, length = _nearest(s, b, int(s.goal[b, i]))
            s.own[b, i] = np.float64(holding) / np.float64(length)
            good += holding
            size += length
    s.won[b] = good == size
    s.facts[b, 0] = good
    s.facts[b, 1] = size
    s.progress[b] = np.float64(good) / np.float64(size)


# --- rounds ----------------------------------------------------------------------------------------------------------
@inner
def _act(s: State, c: Scalars, b: int, i: int, action: int, early: int) -> int:
    """One agent's action at its turn; `early` is the fault that it had when the round began."""
    verb, o, r, fault = resolve(s, c, b, i, action)
    if fault != NONE:
        if early == NONE:
            fault = CONFLICT
        s.verb[b, i] = NOTHING
        s.object[b, i] = -1
        s.receptacle[b, i] = -1
        s.reason[b, i] = fault
        s.faults[b] += 1
        return fault
    s.verb[b, i] = verb
    s.object[b, i] = o
    s.receptacle[b, i] = r
    s.reason[b, i] = NONE
    s.moves[b] += 1
    _apply(s, c, b, i, verb, o, r)
    _mark(s, b, i, verb, o)
    if _TOUCHES[verb] & s.relevant[b, 0]:
        judge(s, c, b)
    return fault


@inner
def advance(
    s: State,
    c: Scalars,
    actions: NDArray[np.int64],
    reward: NDArray[np.float64],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    fault: NDArray[np.int16],
) -> None:
    """Advance every row that is not over by the agents' actions, int64[B, S]."""
    for b in range(s.t.shape[0]):
        if s.over[b]:
            continue
        before = s.progress[b]
        first = int(s.t[b]) % c.agents
        if c.agents > 1:
            if c.split:
                for i in range(c.agents):
                    s.was[i] = s.own[b, i]
            for i in range(c.agents):
                s.early[i] = resolve(s, c, b, i, actions[b, i])[3]
            for n in range(c.agents):
                i = (first + n) % c.agents
                fault[b, i] = _act(s, c, b, i, actions[b, i], int(s.early[i]))
            if c.talk > 0:
                for n in range(c.agents):
                    hear(s, c, b, (first + n) % c.agents)
            look_round(s, c, b)
        else:
            fault[b, 0] = _act(s, c, b, 0, actions[b, 0], UNKNOWN)
        s.t[b] += 1
        gain = 0.0
        if s.won[b]:
            gain = 10.0 if c.reward == 1 else 1.0
        if c.reward == 2:
            gain = (1.0 if s.won[b] else s.progress[b]) - before
        truncated[b] = not s.won[b] and s.t[b] >= c.max_steps
        for i in range(c.agents):
            if c.split:
                gain = s.own[b, i] - s.was[i]
                if c.reward != 2:
                    gain = (10.0 if c.reward == 1 else 1.0) * ((s.own[b, i] == 1.0) - (s.was[i] == 1.0))
            reward[b, i] = gain
            terminated[b, i] = s.won[b]
        if s.won[b] or truncated[b]:
            s.over[b] = True
            for i in range(c.agents):
                s.live[b, i] = False


@tight
def step(
    s: State,
    c: Scalars,
    actions: NDArray[np.int64],
    reward: NDArray[np.float64],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    fault: NDArray[np.int16],
) -> None:
    """`advance` as Python calls it."""
    advance(s, c, actions, reward, terminated, truncated, fault)
