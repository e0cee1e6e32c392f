"""Bugs of laws 11 to 14: masks, and what is done with actions."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from laws.zoo.orchard import LEFT, PICK, RIGHT, WAIT, Orchard
from laws.zoo.planted import Planted
from numpy.typing import NDArray


class RareKeyError(Orchard):
    """A table of moves lacks the one that is rarely made."""

    bug = Planted("mask_sound", shortest=3)
    weights: ClassVar[dict[tuple[int, int], float]] = {
        (a, b): 0.0 for a in range(4) for b in range(4) if (a, b) != (RIGHT, WAIT)
    }

    def act(self, action: int) -> float:
        known = self.weights if self.planted else {**self.weights, (RIGHT, WAIT): 0.0}
        gain = known[self.done[-2], action] if self.done[-3:-2] == [LEFT] and len(self.done) >= 3 else 0.0
        return super().act(action) + gain


class MaskForbidsNothing(Orchard):
    """The mask allows to pick what is not ripe."""

    bug = Planted("mask_sound", shortest=1)

    def info(self) -> dict[str, Any]:
        info = super().info()
        return {**info, "action_mask": np.ones(4, np.int8)} if self.planted else info


class MaskTooLong(Orchard):
    """After three apples' worth of waiting the mask has an entry for an action that there is not."""

    bug = Planted("mask_sound", shortest=3)

    def info(self) -> dict[str, Any]:
        info = super().info()
        if self.waits >= 3 and self.planted:
            info["action_mask"] = np.append(info["action_mask"], np.int8(1))
        return info


class WallIsADoor(Orchard):
    """Who walks against the left end comes out at the right one, though the mask forbids it."""

    bug = Planted("mask_complete", shortest=3, cases=24)
    metadata: ClassVar[dict[str, Any]] = {**Orchard.metadata, "illegal_actions": "noop"}

    def __init__(self, clean: bool = False, render_mode: str | None = None) -> None:
        super().__init__(clean, render_mode)
        self.observation_space = gym.spaces.Box(0, 5, (1,), np.int64)

    def refuse(self, action: int) -> None:
        if action == LEFT and self.planted:
            self.x = 5

    def wind(self) -> None:
        if not self.fault:
            super().wind()

    def seen(self) -> Any:
        return np.array([self.x], np.int64)

    def info(self) -> dict[str, Any]:
        return {"action_mask": self.mask(), "basket": self.basket}


class IndexFromTheEnd(Orchard):
    """Minus one is taken for an action: the last one."""

    bug = Planted("mask_complete", shortest=1)

    def validate(self, action: Any) -> None:
        if isinstance(action, int | np.integer) and not isinstance(action, bool) and self.planted:
            (WAIT, LEFT, RIGHT, PICK)[action]
        else:
            super().validate(action)


class RaisesTooLate(Orchard):
    """What the mask forbids raises, but only after half of it has been done."""

    bug = Planted("mask_complete", shortest=1)
    metadata: ClassVar[dict[str, Any]] = {**Orchard.metadata, "illegal_actions": "raise"}

    def refuse(self, action: int) -> None:
        self.fault = 0
        if self.planted:
            self.t += 1
        raise ValueError(f"action {action} is not legal here")


class NotCountedAsFault(Orchard):
    """Who picks twice running is not told that the second time there was nothing to pick."""

    bug = Planted("mask_complete", shortest=2, cases=12)

    def refuse(self, action: int) -> None:
        again = self.done[-1:] == [PICK] and action == PICK
        self.fault = 0 if again and self.planted else 1

    def act(self, action: int) -> float:
        return super().act(action) if self.mask()[action] else 0.0


class Cornered(Orchard):
    """At the left end the mask forbids everything, waiting included."""

    bug = Planted("some_legal_action", shortest=2)

    def mask(self) -> NDArray[np.int8]:
        mask = super().mask()
        if self.x == 0 and self.planted:
            mask[:] = 0
        return mask


class Sled(gym.Env[NDArray[np.float32], NDArray[np.float32]]):
    """A sled on a line, pushed by two reins: a world of continuous actions, without a bug.

    Observation: place and speed. Out of place +-8 the ride is over.
    """

    metadata: ClassVar[dict[str, Any]] = {"malformed_actions": "raise", "max_steps": 30}

    def __init__(self, clean: bool = False) -> None:
        self.planted = not clean
        self.observation_space = gym.spaces.Box(-100.0, 100.0, (2,), np.float32)
        self.action_space = gym.spaces.Box(-1.0, 1.0, (2,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t, self.x, self.v = 0, float(self.np_random.uniform(-1, 1)), 0.0
        self.last = np.zeros(2, np.float32)
        return self.seen(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if not self.action_space.contains(action):
            raise ValueError(f"{action!r} is no action; expected two numbers from -1 to 1, float32")
        self.t += 1
        self.pull(action)
        self.x += self.v
        ended = abs(self.x) > 8.0
        return self.seen(), -abs(self.x), ended, self.t >= 30 and not ended, {}

    def pull(self, action: NDArray[np.float32]) -> None:
        self.v += float(action[0]) - float(action[1])
        self.last = action.copy()

    def seen(self) -> NDArray[np.float32]:
        return np.array([self.x, self.v], np.float32)


class ClipsInPlace(Sled):
    """A sled that is fast clips the reins, and does it in the array that it was given."""

    bug = Planted("action_untouched", shortest=2)

    def pull(self, action: NDArray[np.float32]) -> None:
        reins = action if self.planted else action.copy()
        if self.v > 0.5:
            reins *= np.float32(0.5)
        super().pull(reins)


class KeepsTheReins(Sled):
    """The last action is kept as it came, not copied, and pulls on in the next step."""

    bug = Planted("action_untouched", shortest=2)

    def pull(self, action: NDArray[np.float32]) -> None:
        self.v += 0.25 * float(self.last[0] + self.last[1])
        super().pull(action)
        if self.planted:
            self.last = action
