"""A worker who games the tax: it hides, puts off and pools wherever a switch of the world is open and it expects to gain."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.contract import Task
from ludarium.agents.econ.tax_model import best_choices
from ludarium.agents.econ.tax_workers import BestResponse
from ludarium.envs.core.errors import AgentError
from ludarium.envs.core.rng import draw, unit
from ludarium.envs.econ.taxes import Schedule

__all__ = ["Gamer"]

Ints = NDArray[np.int64]


class Gamer(BestResponse):
    """Works the honest best hours, so that twin episodes differ by the games alone, and plays every game that is open.

    Hides all where an audit's chance times what it costs is below 1 (risk neutral; Allingham and Sandmo 1972), puts off what
    will be taxed less if next year's rates are the mean of those seen so far, and pools. A `share` of the workers does so,
    drawn by the agent's seed.
    """

    def __init__(self, share: float = 1.0) -> None:
        if not 0 <= share <= 1:
            raise AgentError(f"share = {share}; expected a number from 0 to 1")
        self.share = float(share)

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Forget the rates of the last episode."""
        super().start(task, seats, seed)
        self._rates: dict[int, NDArray[np.int64]] = {}

    def hours(self, seen: dict[str, Any], who: Ints, step: int) -> Ints:
        """The best hours, with what else the action's number says."""
        self._rates[seen["year"]] = seen["rates"]
        best = best_choices(seen, who)
        shifts, hides, pools = seen["ways"]
        way = self._put_off(seen, who, best) if shifts > 1 and seen["may_put_off"] else np.zeros(len(who), np.int64)
        if hides > 1 and seen["audit"] * (1.0 + seen["penalty"]) < 1.0:
            way += shifts * (hides - 1)
        if pools > 1:
            way += shifts * hides
        chance = np.array([unit(np.uint64(draw(self._key, 1, int(i), 0, 0))) for i in who]) if self.share < 1 else 0.0
        return best + seen["choices"] * np.where(chance < self.share, way, 0)

    def _put_off(self, seen: dict[str, Any], who: Ints, best: Ints) -> Ints:
        """The bracket above whose edge it pays most to put income off; 0 where it does not pay."""
        edges, rates = (seen["edges"] / 100.0).tolist(), np.mean(list(self._rates.values()), 0)
        now, later = Schedule.of(edges, seen["rates"] / 10_000.0), Schedule.of(edges, rates / 10_000.0)
        z = seen["wage"][who] * best // seen["hour_parts"]
        part = seen["due"][who] // seen["steps_left"]
        found, least = np.zeros(len(who), np.int64), now.tax(z + part) + later.tax(z)
        for j in range(1, len(edges)):
            off = np.clip(z + part - seen["edges"][j], 0, z)
            cost = now.tax(z + part - off) + later.tax(z + off)
            found, least = np.where(cost < least, j, found), np.minimum(cost, least)
        return found
