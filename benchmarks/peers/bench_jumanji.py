"""Speed of Jumanji 1.1.2 on JAX's CPU backend: agent-steps a CPU-second of `Connector`, vmapped and scanned."""

from __future__ import annotations

import jax
import jumanji
from clock import measure, spec
from jumanji.wrappers import VmapWrapper


def main() -> None:
    """Scan 100 steps of `rows` environments of 10 agents on 10x10; the observation is one grid that all agents share.

    Episodes are not reset when they end, which would cost Jumanji a factor of ten or more.
    """
    s = spec()
    rows, length = s["rows"], 100
    env = VmapWrapper(jumanji.make("Connector-v3"))
    agents = env.unwrapped.num_agents

    def one(state: object, key: jax.Array) -> tuple[object, object]:
        actions = jax.random.randint(key, (rows, agents), 0, 5)
        state, step = env.step(state, actions)
        return state, (step.reward.sum(), step.observation.grid.sum())

    @jax.jit
    def scan(state: object, key: jax.Array) -> tuple[object, object]:
        return jax.lax.scan(one, state, jax.random.split(key, length))

    key = jax.random.PRNGKey(0)
    state, _ = jax.jit(env.reset)(jax.random.split(key, rows))

    def play(rounds: int) -> None:
        nonlocal state
        for k in range(rounds):
            state, sums = scan(state, jax.random.fold_in(key, k))
            jax.block_until_ready(sums)

    measure(play, rows * agents * length, s["seconds"])


if __name__ == "__main__":
    main()
