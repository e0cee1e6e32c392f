"""A world as a text environment of SkyRL's gym."""

from __future__ import annotations

from typing import Any

from ludarium.wrappers.spoken import Spoken

__all__ = ["to_skyrl"]


def to_skyrl(
    world: str, base: type = object, seat: str | None = None, others: str | None = None, **config: Any
) -> type:
    """A class with `init(prompt) -> (messages, metadata)`, `step(reply) -> output` and `close()`.

    SkyRL makes it as `cls(env_config=..., extras=row)`; the row's `seed` chooses the episode. `output` has `observations`
    (messages), `reward`, `done`, `metadata` and `postprocessed_action`. Pass `base=skyrl_gym.envs.base_text_env.BaseTextEnv` to
    register it there.
    """

    class LudariumTextEnv(base):
        def __init__(self, env_config: Any = None, extras: dict[str, Any] | None = None) -> None:
            super().__init__()
            self.spoken = Spoken(world, seat, others, **config)
            self.seed = int((extras or {}).get("seed", 0))
            self.turns, self.max_turns = 0, self.spoken.simulator.config.max_steps

        def init(self, prompt: list[dict[str, str]]) -> tuple[list[dict[str, str]], dict[str, Any]]:
            """Begin the episode: the given messages, and the world's first."""
            self.turns = 0
            told = {"role": "user", "content": self.spoken.prompt(self.seed)}
            return [*prompt, told], {"seed": self.seed, "commands": self.spoken.commands}

        def step(self, action: str) -> dict[str, Any]:
            """Do what a reply says."""
            self.turns += 1
            text, reward, done = self.spoken.say(action)
            return {
                "observations": [] if done else [{"role": "user", "content": text}],
                "reward": reward,
                "done": done,
                "metadata": {"text": text, "commands": self.spoken.commands, **self.get_metrics()},
                "postprocessed_action": None,
            }

        def get_metrics(self) -> dict[str, Any]:
            """The world's metrics."""
            return self.spoken.metrics()

        def close(self) -> None:
            """Nothing is left open."""

    return LudariumTextEnv
