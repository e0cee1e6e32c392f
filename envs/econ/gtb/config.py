"""Parameters of gather, trade and build, checked when they are made."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

from ludarium.envs.core.config import Config, between, is_integer, true_or_false, within
from ludarium.envs.core.errors import ConfigError, PopulationError
from ludarium.envs.econ.brackets import CENTS, POINTS, basis_points, check_edges, check_rate_step

__all__ = ["LAYOUTS", "PRICES", "SKILLS", "SWF", "GtbConfig"]

LAYOUTS = ("quadrant", "split", "uniform", "open")
"""Four parts divided by water with gaps; two halves that no way connects; sources everywhere; four parts without water."""
SKILLS = ("pareto", "ranked", "equal")
"""Drawn; the quantiles of the same distribution by the worker's number; all alike."""
SWF = ("equality_productivity", "uniform", "inverse", "rawls")
PRICES = 11
"""Prices of an order: 0 to 10 coins."""
MAX_RESOURCES = 4
_EDGES = (0.0, 9.7, 39.475, 84.2, 160.725, 204.1, 510.3)


@dataclasses.dataclass(frozen=True, kw_only=True)
class GtbConfig(Config):
    """Parameters of `econ-gtb-v0`. Money is given in coins, and kept in cents of a coin."""

    max_steps: int = 1000
    layout: str = "quadrant"
    height: int = 25
    width: int = 25
    n_workers: int = 4
    resources: tuple[str, ...] = ("wood", "stone")
    """Names, one to four."""
    recipe: tuple[int, ...] = (1, 1)
    """Units of each resource that a house takes."""
    density: float = 0.1
    """Share of the cells where a resource occurs that are its sources."""
    regrow: float = 0.01
    """Chance a step that an empty source regrows."""
    radius: int = 5
    """Cells that a worker sees to each side."""
    planner_map: bool = False
    """Whether the planner sees the map."""

    skills: str = "pareto"
    payment: float = 10.0
    """Coins that a house pays a builder of the least skill."""
    pareto: float = 4.0
    """Index of the distribution of building skill."""
    max_skill: float = 3.0
    """What the highest skill multiplies the payment by."""
    coin: float = 0.0
    """Coins of each worker at the start."""
    lifetime: int = 50
    """Steps after which an order lapses."""
    open_orders: int = 5
    """Open orders of a worker on each side of each resource's market."""

    eta: float = 0.23
    """Relative risk aversion; 1: log utility."""
    labour_cost: float = 0.21
    """Utility that a unit of labour costs."""
    move_labour: float = 1.0
    gather_labour: float = 1.0
    build_labour: float = 10.0
    trade_labour: float = 0.25
    """Labour of an action, in quarters of a unit."""

    period: int = 100
    """Steps of a tax year; the planner names rates in its first step, taxes are due in its last."""
    brackets: tuple[float, ...] = _EDGES
    """Lower edges in coins."""
    rate_step: float = 0.05
    """Distance of the rates that can be named."""
    swf: str = "equality_productivity"
    legacy_escrow: bool = False
    """Income leaves out what bids hold, so that coins parked in them are not taxed: for comparison only."""
    cancel_bids: bool = True
    """Who cannot pay has the newest bids cancelled first; else what is unpaid becomes a lien at once."""

    _choices: ClassVar[dict[str, tuple[str, ...]]] = {"layout": LAYOUTS, "skills": SKILLS, "swf": SWF}
    examples: ClassVar[dict[str, tuple[Any, ...]]] = {
        "max_steps": (1, 7, 60), "height": (8, 11), "width": (8, 12), "n_workers": (4, 5, 7), "density": (0.1, 0.5),
        "resources": (("wood", "stone"),), "recipe": ((1, 1), (2, 1), (0, 1)), "regrow": (0.01, 0.5, 1.0), "radius": (1, 5),
        "payment": (10.0, 0.5), "pareto": (4.0, 2.0), "max_skill": (1.0, 3.0), "coin": (0.0, 5.0, 30.0),
        "lifetime": (1, 3, 50), "open_orders": (1, 5), "eta": (0.0, 0.23, 1.0, 2.0), "labour_cost": (0.0, 0.21),
        "move_labour": (1.0,), "gather_labour": (0.0, 1.0), "build_labour": (10.0,), "trade_labour": (0.25,),
        "period": (1, 4, 100), "brackets": ((0.0,), (0.0, 1.5, 9.7), _EDGES), "rate_step": (0.05, 0.25),
    }  # fmt: skip

    def validate(self) -> None:
        """Check each number, then what they make together."""
        for name, low, high in (
            ("height", 8, 128), ("width", 8, 128), ("radius", 1, 16), ("lifetime", 1, 10**6), ("open_orders", 1, 16),
            ("period", 1, 10**9),
        ):  # fmt: skip
            between(name, getattr(self, name), low, high)
        for name, least, most in (
            ("density", 0.0, 1.0), ("regrow", 1e-6, 1.0), ("payment", 0.01, 1e6), ("pareto", 0.1, 100.0),
            ("max_skill", 1.0, 100.0), ("coin", 0.0, 1e6), ("eta", 0.0, 20.0), ("labour_cost", 0.0, 1e6),
        ):  # fmt: skip
            within(name, getattr(self, name), least, most)
        for name in ("move_labour", "gather_labour", "build_labour", "trade_labour"):
            within(name, getattr(self, name), 0.0, 1e6)
            if 4 * getattr(self, name) != math.floor(4 * getattr(self, name)):
                raise ConfigError(f"{name} = {getattr(self, name)}; expected a multiple of 0.25")
        for name in ("planner_map", "legacy_escrow", "cancel_bids"):
            true_or_false(name, getattr(self, name))
        if self.max_steps + self.lifetime >= 2**31 - 1:
            raise ConfigError(f"max_steps = {self.max_steps} and lifetime = {self.lifetime}; together below 2**31 - 1")
        self._validate_goods()
        self._validate_workers()
        check_edges(self.brackets)
        if len(set(self.edges)) < len(self.edges):
            raise ConfigError(f"brackets = {self.brackets}; two edges are the same cent")
        check_rate_step(self.rate_step)

    def _validate_goods(self) -> None:
        if not isinstance(self.resources, tuple) or not 1 <= len(self.resources) <= MAX_RESOURCES:
            raise ConfigError(f"resources = {self.resources!r}; expected one to {MAX_RESOURCES} names")
        if len(set(self.resources)) < len(self.resources) or not all(
            isinstance(name, str) and name.isidentifier() and len(name) < 32 for name in self.resources
        ):
            raise ConfigError(f"resources = {self.resources!r:.200}; expected different names of letters and digits")
        if not isinstance(self.recipe, tuple) or len(self.recipe) != len(self.resources):
            raise ConfigError(
                f"recipe = {self.recipe!r}; expected one number for each of {len(self.resources)} resources"
            )
        if not all(is_integer(n) and 0 <= n <= 1000 for n in self.recipe) or not any(self.recipe):
            raise ConfigError(f"recipe = {self.recipe!r}; expected whole numbers up to 1000, not all of them 0")

    def _validate_workers(self) -> None:
        if not is_integer(self.n_workers) or not 1 <= self.n_workers <= 256:
            raise PopulationError(f"n_workers = {self.n_workers!r}; expected 1 to 256")
        if 4 * self.n_workers > self.height * self.width:
            raise PopulationError(
                f"{self.n_workers} workers on {self.height} x {self.width} cells; expected four cells each: a larger map"
            )
        if self.layout == "split" and self.n_workers < 2:
            raise PopulationError("n_workers = 1; the two halves of 'split' need a worker each")
        made = self.max_steps * self.n_workers * (self.payment * self.max_skill + self.coin) * CENTS
        if made >= 2.0**52:
            raise ConfigError(f"{made:.3g} cents could be made, more than 2**52; use a smaller payment or max_steps")

    @property
    def edges(self) -> tuple[int, ...]:
        """The lower edges of the brackets, in cents."""
        return tuple(math.floor(edge * CENTS + 0.5) for edge in self.brackets)

    @property
    def levels(self) -> int:
        """Choices of the planner for each bracket: to leave the rate, then 0, `rate_step`, ..., 1."""
        return POINTS // basis_points(self.rate_step) + 2

    @property
    def actions(self) -> int:
        """Actions of a worker."""
        return 6 + 2 * PRICES * len(self.resources)
