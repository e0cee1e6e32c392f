"""The state of the tax economy, the scalars that kernels read, and their layout.

Axis 0 is the episode in the batch. Seat 0 is the planner, seats 1 to N are the workers, or seat 1 is all of them. All money
is int64 cents, rates are basis points, hours are whole parts of an hour.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.state import COMMON, Field

__all__ = [
    "BALLOT", "BOOKS", "DEFER", "HOURS", "LOADED", "MEMORY", "PLAIN", "PLATFORM", "RATES", "STAND", "STREAM_DICTATOR",
    "STREAM_SLATE", "STREAM_TIES", "VOTE", "WORK", "Scalars", "State", "fields", "variant",
]  # fmt: skip

STAND, VOTE, RATES, WORK = range(4)
"""Phases: who stands, who wins, which rates, how many hours."""
HOURS, BALLOT, PLATFORM, DEFER = 1, 2, 3, 4
"""Faults: an action of another kind of decision, where there are fewer of this one; income put off to a year that is none."""
LOADED = -2
STREAM_SLATE, STREAM_TIES, STREAM_DICTATOR = 2, 3, 4
BOOKS = 12
"""Accounts of what gaming brings, numbered in `gaming`."""
MEMORY = 5
"""Settlements whose welfare a planner sees."""


class Scalars(NamedTuple):
    """The parameters that kernels read."""

    workers: int
    grouped: bool
    max_steps: int
    steps_per_year: int
    actions: int
    choices: int
    hour_parts: int
    brackets: int
    delta: bool
    rate_step: int
    yearly: bool
    utility: int
    eta: float
    d: float
    k: float
    swf: int
    change: bool
    rule: int
    candidates: int
    candidacy: bool
    score_levels: int
    ballots: int
    platforms: int
    tastes: int
    drawn: int
    kind: int
    scale: float
    shape: float
    cents: float
    personas: bool
    gaming: bool
    shifts: int
    hides: int
    pools: int
    audit: int
    penalty: int
    ring: int


PLAIN = "plain"
"""The variant of scalars of quasi-linear workers under weighted welfare, taxed each step, without votes: fewer kernels."""


def variant(c: Scalars) -> str:
    """The variant that the scalars are frozen as."""
    return PLAIN if c.utility == 0 and c.swf <= 2 and c.rule < 0 and not c.yearly else ""


class State(NamedTuple):
    """A batch of episodes: N workers, K brackets, C candidates, A choices of hours, P tastes."""

    key: NDArray[np.uint64]
    t: NDArray[np.int32]
    over: NDArray[np.bool_]
    live: NDArray[np.bool_]
    inst: NDArray[np.int32]
    phase: NDArray[np.int8]
    year: NDArray[np.int32]
    day: NDArray[np.int32]
    """int32[B]: working steps of this year"""
    leader: NDArray[np.int32]
    """int32[B]: the worker who won the last vote, or -1"""
    promise: NDArray[np.int16]
    """int16[B]: the platform of the leader, or -1"""
    slate: NDArray[np.int32]
    """int32[B, C]: the candidates, -1 where there are fewer"""
    platform: NDArray[np.int16]
    """int16[B, C]: what they stand for (twentieths of a flat rate), -1: nothing"""
    tally: NDArray[np.int64]
    cycles: NDArray[np.int32]
    votes: NDArray[np.int32]
    """int32[B]: votes held so far"""
    rates: NDArray[np.int64]
    base: NDArray[np.int64]
    hours: NDArray[np.uint16]
    """uint16[B, N]: parts of hours worked in the last working step"""
    earned: NDArray[np.int64]
    """int64[B, N or 0]: income of this year, where taxes are due once a year"""
    toil: NDArray[np.int64]
    """int64[B, N or 0]: disutility of this year, likewise"""
    rebate: NDArray[np.int64]
    revenue: NDArray[np.int64]
    treasury: NDArray[np.int64]
    produced: NDArray[np.int64]
    taxed: NDArray[np.int64]
    shared: NDArray[np.int64]
    kept: NDArray[np.int64]
    """int64[B]: what workers have got in all, rebates included"""
    welfare: NDArray[np.float64]
    recent: NDArray[np.float64]
    """float64[B, 5]: welfare at the last settlements, the last one first"""
    welfare_sum: NDArray[np.float64]
    settled: NDArray[np.int32]
    worked: NDArray[np.int64]
    """int64[B]: parts of hours in all"""
    idle: NDArray[np.int64]
    """int64[B]: workers and steps without work"""
    labour_steps: NDArray[np.int32]
    faults: NDArray[np.int32]
    counts: NDArray[np.int64]
    """int64[B, K]: workers by bracket at the last survey"""
    deciles: NDArray[np.int64]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    gini: NDArray[np.float64]
    due: NDArray[np.int64]
    """int64[B, N or 0]: income of last year that is still to be taxed, where income can be put off"""
    carried: NDArray[np.int64]
    """int64[B, N or 0]: income of this year that was put off to the next, likewise"""
    owed: NDArray[np.int64]
    """int64[B, N or 0]: taxes and fines of the last working step, where there is a game to play"""
    books: NDArray[np.int64]
    """int64[B, 12 or 0]: what `gaming` counts, likewise"""
    wage: NDArray[np.int64]
    """int64[B, N]: cents a period for each hour"""
    person: NDArray[np.uint8]
    """uint8[B, N or 0, 4]: occupation, sex, age group, taste"""
    weight: NDArray[np.float64]
    """float64[B, N]: welfare weights of mean 1"""
    cost: NDArray[np.int64]
    """int64[B, P, A]: disutility of hours in cents"""
    strain: NDArray[np.float64]
    """float64[B, P or 0, A]: disutility of hours where it is no money"""
    median_wage: NDArray[np.int64]
    median_income: NDArray[np.float64]
    """float64[B]: of untaxed best responses, in cents: the unit of observations and rewards"""
    scale_k: NDArray[np.float64]
    hours_before: NDArray[np.uint16]
    """uint16[B, N]: parts of hours worked in the last step of the year before the rates were set"""
    rates_before: NDArray[np.int64]
    """int64[B, K]: the rates of that year"""
    ballot: NDArray[np.int32]
    """int32[B, N or 0]: the ballots of the last vote"""
    wanted: NDArray[np.int64]
    """int64[B, N or 0]: parts of hours that actions mean, where there is a game to play"""
    net: NDArray[np.int64]
    """scratch: income after tax of the row in hand"""
    value: NDArray[np.float64]
    """scratch: utilities of the row in hand"""
    assessed: NDArray[np.int64]
    """scratch: incomes assessed in the row in hand, where there is a game to play"""


def fields(c: Scalars) -> tuple[Field, ...]:
    """The layout of a state."""
    n, i64, f64, i32 = c.workers, np.int64, np.float64, np.int32
    yearly, plain, gaming = n if c.yearly else 0, c.utility == 0, n if c.gaming else 0
    return (
        *COMMON(2 if c.grouped else 1 + n),
        Field("phase", np.int8), Field("year", i32), Field("day", i32), Field("leader", i32), Field("promise", np.int16),
        Field("slate", i32, (c.candidates,)), Field("platform", np.int16, (c.candidates,)),
        Field("tally", i64, (c.candidates,)), Field("cycles", i32), Field("votes", i32),
        Field("rates", i64, (c.brackets,)), Field("base", i64, (c.brackets,)), Field("hours", np.uint16, (n,)),
        Field("earned", i64, (yearly,)), Field("toil", i64, (yearly,)),
        Field("rebate", i64), Field("revenue", i64), Field("treasury", i64), Field("produced", i64), Field("taxed", i64),
        Field("shared", i64), Field("kept", i64), Field("welfare", f64), Field("recent", f64, (MEMORY,)),
        Field("welfare_sum", f64), Field("settled", i32), Field("worked", i64), Field("idle", i64),
        Field("labour_steps", i32), Field("faults", i32),
        Field("counts", i64, (c.brackets,)), Field("deciles", i64, (9,)), Field("mean", f64), Field("deviation", f64),
        Field("gini", f64), Field("due", i64, (gaming,)), Field("carried", i64, (gaming,)), Field("owed", i64, (gaming,)),
        Field("books", i64, (BOOKS if gaming else 0,)), Field("wage", i64, (n,), "derived"),
        Field("person", np.uint8, (n if c.personas else 0, 4), "derived"), Field("weight", f64, (n,), "derived"),
        Field("cost", i64, (c.tastes, c.choices), "derived"),
        Field("strain", f64, (0 if plain else c.tastes, c.choices), "derived"),
        Field("median_wage", i64, (), "derived"), Field("median_income", f64, (), "derived"),
        Field("scale_k", f64, (), "derived"), Field("hours_before", np.uint16, (n,), "derived"),
        Field("rates_before", i64, (c.brackets,), "derived"), Field("ballot", i32, (n if c.rule >= 0 else 0,), "derived"),
        Field("wanted", i64, (gaming,), "derived"), Field("net", i64, (n,), "scratch"),
        Field("value", f64, (n if not plain or c.swf >= 3 else 0,), "scratch"), Field("assessed", i64, (gaming,), "scratch"),
    )  # fmt: skip
