"""The dynamics of a household: the state, the scalars, and the compiled kernels over them.

Axis 0 is the episode in the batch. Sets of objects are bits in 64-bit words: `content[b, r, w]` holds objects 64 w to
64 w + 63 of receptacle r. The rules are those of ALFWorld's PDDL domain (`specs` of the suite, section 2.5).

In a step the agents act one after the other, the first being seat t mod S: a rotating priority. An action that was
legal when the round began and is not when its turn comes has the fault `conflict`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.bytes import flat
from ludarium.envs.core.compile import inner, tight
from ludarium.envs.core.rng import below, draw, episode_key
from ludarium.envs.core.state import COMMON, Field

__all__ = [
    "CONFLICT", "FAULTS", "HEAD", "LOADED", "STREAM_SLOT", "TABLES", "UNKNOWN", "VERBS", "Scalars", "State", "Tables",
    "advance", "fields", "furnish", "masks", "reset", "see", "step", "table_fields",
]  # fmt: skip

LOADED = -2
STREAM_SLOT = 60
FAULTS = (
    "none", "unknown", "already_here", "not_here", "not_openable", "already_open", "already_closed", "closed",
    "hands_empty", "hands_full", "cannot_contain", "wrong_tool", "unable", "conflict",
)  # fmt: skip
(
    NONE, UNKNOWN, ALREADY_HERE, NOT_HERE, NOT_OPENABLE, ALREADY_OPEN, ALREADY_CLOSED, CLOSED, HANDS_EMPTY, HANDS_FULL,
    CANNOT_CONTAIN, WRONG_TOOL, UNABLE, CONFLICT,
) = range(14)  # fmt: skip
VERBS = (
    "start", "go", "open", "close", "examine", "move", "process", "take", "use", "slice", "examine_held", "inventory",
    "look", "help", "nothing",
)  # fmt: skip
(START, GO, OPEN, CLOSE, EXAMINE, MOVE, PROCESS, TAKE, USE, SLICE, EXAMINE_HELD, INVENTORY, LOOK, HELP, NOTHING) = (
    range(15)
)
PICKUPABLE, HEATABLE, COOLABLE, CLEANABLE, SLICEABLE, TOGGLEABLE, KNIFE = range(7)
CLEAN, HOT, COOL, SLICED, TOGGLED = range(5)
IN, HOLDS, HOLDS_ANY, AT, OBJECT_AT, OPENED, FLAG = range(7)
FOUND, TAKEN, PROCESSED, REACHED, PLACED = 1, 2, 4, 8, 16
HEAD = 8
"""Bytes of an observation before those of agents, receptacles and objects."""
IN_HAND = 255
FACT_BITS, FIRST_BITS = 5, 12
NEGATED = 1 << 30

_ONE = np.uint64(1)
_TOUCHES = np.array(
    [0, 1 << AT, 1 << OPENED, 1 << OPENED, 0, 0b10111, 0b111 << FLAG, 0b10111, 1 << (FLAG + TOGGLED), 1 << (FLAG + SLICED),
     0, 0, 0, 0, 0], np.int64,
)  # fmt: skip
"""The kinds of facts that each verb can change, as bits."""


class Scalars(NamedTuple):
    """The parameters that kernels read."""

    receptacles: int
    objects: int
    locations: int
    copies: int
    agents: int
    max_steps: int
    quirks: int
    helps: int
    """1 if `help` is a command."""
    reward: int
    """0 sparse, 1 tenfold, 2 with progress."""
    actions: int


class Tables(NamedTuple):
    """What a house is, in arrays: a pool's, or (under the same names) each row's own."""

    sizes: NDArray[np.int16]
    """int16[3]: receptacles, objects, locations"""
    place: NDArray[np.int16]
    """int16[R]: the receptacle's location"""
    first: NDArray[np.int16]
    """int16[L]: the first receptacle of a location, or -1"""
    after: NDArray[np.int16]
    """int16[R]: the next receptacle of the same location, or -1"""
    openable: NDArray[np.uint8]
    process: NDArray[np.uint8]
    """uint8[R]: 1 heats, 2 cools, 3 cleans"""
    able: NDArray[np.uint64]
    """uint64[7, W]: who is pickupable, heatable, coolable, cleanable, sliceable, toggleable, a knife"""
    fits: NDArray[np.uint64]
    """uint64[R, W]: what may be put there"""
    target: NDArray[np.uint64]
    """uint64[W]: objects that the goal wants held or placed"""
    wanted: NDArray[np.uint8]
    """uint8[R]: where the goal wants them"""
    goal: NDArray[np.int32]
    """int32[G]: the number of cases, then of each the number of its literals and these"""
    relevant: NDArray[np.int64]
    """int64[1]: kinds of facts in the goal, as bits"""
    brief: NDArray[np.uint8]
    """uint8[HEAD]: the goal as observations show it"""
    kinds: NDArray[np.uint8]
    """uint8[R]: the receptacles' classes"""
    things: NDArray[np.uint8]
    """uint8[O]: the objects' classes"""
    start: NDArray[np.int16]
    """int16[1 + S]: the location where all begin, and what each holds, or -1"""
    open0: NDArray[np.uint8]
    content0: NDArray[np.uint64]
    around0: NDArray[np.uint64]
    flags0: NDArray[np.uint64]
    house: NDArray[np.uint8]
    """uint8[16]: the house's hash"""
    packed: NDArray[np.uint8]
    """uint8[N]: the house itself, compressed JSON after its length (4 bytes)"""


