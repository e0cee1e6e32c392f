"""Bugs of laws 20 and 24 to 26: code that the compiler changes, books that do not balance, figures that are not so."""

from __future__ import annotations

import numba
import numpy as np
from laws.zoo.orchard import LEFT, RIGHT, WAIT, Orchard
from laws.zoo.planted import Planted
from numpy.typing import NDArray


@numba.njit
def _energy(store: NDArray[np.uint8], wide: bool) -> int:
    """What a store of bytes comes to: a product that overflows in NumPy's bytes, and not in Numba's integers."""
    if wide:
        return np.int64(store[0]) * np.int64(store[1])
    return store[0] * store[1]


class BytesOverflow(Orchard):
    """A product of two bytes: the compiler widens it, plain NumPy does not."""

    bug = Planted("compiled", shortest=3, children=True, cases=12)
    compiled = True

    def act(self, action: int) -> float:
        store = np.array([90, self.waits + (action == WAIT)], np.uint8)
        with np.errstate(over="ignore"):
            energy = int(_energy(store, not self.planted))
        return super().act(action) - 1e-3 * energy


class AppleFromNowhere(Orchard):
    """From the sixth step on, who goes left and then right finds an apple that grew nowhere."""

    bug = Planted("invariants", shortest=6, cases=24)

    def act(self, action: int) -> float:
        found = self.t >= 6 and self.done[-2:] == [LEFT, RIGHT] and self.planted
        self.basket += int(found)
        return super().act(action)


class CountsBadly(Orchard):
    """The figure of waits misses the third of three in a row."""

    bug = Planted("metrics", shortest=3)

    def act(self, action: int) -> float:
        self.waits -= int(self.done[-3:] == [WAIT] * 3 and self.planted)
        return super().act(action)


class ReportsTheLastReward(Orchard):
    """The return that is reported lacks what turning costs."""

    bug = Planted("metrics", shortest=2)

    def act(self, action: int) -> float:
        turned = self.done[-2:] in ([LEFT, RIGHT], [RIGHT, LEFT])
        self.earned += 0.25 if turned and self.planted else 0.0
        return super().act(action) - (0.25 if turned else 0.0)


class BetterThanPossible(Orchard):
    """An exploit: right, left, right pays more than any play should."""

    bug = Planted("bound", shortest=3)

    def act(self, action: int) -> float:
        exploit = self.done[-3:] == [RIGHT, LEFT, RIGHT] and self.planted
        return super().act(action) + (10.0 if exploit else 0.0)
