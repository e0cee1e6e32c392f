"""`econ-tax-v0` for tests: registered under a name of tests, and short ways to play it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import WORLDS, World, make_simulator, register

ID = "econ-tax-v0" if "econ-tax-v0" in WORLDS else "test-econ-tax-v0"
register(
    World(
        id=ID,
        simulator="ludarium.envs.econ.tax.simulator:Tax",
        config="ludarium.envs.econ.tax.config:TaxConfig",
        summary="a planner taxes workers who choose their hours",
        family="econ",
    )
)


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
