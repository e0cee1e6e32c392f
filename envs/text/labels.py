"""Labels for the steps of an episode by the measure of shortest plans, for any text world of one seat that has an oracle."""

from __future__ import annotations

from typing import Any

from ludarium.envs.core.errors import NotClaimedError
from ludarium.envs.core.replay import playing
from ludarium.envs.core.trace import Trace
from ludarium.envs.text.household.review import Labels, process_labels

__all__ = ["labels_of", "plan_lengths"]


def plan_lengths(trace: Trace) -> tuple[int, ...]:
    """The length of a shortest plan before the first step and after each; -1: out of reach.

    `NotClaimedError` for worlds of several seats or without an oracle.
    """
    left: list[int] = []
    for batch in playing(trace):
        simulator: Any = batch.simulator
        if len(simulator.seats) != 1 or not hasattr(simulator, "plan_left"):
            raise NotClaimedError(f"{type(simulator).__name__} has no shortest plans to measure steps by")
        plan = simulator.plan_left(batch.state, 0)
        if plan is None:
            raise NotClaimedError("the planner does not know this goal")
        left.append(plan)
    return tuple(left)


def labels_of(trace: Trace) -> Labels:
    """Which steps made the shortest plan shorter, the first that did not, and the first that lost the game."""
    return process_labels(plan_lengths(trace))