TABLES = Tables._fields


class State(NamedTuple):
    """A batch of episodes: R receptacles, O objects in W words, L locations, S agents."""

    key: NDArray[np.uint64]
    t: NDArray[np.int32]
    over: NDArray[np.bool_]
    live: NDArray[np.bool_]
    inst: NDArray[np.int32]
    loc: NDArray[np.int16]
    """int16[B, S]: where each agent is"""
    hold: NDArray[np.int16]
    """int16[B, S]: the object in its hand, or -1"""
    opened: NDArray[np.uint8]
    """uint8[B, R]"""
    content: NDArray[np.uint64]
    """uint64[B, R, W]: what lies in each receptacle"""
    around: NDArray[np.uint64]
    """uint64[B, L, W]: what is at each location, in a receptacle or not"""
    left: NDArray[np.uint64]
    """uint64[B, R, W]: what was taken from there and not put back, which TextWorld remembers"""
    flags: NDArray[np.uint64]
    """uint64[B, 5, W]: clean, hot, cool, sliced, toggled"""
    verb: NDArray[np.int8]
    """int8[B, S]: the last action, a place in `VERBS`"""
    object: NDArray[np.int16]
    """int16[B, S]: its object, or -1"""
    receptacle: NDArray[np.int16]
    """int16[B, S]: its receptacle, or -1"""
    reason: NDArray[np.int16]
    """int16[B, S]: why it had no effect, a place in `FAULTS`"""
    seen: NDArray[np.uint8]
    """uint8[B, S, N]: what each agent knows, as it observes it"""
    subgoals: NDArray[np.uint8]
    """uint8[B]: found 1, taken 2, processed 4, reached 8, placed 16, once each"""
    won: NDArray[np.bool_]
    facts: NDArray[np.int16]
    """int16[B, 2]: goal facts that hold in the best case, of so many"""
    progress: NDArray[np.float64]
    """float64[B]: their quotient"""
    moves: NDArray[np.int32]
    """int32[B]: actions that had no fault"""
    faults: NDArray[np.int32]
    """int32[B]: actions that had one"""
    sizes: NDArray[np.int16]
    place: NDArray[np.int16]
    first: NDArray[np.int16]
    after: NDArray[np.int16]
    openable: NDArray[np.uint8]
    process: NDArray[np.uint8]
    able: NDArray[np.uint64]
    fits: NDArray[np.uint64]
    target: NDArray[np.uint64]
    wanted: NDArray[np.uint8]
    goal: NDArray[np.int32]
    relevant: NDArray[np.int64]
    brief: NDArray[np.uint8]
    kinds: NDArray[np.uint8]
    things: NDArray[np.uint8]
    start: NDArray[np.int16]
    open0: NDArray[np.uint8]
    content0: NDArray[np.uint64]
    around0: NDArray[np.uint64]
    flags0: NDArray[np.uint64]
    house: NDArray[np.uint8]
    packed: NDArray[np.uint8]
    early: NDArray[np.int16]
    """int16[S]: faults at the beginning of a round (scratch)"""


