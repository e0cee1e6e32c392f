"""Figures of answers and votes, and bounds that no play passes, against closed forms and counting by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from econ.taxworld import ID, act, begun
from scipy import optimize

from ludarium.agents.crew import Crew
from ludarium.agents.registry import make_agent
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.econ.tax import bounds, measures, politics


def answered(batch, plans) -> None:
    """Years under these levels, everybody answering best."""
    crew = Crew(batch, [(make_agent("best_response"), batch.simulator.seats[1:])])
    crew.start(0)
    for plan in plans:
        batch.actions[0][...] = plan
        batch.step()
        while batch.state.phase[0] == 3 and not batch.over[0]:
            crew.act()
            batch.step()


@pytest.mark.parametrize("d", [2.5, 3.5])
def test_the_elasticity_that_shows_is_the_true_one(d: float) -> None:
    batch = begun(n_workers=300, grouped="yes", hour_parts=100, d=d, steps_per_year=2, max_steps=6, brackets="flat")
    answered(batch, [6, 10])
    interior = batch.state.hours_before[0] < 10_000
    assert interior.mean() > 0.9
    found = batch.simulator.summary(batch.state, 0)["elasticity"]
    assert found == pytest.approx(1 / (d - 1), rel=0.05)


def test_nothing_shows_before_a_second_year_or_under_the_same_rates() -> None:
    batch = begun(n_workers=20, grouped="yes", steps_per_year=1, max_steps=6)
    for _ in range(3):
        answered(batch, [8])
        assert measures.responses(batch.simulator, batch.state, 0) == 0.0


RULES = ("plurality", "approval", "ranked", "condorcet", "score", "random_dictator")


@pytest.mark.parametrize("rule", RULES)
def test_whom_a_ballot_likes_best_is_what_the_menu_says(rule: str) -> None:
    simulator = make_simulator(ID, n_workers=3, voting=rule, score_levels=3)
    batch = begun(n_workers=3, voting=rule, score_levels=3, candidacy=False, max_steps=20)
    for choice in batch.simulator.menu(batch.state, 0, 1):
        ballot = choice.arguments["ballot"]
        liked = politics.supported(simulator, np.array([choice.action], np.int32))[0].nonzero()[0].tolist()
        if rule == "score":
            assert liked == [p for p, x in enumerate(ballot) if x == max(ballot) and x > 0]
        elif rule == "approval":
            assert liked == ballot
        else:
            assert liked == ballot[:1]


def test_shares_and_the_two_sides_are_counted_by_hand() -> None:
    batch = begun(n_workers=5, voting="plurality", candidacy=False, candidates=2, steps_per_year=1, max_steps=3)
    act(batch, 0, np.array([0, 1, 1, 2, 1]))  # worker 3 abstains
    act(batch, 10)
    act(batch, 0, 40)
    figures = batch.simulator.summary(batch.state, 0)
    assert figures["turnout"] == 0.8
    assert [figures["vote_share_0"], figures["vote_share_1"]] == [0.25, 0.75]
    assert batch.state.leader[0] == batch.state.slate[0, 1]
    assert figures["majority"] == 0.6
    z = batch.state.wage[0] * 40
    u = (z - z // 2 + batch.state.rebate[0] - batch.state.cost[0, 0, 40]) / 100
    most, least = u[[1, 2, 4]].mean(), u[[0, 3]].mean()
    assert figures["majority_welfare"] == pytest.approx(most, abs=0.01)
    assert figures["minority_welfare"] == pytest.approx(least, abs=0.01)
    assert figures["majority_ratio"] == pytest.approx(most / least, rel=1e-4)


def test_before_a_vote_nobody_has_a_share() -> None:
    batch = begun(n_workers=4, voting="score", candidacy=False, steps_per_year=1, max_steps=3)
    figures = batch.simulator.summary(batch.state, 0)
    assert figures["turnout"] == figures["vote_share_0"] == figures["majority"] == 0.0


# --- bounds ------------------------------------------------------------------------------------------------------------


def test_the_most_welfare_is_what_the_best_planner_of_persons_reaches() -> None:
    """Every worker taxed by himself, hours chosen for him: maximised numerically, worker by worker."""
    rng = np.random.default_rng(0)
    wage, k, weight = rng.uniform(100, 5000, 12), rng.uniform(0.01, 0.03, 12) * 100, rng.uniform(0.1, 2.0, 12)
    total = 0.0
    for w, kk, g in zip(wage, k, weight, strict=True):
        best = [
            -optimize.minimize_scalar(
                lambda x, w=w, kk=kk, g=g, tax=tax: -(g * (1 - tax) * w * x + tax * w * x - g * kk * x**3.5),
                bounds=(0, 60), method="bounded", options={"xatol": 1e-9},
            ).fun
            for tax in (0.0, 0.5, 1.0)
        ]  # fmt: skip
        total += max(best)
    assert bounds.most_welfare(wage, k, 3.5, 60.0, weight) == pytest.approx(total / 12, rel=1e-7)


@pytest.mark.parametrize("swf", ["inverse", "uniform", "rank"])
@pytest.mark.parametrize("settle", ["step", "year"])
def test_no_play_passes_the_bounds(swf: str, settle: str) -> None:
    rng = np.random.default_rng(1)
    for trial in range(6):
        batch = begun(n_workers=7, grouped="yes", swf=swf, settle=settle, drawn="sampled", personas=trial % 2 == 0,
                      steps_per_year=2, max_steps=12, seed=trial)  # fmt: skip
        limit = batch.simulator.bounds(batch.state, 0)
        while not batch.over[0]:
            act(batch, rng.integers(0, 21, 7), rng.integers(20, 61, 7))
        figures = batch.simulator.summary(batch.state, 0)
        assert figures["welfare"] < limit["welfare"]
        assert figures["productivity"] <= limit["productivity"]
        assert figures["best_welfare"] <= limit["welfare"]


def test_without_taxes_equal_weights_come_to_the_bound() -> None:
    """With equal weights and no tax the best answers are the best there is: the bound is attained, up to the grid of hours."""
    batch = begun(n_workers=50, grouped="yes", swf="uniform", hour_parts=50, steps_per_year=1, max_steps=2)
    limit = batch.simulator.bounds(batch.state, 0)["welfare"]
    answered(batch, [0])
    assert batch.simulator.metrics(batch.state)["welfare"][0] == pytest.approx(limit, rel=1e-5)


def test_bounds_are_claimed_only_where_they_hold() -> None:
    for swf, utility in itertools.product(("inverse", "rawls"), ("quasilinear", "log")):
        batch = begun(n_workers=3, swf=swf, utility=utility)
        assert ("welfare" in batch.simulator.bounds(batch.state, 0)) == (swf == "inverse" and utility == "quasilinear")
    batch = begun(n_workers=3, misreporting=True)
    assert list(batch.simulator.bounds(batch.state, 0)) == ["productivity"]
