"""Planners of the tax economy: the US schedule, closed forms, the bracket rule, learners, and the elected worker."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.contract import Agent, Task, Turn
from ludarium.agents.econ.tax_model import economy, preferred_rates, untaxed
from ludarium.envs.core.errors import AgentError
from ludarium.envs.econ.tax import oracles
from ludarium.envs.econ.taxes import BRACKETS, US2024_RATES

__all__ = ["CEM", "US2024", "BracketRule", "Elected", "FlatOpt", "SaezOnline"]

Floats = NDArray[np.float64]


class _Planner(Agent):
    """Names rates as fractions; this base puts them into the levels or moves of the world."""

    view = "state"
    information = "global"

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """The levels nearest to the rates, or the moves that come nearest."""
        if any(not seat.startswith("planner") for seat in turns):
            raise AgentError(f"{type(self).__name__} sets rates, in the planner's seat only")
        seen = next(iter(turns.values())).observation
        if not isinstance(seen, dict) or "edges" not in seen:
            raise AgentError(f"{type(self).__name__} plans in econ-tax-v0 only")
        rates = np.clip(self.rates(seen), 0.0, 1.0)
        if seen["rate_mode"] == "delta":
            moves = np.rint((rates - seen["rates"] / 10_000.0) * 10.0)
            levels = np.clip(moves, -2, 2).astype(np.int64) + 2
        else:
            levels = np.rint(rates * 10_000.0 / seen["rate_step"]).astype(np.int64)
        return dict.fromkeys(turns, levels)

    def rates(self, seen: dict[str, Any]) -> Floats:
        """One rate a bracket, as fractions."""
        raise NotImplementedError(f"{type(self).__name__} must define rates")


class US2024(_Planner):
    """The federal schedule of 2024 for single filers; in other brackets the mean of its rates over each."""

    def rates(self, seen: dict[str, Any]) -> Floats:
        """Exact in its own brackets."""
        edges, own = seen["edges"] / 100.0, np.array(BRACKETS["us2024"], np.float64)
        tops = np.append(edges[1:], max(2.0 * edges[-1], 2.0 * own[-1]))
        tax = oracles.owed(np.concatenate([edges, tops]), tuple(own), US2024_RATES)
        return np.asarray((tax[len(edges) :] - tax[: len(edges)]) / (tops - edges))


class FlatOpt(_Planner):
    """The optimal flat rate in closed form, from the workers' untaxed incomes and the elasticity."""

    def rates(self, seen: dict[str, Any]) -> Floats:
        """The same rate in all brackets."""
        z = untaxed(seen)
        gbar = float((seen["weight"] * z).sum() / z.sum())
        return np.full(len(seen["edges"]), oracles.optimal_flat(gbar, oracles.elasticity(seen["d"])))


class BracketRule(_Planner):
    """The optimal rate of each bracket from the incomes in it (specs: tau = (1 - G) / (1 - G + a e)), iterated to rest.

    With `types=known` the workers' wages are known from the first year. With `types=observed` the first year is flat at 50 %,
    and untaxed incomes are inferred from that year's incomes. `e` (0: the true one) is the elasticity it reckons with.
    """

    def __init__(self, types: str = "known", e: float = 0.0) -> None:
        if types not in ("known", "observed"):
            raise AgentError(f"types = {types!r}; expected 'known' or 'observed'")
        if not 0 <= e < 100:
            raise AgentError(f"e = {e}; expected an elasticity above 0, or 0: the true one")
        self.types, self.e = types, float(e)

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Forget the last episode's workers."""
        self._found: Floats | None = None

    def rates(self, seen: dict[str, Any]) -> Floats:
        """The rates at rest."""
        if self._found is not None:
            return self._found
        there = economy(seen)
        if self.e:
            there = there._replace(d=1.0 + 1.0 / self.e)
        if self.types == "observed":
            if not seen["year"]:
                return np.full(len(seen["edges"]), 0.5)
            there = there._replace(w=_implied_wages(seen, there))
        self._found = oracles.bracket_rule(there)
        return self._found


