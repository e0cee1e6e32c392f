"""Bugs of laws 18 and 19, and of batches of their own: rows that are not the single environment."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from laws.zoo.planted import Planted

REST, HOP, DIVE = range(3)
PADS, ENERGY, STEPS = 9, 5, 3
COST = (1, 1, 3)


def hop(pad: int, energy: int, action: int, random: np.random.Generator) -> tuple[int, int, float]:
    """The rules of the pond: a hop leads on by none to two pads, a dive costs three of energy; pads and energy left, reward."""
    on = int(random.integers(3)) if action == HOP else 0
    return min(PADS - 1, pad + on), energy - COST[action], float(on)


class Pond(gym.Env[Any, Any]):
    """A frog on lily pads, without a bug: it ends on the last pad or with no energy, and is cut after three steps."""

    metadata: ClassVar[dict[str, Any]] = {"max_steps": STEPS}
    vector_entry_point: ClassVar[Any]

    def __init__(self, clean: bool = False) -> None:
        self.planted = not clean
        self.observation_space = gym.spaces.Box(-3, 9, (3,), np.float32)
        self.action_space = gym.spaces.Discrete(3)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.pad, self.energy, self.t = int(self.np_random.integers(3)), ENERGY, 0
        return self.seen(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.pad, self.energy, reward = hop(self.pad, self.energy, int(action), self.np_random)
        self.t += 1
        ended = self.pad == PADS - 1 or self.energy <= 0
        return self.seen(), reward, ended, self.t >= STEPS and not ended, {}

    def seen(self) -> Any:
        return np.array([self.pad, self.energy, self.t], np.float32)


class Ponds(VectorEnv[Any, Any, Any]):
    """Many ponds at once, in all three autoreset modes, without a bug; what a subclass changes is its own."""

    autoreset_modes = ("next_step", "same_step", "disabled")

    def __init__(self, num_envs: int = 3, autoreset_mode: str = "next_step", clean: bool = False) -> None:
        self.planted, self.num_envs, self.mode = not clean, num_envs, autoreset_mode
        self.metadata = {"autoreset_mode": AutoresetMode[autoreset_mode.upper()], "max_steps": STEPS}
        alone = Pond(clean)
        self.single_observation_space, self.single_action_space = alone.observation_space, alone.action_space
        self.observation_space = batch_space(alone.observation_space, num_envs)
        self.action_space = batch_space(alone.action_space, num_envs)
        self.randoms = [np.random.default_rng()] * num_envs

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        which = self.chosen(options)
        if seed is not None:
            seeds = seed if isinstance(seed, list | tuple) else self.seeds(int(seed))
            self.randoms = [gym.utils.seeding.np_random(one)[0] for one in seeds]
        if not hasattr(self, "pad") or which.all():
            self.pad, self.energy, self.t = (np.zeros(self.num_envs, np.int64) for _ in range(3))
            self.over, self.total = np.zeros(self.num_envs, bool), np.zeros(self.num_envs)
        self.start(which)
        return self.seen(), {}

    def chosen(self, options: dict[str, Any] | None) -> Any:
        """The rows to reset: those of `reset_mask`, else all."""
        given = (options or {}).get("reset_mask")
        return np.ones(self.num_envs, bool) if given is None else np.array(given, bool)

    def seeds(self, seed: int) -> list[int]:
        return [seed + i for i in range(self.num_envs)]

    def start(self, which: Any) -> None:
        for i in np.flatnonzero(which):
            self.pad[i], self.energy[i], self.t[i], self.over[i] = self.randoms[i].integers(3), ENERGY, 0, False

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        fresh = self.over.copy() if self.mode == "next_step" else np.zeros(self.num_envs, bool)
        rewards = np.zeros(self.num_envs)
        for i in range(self.num_envs):
            if not fresh[i] and not self.over[i]:
                rewards[i] = self.move(i, int(actions[i]))
        self.start(fresh)
        rewards = self.rewarded(rewards, fresh)
        ended = ((self.pad == PADS - 1) | (self.energy <= 0)) & ~fresh
        cut = (self.t >= STEPS) & ~ended & ~fresh
        self.over = ended | cut
        info: dict[str, Any] = {}
        if self.mode == "same_step" and self.over.any():
            last = self.seen()
            over = self.over.copy()
            self.start(over)
            info = {"final_obs": self.finals(last, over), "_final_obs": over}
        return self.seen(), rewards, ended, cut, info

    def move(self, i: int, action: int) -> float:
        self.pad[i], self.energy[i], reward = hop(int(self.pad[i]), int(self.energy[i]), action, self.randoms[i])
        self.t[i] += 1
        return reward

    def rewarded(self, rewards: Any, fresh: Any) -> Any:
        return rewards

    def finals(self, last: Any, over: Any) -> Any:
        found = np.full(self.num_envs, None, object)
        for i in np.flatnonzero(over):
            found[i] = last[i]
        return found

    def seen(self) -> Any:
        return np.stack([self.pad, self.energy, self.t], axis=1).astype(np.float32)


Pond.vector_entry_point = Ponds


class _OneSeed(Ponds):
    def seeds(self, seed: int) -> list[int]:
        return [seed if self.planted else seed + i for i in range(self.num_envs)]


class OneSeedForAll(Pond):
    """Every row has the seed of the first."""

    bug = Planted("batch_rows", ("autoreset",), shortest=0)
    vector_entry_point = _OneSeed


class _Neighbours(Ponds):
    def move(self, i: int, action: int) -> float:
        reward = super().move(i, action)
        beside = i > 0 and self.pad[i - 1] == self.pad[i] and self.t[i] >= 2 and action == REST
        return reward + (1.0 if beside and self.planted else 0.0)


class RowsSeeEachOther(Pond):
    """A reward looks at the row before: a comparison along the wrong axis; it takes two rests on the same pad."""

    bug = Planted("batch_rows", ("autoreset",), shortest=2)
    vector_entry_point = _Neighbours


class _WholeNumbers(Ponds):
    def move(self, i: int, action: int) -> float:
        reward = super().move(i, action)
        dives = self.energy[i] == ENERGY - 4
        self.energy[i] += int(dives and self.planted)
        return reward


class BatchRoundsEnergy(Pond):
    """The batch keeps a table of costs of its own: the second dive of two is cheaper than alone."""

    bug = Planted("batch_rows", ("autoreset",), shortest=2)
    vector_entry_point = _WholeNumbers


class _FinalIsFirst(Ponds):
    def finals(self, last: Any, over: Any) -> Any:
        return super().finals(self.seen() if self.planted else last, over)


class FinalIsTheNextFirst(Pond):
    """The last observation of an episode is reported after the reset: it is the first one of the next."""

    bug = Planted("autoreset", shortest=2)
    vector_entry_point = _FinalIsFirst


class _StaleRewards(Ponds):
    before: Any = None

    def rewarded(self, rewards: Any, fresh: Any) -> Any:
        if self.before is not None and self.planted:
            rewards = np.where(fresh, self.before, rewards)
        self.before = rewards.copy()
        return rewards

    def move(self, i: int, action: int) -> float:
        return super().move(i, action) + 0.5


class PaidAgain(Pond):
    """The step that resets a row pays the last reward once more."""

    bug = Planted("autoreset", shortest=3)
    vector_entry_point = _StaleRewards

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        seen, reward, ended, cut, info = super().step(action)
        return seen, reward + 0.5, ended, cut, info


class _ResetsAll(Ponds):
    masked = 0

    def chosen(self, options: dict[str, Any] | None) -> Any:
        which = super().chosen(options)
        self.masked = 0 if options is None else self.masked + 1
        return super().chosen(None) if self.masked >= 2 and self.planted else which


class ResetIsForAll(Pond):
    """From the second on, a reset of some rows is a reset of all: the mask is not looked at."""

    bug = Planted("autoreset", shortest=4)
    vector_entry_point = _ResetsAll


class _KeepsTime(Ponds):
    autoreset_modes = ("next_step",)

    def start(self, which: Any) -> None:
        before = self.t.copy()
        super().start(which)
        if self.planted:
            self.t = np.where(which & (before > 0), 1, self.t)


class RowsBeginLate(Pond):
    """A row that begins again has its clock at one, and is cut a step too early."""

    bug = Planted("autoreset", shortest=3)
    vector_entry_point = _KeepsTime


class IntegerRewards(Ponds):
    """A batch without a single environment beside it: its rewards are whole numbers from the third step on."""

    bug = Planted("reward_and_flags", shortest=3)

    def __init__(self, clean: bool = False) -> None:
        super().__init__(clean=clean)

    def rewarded(self, rewards: Any, fresh: Any) -> Any:
        return rewards.astype(np.int64) if self.t.max() >= 3 and self.planted else rewards


class RowsShareAnArray(Ponds):
    """A batch that returns its own array of flags, and writes in it in the next step."""

    bug = Planted("nothing_aliased", shortest=1)

    def __init__(self, clean: bool = False) -> None:
        super().__init__(clean=clean)
        self.out = np.zeros((self.num_envs, 3), np.float32)

    def seen(self) -> Any:
        self.out[:] = super().seen()
        return self.out if self.planted else self.out.copy()
