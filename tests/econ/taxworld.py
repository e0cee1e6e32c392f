"""Short ways to play `econ-tax-v0`."""

from __future__ import annotations

from typing import Any

import numpy as np

import ludarium  # noqa: F401  (registers the ids)
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator

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
