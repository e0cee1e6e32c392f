"""The state of the commons, its scalars, who acts, and how an episode begins.

A step is one phase of a round: the governor's rules, pledges, the harvest, one turn to speak, a vote, punishments; then
the stock grows back. Seats are the harvesters, then the governor. Axis 0 is the episode in the batch.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, tight
from ludarium.envs.core.rng import below, draw, episode_key
from ludarium.envs.core.state import COMMON, Field
from ludarium.envs.econ.commons.config import CANDIDATES

__all__ = [
    "FAULTS", "GOVERN", "HARVEST", "PATH", "PHASES", "PLAIN", "PLEDGE", "PUNISH", "SHOCK", "TALK", "VOTE", "Scalars", "State",
    "asked", "begin", "fields", "heads_of", "present",
]  # fmt: skip

FAULTS = ("none", "no_choice", "oneself", "absent", "no_money")
"""Why an action had no effect, by number."""
NO_CHOICE, ONESELF, ABSENT, NO_MONEY = range(1, len(FAULTS))
PHASES = ("govern", "pledge", "harvest", "talk", "vote", "punish")
GOVERN, PLEDGE, HARVEST, TALK, VOTE, PUNISH = range(len(PHASES))
STREAM_START, STREAM_SPEAKER, STREAM_LOTTERY, STREAM_TIES, STREAM_AUDIT, STREAM_VOTE = 1, 2, 3, 4, 5, 6
SHOCK = 7
"""The stream of shocks: one draw a round."""
PLAIN = "plain"
"""The variant of the scalars of worlds in which all harvest in every step and nothing else happens."""
PATH = 64
"""Rounds of which stock and harvests are kept."""
PERCENT = 100


class Scalars(NamedTuple):
    """The parameters that kernels read."""

    harvesters: int
    governor: int
    """governors, 0 or 1"""
    max_steps: int
    rounds: int
    cap: int
    threshold: int
    drawn: bool
    shock: int
    """parts of 2 ** 32"""
    loss: int
    """parts of 10,000"""
    lottery: bool
    reveal: int
    hint: bool
    pledges: bool
    utterances: int
    words: int
    talk_cost: int
    rule: int
    score_levels: int
    ballots: int
    punishment: bool
    punish_cost: int
    punish_fine: int
    quota: int
    """-1: none"""
    fee: int
    fine: int
    audit: int
    """per cent"""
    rebate: bool
    newcomer: int
    governed: bool
    actions: int
    path: int
    grow: NDArray[np.int64]
    """int64[cap + 1]: the stock that comes of what is left"""
    sustainable: NDArray[np.int64]
    """int64[cap + 1]: the most that may be taken of a stock so that it comes back"""


class State(NamedTuple):
    """A batch of episodes. N harvesters, W bytes of a message, H rounds of history."""

    key: NDArray[np.uint64]
    t: NDArray[np.int32]
    over: NDArray[np.bool_]
    live: NDArray[np.bool_]
    inst: NDArray[np.int32]
    stock: NDArray[np.int32]
    round: NDArray[np.int32]
    phase: NDArray[np.int8]
    utterance: NDArray[np.int32]
    """int32[B]: turns to speak that this round had"""
    silent: NDArray[np.int32]
    """int32[B]: turns in a row in which nothing was said"""
    speaker: NDArray[np.int16]
    """int16[B]: who may speak now, -1: nobody"""
    found: NDArray[np.int32]
    """int32[B]: the stock before the last harvest"""
    wanted: NDArray[np.int32]
    """int32[B, N]: of the last harvest; -1: took no part"""
    got: NDArray[np.int32]
    pledge: NDArray[np.int32]
    """int32[B, N]: what one said he will take at most in the next harvest, -1: nothing"""
    held: NDArray[np.int32]
    """int32[B, N]: the pledge that the last harvest was held against"""
    limit: NDArray[np.int32]
    """int32[B, N]: what one named as a limit for all in the last discussion, -1: nothing"""
    accused: NDArray[np.int16]
    """int16[B, N]: whom one accused in the last discussion, -1: nobody"""
    quota: NDArray[np.int32]
    fee: NDArray[np.int32]
    fine: NDArray[np.int32]
    audit: NDArray[np.int32]
    slate: NDArray[np.int32]
    """int32[B, 4]: the quotas that stand in the vote; -1: none"""
    cash: NDArray[np.int64]
    treasury: NDArray[np.int64]
    spoken: NDArray[np.uint8]
    """uint8[B, N, W]: the last message, zeros behind it"""
    code: NDArray[np.int16]
    """int16[B, S]: the fault of the last action"""
    fined: NDArray[np.int64]
    """int64[B, N]: fines of the last harvest or punishment"""
    name: NDArray[np.int16]
    """int16[B, N]: the number under which a seat's luck is drawn"""
    order: NDArray[np.int16]
    """int16[B, N]: the seat of each name"""
    first: NDArray[np.int32]
    """int32[B]: the stock at the beginning"""
    total: NDArray[np.int64]
    """int64[B, N]: units harvested"""
    survived: NDArray[np.int32]
    """int32[B]: harvests; the one that left too little counts"""
    harvests: NDArray[np.int64]
    """int64[B, 2]: harvests of single seats, and those above the sustainable share"""
    pledged: NDArray[np.int64]
    """int64[B, 2]: pledges that harvests were held against, and those that were kept"""
    named: NDArray[np.int64]
    """int64[B, 2]: limits named, and the sum of their distances from the sustainable total (times those present)"""
    paid: NDArray[np.int64]
    """int64[B, 4]: fees, fines of audits, fines of punishments, and what talk and punishing cost"""
    excess: NDArray[np.int64]
    """int64[B]: units taken above quotas"""
    spoke: NDArray[np.int64]
    """int64[B, 2]: turns in which something was said, and accusations"""
    votes: NDArray[np.int64]
    """int64[B, 2]: votes, and those without a Condorcet winner"""
    faults: NDArray[np.int32]
    path: NDArray[np.int32]
    """int32[B, H]: the stock before the harvest of a round; a ring"""
    taken: NDArray[np.int32]
    """int32[B, H, N]: what each got; a ring"""


