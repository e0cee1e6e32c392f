"""Every row of the tax oracles (specs/econ.md, 2.4, 2.5 and the golden values of 6.1), from the field's formulas."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from scipy import optimize, special

from ludarium.envs.econ.tax import oracles
from ludarium.envs.econ.tax.oracles import Economy
from ludarium.envs.econ.tax.population import GB2
from ludarium.envs.econ.taxes import BRACKETS, US2024_RATES

SEVEN = tuple(float(edge) for edge in BRACKETS["us2024"])
FREE = 1e9
"""So many hours that nobody is at the corner: the closed forms know of none."""


def incomes(count: int) -> np.ndarray:
    mu, sigma, nu, tau = GB2
    v = special.betaincinv(nu, tau, (np.arange(count) + 0.5) / count)
    return mu * (v / (1 - v)) ** (1 / sigma)


@functools.cache
def reference() -> Economy:
    """The reference table's economy: 10,000 quantile workers, the median one works 40 hours untaxed."""
    w = incomes(10_000) / 40
    k = np.full_like(w, oracles.median_scale(float(np.median(w)), 3.5))
    economy = Economy(w, k, 3.5, FREE, SEVEN, np.ones_like(w))
    return economy._replace(g=oracles.inverse_weights(economy.untaxed))


@functools.cache
def optimum() -> float:
    return oracles.search(
        functools.partial(oracles.welfare, reference()), oracles.bracket_rule(reference()), 0.02, 5e-4
    )[1]


def share(rates) -> float:
    return 1.0 - oracles.gap(oracles.welfare(reference(), rates), oracles.welfare(reference(), [0.0] * 7), optimum())


def test_the_scale_that_makes_the_median_worker_choose_forty_hours() -> None:
    w = float(np.median(incomes(10_000))) / 40
    assert oracles.median_scale(w, 3.5) == pytest.approx(0.026895, abs=5e-7)
    one = Economy(np.array([w]), np.array([oracles.median_scale(w, 3.5)]), 3.5, 100.0, (0.0,), np.ones(1))
    assert one.untaxed[0] / w == pytest.approx(40.0, rel=1e-12)


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.7143, 0.99])
def test_incomes_under_a_flat_rate(rate: float) -> None:
    economy = reference()
    expected = oracles.flat_income(economy.untaxed, rate, economy.e)
    np.testing.assert_allclose(oracles.best_income(economy, [rate] * 7), expected, rtol=1e-9)


def test_the_laffer_peak() -> None:
    economy = reference()
    revenue = lambda t: -float((t * oracles.best_income(economy, [t] * 7)).sum())  # noqa: E731
    found = optimize.minimize_scalar(revenue, bounds=(0.01, 0.99), method="bounded", options={"xatol": 1e-9}).x
    assert oracles.laffer_peak(0.4) == pytest.approx(0.7143, abs=5e-5)
    assert found == pytest.approx(oracles.laffer_peak(economy.e), abs=1e-6)


def test_the_optimal_flat_rate() -> None:
    economy = reference()
    closed = oracles.optimum(economy)
    value = lambda t: -oracles.welfare(economy, [t] * 7)  # noqa: E731
    found = optimize.minimize_scalar(value, bounds=(0.01, 0.99), method="bounded", options={"xatol": 1e-9}).x
    assert closed == pytest.approx(0.6924, abs=5e-4)
    assert found == pytest.approx(closed, abs=1e-6)


def test_the_reference_table() -> None:
    economy = reference()
    assert oracles.welfare(economy, [0.0] * 7) == pytest.approx(6_895, abs=0.5)
    assert oracles.welfare(economy, US2024_RATES) == pytest.approx(24_467, abs=0.5)
    assert share(US2024_RATES) == pytest.approx(0.473, abs=5e-4)
    flat = [oracles.optimum(economy)] * 7
    assert oracles.welfare(economy, flat) == pytest.approx(42_698, abs=0.5)
    assert share(flat) == pytest.approx(0.964, abs=5e-4)
    grid = [0.90, 0.75, 0.70, 0.65, 0.60, 0.60, 0.60]
    assert oracles.welfare(economy, grid) == pytest.approx(43_993, abs=0.5)
    assert share(grid) == pytest.approx(0.9990, abs=5e-5)
    np.testing.assert_allclose(oracles.grid_search(economy)[0], grid, atol=1e-12)
    assert optimum() == pytest.approx(44_030, abs=0.6)


def test_the_bracket_rule_is_nearly_optimal() -> None:
    rates = oracles.bracket_rule(reference())
    np.testing.assert_allclose(rates, [0.911, 0.795, 0.711, 0.653, 0.640, 0.614, 0.590], atol=5e-4)
    assert oracles.welfare(reference(), rates) == pytest.approx(43_971, abs=0.5)
    assert share(rates) == pytest.approx(0.9984, abs=5e-5)
    assert share(rates) >= 0.995


def test_the_limiting_top_rate() -> None:
    tail = GB2[1] * GB2[3]
    assert tail == pytest.approx(2.364, abs=5e-4)
    assert tail / 1.4 == pytest.approx(1.689, abs=5e-4)
    assert oracles.top_rate(tail / 1.4, 0.4) == pytest.approx(0.597, abs=5e-4)
    assert oracles.top_rate(tail, 0.4) == pytest.approx(0.514, abs=5e-4)


