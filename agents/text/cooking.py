"""The oracle of the cooking games: a shortest plan, sought once an episode and followed."""

from __future__ import annotations

from typing import Any

from ludarium.agents.contract import Agent, Task, Turn
from ludarium.envs.core.errors import AgentError
from ludarium.envs.text.cooking.plan import shortest_plan

__all__ = ["CookingOracle"]


class CookingOracle(Agent):
    """Knows the whole game, and plays a shortest plan from the state in which it is first asked."""

    view = "state"
    information = "global"

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Forget the last plan."""
        self._plan: list[str] = []
        self._step = -1

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """The next command of the plan, made anew where the last one was not the step before."""
        return {seat: self._next(turn) for seat, turn in turns.items()}

    def _next(self, turn: Turn) -> str:
        if not isinstance(turn.observation, dict) or "recipe" not in turn.observation:
            raise AgentError("cooking-oracle plays text-cooking-v0 only")
        if not self._plan or turn.step != self._step + 1:
            plan = shortest_plan(turn.observation)
            if not plan:
                raise AgentError("this game cannot be won any more: there is no plan")
            self._plan = plan
        self._step = turn.step
        return self._plan.pop(0)
