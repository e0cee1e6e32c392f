"""Short ways to play `econ-tax-v0`."""

from __future__ import annotations

from typing import Any

import numpy as np

import ludarium  # noqa: F401  (registers the ids)
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.econ.tax import measures, oracles
from ludarium.envs.econ.tax.best import answer_all, powers

ID = "econ-tax-v0"


def begun(rows: int = 1, seed: int = 0, record: bool = True, **options: Any) -> Batch:
    """A batch at the beginning of its episodes."""
    batch = Batch(make_simulator(ID, **options), rows, ID, record=record)
    every = np.ones(rows, np.bool_)
    batch.seed(every, [seed + b for b in range(rows)])
    batch.reset(every)
    return batch


def act(batch: Batch, plan: Any = 0, workers: Any = 0) -> None:
    """One step by these levels and these actions of the workers."""
    batch.actions[0][...] = plan
    batch.actions[1][...] = workers
    batch.step()


def respond(batch: Batch, row: int = 0) -> None:
    """All workers of a grouped row take their best choice at the rates of now."""
    simulator, state = batch.simulator, batch.state
    taste = state.person[row, :, 3].copy() if simulator.config.personas else np.zeros(1, np.uint8)
    free = np.empty(state.wage.shape[1])
    powers(state.wage[row], state.scale_k[row], simulator.tastes, taste, simulator.config.d, free)
    e = oracles.elasticity(simulator.config.d)
    answer_all(state.wage[row], free, state.cost[row], taste, simulator.config.hour_parts, e, simulator.edges,
               state.rates[row], batch.actions[1][row, 0])  # fmt: skip


def year_under(rates: Any, **options: Any) -> Batch:
    """One year of one step under these rates (fractions), everybody answering best; rates are set by basis points."""
    given = {"n_workers": 1000, "grouped": "yes", "rate_step": 0.0001, "steps_per_year": 1, "max_steps": 2, **options}
    batch = begun(**given)
    batch.actions[0][0, 0] = np.rint(np.asarray(rates) * 10_000).astype(np.int64)
    batch.step()
    respond(batch)
    batch.step()
    measures.conserve(batch.state)
    return batch
