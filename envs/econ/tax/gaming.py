"""Tax gaming: putting income off to the next year, hiding it from the tax office, and rings that pool what they declare.

Each is a switch of the config, and open to every worker through a part of his action: hours + choices * (shift + shifts *
(hide + hides * pool)). `shift` j > 0 puts off what is above the lower edge of bracket j, to be taxed over the next year;
`hide` h declares h quarters less of what is assessed; who pools is assessed by the mean of his ring's pooling members, who
share that tax as they would have shared their own. Numbers below `choices` are honest.

Each leaves its own mark in the books, and none in those of another: the detectors are ratios of these accounts.
Sources: Allingham and Sandmo (1972) on hiding under audits; Saez (2010) on bunching at kinks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, kernel
from ludarium.envs.core.rng import below, draw
from ludarium.envs.econ.tax.config import HIDES
from ludarium.envs.econ.tax.state import DEFER, HOURS, WORK, Scalars, State
from ludarium.envs.econ.taxes import tax_of

if TYPE_CHECKING:
    from ludarium.envs.econ.tax.simulator import Tax

__all__ = ["check", "declare", "figures", "kept_books", "may_put_off"]

STREAM_AUDIT = 5
AUDITED, AUDITED_DUE, FOUND, FINES, NEAR, SAVED, SAVABLE, PUT_OFF, HIDDEN, DUE, TAXED_LATER = range(11)
"""The books: returns audited, tax due on them, tax found missing on them and fines; returns near a kink less incomes near
one; tax that rings saved, and could have; income put off; tax hidden, and due, on all returns; income taxed later."""


@inner
def may_defer(s: State, c: Scalars, b: int) -> bool:
    """Whether a whole year of work follows this one, in which what is put off is taxed."""
    phases = 1 + (c.rule >= 0) * (1 + c.candidacy)
    return s.t[b] + (c.steps_per_year - s.day[b]) + phases + c.steps_per_year <= c.max_steps


@kernel
def check(s: State, c: Scalars, actions: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """Write the faults of working rows (`actions` int64[B, N], `fault` int16[B, S]), changing nothing."""
    limit = c.choices * c.shifts * c.hides * c.pools
    for b in range(s.t.shape[0]):
        if s.over[b] or s.phase[b] != WORK:
            continue
        for seat in range(1, fault.shape[1]):
            fault[b, seat] = 0
        late = not may_defer(s, c, b)
        for i in range(c.workers):
            g = actions[b, i]
            if g >= limit:
                fault[b, 1 if c.grouped else 1 + i] = HOURS
            elif late and g // c.choices % c.shifts > 0:
                fault[b, 1 if c.grouped else 1 + i] = DEFER


@inner
def _near(income: int, edges: NDArray[np.int64]) -> int:
    """1 within 2 % of a kink, else 0."""
    for j in range(1, edges.shape[0]):
        if abs(income - edges[j]) * 50 <= edges[j]:
            return 1
    return 0


@inner
def _assess(s: State, c: Scalars, b: int, i: int, way: int, may: bool, edges: NDArray[np.int64]) -> int:
    """What is assessed of a worker's income: less what is put off, with a part of what was put off last year."""
    z = s.wage[b, i] * s.wanted[b, i] // c.hour_parts
    part = s.due[b, i] // (c.steps_per_year - s.day[b])
    s.due[b, i] -= part
    s.books[b, TAXED_LATER] += part
    off, shift = 0, way % c.shifts
    if shift > 0 and may:
        off = min(z, max(z + part - edges[shift], 0))
    s.carried[b, i] += off
    s.books[b, PUT_OFF] += off
    s.books[b, NEAR] += _near(z + part - off, edges) - _near(z, edges)
    return z + part - off


@inner
def _audit(s: State, c: Scalars, b: int, i: int, due: int, missing: int) -> int:
    """What an audit adds to a worker's tax: what is missing, and the fine."""
    s.books[b, DUE] += due
    s.books[b, HIDDEN] += missing
    if c.hides == 1 or below(draw(s.key[b], STREAM_AUDIT, np.int64(s.labour_steps[b]), i, 0), 10_000) >= c.audit:
        return 0
    fine = missing * c.penalty // 10_000
    s.books[b, AUDITED] += 1
    s.books[b, AUDITED_DUE] += due
    s.books[b, FOUND] += missing
    s.books[b, FINES] += fine
    return missing + fine


@inner
def _way(c: Scalars, action: int) -> int:
    """What an action says beside hours; 0 where it means nothing."""
    way = action // c.choices
    return way if way < c.shifts * c.hides * c.pools else 0


