"""Bugs of laws 5 and 6: what an episode leaves to the next, and where episodes without a seed come from."""

from __future__ import annotations

from typing import Any

import numpy as np
from laws.zoo.orchard import LEFT, RIGHT, WAIT, Orchard
from laws.zoo.planted import Planted
from numpy.typing import NDArray


class StaysTired(Orchard):
    """The third wait of an episode costs, and those of the episode before are counted, too."""

    bug = Planted("reset_forgets", shortest=3)
    state = (*Orchard.state, "tired")
    tired = 0

    def begin(self) -> None:
        super().begin()
        if not self.planted:
            self.tired = 0

    def act(self, action: int) -> float:
        self.tired += action == WAIT
        return super().act(action) - (0.5 if action == WAIT and self.tired >= 3 else 0.0)


class FirstLayoutStays(Orchard):
    """The trees are laid out when they are first needed, and never again."""

    bug = Planted("reset_forgets", shortest=0)
    first: NDArray[np.int8] | None = None

    def layout(self) -> NDArray[np.int8]:
        drawn = super().layout()
        if self.first is None or not self.planted:
            self.first = drawn
        return self.first.copy()


class KnowsTheTrick(Orchard):
    """Left, right, left opens a short cut to the left end; it stays open in the episodes that follow."""

    bug = Planted("reset_forgets", shortest=3, cases=40)
    state = (*Orchard.state, "open")
    open = False

    def begin(self) -> None:
        super().begin()
        if not self.planted:
            self.open = False
        self.x = 0 if self.open else self.x

    def act(self, action: int) -> float:
        self.open = self.open or self.done[-3:] == [LEFT, RIGHT, LEFT]
        return super().act(action)


class AnyBeginning(Orchard):
    """A reset without a seed asks the operating system for one instead of going on with the stream."""

    bug = Planted("unseeded_reset", shortest=0)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        if seed is None and self.planted:
            self.np_random = np.random.default_rng()
        return super().reset(seed=seed, options=options)


class SameAgain(Orchard):
    """A reset without a seed begins the last seed's episode again: an agent is trained on one episode for ever."""

    bug = Planted("unseeded_reset", shortest=0)
    last: int | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.last = self.last if seed is None else seed
        return super().reset(seed=self.last if self.planted else seed, options=options)


class GlobalBeginning(Orchard):
    """A reset without a seed takes one from NumPy's global generator, which nobody seeds between two episodes."""

    bug = Planted("unseeded_reset", shortest=0)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        if seed is None and self.planted:
            seed = int(np.random.randint(1 << 30))
        return super().reset(seed=seed, options=options)
