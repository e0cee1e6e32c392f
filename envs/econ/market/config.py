"""Parameters of the market, its presets, and what of both the kernels read."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, ClassVar, NamedTuple

from ludarium.envs.core.config import Config, at_least, within
from ludarium.envs.core.errors import ConfigError
from ludarium.envs.econ.orders import SELF_MATCH

__all__ = ["AUCTIONS", "KINDS", "PRESETS", "MarketConfig", "Plan"]

AUCTIONS = ("none", "open", "close", "both", "always")
"""When orders are collected for a call auction instead of being matched at once."""
KINDS = ("induced", "asset", "insider")
"""What goods are worth: by induced values, by dividends and a last value, or by a value that insiders know."""
MAX_SEATS, MAX_LEVELS, MAX_PLACES = 1024, 16_384, 1 << 20


class Plan(NamedTuple):
    """The numbers of a preset, each of which an option of the same name overrides."""

    kind: str
    num_traders: int
    instruments: tuple[str, ...]
    units: int
    """goods of a trader: units that a buyer may want or a seller has; shares on average"""
    levels: int
    low: int
    tick: int
    max_quantity: int
    open_orders: int
    periods: int
    """days: units are paid for what they are worth, shares bear dividends, and all orders lapse at the end of each"""
    dividends: tuple[tuple[int, ...], ...]
    """by instrument, equally likely"""
    terminal: tuple[int, ...]
    """by instrument: what a share is worth at the end"""
    crowd: int
    """events a step of a crowd that trades without a thought"""
    noise: int
    """one noise trader's unit: the order flow has a standard deviation of four of them"""


