"""What the tests of the small games share: play by agents, play by plain lists, hostile random play."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import ludarium  # noqa: F401  (registers the ids)
from ludarium.agents.crew import Crew
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator


def begun(world: str, rows: int = 1, seed: int = 0, instance: Any = None, **options: Any) -> Batch:
    """A batch at its beginning; rows have the seeds `seed` onwards, or all play `instance`."""
    batch = Batch(make_simulator(world, **options), rows, world)
    every = np.ones(rows, np.bool_)
    batch.seed(every, list(range(seed, seed + rows)))
    batch.reset(every, None if instance is None else dict.fromkeys(range(rows), instance))
    return batch


def sound(batch: Batch) -> None:
    """All invariants hold."""
    for sentence, holds in batch.simulator.invariants(batch.state).items():
        assert holds.all(), sentence


def play(world: str, agents: str | Sequence[str], seed: int = 0, instance: Any = None, **options: Any) -> Batch:
    """An episode of one agent in all seats, or of an agent a seat."""
    batch = begun(world, 1, seed, instance, **options)
    seats = batch.simulator.seats
    if isinstance(agents, str):
        crew = Crew(batch, [(make_agent(agents), seats)])
    else:
        crew = Crew(batch, [(make_agent(name), (seat,)) for name, seat in zip(agents, seats, strict=True)])
    crew.start(seed)
    while not batch.over[0]:
        crew.act()
        batch.step()
    sound(batch)
    return batch


def figures(batch: Batch, row: int = 0) -> dict[str, Any]:
    """The metrics of a row."""
    return batch.simulator.summary(batch.state, row)


def hostile(batch: Batch, rng: np.random.Generator) -> None:
    """Uniform actions of the space, masks ignored."""
    space = batch.simulator.roles[0].action_space
    shape = batch.actions[0].shape
    high = space.nvec if hasattr(space, "nvec") else space.n  # type: ignore[attr-defined]
    batch.actions[0][...] = rng.integers(0, high, shape)


def conserve(world: str, steps: int, rows: int, seed: int = 0, **options: Any) -> int:
    """Hostile play in many rows, reset when they are over, with all invariants held along the way; agent-steps played."""
    batch = begun(world, rows, seed, **options)
    rng, played = np.random.default_rng(seed), 0
    for n in range(steps):
        hostile(batch, rng)
        batch.step()
        played += batch.actions[0].shape[1] * rows
        if n % 16 == 0 or batch.over.any():
            sound(batch)
        if batch.over.any():
            batch.reset(batch.over.copy())
    return played
