"""The oracles of market worlds against brute force, simulation, and values from the literature."""

from __future__ import annotations

import itertools
import math
import random

import pytest

from ludarium.envs.econ.market.oracles import (
    bubble,
    fundamental_values,
    induced_equilibrium,
    kyle,
    maximum_surplus,
    smiths_alpha,
)  # fmt: skip


def test_linear_schedules_cross_where_the_lines_do() -> None:
    found = induced_equilibrium([100, 90, 80, 70, 60], [50, 60, 70, 80, 90])
    assert (found.quantity, found.low, found.high) == (3, 70, 80)
    assert found.surplus == pytest.approx(90, abs=1e-9)
    assert found.price == 75


def test_surplus_is_the_best_of_all_matchings() -> None:
    rng = random.Random(0)
    for _ in range(200):
        values = [rng.randint(1, 20) for _ in range(rng.randint(1, 4))]
        costs = [rng.randint(1, 20) for _ in range(rng.randint(1, 4))]
        best = 0
        for count in range(min(len(values), len(costs)) + 1):
            for bought in itertools.permutations(values, count):
                for sold in itertools.combinations(costs, count):
                    best = max(best, sum(bought) - sum(sold))
        found = induced_equilibrium(values, costs)
        assert found.surplus == pytest.approx(best, abs=1e-9)
        assert found.low <= found.high or found.quantity == 0


def test_the_tunnel_clears_the_market() -> None:
    rng = random.Random(1)
    for _ in range(200):
        values, costs = [rng.randint(1, 30) for _ in range(5)], [rng.randint(1, 30) for _ in range(5)]
        found = induced_equilibrium(values, costs)
        if found.quantity:
            willing = sum(v >= found.price for v in values), sum(c <= found.price for c in costs)
            keen = sum(v > found.price for v in values), sum(c < found.price for c in costs)
            assert keen[0] <= found.quantity <= willing[0]
            assert keen[1] <= found.quantity <= willing[1]


def test_efficient_allocations_are_the_best_of_all() -> None:
    rng = random.Random(2)
    for _ in range(100):
        worth = [sorted((rng.randint(0, 9) for _ in range(3)), reverse=True) for _ in range(3)]
        stock = [rng.randint(0, 3) for _ in range(3)]
        held = [sum(row[:n]) for row, n in zip(worth, stock, strict=True)]
        others = (s for s in itertools.product(range(4), repeat=3) if sum(s) == sum(stock))
        best = max(sum(sum(row[:n]) for row, n in zip(worth, s, strict=True)) for s in others)
        assert maximum_surplus(worth, stock) == pytest.approx(best - sum(held), abs=1e-9)


def test_induced_values_are_a_case_of_worth() -> None:
    values, costs = [9, 7, 3], [2, 5, 8]
    worth = [[v] for v in values] + [[c] for c in costs]
    assert maximum_surplus(worth, [0, 0, 0, 1, 1, 1]) == induced_equilibrium(values, costs).surplus == 9


def test_the_share_of_smith_suchanek_and_williams() -> None:
    values = fundamental_values(15, (0, 8, 28, 60))
    assert values[0] == pytest.approx(360, abs=1e-9)
    assert values[-1] == pytest.approx(24, abs=1e-9)
    assert {round(a - b, 9) for a, b in itertools.pairwise(values)} == {24.0}
    assert fundamental_values(2, (1, 3), 10) == (14, 12)


def test_bubbles_are_measured_from_the_value() -> None:
    assert bubble((30, 20, 10), (30, 20, 10)) == (0, 0)
    amplitude, duration = bubble((24, 40, 30, 10), (40, 30, 20, 10))
    assert amplitude == pytest.approx(26 / 40, abs=1e-9)
    assert duration == 1
    assert bubble((math.nan, math.nan), (2, 1)) == (0, 0)


def test_alpha_is_zero_at_the_equilibrium_only() -> None:
    assert smiths_alpha([50, 50], 50) == 0
    assert smiths_alpha([45, 55], 50) == pytest.approx(10, abs=1e-9)


@pytest.mark.parametrize(("sigma_value", "sigma_noise"), [(32, 16), (1, 1), (3, 12)])
def test_kyles_insider_cannot_do_better(sigma_value: float, sigma_noise: float) -> None:
    found = kyle(sigma_value, sigma_noise)

    def profit(beta: float) -> float:  # E[(v - p0 - lambda x) x] with x = beta (v - p0)
        return (beta - found.impact * beta**2) * sigma_value**2

    assert profit(found.intensity) == pytest.approx(found.profit, abs=1e-9)
    assert all(profit(found.intensity * f) < found.profit for f in (0.5, 0.9, 1.1, 2))
    flow = (found.intensity * sigma_value) ** 2 + sigma_noise**2
    assert found.intensity * sigma_value**2 / flow == pytest.approx(found.impact, abs=1e-9)  # the price is E[v | flow]
    assert found.impact**2 * flow / sigma_value**2 == pytest.approx(found.revealed, abs=1e-9)
