"""What seats see, as float32 vectors named number by number, and the masks of harvesters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, special, tight
from ludarium.envs.econ.commons.dynamics import HARVEST, PLAIN, PLEDGE, PUNISH, TALK, VOTE, Scalars, State

if TYPE_CHECKING:
    from ludarium.envs.econ.commons.config import CommonsConfig

__all__ = ["mask", "names", "see"]

ALL, OWN, AGGREGATE = range(3)


def names(config: CommonsConfig, own: bool) -> tuple[str, ...]:
    """What each number of an observation is: a harvester's own view, or the governor's."""
    n = config.num_harvesters
    found = [
        "rounds_played",
        "rounds_left",
        "phase",
        "stock",
        "sustainable",
        "harvesters",
        "last_stock",
        "last_harvest",
    ]
    if own:
        found += ["seat", "cash", "wanted", "last_fine", "last_fault"]
    found += [f"got_{i}" for i in range(n)]
    if config.pledges or config.utterances:
        found += [f"pledge_{i}" for i in range(n)] + [f"held_{i}" for i in range(n)]
    if config.utterances:
        found += [f"limit_{i}" for i in range(n)] + [f"accused_{i}" for i in range(n)]
    if config.governed:
        found += ["quota", "fee", "fine", "audit"]
    if config.rule >= 0:
        found += [f"slate_{k}" for k in range(4)]
    return tuple(found)


@inner
def _public(s: State, c: Scalars, b: int, out: NDArray[np.float32]) -> None:
    played, stock = np.int64(s.round[b]), np.int64(s.stock[b])
    out[0] = played
    out[1] = c.rounds - played
    out[2] = s.phase[b]
    out[3] = stock
    out[4] = c.sustainable[stock] if c.hint else -1
    out[5] = c.harvesters if played + 1 >= c.newcomer else c.harvesters - 1
    out[6] = s.found[b]
    if c.reveal == OWN:
        out[7] = -1.0
        return
    total = np.int64(0)
    for i in range(c.harvesters):
        total += np.int64(s.got[b, i])
    out[7] = total


@inner
def _own(s: State, c: Scalars, b: int, seat: int, out: NDArray[np.float32]) -> None:
    out[8] = seat
    out[9] = np.float64(s.cash[b, seat]) / 100.0
    out[10] = s.wanted[b, seat]
    out[11] = np.float64(s.fined[b, seat]) / 100.0
    out[12] = s.code[b, seat]


@inner
def _talked(s: State, c: Scalars, b: int, out: NDArray[np.float32], at: int) -> int:
    """Pledges, limits, and by how many each was accused."""
    n = c.harvesters
    if c.pledges or c.utterances > 0:
        for i in range(n):
            out[at + i] = s.pledge[b, i]
            out[at + n + i] = s.held[b, i]
        at += 2 * n
    if c.utterances > 0:
        for i in range(n):
            out[at + i] = s.limit[b, i]
            out[at + n + i] = 0.0
        for i in range(n):
            if s.accused[b, i] >= 0:
                out[at + n + np.int64(s.accused[b, i])] += 1.0
        at += 2 * n
    return at


@inner
def _shared(s: State, c: Scalars, b: int, seat: int, out: NDArray[np.float32], at: int) -> None:
    """Harvests as far as they are told, then what was said, and the rules in force; `seat` -1: the governor."""
    n = c.harvesters
    for i in range(n):
        out[at + i] = s.got[b, i] if c.reveal == ALL or i == seat else -1.0
    at = _talked(s, c, b, out, at + n)
    if c.governed:
        out[at] = s.quota[b]
        out[at + 1] = s.fee[b]
        out[at + 2] = s.fine[b]
        out[at + 3] = s.audit[b]
        at += 4
    if c.rule >= 0:
        for k in range(4):
            out[at + k] = s.slate[b, k]


@special(_shared, PLAIN)
def _shared_plainly(s: State, c: Scalars, b: int, seat: int, out: NDArray[np.float32], at: int) -> None:
    """Nothing but harvests."""
    got = s.got[b]
    if c.reveal == ALL:
        for i in range(c.harvesters):
            out[at + i] = got[i]
        return
    for i in range(c.harvesters):
        out[at + i] = got[i] if i == seat else -1.0


@tight
def see(s: State, c: Scalars, own: bool, seats: NDArray[np.int32], out: NDArray[np.float32]) -> None:
    """Write float32[B, n, X] of the seats int32[B, n] (-1: skip): harvesters, or the governor (`own` False)."""
    for b in range(seats.shape[0]):
        first = np.int64(-1)
        for n in range(seats.shape[1]):
            i, row = np.int64(seats[b, n]), out[b, n]
            if i < 0:
                continue
            if first < 0:
                first = np.int64(n)
                _public(s, c, b, row)
            else:
                for k in range(8):
                    row[k] = out[b, first, k]
            if own:
                _own(s, c, b, i, row)
                _shared(s, c, b, i, row, 13)
            else:
                _shared(s, c, b, -1, row, 8)


@inner
def _allow(out: NDArray[np.int8], first: int, count: int) -> None:
    for a in range(first, first + count):
        out[a] = 1


@inner
def _allow_others(s: State, c: Scalars, b: int, seat: int, out: NDArray[np.int8], first: int) -> None:
    """All who take part, but oneself."""
    for j in range(c.harvesters):
        out[first + j] = j != seat and (j < c.harvesters - 1 or s.round[b] + 1 >= c.newcomer)


@inner
def _mask_talk(s: State, c: Scalars, b: int, seat: int, out: NDArray[np.int8]) -> None:
    """Silence; everything else if there is money for it."""
    out[0] = 1
    if s.speaker[b] == seat and np.int64(s.cash[b, seat]) >= c.talk_cost:
        _allow(out, 1, 2 * (c.cap + 1))
        _allow_others(s, c, b, seat, out, 1 + 2 * (c.cap + 1))


@tight
def mask(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
    """Write int8[B, n, A] of the harvesters int32[B, n] (-1: skip): the choices that the phase has."""
    for b in range(seats.shape[0]):
        phase = np.int64(s.phase[b])
        for n in range(seats.shape[1]):
            seat = np.int64(seats[b, n])
            if seat < 0:
                continue
            for a in range(c.actions):
                out[b, n, a] = 0
            if phase == HARVEST:
                _allow(out[b, n], 0, c.cap + 1)
            elif phase == PLEDGE:
                _allow(out[b, n], 0, c.cap + 2)
            elif phase == TALK:
                _mask_talk(s, c, b, seat, out[b, n])
            elif phase == VOTE:
                _allow(out[b, n], 0, c.ballots)
            elif phase == PUNISH:
                out[b, n, 0] = 1
                if np.int64(s.cash[b, seat]) >= c.punish_cost:
                    _allow_others(s, c, b, seat, out[b, n], 1)
            else:
                out[b, n, 0] = 1
