"""The dynamics of the tax economy: the state, the scalars, and the compiled kernels over them.

Axis 0 is the episode in the batch. Seat 0 is the planner, seats 1 to N are the workers, or seat 1 is all of them. All money
is int64 cents, rates are basis points, hours are whole parts of an hour. Floats come from `floats` and from + - * / sqrt in
a fixed order, so that equal actions give equal digests everywhere.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, kernel, special
from ludarium.envs.core.rng import below, draw
from ludarium.envs.core.state import COMMON, Field
from ludarium.envs.econ.floats import log_of, power
from ludarium.envs.econ.sorting import sort_whole
from ludarium.envs.econ.taxes import cumulate, tax_of
from ludarium.envs.econ.voting import decide

__all__ = [
    "BALLOT", "DEFER", "HOURS", "PLAIN", "PLATFORM", "RATES", "STAND", "VOTE", "WORK", "Scalars", "State", "asked", "check",
    "fields", "hold_votes", "step", "variant",
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
"""The variant of scalars of quasi-linear workers under weighted welfare, without votes: kernels for it are fewer."""


def variant(c: Scalars) -> str:
    """The variant that the scalars are frozen as."""
    return PLAIN if c.utility == 0 and c.swf <= 2 and c.rule < 0 else ""


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


@kernel
def asked(s: State, c: Scalars, out: NDArray[np.int8]) -> None:
    """Write whom the world waits for (int8[B, S]): the planner for rates; workers to work (1), stand (2) or vote (3)."""
    for b in range(out.shape[0]):
        phase = s.phase[b]
        kind = 0 if s.over[b] or phase == RATES else 1 if phase == WORK else 2 if phase == STAND else 3
        for seat in range(1, out.shape[1]):  # one by one: parts of arrays take long to compile, here and below
            out[b, seat] = kind
        out[b, 0] = phase == RATES and not s.over[b]


@inner
def limit_of(s: State, c: Scalars, b: int) -> int:
    """How many of the workers' actions mean something in this phase."""
    if s.phase[b] == WORK:
        return c.choices * c.shifts * c.hides * c.pools
    return 1 + c.platforms if s.phase[b] == STAND else c.ballots


