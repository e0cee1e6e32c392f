"""Speed of Flatland 4.3.0: train-steps a CPU-second without observations. One JSON spec: `side`, `trains`."""

from __future__ import annotations

import itertools
import random

from clock import measure, spec
from flatland.core.env_observation_builder import DummyObservationBuilder
from flatland.envs.line_generators import sparse_line_generator
from flatland.envs.rail_env import RailEnv
from flatland.envs.rail_generators import sparse_rail_generator


def main() -> None:
    """Play random moves; a finished episode is reset, which is not timed apart."""
    s = spec()
    env = RailEnv(
        width=s["side"], height=s["side"], number_of_agents=s["trains"],
        rail_generator=sparse_rail_generator(max_num_cities=3, seed=0), line_generator=sparse_line_generator(seed=0),
        obs_builder_object=DummyObservationBuilder(),
    )  # fmt: skip
    env.reset(random_seed=0)
    rng = random.Random(0)
    turn = itertools.cycle([{i: rng.randrange(5) for i in range(s["trains"])} for _ in range(64)])

    def play(rounds: int) -> None:
        for _ in range(rounds):
            _, _, done, _ = env.step(next(turn))
            if done["__all__"]:
                env.reset(regenerate_rail=False, regenerate_schedule=False, random_seed=0)

    measure(play, s["trains"], s["seconds"])


if __name__ == "__main__":
    main()