def table_fields(
    receptacles: int, objects: int, locations: int, agents: int, goal: int, size: int
) -> tuple[Field, ...]:
    """The layout of what a house is."""
    words = (objects + 63) // 64
    shapes: tuple[tuple[type, tuple[int, ...]], ...] = (
        (np.int16, (3,)), (np.int16, (receptacles,)), (np.int16, (locations,)), (np.int16, (receptacles,)),
        (np.uint8, (receptacles,)), (np.uint8, (receptacles,)), (np.uint64, (7, words)), (np.uint64, (receptacles, words)),
        (np.uint64, (words,)), (np.uint8, (receptacles,)), (np.int32, (goal,)), (np.int64, (1,)), (np.uint8, (HEAD,)),
        (np.uint8, (receptacles,)), (np.uint8, (objects,)), (np.int16, (1 + agents,)), (np.uint8, (receptacles,)),
        (np.uint64, (receptacles, words)), (np.uint64, (locations, words)), (np.uint64, (5, words)), (np.uint8, (16,)),
        (np.uint8, (size,)),
    )  # fmt: skip
    return tuple(Field(name, kind, shape, "derived") for name, (kind, shape) in zip(TABLES, shapes, strict=True))


def fields(receptacles: int, objects: int, locations: int, agents: int, goal: int, size: int) -> tuple[Field, ...]:
    """The layout of a state."""
    words = (objects + 63) // 64
    return (
        *COMMON(agents),
        Field("loc", np.int16, (agents,)),
        Field("hold", np.int16, (agents,)),
        Field("opened", np.uint8, (receptacles,)),
        Field("content", np.uint64, (receptacles, words)),
        Field("around", np.uint64, (locations, words)),
        Field("left", np.uint64, (receptacles, words)),
        Field("flags", np.uint64, (5, words)),
        Field("verb", np.int8, (agents,)),
        Field("object", np.int16, (agents,)),
        Field("receptacle", np.int16, (agents,)),
        Field("reason", np.int16, (agents,)),
        Field("seen", np.uint8, (agents, HEAD + agents + 3 * receptacles + 3 * objects)),
        Field("subgoals", np.uint8),
        Field("won", np.bool_),
        Field("facts", np.int16, (2,)),
        Field("progress", np.float64),
        Field("moves", np.int32),
        Field("faults", np.int32),
        *table_fields(receptacles, objects, locations, agents, goal, size),
        Field("early", np.int16, (agents,), "scratch"),
    )


# --- sets of objects -------------------------------------------------------------------------------------------------
@inner
def _has(sets: NDArray[np.uint64], b: int, n: int, o: int) -> bool:
    return (np.uint64(sets[b, n, o >> 6]) >> np.uint64(o & 63)) & _ONE != 0


@inner
def _put(sets: NDArray[np.uint64], b: int, n: int, o: int) -> None:
    sets[b, n, o >> 6] |= _ONE << np.uint64(o & 63)


@inner
def _drop(sets: NDArray[np.uint64], b: int, n: int, o: int) -> None:
    sets[b, n, o >> 6] &= ~(_ONE << np.uint64(o & 63))


@inner
def _lowest(word: np.uint64) -> int:
    """The place of the lowest bit of a word that has one, by halving."""
    place = 0
    if word & np.uint64(0xFFFFFFFF) == 0:
        word >>= np.uint64(32)
        place += 32
    if word & np.uint64(0xFFFF) == 0:
        word >>= np.uint64(16)
        place += 16
    if word & np.uint64(0xFF) == 0:
        word >>= np.uint64(8)
        place += 8
    if word & np.uint64(0xF) == 0:
        word >>= np.uint64(4)
        place += 4
    if word & np.uint64(0x3) == 0:
        word >>= np.uint64(2)
        place += 2
    return place if word & _ONE else place + 1


@inner
def _open(s: State, b: int, r: int) -> bool:
    """Whether one can see and reach what lies in a receptacle."""
    return s.openable[b, r] == 0 or s.opened[b, r] != 0


