"""Best answers on the grid of hours against every choice there is, and against the exact ones."""

from __future__ import annotations

import numpy as np
import pytest
from econ.taxworld import begun

from ludarium.envs.econ.tax import oracles
from ludarium.envs.econ.tax.best import answer_all, powers
from ludarium.envs.econ.tax.measures import economy_of
from ludarium.envs.econ.taxes import Schedule


def answers(batch, rates, row: int = 0) -> np.ndarray:
    simulator, state = batch.simulator, batch.state
    taste = state.person[row, :, 3].copy() if simulator.config.personas else np.zeros(1, np.uint8)
    free, out = np.empty(state.wage.shape[1]), np.empty(state.wage.shape[1], np.int64)
    powers(state.wage[row], state.scale_k[row], simulator.tastes, taste, simulator.config.d, free)
    e = oracles.elasticity(simulator.config.d)
    answer_all(
        state.wage[row], free, state.cost[row], taste, simulator.config.hour_parts, e, simulator.edges, rates, out
    )
    return out


@pytest.mark.parametrize("parts", [1, 7])
def test_no_choice_is_better_by_more_than_the_roundings(parts: int) -> None:
    batch = begun(n_workers=60, drawn="sampled", personas=True, hour_parts=parts, grouped="yes")
    simulator, state = batch.simulator, batch.state
    rng = np.random.default_rng(0)
    taste = state.person[0, :, 3].astype(np.int64)
    grid = np.arange(simulator.config.choices)
    for trial in range(150):
        rates = rng.integers(0, 101, 7) * 100
        rates[rng.random(7) < 0.15] = 10_000
        if trial % 3 == 0:
            rates = np.sort(rates)
        schedule = Schedule.of(simulator.config.edges, rates / 10_000)
        found = answers(batch, rates)
        for i in range(60):
            z = state.wage[0, i] * grid // parts
            value = z - schedule.tax(z) - state.cost[0, taste[i]]
            # incomes, taxes and costs are rounded to cents: near-ties may fall to the neighbour
            assert value[found[i]] >= value.max() - 2, (trial, i)


def test_on_a_fine_grid_they_are_the_exact_ones() -> None:
    batch = begun(n_workers=200, hour_parts=500, grouped="yes")
    whole = economy_of(batch.simulator, batch.state, 0)
    rng = np.random.default_rng(1)
    for _ in range(20):
        rates = rng.integers(0, 96, 7) * 100
        exact = oracles.best_income(whole, (rates / 10_000).tolist())
        hours = answers(batch, rates) / 500

        def value(z: np.ndarray, rates: np.ndarray = rates) -> np.ndarray:
            return z - oracles.owed(z, whole.edges, rates / 10_000) - whole.k * (z / whole.w) ** whole.d

        step = whole.w / 500 * 0.5
        assert (value(exact) - value(whole.w * hours) <= 0.02 + step).all()


def test_a_rate_of_one_leaves_the_lowest_hours() -> None:
    batch = begun(n_workers=50, grouped="yes")
    assert (answers(batch, np.full(7, 10_000)) == 0).all()


def test_the_median_worker_works_forty_hours_untaxed() -> None:
    batch = begun(n_workers=101, grouped="yes")
    assert answers(batch, np.zeros(7, np.int64))[50] == 40
