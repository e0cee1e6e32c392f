"""The dynamics of a household: the state, the scalars, and the compiled kernels over them.

Axis 0 is the episode in the batch. Sets of objects are bits in 64-bit words: `content[b, r, w]` holds objects 64 w to
64 w + 63 of receptacle r. The rules are those of ALFWorld's PDDL domain (`specs` of the suite, section 2.5).

Here are the state (`layout` says how it lies in memory), and what an action means in it; `rounds` does it, `reset`
begins, `knowledge` keeps what agents know, `talk` is what they say to each other, `masks` writes what they see and may do.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner

__all__ = [
    "ALREADY_CLOSED", "ALREADY_HERE", "ALREADY_OPEN", "AT", "CANNOT_CONTAIN", "CLEAN", "CLEANABLE", "CLOSE",
    "CLOSED", "CONFLICT", "COOL", "COOLABLE", "EXAMINE", "EXAMINE_HELD", "FACT_BITS", "FAULTS", "FIRST_BITS",
    "FLAG", "FOUND", "GO", "HANDS_EMPTY", "HANDS_FULL", "HEAD", "HEATABLE", "HELP", "HOLDS", "HOLDS_ANY", "HOT",
    "IN", "INVENTORY", "IN_HAND", "KNIFE", "LOADED", "LOOK", "MOVE", "NEGATED", "NONE", "NOTHING", "NOT_HERE",
    "NOT_KNOWN", "NOT_OPENABLE", "OBJECT_AT", "ONE", "OPEN", "OPENED", "PICKUPABLE", "PLACED", "PROCESS",
    "PROCESSED", "REACHED", "SAY_GOING", "SAY_PLACE", "SAY_THING", "SLICE", "SLICEABLE", "SLICED", "START",
    "STREAM_SLOT", "TABLES", "TAKE", "TAKEN", "TOGGLEABLE", "TOGGLED", "TOO_LONG", "UNABLE", "UNKNOWN", "USE",
    "VERBS", "WRONG_TOOL", "Scalars", "State", "Tables", "drop", "has", "is_open", "lies_in", "lowest", "put",
    "resolve", "speech", "words_of",
]  # fmt: skip

LOADED = -2
STREAM_SLOT = 60
FAULTS = (
    "none", "unknown", "already_here", "not_here", "not_openable", "already_open", "already_closed", "closed",
    "hands_empty", "hands_full", "cannot_contain", "wrong_tool", "unable", "conflict", "not_known", "too_long",
)  # fmt: skip
(
    NONE, UNKNOWN, ALREADY_HERE, NOT_HERE, NOT_OPENABLE, ALREADY_OPEN, ALREADY_CLOSED, CLOSED, HANDS_EMPTY, HANDS_FULL,
    CANNOT_CONTAIN, WRONG_TOOL, UNABLE, CONFLICT, NOT_KNOWN, TOO_LONG,
) = range(16)  # fmt: skip
VERBS = (
    "start", "go", "open", "close", "examine", "move", "process", "take", "use", "slice", "examine_held", "inventory",
    "look", "help", "nothing", "say_place", "say_thing", "say_going",
)  # fmt: skip
(
    START, GO, OPEN, CLOSE, EXAMINE, MOVE, PROCESS, TAKE, USE, SLICE, EXAMINE_HELD, INVENTORY, LOOK, HELP, NOTHING,
    SAY_PLACE, SAY_THING, SAY_GOING,
) = range(18)  # fmt: skip
PICKUPABLE, HEATABLE, COOLABLE, CLEANABLE, SLICEABLE, TOGGLEABLE, KNIFE = range(7)
CLEAN, HOT, COOL, SLICED, TOGGLED = range(5)
IN, HOLDS, HOLDS_ANY, AT, OBJECT_AT, OPENED, FLAG = range(7)
FOUND, TAKEN, PROCESSED, REACHED, PLACED = 1, 2, 4, 8, 16
HEAD = 8
"""Bytes of an observation before those of agents, receptacles and objects."""
IN_HAND = 255
FACT_BITS, FIRST_BITS = 5, 12
NEGATED = 1 << 30

ONE = np.uint64(1)


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
    talk: int
    """Words that each robot may say in an episode; 0: nobody says anything."""
    split: int
    """1 if each robot has a goal of its own."""
    known: int
    """Bytes of an observation before those of receptacles and objects."""


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
    """int32[G]: the number of cases, then of each the number of its literals and these

    Where each robot has a goal of its own: the place of each robot's number of cases, and then these goals in turn.
    """
    relevant: NDArray[np.int64]
    """int64[1]: kinds of facts in the goal, as bits"""
    brief: NDArray[np.uint8]
    """uint8[HEAD]: the goal as observations show it"""
    briefs: NDArray[np.uint8]
    """uint8[S, HEAD]: the same for each robot's own goal; [0, HEAD] where all share one"""
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
    own: NDArray[np.float64]
    """float64[B, S]: that of each robot's own goal; [B, 0] where all share one"""
    budget: NDArray[np.int16]
    """int16[B, S]: words that each robot may still say; [B, 0] where nobody says anything, as in the next two"""
    told: NDArray[np.uint64]
    """uint64[B, S, W]: the objects in what each said in this step of a receptacle"""
    shut: NDArray[np.uint8]
    """uint8[B, S]: whether it said that the receptacle is closed"""
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
    briefs: NDArray[np.uint8]
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
    was: NDArray[np.float64]
    """float64[S]: `own` at the beginning of a round (scratch)"""
    counts: NDArray[np.int16]
    """int16[R]: known things by receptacle (scratch)"""


