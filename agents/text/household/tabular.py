"""A tabular learner on the symbolic view: a check that what the arrays show, and what is rewarded, can be learned from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.contract import Agent, Task, Turn
from ludarium.envs.core.rng import draw_below
from ludarium.envs.text.household.config import HouseholdConfig

__all__ = ["TabularLearner"]

_STREAM_EXPLORE, _STREAM_ACTION = 441, 442


class TabularLearner(Agent):
    """Q-learning (Watkins 1989) in one seat of one small house; what it knows lasts from episode to episode.

    It tells situations apart by what is in the hand, what is at hand and open, and the states of things. Actions are
    thought to be worth 1 until they are tried, so that all are; the world is deterministic, so the step size is 1.
    """

    view = "array"

    def __init__(self, discount: float = 0.95, explore: float = 0.05) -> None:
        self.discount, self.explore = discount, explore
        self.values: dict[bytes, NDArray[np.float64]] = {}
        self.learning = True
        self._episode = 0

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Begin an episode; draws follow from the seed and the number of episodes before it."""
        self._actions = int(task.action_spaces["robot"].n)
        self._key = np.uint64(seed)
        self._last: tuple[NDArray[np.float64], int] | None = None
        self._episode += 1
        config = HouseholdConfig.of(**task.config)
        r, first = config.receptacles, 8 + config.n_agents
        self._parts = slice(first + r, first + 3 * r), slice(first + 3 * r + 2 * config.objects, None)

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """Learn from what the last action led to, then take the best action known, or any legal one."""
        ((seat, turn),) = turns.items()
        legal = np.flatnonzero(turn.mask)
        values = self._of(np.asarray(turn.observation))
        best = legal[values[legal] == values[legal].max()]
        self._learn(turn.reward + self.discount * float(values[best[0]]))
        curious = draw_below(self._key, _STREAM_EXPLORE, self._episode, turn.step, 0, 1000) < 1000 * self.explore
        choices = legal if self.learning and curious else best
        action = int(choices[draw_below(self._key, _STREAM_ACTION, self._episode, turn.step, 0, len(choices))])
        self._last = values, action
        return {seat: action}

    def finish(self, result: dict[str, Any]) -> None:
        """Learn from the end: 1 if the task was done."""
        self._learn(float(result["metrics"]["success"]))

    def _of(self, seen: NDArray[np.uint8]) -> NDArray[np.float64]:
        places, states = self._parts
        key = seen[4:5].tobytes() + seen[places].tobytes() + seen[states].tobytes()
        return self.values.setdefault(key, np.ones(self._actions))

    def _learn(self, worth: float) -> None:
        if self._last is not None and self.learning:
            values, action = self._last
            values[action] = worth
