"""Small cases of every kind of world, and random play over them, for the tests of the core."""

from __future__ import annotations

from typing import Any

import numpy as np
from core.worlds import herd, nim  # noqa: F401  (they register their ids)
from gymnasium import spaces

import ludarium.envs._template  # noqa: F401
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.language import AnyText
from ludarium.envs.core.registry import make_simulator

MAPF = {"size": 6, "num_robots": 3, "max_steps": 20, "radius": 2}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "nim": ("test-nim-v0", {}),
    "herd": ("test-herd-v0", {}),
    "array": ("template-array-v0", {"max_steps": 70}),
    "object": ("template-object-v0", {"high": 6}),
    "object-turns": ("template-object-v0", {"high": 30, "num_players": 3}),
    "mapf-lifelong": ("mapf-lifelong-v0", {**MAPF, "max_steps": 70}),
    "mapf-stay": ("mapf-v0", {**MAPF, "density": 0.0, "size": 3}),
    "mapf-vanish": ("mapf-v0", {**MAPF, "on_goal": "vanish"}),
}
WORDS = ["3", "7", "I say 5", "12!", "", "no idea", "1 or 2", "999", "é 😀 4"]


def batch_of(name: str, rows: int = 1, seed: int = 0, **more: Any) -> Batch:
    """A batch of a case whose row i has begun the episode of seed + i."""
    world, config = CASES[name]
    batch = Batch(make_simulator(world, **config), rows, world, **more)
    every = np.ones(rows, np.bool_)
    batch.seed(every, [seed + b for b in range(rows)])
    batch.reset(every)
    return batch


def choose(space: spaces.Space[Any], chance: np.random.Generator) -> Any:
    """A random element of an action space."""
    if isinstance(space, AnyText):
        return WORDS[int(chance.integers(len(WORDS)))]
    if isinstance(space, spaces.Discrete):
        return int(space.start) + int(chance.integers(int(space.n)))
    if isinstance(space, spaces.MultiDiscrete):
        return chance.integers(space.nvec)
    return chance.uniform(space.low, space.high).astype(space.dtype)


def random_actions(batch: Batch, chances: list[np.random.Generator]) -> list[Any]:
    """Actions of all seats by role, `[rows][count]`; row b draws from `chances[b]`, whoever is asked."""
    roles = batch.simulator.roles
    drawn = [[[choose(r.action_space, chance) for _ in range(r.count)] for r in roles] for chance in chances]
    return [[row[r] for row in drawn] for r in range(len(roles))]


def put(batch: Batch, actions: list[Any]) -> None:
    """Put what `random_actions` made into the buffers."""
    for r, given in enumerate(actions):
        batch.put(r, given if isinstance(batch.actions[r], list) else np.asarray(given))


def advance(batch: Batch, chances: list[np.random.Generator], steps: int) -> None:
    """Play some random steps; rows that are over stay so."""
    for _ in range(steps):
        put(batch, random_actions(batch, chances))
        batch.step()


def play(name: str, seed: int = 0, steps: int = 1000) -> Batch:
    """A batch of one row after an episode (or some steps) of random play."""
    batch = batch_of(name, 1, seed)
    chance = [np.random.default_rng(seed)]
    while not batch.over[0] and batch.t[0] < steps:
        advance(batch, chance, 1)
    return batch


def state_bytes(batch: Batch) -> bytes:
    """All of a batch's state as bytes, for comparisons."""
    import pickle

    return pickle.dumps(batch.simulator.snapshot(batch.state))
