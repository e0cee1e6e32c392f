"""Bugs of laws 7 to 10: what an environment returns."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from laws.zoo.orchard import CELLS, FULL, LEFT, PICK, RIGHT, STEPS, WAIT, Orchard
from laws.zoo.planted import Planted


class OffTheEdge(Orchard):
    """The row has one place too many: the fourth step to the right leaves the observation's space."""

    bug = Planted("observation_in_space", shortest=4)

    def mask(self) -> Any:
        mask = super().mask()
        mask[RIGHT] = self.x < CELLS - (0 if self.planted else 1)
        return mask


class OtherDtype(Orchard):
    """After a reset observations are int64, after a step they are what arithmetic with a float leaves."""

    bug = Planted("observation_in_space", shortest=1)

    def seen(self) -> Any:
        seen = super().seen()
        return seen * 1.0 if self.t and self.planted else seen


class ListObservation(Orchard):
    """From the second step on a list is returned where an array is due."""

    bug = Planted("observation_in_space", shortest=2)

    def seen(self) -> Any:
        seen = super().seen()
        return seen.tolist() if self.t >= 2 and self.planted else seen


class SpaceMadeAtReset(Orchard):
    """Each reset makes the space anew, with another bound than the one that the user built a network for."""

    bug = Planted("observation_in_space", shortest=0)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        back = super().reset(seed=seed, options=options)
        if self.planted:
            high = np.array([CELLS - 1, STEPS + 1, FULL, *[1] * CELLS])
            self.observation_space = gym.spaces.Box(0, high, dtype=np.int64)
        return back


class SpaceGrows(Orchard):
    """Waiting twice running and then leaving opens a further action."""

    bug = Planted("observation_in_space", shortest=3)

    def act(self, action: int) -> float:
        if self.done[-3:-1] == [WAIT, WAIT] and action in (LEFT, RIGHT) and self.planted:
            high = np.array([CELLS - 1, STEPS, FULL + 1, *[1] * CELLS])
            self.observation_space = gym.spaces.Box(0, high, dtype=np.int64)
        return super().act(action)


class DividesByNothing(Orchard):
    """A bonus scaled by the spread of the last four rewards, which may have none."""

    bug = Planted("reward_and_flags", shortest=4)
    state = (*Orchard.state, "recent")

    def begin(self) -> None:
        super().begin()
        self.recent: list[float] = []

    def act(self, action: int) -> float:
        reward = super().act(action)
        self.recent = [*self.recent[-3:], reward]
        if len(self.recent) == 4:
            with np.errstate(all="ignore"):
                spread = np.std(self.recent) + (0.0 if self.planted else 1e-6)
                reward += float(1e-9 * (reward - np.mean(self.recent)) / spread)
        return reward

    def bounds(self) -> dict[str, tuple[float, float]]:
        return {"return": (-100.0, 100.0)}


class NumpyFlags(Orchard):
    """A comparison of arrays makes flags that are no bools of Python."""

    bug = Planted("reward_and_flags", shortest=1)

    def flags(self) -> tuple[Any, Any]:
        ended, cut = super().flags()
        return (np.bool_(ended), cut) if self.planted else (ended, cut)


class RewardInAnArray(Orchard):
    """Apples are rewarded with an array of one number, all else with a number."""

    bug = Planted("reward_and_flags", ("metrics", "bound"), shortest=1)

    def step(self, action: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        seen, reward, ended, cut, info = super().step(action)
        picked = self.done[-1] == PICK and not self.fault
        return seen, np.array([reward]) if picked and self.planted else reward, ended, cut, info


class OneBuffer(Orchard):
    """Every observation is the same array, written anew."""

    bug = Planted("nothing_aliased", shortest=1)

    def __init__(self, clean: bool = False, render_mode: str | None = None) -> None:
        super().__init__(clean, render_mode)
        self.buffer = np.zeros(3 + CELLS, np.int64)

    def seen(self) -> Any:
        self.buffer[:] = super().seen()
        return self.buffer if self.planted else self.buffer.copy()


class PricesInInfo(Orchard):
    """The info shows the world's own table of prices, and who writes in it writes in the world."""

    bug = Planted("nothing_aliased", shortest=1)

    def begin(self) -> None:
        super().begin()
        self.prices = np.full(CELLS, 0.125)

    def act(self, action: int) -> float:
        return super().act(action) - (float(self.prices[self.x]) if action == WAIT else 0.0)

    def info(self) -> dict[str, Any]:
        return {**super().info(), "prices": self.prices if self.planted else self.prices.copy()}


class LogInInfo(Orchard):
    """Every info holds the same growing list."""

    bug = Planted("nothing_aliased", shortest=1)

    def info(self) -> dict[str, Any]:
        return {**super().info(), "done": self.done if self.planted else list(self.done)}


class SetInInfo(Orchard):
    """The places visited are reported as a set as soon as there are three of them."""

    bug = Planted("info", shortest=2)
    state = (*Orchard.state, "visited")

    def begin(self) -> None:
        super().begin()
        self.visited = [self.x]

    def act(self, action: int) -> float:
        reward = super().act(action)
        self.visited = sorted({*self.visited, self.x})
        return reward

    def info(self) -> dict[str, Any]:
        raw = len(self.visited) >= 3 and self.planted
        return {**super().info(), "visited": set(self.visited) if raw else list(self.visited)}


class KeysComeAndGo(Orchard):
    """A key is there only in the steps in which something is to be said."""

    bug = Planted("info", shortest=2)

    def info(self) -> dict[str, Any]:
        rested = bool(self.done) and self.done[-1] == WAIT
        told = {"rested": rested} if rested or not self.planted else {}
        return {**super().info(), **told}


class Prints(Orchard):
    """A line left from debugging prints when the basket's owner turns on the spot."""

    bug = Planted("info", shortest=3)

    def act(self, action: int) -> float:
        if self.done[-3:] == [RIGHT, LEFT, LEFT] and self.planted:
            print("DEBUG turned", self.x)
        return super().act(action)
