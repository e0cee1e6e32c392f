"""A world as an interaction of verl: the world is the user of a conversation."""

from __future__ import annotations

import uuid
from typing import Any

from ludarium.wrappers.spoken import Spoken

__all__ = ["to_verl"]


def to_verl(
    world: str, base: type | None = None, seat: str | None = None, others: str | None = None, **options: Any
) -> type:
    """A class with verl's four coroutines, for `interaction_config`; a row's `interaction_kwargs` hold the episode's `seed`.

    `generate_response` returns (whether all is over, what the world says, the turn's reward, more). `prompt(seed)` is the first
    message, to be put into the data set. Pass `base=verl.interactions.base.BaseInteraction` where verl wants one.
    """

    class LudariumInteraction(base or object):  # type: ignore[misc]
        def __init__(self, config: dict[str, Any]) -> None:
            if base is not None:
                super().__init__(config)
            self.config, self.name = config, config.get("name", "ludarium")
            self.episodes: dict[str, Spoken] = {}

        @staticmethod
        def prompt(seed: int) -> list[dict[str, str]]:
            """The first message of an episode."""
            return [{"role": "user", "content": Spoken(world, seat, others, **options).prompt(seed)}]

        async def start_interaction(self, instance_id: str | None = None, seed: int = 0, **kwargs: Any) -> str:
            """Begin the episode of a seed; its name."""
            name = instance_id or uuid.uuid4().hex
            self.episodes[name] = Spoken(world, seat, others, **options)
            self.episodes[name].reset(int(seed))
            return name

        async def generate_response(
            self, instance_id: str, messages: list[dict[str, Any]], **kwargs: Any
        ) -> tuple[bool, str, float, dict[str, Any]]:
            """Do what the assistant's last message says."""
            said = next((m.get("content") or "" for m in reversed(messages) if m.get("role") == "assistant"), "")
            spoken = self.episodes[instance_id]
            text, reward, done = spoken.say(str(said))
            return done, text, reward, {"commands": spoken.commands, **spoken.metrics()}

        async def calculate_score(self, instance_id: str | None = None, **kwargs: Any) -> float:
            """The sum of an episode's rewards."""
            return self.episodes[instance_id].total if instance_id in self.episodes else 0.0

        async def finalize_interaction(self, instance_id: str | None = None, **kwargs: Any) -> None:
            """Forget an episode."""
            self.episodes.pop(instance_id or "", None)

    return LudariumInteraction