def _implied_wages(seen: dict[str, Any], there: oracles.Economy) -> Floats:
    """The wages at which incomes of now are best answers to the flat rate of now."""
    z = np.maximum(seen["wage"] * seen["hours"] // seen["hour_parts"], 1) / 100.0
    free = z / (1.0 - float(seen["rates"][0]) / 10_000.0) ** there.e
    return np.asarray((free * (there.k * there.d) ** there.e) ** (1.0 / (1.0 + there.e)))


class SaezOnline(_Planner):
    """Learns the elasticity from how incomes answer rates, and applies the bracket rule to the incomes that it sees.

    The slope of log income on log (1 - rate) over changes from year to year, the last 500, each year before weighing 0.98 of
    the next; clipped to [0.05, 2]. Rates move halfway to the rule's, after two years of exploring.
    """

    PAIRS, FORGET = 500, 0.98

    def __init__(self, damping: float = 0.5) -> None:
        if not 0 < damping <= 1:
            raise AgentError(f"damping = {damping}; expected a number above 0, at most 1")
        self.damping = float(damping)

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Know nothing yet."""
        self._rng = np.random.default_rng(seed)
        self._last: tuple[Floats, Floats] | None = None
        self._pairs = np.empty((0, 3))
        self.e = 0.5

    def rates(self, seen: dict[str, Any]) -> Floats:
        """Random rates for two years, then the rule's."""
        now, count = seen["rates"] / 10_000.0, len(seen["edges"])
        if not seen["year"]:
            return np.full(count, 0.5)
        z = (seen["wage"] * seen["hours"] // seen["hour_parts"]) / 100.0
        edges = tuple((seen["edges"] / 100.0).tolist())
        kept = 1.0 - now[np.searchsorted(edges, z, side="right") - 1]
        self._learn(z, kept)
        if seen["year"] == 1:
            return np.clip(0.5 + self._rng.uniform(-0.2, 0.2, count), 0.0, 1.0)
        stuck = seen["hours"] >= seen["hours_max"] * seen["hour_parts"]
        wanted = oracles.bracket_rates(z, seen["weight"], edges, self.e, now, stuck)
        return now + self.damping * (wanted - now)

    def _learn(self, z: Floats, kept: Floats) -> None:
        if self._last is not None:
            before, was = self._last
            moved = (z > 0) & (before > 0) & (kept > 0) & (was > 0) & (np.abs(kept - was) > 1e-9)
            x, y = np.log(kept[moved] / was[moved]), np.log(z[moved] / before[moved])
            self._pairs[:, 2] *= self.FORGET
            fresh = np.stack([x, y, np.ones(len(x))], 1)
            if len(fresh) > self.PAIRS:  # of many workers evenly spaced ones
                fresh = fresh[np.linspace(0, len(fresh) - 1, self.PAIRS).astype(np.int64)]
            self._pairs = np.concatenate([self._pairs, fresh])[-self.PAIRS :]
            spread = float((self._pairs[:, 2] * self._pairs[:, 0] ** 2).sum())
            if spread > 0:
                slope = float((self._pairs[:, 2] * self._pairs[:, 0] * self._pairs[:, 1]).sum()) / spread
                self.e = min(max(slope, 0.05), 2.0)
        self._last = z, kept


class CEM(_Planner):
    """The cross-entropy method (Rubinstein 1999) over years: tries schedules, keeps the best quarter, draws around them."""

    def __init__(self, population: int = 8, spread: float = 0.25) -> None:
        if population < 4 or not 0 < spread <= 1:
            raise AgentError(f"population = {population}, spread = {spread}; expected at least 4, and a number up to 1")
        self.population, self.spread = int(population), float(spread)

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Begin in the middle."""
        self._rng = np.random.default_rng(seed)
        self._tried: list[tuple[float, Floats]] = []
        self._middle: Floats | None = None
        self._now: Floats = np.empty(0)

    def rates(self, seen: dict[str, Any]) -> Floats:
        """One draw a year; the first of each round is the middle itself."""
        count = len(seen["edges"])
        if self._middle is None:
            self._middle, self._width = np.full(count, 0.5), np.full(count, self.spread)
        elif seen["year"]:
            self._tried.append((seen["welfare"], self._now))
        if len(self._tried) >= self.population:
            best = sorted(self._tried, key=lambda pair: -pair[0])[: max(2, self.population // 4)]
            elite = np.stack([rates for _, rates in best])
            self._middle, self._width = elite.mean(0), np.maximum(0.7 * elite.std(0) + 0.3 * self._width * 0.7, 0.01)
            self._tried = []
        drawn = self._middle + self._width * self._rng.standard_normal(count) * (len(self._tried) > 0)
        self._now = np.clip(drawn, 0.0, 1.0)
        return self._now


class Elected(_Planner):
    """Acts for the worker who won the vote: the flat rate that he promised, else the one that he likes best."""

    def rates(self, seen: dict[str, Any]) -> Floats:
        """The same rate in all brackets; without a winner the rates stay."""
        if seen["leader"] < 0:
            return np.asarray(seen["rates"] / 10_000.0)
        flat = seen["promise"] / 20.0 if seen["promise"] >= 0 else float(preferred_rates(seen)[seen["leader"]])
        return np.full(len(seen["edges"]), flat)
