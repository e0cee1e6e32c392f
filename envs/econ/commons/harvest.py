"""The harvest: what each gets of what there is, fees and audits, and what came of pledges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, special
from ludarium.envs.core.rng import below, draw
from ludarium.envs.econ.commons.config import UNIT
from ludarium.envs.econ.commons.dynamics import (
    NO_CHOICE,
    PERCENT,
    PLAIN,
    STREAM_AUDIT,
    STREAM_LOTTERY,
    STREAM_TIES,
    Scalars,
    State,
    heads_of,
    present,
)  # fmt: skip

__all__ = ["harvest"]


# --- allocation ------------------------------------------------------------------------------------------------------
@inner
def _before(s: State, b: int, wants: int, i: int, j: int, stock: int) -> bool:
    """Whether the remainder of i's share is larger than that of j's, or the draw of the round puts him first."""
    mine, other = np.int64(s.wanted[b, i]) * stock % wants, np.int64(s.wanted[b, j]) * stock % wants
    if mine != other:
        return mine > other
    played = np.int64(s.round[b])
    first = draw(s.key[b], STREAM_TIES, played, np.int64(s.name[b, i]), 0)
    return first < draw(s.key[b], STREAM_TIES, played, np.int64(s.name[b, j]), 0)


@inner
def _share(s: State, c: Scalars, b: int, wants: int, stock: int) -> None:
    """Shares in proportion to what was wanted; units that are left over go by largest remainder."""
    left = stock
    for i in range(c.harvesters):
        s.got[b, i] = np.int64(s.wanted[b, i]) * stock // wants if s.wanted[b, i] > 0 else 0
        left -= np.int64(s.got[b, i])
    if left == 0:
        return
    for i in range(c.harvesters):  # who has fewer than `left` others before him
        if s.wanted[b, i] <= 0:
            continue
        ahead = 0
        for j in range(c.harvesters):
            ahead += j != i and s.wanted[b, j] > 0 and _before(s, b, wants, j, i, stock)
        s.got[b, i] += ahead < left


@inner
def _draw_lots(s: State, c: Scalars, b: int, wants: int, stock: int) -> None:
    """Unit by unit to one of the units that are still wanted, each as likely as any other."""
    for i in range(c.harvesters):
        s.got[b, i] = 0
    for k in range(stock):
        place = below(draw(s.key[b], STREAM_LOTTERY, np.int64(s.round[b]), k, 0), wants - k)
        for name in range(c.harvesters):
            seat = np.int64(s.order[b, name])
            place -= max(np.int64(s.wanted[b, seat]), 0) - np.int64(s.got[b, seat])
            if place < 0:
                s.got[b, seat] += 1
                break


@special(_draw_lots, PLAIN)
def _no_lots(s: State, c: Scalars, b: int, wants: int, stock: int) -> None:
    """There is no lottery."""


@inner
def _allocate(s: State, c: Scalars, b: int) -> int:
    """Give everybody what he wants, or less where there is not enough; return the sum."""
    wants, stock, wanted, got, n = np.int64(0), np.int64(s.stock[b]), s.wanted[b], s.got[b], c.harvesters
    for i in range(n):
        want = np.int64(wanted[i]) if wanted[i] > 0 else 0
        got[i] = want
        wants += want
    if wants <= stock:
        return wants
    if c.lottery:
        _draw_lots(s, c, b, wants, stock)
    else:
        _share(s, c, b, wants, stock)
    return stock


# --- harvest ---------------------------------------------------------------------------------------------------------
@inner
def _levy(s: State, c: Scalars, b: int, i: int) -> None:
    """Fees, and fines for those above the quota whom an audit finds, as far as their money goes."""
    got, quota, played = np.int64(s.got[b, i]), np.int64(s.quota[b]), np.int64(s.round[b])
    fee = got * np.int64(s.fee[b])
    s.fined[b, i] = 0
    if 0 <= quota < got:
        s.excess[b] += got - quota
        chance = below(draw(s.key[b], STREAM_AUDIT, played, np.int64(s.name[b, i]), 0), PERCENT)
        if chance < np.int64(s.audit[b]):
            due = np.int64(s.fine[b]) * (got - quota)
            most = np.int64(s.cash[b, i]) - fee
            s.fined[b, i] = due if due < most else most
    s.cash[b, i] -= fee + s.fined[b, i]
    s.treasury[b] += fee + s.fined[b, i]
    s.paid[b, 0] += fee
    s.paid[b, 1] += s.fined[b, i]


@special(_levy, PLAIN)
def _no_levy(s: State, c: Scalars, b: int, i: int) -> None:
    """There are no rules."""


@inner
def _note_pledges(s: State, c: Scalars, b: int) -> None:
    """Hold pledges against what was wanted; they bind nobody, and are gone then."""
    for i in range(c.harvesters):
        pledge = np.int64(s.pledge[b, i])
        s.held[b, i] = pledge
        s.pledge[b, i] = -1
        if pledge >= 0:
            s.pledged[b, 0] += 1
            s.pledged[b, 1] += np.int64(s.wanted[b, i]) <= pledge


@special(_note_pledges, PLAIN)
def _no_pledges(s: State, c: Scalars, b: int) -> None:
    """There are none."""


@inner
def harvest(
    s: State, c: Scalars, b: int, act: NDArray[np.int64], reward: NDArray[np.float64], fault: NDArray[np.int16]
) -> int:
    """All take at once; return the sum."""
    played, n, wanted, got = np.int64(s.round[b]), c.harvesters, s.wanted[b], s.got[b]
    heads, cap = heads_of(c, played), c.cap
    for i in range(n):
        want = act[i, 0]
        if want > cap:
            fault[i] = NO_CHOICE
            want = 0
        wanted[i] = want if present(c, i, played) else -1
    stock = np.int64(s.stock[b])
    total = _allocate(s, c, b)
    s.found[b] = stock
    s.stock[b] = stock - total
    fair, place, over = c.sustainable[stock], played % c.path, 0
    cash, totals, taken = s.cash[b], s.total[b], s.taken[b, place]
    for i in range(n):
        mine, before = np.int64(got[i]), np.int64(cash[i])
        cash[i] = before + mine * UNIT
        _levy(s, c, b, i)
        reward[i] = np.float64(np.int64(cash[i]) - before) / np.float64(UNIT)
        totals[i] += mine
        taken[i] = mine
        over += mine * heads > fair
    _note_pledges(s, c, b)
    s.harvests[b, 0] += heads
    s.harvests[b, 1] += over
    s.path[b, place] = stock
    s.survived[b] += 1
    return total
