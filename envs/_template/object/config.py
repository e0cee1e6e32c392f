"""Parameters of the guessing game, checked when they are made."""

from __future__ import annotations

import dataclasses

from ludarium.envs.core.config import Config, at_least
from ludarium.envs.core.errors import ConfigError

__all__ = ["MAX_HIGH", "MAX_PLAYERS", "TemplateObjectConfig"]

MAX_HIGH = 10**9
MAX_PLAYERS = 64


@dataclasses.dataclass(frozen=True, kw_only=True)
class TemplateObjectConfig(Config):
    """Parameters of `template-object-v0`."""

    max_steps: int = 20
    high: int = 100
    """The number is one of 1 to `high`."""
    num_players: int = 1
    """Players guess by turns."""

    def validate(self) -> None:
        """Check each number."""
        for name, low, high in (("high", 2, MAX_HIGH), ("num_players", 1, MAX_PLAYERS)):
            at_least(name, getattr(self, name), low)
            if getattr(self, name) > high:
                raise ConfigError(f"{name} = {getattr(self, name)}; expected at most {high}")
