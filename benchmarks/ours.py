"""Speed of this suite: one row of `speed.py` in a process of its own, so that peers and we are measured alike.

One JSON spec on the command line; `what` chooses what is timed:

    single      gym.make, one `step` call a step
    vector      gym.make_vec of `rows` worlds, views instead of copies
    batch       the batch below both adapters
    reset       resets of a single environment, a new seed each time
    pibt        decisions of the compiled PIBT, distance maps warm
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

sys.path.insert(0, str(Path(__file__).parent / "peers"))
from clock import measure, measure_passes, spec

import ludarium  # noqa: F401  (registers its ids)
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.mapf.instance import Instance

LIFELONG = "mapf-lifelong-v0"
LONG = 10**6


def options(s: dict[str, Any]) -> dict[str, Any]:
    """The environment's options: POGEMA's words in the spec are translated."""
    kinds = {"default": "grid", "POMAPF": "pomapf", "none": "none"}
    found: dict[str, Any] = {
        "height": s["height"], "width": s["width"], "density": s.get("density", 0.3), "num_robots": s["robots"],
        "collision": s["collision"], "observation": kinds[s["observation"]], "max_steps": s.get("max_steps", LONG),
    }  # fmt: skip
    if s["observation"] == "none":
        found["mask"] = False  # the peers compute none
    if s.get("dtype"):
        found["dtype"] = s["dtype"]
    if s.get("actions"):
        found["compat"] = "pogema"
    return found


def random_actions(rows: int, robots: int) -> Any:
    """64 joint actions for `rows` worlds, int64[64, rows, robots], in turn for ever."""
    return itertools.cycle(np.random.default_rng(0).integers(5, size=(64, rows, robots)))


def single(s: dict[str, Any]) -> None:
    """One environment as `gym.make` gives it, one call a step."""
    env = gym.make(LIFELONG, **options(s))
    env.reset(seed=s["seed"])
    turn = itertools.cycle([joint[0] for joint in itertools.islice(random_actions(1, s["robots"]), 64)])

    def play(rounds: int) -> None:
        step = env.step
        for _ in range(rounds):
            step(next(turn))

    measure(play, s["robots"], s["seconds"])


def walk(s: dict[str, Any]) -> None:
    """The same with the given actions, from reset to their end."""
    joint = [np.array([int(d) for d in line]) for line in Path(s["actions"]).read_text().split()]
    env = gym.make(LIFELONG, **options(s | {"max_steps": len(joint) + 1}))

    def play() -> None:
        for actions in joint:
            env.step(actions)

    measure_passes(lambda: env.reset(seed=s["seed"]), play, s["robots"] * len(joint), s["seconds"])


def vector(s: dict[str, Any]) -> None:
    """A native vector environment, one call a step for all rows."""
    envs = gym.make_vec(LIFELONG, num_envs=s["rows"], copy=False, **options(s))
    envs.reset(seed=s["seed"])
    turn = random_actions(s["rows"], s["robots"])

    def play(rounds: int) -> None:
        for _ in range(rounds):
            envs.step(next(turn))

    measure(play, s["rows"] * s["robots"], s["seconds"])


def batch_of(s: dict[str, Any]) -> Batch:
    """A batch that records nothing, reset to the seeds from `seed` on."""
    batch = Batch(make_simulator(LIFELONG, **options(s)), s["rows"], LIFELONG, record=False)
    every = np.ones(s["rows"], np.bool_)
    batch.seed(every, range(s["seed"], s["seed"] + s["rows"]))
    batch.reset(every)
    return batch


def batch(s: dict[str, Any]) -> None:
    """The batch itself."""
    worlds, turn = batch_of(s), random_actions(s["rows"], s["robots"])

    def play(rounds: int) -> None:
        buffer, step = worlds.actions[0], worlds.step
        for _ in range(rounds):
            buffer[...] = next(turn)
            step()

    measure(play, s["rows"] * s["robots"], s["seconds"])


def reset(s: dict[str, Any]) -> None:
    """Resets of one environment, each with a seed of its own."""
    env = gym.make(LIFELONG, **options(s))
    env.reset(seed=0)
    seeds = itertools.count(s["seed"])

    def play(rounds: int) -> None:
        for _ in range(rounds):
            env.reset(seed=next(seeds))

    measure(play, 1, s["seconds"])


def pibt(s: dict[str, Any]) -> None:
    """PIBT's decisions while it solves the instance, one-shot, again and again; the world's own steps are not timed."""
    from ludarium.agents.mapf.pibt import PIBT

    instance = Instance.from_data(json.loads(Path(s["instance"]).read_text()))
    height, width = instance.grid.shape
    simulator = make_simulator(
        "mapf-v0", height=height, width=width, density=0.0, num_robots=s["robots"], observation="none", max_steps=1000
    )
    world = Batch(simulator, 1, "mapf-v0", record=False)
    world.reset(np.ones(1, np.bool_), {0: instance})
    planner, views = PIBT(), []
    planner.begin(simulator.full(world.state, 0), 0)
    while not world.over.all():
        views.append(simulator.full(world.state, 0))
        world.put(0, planner.decide(views[-1])[None])
        world.step()

    def play() -> None:
        for view in views:
            planner.decide(view)

    measure_passes(lambda: None, play, s["robots"] * len(views), s["seconds"])


def main() -> None:
    """Run the row."""
    s = spec()
    what = "walk" if s.get("actions") else s["what"]
    {"single": single, "walk": walk, "vector": vector, "batch": batch, "reset": reset, "pibt": pibt}[what](s)


if __name__ == "__main__":
    main()