# --- what an action means --------------------------------------------------------------------------------------------
@inner
def _fault_of_place(s: State, c: Scalars, b: int, i: int, verb: int, r: int) -> int:
    """Why a verb of one receptacle has no effect, or NONE."""
    if r >= s.sizes[b, 0]:
        return UNKNOWN
    here = s.place[b, r] == s.loc[b, i]
    if verb == GO:
        return ALREADY_HERE if here else NONE
    held = int(s.hold[b, i])
    if (verb in (MOVE, PROCESS)) and held < 0:
        return HANDS_EMPTY
    if not here:
        return NOT_HERE
    if verb in (OPEN, CLOSE):
        if s.openable[b, r] == 0:
            return NOT_OPENABLE
        if verb == OPEN:
            return ALREADY_OPEN if s.opened[b, r] else NONE
        return NONE if s.opened[b, r] else ALREADY_CLOSED
    if verb == MOVE:
        if not _open(s, b, r):
            return CLOSED
        return NONE if _has(s.fits, b, r, held) else CANNOT_CONTAIN
    if verb == PROCESS:
        if s.process[b, r] == 0:
            return WRONG_TOOL
        return NONE if _has(s.able, b, int(s.process[b, r]), held) else UNABLE
    return NONE


@inner
def _lies_in(s: State, b: int, i: int, o: int, nth: int, closed_too: bool) -> int:
    """The nth receptacle at hand that has an object in reach, or -1."""
    r = int(s.first[b, s.loc[b, i]])
    while r >= 0:
        if _has(s.content, b, r, o) and (closed_too or _open(s, b, r)):
            if nth == 0:
                return r
            nth -= 1
        r = int(s.after[b, r])
    return -1


@inner
def _fault_of_object(s: State, c: Scalars, b: int, i: int, verb: int, o: int, r: int) -> int:
    """Why a verb of one object has no effect, or NONE; what cannot be seen is never told."""
    if o >= s.sizes[b, 1]:
        return UNKNOWN
    held = int(s.hold[b, i])
    if verb == TAKE:
        if r < 0:
            return NOT_HERE
        if not _has(s.able, b, PICKUPABLE, o):
            return UNABLE
        return HANDS_FULL if held >= 0 else NONE
    if verb == USE:
        if r < 0:
            return NOT_HERE
        return NONE if _has(s.able, b, TOGGLEABLE, o) else UNABLE
    if held < 0 or not _has(s.able, b, KNIFE, held):
        return WRONG_TOOL
    if not _has(s.around, b, int(s.loc[b, i]), o) or (c.quirks == 0 and r < 0):
        return NOT_HERE
    return NONE if _has(s.able, b, SLICEABLE, o) else UNABLE


@inner
def _resolve(s: State, c: Scalars, b: int, i: int, action: int) -> tuple[int, int, int, int]:
    """Verb, object, receptacle (-1: none) and fault of an action now."""
    places = 6 * c.receptacles
    if action < places:
        verb, r = GO + action // c.receptacles, action % c.receptacles
        o = int(s.hold[b, i]) if verb in (MOVE, PROCESS) else -1
        return verb, o, r, _fault_of_place(s, c, b, i, verb, r)
    action -= places
    if action < c.copies * c.objects:
        verb, o, nth = TAKE, action // c.copies, action % c.copies
    elif action < (c.copies + 2) * c.objects:
        rest = action - c.copies * c.objects
        verb, o, nth = USE + rest // c.objects, rest % c.objects, 0
    else:
        verb = EXAMINE_HELD + action - (c.copies + 2) * c.objects
        o = int(s.hold[b, i]) if verb == EXAMINE_HELD else -1
        fault = NONE
        if verb == EXAMINE_HELD and o < 0:
            fault = HANDS_EMPTY
        if verb == NOTHING or (verb == HELP and c.helps == 0):
            fault = UNKNOWN
        return verb, o, -1, fault
    r = -1
    if o < s.sizes[b, 1]:
        r = _lies_in(s, b, i, o, nth, c.quirks != 0 and verb == USE)
    return verb, o, r, _fault_of_object(s, c, b, i, verb, o, r)


