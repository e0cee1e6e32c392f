"""Parameters of the oligopoly, and the levels of price or quantity that firms choose from."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any, ClassVar, NamedTuple

from ludarium.envs.core.config import Config, between
from ludarium.envs.core.errors import ConfigError
from ludarium.envs.econ.oligopoly import oracles
from ludarium.envs.econ.oligopoly.oracles import Outcome

__all__ = ["GAMES", "Grid", "OligopolyConfig"]

GAMES = ("logit", "cournot", "bertrand")
MAX_FIRMS, MAX_LEVELS, MAX_MONEY, MAX_CONSUMERS = 64, 512, 10**9, 10**6


class Grid(NamedTuple):
    """Level k is the price, or under Cournot the quantity, `low + k * step`."""

    low: int
    step: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class OligopolyConfig(Config):
    """Parameters of `econ-oligopoly-v0`. Prices, costs and profits are integers in minor units."""

    max_steps: int = 100
    game: str = "logit"
    """Firms choose prices of goods that differ (logit demand), quantities (Cournot), or prices of equal goods (Bertrand)."""
    firms: int = 2
    levels: int = 15
    """Prices or quantities to choose from."""
    low: int | None = None
    """The lowest of them (None, here and for `step`: made to hold competition and monopoly between them)."""
    step: int | None = None
    """The distance between two."""
    cost: int = 10_000
    """What a unit costs to make."""
    cost_spread: int = 0
    """A firm's own cost is drawn from `cost - cost_spread` to `cost + cost_spread`."""
    demand: int = 20_000
    """The price at which nothing is sold (Cournot, Bertrand), or the quality of all goods (logit)."""
    slope: int = 100
    """By how much the price falls for each further unit (Cournot, Bertrand)."""
    outside: int = 0
    """The worth of buying nothing (logit)."""
    differentiation: int = 2500
    """Money by which goods differ in consumers' eyes, the mu of logit demand."""
    consumers: int = 1000
    """Consumers, each of whom buys at most a unit (logit)."""
    max_change: int = 0
    """Levels that a firm may move in a step (0: any)."""

    examples: ClassVar[dict[str, tuple[Any, ...]]] = {
        "firms": (1, 2, 3, 5), "levels": (2, 3, 15), "cost": (10_000, 7), "demand": (20_000, 25_000), "slope": (100, 7),
        "low": (None, 0, 9_000), "step": (None, 1, 500), "cost_spread": (0, 1500), "differentiation": (2500, 5000),
        "outside": (0, 3000), "consumers": (1000, 10), "max_change": (0, 1, 4), "max_steps": (3, 40),
    }  # fmt: skip
    _choices: ClassVar[dict[str, tuple[str, ...]]] = {"game": GAMES}

    def validate(self) -> None:
        """Check each number, then that money fits into 64 bits and logit weights into a float."""
        for name, least, most in (
            ("firms", 1, MAX_FIRMS), ("levels", 2, MAX_LEVELS), ("cost", 0, MAX_MONEY), ("demand", 1, MAX_MONEY),
            ("slope", 1, MAX_MONEY), ("differentiation", 1, MAX_MONEY), ("consumers", 1, MAX_CONSUMERS),
            ("cost_spread", 0, MAX_MONEY), ("max_change", 0, MAX_LEVELS),
        ):  # fmt: skip
            between(name, getattr(self, name), least, most)
        between("outside", self.outside, -MAX_MONEY, MAX_MONEY)
        for name in ("low", "step"):
            if getattr(self, name) is not None:
                between(name, getattr(self, name), 0 if name == "low" else 1, MAX_MONEY)
        if self.cost_spread > self.cost:
            raise ConfigError(
                f"cost_spread = {self.cost_spread} is more than cost = {self.cost}; costs may not be below 0"
            )
        if self.demand <= self.cost + self.cost_spread:
            raise ConfigError(
                f"demand = {self.demand}; expected more than the highest cost, {self.cost + self.cost_spread}"
            )
        if self.game == "logit":
            top = self.grid.low + (self.levels - 1) * self.grid.step
            steepest = max(abs(self.demand - p) for p in (self.grid.low, top, self.cost)) + abs(self.outside)
            if steepest > 20 * self.differentiation:
                raise ConfigError(
                    f"differentiation = {self.differentiation} is too small for prices that are {steepest} away from what "
                    f"goods are worth; expected at least {-(-steepest // 20)}"
                )
        if self._largest_payment() * self.max_steps >= 1 << 60:
            raise ConfigError(f"levels, slope, demand and max_steps = {self.max_steps} make more than 2**60 of money")

    def _largest_payment(self) -> int:
        """A bound of what all firms together take or spend in a step."""
        top = self.grid.low + (self.levels - 1) * self.grid.step
        if self.game == "cournot":
            return self.firms * top * max(self.demand, self.cost + self.cost_spread)
        units = self.consumers if self.game == "logit" else self.demand // self.slope + 1
        return self.firms * units * max(top, self.cost + self.cost_spread)

    @functools.cached_property
    def grid(self) -> Grid:
        """The levels; by default they reach a tenth beyond competition and monopoly, as in Calvano et al. (2020)."""
        found = self._default_grid()
        low = found.low if self.low is None else int(self.low)
        return Grid(low, found.step if self.step is None else int(self.step))

    def _default_grid(self) -> Grid:
        if self.game == "cournot":
            most = (self.demand - self.cost) / self.slope
            return Grid(0, max(1, math.ceil(most / 2 / (self.levels - 1))))
        nash, joint = self.equilibrium(), self.joint()
        reach = 0.0 if self.game == "bertrand" else 0.1
        a, b = nash.actions[0], max(joint.actions)
        low = math.floor(a - reach * (b - a))
        return Grid(low, max(1, math.ceil((b + max(reach, 0.1) * (b - a) - low) / (self.levels - 1))))

    def equilibrium(self, costs: tuple[int, ...] | None = None) -> Outcome:
        """The static equilibrium off the grid, in money (under logit demand for all consumers together)."""
        own = costs or (self.cost,) * self.firms
        if self.game == "cournot":
            return oracles.cournot(self.demand, self.slope, own)
        if self.game == "bertrand":
            return oracles.bertrand(self.demand, self.slope, own)
        return self._scaled(oracles.logit_nash(self.demand, self.outside, self.differentiation, own))

    def joint(self, costs: tuple[int, ...] | None = None) -> Outcome:
        """What earns all firms together the most, off the grid."""
        own = costs or (self.cost,) * self.firms
        if self.game == "logit":
            return self._scaled(oracles.logit_monopoly(self.demand, self.outside, self.differentiation, own))
        found = oracles.cournot_cartel(self.demand, self.slope, own)
        if self.game == "cournot":
            return found
        return Outcome(tuple(found.price for _ in own), found.profits, found.price)

    def _scaled(self, found: Outcome) -> Outcome:
        return found._replace(profits=tuple(self.consumers * p for p in found.profits))
