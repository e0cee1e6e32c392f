"""Episodes of agents, played to their end."""

from __future__ import annotations

from typing import Any

import numpy as np

from ludarium.agents.crew import Crew
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator

ID = "text-household-v0"


def episodes(agent: str, seeds: Any, **options: Any) -> list[dict[str, Any]]:
    """The metrics of an agent's episodes, one a seed, with the length of a shortest plan as `plan`."""
    simulator = make_simulator(ID, **options)
    batch, one = Batch(simulator, 1, ID), np.ones(1, np.bool_)
    crew = Crew(batch, [(make_agent(agent), simulator.seats)])
    found = []
    for seed in seeds:
        batch.seed(one, [seed])
        batch.reset(one)
        plan = simulator.plan_left(batch.state, 0)
        crew.start(seed)
        while not batch.over[0]:
            crew.act()
            batch.step()
        found.append({**batch.result()["metrics"], "plan": plan, "task": simulator.house(batch.state, 0).task})
    return found
