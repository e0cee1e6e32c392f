"""What the agents of the market make of an observation, and the orders that they send: the seat's own numbers alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.contract import Agent, Task, Turn
from ludarium.envs.core.rng import draw_below
from ludarium.envs.econ.book import BUY, LIMIT, MARKET, MODIFY, NONE, SELL
from ludarium.envs.econ.market.config import MarketConfig
from ludarium.envs.econ.market.figures import intensity_of
from ludarium.envs.econ.market.observe import names

__all__ = ["Heard", "MarketAgent", "MarketSight", "Sight", "heard", "quotes"]

STREAM_SIDE, STREAM_MARKET, STREAM_PRICE, STREAM_OPINION = 0, 1, 2, 3


@dataclasses.dataclass(frozen=True)
class MarketSight:
    """One instrument: prices are levels, -1 where there is none."""

    bids: tuple[tuple[int, int], ...]
    """price and quantity, best first"""
    asks: tuple[tuple[int, int], ...]
    last: int
    volume: int
    fundamental: float
    stock: int
    held_stock: int
    own: tuple[tuple[int, int], tuple[int, int]]
    """price and quantity of one's first order to buy, and to sell"""

    @property
    def bid(self) -> int:
        """The best bid."""
        return self.bids[0][0] if self.bids else -1

    @property
    def ask(self) -> int:
        """The best ask."""
        return self.asks[0][0] if self.asks else -1


@dataclasses.dataclass(frozen=True)
class Sight:
    """What a seat sees."""

    markets: tuple[MarketSight, ...]
    cash: int
    value_of_next: int
    """level of what one more unit is worth, -1: nothing"""
    value_of_last: int
    """level of what the last unit held is worth, -1: none is held"""
    insight: int
    halted: bool
    grid: int


@dataclasses.dataclass(frozen=True)
class Heard:
    """What happened in a market between two looks at it."""

    price: int
    accepted: bool
    bid: bool
    """whether a bid was shouted last (or taken)"""


def heard(before: MarketSight | None, now: MarketSight) -> tuple[Heard, ...]:
    """What a look reveals: the last trade, if there was one, and better bids and asks that nobody has taken."""
    if before is None:
        return ()
    news = []
    if now.volume > before.volume:
        news.append(Heard(now.last, True, before.ask < 0 or now.last < before.ask))
    if now.bid > before.bid:
        news.append(Heard(now.bid, False, True))
    if now.ask >= 0 and (before.ask < 0 or now.ask < before.ask):
        news.append(Heard(now.ask, False, False))
    return tuple(news)