# --- what an agent knows ---------------------------------------------------------------------------------------------
@inner
def _notice(s: State, c: Scalars, b: int, i: int, r: int) -> None:
    """Look at a receptacle: whether it is open, and if so what lies in it."""
    at = HEAD + c.agents
    if not _open(s, b, r):
        s.seen[b, i, at + c.receptacles + r] = 1
        return
    s.seen[b, i, at + c.receptacles + r] = 2
    kinds = at + 3 * c.receptacles
    if c.agents > 1:
        for o in range(int(s.sizes[b, 1])):
            if s.seen[b, i, kinds + c.objects + o] == 1 + r and not _has(s.content, b, r, o):
                s.seen[b, i, kinds + c.objects + o] = 0
    for w in range(s.target.shape[1]):
        word = np.uint64(s.content[b, r, w])
        if word & np.uint64(s.target[b, w]):
            s.subgoals[b] |= FOUND
        while word:
            o = _lowest(word) + 64 * w
            word &= word - _ONE
            s.seen[b, i, kinds + o] = s.things[b, o]
            s.seen[b, i, kinds + c.objects + o] = 1 + r


@inner
def _arrive(s: State, c: Scalars, b: int, i: int) -> None:
    """Look around at a new location."""
    here = HEAD + c.agents + 2 * c.receptacles
    for r in range(c.receptacles):
        s.seen[b, i, here + r] = 0
    r = int(s.first[b, s.loc[b, i]])
    while r >= 0:
        s.seen[b, i, here + r] = 1
        _notice(s, c, b, i, r)
        r = int(s.after[b, r])


@inner
def _know_flags(s: State, c: Scalars, b: int, i: int, o: int) -> None:
    bits = 0
    for flag in range(5):
        if _has(s.flags, b, flag, o):
            bits |= 1 << flag
    s.seen[b, i, HEAD + c.agents + 3 * c.receptacles + 2 * c.objects + o] = bits


@inner
def _look_round(s: State, c: Scalars, b: int) -> None:
    """In a house of several: see where the others are, and what they changed where one is."""
    for i in range(c.agents):
        for k in range(c.agents):
            s.seen[b, i, HEAD + k] = 1 + int(s.first[b, s.loc[b, k]])
        r = int(s.first[b, s.loc[b, i]])
        while r >= 0:
            _notice(s, c, b, i, r)
            r = int(s.after[b, r])


# --- effects ---------------------------------------------------------------------------------------------------------
@inner
def _process(s: State, b: int, o: int, kind: int) -> None:
    if kind == 1:
        _put(s.flags, b, HOT, o)
        _drop(s.flags, b, COOL, o)
    elif kind == 2:
        _put(s.flags, b, COOL, o)
        _drop(s.flags, b, HOT, o)
    else:
        _put(s.flags, b, CLEAN, o)


@inner
def _hand(s: State, c: Scalars, b: int, i: int, o: int, r: int, taking: bool) -> None:
    """Take an object out of a receptacle, or put it there."""
    place = int(s.loc[b, i])
    where = HEAD + c.agents + 3 * c.receptacles + c.objects + o
    if taking:
        _drop(s.content, b, r, o)
        _drop(s.around, b, place, o)
        _put(s.left, b, r, o)
        s.hold[b, i] = o
        s.seen[b, i, 4] = 1 + o
        s.seen[b, i, where] = IN_HAND
    else:
        _put(s.content, b, r, o)
        _put(s.around, b, place, o)
        _drop(s.left, b, r, o)
        s.hold[b, i] = -1
        s.seen[b, i, 4] = 0
        s.seen[b, i, where] = 1 + r


@inner
def _apply(s: State, c: Scalars, b: int, i: int, verb: int, o: int, r: int) -> None:
    """Do what a legal action does."""
    if verb == GO:
        s.loc[b, i] = s.place[b, r]
        _arrive(s, c, b, i)
    elif verb in (OPEN, CLOSE):
        s.opened[b, r] = verb == OPEN
        _notice(s, c, b, i, r)
    elif verb in (TAKE, MOVE):
        _hand(s, c, b, i, o, r, verb == TAKE)
    elif verb == PROCESS:
        _process(s, b, o, int(s.process[b, r]))
        _know_flags(s, c, b, i, o)
    elif verb in (USE, SLICE):
        _put(s.flags, b, TOGGLED if verb == USE else SLICED, o)
        _know_flags(s, c, b, i, o)
    elif verb == EXAMINE_HELD:
        _know_flags(s, c, b, i, o)