def test_the_median_voter() -> None:
    mu, sigma, nu, tau = GB2
    moment = mu**1.4 * math.exp(special.betaln(nu + 1.4 / sigma, tau - 1.4 / sigma) - special.betaln(nu, tau))
    # the exact mean; 10,000 quantiles miss a part of the tail
    s = float(np.median(incomes(10_000))) ** 1.4 / moment
    assert s == pytest.approx(0.3945, abs=3e-3)
    assert oracles.preferred_flat(0.3945, 0.4) == pytest.approx(0.602, abs=5e-4)
    economy = reference()
    z = economy.untaxed
    ranked = np.sort(oracles.preferred_flat(z / z.mean(), economy.e))
    winner = float(np.median(ranked))
    utilities = {
        t: oracles.utility(economy, oracles.best_income(economy, [t] * 7), [t] * 7) for t in (winner, 0.5, 0.7)
    }
    for rival, for_it in ((0.5, 0.571), (0.7, 0.620)):
        assert (utilities[winner] > utilities[rival]).mean() == pytest.approx(for_it, abs=5e-3)
    assert oracles.preferred_flat([1.0, 1.7], 0.4).tolist() == [0.0, 0.0]


def test_a_workers_preferred_rate_is_his_best() -> None:
    economy = reference()
    z = economy.untaxed
    for i in (500, 3000, 5000, 6500):
        own = lambda t, i=i: -oracles.utility(economy, oracles.best_income(economy, [t] * 7), [t] * 7)[i]  # noqa: E731
        found = optimize.minimize_scalar(own, bounds=(0.0, 0.99), method="bounded", options={"xatol": 1e-8}).x
        assert found == pytest.approx(float(oracles.preferred_flat(z[i] / z.mean(), economy.e)), abs=1e-5)


GOLDEN = [
    ([0.0] * 7, 91.14, 0.005),
    (list(US2024_RATES), 319.94, 0.005),
    ([0.5] * 7, 696.56, 0.005),
    ([0.7143] * 7, 1165.03, 0.005),
    ([0.99] * 7, 2897.74, 0.005),
    ([1.0] + [0.0] * 6, 104_483, 0.5),
    ([1.0, 1.0] + [0.0] * 5, 990_209, 0.5),
]


@pytest.mark.parametrize(("rates", "value", "within"), GOLDEN)
def test_the_golden_values_of_the_seed_project(rates, value: float, within: float) -> None:
    w = incomes(100) / 40
    economy = Economy(w, np.full_like(w, 0.0005), 3.5, 100.0, SEVEN, np.ones_like(w))
    assert oracles.legacy_welfare(economy, rates) == pytest.approx(value, abs=within + 1e-9)


def test_nine_of_ten_workers_stand_at_the_corner_under_the_seeds_constants() -> None:
    w = incomes(10_000) / 40
    hours = Economy(w, np.full_like(w, 0.0005), 3.5, 100.0, SEVEN, np.ones_like(w)).untaxed / w
    assert (hours > 99.999).mean() == pytest.approx(0.90, abs=0.005)


def test_safe_weights_are_not_fooled_by_taxing_the_poor() -> None:
    economy = reference()
    best = oracles.welfare(economy, [oracles.optimum(economy)] * 7)
    for low in range(1, 7):
        assert oracles.welfare(economy, [1.0] * low + [0.0] * (7 - low)) < best


def test_best_responses_beat_a_fine_grid_under_any_schedule() -> None:
    rng = np.random.default_rng(3)
    w = np.sort(incomes(60)[rng.integers(0, 60, 20)]) / 40
    k = oracles.median_scale(float(np.median(w)), 3.5) * rng.choice([0.5, 1.0, 2.0], len(w))
    for trial in range(12):
        rates = np.round(rng.random(7), 2)
        rates[rng.random(7) < 0.2] = rng.choice([0.0, 1.0])
        economy = Economy(w, k, 3.5, 100.0, SEVEN, np.ones_like(w))
        own = lambda z: z - oracles.owed(z, SEVEN, rates) - economy.k * (z / economy.w) ** 3.5  # noqa: B023, E731
        best = own(oracles.best_income(economy, rates))
        for part in np.linspace(0.0, 1.0, 10_000):
            there = own(part * 100.0 * w)
            assert (there <= best + 1e-9 * np.maximum(1.0, np.abs(best))).all(), (trial, part)


def test_a_rate_of_one_leaves_the_lowest_hours() -> None:
    economy = reference()
    z = oracles.best_income(economy, [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    assert z.max() == pytest.approx(SEVEN[1])
    assert (oracles.best_income(economy, [1.0] * 7) == 0.0).all()


def test_gini_by_one_formula() -> None:
    for n in (2, 29, 30, 1000):
        assert oracles.gini([0.0] * (n - 1) + [5.0]) == pytest.approx((n - 1) / n)
        assert oracles.gini([3.0] * n) == pytest.approx(0.0, abs=1e-12)
        assert oracles.gini([0.0] * n) == 0.0
    assert oracles.pareto_gini(3.0) == pytest.approx(0.2)


def test_every_voter_in_a_pair_of_flat_rates_is_counted_by_single_peaks() -> None:
    """Whoever prefers a rate above both prefers the higher one, below both the lower one."""
    economy = reference()
    z = economy.untaxed
    own = oracles.preferred_flat(z / z.mean(), economy.e)
    low, high = (oracles.utility(economy, oracles.best_income(economy, [t] * 7), [t] * 7) for t in (0.4, 0.6))
    assert (high > low)[own >= 0.6].all()
    assert (low > high)[own <= 0.4].all()
