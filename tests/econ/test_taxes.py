"""The shared tax engine against exact fractions, and its errors."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from ludarium import errors
from ludarium.envs.econ.taxes import (
    BRACKETS,
    MAX_EDGE,
    US2024_RATES,
    Schedule,
    basis_points,
    bracket_of,
    share_out,
    tax_of,
)


def exact(z: int, edges, rates) -> int:
    """Tax in cents by fractions, floored once."""
    owed = Fraction(0)
    tops = [*edges[1:], None]
    for low, high, rate in zip(edges, tops, rates, strict=True):
        inside = max(0, (z if high is None else min(z, high)) - low)
        owed += inside * Fraction(rate, 10_000)
    return int(owed)


def drawn(rng: np.random.Generator):
    count = int(rng.integers(1, 9))
    edges = np.concatenate([[0], np.sort(rng.choice(10**7, count - 1, replace=False) + 1)])
    return Schedule.of((edges / 100).tolist(), rng.integers(0, 10_001, count) / 10_000)


def test_what_is_owed_equals_exact_fractions() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        schedule = drawn(rng)
        incomes = np.concatenate([rng.integers(0, 2 * 10**7, 40), schedule.edges, schedule.edges + 1, [0, 5 * 10**14]])
        got = schedule.tax(incomes)
        assert got.tolist() == [exact(int(z), schedule.edges.tolist(), schedule.rates.tolist()) for z in incomes]


def test_tax_rises_is_continuous_and_takes_no_more_than_there_is() -> None:
    rng = np.random.default_rng(2)
    for _ in range(100):
        schedule = drawn(rng)
        z = np.sort(rng.integers(0, 2 * 10**7, 500))
        tax = schedule.tax(z)
        assert (np.diff(tax) >= 0).all()
        assert (np.diff(tax) <= np.diff(z) + 1).all()
        assert (tax <= z).all()
        assert schedule.tax(np.zeros(1, np.int64))[0] == 0
        for edge in schedule.edges[1:]:
            below, at, above = schedule.tax(np.array([edge - 1, edge, edge + 1]))
            assert 0 <= at - below <= 1
            assert 0 <= above - at <= 1


def test_no_income_is_above_the_last_bracket() -> None:
    schedule = Schedule.of(BRACKETS["us2024"], US2024_RATES)
    twenty_millions = 20_000_000 * 100
    more = int(schedule.tax(np.array([2 * twenty_millions]))[0] - schedule.tax(np.array([twenty_millions]))[0])
    assert more == twenty_millions * 37 // 100


def test_the_us_schedule_by_hand() -> None:
    schedule = Schedule.of(BRACKETS["us2024"], US2024_RATES)
    # 50,000: 1,160 + 35,550 * 12 % + 2,850 * 22 %
    assert schedule.tax(np.array([50_000_00])).tolist() == [1160_00 + 4266_00 + 627_00]
    assert bracket_of(11_600_00, schedule.edges) == 1
    assert bracket_of(11_599_99, schedule.edges) == 0
    assert tax_of(-5, *schedule) == 0


def test_shares_are_equal_and_what_is_over_stays() -> None:
    rng = np.random.default_rng(3)
    treasury = 0
    for _ in range(1000):
        revenue, heads = int(rng.integers(0, 10**9)), int(rng.integers(1, 1000))
        rebate, left = share_out(revenue, treasury, heads)
        assert rebate * heads + left == revenue + treasury
        assert 0 <= left < heads
        treasury = left


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        ((), "0 brackets"),
        ((5, 10), "the first edge is 5"),
        ((0, 10, 10), "edge 2 is 10 after 10"),
        ((0, 20, 10), "sort them"),
        ((0, "10"), "edge 1 is '10'"),
        ((0, MAX_EDGE * 2), "at most"),
        (tuple(range(17)), "17 brackets"),
    ],
)
def test_bad_brackets_are_named(edges, words: str) -> None:
    with pytest.raises(errors.BadBracketsError, match=words):
        Schedule.of(edges, [0.1] * len(edges))


def test_bad_rates_are_named() -> None:
    with pytest.raises(errors.RateRangeError, match=r"35 looks like a percentage; use 0\.35"):
        Schedule.of((0, 10), (0.1, 35))
    with pytest.raises(errors.RateRangeError, match=r"rate 0 = -0.1"):
        Schedule.of((0,), (-0.1,))
    with pytest.raises(errors.RateRangeError, match="expected a fraction"):
        basis_points("0.1")
    with pytest.raises(errors.NonFiniteError, match="rate = nan"):
        basis_points(float("nan"))
    with pytest.raises(errors.NonFiniteError, match="leave infinity out"):
        Schedule.of((0, float("inf")), (0.1, 0.2))
    with pytest.raises(errors.BadBracketsError, match="2 rates for 1 brackets"):
        Schedule.of((0,), (0.1, 0.2))
    assert issubclass(errors.BadBracketsError, ValueError)
    assert basis_points(0.30000000000000004) == 3000
