"""Short ways to play `econ-gtb-v0`."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

import ludarium  # noqa: F401  (registers the ids)
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator

ID = "econ-gtb-v0"


def begun(rows: int = 1, seed: int = 0, instance: Any = None, record: bool = False, **options: Any) -> Batch:
    """A batch at the beginning of its episodes."""
    batch = Batch(make_simulator(ID, **options), rows, ID, record=record)
    every = np.ones(rows, np.bool_)
    batch.seed(every, [seed + b for b in range(rows)])
    batch.reset(every, dict.fromkeys(range(rows), instance) if instance else None)
    return batch


def act(batch: Batch, workers: Any = 0, plan: Any = 0) -> list[int]:
    """One step by these actions; the faults of row 0."""
    batch.actions[0][...] = plan
    batch.actions[1][...] = workers
    batch.step()
    return list(batch.out.fault[0, 1:].tolist())


def drawn_options(rng: random.Random) -> dict[str, Any]:
    """A small crowded world in which all that can happen does."""
    kinds = rng.choice((1, 2, 2, 2, 3, 4))
    height, width = rng.choice(((8, 8), (8, 11), (9, 8)))
    return {
        "layout": rng.choice(("quadrant", "split", "uniform", "open")), "height": height, "width": width,
        "n_workers": rng.randint(2, 12), "resources": [f"r{k}" for k in range(kinds)],
        "recipe": [rng.choice((1, 1, 2)) for _ in range(kinds)], "density": rng.choice((0.1, 0.4, 1.0)),
        "regrow": rng.choice((0.01, 0.3, 1.0)), "radius": rng.choice((1, 2, 5)),
        "skills": rng.choice(("pareto", "ranked", "equal")), "payment": rng.choice((0.77, 10.0)),
        "coin": rng.choice((0.0, 7.13, 40.0)), "lifetime": rng.choice((1, 2, 6)), "open_orders": rng.randint(1, 3),
        "eta": rng.choice((0.0, 0.23, 1.0, 1.7)), "period": rng.choice((1, 3, 8)), "max_steps": rng.randint(3, 30),
        "brackets": rng.choice(((0.0,), (0.0, 1.5, 9.7), (0.0, 0.03, 0.5, 20.0))), "rate_step": rng.choice((0.05, 0.01)),
        "swf": rng.choice(("equality_productivity", "uniform", "inverse", "rawls")),
        "legacy_escrow": rng.random() < 0.3, "cancel_bids": rng.random() < 0.6,
        "trade_labour": rng.choice((0.0, 0.25)), "planner_map": rng.random() < 0.3,
    }  # fmt: skip


def hostile(rng: random.Random, count: int, mask: Any, pay: float) -> list[int]:
    """Actions that go against the mask now and then, and build whenever that is possible."""
    found = []
    for row in mask:
        free = np.flatnonzero(row).tolist()
        if rng.random() < 0.15:
            found.append(rng.randrange(count))
        elif row[5] and rng.random() < 0.8:
            found.append(5)
        elif rng.random() < 0.5:
            found.append(rng.choice([a for a in free if a <= 5]))
        else:
            found.append(rng.choice(free))
    return found
