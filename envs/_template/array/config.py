"""Parameters of the aisle, checked when they are made."""

from __future__ import annotations

import dataclasses

from ludarium.envs.core.config import Config, at_least
from ludarium.envs.core.errors import ConfigError

__all__ = ["MAX_LENGTH", "MAX_WORKERS", "TemplateArrayConfig"]

MAX_LENGTH = 1024
MAX_WORKERS = 1024


@dataclasses.dataclass(frozen=True, kw_only=True)
class TemplateArrayConfig(Config):
    """Parameters of `template-array-v0`."""

    max_steps: int = 100
    length: int = 12
    """Cells of the aisle."""
    num_crates: int = 4
    num_workers: int = 2

    def validate(self) -> None:
        """Check each number, then that the crates fit."""
        for name, low, high in (
            ("length", 2, MAX_LENGTH), ("num_crates", 1, MAX_LENGTH), ("num_workers", 1, MAX_WORKERS),
        ):  # fmt: skip
            at_least(name, getattr(self, name), low)
            if getattr(self, name) > high:
                raise ConfigError(f"{name} = {getattr(self, name)}; expected at most {high}")
        if self.num_crates > self.length:
            raise ConfigError(
                f"num_crates = {self.num_crates} do not fit in an aisle of length = {self.length}; at most one a cell"
            )