class MarketAgent(Agent):
    """Base of traders: one order of one unit at a time, moved when the price changes.

    Where values are induced, buyers buy and sellers sell; shares are bought or sold as a coin falls, and judged by what
    they will bring on average, which each seat over- or underrates by up to a fifth; insiders follow Kyle's equilibrium.
    In other roles it quotes around the last price, and regulates nothing. A seat's draws follow from the agent's seed,
    the step and the seat's number.
    """

    view = "array"
    information = "local"

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Note the config and where each number of an observation is."""
        self.config = MarketConfig.of(**task.config)
        self.plan = self.config.plan
        found = names(len(self.plan.instruments), self.config.depth, self.plan.open_orders, True)
        self.at = {name: i for i, name in enumerate(found)}
        self.key = np.uint64(seed)
        self.selling: dict[str, bool] = {}
        self.before: dict[tuple[str, int], MarketSight] = {}
        self.news: dict[int, tuple[Heard, ...]] = {}

    def draw(self, seat: str, step: int, stream: int, n: int, more: int = 0) -> int:
        """A uniform integer of 0..n-1."""
        return int(draw_below(self.key, stream, step, int(seat.rsplit("_", 1)[1]), more, n))

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """Each seat by itself."""
        return {seat: self._act(seat, turn) for seat, turn in turns.items()}

    def _act(self, seat: str, turn: Turn) -> NDArray[Any]:
        role = seat.rsplit("_", 1)[0]
        if role == "regulator":
            return np.zeros(3, np.int64)
        sight = self.see(turn.observation)
        if role == "market_maker":
            return quotes(self, sight, turn.step, half_spread=2, skew=0.5)
        message = self._message(seat, sight, turn)
        return message if self.config.actions == "levels" else self._offsets(sight, message)

    def _message(self, seat: str, sight: Sight, turn: Turn) -> NDArray[np.int64]:
        """The message of a trader: kind, side, level, quantity, order, market."""
        if self.plan.kind == "insider":
            return self._insider(sight)
        self.news = {m: heard(self.before.get((seat, m)), one) for m, one in enumerate(sight.markets)}
        self.before.update({(seat, m): one for m, one in enumerate(sight.markets)})
        want = self.want(seat, sight, turn.step)
        if want is None or sight.halted:
            self.idle(seat, turn.step)
            return np.zeros(6, np.int64)
        m, side, limit = want
        level = self.price(seat, m, side, limit, sight, turn.step)
        level = min(max(level, 0), self.plan.levels - 1)
        return self._order(sight, m, side, level - level % sight.grid)

    def want(self, seat: str, sight: Sight, step: int) -> tuple[int, int, int] | None:
        """Market, side, and the last price (level) without a loss; None: nothing to be gained."""
        if self.plan.kind == "induced":
            seller = self.selling.setdefault(seat, sight.markets[0].stock > 0)
            limit = sight.value_of_last if seller else sight.value_of_next
            return None if limit < 0 else (0, SELL if seller else BUY, limit)
        m = self.draw(seat, step, STREAM_MARKET, len(sight.markets))
        one = sight.markets[m]
        side = self.draw(seat, step, STREAM_SIDE, 2)
        if side == SELL and one.stock + one.held_stock == 0:
            side = BUY
        return m, side, round(one.fundamental * (0.8 + self.draw(seat, 0, STREAM_OPINION, 401) / 1000))

    def idle(self, seat: str, step: int) -> None:
        """A turn in which nothing is wanted."""

    def price(self, seat: str, m: int, side: int, limit: int, sight: Sight, step: int) -> int:
        """The level to quote."""
        raise NotImplementedError(f"{type(self).__name__} must define price")

    def _order(self, sight: Sight, m: int, side: int, level: int) -> NDArray[np.int64]:
        """A new order, or the change of the one that waits."""
        price, quantity = sight.markets[m].own[side]
        if quantity == 0:
            return np.array([LIMIT, side, level, 1, 0, m], np.int64)
        if price == level:
            return np.zeros(6, np.int64)
        return np.array([MODIFY, side, level, quantity, 0, m], np.int64)

    def _offsets(self, sight: Sight, message: NDArray[np.int64]) -> NDArray[np.float32]:
        """The same order as numbers of -1 to 1, at the nearest price within reach."""
        kind, side, level, quantity, _, m = message.tolist()
        one, markets = sight.markets[m], len(sight.markets)
        near = one.last if one.last >= 0 else int(one.fundamental) if one.fundamental >= 0 else self.plan.levels // 2
        off = min(max(level - near, -self.config.reach), self.config.reach)
        signed = (-quantity if side == SELL else quantity) if kind != NONE else 0
        found = [signed / self.plan.max_quantity, off / self.config.reach, (2 * m + 1) / markets - 1]
        return np.array(found[: 3 if markets > 1 else 2], np.float32)

    def _insider(self, sight: Sight) -> NDArray[np.int64]:
        wanted = round(intensity_of(self.config) * (sight.insight - self.plan.levels // 2))
        if not wanted:
            return np.zeros(6, np.int64)
        return np.array(
            [MARKET, SELL if wanted < 0 else BUY, 0, min(abs(wanted), self.plan.max_quantity), 0, 0], np.int64
        )

    def see(self, observation: Any) -> Sight:
        """An observation by its names."""
        values = np.asarray(observation).tolist()

        def at(name: str) -> int:
            return int(values[self.at[name]])

        return Sight(
            tuple(self._market(values, m) for m in range(len(self.plan.instruments))),
            at("cash"), at("value_of_next"), at("value_of_last"), at("insight"), bool(at("halted")), max(at("grid"), 1),
        )  # fmt: skip

    def _market(self, values: list[float], m: int) -> MarketSight:
        def at(name: str) -> float:
            return values[self.at[f"market_{m}_{name}"]]

        def ladder(side: str) -> tuple[tuple[int, int], ...]:
            rows = ((int(at(f"{side}_{k}_price")), int(at(f"{side}_{k}_quantity"))) for k in range(self.config.depth))
            return tuple(row for row in rows if row[1])

        own = tuple((int(at(f"{side}_0_price")), int(at(f"{side}_0_quantity"))) for side in ("buy", "sell"))
        return MarketSight(
            ladder("bid"), ladder("ask"), int(at("last_price")), int(at("volume")), at("fundamental"), int(at("stock")),
            int(at("held_stock")), (own[0], own[1]),
        )  # fmt: skip


def quotes(agent: MarketAgent, sight: Sight, step: int, half_spread: int, skew: float) -> NDArray[np.int64]:
    """A bid and an ask around the last price (or what a share is worth), moved against the inventory.

    The middle falls by `skew` levels for each unit held beyond the first endowment, as in Avellaneda and Stoikov (2008),
    whose reservation price is linear in the inventory. Instruments take turns.
    """
    m = step % len(sight.markets)
    one, levels = sight.markets[m], agent.plan.levels
    begun = 0 if agent.plan.kind == "induced" else 2 * agent.plan.units
    middle = one.last if one.last >= 0 else round(one.fundamental) if one.fundamental >= 0 else levels // 2
    middle = round(middle - skew * (one.stock + one.held_stock - begun))
    bid, ask = (min(max(middle + away, 0), levels - 1) for away in (-half_spread, half_spread))
    bid, ask = bid - bid % sight.grid, ask + -ask % sight.grid
    if ask >= levels or sight.halted or bid >= ask:
        return np.zeros(6, np.int64)
    size = min(2, agent.plan.max_quantity)
    price = agent.plan.low + bid * agent.plan.tick
    buys = size if 2 * size * price <= sight.cash else 0
    return np.array([1, bid, ask, buys, min(size, one.stock + one.held_stock), m], np.int64)
