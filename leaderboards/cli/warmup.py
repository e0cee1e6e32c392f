"""`ludarium warmup`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any

import typer

from ludarium.leaderboards.cli.common import AsJson, console, print_json

STEPS = 3


def command(
    ids: Annotated[list[str] | None, typer.Argument(help="environments and agents [default: all]")] = None,
    as_json: AsJson = False,
) -> None:
    """Compile kernels ahead of time, so that no first call waits: of all environments and planners, or of those named.

    Planners are warmed up in the environments that are named beside them, in all if none is.

    For example:

        ludarium warmup

        ludarium warmup mapf-lifelong-v0 pibt
    """
    import ludarium  # noqa: F401  (registers the ids)
    from ludarium.agents.registry import BUILT_IN, known_agents
    from ludarium.envs.core.errors import ConfigError, did_you_mean
    from ludarium.envs.core.registry import WORLDS, available

    agents = known_agents()
    for name in ids or ():
        if name not in WORLDS and name.split("?")[0] not in agents:
            raise ConfigError(f"nothing is named {name!r}{did_you_mean(name, [*WORLDS, *agents])}")
    worlds = [name for name in ids or filter(available, WORLDS) if name in WORLDS]
    planners = [name for name in ids or BUILT_IN if name not in WORLDS]
    spent = {name: _timed(_warm_world, name) for name in worlds}
    for name in planners:
        spent[name] = _timed(_warm_agent, name, worlds or list(filter(available, WORLDS)))
    if as_json:
        print_json(spent)
        return
    for name, seconds in spent.items():
        console().print(f"{name}: {seconds:.1f} s")


def _timed(call: Callable[..., None], *given: Any) -> float:
    began = time.perf_counter()
    call(*given)
    return round(time.perf_counter() - began, 3)


def _warm_world(name: str) -> None:
    """A short episode by random actions, its trace, its replay, and a small batch."""
    import gymnasium

    from ludarium.envs.core.replay import replay

    environment = gymnasium.make(name)
    environment.reset(seed=0)
    for _ in range(STEPS):
        environment.step(environment.action_space.sample())
    replay(environment.unwrapped.trace())  # type: ignore[attr-defined]
    environment.close()
    many = gymnasium.make_vec(name, num_envs=2)
    many.reset(seed=0)
    many.step(many.action_space.sample())
    many.close()


def _warm_agent(name: str, worlds: list[str]) -> None:
    """A few steps in every one of these worlds that offers the agent's view."""
    import numpy as np

    from ludarium.agents.registry import make_agent
    from ludarium.envs.core.batch import Batch
    from ludarium.envs.core.errors import AgentError, NotClaimedError, ScenarioError
    from ludarium.envs.core.registry import make_simulator
    from ludarium.leaderboards.guarded import Guarded

    for world in worlds:
        simulator = make_simulator(world)
        batch = Batch(simulator, 1, world)
        batch.seed(np.ones(1, np.bool_), [0])
        batch.reset(np.ones(1, np.bool_))
        try:
            crew = Guarded(batch, [(make_agent(name), simulator.seats)])
            crew.start(0)
            for _ in range(STEPS):
                if not batch.over[0]:
                    crew.act()
                    batch.step()
        except (AgentError, NotClaimedError, ScenarioError):
            continue  # not made for this world, or one of messages, where only a scenario knows what to say by default
