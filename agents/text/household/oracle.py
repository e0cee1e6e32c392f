"""The oracle: plays a shortest plan, from whatever state the house is in."""

from __future__ import annotations

from typing import Any

from ludarium.agents.contract import Agent, Task, Turn
from ludarium.envs.text.household.instance import House
from ludarium.envs.text.household.plans import Planner, command, situation

__all__ = ["HouseholdOracle"]


class HouseholdOracle(Agent):
    """Plans anew in every step; of several agents, the one with the shortest plan acts and the others look on."""

    view = "state"
    information = "global"

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Note the dialect; the house is read from the first view."""
        self._dialect = str(task.config.get("dialect", "0.4"))
        self._quirks = bool(task.config.get("quirks", True))
        self._planner: Planner | None = None

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """The next command of a shortest plan, and `look` for all other seats."""
        view = next(iter(turns.values())).observation
        if self._planner is None:
            self._planner = Planner(House.from_data(view["house"]), self._quirks)
        planner, answers = self._planner, dict.fromkeys(turns, "look")
        plans = []
        for seat in turns:
            plan = planner.plan(situation(planner.house, view, int(seat.rsplit("_", 1)[1])))
            if plan:
                plans.append((len(plan), seat, plan[0]))
        if plans:
            _, seat, step = min(plans)
            answers[seat] = command(planner.house, step, self._dialect)
        return answers
