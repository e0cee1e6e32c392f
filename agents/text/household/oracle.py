"""The oracle: plays a shortest plan, from whatever state the house is in; and what that says of others' steps."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

from ludarium.agents.contract import Agent, Task, Turn
from ludarium.envs.text.household.instance import House
from ludarium.envs.text.household.plans import Planner, command, situation

__all__ = ["HouseholdOracle", "Labels", "process_labels"]


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


class Labels(NamedTuple):
    """How an episode's steps did by the oracle's measure."""

    good: tuple[bool, ...]
    """Whether each step made the shortest plan shorter."""
    first_wasteful: int
    """The first step that did not, -1 if all did."""
    first_lost: int
    """The first step after which the goal could not be reached, -1 if there was none."""
    efficiency: float
    """Shortest plan at the beginning, of the steps taken; 0 where the goal was not reached."""


def process_labels(left: Sequence[int]) -> Labels:
    """Labels of the steps of an episode, from the plan lengths before the first step and after each."""
    if not left:
        raise ValueError("an episode has a plan length before its first step; got none")
    good = tuple(0 <= after < before for before, after in itertools.pairwise(left))
    wasteful = next((n for n, fine in enumerate(good) if not fine), -1)
    lost = next((n for n, after in enumerate(left[1:]) if after < 0 <= left[n]), -1)
    done = left[-1] == 0 and len(left) > 1
    return Labels(good, wasteful, lost, left[0] / (len(left) - 1) if done else 0.0)
