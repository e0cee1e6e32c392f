"""Populations against SciPy's special functions, and the deterministic floats against the C library's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

from ludarium.envs.core.rng import episode_key
from ludarium.envs.econ.floats import exp_of, log_gamma, log_of, power
from ludarium.envs.econ.tax import oracles
from ludarium.envs.econ.tax.population import (
    DRAWN,
    GB2,
    KINDS,
    draw_wages,
    gb2_table,
    income_at,
    normal_quantile,
    place_of,
)

ENDS = 10.0 ** np.arange(-13, -1.5, 0.25)
PLACES = np.concatenate([ENDS / 100, np.linspace(0.01, 0.99, 399), 1 - ENDS])


def test_logarithm_exponential_and_power_are_the_c_librarys_to_some_last_places() -> None:
    rng = np.random.default_rng(0)
    for x in np.exp(rng.uniform(-700, 700, 4000)):
        assert log_of(x) == pytest.approx(math.log(x), rel=4e-16, abs=4e-16)
    for x in rng.uniform(-700, 700, 4000):
        assert exp_of(x) == pytest.approx(math.exp(x), rel=4e-16 + 1e-16)
    for x, p in rng.uniform(0.001, 9.0, (2000, 2)):
        assert power(x, p) == pytest.approx(x**p, rel=4e-15)
    assert (power(0.0, 2.0), power(0.0, 0.0), power(0.0, -1.0)) == (0.0, 1.0, math.inf)
    assert (log_of(0.0), exp_of(-1e9), exp_of(1e9)) == (-math.inf, 0.0, math.inf)
    for x in (0.01, 0.4865187, 1.1410399, 3.7, 170.0):
        assert log_gamma(x) == pytest.approx(math.lgamma(x), rel=1e-13, abs=1e-13)


def test_the_normal_quantile_is_scipys() -> None:
    for p in PLACES:
        assert normal_quantile(p) == pytest.approx(special.ndtri(p), rel=2e-15, abs=1e-15)


@pytest.mark.parametrize(("nu", "tau"), [GB2[2:], (0.7, 3.0), (2.0, 1.0), (1.0, 1.0)])
def test_the_gb2_inverse_is_scipys(nu: float, tau: float) -> None:
    table = gb2_table(nu, tau)
    for p in PLACES:
        v = special.betaincinv(nu, tau, p)
        got = income_at(0, 1.0, 1.0, p, table)
        if p < 0.999:  # beyond, 1 - v loses digits in SciPy's answer
            assert got == pytest.approx(v / (1.0 - v), rel=2e-8)
        q = special.betainc(tau, nu, 1.0 / (1.0 + got))
        assert q == pytest.approx(1.0 - p, rel=1e-7, abs=1e-16)


def test_the_fitted_population_has_its_published_figures() -> None:
    mu, sigma, nu, tau = GB2
    table = gb2_table(nu, tau)
    at = lambda p: income_at(0, mu, 1.0 / sigma, p, table)  # noqa: E731
    assert at(0.5) == pytest.approx(38_102, abs=1)
    assert at(0.99) == pytest.approx(361_000, rel=0.005)
    incomes = np.array([at((i + 0.5) / 200_000) for i in range(200_000)])
    assert incomes.mean() == pytest.approx(59_249, rel=5e-4)
    assert oracles.gini(incomes) == pytest.approx(0.530, abs=5e-4)
    assert sigma * tau == pytest.approx(2.364, abs=5e-4)


def test_pareto_uniform_and_lognormal_are_their_closed_forms() -> None:
    table = gb2_table(1.0, 1.0)
    for p in (0.001, 0.3, 0.5, 0.9, 0.9999):
        assert income_at(1, 10.0, 2.5, p, table) == pytest.approx(10.0 * (1 - p) ** (-1 / 2.5), rel=1e-13)
        assert income_at(2, 30.0, 0.8, p, table) == pytest.approx(30.0 * math.exp(0.8 * special.ndtri(p)), rel=1e-13)
        assert income_at(3, 1.24, 159.1, p, table) == pytest.approx(1.24 + p * (159.1 - 1.24), rel=1e-15)
    pareto = np.array([income_at(1, 1.0, 3.0, (i + 0.5) / 100_000, table) for i in range(100_000)])
    assert oracles.gini(pareto) == pytest.approx(oracles.pareto_gini(3.0), abs=1e-3)


@pytest.mark.parametrize("drawn", range(3))
def test_places_are_in_their_strata_and_depend_on_the_worker_alone(drawn: int) -> None:
    key = np.uint64(episode_key(7))
    places = np.array([place_of(key, drawn, i, 500) for i in range(500)])
    assert (places > 0).all() and (places < 1).all()  # noqa: PT018
    if DRAWN[drawn] != "sampled":
        assert (np.floor(places * 500) == np.arange(500)).all()
    else:
        assert abs(places.mean() - 0.5) < 4 / math.sqrt(12 * 500)
        assert place_of(key, drawn, 3, 500) == place_of(key, drawn, 3, 10)


def test_wages_are_whole_cents_from_one_upwards() -> None:
    table = gb2_table(*GB2[2:])
    wages = np.zeros(10_000, np.int64)
    draw_wages(np.uint64(1), KINDS.index("gb2"), 0, GB2[0], 1 / GB2[1], 100 / 40, table, wages)
    assert (np.diff(wages) >= 0).all()
    assert wages[0] >= 1
    assert np.median(wages) == pytest.approx(38_101.53 / 40 * 100, abs=1)
    draw_wages(np.uint64(1), KINDS.index("uniform"), 0, 1e-9, 2e-9, 1.0, table, wages)
    assert (wages == 1).all()
