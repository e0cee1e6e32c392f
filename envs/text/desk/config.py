"""Parameters of the tool desk, checked when they are made."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from ludarium.envs.core.config import Config, at_least
from ludarium.envs.core.errors import ConfigError
from ludarium.envs.text.desk.names import DOMAINS, PERSONAS, SPLITS

__all__ = ["DeskConfig"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class DeskConfig(Config):
    """Parameters of `text-desk-v0`."""

    max_steps: int = 120
    domain: str = "retail"
    """retail, travel or telecom"""
    persona: str = "any"
    """how users are: `any` draws one a task"""
    split: str = "all"
    """whose wishes: of all customers, or of the third that belongs to train, val or test"""
    max_wishes: int = 3
    """wishes that can be granted, at most; one that must be declined and one for a person may come beside them"""
    customers: int = 500
    database: int = 0
    """seed of the database, which all episodes share"""
    max_tool_errors: int = 10
    max_message_tokens: int = 2000

    examples: ClassVar[dict[str, tuple[Any, ...]]] = {
        "max_steps": (3, 9, 20, 64, 200),
        "customers": (60, 90),
        "database": (0, 1),
        "max_tool_errors": (1, 3, 10),
        "max_message_tokens": (50, 2000),
        "max_wishes": (1, 2, 3),
    }
    _choices: ClassVar[dict[str, tuple[str, ...]]] = {
        "domain": DOMAINS,
        "persona": ("any", *PERSONAS),
        "split": ("all", *SPLITS),
    }

    def validate(self) -> None:
        """Check each number."""
        limits = {"max_wishes": (1, 5), "customers": (30, 5000), "database": (0, 2**31), "max_tool_errors": (1, 10**6),
                  "max_message_tokens": (10, 10**6)}  # fmt: skip
        for name, (low, high) in limits.items():
            at_least(name, getattr(self, name), low)
            if getattr(self, name) > high:
                raise ConfigError(f"{name} = {getattr(self, name)}; expected at most {high}")
