"""A world as a task set and an environment of verifiers (version 1): the world plays the run's user."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from ludarium.wrappers.spoken import Spoken

__all__ = ["to_verifiers"]


def to_verifiers(
    world: str,
    vf: Any,
    seeds: range | None = None,
    seat: str | None = None,
    others: str | None = None,
    **options: Any,
) -> tuple[type, type]:
    """The pair (task set, environment) for the module `vf` (`import verifiers.v1 as vf`); put both into a module's `__all__`.

    Task n is the episode of seed n (of `seeds`, else without end). The agent is called `player`; the episode's rewards are
    recorded as `reward`, and the world's metrics by their names.
    """
    data = type("LudariumData", (vf.TaskData,), {"__module__": __name__, "__annotations__": {"seed": int}, "seed": 0})

    class LudariumTask(vf.Task[data, vf.State, vf.TaskConfig]):
        pass

    player = {"__module__": __name__, "__annotations__": {"player": vf.AgentConfig}, "player": vf.AgentConfig()}
    settings = type("LudariumEnvConfig", (vf.EnvConfig,), player)

    class LudariumTaskset(vf.Taskset[LudariumTask, vf.TasksetConfig]):
        INFINITE = seeds is None

        def load(self) -> Iterator[Any]:
            """A task an episode."""
            spoken = Spoken(world, seat, others, **options)
            for seed in itertools.count() if seeds is None else seeds:
                told = data(name=f"{world}#{seed}", prompt=spoken.prompt(seed), seed=seed)
                yield LudariumTask(told, self.config.task)

    class LudariumEnv(vf.Env[settings]):
        async def run(self, task: Any, agents: Any) -> None:
            """Play an episode: the agent speaks first, the world answers until it is over."""
            spoken = Spoken(world, seat, others, **options)
            spoken.reset(task.data.seed)
            async with agents.player.interaction(task) as interaction:
                segment = await interaction.turn()
                while not segment.terminated:
                    text, _, done = spoken.say(segment.last_reply)
                    if done:
                        break
                    segment = await interaction.turn(text)
            interaction.trace.record_reward("reward", spoken.total, 1.0)
            for name, value in spoken.metrics().items():
                interaction.trace.record_metric(name, float(value))

    return LudariumTaskset, LudariumEnv
