"""Playing the commons in tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from ludarium.agents.crew import Crew
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator

ID = "econ-commons-v0"


def begun(seed: int = 0, rows: int = 1, instance: Any = None, **options: Any) -> Batch:
    """A batch at the beginning of its episodes."""
    batch = Batch(make_simulator(ID, **options), rows, ID)
    batch.seed(np.ones(rows, np.bool_), list(range(seed, seed + rows)))
    batch.reset(np.ones(rows, np.bool_), {0: instance} if instance else None)
    return batch


def act(batch: Batch, *codes: int) -> None:
    """A step of row 0 in which all harvesters do the same, or each his own."""
    batch.actions[0][0, :] = codes if len(codes) > 1 else codes[0]
    batch.step()


def played(*fill: tuple[str, int], seed: int = 0, **options: Any) -> Batch:
    """An episode played to its end by agents that fill so many seats each, in order."""
    batch = begun(seed, **options)
    seats, agents = list(batch.simulator.seats), []
    for name, count in fill:
        agents.append((make_agent(name), tuple(seats[:count])))
        seats = seats[count:]
    crew = Crew(batch, agents)
    crew.start(seed)
    while not batch.over[0]:
        crew.act()
        batch.step()
    for sentence, holds in batch.simulator.invariants(batch.state).items():
        assert holds.all(), sentence
    return batch


def metrics(batch: Batch) -> dict[str, Any]:
    """The metrics of row 0."""
    found: dict[str, Any] = batch.result()["metrics"]
    return found
