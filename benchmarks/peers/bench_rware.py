"""Speed of RWARE 2.0.0: agent-steps a CPU-second. One JSON spec on the command line: `id`."""

from __future__ import annotations

import itertools

import gymnasium
import numpy as np
import rware  # noqa: F401  (registers its ids)
from clock import measure, spec


def main() -> None:
    """Play random moves; a finished episode is reset, which counts."""
    s = spec()
    env = gymnasium.make(s["id"]).unwrapped
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    turn = itertools.cycle([tuple(rng.integers(5, size=env.n_agents).tolist()) for _ in range(64)])

    def play(rounds: int) -> None:
        for _ in range(rounds):
            _, _, done, truncated, _ = env.step(next(turn))
            if done or truncated:
                env.reset()

    measure(play, env.n_agents, s["seconds"])


if __name__ == "__main__":
    main()
