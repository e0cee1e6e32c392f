"""What an episode looks like by the measure of shortest plans: labels for each step, found by playing its trace again.

A step is good if, and only if, it makes the shortest plan shorter; so nobody has to label steps by hand.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

from ludarium.envs.core.errors import NotClaimedError
from ludarium.envs.core.replay import playing
from ludarium.envs.core.trace import Trace

__all__ = ["Labels", "Review", "figures", "process_labels", "review"]

SUBGOALS = ("found", "taken", "processed", "reached", "placed")


class Labels(NamedTuple):
    """How the steps of an episode did."""

    good: tuple[bool, ...]
    """Whether each step made the shortest plan shorter."""
    first_wasteful: int
    """The first step that did not, -1 if all did."""
    first_lost: int
    """The first step after which the goal could not be reached, -1 if there was none."""
    efficiency: float
    """Shortest plan at the beginning over steps taken; 0 where the goal was not reached."""


class Review(NamedTuple):
    """An episode of one robot, step by step."""

    left: tuple[int, ...]
    """The shortest plan before the first step and after each; -1: out of reach."""
    labels: Labels
    subgoals: dict[str, int]
    """The step that reached each subgoal, for those that were reached."""
    reasons: tuple[str, ...]
    """Why each step had no effect; `none` for those that had one."""
    repeated_rate: float
    """The share of steps that led to a state of the house that had been before."""
    progress_auc: float
    """The mean of progress over all steps of the limit, that of the end going on (as AgentBoard's curves)."""


def process_labels(left: Sequence[int]) -> Labels:
    """Labels from the plan lengths before the first step and after each."""
    if not left:
        raise ValueError("an episode has a plan length before its first step; got none")
    good = tuple(0 <= after < before for before, after in itertools.pairwise(left))
    wasteful = next((n for n, fine in enumerate(good) if not fine), -1)
    lost = next((n for n, (before, after) in enumerate(itertools.pairwise(left)) if after < 0 <= before), -1)
    done = left[-1] == 0 and len(left) > 1
    return Labels(good, wasteful, lost, left[0] / (len(left) - 1) if done else 0.0)


class _Course(NamedTuple):
    """What a replay shows: before the first step and after each."""

    left: list[int]
    """Empty where there is no such figure: with several robots, or a goal that the planner does not know."""
    states: list[str]
    progress: list[float]
    reasons: list[str]
    subgoals: dict[str, int]
    limit: int

    @property
    def steps(self) -> int:
        return len(self.states) - 1

    @property
    def repeated_rate(self) -> float:
        return (self.steps + 1 - len(set(self.states))) / max(self.steps, 1)

    @property
    def progress_auc(self) -> float:
        return (sum(self.progress[1:]) + (self.limit - self.steps) * self.progress[-1]) / self.limit


def review(trace: Trace) -> Review:
    """Play a trace again and measure each step; `NotClaimedError` for several robots or goals the planner does not know."""
    course = _course(trace)
    if not course.left:
        raise NotClaimedError("a review is of one robot, and of a goal that the planner knows")
    return Review(
        tuple(course.left), process_labels(course.left), course.subgoals, tuple(course.reasons[1:]),
        course.repeated_rate, course.progress_auc,
    )  # fmt: skip


def figures(trace: Trace) -> dict[str, float]:
    """What the rows of runs have of it: the last two with one robot, and a goal that the planner knows, only."""
    course = _course(trace)
    found = {"repeated_rate": course.repeated_rate, "progress_auc": course.progress_auc}
    if course.left:
        labels = process_labels(course.left)
        found["wasteful_share"] = labels.good.count(False) / max(len(labels.good), 1)
        found["first_wasteful"] = labels.first_wasteful if labels.first_wasteful >= 0 else course.steps
    return found


def _course(trace: Trace) -> _Course:
    course: _Course | None = None
    for step, batch in enumerate(playing(trace)):
        simulator: Any = batch.simulator
        state = batch.state
        course = course or _Course([], [], [], [], {}, simulator.config.max_steps)
        plan = simulator.plan_left(state, 0) if len(simulator.seats) == 1 else None
        if plan is not None:
            course.left.append(plan)
        view = simulator.full(state, 0)
        course.states.append(repr([view[name] for name in ("at", "held", "opened", "content", "flags")]))
        course.progress.append(float(state.progress[0]))
        course.reasons.append(simulator.faults[int(state.reason[0, 0])])
        for n, name in enumerate(SUBGOALS):
            if int(state.subgoals[0]) >> n & 1:
                course.subgoals.setdefault(name, step)
    assert course is not None
    return course
