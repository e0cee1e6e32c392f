"""A world as an agent instance of OpenRLHF."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ludarium.wrappers.spoken import Spoken

__all__ = ["to_openrlhf"]


def to_openrlhf(
    world: str,
    base: type = object,
    number: Callable[[float], Any] = np.float64,
    seat: str | None = None,
    others: str | None = None,
    turn: str = "\nUser: {text}\nAssistant: ",
    **config: Any,
) -> type:
    """A class with the coroutines `reset(states)` and `step(states)`, made anew for each prompt; the label is the seed.

    Pass `base=openrlhf.utils.agent.AgentInstanceBase`, which the executor asks for, `number=torch.tensor`, and in `turn` the
    chat template of the model: OpenRLHF joins texts as they are.
    """

    class LudariumAgent(base):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.spoken = Spoken(world, seat, others, **config)

        async def reset(self, states: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
            """Begin the episode that the label names, after the prompt of the data set."""
            told = self.spoken.prompt(int(states.get("label") or 0))
            return {"observation": f"{states.get('observation') or ''}{turn.format(text=told)}"}

        async def step(self, states: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
            """Do what `action_text` says."""
            text, reward, done = self.spoken.say(states["action_text"])
            logs = {name: number(float(value)) for name, value in self.spoken.metrics().items()}
            return {
                "rewards": number(reward),
                "scores": number(self.spoken.total),
                "environment_feedback": turn.format(text=text),
                "done": done,
                "sampling_params": states.get("sampling_params"),
                "extra_logs": logs,
            }

    return LudariumAgent