@inner
def _wants(s: State, b: int, o: int) -> bool:
    """Whether the goal wants an object in hand or in place."""
    return (np.uint64(s.target[b, o >> 6]) >> np.uint64(o & 63)) & _ONE != 0


@inner
def _mark(s: State, b: int, i: int, verb: int, o: int) -> None:
    """Note which subgoals this action reached."""
    if o >= 0:
        wanted = _wants(s, b, o)
        if verb == TAKE and wanted:
            s.subgoals[b] |= FOUND | TAKEN
        elif ((verb in (PROCESS, SLICE)) and wanted) or verb == USE:
            for flag in range(5):
                if int(s.brief[b, 2]) & (1 << flag) and _has(s.flags, b, flag, o):
                    s.subgoals[b] |= PROCESSED
    held = int(s.hold[b, i])
    if held >= 0 and _wants(s, b, held):
        r = int(s.first[b, s.loc[b, i]])
        while r >= 0:
            if s.wanted[b, r]:
                s.subgoals[b] |= REACHED
            r = int(s.after[b, r])
    if verb == MOVE and s.wanted[b, s.receptacle[b, i]] and _wants(s, b, o):
        s.subgoals[b] |= PLACED


# --- the goal --------------------------------------------------------------------------------------------------------
@inner
def _fact_holds(s: State, b: int, fact: int, x: int, y: int) -> bool:
    if fact == IN:
        return _has(s.content, b, y, x)
    if fact == HOLDS:
        return s.hold[b, x] == y
    if fact == HOLDS_ANY:
        return s.hold[b, x] >= 0
    if fact == AT:
        return s.loc[b, x] == y
    if fact == OBJECT_AT:
        return _has(s.around, b, y, x)
    if fact == OPENED:
        return s.opened[b, x] != 0
    return _has(s.flags, b, fact - FLAG, x)


@inner
def _judge(s: State, b: int) -> None:
    """Find the case of the goal that is nearest to holding, and whether one does."""
    at, good, size = 1, 0, 1
    s.won[b] = False
    for _ in range(int(s.goal[b, 0])):
        length = int(s.goal[b, at])
        holding = 0
        for n in range(at + 1, at + 1 + length):
            code = int(s.goal[b, n])
            x, y = (code >> FACT_BITS) & 0xFFF, (code >> (FACT_BITS + FIRST_BITS)) & 0xFFF
            holding += _fact_holds(s, b, code & 31, x, y) == (code & NEGATED == 0)
        at += 1 + length
        if holding == length:
            s.won[b] = True
            good, size = max(length, 1), max(length, 1)
            break
        if holding * size > good * length:
            good, size = holding, length
    s.facts[b, 0] = good
    s.facts[b, 1] = size
    s.progress[b] = np.float64(good) / np.float64(size)


# --- reset and step --------------------------------------------------------------------------------------------------
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
    _copy(s.opened, b, s.open0, b)
    _copy(s.content, b, s.content0, b)
    _copy(s.around, b, s.around0, b)
    _copy(s.flags, b, s.flags0, b)
    s.left[b] = np.uint64(0)
    s.seen[b] = np.uint8(0)
    at = HEAD + c.agents
    for i in range(c.agents):
        for n in range(HEAD):
            s.seen[b, i, n] = s.brief[b, n]
        for r in range(c.receptacles):
            s.seen[b, i, at + r] = s.kinds[b, r]
        held = int(s.hold[b, i])
        if held >= 0:
            s.seen[b, i, 4] = 1 + held
            s.seen[b, i, at + 3 * c.receptacles + held] = s.things[b, held]
            s.seen[b, i, at + 3 * c.receptacles + c.objects + held] = IN_HAND
        _arrive(s, c, b, i)
    if c.agents > 1:
        _look_round(s, c, b)
    _judge(s, b)


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


