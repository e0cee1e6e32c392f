"""Parameters of exchange in pairs."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from ludarium.envs.core.config import Config, between
from ludarium.envs.core.errors import ConfigError

__all__ = ["KINDS", "MOST", "ExchangeConfig"]

KINDS = ("boltzmann", "cara")
MOST = 1 << 60
"""Sums of money stay below this, times the number of traders in one metric."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExchangeConfig(Config):
    """Parameters of `econ-exchange-v0`. Money is in integer minor units."""

    max_steps: int = 200
    kind: str = "boltzmann"
    """Money changes hands by the fall of a coin, or goods of uncertain worth are sold among traders who shun risk."""
    traders: int = 20
    money: int | None = None
    """Of each trader at the beginning (None: 10, or under `cara` 1,000,000)."""
    max_stake: int = 5
    """The most money that may be put at stake at once (`boltzmann`)."""
    units: int = 20
    """Goods of a trader at the beginning are drawn from 0 to this (`cara`)."""
    mean: int = 10_000
    """What a good is worth on average (`cara`)."""
    risk_high: int = 4
    """Aversion times variance is drawn from 1 to this times `step` (`cara`)."""
    levels: int = 101
    """Prices to choose from, from 0 upwards (`cara`)."""
    step: int = 100
    """The distance between two (`cara`)."""

    examples: ClassVar[dict[str, tuple[Any, ...]]] = {
        "traders": (1, 2, 3, 6), "money": (None, 0, 3), "max_stake": (5, 1), "units": (20, 0, 4), "mean": (10_000, 500),
        "risk_high": (4, 1), "levels": (101, 3), "step": (100, 7), "max_steps": (3, 30),
    }  # fmt: skip
    _choices: ClassVar[dict[str, tuple[str, ...]]] = {"kind": KINDS}

    def validate(self) -> None:
        """Check each number."""
        for name, low, high in (
            ("traders", 1, 10_000), ("max_stake", 1, 4096), ("units", 0, 1000), ("mean", 0, 10**9), ("risk_high", 1, 1000),
            ("levels", 2, 4097), ("step", 1, 10**6),
        ):  # fmt: skip
            between(name, getattr(self, name), low, high)
        if self.money is not None:
            between("money", self.money, 0, 10**12)
        if self.purse * self.traders**2 >= MOST or self.levels * self.step * self.traders * self.max_steps >= MOST:
            raise ConfigError(
                f"money = {self.purse}, traders, levels, step and max_steps make more than 2**60 of money"
            )
        worst = self.risk_high * self.step * (self.units * self.traders) ** 2
        if self.kind == "cara" and worst >= 1 << 50:
            raise ConfigError(f"risk_high, step, units and traders make worths of {worst}; expected less than 2**50")

    @property
    def purse(self) -> int:
        """The money of each trader at the beginning."""
        if self.money is not None:
            return int(self.money)
        return 10 if self.kind == "boltzmann" else 1_000_000
