"""Parameters of TextWorld games, checked when they are made."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from ludarium.envs.core.config import Config, at_least
from ludarium.envs.core.errors import ConfigError

__all__ = ["ACTIONS", "TextworldConfig"]

ACTIONS = ("index", "text")
MAX_POOL = 10_000
MAX_COMMANDS = 100_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextworldConfig(Config):
    """Parameters of `text-textworld-v0`."""

    max_steps: int = 100
    games: tuple[str, ...] = ()
    """Paths of game files (`.z8`, `.ulx`, `.tw-pddl`), or names of games of the suite; the seed chooses one. Empty: games are
    made."""
    make: str = "tw-coin_collector --level 5"
    """What `tw-make` is told where no files are given: a challenge, or `custom`, with its options."""
    pool: int = 4
    """How many games are made, with the seeds 1, 2, ...; the seed chooses one."""
    action: str = "index"
    """`index`: a place in the sorted list of admissible commands; `text`: any text, as TextWorld takes it."""
    max_commands: int = 256
    """The length to which the list of admissible commands is padded."""

    _choices: ClassVar[dict[str, tuple[str, ...]]] = {"action": ACTIONS}
    examples: ClassVar[dict[str, tuple[Any, ...]]] = {
        "games": ((),),
        "make": (make,),
        "pool": (2,),
        "max_commands": (256,),
    }

    def validate(self) -> None:
        """Check numbers, and that games are named by strings."""
        for name, high in (("pool", MAX_POOL), ("max_commands", MAX_COMMANDS)):
            at_least(name, getattr(self, name), 1)
            if getattr(self, name) > high:
                raise ConfigError(f"{name} = {getattr(self, name)}; expected at most {high}")
        if not isinstance(self.games, tuple) or not all(isinstance(path, str) for path in self.games):
            raise ConfigError(f"games = {self.games!r:.200}; expected a list of paths")
        if not isinstance(self.make, str) or not self.make.split():
            raise ConfigError(f"make = {self.make!r:.80}; expected a challenge and its options, as tw-make takes them")
