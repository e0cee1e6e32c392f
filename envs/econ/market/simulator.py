"""The simulator of the market: the contract over the kernels of `dynamics`."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs.core.frozen import freeze
from ludarium.envs.core.laws.relations import Relation
from ludarium.envs.core.scene import Scene
from ludarium.envs.core.simulator import ArraySimulator, Out, Role
from ludarium.envs.core.state import Field
from ludarium.envs.econ import book
from ludarium.envs.econ.blank import Blank
from ludarium.envs.econ.market import dynamics, figures, generate, language, observe, offsets, relations, scene
from ludarium.envs.econ.market.config import AUCTIONS, KINDS, MarketConfig
from ludarium.envs.econ.market.generate import Instance
from ludarium.envs.econ.market.state import FEES, GRAINS, PLAIN, Scalars

__all__ = ["Market"]

FILLS = 16
"""Trades whose parties are kept."""
_NOBODY = np.zeros((1, 1, 6), np.int64)


class Market(ArraySimulator):
    """A continuous double auction: traders send orders to limit order books; price comes first, then time."""

    State = dynamics.State
    faults = dynamics.FAULTS
    masked_faults = ("market_orders_only",)
    turns = "all"

    def __init__(self, config: MarketConfig) -> None:
        self.config: MarketConfig = config
        self.plan = config.plan
        if config.mode != "parallel":
            self.__dict__["turns"] = "one"
        self.masked = config.mask and not config.latency
        self.masked_choices = ("trader",)
        more = config.market_maker or config.regulator or self.plan.crowd or config.calls != "none"
        later = config.latency or config.lifetime or config.collar
        plain = self.plan.kind != "insider" and not more and not later
        self.scalars = freeze(_scalars(config), PLAIN if plain else "")
        self.blank = Blank(self.fields(), generate.BYTES)
        self.roles = self._roles()
        self.names = observe.names(len(self.plan.instruments), config.depth, self.plan.open_orders, True)
        """what each number of a trader's observation is"""

    def _roles(self) -> tuple[Role, ...]:
        c, p = self.config, self.plan
        markets = len(p.instruments)
        own, public = (
            spaces.Box(-np.inf, np.inf, (observe.length(markets, c.depth, p.open_orders, mine),), np.float32)
            for mine in (True, False)
        )
        quantity = p.max_quantity + 1
        message: spaces.Space[Any] = spaces.MultiDiscrete([5, 2, p.levels, quantity, p.open_orders, markets])
        if c.actions == "offsets":
            message = offsets.space(markets)
        quote = spaces.MultiDiscrete([2, p.levels, p.levels, quantity, quantity, markets])
        rule = spaces.MultiDiscrete([3, FEES + 1, len(GRAINS) + 1])
        found = [Role("trader", p.num_traders, own, message, decisions=("order",))]
        if c.market_maker:
            found.append(Role("market_maker", 1, own, quote, decisions=("quote",)))
        if c.regulator:
            found.append(Role("regulator", 1, public, rule, decisions=("rule",)))
        return tuple(found)

    def fields(self) -> tuple[Field, ...]:
        """The layout of the state."""
        return dynamics.fields(self.scalars, FILLS)

    # --- instances -------------------------------------------------------------------------------------------------
    def instance(self, seed: int) -> Instance:
        """The instance that a seed draws."""
        state = self.new(1)
        self.reset(state, np.ones(1, np.bool_), np.array([seed], np.int64), np.full(1, -1, np.int32))
        return self._instance_of(state, 0)

    def _instance_of(self, state: Any, row: int) -> Instance:
        n = self.plan.num_traders
        worth, stock = state.worth[row].tolist(), state.first_stock[row, :, :n].tolist()
        names = tuple(state.name[row, :n].tolist())
        return Instance(
            tuple(state.first_cash[row, :n].tolist()), tuple(map(tuple, stock)), tuple(map(tuple, worth)), names
        )

    def load(self, state: Any, row: int, instance: Any) -> None:
        """Put an `Instance` (or its JSON form) into a row."""
        given = instance if isinstance(instance, Instance) else Instance.from_data(instance)
        given.validate(self.config)
        n = self.plan.num_traders
        state.first_cash[row, :n] = given.cash
        state.first_stock[row, :, :n] = given.stock
        state.worth[row] = given.worth
        state.name[row] = np.arange(len(self.seats))
        state.name[row, :n] = given.names

    def instance_hash(self, state: Any, row: int) -> str:
        """The hash of an instance that was loaded; the seed says all of the others."""
        return self._instance_of(state, row).hash if state.inst[row] == generate.LOADED else ""

    # --- reset and step --------------------------------------------------------------------------------------------
    def reset(self, state: Any, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
        """Begin episodes in the rows of `which`."""
        self.blank.fill(state, self._layout(len(which)), which)
        drawn = which & (slots != generate.LOADED)
        state.worth[drawn], state.first_stock[drawn] = 0, 0
        generate.reset(state, self.scalars, which, seeds, slots)

    def asked(self, state: Any, out: NDArray[np.int8]) -> None:
        """All seats, or the one whose turn it is."""
        dynamics.asked(state, self.scalars, out)

    def check(self, state: Any, actions: tuple[Any, ...], fault: NDArray[np.int16]) -> None:
        """Find the faults by taking the step in a copy: what is in order depends on who comes first."""
        rows, seats = len(state.t), len(self.seats)
        twin = self.new(rows)
        for field, source in zip(twin, state, strict=True):
            field[...] = source
        out = Out(
            np.zeros((rows, seats)), np.zeros((rows, seats), np.bool_), np.zeros(rows, np.bool_),
            np.zeros((rows, seats), np.int16),
        )  # fmt: skip
        self.step(twin, actions, out)
        fault[...] = out.fault

    def step(self, state: Any, actions: tuple[Any, ...], out: Out) -> None:
        """Advance every row."""
        c, rows = self.config, len(state.t)
        nobody = np.zeros((rows, 1, 6), np.int64) if not (c.market_maker and c.regulator) else _NOBODY
        given = list(actions)
        quote = given[1] if c.market_maker else nobody
        rule = given[-1] if c.regulator else nobody
        trade = offsets.messages(self, state, given[0]) if c.actions == "offsets" else given[0]
        dynamics.step(state, self.scalars, trade, quote, rule, *out)

    # --- views -----------------------------------------------------------------------------------------------------
    def observe(self, state: Any, role: int, seats: NDArray[np.int32], out: Any) -> None:
        """Write what the listed seats see."""
        observe.see(state, self.scalars, self.offsets[role], self.roles[role].name != "regulator", seats, out)

    def action_mask(self, state: Any, role: int, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
        """Forbid the kinds of messages that can only be in vain, to traders."""
        if self.roles[role].name == "trader":
            observe.masks(state, self.scalars, seats, out)

    def full(self, state: Any, row: int, information: str = "full") -> dict[str, Any]:
        """The books order by order, all accounts and all values."""
        return figures.full(self, state, row)

    # --- figures ---------------------------------------------------------------------------------------------------
    def metrics(self, state: Any) -> dict[str, NDArray[Any]]:
        """Figures of the episode so far."""
        return figures.metrics(self, state)

    def invariants(self, state: Any) -> dict[str, NDArray[np.bool_]]:
        """What no step may break."""
        return figures.invariants(self, state)

    def extras(self, state: Any) -> dict[str, NDArray[Any]]:
        """What came of each seat's last action: the fault, and what it traded at once; the ids of all open orders."""
        return {"fault": state.code, "filled": state.filled, "order_id": state.order_id}

    def relations(self) -> tuple[Relation, ...]:
        """Buyers and sellers exchanged, traders relabelled, prices scaled."""
        return relations.relations(self.config)

    # --- language and picture --------------------------------------------------------------------------------------
    def rules(self) -> str:
        """The rules in words."""
        return language.rules(self)

    def describe(self, state: Any, row: int, seat: int) -> str:
        """What a seat sees, in words."""
        return language.describe(self, state, row, seat)

    def tools(self, state: Any, row: int, seat: int) -> tuple[dict[str, Any], ...]:
        """What a seat can do, as JSON-Schema tools."""
        return language.tools(self, state, row, seat)

    def tool_action(self, state: Any, row: int, seat: int, name: str, arguments: dict[str, Any]) -> Any:
        """The action that a call means."""
        return language.tool_action(self, state, row, seat, name, arguments)

    def explain(self, state: Any, row: int, seat: int, action: Any, code: int) -> str:
        """Why an action had no effect."""
        return language.explain(self, state, row, seat, action, code)

    def scene(self, state: Any, row: int) -> Scene:
        """The picture of a row."""
        return scene.scene(self, state, row)


def _scalars(config: MarketConfig) -> Scalars:
    """What the kernels read of a config."""
    c, p = config, config.plan
    maker, regulator, markets = int(c.market_maker), int(c.regulator), len(p.instruments)
    accounts = p.num_traders + maker + c.crowd_accounts
    widest = max(len(row) for row in p.dividends)
    dividends = np.zeros((markets, widest), np.int64)
    for m, row in enumerate(p.dividends):
        dividends[m, : len(row)] = row
    rules = book.Rules(accounts, p.open_orders, p.levels, p.low, p.tick, book.SELF_MATCH.index(c.self_match))
    return Scalars(
        rules=freeze(rules), kind=KINDS.index(p.kind), traders=p.num_traders, maker=maker, regulator=regulator,
        seats=p.num_traders + maker + regulator, accounts=accounts, markets=markets, units=p.units,
        max_quantity=p.max_quantity, depth=c.depth, fee=int(c.fee), collar=c.collar, lifetime=c.lifetime,
        calls=AUCTIONS.index(c.calls), call_steps=c.auction_steps, periods=-(-c.max_steps // c.period_steps),
        period_steps=c.period_steps, sequential=c.mode != "parallel", events=c.mode == "events", latency=c.latency,
        clear_on_trade=bool(c.clear_on_trade),
        crowd=p.crowd, noise=p.noise, impact=figures.impact_of(config), uniform=c.values == "uniform",
        max_steps=c.max_steps, dividends=dividends, states=np.array([len(row) for row in p.dividends], np.int64),
        terminal=np.array(p.terminal, np.int64),
    )  # fmt: skip
