"""The leanest way to play a text world with one seat and numbered commands: text in, text and commands out.

Gymnasium's adapter records a trace, gives masks and info; this loop gives what a language-model agent reads, and
nothing else. The episodes are the same: same seeds, same texts, same commands.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ludarium.envs.core.errors import ActionError, ConfigError, did_you_mean
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.core.simulator import Out

__all__ = ["TextPlay"]


class TextPlay:
    """One game after another of a world whose simulator lists its `commands` by action number, sorted."""

    def __init__(self, world: str, **options: Any) -> None:
        self.simulator = make_simulator(world, **options)
        if not hasattr(self.simulator, "commands"):
            raise ConfigError(f"{world} has no numbered commands; play it with gymnasium.make")
        self.state = self.simulator.new(1)
        self.out = Out(np.zeros((1, 1)), np.zeros((1, 1), np.bool_), np.zeros(1, np.bool_), np.zeros((1, 1), np.int16))
        self._names = np.array(self.simulator.commands, object)
        self._numbers = {name: n for n, name in enumerate(self.simulator.commands)}
        self._mask = np.zeros((1, 1, len(self._names)), np.int8)
        self._flags = self._mask[0, 0].view(np.bool_)
        self._action = np.zeros((1, 1), np.int64)
        self._seat, self._one = np.zeros((1, 1), np.int32), np.ones(1, np.bool_)
        self._turn = self.simulator.bound(self.state, self._action, self.out, self._seat, self._mask)

    def reset(self, seed: int) -> tuple[str, list[str]]:
        """Begin the game of a seed; return its first text and the admissible commands, sorted."""
        self.simulator.reset(self.state, self._one, np.array([seed], np.int64), np.full(1, -1, np.int32))
        self.out.terminated[:], self.out.truncated[:] = False, False
        self.simulator.action_mask(self.state, 0, self._seat, self._mask)
        return self._told()

    def step(self, command: str) -> tuple[str, list[str], float, bool]:
        """Take a command; return text, admissible commands, reward and whether the game is over.

        An inadmissible command is a step without effect, and the text says why; what is no command at all, and a step
        before `reset` or after the end, is an `ActionError`.
        """
        if self.state.over[0]:
            raise ActionError("the game is over, or has not begun: call reset first")
        number = self._numbers.get(command)
        if number is None:
            number = self._read(command)
        self._action[0, 0] = number
        self._turn()
        text, commands = self._told()
        return text, commands, float(self.out.reward[0, 0]), bool(self.state.over[0])

    def _read(self, command: Any) -> int:
        """The number of a command that is spelt another way."""
        if not isinstance(command, str):
            raise ActionError(f"a command is a string; got {command!r:.80}")
        wanted = " ".join(command.lower().split())
        for name, number in self._numbers.items():
            if name.lower() == wanted:
                return number
        raise ActionError(f"{command!r:.200} is no command{did_you_mean(wanted, self._told()[1])}")

    def _told(self) -> tuple[str, list[str]]:
        return self.simulator.describe(self.state, 0, 0), self._names[self._flags].tolist()
