"""The clock of the market: periods, auctions, and whose turn it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, tight
from ludarium.envs.core.rng import below, draw
from ludarium.envs.econ.market.state import ALWAYS, BOTH, CLOSE, OPEN, Scalars, State

__all__ = ["asked", "calling", "clearing", "draw_turns", "left_in_period", "place_of", "to_come"]

STREAM_TURNS = 11


@inner
def left_in_period(c: Scalars, t: int) -> int:
    """Steps of its period that follow step t."""
    end = min((t // c.period_steps + 1) * c.period_steps, c.max_steps)
    return end - t - 1


@inner
def calling(c: Scalars, t: int) -> bool:
    """Whether step t collects orders for an auction."""
    if c.calls == ALWAYS:
        return True
    opening = (c.calls == OPEN or c.calls == BOTH) and t % c.period_steps < c.call_steps
    return opening or ((c.calls == CLOSE or c.calls == BOTH) and left_in_period(c, t) < c.call_steps)


@inner
def clearing(c: Scalars, t: int) -> bool:
    """Whether an auction clears at the end of step t."""
    if not calling(c, t):
        return False
    last = c.calls != CLOSE and t % c.period_steps == c.call_steps - 1
    return c.calls == ALWAYS or last or left_in_period(c, t) == 0


@inner
def to_come(c: Scalars, t: int) -> int:
    """Dividends that are still to be paid after t steps."""
    return 0 if t >= c.max_steps else c.periods - t // c.period_steps


@inner
def place_of(c: Scalars, t: int) -> int:
    """Where in the order of turns the seat stands that acts in step t, if one acts."""
    return 0 if c.events else t % c.seats


@inner
def draw_turns(s: State, c: Scalars, b: int) -> None:
    """Draw the order of the seats for the round that begins now; equal names come in the same order in every labelling.

    Where each step is an event of its own, one seat is drawn, and stands first.
    """
    key, t, turn, name = np.uint64(s.key[b]), np.int64(s.t[b]), s.turn[b], s.name[b]
    if c.events:
        drawn = below(draw(key, STREAM_TURNS, t, 0, 1), c.seats)
        for seat in range(c.seats):
            if name[seat] == drawn:
                turn[0] = seat
        return
    for seat in range(c.seats):
        turn[np.int64(name[seat])] = seat
    for i in range(c.seats - 1, 0, -1):
        j = below(draw(key, STREAM_TURNS, t, i, 0), i + 1)
        kept = turn[i]
        turn[i] = turn[j]
        turn[j] = kept


@tight
def asked(s: State, c: Scalars, out: NDArray[np.int8]) -> None:
    """All seats, or the one whose turn it is (int8[B, S])."""
    for b in range(out.shape[0]):
        for seat in range(c.seats):
            out[b, seat] = not s.over[b] and not c.sequential
        if c.sequential and not s.over[b]:
            out[b, np.int64(s.turn[b, place_of(c, np.int64(s.t[b]))])] = 1
