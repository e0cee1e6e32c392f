"""The kernels against the plain reference, step by step, over drawn configs, wages and actions."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from econ.tax_reference import ReferenceTax
from econ.taxworld import ID

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.econ.tax.measures import conserve

UTILITIES = (("quasilinear", "step"), ("quasilinear", "year"), ("crra", "step"), ("log", "step"))
SWF = ("inverse", "uniform", "rank", "rawls", "crra", "equality_productivity", "legacy")
TASTES = (0.8, 1.0, 1.25)
ROWS = 8


def configs() -> list[dict[str, Any]]:
    found, rng = [], np.random.default_rng(0)
    for (utility, settle), swf in itertools.product(UTILITIES, SWF):
        if utility != "quasilinear" and swf in ("crra", "equality_productivity", "legacy"):
            continue
        found.append(
            {
                "utility": utility, "settle": settle, "swf": swf, "n_workers": int(rng.integers(1, 9)),
                "steps_per_year": int(rng.integers(1, 5)), "max_steps": 30, "hours_max": int(rng.choice([10, 60, 100])),
                "hour_parts": int(rng.choice([1, 4])), "d": float(rng.choice([2.0, 3.5])), "eta": float(rng.choice([0.5, 1.5])),
                "k": "median_40h" if rng.random() < 0.7 else 0.02, "personas": bool(rng.random() < 0.5),
                "brackets": [(0,), (0, 5_000, 40_000), "us2024"][int(rng.integers(3))],
                "rate_mode": str(rng.choice(["absolute", "delta"])), "planner_reward": str(rng.choice(["level", "change"])),
                "grouped": str(rng.choice(["yes", "no"])),
            }
        )  # fmt: skip
    return found


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(np.asarray(a, float), np.asarray(b, float), rtol=1e-9, atol=1e-9)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("options", configs(), ids=lambda o: f"{o['utility']}-{o['settle']}-{o['swf']}")
def test_the_kernels_equal_the_reference(options: dict[str, Any]) -> None:
    simulator = make_simulator(ID, **options)
    n, actions = options["n_workers"], simulator.config.actions
    rng = np.random.default_rng(1)
    whole = {"rate_step": 0.05, **options}
    for trial in range(4):
        batch = Batch(simulator, ROWS, ID)
        every = np.ones(ROWS, np.bool_)
        batch.seed(every, list(range(trial * ROWS, (trial + 1) * ROWS)))
        wages = [np.maximum(1, (10 ** rng.uniform(0, 7, n)).astype(np.int64)).tolist() for _ in range(ROWS)]
        people = [
            [[0, 0, 0, int(x)] for x in rng.integers(0, 3, n)] if options["personas"] else [] for _ in range(ROWS)
        ]
        batch.reset(every, {b: {"wages": wages[b], "people": people[b]} for b in range(ROWS)})
        tastes = [[p[3] for p in row] if row else [0] * n for row in people]
        scales = list(TASTES) if options["personas"] else [1.0]
        twins = [ReferenceTax(wages[b], tastes[b], whole, simulator.edges.tolist(), scales) for b in range(ROWS)]
        while not batch.over.all():
            plan = rng.integers(0, simulator.config.levels, (ROWS, len(simulator.edges)))
            given = rng.integers(0, actions, (ROWS, n))
            given[rng.random((ROWS, n)) < 0.2] = 0
            batch.actions[0][:, 0] = plan
            batch.actions[1][...] = given[:, None] if simulator.scalars.grouped else given
            working = batch.state.phase[0] == 3
            batch.step()
            for b, twin in enumerate(twins):
                rewards, fault = twin.step(plan[b].tolist(), given[b].tolist())
                if simulator.scalars.grouped:
                    rewards = [rewards[0], sum(rewards[1:]) / n if working else 0.0]
                    fault = [0, max(fault)]
                close(batch.out.reward[b], rewards)
                assert batch.out.fault[b].tolist() == fault
                state = batch.state
                assert state.rates[b].tolist() == twin.rates
                assert state.hours[b].tolist() == twin.hours
                for name in ("treasury", "taxed", "shared", "produced", "rebate", "faults", "year"):
                    assert int(getattr(state, name)[b]) == getattr(twin, name), name
                close(state.weight[b], twin.weights)
                close(state.welfare_sum[b], twin.welfare_sum)
            conserve(batch.state)
            for sentence, holds in simulator.invariants(batch.state).items():
                assert holds.all(), sentence
