"""Bugs of laws 1 to 4: chance that does not come from the seed."""

from __future__ import annotations

import functools
import random
import time
from typing import Any, ClassVar

import numpy as np
from laws.zoo.orchard import CELLS, LEFT, RIGHT, WAIT, Orchard
from laws.zoo.planted import Planted


class ClockInReward(Orchard):
    """Who waits three times running pays for the time that it took: by the clock on the wall."""

    bug = Planted("repeatable", ("unseeded_reset",), shortest=3)

    def act(self, action: int) -> float:
        reward = super().act(action)
        tired = self.done[-3:] == [WAIT] * 3
        return reward - (1e-9 * (time.perf_counter_ns() % 1_000_003) if tired and self.planted else 0.0)


class UnseededGenerator(Orchard):
    """Turning round twice makes the wind come from a generator that nobody seeded."""

    bug = Planted("repeatable", ("unseeded_reset",), shortest=3)

    def wind(self) -> None:
        turned = self.done[-3:] in ([LEFT, RIGHT, LEFT], [RIGHT, LEFT, RIGHT])
        if turned and self.planted:
            self.ripe[:] = np.random.default_rng().integers(0, 2, CELLS)
            self.grown = int(self.ripe.sum()) + self.basket
        super().wind()


@functools.lru_cache(maxsize=1024)
def _generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


class CachedGenerator(Orchard):
    """The generator of a seed is cached to save time, and so the second episode of the seed goes on where the first stopped."""

    bug = Planted("repeatable", shortest=0)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        if seed is not None and self.planted:
            self.np_random = _generator(seed)
            seed = None
        return super().reset(seed=seed, options=options)


class SomeSeedsFail(Orchard):
    """The place of a tree comes from the seed, without regard to the length of the row."""

    bug = Planted("repeatable", shortest=0, cases=40)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        seen, info = super().reset(seed=seed, options=options)
        places = CELLS + 1 if self.planted else CELLS
        self.ripe[(seed or 0) % places] += 0
        return seen, info


class OrderOfASet(Orchard):
    """From the second step on the trees are named by the order of a set of strings, which differs from process to process."""

    bug = Planted("fresh_process", shortest=2, children=True)
    names = ("quince", "medlar", "damson", "sorb", "mulberry", "bullace", "greengage", "pippin")

    def info(self) -> dict[str, Any]:
        known = set(self.names) if self.planted else dict.fromkeys(self.names)
        return {**super().info(), "names": list(known) if self.t >= 2 else list(self.names)}


class HashOfAName(Orchard):
    """A tree is chosen by the hash of a string when somebody waits at its foot."""

    bug = Planted("fresh_process", shortest=1, children=True)

    def act(self, action: int) -> float:
        word = f"tree {self.x}, {self.t}"
        number = hash(word) if self.planted else sum(word.encode())
        return super().act(action) - (1e-6 * (number % 99_991) if action == WAIT else 0.0)


class GlobalGeneratorLate(Orchard):
    """From the third step on the wind is drawn from NumPy's global generator."""

    bug = Planted("global_random", shortest=3)

    def wind(self) -> None:
        if self.t >= 3 and self.planted:
            tree = int(np.random.randint(CELLS))
            self.grown += 1 - int(self.ripe[tree])
            self.ripe[tree] = 1
        else:
            super().wind()


class SeedsEverybody(Orchard):
    """A reset seeds the generators of the whole process."""

    bug = Planted("global_random", shortest=0)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        if seed is not None and self.planted:
            random.seed(seed)
            np.random.seed(seed)
        return super().reset(seed=seed, options=options)


class LastWay(Orchard):
    """Who goes on the same way has a bonus; the way is remembered in a list that all instances share."""

    bug = Planted("interleaved", ("copies", "looking"), shortest=1)
    _last: ClassVar[list[Any]] = [None]

    def begin(self) -> None:
        super().begin()
        self.mine: list[Any] = [None]
        self._book()[0] = None

    def _book(self) -> list[Any]:
        return self._last if self.planted else self.mine

    def act(self, action: int) -> float:
        bonus = 0.0
        if action in (LEFT, RIGHT):
            bonus = 0.125 if self._book()[0] == action else 0.0
            self._book()[0] = action
        return super().act(action) + bonus

    def snapshot(self) -> dict[str, Any]:
        return {**super().snapshot(), "book": list(self._book())}

    def restore(self, kept: dict[str, Any]) -> None:
        super().restore(kept)
        self._book()[0] = kept["book"][0]

    def bounds(self) -> dict[str, tuple[float, float]]:
        return {"return": (-100.0, 100.0)}
