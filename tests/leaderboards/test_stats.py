"""The statistics against scipy, closed forms, and what intervals promise."""

from itertools import combinations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from ludarium.envs.core.errors import StatisticsError
from ludarium.leaderboards import stats

floats = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40)


@given(floats)
def test_iqm_is_scipys_trimmed_mean_of_the_values_repeated_four_times(values):
    expected = scipy.stats.trim_mean(np.repeat(values, 4), 0.25)
    assert stats.iqm(values) == pytest.approx(expected, rel=1e-9, abs=1e-6)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=10).map(lambda v: v * 4))
def test_iqm_equals_rliables_form_where_n_is_a_multiple_of_four(values):
    assert stats.iqm(values) == pytest.approx(scipy.stats.trim_mean(values, 0.25), rel=1e-9, abs=1e-6)


def test_iqm_by_hand():
    assert stats.iqm([7.0]) == 7.0
    assert stats.iqm([1.0, 2.0]) == 1.5
    assert stats.iqm([0.0, 1.0, 100.0]) == pytest.approx((0.25 * 0 + 1 * 1 + 0.25 * 100) / 1.5)
    assert stats.iqm([1, 2, 3, 4, 1000]) == pytest.approx((0.75 * 2 + 3 + 0.75 * 4) / 2.5)
    assert stats.iqm(np.array([[1, 2, 3, 4], [4, 3, 2, 9]])).tolist() == [2.5, 3.5]


def test_the_bootstrap_agrees_with_scipys_percentile_bootstrap():
    values = np.random.Generator(np.random.PCG64(3)).gamma(2.0, size=60)
    for statistic in (stats.mean, stats.iqm):
        found = stats.bootstrap(values, statistic, resamples=20_000)
        theirs = scipy.stats.bootstrap(
            (values,),
            lambda x, axis, s=statistic: s(np.moveaxis(x, axis, -1)),
            method="percentile",
            n_resamples=20_000,
            vectorized=True,
            rng=np.random.default_rng(4),
        ).confidence_interval
        width = theirs.high - theirs.low
        assert found.low == pytest.approx(theirs.low, abs=0.03 * width)
        assert found.high == pytest.approx(theirs.high, abs=0.03 * width)


def test_the_interval_of_a_mean_covers_the_truth_as_often_as_it_says():
    generator = np.random.Generator(np.random.PCG64(11))
    inside = 0
    for _ in range(300):
        found = stats.bootstrap(generator.normal(5.0, 2.0, 40), resamples=500)
        inside += found.low <= 5.0 <= found.high
    assert 0.90 <= inside / 300 <= 0.98


def test_strata_remove_what_lies_between_cases():
    values = [0.0] * 10 + [100.0] * 10
    cases = ["a"] * 10 + ["b"] * 10
    assert stats.bootstrap(values, strata=cases) == (50.0, 50.0, 50.0)
    loose = stats.bootstrap(values)
    assert loose.high - loose.low > 30


def test_equal_values_give_equal_intervals_every_time():
    values = np.arange(20.0) ** 2
    assert stats.bootstrap(values) == stats.bootstrap(values)
    assert stats.bootstrap(values, seed=1) != stats.bootstrap(values, seed=2)


def test_pairs_cancel_what_makes_an_episode_hard():
    hard = np.linspace(1, 100, 30)
    assert stats.paired_ratio(1.1 * hard, hard) == pytest.approx((1.1, 1.1, 1.1))
    swapped = stats.paired_ratio(hard, 1.1 * hard)
    assert swapped.value == pytest.approx(1 / 1.1)
    shuffled = stats.paired_ratio(1.1 * hard, hard[::-1])
    assert shuffled.high - shuffled.low > 0.1


@given(st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_and_pass_hat_k_count_the_subsets(drawn):
    n, c, k = drawn
    trials = [i < c for i in range(n)]
    chosen = list(combinations(trials, k))
    assert stats.pass_at_k(n, c, k) == pytest.approx(sum(any(s) for s in chosen) / len(chosen))
    assert stats.pass_hat_k(n, c, k) == pytest.approx(sum(all(s) for s in chosen) / len(chosen))


def test_a_case_with_one_seed_does_not_make_an_interval_a_point():
    values, cases = [0.0, 1.0, 0.0, 1.0], ["a", "b", "c", "d"]
    assert stats.bootstrap(values, strata=cases) == stats.bootstrap(values)
    joined = stats.bootstrap([0.0, 1.0, 5.0], strata=["a", "a", "b"])
    assert joined.low < joined.value < joined.high


def test_the_bootstrap_of_two_points_is_the_binomial():
    n, p = 12, 0.25
    values = [1.0] * 3 + [0.0] * 9
    found = stats.bootstrap(values, resamples=40_000)
    law = scipy.stats.binom(n, p)
    assert found.value == p
    assert (found.low * n, found.high * n) == (law.ppf(0.025), law.ppf(0.975))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)).map(lambda p: (4, min(p))), min_size=1, max_size=6))
def test_passes_are_means_over_episodes_and_monotone_in_k(counts):
    found = stats.passes(counts, resamples=50)
    assert [p.k for p in found] == [1, 2, 3, 4]
    for p in found:
        assert p.every.value == pytest.approx(np.mean([stats.pass_hat_k(n, c, p.k) for n, c in counts]))
        assert p.every.low <= p.every.value + 1e-12
        assert p.every.high >= p.every.value - 1e-12
        assert p.every.value <= p.some.value + 1e-12
    every, some = [p.every.value for p in found], [p.some.value for p in found]
    assert every == sorted(every, reverse=True)
    assert some == sorted(some)
    rate = np.mean([c / n for n, c in counts])
    assert every[0] == pytest.approx(rate)
    assert some[0] == pytest.approx(rate)


def test_what_cannot_be_counted_is_an_error():
    for call in (
        lambda: stats.iqm([]),
        lambda: stats.bootstrap([], strata=[]),
        lambda: stats.bootstrap([1, 2], strata=["a"]),
        lambda: stats.bootstrap([[1, 2]]),
        lambda: stats.paired_ratio([1, 2], [1]),
        lambda: stats.paired_ratio([1, 2], [0, 0]),
        lambda: stats.pass_at_k(3, 4, 1),
        lambda: stats.pass_hat_k(3, 1, 4),
        lambda: stats.passes([]),
        lambda: stats.passes([(0, 0)]),
        lambda: stats.bootstrap([1, float("nan")]),
        lambda: stats.bootstrap([1, 2], level=1.0),
        lambda: stats.bootstrap([1, 2], resamples=0),
    ):
        with pytest.raises(StatisticsError):
            call()