def fields(c: Any) -> tuple[Field, ...]:
    """The layout of a state for these scalars."""
    n = (c.harvesters,)
    counts = [
        Field(name, np.int64, (size,), "derived")
        for name, size in (("harvests", 2), ("pledged", 2), ("named", 2), ("paid", 4))
    ]
    return (
        *COMMON(c.harvesters + c.governor),
        Field("stock", np.int32), Field("round", np.int32), Field("phase", np.int8), Field("utterance", np.int32),
        Field("silent", np.int32), Field("speaker", np.int16), Field("found", np.int32), Field("wanted", np.int32, n),
        Field("got", np.int32, n), Field("pledge", np.int32, n), Field("held", np.int32, n), Field("limit", np.int32, n),
        Field("accused", np.int16, n), Field("quota", np.int32), Field("fee", np.int32), Field("fine", np.int32),
        Field("audit", np.int32), Field("slate", np.int32, (CANDIDATES,)), Field("cash", np.int64, n),
        Field("treasury", np.int64), Field("spoken", np.uint8, (*n, c.words)),
        Field("code", np.int16, (c.harvesters + c.governor,), "derived"), Field("fined", np.int64, n, "derived"),
        Field("name", np.int16, n, "derived"), Field("order", np.int16, n, "derived"), Field("first", np.int32, (), "derived"),
        Field("total", np.int64, n, "derived"), Field("survived", np.int32, (), "derived"), *counts,
        Field("excess", np.int64, (), "derived"), Field("spoke", np.int64, (2,), "derived"),
        Field("votes", np.int64, (2,), "derived"), Field("faults", np.int32, (), "derived"),
        Field("path", np.int32, (c.path,), "derived"), Field("taken", np.int32, (c.path, *n), "derived"),
    )  # fmt: skip