@kernel
def check(s: State, c: Scalars, actions: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """Write the faults that `step` would find (`actions` int64[B, N], `fault` int16[B, S]), changing nothing."""
    for b in range(s.t.shape[0]):
        if s.over[b]:
            continue
        for seat in range(fault.shape[1]):
            fault[b, seat] = 0
        if s.phase[b] == RATES:
            continue
        code = HOURS if s.phase[b] == WORK else PLATFORM if s.phase[b] == STAND else BALLOT
        limit = limit_of(s, c, b)
        for i in range(c.workers):
            if actions[b, i] >= limit:
                fault[b, 1 if c.grouped else 1 + i] = code


@inner
def _set_rates(s: State, c: Scalars, b: int, edges: NDArray[np.int64], wanted: NDArray[np.int64]) -> None:
    """The planner's choice (int64[K] levels) becomes the year's rates."""
    for i in range(c.workers):
        s.hours_before[b, i] = s.hours[b, i]
    for j in range(c.brackets):
        s.rates_before[b, j] = s.rates[b, j]
        if c.delta:
            s.rates[b, j] = min(max(s.rates[b, j] + (wanted[j] - 2) * 1000, 0), 10_000)
        else:
            s.rates[b, j] = wanted[j] * c.rate_step
    cumulate(edges, s.rates[b], s.base[b])
    s.phase[b] = WORK
    s.day[b] = 0


@inner
def _stand(s: State, c: Scalars, b: int, given: NDArray[np.int64]) -> None:
    """Draw the slate among those who stand: each equally likely, by a lottery of the year."""
    for place in range(c.candidates):
        s.slate[b, place] = -1
        s.platform[b, place] = -1
    seen = 0
    for i in range(c.workers):
        if c.candidacy and not 1 <= given[i] <= c.platforms:
            continue
        seen += 1
        place = seen - 1
        if seen > c.candidates:  # reservoir sampling (Vitter 1985)
            place = below(draw(s.key[b], STREAM_SLATE, s.year[b], i, 0), seen)
        if place < c.candidates:
            s.slate[b, place] = i
            s.platform[b, place] = given[i] - 1 if c.candidacy else -1
    s.phase[b] = VOTE


@special(_stand, PLAIN)
def _stand_never(s: State, c: Scalars, b: int, given: NDArray[np.int64]) -> None:
    """There are no votes, and nobody calls this."""


@kernel
def _elect(s: State, c: Scalars, b: int, cast: NDArray[np.int64]) -> None:
    """Count the ballots; equals win in an order that is drawn anew each year."""
    ties = np.arange(c.candidates)
    for place in range(c.candidates - 1, 0, -1):
        other = below(draw(s.key[b], STREAM_TIES, s.year[b], place, 0), place + 1)
        ties[place], ties[other] = ties[other], ties[place]
    dictator = below(draw(s.key[b], STREAM_DICTATOR, s.year[b], 0, 0), c.workers)
    winner, circle = decide(c.rule, cast, s.slate[b] >= 0, c.score_levels, ties, dictator, s.tally[b])
    for i in range(c.workers):
        s.ballot[b, i] = cast[i]
    s.leader[b] = -1 if winner < 0 else s.slate[b, winner]
    s.promise[b] = -1 if winner < 0 else s.platform[b, winner]
    s.cycles[b] += circle
    s.votes[b] += 1
    s.phase[b] = RATES


@inner
def felt(money: float, strain: float, c: Scalars, unit: float) -> float:
    """The utility of money (cents, counted from one upwards, against `unit`) under `crra` and `log`, less the strain."""
    share = max(money, 1.0) / unit
    if c.utility == 2:
        return log_of(share) - strain
    return (power(share, 1.0 - c.eta) - 1.0) / (1.0 - c.eta) - strain


@special(felt, PLAIN)
def _felt_never(money: float, strain: float, c: Scalars, unit: float) -> float:
    """Utility is money, and nobody calls this."""
    return money


@kernel
def survey(s: State, c: Scalars, b: int, edges: NDArray[np.int64]) -> None:
    """What a planner is told of incomes: counts by bracket, deciles, mean, deviation, Gini (0 where all are idle)."""
    n = c.workers
    incomes = np.empty(n, np.int64)
    for i in range(n):
        incomes[i] = s.wage[b, i] * np.int64(s.hours[b, i]) // c.hour_parts
    sort_whole(incomes)
    for j in range(c.brackets):
        s.counts[b, j] = 0
    bracket, total, ranked = 0, 0.0, 0.0
    for i in range(n):
        while bracket + 1 < c.brackets and incomes[i] >= edges[bracket + 1]:
            bracket += 1
        s.counts[b, bracket] += 1
        total += incomes[i]
        ranked += (2.0 * (i + 1) - n - 1.0) * incomes[i]
    for q in range(9):
        s.deciles[b, q] = incomes[(q + 1) * (n - 1) // 10]
    s.mean[b] = total / n
    spread = 0.0
    for i in range(n):
        spread += (incomes[i] - s.mean[b]) * (incomes[i] - s.mean[b])
    s.deviation[b] = math.sqrt(spread / n)
    s.gini[b] = ranked / (n * total) if total > 0.0 else 0.0


@kernel
def _welfare(s: State, c: Scalars, b: int, weighted: float, least: float, mean_income: float) -> float:
    """Welfare a head: of the weighted sum of utilities, the least one, or what `value` holds."""
    n = c.workers
    if c.swf <= 2:
        return weighted / n
    if c.swf == 3:
        return least
    if c.swf == 6:
        return weighted
    value = s.value[:n]
    if c.swf == 4:  # the equally distributed equivalent (Atkinson 1970)
        total = 0.0
        for i in range(n):
            total += power(max(value[i], 1.0) / s.median_income[b], 1.0 - c.eta)
        return s.median_income[b] * power(total / n, 1.0 / (1.0 - c.eta))
    ordered = np.empty(n, np.int64)
    for i in range(n):
        ordered[i] = np.int64(max(value[i], 0.0))
    sort_whole(ordered)
    total, ranked = 0.0, 0.0
    for i in range(n):
        x = np.float64(ordered[i])
        total += x
        ranked += (2.0 * (i + 1) - n - 1.0) * x
    equality = 1.0 - ranked / (total * (n - 1)) if total > 0.0 and n > 1 else 1.0
    return equality * mean_income


@special(_welfare, PLAIN)
def _weighted_welfare(s: State, c: Scalars, b: int, weighted: float, least: float, mean_income: float) -> float:
    return weighted / c.workers


@kernel
def _work(
    s: State, c: Scalars, b: int, edges: NDArray[np.int64], given: NDArray[np.int64], reward: NDArray[np.float64]
) -> None:
    """One working step: hours, incomes, tax, rebate, utilities, welfare."""
    n, parts = c.workers, c.hour_parts
    wage, hours, rates, base, net, limit = s.wage[b], s.hours[b], s.rates[b], s.base[b], s.net, c.choices
    revenue, produced, worked, idle, yearly = 0, 0, 0, 0, c.yearly
    gaming = c.gaming
    for i in range(n):
        if given[i] < limit:
            hours[i] = given[i]
        h = np.int64(hours[i])
        z = wage[i] * h if parts == 1 else wage[i] * h // parts
        worked += h
        idle += h == 0
        produced += z
        if yearly:
            s.earned[b, i] += z
            net[i] = z
        else:
            tax = s.owed[b, i] if gaming else tax_of(z, edges, rates, base)
            revenue += tax
            net[i] = z - tax
    s.worked[b] += worked
    s.idle[b] += idle
    s.produced[b] += produced
    s.labour_steps[b] += 1
    s.day[b] += 1
    last = s.day[b] >= c.steps_per_year
    if c.yearly and last:
        for i in range(n):
            tax = tax_of(s.earned[b, i] // c.steps_per_year, edges, rates, base) * c.steps_per_year
            revenue += tax
            net[i] -= tax
    settles = last or not c.yearly
    if settles:
        pot = revenue + s.treasury[b]
        s.rebate[b] = pot // n
        s.treasury[b] = pot - s.rebate[b] * n
        s.revenue[b] = revenue
        s.taxed[b] += revenue
        s.shared[b] += s.rebate[b] * n
    _enjoy(s, c, b, settles, produced, revenue, reward)
    if last:
        survey(s, c, b, edges)
        s.year[b] += 1
        s.phase[b] = RATES if c.rule < 0 else STAND if c.candidacy else VOTE
        if s.phase[b] == VOTE:
            _stand(s, c, b, given)
        for i in range(s.earned.shape[1]):
            s.earned[b, i] = 0
            s.toil[b, i] = 0


@kernel
def _enjoy(
    s: State, c: Scalars, b: int, settles: bool, produced: int, revenue: int, reward: NDArray[np.float64]
) -> None:
    """Utilities of a working step, the workers' rewards, and at a settlement welfare and the planner's reward."""
    n, unit = c.workers, s.median_income[b]
    rebate = s.rebate[b] if settles else 0
    weighted, least, everybody, earned = 0.0, math.inf, 0.0, 0
    days = c.steps_per_year if c.yearly else 1
    hours, net, cost, weight, person = s.hours[b], s.net, s.cost[b], s.weight[b], s.person[b]
    plain, yearly, personas, grouped = c.utility == 0, c.yearly, c.personas, c.grouped
    quick = grouped and plain and settles and not yearly and not personas and c.swf <= 2
    if quick:  # the same sums, with nothing else in the way
        for i in range(n):
            u = np.float64(net[i] + rebate - cost[0, np.int64(hours[i])])
            everybody += u / unit
            weighted += weight[i] * u
    for i in range(0 if quick else n):
        taste = np.int64(person[i, 3]) if personas else 0
        h = np.int64(hours[i])
        money = net[i] + rebate
        if plain:
            u = np.float64(money - cost[taste, h])
            joy = u / unit
            if yearly:
                s.toil[b, i] += cost[taste, h]
        else:
            u = felt(np.float64(money), s.strain[b, taste, h], c, unit)
            joy = u
        everybody += joy
        if not grouped:
            reward[1 + i] = joy
        if not settles:
            continue
        if yearly and plain:
            # of the whole year, in cents a step: what was earned, less tax, and the rebate
            z = s.wage[b, i] * h // c.hour_parts
            u = np.float64(s.earned[b, i] - z + money - s.toil[b, i]) / days
            earned += s.earned[b, i]
        if c.swf == 6:
            income = s.wage[b, i] * h // c.hour_parts
            weighted += u / max(np.float64(income), 100.0)
        else:
            weighted += weight[i] * u
        least = min(least, u)
        if s.value.shape[0]:
            s.value[i] = u
    if grouped:
        reward[1] = everybody / n
    s.kept[b] += produced - revenue + rebate * n
    if settles:
        before = s.welfare[b]
        mean_income = np.float64(earned if c.yearly else produced) / (n * days)
        s.welfare[b] = _welfare(s, c, b, weighted, least, mean_income)
        s.welfare_sum[b] += s.welfare[b]
        s.settled[b] += 1
        for m in range(MEMORY - 1, 0, -1):
            s.recent[b, m] = s.recent[b, m - 1]
        s.recent[b, 0] = s.welfare[b]
        size = unit if c.utility == 0 and c.swf != 6 else 1.0
        reward[0] = (s.welfare[b] - (before if c.change else 0.0)) / size


@inner
def _count_faults(s: State, c: Scalars, b: int, given: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    limit = limit_of(s, c, b)
    if limit >= c.actions:
        return
    code = HOURS if s.phase[b] == WORK else PLATFORM if s.phase[b] == STAND else BALLOT
    for i in range(c.workers):
        if given[i] >= limit:
            fault[1 if c.grouped else 1 + i] = code
            s.faults[b] += 1


@inner
def _clear(reward: NDArray[np.float64], fault: NDArray[np.int16], found: bool) -> None:
    """No reward, and no fault unless faults were found already."""
    for seat in range(reward.shape[0]):
        reward[seat] = 0.0
        if not found:
            fault[seat] = 0


@inner
def _pass(s: State, c: Scalars, b: int, terminated: NDArray[np.bool_], truncated: NDArray[np.bool_]) -> None:
    s.t[b] += 1
    for seat in range(terminated.shape[1]):
        terminated[b, seat] = False
    truncated[b] = s.t[b] >= c.max_steps
    if truncated[b]:
        s.over[b] = True
        for seat in range(s.live.shape[1]):
            s.live[b, seat] = False


@kernel
def step(
    s: State,
    c: Scalars,
    edges: NDArray[np.int64],
    plan: NDArray[np.int64],
    given: NDArray[np.int64],
    reward: NDArray[np.float64],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    fault: NDArray[np.int16],
    voting: NDArray[np.bool_],
) -> None:
    """Advance every row that is not over, but those of `voting` bool[B].

    `plan` int64[B, K] are levels of rates, `given` int64[B, N] the workers' actions, or where there is a game to play the
    hours that `gaming.declare` took from them.
    """
    for b in range(s.t.shape[0]):
        if s.over[b] or voting[b]:
            continue
        _clear(reward[b], fault[b], c.gaming and s.phase[b] == WORK)
        if s.phase[b] == RATES:
            _set_rates(s, c, b, edges, plan[b])
        else:
            if not c.gaming:  # else `gaming.declare` has found them
                _count_faults(s, c, b, given[b], fault[b])
            _work(s, c, b, edges, given[b], reward[b])
        _pass(s, c, b, terminated, truncated)


@kernel
def hold_votes(
    s: State,
    c: Scalars,
    given: NDArray[np.int64],
    reward: NDArray[np.float64],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    fault: NDArray[np.int16],
    voting: NDArray[np.bool_],
) -> None:
    """Advance the rows of `voting` bool[B]: workers stand, or vote. A kernel of its own: most worlds never need it."""
    for b in range(s.t.shape[0]):
        if s.over[b] or not voting[b]:
            continue
        _clear(reward[b], fault[b], False)
        _count_faults(s, c, b, given[b], fault[b])
        if s.phase[b] == STAND:
            _stand(s, c, b, given[b])
        else:
            _elect(s, c, b, given[b])
        _pass(s, c, b, terminated, truncated)
