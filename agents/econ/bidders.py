"""Bidders: the equilibrium, the truth, a shaded truth, and one who bids for water as it thirsts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ludarium.agents.contract import Agent, Task, Turn
from ludarium.envs.core.errors import AgentError
from ludarium.envs.econ.auction import oracles
from ludarium.envs.econ.auction.config import AuctionConfig

__all__ = ["Bidder", "EquilibriumBidder", "ShadingBidder", "ThirstyBidder", "TruthfulBidder"]


class Bidder(Agent):
    """Base: an amount from what a bidder sees; the nearest bid that can be paid is made."""

    view = "array"
    information = "local"

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Note the config."""
        if not task.id.removesuffix("-v0").endswith("auction"):
            raise AgentError(f"{type(self).__name__} is a bidder in econ-auction-v0, not in {task.id}")
        self.config = AuctionConfig.of(**task.config)

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """Each seat by itself, on its own observation."""
        return {seat: self._level(turn) for seat, turn in turns.items()}

    def _level(self, turn: Turn) -> int:
        seen = [int(x) for x in np.asarray(turn.observation).tolist()]
        level = min(max(round(self.amount(seen) / self.config.step), 0), self.config.levels - 1)
        limited = self.config.form == "water" or self.config.budget > 0
        return min(level, seen[2] // self.config.step) if limited else level

    def amount(self, seen: list[int]) -> float:
        """Money to bid."""
        raise NotImplementedError(f"{type(self).__name__} must define amount")


class EquilibriumBidder(Bidder):
    """The risk-neutral equilibrium of bidders whose values are uniform; it takes no notice of budgets.

    For water no closed form is known: there it bids as `ThirstyBidder` does.
    """

    def amount(self, seen: list[int]) -> float:
        """The closed form."""
        c = self.config
        if c.form == "water":
            return ThirstyBidder.amount(self, seen)  # type: ignore[arg-type]  # it uses nothing but the config
        return c.top * oracles.equilibrium_bid(c.form, c.bidders, seen[1] / c.top, c.reserve / c.top)


class ShadingBidder(Bidder):
    """Bids a share of what the good is worth to it; for water, a share of its purse."""

    def __init__(self, share: float = 0.5) -> None:
        if not 0 <= share <= 1:
            raise AgentError(f"share = {share}; expected a number from 0 to 1")
        self.share = float(share)

    def amount(self, seen: list[int]) -> float:
        """The share."""
        return self.share * (seen[2] if self.config.form == "water" else seen[1])


class TruthfulBidder(ShadingBidder):
    """Bids what the good is worth to it, which is best where the second price is paid; for water, all that it has."""

    def __init__(self) -> None:
        super().__init__(1.0)


class ThirstyBidder(Bidder):
    """For water: the more a day without it would hurt, the larger the part of the purse; elsewhere half of the worth."""

    def amount(self, seen: list[int]) -> float:
        """All, where the next day without water would be the last one."""
        if self.config.form != "water":
            return seen[1] / 2
        health, thirst = seen[6], seen[7]
        return seen[2] * min(1.0, thirst / max(health, 1))
