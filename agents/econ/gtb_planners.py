"""Planners of the gather-trade-build world: no taxes, the US schedule, and the bracket rule with a learned elasticity."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.contract import Agent, Task, Turn
from ludarium.envs.core.errors import AgentError
from ludarium.envs.econ.brackets import BRACKETS
from ludarium.envs.econ.tax import oracles

__all__ = ["US2018", "FreeMarket", "SaezBuilders"]

Floats = NDArray[np.float64]
US2018_RATES = (0.10, 0.12, 0.22, 0.24, 0.32, 0.35, 0.37)


class _Planner(Agent):
    """Names rates as fractions; this base puts them into the world's choices."""

    view = "state"
    information = "global"

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """The choices nearest to the rates."""
        seen = next(iter(turns.values())).observation
        if not isinstance(seen, dict) or "recipe" not in seen or any(not seat.startswith("planner") for seat in turns):
            raise AgentError(f"{type(self).__name__} plans in econ-gtb-v0 only, in the planner's seat")
        rates = np.clip(self.rates(seen), 0.0, 1.0)
        return dict.fromkeys(turns, 1 + np.rint(rates * 10_000.0 / seen["rate_step"]).astype(np.int64))

    def rates(self, seen: dict[str, Any]) -> Floats:
        """One rate a bracket, as fractions."""
        raise NotImplementedError(f"{type(self).__name__} must define rates")


class FreeMarket(_Planner):
    """Nobody is taxed."""

    def rates(self, seen: dict[str, Any]) -> Floats:
        """Zero."""
        return np.zeros(len(seen["edges"]))


class US2018(_Planner):
    """The federal schedule of 2018 with a coin for a thousand dollars; in other brackets the mean of its rates over each."""

    def rates(self, seen: dict[str, Any]) -> Floats:
        """Exact in its own brackets, up to the world's steps."""
        edges, own = seen["edges"] / 100.0, np.array(BRACKETS["us2018"], np.float64) / 1000.0
        tops = np.append(edges[1:], max(2.0 * edges[-1], 2.0 * own[-1]))
        tax = oracles.owed(np.concatenate([edges, tops]), tuple(own), US2018_RATES)
        return np.asarray((tax[len(edges) :] - tax[: len(edges)]) / (tops - edges))


class SaezBuilders(_Planner):
    """The bracket rule on the incomes of the last year, with an elasticity that is learned from year to year.

    The slope of the change in log income on the change in log (1 - rate) at the income of before, which the worker did not
    choose with the new rates in mind (Gruber and Saez 2002): over the last 500 pairs, drawn towards 0.5, clipped to [0.05, 2].
    Weights fall with income as 1 / income. Rates are drawn in the first two years, then move halfway to the rule's.
    """

    PAIRS, EXPLORE, GUESS, DOUBT = 500, 2, 0.5, 0.5

    def __init__(self, damping: float = 0.5) -> None:
        if not 0 < damping <= 1:
            raise AgentError(f"damping = {damping}; expected a number above 0, at most 1")
        self.damping = float(damping)

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Know nothing yet."""
        self._rng = np.random.default_rng(seed)
        self._pairs = np.empty((0, 2))
        self._last: tuple[Floats, Floats] | None = None
        self.e = self.GUESS

    def rates(self, seen: dict[str, Any]) -> Floats:
        """Drawn rates for two years, then the rule's."""
        now, edges = seen["rates"] / 10_000.0, tuple((seen["edges"] / 100.0).tolist())
        z = seen["income"] / 100.0
        if seen["settled"]:
            self._learn(z, now, edges)
        if seen["settled"] < self.EXPLORE:
            return self._rng.uniform(0.0, 0.4, len(edges))
        weight = 1.0 / np.maximum(z, 1.0)
        stuck = np.zeros(len(z), np.bool_)
        wanted = oracles.bracket_rates(z, weight / weight.mean(), edges, self.e, now, stuck)
        return np.asarray(now + self.damping * (wanted - now))

    def _learn(self, z: Floats, now: Floats, edges: tuple[float, ...]) -> None:
        if self._last is not None:
            before, was = self._last
            bracket = np.searchsorted(edges, before, side="right") - 1
            kept, kept_before = 1.0 - now[bracket], 1.0 - was[bracket]
            there = (z > 0) & (before > 0) & (kept > 0) & (kept_before > 0)
            fresh = np.stack([np.log(kept[there] / kept_before[there]), np.log(z[there] / before[there])], 1)
            self._pairs = np.concatenate([self._pairs, fresh])[-self.PAIRS :]
            x, y = self._pairs.T
            slope = (float((x * y).sum()) + self.GUESS * self.DOUBT) / (float((x * x).sum()) + self.DOUBT)
            self.e = min(max(slope, 0.05), 2.0)
        self._last = z, now
