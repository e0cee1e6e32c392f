"""What all path-finding planners share: the view they get and the shell that makes them agents."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.contract import GroupAgent, Task, Turn

__all__ = ["Planner", "PlannerView"]


class PlannerView(NamedTuple):
    """What a planner may know; cells are `row * W + column`."""

    grid: NDArray[np.uint8]
    """uint8[H, W], 1 for an obstacle"""
    pos: NDArray[np.int32]
    """int32[N] cells"""
    goal: NDArray[np.int32]
    """int32[N] cells"""
    active: NDArray[np.bool_]
    """bool[N]: False for robots that left the map"""
    upcoming: NDArray[np.int32]
    """int32[N, K] goals after the present one; K = 0 unless the information is full"""
    t: int
    max_steps: int
    lifelong: bool


class Planner(GroupAgent):
    """A planner decides for all robots at once; subclasses give `begin` and `decide`."""

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Note the seed; planning begins with the first view."""
        self._seed, self._begun = seed, False

    def act_group(self, turn: Turn) -> NDArray[np.int64]:
        """Actions `int64[N]` for all robots."""
        view: PlannerView = turn.observation
        if not self._begun:
            self.begin(view, self._seed)
            self._begun = True
        return np.asarray(self.decide(view), np.int64)

    def begin(self, view: PlannerView, seed: int) -> None:
        """Prepare for an episode that begins like this."""

    def decide(self, view: PlannerView) -> Any:
        """Actions `[N]`: 0 wait, 1 up, 2 down, 3 left, 4 right."""
        raise NotImplementedError(f"{type(self).__name__} must define decide")
