"""The random agent: uniform over the legal actions of any world."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

import numpy as np
from gymnasium import spaces

from ludarium.agents.contract import Agent, Task, Turn
from ludarium.envs.core.rng import draw_below

__all__ = ["RandomAgent"]


class RandomAgent(Agent):
    """Draws uniformly from the mask, or from the action space where there is none."""

    view = "array"

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Note the spaces and the key of the draws."""
        self._spaces = copy.deepcopy(task.action_spaces)  # `seed` below must not touch the world's own
        self._key = np.uint64(seed)

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """One uniform draw a seat, from coordinates that do not depend on who else is asked."""
        return {seat: self._choose(seat, turn) for seat, turn in turns.items()}

    def _choose(self, seat: str, turn: Turn) -> Any:
        role, number = seat.rsplit("_", 1)
        space = self._spaces[role]
        if isinstance(space, spaces.Discrete):
            allowed = np.flatnonzero(turn.mask) if turn.mask is not None else np.arange(int(space.n))
            choices = allowed if len(allowed) else np.arange(int(space.n))
            chosen = draw_below(self._key, 0, turn.step, int(number), 0, len(choices))
            return int(space.start) + int(choices[chosen])
        if turn.commands:
            return turn.commands[draw_below(self._key, 0, turn.step, int(number), 0, len(turn.commands))]
        text = f"{self._key}/{turn.step}/{seat}".encode()
        space.seed(int.from_bytes(hashlib.blake2b(text, digest_size=4).digest(), "little"))
        if isinstance(space, spaces.MultiDiscrete) and turn.mask is not None:
            return space.sample(tuple(np.split(turn.mask, np.cumsum(space.nvec)[:-1])))
        return space.sample()