_SSW = (0, 8, 28, 60)
PRESETS: dict[str, Plan] = {
    "gode-sunder": Plan("induced", 24, ("good",), 1, 200, 1, 1, 1, 1, 6, ((0,),), (0,), 0, 0),
    "ssw-bubble": Plan("asset", 9, ("share",), 2, 640, 1, 1, 4, 4, 15, (_SSW,), (0,), 0, 0),
    "multi-asset": Plan(
        "asset", 8, ("short", "medium", "long"), 3, 480, 1, 1, 4, 3, 8, ((0, 10), _SSW, (0, 40)), (40, 0, 100), 0, 0
    ),
    "poisson-flow": Plan("asset", 2, ("stock",), 20, 256, 872, 1, 8, 4, 1, ((0,),), (1000,), 16, 0),
    "kyle": Plan("insider", 1, ("stock",), 64, 513, 1000, 1, 64, 1, 1, ((0,),), (1256,), 0, 4),
}
"""Gode and Sunder's induced values, Smith, Suchanek and Williams' bubble, three assets at once, a crowd's order flow, and
Kyle's auction."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class MarketConfig(Config):
    """Parameters of `econ-market-v0`. Prices and money are integers in minor units; None: as the preset has it."""

    max_steps: int = 240
    preset: str = "gode-sunder"
    mode: str = "parallel"
    """`parallel`: all seats act in a step, in an order that is drawn; `sequential`: one seat a step, in rounds; `events`: one
    seat a step, drawn anew."""
    actions: str = "levels"
    """`levels`: kind, side, price level, quantity, order, instrument; `offsets`: quantity and distance from the last price, as
    numbers of -1 to 1."""
    reach: int = 20
    """Levels that an offset of 1 stands for."""
    latency: int = 0
    """Turns of its seat after which a message arrives (the regulator's arrive at once)."""
    mask: bool = True
    """Masks of the kinds of messages (of `levels`, without latency)."""
    num_traders: int | None = None
    market_maker: bool = False
    """A seat that quotes both sides at once."""
    regulator: bool = False
    """A seat that sets the fee and the price grid, and may halt trading."""
    instruments: tuple[str, ...] | None = None
    """Names, as many as the preset has."""
    values: str = "linear"
    """Induced values on a line, dealt at random, or drawn uniformly."""
    units: int | None = None
    levels: int | None = None
    tick: int | None = None
    low: int | None = None
    max_quantity: int | None = None
    open_orders: int | None = None
    periods: int | None = None
    self_match: str = "newest"
    fee: int = 0
    """Basis points of the value of a trade, from each side."""
    collar: int = 0
    """Levels that an order's price may be away from the last trade's (0: as many as there are)."""
    lifetime: int = 0
    """Steps after which an order lapses (0: never)."""
    auction: str | None = None
    """Call auctions at the `open` or `close` of each period, at `both`, in all steps (`always`), or `none`."""
    auction_steps: int = 4
    """Steps for which an auction at open or close collects orders."""
    clear_on_trade: bool = False
    """All other orders are cancelled when there is a trade, as in Gode and Sunder (1993)."""
    depth: int = 5
    """Levels of each side that observations show."""

    examples: ClassVar[dict[str, tuple[Any, ...]]] = {
        "instruments": (None,), "low": (None, 0, 100), "levels": (None, 64), "tick": (None, 5), "num_traders": (None, 2, 5),
        "units": (None, 3), "max_quantity": (None, 2), "open_orders": (None, 2), "periods": (None, 3),
        "latency": (0, 2), "reach": (20, 3),
        "max_steps": (3, 30), "auction": (None, "open", "both", "always"), "fee": (0, 30), "collar": (0, 20), "lifetime": (0, 3),
    }  # fmt: skip
    _choices: ClassVar[dict[str, tuple[str, ...]]] = {
        "preset": tuple(PRESETS), "mode": ("parallel", "sequential", "events"), "actions": ("levels", "offsets"),
        "values": ("linear", "uniform"),
        "self_match": SELF_MATCH,
    }  # fmt: skip

    def validate(self) -> None:
        """Check each number, then what they make together."""
        for name in ("num_traders", "units", "levels", "tick", "max_quantity", "open_orders", "periods"):
            if getattr(self, name) is not None:
                at_least(name, getattr(self, name), 1)
        for name in ("collar", "lifetime", "low"):
            if getattr(self, name) is not None:
                at_least(name, getattr(self, name), 0)
        at_least("auction_steps", self.auction_steps, 1)
        at_least("depth", self.depth, 1)
        at_least("reach", self.reach, 1)
        within("reach", self.reach, 1, MAX_LEVELS)
        at_least("latency", self.latency, 0)
        within("latency", self.latency, 0, 64)
        within("fee", self.fee, 0, 5000)
        at_least("fee", self.fee, 0)
        if self.auction is not None and self.auction not in AUCTIONS:
            raise ConfigError(f"auction = {self.auction!r}; expected one of {', '.join(AUCTIONS)}")
        self._validate_plan(self.plan)

    def _validate_plan(self, p: Plan) -> None:
        """What does not fit together, or not into 64 bits."""
        if p.kind == "induced" and p.num_traders < 2:
            raise ConfigError(f"num_traders = {p.num_traders}; induced values need a buyer and a seller")
        if self.preset == "kyle" and (self.market_maker or self.regulator or self.auction not in (None, "always")):
            raise ConfigError("the preset 'kyle' is an auction without further roles; its price is set by a rule")
        if self.preset == "kyle" and self.latency:
            raise ConfigError(f"latency = {self.latency}; in the auctions of 'kyle' no message is late")
        for name, high in (
            ("num_traders", MAX_SEATS), ("levels", MAX_LEVELS), ("units", 10**6), ("max_quantity", 10**6),
            ("open_orders", 64), ("periods", 4096), ("low", 10**9), ("tick", 10**6),
        ):  # fmt: skip
            if getattr(p, name) > high:
                raise ConfigError(f"{name} = {getattr(p, name)}; expected at most {high}")
        if self.depth > p.levels:
            raise ConfigError(f"depth = {self.depth} is more than the {p.levels} levels; expected at most as many")
        if len(p.instruments) != len(PRESETS[self.preset].instruments) or len(set(p.instruments)) != len(p.instruments):
            raise ConfigError(
                f"instruments = {p.instruments}; the preset {self.preset!r} has "
                f"{len(PRESETS[self.preset].instruments)}, all with different names"
            )
        places = (p.num_traders + 1 + self.crowd_accounts) * p.open_orders * 2 * len(p.instruments)
        if places > MAX_PLACES or p.levels * len(p.instruments) > MAX_LEVELS:
            raise ConfigError(f"{places} places for orders on {p.levels} levels are too many for one episode")
        money = 16 * p.periods * (p.num_traders + 1) * p.units * len(p.instruments) * (p.low + p.levels * p.tick)
        quantity = 2 * (p.num_traders + 1) * p.max_quantity + 3 * p.crowd + 32 * p.noise
        turnover = self.max_steps * quantity * (p.low + p.levels * p.tick)
        if turnover >= 1 << 62:
            raise ConfigError(
                f"max_steps, num_traders, max_quantity and the highest price allow a turnover of {turnover}, more than 2**62"
            )
        if money >= 1 << 60:
            raise ConfigError(
                f"low, tick, levels, units, periods and num_traders make {money} of money, more than 2**60"
            )

    @functools.cached_property
    def plan(self) -> Plan:
        """The preset with the options that override it."""
        found = PRESETS[self.preset]
        given = {name: getattr(self, name, None) for name in Plan._fields}
        found = found._replace(**{name: value for name, value in given.items() if value is not None})
        if self.preset == "kyle":  # the mean of the value lies in the middle of the levels
            found = found._replace(terminal=(found.low + (found.levels // 2) * found.tick,))
        if self.preset == "poisson-flow":
            found = found._replace(terminal=(found.low + (found.levels // 2) * found.tick,))
        return found

    @property
    def calls(self) -> str:
        """When call auctions are held."""
        return self.auction or ("always" if self.preset == "kyle" else "none")

    @property
    def crowd_accounts(self) -> int:
        """Accounts of those who follow a rule of the world: the crowd's, or the noise traders' and the market maker's."""
        return {"poisson-flow": 16, "kyle": 2}.get(self.preset, 0)

    @property
    def period_steps(self) -> int:
        """Steps of a period; the last one may be shorter."""
        return -(-self.max_steps // self.plan.periods)
