"""The oracle of the coin games: a shortest plan from wherever the player is, anew at each turn."""

from __future__ import annotations

from typing import Any

from ludarium.agents.contract import Agent, Turn
from ludarium.envs.core.errors import AgentError
from ludarium.envs.text.coin.plan import shortest_plan

__all__ = ["CoinOracle"]


class CoinOracle(Agent):
    """Knows the whole house, and takes a shortest way to the coin."""

    view = "state"
    information = "global"

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """The first command of a shortest plan; `AgentError` in another world."""
        if any(not isinstance(turn.observation, dict) or "coin" not in turn.observation for turn in turns.values()):
            raise AgentError("coin-oracle plays text-coin-v0 only")
        return {
            seat: shortest_plan(seen["exits"], seen["ways"], seen["room"], seen["coin"])[0]
            for seat, seen in ((seat, turn.observation) for seat, turn in turns.items())
        }
