"""The hack probes: nothing that makes nobody better off may raise welfare, by any of the welfare functions but `legacy`.

`legacy` is the control: the seed project's welfare, sum(u / max(z, 1)), rises under these probes, so they can fail.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from econ.taxworld import act, begun, respond, year_under

from ludarium.agents.crew import Crew
from ludarium.agents.registry import make_agent

SAFE = ("inverse", "uniform", "rank", "rawls", "crra", "equality_productivity")


def welfare(rates: Any, **options: Any) -> float:
    """After one year under these rates (fractions), everybody answering best."""
    return float(year_under(rates, **options).state.welfare[0])


def with_idle(chosen: Any, swf: str, **options: Any) -> float:
    """At a flat rate of 50 %, with these of 100 workers idle (a slice of them by wage, the poorest first)."""
    batch = begun(n_workers=100, grouped="yes", rate_step=0.0001, steps_per_year=1, max_steps=2, swf=swf, **options)
    act(batch, 5000)
    respond(batch)
    batch.actions[1][0, 0, np.argsort(batch.state.wage[0], kind="stable")[chosen]] = 0
    batch.step()
    return float(batch.state.welfare[0])


# --- taxing the poor away ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("swf", SAFE)
def test_taxing_the_poor_away_does_not_raise_welfare(swf: str) -> None:
    flat = max(welfare([t] * 7, swf=swf, n_workers=300) for t in (0.0, 0.3, 0.5, 0.6, 0.7, 0.8))
    for low in range(1, 8):
        assert welfare([1.0] * low + [0.0] * (7 - low), swf=swf, n_workers=300) < flat


@pytest.mark.parametrize("utility", ["crra", "log"])
def test_nor_where_utility_is_not_money(utility: str) -> None:
    def value(levels: list[int]) -> float:
        batch = begun(n_workers=60, grouped="yes", utility=utility, steps_per_year=3, max_steps=4)
        crew = Crew(batch, [(make_agent("best_response"), batch.simulator.seats[1:])])
        crew.start(0)
        batch.actions[0][...] = levels
        while not batch.over[0]:
            crew.act()
            batch.step()
        return float(batch.state.welfare[0])  # of the third step: answers take the last rebate as given

    flat = max(value([level] * 7) for level in range(0, 20, 2))
    for low in range(1, 8):
        assert value([20] * low + [0] * (7 - low)) < flat


# --- idle workers, zero incomes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("swf", SAFE)
def test_idling_does_not_raise_welfare(swf: str) -> None:
    everybody = with_idle(slice(0, 0), swf)
    for chosen in (slice(0, 10), slice(0, 50), slice(90, 100), slice(50, 100), slice(0, 100, 3), slice(0, 100)):
        # the least utility is nobody's business who stands above it
        assert with_idle(chosen, swf) <= everybody, chosen


@pytest.mark.parametrize("swf", SAFE)
def test_workers_without_income_do_not_raise_welfare(swf: str) -> None:
    """Ten of a hundred whose wages round every income to nothing, in the place of ten others."""
    incomes = np.linspace(20_000, 200_000, 100)
    options = {"n_workers": 100, "population": "array", "brackets": "three", "swf": swf}
    full = welfare([0.5] * 3, incomes=tuple(incomes), **options)
    for start in (0, 45, 90):
        poor = incomes.copy()
        poor[start : start + 10] = 0.001
        assert welfare([0.5] * 3, incomes=tuple(poor), **options) < full


@pytest.mark.parametrize("swf", ["inverse", "uniform", "rank"])
def test_weights_do_not_follow_what_workers_do(swf: str) -> None:
    batch = begun(n_workers=40, grouped="yes", steps_per_year=5, max_steps=11, swf=swf)
    before = batch.state.weight.copy()
    for hours in (0, 100, 3):
        act(batch, 20, hours)
        assert (batch.state.weight == before).all()


# --- negative consumption ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("swf", SAFE)
def test_negative_consumption_counts_as_bad_as_it_is(swf: str) -> None:
    """Workers who toil beyond all sense: no welfare function gets better by it."""
    sane = welfare([0.3] * 7, swf=swf, n_workers=100)
    batch = begun(n_workers=100, grouped="yes", swf=swf, rate_step=0.0001, steps_per_year=1, max_steps=2)
    act(batch, 3000, 0)
    act(batch, 0, 100)
    assert batch.state.welfare[0] < sane


@pytest.mark.parametrize("swf", SAFE)
def test_one_worker_below_nothing_does_not_raise_welfare(swf: str) -> None:
    """The poorest one toils until his effort outweighs all that he gets: the others' rebate does not make up for it."""
    values = []
    for toil in (False, True):
        batch = begun(n_workers=20, grouped="yes", swf=swf, rate_step=0.0001, steps_per_year=1, max_steps=2)
        act(batch, 3000)
        respond(batch)
        if toil:
            batch.actions[1][0, 0, int(np.argmin(batch.state.wage[0]))] = 100
        batch.step()
        values.append(float(batch.state.welfare[0]))
    assert values[1] < values[0]


# --- empty brackets, the number of workers ------------------------------------------------------------------------------


@pytest.mark.parametrize("swf", SAFE)
def test_empty_brackets_change_nothing(swf: str) -> None:
    edges = (0, 50_000, 10_000_000_0)
    one, other = (welfare([0.3, 0.4, top], brackets=edges, n_workers=100, swf=swf) for top in (0.0, 1.0))
    assert one == other == welfare([0.3, 0.4], brackets=edges[:2], n_workers=100, swf=swf)


@pytest.mark.parametrize("swf", SAFE)
def test_welfare_a_head_does_not_grow_with_the_population(swf: str) -> None:
    small, large = (welfare([0.5] * 7, n_workers=n, swf=swf) for n in (500, 2000))
    assert large == pytest.approx(small, rel=0.03)


# --- the control -------------------------------------------------------------------------------------------------------


def test_the_seed_projects_welfare_fails_the_probes() -> None:
    legacy = {"legacy": True, "n_workers": 100}
    flat = welfare([0.5] * 7, **legacy)
    assert welfare([1.0, 1.0, 0, 0, 0, 0, 0], **legacy) > 100 * flat
    assert with_idle(slice(0, 10), "legacy", legacy=True) > 10 * with_idle(slice(0, 0), "legacy", legacy=True)
    assert welfare([0.5] * 7, legacy=True, n_workers=1000) > 5 * flat
