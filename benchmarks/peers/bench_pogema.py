"""Speed of POGEMA (1.4.0 or 2.0.0a): agent-steps, or resets, a CPU-second. One JSON spec on the command line."""

from __future__ import annotations

import itertools
import random
import warnings
from pathlib import Path

from clock import measure, measure_passes, spec
from pogema import GridConfig, pogema_v0


def main() -> None:
    """Play random moves, or the given ones from reset to their end and over again."""
    warnings.simplefilter("ignore")
    s = spec()
    options = {
        "height": s["height"], "width": s["width"], "density": 0.3, "num_agents": s["robots"], "obs_radius": 5,
        "on_target": s["on_target"], "collision_system": s["collision"], "observation_type": s["observation"],
        "seed": s["seed"], "max_episode_steps": 10**9,
    }  # fmt: skip
    env = pogema_v0(GridConfig(**options))
    env.reset()
    if s["what"] == "reset":

        def resets(rounds: int) -> None:
            for _ in range(rounds):
                env.reset()

        measure(resets, 1, s["seconds"])
    elif s.get("actions"):
        joint = [[int(digit) for digit in line] for line in Path(s["actions"]).read_text().split()]

        def walk() -> None:
            for actions in joint:
                env.step(list(actions))

        measure_passes(env.reset, walk, s["robots"] * len(joint), s["seconds"])
    else:
        rng = random.Random(0)
        turn = itertools.cycle([[rng.randrange(5) for _ in range(s["robots"])] for _ in range(64)])

        def steps(rounds: int) -> None:
            for _ in range(rounds):
                env.step(list(next(turn)))

        measure(steps, s["robots"], s["seconds"])


if __name__ == "__main__":
    main()
