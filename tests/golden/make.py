"""Golden digests: 20 seeds of every registered id, played by the random agent. `python tests/golden/make.py` writes them anew."""

import json
import pathlib

import numpy as np

import ludarium  # noqa: F401  (registers the ids)
from ludarium.agents.crew import Crew
from ludarium.agents.uniform import RandomAgent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import WORLDS, available, make_simulator

FILE = pathlib.Path(__file__).with_name("digests.json")
SEEDS = range(20)
STEPS = 100


def digest(name: str, seed: int, **options) -> str:
    """The digest after at most `STEPS` steps of the random agent."""
    batch = Batch(make_simulator(name, **options), 1, name)
    one = np.ones(1, np.bool_)
    batch.seed(one, [seed])
    batch.reset(one)
    crew = Crew(batch, [(RandomAgent(), batch.simulator.seats)])
    crew.start(seed)
    while not batch.over[0] and batch.t[0] < STEPS:
        crew.act()
        batch.step()
    return f"{batch.digest():016x}"


def main() -> None:
    table = {name: [digest(name, seed) for seed in SEEDS] for name in sorted(filter(available, WORLDS))}
    FILE.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
