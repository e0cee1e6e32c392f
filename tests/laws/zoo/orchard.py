"""The orchard: a small single-agent world without a bug, in which many are planted."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

WAIT, LEFT, RIGHT, PICK = range(4)
CELLS, STEPS, FULL, START = 6, 20, 4, 2


class Orchard(gym.Env[NDArray[np.int64], np.int64]):
    """A row of six trees. Walk, and pick what is ripe; the wind ripens a tree drawn anew each step; a full basket ends it.

    Observation: place, time, basket, and whether each tree is ripe. An action that the mask forbids is a counted no-op
    (`info["fault"]`), one that is none raises. `clean=True` leaves out whatever bug a subclass plants.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "render_modes": ["ansi"],
        "illegal_actions": "fault",
        "malformed_actions": "raise",
        "max_steps": STEPS,
    }
    state = ("x", "t", "basket", "waits", "fault", "ripe", "done", "earned", "grown")
    """The attributes that change in an episode; a subclass adds its own."""

    def __init__(self, clean: bool = False, render_mode: str | None = None) -> None:
        self.planted, self.render_mode = not clean, render_mode
        self.observation_space = gym.spaces.Box(0, np.array([CELLS - 1, STEPS, FULL, *[1] * CELLS]), dtype=np.int64)
        self.action_space = gym.spaces.Discrete(4)

    # --- what Gymnasium asks for ---
    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.begin()
        return self.seen(), self.info()

    def step(self, action: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        self.validate(action)
        action = int(action)
        self.fault = int(not self.mask()[action])
        if self.fault:
            self.refuse(action)
        self.t += 1
        self.done.append(action)
        reward = 0.0 if self.fault else self.act(action)
        self.wind()
        self.earned += reward
        ended, cut = self.flags()
        return self.seen(), reward, ended, cut, self.info()

    def render(self) -> Any:
        trees = "".join(".o"[int(ripe)] for ripe in self.ripe)
        return f"{trees}\n{' ' * self.x}^ {self.basket} in the basket"

    # --- the rules, piece by piece ---
    def begin(self) -> None:
        self.x, self.t, self.basket, self.waits, self.fault, self.earned = START, 0, 0, 0, 0, 0.0
        self.done: list[int] = []
        self.ripe = self.layout()
        self.grown = int(self.ripe.sum())

    def layout(self) -> NDArray[np.int8]:
        return self.np_random.integers(0, 2, CELLS).astype(np.int8)

    def validate(self, action: Any) -> None:
        if not self.action_space.contains(action):
            raise ValueError(f"{action!r} is no action; expected an integer from 0 to 3")

    def refuse(self, action: int) -> None:
        """What is done with an action that the mask forbids."""

    def act(self, action: int) -> float:
        if action == WAIT:
            self.waits += 1
        elif action in (LEFT, RIGHT):
            self.x += 1 if action == RIGHT else -1
        else:
            self.ripe[self.x] = 0
            self.basket += 1
            return 1.0
        return 0.0

    def wind(self) -> None:
        tree = int(self.np_random.integers(CELLS))
        self.grown += 1 - int(self.ripe[tree])
        self.ripe[tree] = 1

    def flags(self) -> tuple[Any, Any]:
        ended = self.basket >= FULL
        return ended, self.t >= STEPS and not ended

    def mask(self) -> NDArray[np.int8]:
        ripe = 0 <= self.x < CELLS and self.ripe[self.x] and self.basket < FULL
        return np.array([1, self.x > 0, self.x < CELLS - 1, ripe], np.int8)

    def seen(self) -> Any:
        return np.array([self.x, self.t, self.basket, *self.ripe], np.int64)

    def info(self) -> dict[str, Any]:
        return {"action_mask": self.mask(), "basket": self.basket, "fault": self.fault}

    # --- what the orchard claims beside ---
    def snapshot(self) -> dict[str, Any]:
        kept = {name: copy.deepcopy(getattr(self, name)) for name in self.state}
        return {**kept, "random": self.np_random.bit_generator.state}

    def restore(self, kept: dict[str, Any]) -> None:
        for name in self.state:
            setattr(self, name, copy.deepcopy(kept[name]))
        self.np_random.bit_generator.state = kept["random"]

    def invariants(self) -> dict[str, bool]:
        return {"what has grown is on the trees or in the basket": self.grown == int(self.ripe.sum()) + self.basket}

    def metrics(self) -> dict[str, float]:
        return {"return": self.earned, "waits": self.waits}

    def recount(self, steps: list[dict[str, Any]]) -> dict[str, float]:
        return {"return": sum(s["rewards"][""] for s in steps), "waits": sum(s["actions"] == WAIT for s in steps)}

    def bounds(self) -> dict[str, tuple[float, float]]:
        return {"return": (-100.0, float(FULL))}