# --- who is there, and who acts --------------------------------------------------------------------------------------
@inner
def present(c: Scalars, i: int, played: int) -> bool:
    """Whether harvester i takes part in the round after `played` ones."""
    return i < c.harvesters - 1 or played + 1 >= c.newcomer


@inner
def heads_of(c: Scalars, played: int) -> int:
    """How many take part in it."""
    return c.harvesters if played + 1 >= c.newcomer else c.harvesters - 1


@tight
def asked(s: State, c: Scalars, out: NDArray[np.int8]) -> None:
    """Who acts in the phase (int8[B, S]): 1 harvest, 2 pledge, 3 speak, 4 vote, 5 punish; the governor 1."""
    for b in range(out.shape[0]):
        phase, played = np.int64(s.phase[b]), np.int64(s.round[b])
        kind = 1 if phase == HARVEST else 2 if phase == PLEDGE else 3 if phase == TALK else 4 if phase == VOTE else 5
        if s.over[b] or phase == GOVERN:
            kind = 0
        for i in range(c.harvesters):
            here = present(c, i, played) and (phase != TALK or s.speaker[b] == i)
            out[b, i] = kind if here else 0
        if c.governor:
            out[b, c.harvesters] = phase == GOVERN and not s.over[b]


# --- reset -----------------------------------------------------------------------------------------------------------
@inner
def _wipe(s: State, c: Scalars, b: int) -> None:
    """Nothing has happened yet."""
    for i in range(c.harvesters):
        s.wanted[b, i] = -1
        s.got[b, i] = 0
        s.pledge[b, i] = -1
        s.held[b, i] = -1
        s.limit[b, i] = -1
        s.accused[b, i] = -1
        s.cash[b, i] = 0
        s.fined[b, i] = 0
        s.total[b, i] = 0
        for k in range(c.words):
            s.spoken[b, i, k] = 0
    for k in range(4):
        s.paid[b, k] = 0
        s.slate[b, k] = -1
    for k in range(2):
        s.harvests[b, k] = 0
        s.pledged[b, k] = 0
        s.named[b, k] = 0
        s.spoke[b, k] = 0
        s.votes[b, k] = 0
    for h in range(c.path):
        s.path[b, h] = 0
        for i in range(c.harvesters):
            s.taken[b, h, i] = 0


@tight
def begin(
    s: State, c: Scalars, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32], loaded: int
) -> None:
    """Begin episodes in the rows of `which`: drawn from the seed, or where `load` put them (slot `loaded`)."""
    for b in range(which.shape[0]):
        if not which[b]:
            continue
        s.key[b] = episode_key(seeds[b])
        s.inst[b] = slots[b]
        s.t[b] = 0
        s.over[b] = False
        for seat in range(c.harvesters + c.governor):
            s.live[b, seat] = True
            s.code[b, seat] = 0
        if slots[b] != loaded:
            s.first[b] = c.cap
            if c.drawn:
                s.first[b] = c.threshold + below(draw(s.key[b], STREAM_START, 0, 0, 0), c.cap - c.threshold + 1)
            for i in range(c.harvesters):
                s.name[b, i] = i
        for i in range(c.harvesters):
            s.order[b, np.int64(s.name[b, i])] = i
        _wipe(s, c, b)
        s.stock[b] = s.first[b]
        s.found[b] = s.first[b]
        s.round[b] = 0
        s.phase[b] = GOVERN if c.governor else PLEDGE if c.pledges else HARVEST
        s.utterance[b] = 0
        s.silent[b] = 0
        s.speaker[b] = -1
        s.quota[b] = c.quota
        s.fee[b] = c.fee
        s.fine[b] = c.fine
        s.audit[b] = c.audit
        s.treasury[b] = 0
        s.survived[b] = 0
        s.excess[b] = 0
        s.faults[b] = 0
