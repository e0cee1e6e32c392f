"""The discussion: turns to speak go round, and a turn says one thing of a small grammar, with free text beside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner
from ludarium.envs.core.rng import below, draw
from ludarium.envs.econ.commons.config import UNIT
from ludarium.envs.econ.commons.dynamics import (
    ABSENT,
    NO_CHOICE,
    NO_MONEY,
    ONESELF,
    STREAM_SPEAKER,
    Scalars,
    State,
    heads_of,
    present,
)  # fmt: skip

__all__ = ["ACCUSE", "LIMIT", "PROMISE", "SILENT", "meaning", "open_talk", "speak", "target_fault"]

SILENT, LIMIT, PROMISE, ACCUSE = range(4)
"""What a turn to speak says."""


@inner
def meaning(c: Scalars, a: int) -> tuple[int, int]:
    """What an action says in a turn to speak, and about how much or whom; (-1, 0) if nothing that there is."""
    if a == 0:
        return SILENT, 0
    if a <= c.cap + 1:
        return LIMIT, a - 1
    if a <= 2 * (c.cap + 1):
        return PROMISE, a - c.cap - 2
    if a <= 2 * (c.cap + 1) + c.harvesters:
        return ACCUSE, a - 2 * (c.cap + 1) - 1
    return -1, 0


@inner
def _next_speaker(s: State, c: Scalars, b: int) -> None:
    """Turns go round by name, from a place that each round draws."""
    n, played = c.harvesters, np.int64(s.round[b])
    first = below(draw(s.key[b], STREAM_SPEAKER, played, 0, 0), n)
    left = np.int64(s.utterance[b]) % heads_of(c, played)
    for k in range(n):
        seat = np.int64(s.order[b, (first + k) % n])
        if present(c, seat, played):
            if left == 0:
                s.speaker[b] = seat
                return
            left -= 1


@inner
def open_talk(s: State, c: Scalars, b: int) -> None:
    """Nothing has been said in this round."""
    s.utterance[b] = 0
    s.silent[b] = 0
    for i in range(c.harvesters):
        s.limit[b, i] = -1
        s.accused[b, i] = -1
        for k in range(c.words):
            s.spoken[b, i, k] = 0
    _next_speaker(s, c, b)


@inner
def target_fault(c: Scalars, b: int, i: int, j: int, played: int) -> int:
    """Why harvester i cannot accuse or punish j, or 0."""
    return ONESELF if i == j else 0 if present(c, j, played) else ABSENT


@inner
def _say(s: State, c: Scalars, b: int, i: int, act: NDArray[np.int64], fault: NDArray[np.int16]) -> bool:
    """The speaker's turn; whether something was said."""
    kind, number = meaning(c, act[i, 0])
    length = 0
    for k in range(c.words):
        length += act[i, 1 + k] != 0
    if kind < 0:
        fault[i] = NO_CHOICE
        return False
    if kind == SILENT and length == 0:
        return False
    if kind == ACCUSE:
        fault[i] = target_fault(c, b, i, number, np.int64(s.round[b]))
    if fault[i] == 0 and np.int64(s.cash[b, i]) < c.talk_cost:
        fault[i] = NO_MONEY
    if fault[i] != 0:
        return False
    if kind == LIMIT:
        s.limit[b, i] = number
        heads = heads_of(c, np.int64(s.round[b]) + 1)
        s.named[b, 0] += 1
        s.named[b, 1] += abs(number * heads - c.sustainable[c.grow[np.int64(s.stock[b])]])
    elif kind == PROMISE:
        s.pledge[b, i] = number
    elif kind == ACCUSE:
        s.accused[b, i] = number
    for k in range(c.words):
        s.spoken[b, i, k] = act[i, 1 + k]
    s.spoke[b, 0] += 1
    s.spoke[b, 1] += kind == ACCUSE
    return True


@inner
def speak(
    s: State, c: Scalars, b: int, act: NDArray[np.int64], reward: NDArray[np.float64], fault: NDArray[np.int16]
) -> bool:
    """A turn to speak; whether the discussion is over: by its length, or because all were silent in a row."""
    i = np.int64(s.speaker[b])
    if _say(s, c, b, i, act, fault):
        s.silent[b] = 0
        s.cash[b, i] -= c.talk_cost
        s.treasury[b] += c.talk_cost
        s.paid[b, 3] += c.talk_cost
        reward[i] = np.float64(-c.talk_cost) / np.float64(UNIT)
    else:
        s.silent[b] += 1
    s.utterance[b] += 1
    if s.utterance[b] >= c.utterances or s.silent[b] >= heads_of(c, np.int64(s.round[b])):
        s.speaker[b] = -1
        return True
    _next_speaker(s, c, b)
    return False