@inner
def _act(s: State, c: Scalars, b: int, i: int, action: int, early: int) -> int:
    """One agent's action at its turn; `early` is the fault that it had when the round began."""
    verb, o, r, fault = _resolve(s, c, b, i, action)
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
        _judge(s, b)
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
            for i in range(c.agents):
                s.early[i] = _resolve(s, c, b, i, actions[b, i])[3]
            for n in range(c.agents):
                i = (first + n) % c.agents
                fault[b, i] = _act(s, c, b, i, actions[b, i], int(s.early[i]))
            _look_round(s, c, b)
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


# --- views -----------------------------------------------------------------------------------------------------------
@inner
def look(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.uint8]) -> None:
    """Write what the listed seats know, uint8[B, n, N]."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i >= 0:
                for k in range(out.shape[2]):
                    out[b, n, k] = s.seen[b, i, k]


@tight
def see(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.uint8]) -> None:
    """`look` as Python calls it."""
    look(s, c, seats, out)


@inner
def _mask_here(s: State, c: Scalars, b: int, i: int, r: int, out: NDArray[np.int8], n: int) -> None:
    """Allow what can be done with a receptacle that is at hand, and with what lies in it."""
    wide, held = c.receptacles, int(s.hold[b, i])
    reach = _open(s, b, r)
    out[b, n, 3 * wide + r] = 1
    if s.openable[b, r]:
        out[b, n, (2 if reach else 1) * wide + r] = 1
    if held >= 0:
        if reach and _has(s.fits, b, r, held):
            out[b, n, 4 * wide + r] = 1
        if s.process[b, r] and _has(s.able, b, int(s.process[b, r]), held):
            out[b, n, 5 * wide + r] = 1
    use = 6 * wide + c.copies * c.objects
    for w in range(s.target.shape[1]):
        lies = np.uint64(s.content[b, r, w])
        word = lies & np.uint64(s.able[b, PICKUPABLE, w]) if held < 0 and reach else np.uint64(0)
        while word:
            o = _lowest(word) + 64 * w
            word &= word - _ONE
            place = 6 * wide + o * c.copies
            for _ in range(c.copies):  # the first of its numbers that is not taken by an earlier receptacle
                if out[b, n, place] == 0:
                    break
                place += 1
            if place < 6 * wide + (o + 1) * c.copies:
                out[b, n, place] = 1
        word = lies & np.uint64(s.able[b, TOGGLEABLE, w]) if reach or c.quirks else np.uint64(0)
        while word:
            out[b, n, use + _lowest(word) + 64 * w] = 1
            word &= word - _ONE


@inner
def _mask_slice(s: State, c: Scalars, b: int, i: int, out: NDArray[np.int8], n: int) -> None:
    held, place = int(s.hold[b, i]), int(s.loc[b, i])
    if held < 0 or not _has(s.able, b, KNIFE, held):
        return
    first = 6 * c.receptacles + (c.copies + 1) * c.objects
    for w in range(s.target.shape[1]):
        word = np.uint64(s.around[b, place, w]) & np.uint64(s.able[b, SLICEABLE, w])
        while word:
            o = _lowest(word) + 64 * w
            word &= word - _ONE
            if c.quirks or _lies_in(s, b, i, o, 0, False) >= 0:
                out[b, n, first + o] = 1


@inner
def look_mask(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
    """Write the legal actions of the listed seats, int8[B, n, A]."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i < 0:
                continue
            for k in range(out.shape[2]):
                out[b, n, k] = 0
            place = s.loc[b, i]
            for r in range(int(s.sizes[b, 0])):
                out[b, n, r] = s.place[b, r] != place
            r = int(s.first[b, place])
            while r >= 0:
                _mask_here(s, c, b, i, r, out, n)
                r = int(s.after[b, r])
            _mask_slice(s, c, b, i, out, n)
            last = c.actions - 5
            out[b, n, last] = s.hold[b, i] >= 0
            out[b, n, last + 1] = 1
            out[b, n, last + 2] = 1
            out[b, n, last + 3] = c.helps


@tight
def masks(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
    """`look_mask` as Python calls it."""
    look_mask(s, c, seats, out)
