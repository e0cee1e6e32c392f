"""Members of a public goods game: who gives nothing, all, as much as others, and who punishes free riders."""

from __future__ import annotations

from typing import Any

import numpy as np

from ludarium.agents.contract import Agent, Task, Turn
from ludarium.envs.core.errors import AgentError
from ludarium.envs.econ.publicgoods.config import PublicGoodsConfig
from ludarium.envs.econ.publicgoods.dynamics import OWN, PUNISH
from ludarium.envs.econ.publicgoods.oracles import points_to_deter

__all__ = ["ConditionalCooperator", "FreeRider", "FullGiver", "Member", "StrongReciprocator"]


class Member(Agent):
    """Base: what to give from what a member sees; it punishes nobody."""

    view = "array"
    information = "local"

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Note the config."""
        if not task.id.removesuffix("-v0").endswith("publicgoods"):
            raise AgentError(f"{type(self).__name__} is a member in econ-publicgoods-v0, not in {task.id}")
        self.config = PublicGoodsConfig.of(**task.config)

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """Each seat by itself, on its own observation."""
        return {seat: self._act(seat, turn) for seat, turn in turns.items()}

    def _act(self, seat: str, turn: Turn) -> int:
        seen = [int(x) for x in np.asarray(turn.observation).tolist()]
        if seen[1] == PUNISH:
            chosen = self.punish(int(seat.rsplit("_", 1)[1]), seen)
            return chosen if turn.mask is None or turn.mask[chosen] else 0
        return min(max(self.give(seen), 0), seen[2])

    def give(self, seen: list[int]) -> int:
        """Tokens to give."""
        raise NotImplementedError(f"{type(self).__name__} must define give")

    def punish(self, number: int, seen: list[int]) -> int:
        """The action in the phase of punishment."""
        return 0


class FreeRider(Member):
    """Gives what its own purse is best served by: nothing, or all where the return is above 1 (the equilibrium)."""

    def give(self, seen: list[int]) -> int:
        """Nothing, or all."""
        return seen[2] if self.config.mpcr > 1 else 0


class FullGiver(Member):
    """Gives what all together are best served by: all where n times the return is above 1, else nothing."""

    def give(self, seen: list[int]) -> int:
        """All, or nothing."""
        return seen[2] if self.config.members * self.config.mpcr > 1 else 0


class ConditionalCooperator(FullGiver):
    """Gives what the others gave on average, and begins with all (Fischbacher, Gächter and Fehr 2001).

    `share` is the part of that mean which it gives: below 1 it is a little selfish, and giving decays.
    """

    def __init__(self, share: float = 1.0) -> None:
        if not 0 <= share <= 1:
            raise AgentError(f"share = {share}; expected a number from 0 to 1")
        self.share = float(share)

    def give(self, seen: list[int]) -> int:
        """All at first, then as the others."""
        others = [g for g in seen[OWN:] if g >= 0]
        if not others or self.config.members * self.config.mpcr <= 1:
            return super().give(seen)
        return round(self.share * sum(others) / len(others))


class StrongReciprocator(ConditionalCooperator):
    """A conditional cooperator that punishes who gave least, if it gave less than itself (Fehr and Gächter 2000).

    It gives the points that make giving less not pay, or as many as it can.
    """

    def punish(self, number: int, seen: list[int]) -> int:
        """Points for the lowest giver."""
        c, others = self.config, seen[OWN:]
        if not others or min(others) >= seen[3] or c.point_fine == 0:
            return 0
        least = min(others)
        place = others.index(least)
        target = place + (place >= number)
        wanted = points_to_deter(c.mpcr, c.token, c.point_fine, seen[3] - least)
        afford = seen[6] // c.point_cost if c.point_cost else c.points
        points = min(wanted, afford, c.points)
        return 1 + target * c.points + points - 1 if points > 0 else 0