@inner
def _pool(s: State, c: Scalars, b: int, first: int, given: NDArray[np.int64], edges: NDArray[np.int64]) -> None:
    """One ring: those who pool owe what equal parts of their sum owe, if that is less, each in proportion to his own tax.

    Savings are of what is assessed; whoever hides a part then pays as much less of his share.
    """
    rates, base, assessed, plain = s.rates[b], s.base[b], s.assessed, c.shifts * c.hides
    upto = min(first + c.ring, c.workers)
    count, income, alone, all_income, all_alone, last = 0, 0, 0, 0, 0, -1
    for i in range(first, upto):
        tax = tax_of(assessed[i], edges, rates, base)
        all_income += assessed[i]
        all_alone += tax
        if _way(c, given[i]) >= plain:
            count, income, alone, last = count + 1, income + assessed[i], alone + tax, i
    members = upto - first
    could = max(all_alone - members * tax_of(all_income // members, edges, rates, base), 0)
    together = alone
    if count > 1:
        together = min(alone, count * tax_of(income // count, edges, rates, base))
    s.books[b, SAVED] += alone - together
    s.books[b, SAVABLE] += max(could, alone - together)
    share, left = np.float64(together) / np.float64(max(alone, 1)), together
    for i in range(first, upto):
        tax = tax_of(assessed[i], edges, rates, base)
        way = _way(c, given[i])
        hide = way // c.shifts % c.hides
        declared = tax_of(assessed[i] - assessed[i] * hide // (HIDES - 1), edges, rates, base)
        if together == alone or way < plain:
            s.owed[b, i] += declared
            continue
        part = int(tax * share)
        if i == last or part > left:
            part = left
        left -= part
        s.owed[b, i] += part if hide == 0 else int(part * (declared / np.float64(max(tax, 1))))


@kernel
def declare(s: State, c: Scalars, edges: NDArray[np.int64], given: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """Of every working row: hours (`wanted`), what each owes (`owed`), the books, and faults. Before `dynamics.step`.

    `given` int64[B, N] are actions. A kernel of its own: most worlds never need it.
    """
    limit = c.choices * c.shifts * c.hides * c.pools
    for b in range(s.t.shape[0]):
        if s.over[b] or s.phase[b] != WORK:
            continue
        may = may_defer(s, c, b)
        for seat in range(fault.shape[1]):
            fault[b, seat] = 0
        for i in range(c.workers):
            way = _way(c, given[b, i])
            s.wanted[b, i] = given[b, i] % c.choices if given[b, i] < limit else np.int64(s.hours[b, i])
            code = HOURS if given[b, i] >= limit else DEFER if way % c.shifts > 0 and not may else 0
            if code > 0:
                fault[b, 1 if c.grouped else 1 + i] = code
                s.faults[b] += 1
            assessed = _assess(s, c, b, i, way, may, edges)
            s.assessed[i] = assessed
            declared = assessed - assessed * (way // c.shifts % c.hides) // (HIDES - 1)
            due = tax_of(assessed, edges, s.rates[b], s.base[b])
            s.owed[b, i] = _audit(s, c, b, i, due, due - tax_of(declared, edges, s.rates[b], s.base[b]))
        for first in range(0, c.workers, c.ring):
            _pool(s, c, b, first, given[b], edges)
        if s.day[b] + 1 == c.steps_per_year:
            for i in range(c.workers):
                s.due[b, i] = s.carried[b, i]
                s.carried[b, i] = 0


def may_put_off(simulator: Tax, state: State, row: int) -> bool:
    """Whether income can be put off now."""
    c = simulator.config
    phases = 1 + (c.voting != "none") * (1 + c.candidacy)
    left = c.steps_per_year - int(state.day[row]) + phases + c.steps_per_year
    return bool(c.shifting and int(state.phase[row]) == WORK and int(state.t[row]) + left <= c.max_steps)


def figures(simulator: Tax, state: State) -> dict[str, NDArray[Any]]:
    """The detectors of the switches that are open, and what went past the tax office."""
    c, config = simulator.scalars, simulator.config
    if not c.gaming:
        return {}
    book, found = state.books.T, {}
    returns = np.maximum(state.labour_steps, 1) * c.workers
    if config.shifting:
        found["shift_bunching"] = book[NEAR] / returns
        found["put_off"] = book[PUT_OFF] / np.maximum(state.produced, 1)
    if config.misreporting:
        found["audit_yield"] = book[FOUND] / np.maximum(book[AUDITED_DUE], 1)
        found["tax_gap"] = book[HIDDEN] / np.maximum(book[DUE], 1)
        found["fines"] = book[FINES] / (100.0 * returns)
    if config.collusion:
        found["collusion_index"] = book[SAVED] / np.maximum(book[SAVABLE], 1)
    return found


def kept_books(state: State) -> NDArray[np.bool_]:
    """Whether all that was put off was taxed later or is still to be."""
    left = state.due.sum(1) + state.carried.sum(1)
    return np.asarray(state.books[:, PUT_OFF] == state.books[:, TAXED_LATER] + left)
