"""Parameters of the coin games, checked when they are made."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from ludarium.envs.core.config import Config, at_least
from ludarium.envs.core.errors import ConfigError

__all__ = ["LEVELS", "MODES", "CoinConfig"]

LEVELS = 300
MODES = ("auto", "simple", "random")


@dataclasses.dataclass(frozen=True, kw_only=True)
class CoinConfig(Config):
    """Parameters of `text-coin-v0`."""

    max_steps: int = 100
    level: int = 10
    """1 to 300: the chain has (level - 1) % 100 + 1 rooms, and none, one or two times as many rooms lead astray."""
    mode: str = "auto"
    """Where rooms that lead astray lie: `simple` beside the chain, `random` anywhere; `auto`: random above level 200."""
    doors: bool = False
    """Rooms are joined by doors, which are closed at first."""

    _choices: ClassVar[dict[str, tuple[str, ...]]] = {"mode": MODES}
    examples: ClassVar[dict[str, tuple[Any, ...]]] = {"level": (1, 2, 3, 10, 103, 204)}

    def validate(self) -> None:
        """Check each number."""
        at_least("level", self.level, 1)
        if self.level > LEVELS:
            raise ConfigError(f"level = {self.level}; expected at most {LEVELS}")
        if not isinstance(self.doors, bool):
            raise ConfigError(f"doors = {self.doors!r}; expected true or false")

    @property
    def chain(self) -> int:
        """Rooms from the start to the coin, both counted."""
        return (self.level - 1) % 100 + 1

    @property
    def rooms(self) -> int:
        """All rooms."""
        return self.chain * ((self.level - 1) // 100 + 1)

    @property
    def wild(self) -> bool:
        """Whether rooms that lead astray may lead further astray."""
        return self.mode == "random" or (self.mode == "auto" and self.level > 200)
