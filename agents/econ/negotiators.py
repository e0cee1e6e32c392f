"""Negotiators: the equilibrium, Nash's solution, an equal split, and one that concedes as time runs out."""

from __future__ import annotations

from typing import Any

import numpy as np

from ludarium.agents.contract import Agent, Task, Turn
from ludarium.envs.core.errors import AgentError
from ludarium.envs.econ.bargain.config import BargainConfig
from ludarium.envs.econ.bargain.dynamics import OWN, PROPOSE
from ludarium.envs.econ.bargain.oracles import SCALE, nash_solution, split, worths

__all__ = ["ConcedingNegotiator", "EquilibriumNegotiator", "FairNegotiator", "NashNegotiator"]


class _Negotiator(Agent):
    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Note the config."""
        if not task.id.removesuffix("-v0").endswith("bargain"):
            raise AgentError(f"{type(self).__name__} is a party in econ-bargain-v0, not in {task.id}")
        self.config = BargainConfig.of(**task.config)
        self.shape = self.config.shape

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """Each seat by itself."""
        return {seat: self.choose(int(seat.rsplit("_", 1)[1]), turn.observation) for seat, turn in turns.items()}

    def choose(self, party: int, seen: Any) -> int:
        """The offer, or the answer."""
        raise NotImplementedError(f"{type(self).__name__} must define choose")


class EquilibriumNegotiator(_Negotiator):
    """The subgame-perfect equilibrium under complete information, by backward induction over all offers.

    Who is indifferent accepts, so that the first to propose in the ultimatum game takes all.
    """

    view = "state"
    information = "global"

    def choose(self, party: int, seen: Any) -> int:
        """What the equilibrium says of this round."""
        if seen["phase"] == PROPOSE:
            return int(seen["equilibrium_offer"])
        values, maker = np.array(seen["value"], np.int64), seen["maker"]
        worth = int(worths(values, self.shape.units)[maker, party, seen["offer"]]) * seen["discount"][party] // SCALE
        return int(worth >= seen["equilibrium_accept"])


class NashNegotiator(_Negotiator):
    """Proposes the split of the largest product (Nash 1950), and accepts what is worth as much to it, or the last offer."""

    view = "state"
    information = "global"

    def choose(self, party: int, seen: Any) -> int:
        """The Nash solution as an offer of this party, or whether the other's is as good."""
        values = np.array(seen["value"], np.int64)
        offer, worth = nash_solution(values, self.shape.units)
        if seen["phase"] == PROPOSE:
            return offer if party == 0 else self.config.offers - 1 - offer
        given = int(worths(values, self.shape.units)[seen["maker"], party, seen["offer"]])
        return int(given >= worth[party] or seen["round"] + 1 >= self.shape.rounds)


class _ByTheNumbers(_Negotiator):
    """Base of those who see their own values alone."""

    view = "array"
    information = "local"

    def choose(self, party: int, seen: Any) -> int:
        """Read the observation by its places."""
        numbers = np.asarray(seen, np.float64)
        issues = self.shape.issues
        values = np.rint(numbers[OWN + issues : OWN + 2 * issues]).astype(np.int64)
        refused, all_worth = int(numbers[1]), int(self.shape.units * values.sum())
        if int(numbers[2]) == PROPOSE:
            return self.offer(values, refused)
        last = refused + 1 >= self.shape.rounds
        return int(numbers[5] > 0 if last else numbers[5] >= self.wanted(refused) * all_worth - 0.5)

    def wanted(self, refused: int) -> float:
        """The part of all worth that it holds out for after so many refusals."""
        raise NotImplementedError(f"{type(self).__name__} must define wanted")

    def offer(self, values: np.ndarray[Any, Any], refused: int) -> int:
        """What to keep."""
        raise NotImplementedError(f"{type(self).__name__} must define offer")


class FairNegotiator(_ByTheNumbers):
    """Offers half of each thing, keeping odd ones in turn, and accepts what it has no less of than that (or the last offer)."""

    def wanted(self, refused: int) -> float:
        """Half, less what cannot be halved."""
        units = self.shape.units
        return (units // 2) / units

    def offer(self, values: np.ndarray[Any, Any], refused: int) -> int:
        """Half of each."""
        units = self.shape.units
        kept = [(units + (k + refused) % 2) // 2 for k in range(self.shape.issues)]
        return int(sum(n * (units + 1) ** k for k, n in enumerate(kept)))


class ConcedingNegotiator(_ByTheNumbers):
    """Concedes as offers run out, from `begin` to `end` of all worth (Faratin, Sierra and Jennings 1998).

    `speed` 1 concedes evenly, below 1 late (Boulware), above 1 early. Of offers that are worth enough to it it makes the one
    that leaves most units to the other.
    """

    def __init__(self, begin: float = 0.65, end: float = 0.4, speed: float = 2.0) -> None:
        if not 0 <= end <= begin <= 1 or not speed > 0:
            raise AgentError(
                f"begin = {begin}, end = {end}, speed = {speed}; expected 0 <= end <= begin <= 1, speed > 0"
            )
        self.begin, self.end, self.speed = float(begin), float(end), float(speed)

    def wanted(self, refused: int) -> float:
        """The part held out for."""
        done = refused / max(self.shape.rounds - 1, 1)
        return float(self.begin - (self.begin - self.end) * done ** (1 / self.speed))

    def offer(self, values: np.ndarray[Any, Any], refused: int) -> int:
        """Enough for oneself, most units for the other, and the lowest number of equal ones."""
        kept = split(np.arange(self.config.offers), self.shape.issues, self.shape.units)
        enough = np.flatnonzero(kept @ values >= self.wanted(refused) * self.shape.units * values.sum() - 0.5)
        return int(enough[kept[enough].sum(1).argmin()])
