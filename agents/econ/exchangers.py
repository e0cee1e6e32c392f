"""Traders who meet in pairs: those of the Boltzmann economy, who keeps all, and who names what a unit is worth."""

from __future__ import annotations

from typing import Any

import numpy as np

from ludarium.agents.contract import Agent, Task, Turn
from ludarium.envs.core.errors import AgentError
from ludarium.envs.econ.exchange.config import ExchangeConfig

__all__ = ["GasTrader", "Hoarder", "TruthfulTrader"]


class Hoarder(Agent):
    """Puts nothing at stake, which is best for itself; of goods it names one price whatever it has."""

    view = "array"
    information = "local"

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Note the config."""
        if not task.id.removesuffix("-v0").endswith("exchange"):
            raise AgentError(f"{type(self).__name__} is a trader in econ-exchange-v0, not in {task.id}")
        self.config = ExchangeConfig.of(**task.config)

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """Each seat by itself, on its own observation."""
        return {seat: self._choose(np.asarray(turn.observation, np.float64)) for seat, turn in turns.items()}

    def _choose(self, seen: Any) -> int:
        if self.config.kind == "boltzmann":
            return min(self.stake(), int(seen[1]))
        return min(max(round(self.price(seen) / self.config.step), 0), self.config.levels - 1)

    def stake(self) -> int:
        """Money to put at stake."""
        return 0

    def price(self, seen: Any) -> float:
        """The price to name: where all name the same, nobody's bid reaches another's ask."""
        return (self.config.levels - 1) * self.config.step / 2


class GasTrader(Hoarder):
    """Always puts `amount` at stake, as molecules exchange energy (Dragulescu and Yakovenko 2000)."""

    def __init__(self, amount: int = 1) -> None:
        if not isinstance(amount, int) or amount < 1:
            raise AgentError(f"amount = {amount}; expected a whole number of at least 1")
        self.amount = amount

    def stake(self) -> int:
        """As much as allowed, up to `amount`."""
        return min(self.amount, self.config.max_stake)


class TruthfulTrader(Hoarder):
    """Names what a unit is worth to it, m - r x, so that each pair trades exactly where both gain; it stakes nothing."""

    def price(self, seen: Any) -> float:
        """The middle of what it would pay for one more and what it would take for one less."""
        return float(seen[4])
