"""The dynamics of the tax economy: the compiled kernels over the state.

Floats come from `floats` and from + - * / sqrt in a fixed order, so that equal actions give equal digests everywhere.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, kernel, special
from ludarium.envs.core.rng import below, draw
from ludarium.envs.econ.floats import log_of, power
from ludarium.envs.econ.tax.state import (
    BALLOT,
    HOURS,
    MEMORY,
    PLAIN,
    PLATFORM,
    RATES,
    STAND,
    STREAM_DICTATOR,
    STREAM_SLATE,
    STREAM_TIES,
    VOTE,
    WORK,
    Scalars,
    State,
)
from ludarium.envs.econ.tax.welfare import social_welfare, survey
from ludarium.envs.econ.taxes import cumulate, tax_of
from ludarium.envs.econ.voting import decide

__all__ = ["asked", "check", "felt", "hold_votes", "limit_of", "stand", "step"]


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
def stand(s: State, c: Scalars, b: int, given: NDArray[np.int64]) -> None:
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


@special(stand, PLAIN)
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
            stand(s, c, b, given)
        for i in range(s.earned.shape[1]):
            s.earned[b, i] = 0
            s.toil[b, i] = 0


@inner
def _feel(
    s: State, c: Scalars, b: int, settles: bool, rebate: int, reward: NDArray[np.float64]
) -> tuple[float, float, float, int]:
    """Everybody's utility, and his reward: the weighted sum, the least one, the sum of rewards, and the year's incomes."""
    unit, days = s.median_income[b], c.steps_per_year if c.yearly else 1
    weighted, least, everybody, earned = 0.0, math.inf, 0.0, 0
    for i in range(c.workers):
        taste = np.int64(s.person[b, i, 3]) if c.personas else 0
        h = np.int64(s.hours[b, i])
        money = s.net[i] + rebate
        if c.utility == 0:
            u = np.float64(money - s.cost[b, taste, h])
            joy = u / unit
            if c.yearly:
                s.toil[b, i] += s.cost[b, taste, h]
        else:
            u = felt(np.float64(money), s.strain[b, taste, h], c, unit)
            joy = u
        everybody += joy
        if not c.grouped:
            reward[1 + i] = joy
        if not settles:
            continue
        if c.yearly and c.utility == 0:
            # of the whole year, in cents a step: what was earned, less tax, and the rebate
            z = s.wage[b, i] * h // c.hour_parts
            u = np.float64(s.earned[b, i] - z + money - s.toil[b, i]) / days
            earned += s.earned[b, i]
        if c.swf == 6:
            income = s.wage[b, i] * h // c.hour_parts
            weighted += u / max(np.float64(income), 100.0)
        else:
            weighted += s.weight[b, i] * u
        least = min(least, u)
        if s.value.shape[0]:
            s.value[i] = u
    return weighted, least, everybody, earned


@special(_feel, PLAIN)
def _feel_money(
    s: State, c: Scalars, b: int, settles: bool, rebate: int, reward: NDArray[np.float64]
) -> tuple[float, float, float, int]:
    """The same of quasi-linear workers under weighted welfare, with nothing else in the way."""
    hours, net, cost, weight, person, unit = s.hours[b], s.net, s.cost[b], s.weight[b], s.person[b], s.median_income[b]
    weighted, everybody = 0.0, 0.0
    for i in range(0 if c.personas else c.workers):
        u = np.float64(net[i] + rebate - cost[0, np.int64(hours[i])])
        everybody += u / unit
        weighted += weight[i] * u
    for i in range(person.shape[0]):
        u = np.float64(net[i] + rebate - cost[np.int64(person[i, 3]), np.int64(hours[i])])
        everybody += u / unit
        weighted += weight[i] * u
    for i in range(0 if c.grouped else c.workers):
        taste = np.int64(person[i, 3]) if c.personas else 0
        reward[1 + i] = np.float64(net[i] + rebate - cost[taste, np.int64(hours[i])]) / unit
    return weighted, 0.0, everybody, 0


@kernel
def _enjoy(
    s: State, c: Scalars, b: int, settles: bool, produced: int, revenue: int, reward: NDArray[np.float64]
) -> None:
    """Utilities of a working step, the workers' rewards, and at a settlement welfare and the planner's reward."""
    n, unit = c.workers, s.median_income[b]
    rebate = s.rebate[b] if settles else 0
    weighted, least, everybody, earned = _feel(s, c, b, settles, rebate, reward)
    if c.grouped:
        reward[1] = everybody / n
    s.kept[b] += produced - revenue + rebate * n
    if settles:
        before = s.welfare[b]
        mean_income = np.float64(earned) / (n * c.steps_per_year) if c.yearly else np.float64(produced) / n
        s.welfare[b] = social_welfare(s, c, b, weighted, least, mean_income)
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
            stand(s, c, b, given[b])
        else:
            _elect(s, c, b, given[b])
        _pass(s, c, b, terminated, truncated)