# --- sets of objects -----------------------------------------------------------------------------------------------
@inner
def has(sets: NDArray[np.uint64], b: int, n: int, o: int) -> bool:
    """Whether object o is in set n of a row."""
    return (np.uint64(sets[b, n, o >> 6]) >> np.uint64(o & 63)) & ONE != 0


@inner
def put(sets: NDArray[np.uint64], b: int, n: int, o: int) -> None:
    """Add object o to set n of a row."""
    sets[b, n, o >> 6] |= ONE << np.uint64(o & 63)


@inner
def drop(sets: NDArray[np.uint64], b: int, n: int, o: int) -> None:
    """Take object o out of set n of a row."""
    sets[b, n, o >> 6] &= ~(ONE << np.uint64(o & 63))


@inner
def lowest(word: np.uint64) -> int:
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
    return place if word & ONE else place + 1


@inner
def is_open(s: State, b: int, r: int) -> bool:
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
        if not is_open(s, b, r):
            return CLOSED
        return NONE if has(s.fits, b, r, held) else CANNOT_CONTAIN
    if verb == PROCESS:
        if s.process[b, r] == 0:
            return WRONG_TOOL
        return NONE if has(s.able, b, int(s.process[b, r]), held) else UNABLE
    return NONE


@inner
def lies_in(s: State, b: int, i: int, o: int, nth: int, closed_too: bool) -> int:
    """The nth receptacle at hand that has an object in reach, or -1."""
    r = int(s.first[b, s.loc[b, i]])
    while r >= 0:
        if has(s.content, b, r, o) and (closed_too or is_open(s, b, r)):
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
        if not has(s.able, b, PICKUPABLE, o):
            return UNABLE
        return HANDS_FULL if held >= 0 else NONE
    if verb == USE:
        if r < 0:
            return NOT_HERE
        return NONE if has(s.able, b, TOGGLEABLE, o) else UNABLE
    if held < 0 or not has(s.able, b, KNIFE, held):
        return WRONG_TOOL
    if not has(s.around, b, int(s.loc[b, i]), o) or (c.quirks == 0 and r < 0):
        return NOT_HERE
    return NONE if has(s.able, b, SLICEABLE, o) else UNABLE


@inner
def words_of(things: int, shut: bool) -> int:
    """How many words one needs to say that so many things are in a receptacle, or that it is closed."""
    if shut and things == 0:
        return 5
    return 7 if things == 0 else 6 + 3 * things + (things > 1)


@inner
def speech(s: State, c: Scalars, b: int, i: int, action: int) -> tuple[int, int, int, int]:
    """`resolve` for what one says: what is in a receptacle, where an object is, where one is going.

    One can say what one has seen or heard, and while the words last.
    """
    kinds = c.known + 3 * c.receptacles
    verb, o, r, words, fault = SAY_PLACE, -1, -1, 7, NONE
    if action < c.receptacles:
        r = action
        if r >= s.sizes[b, 0]:
            return verb, o, r, UNKNOWN
        status, things = int(s.seen[b, i, c.known + c.receptacles + r]), 0
        if status == 0:
            fault = NOT_KNOWN
        for n in range(int(s.sizes[b, 1])):
            things += s.seen[b, i, kinds + c.objects + n] == 1 + r
        words = words_of(things, status == 1)
    elif action < c.receptacles + c.objects:
        verb, o = SAY_THING, action - c.receptacles
        if o >= s.sizes[b, 1]:
            return verb, o, r, UNKNOWN
        where = int(s.seen[b, i, kinds + c.objects + o])
        if where == 0:
            fault = NOT_KNOWN
        r = -1 if where == IN_HAND else where - 1
        words = 5 if where == IN_HAND else 9
    else:
        verb, r = SAY_GOING, action - c.receptacles - c.objects
        if r >= s.sizes[b, 0]:
            return verb, o, r, UNKNOWN
    if fault == NONE and words > s.budget[b, i]:
        fault = TOO_LONG
    return verb, o, r, fault


@inner
def resolve(s: State, c: Scalars, b: int, i: int, action: int) -> tuple[int, int, int, int]:
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
        rest = action - (c.copies + 2) * c.objects
        said = 2 * c.receptacles + c.objects if c.talk > 0 else 0
        if rest < said:
            return speech(s, c, b, i, rest)
        verb = EXAMINE_HELD + rest - said
        o = int(s.hold[b, i]) if verb == EXAMINE_HELD else -1
        fault = NONE
        if verb == EXAMINE_HELD and o < 0:
            fault = HANDS_EMPTY
        if verb == NOTHING or (verb == HELP and c.helps == 0):
            fault = UNKNOWN
        return verb, o, -1, fault
    r = -1
    if o < s.sizes[b, 1]:
        r = lies_in(s, b, i, o, nth, c.quirks != 0 and verb == USE)
    return verb, o, r, _fault_of_object(s, c, b, i, verb, o, r)
