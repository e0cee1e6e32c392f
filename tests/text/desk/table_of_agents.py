"""Conversations between two agents, for the tests of the desk."""

from __future__ import annotations

from typing import Any

import numpy as np

from ludarium.agents.crew import Crew
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator

WORLD = "text-desk-v0"
DOMAINS = ("retail", "travel", "telecom")


def begun(seed: int, **options: Any) -> Batch:
    batch = Batch(make_simulator(WORLD, **options), 1, WORLD)
    one = np.ones(1, np.bool_)
    batch.seed(one, [seed])
    batch.reset(one)
    return batch


def talk(agent: str, seed: int, user: str = "desk-user", own: int | None = None, **options: Any) -> Batch:
    """A whole conversation; `own` is the agents' seed."""
    batch = begun(seed, **options)
    crew = Crew(batch, [(make_agent(agent), ("agent_0",)), (make_agent(user), ("user_0",))])
    crew.start(seed if own is None else own)
    while not batch.over[0]:
        crew.act()
        batch.step()
    return batch


def say(batch: Batch, text: str) -> int:
    """An action of the seat in turn; its fault."""
    game = batch.state.games[0]
    seat = game.turn
    batch.actions[seat][0][0] = text
    batch.step()
    return int(batch.out.fault[0, seat])


def metrics(batch: Batch) -> dict[str, Any]:
    return dict(batch.result()["metrics"])
