"""Parameters of the auctions."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from ludarium.envs.core.config import Config, between
from ludarium.envs.core.errors import ConfigError

__all__ = ["FORMS", "INCOMES", "NEEDS", "AuctionConfig"]

FORMS = ("first", "second", "all-pay", "water")
NEEDS = (8, 9, 10, 11, 12)
"""Units of water that residents need a day, by name; further residents begin again (Alympics)."""
INCOMES = (7000, 7500, 10_000, 12_000, 12_000)
"""Their incomes a day in minor units."""
MAX_TOP = 100_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class AuctionConfig(Config):
    """Parameters of `econ-auction-v0`. Money is in integer minor units; a bid is a level times `step`."""

    max_steps: int = 20
    """Auctions, one after the other."""
    form: str = "first"
    """Who wins pays the own bid (`first`) or the second highest (`second`), or all pay their bids; or the auction for water."""
    bidders: int = 4
    levels: int = 101
    """Bids to choose from; 0 is no bid."""
    step: int = 100
    """The distance between two; values are uniform from 0 to the highest bid."""
    reserve: int = 0
    """Money below which the seller keeps the good."""
    budget: int = 0
    """Money for all auctions together (0: credit without end); for water bidders have incomes instead."""
    supply_low: int = 10
    """Units of water a day, at least."""
    supply_high: int = 19
    """Units of water a day, at most."""

    examples: ClassVar[dict[str, tuple[Any, ...]]] = {
        "bidders": (1, 2, 4, 6), "levels": (2, 11, 101), "step": (100, 1, 500), "reserve": (0, 100), "budget": (0, 5000),
        "supply_low": (10, 0), "supply_high": (19, 30), "max_steps": (3, 20),
    }  # fmt: skip
    _choices: ClassVar[dict[str, tuple[str, ...]]] = {"form": FORMS}

    def validate(self) -> None:
        """Check each number."""
        for name, low, high in (
            ("bidders", 1, 64), ("levels", 2, 4097), ("step", 1, MAX_TOP), ("reserve", 0, MAX_TOP), ("budget", 0, 10**12),
            ("supply_low", 0, 10**6), ("supply_high", 0, 10**6),
        ):  # fmt: skip
            between(name, getattr(self, name), low, high)
        if self.top > MAX_TOP:
            raise ConfigError(f"levels and step make a highest bid of {self.top}; expected at most {MAX_TOP}")
        if self.reserve > self.top:
            raise ConfigError(f"reserve = {self.reserve} is more than the highest bid, {self.top}")
        if self.supply_low > self.supply_high:
            raise ConfigError(f"supply_low = {self.supply_low} is more than supply_high = {self.supply_high}")
        if self.form == "water" and (self.reserve or self.budget):
            raise ConfigError("reserve and budget have no place in the auction for water: bidders have incomes")

    @property
    def top(self) -> int:
        """The highest bid, and the highest value."""
        return (self.levels - 1) * self.step
