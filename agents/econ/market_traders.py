"""Traders of the market: zero intelligence (ZI-U, ZI-C), zero intelligence plus (ZIP), Gjerstad and Dickhaut (GD), a maker."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.contract import Task, Turn
from ludarium.agents.econ.market_view import STREAM_PRICE, Heard, MarketAgent, MarketSight, Sight, quotes
from ludarium.envs.core.rng import draw_below
from ludarium.envs.econ.book import BUY, SELL

__all__ = ["GD", "ZIC", "ZIP", "ZIU", "Quoter"]


class ZIU(MarketAgent):
    """Zero intelligence, unconstrained: any price is as good as any other (Gode and Sunder 1993)."""

    def price(self, seat: str, m: int, side: int, limit: int, sight: Sight, step: int) -> int:
        """Uniform over all levels."""
        return self.draw(seat, step, STREAM_PRICE, self.plan.levels)


class ZIC(MarketAgent):
    """Zero intelligence with a budget: any price that makes no loss (Gode and Sunder 1993)."""

    def price(self, seat: str, m: int, side: int, limit: int, sight: Sight, step: int) -> int:
        """Uniform between the limit and the end of the levels."""
        limit = min(max(limit, 0), self.plan.levels - 1)
        if side == BUY:
            return self.draw(seat, step, STREAM_PRICE, limit + 1)
        return limit + self.draw(seat, step, STREAM_PRICE, self.plan.levels - limit)


@dataclasses.dataclass
class _Margin:
    """The adaptive part of a ZIP trader on one side of one market."""

    value: float
    rate: float
    momentum: float
    change: float = 0.0


class ZIP(MarketAgent):
    """Zero intelligence plus: a profit margin that follows the last shouts (Cliff and Bruten 1997).

    It hears of the last trade between its own turns, and of the best price of its side that is still not taken, and learns
    by the delta rule with momentum; its parameters are drawn as in the paper.
    """

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Forget."""
        super().start(task, seats, seed)
        self._margins: dict[tuple[str, int, int], _Margin] = {}
        self._limits: dict[tuple[str, int, int], int] = {}

    def _unit(self, seat: str, m: int, side: int, what: int) -> float:
        number = int(seat.rsplit("_", 1)[1])
        return draw_below(self.key, 10 + what, number, m, side, 1 << 30) / (1 << 30)

    def _margin(self, seat: str, m: int, side: int) -> _Margin:
        key = (seat, m, side)
        if key not in self._margins:
            start, rate, momentum = (self._unit(seat, m, side, k) for k in range(3))
            value = 0.05 + 0.3 * start
            self._margins[key] = _Margin(-value if side == BUY else value, 0.1 + 0.4 * rate, 0.1 * momentum)
        return self._margins[key]

    def price(self, seat: str, m: int, side: int, limit: int, sight: Sight, step: int) -> int:
        """Learn from what was heard, then quote the limit with the margin."""
        self._limits[seat, m, side] = limit
        one = sight.markets[m]
        best = one.bid if side == BUY else one.ask
        standing = (Heard(best, False, side == BUY),) if best >= 0 else ()  # still not taken
        for news in (*(n for n in self.news[m] if n.accepted), *standing):
            up = self._raises(side, self._shown(seat, m, side), news)
            if up is not None:
                self._learn(seat, m, side, self._target(seat, step, news.price, up == (side == SELL)))
        return self._shown(seat, m, side)

    def idle(self, seat: str, step: int) -> None:
        """Who has traded all still learns from others' trades that a better price was to be had."""
        for name, m, side in self._limits:
            for news in self.news[m] if name == seat else ():
                if self._raises(side, self._shown(seat, m, side), news):
                    self._learn(seat, m, side, self._target(seat, step, news.price, side == SELL))

    def _shown(self, seat: str, m: int, side: int) -> int:
        """The quote as a level, rounded to one's own advantage."""
        quote, limit = self._quote(seat, m, side), self._limits[seat, m, side]
        return min(math.floor(quote), limit) if side == BUY else max(math.ceil(quote), limit)

    def _quote(self, seat: str, m: int, side: int) -> float:
        return max(self._limits[seat, m, side], 1) * (1 + self._margin(seat, m, side).value)

    @staticmethod
    def _raises(side: int, quote: int, news: Heard) -> bool | None:
        """Whether to ask for more profit (True), for less (False), or to stay."""
        q = news.price
        if side == SELL:
            if news.accepted and quote <= q:
                return True
            if (news.accepted and news.bid and quote >= q) or (not news.accepted and not news.bid and quote >= q):
                return False
            return None
        if news.accepted and quote >= q:
            return True
        if (news.accepted and not news.bid and quote <= q) or (not news.accepted and news.bid and quote <= q):
            return False
        return None

    def _target(self, seat: str, step: int, price: int, up: bool) -> float:
        """A price a little above, or below, the one that was heard."""
        number = int(seat.rsplit("_", 1)[1])
        part, more = (draw_below(self.key, 20 + k, step, number, 0, 1 << 20) / (1 << 20) for k in range(2))
        sign = 1 if up else -1
        return price * (1 + sign * 0.05 * part) + sign * 0.05 * more

    def _learn(self, seat: str, m: int, side: int, target: float) -> None:
        """One step of the delta rule with momentum towards a target price."""
        margin, quote = self._margin(seat, m, side), self._quote(seat, m, side)
        delta = margin.rate * (target - quote)
        margin.change = margin.momentum * margin.change + (1 - margin.momentum) * delta
        value = (quote + margin.change) / max(self._limits[seat, m, side], 1) - 1
        margin.value = min(max(value, -1.0), 0.0) if side == BUY else max(value, 0.0)


class GD(MarketAgent):
    """Gjerstad and Dickhaut (1998): the price of most expected profit, by a belief that a price will be taken.

    The belief counts the shouts and trades of the last `memory` trades that a seat could see between its turns; between
    prices it is straight where the paper has cubics.
    """

    def __init__(self, memory: int = 20) -> None:
        self.memory = memory

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Forget."""
        super().start(task, seats, seed)
        self._known: dict[tuple[str, int], list[Heard]] = {}

    def price(self, seat: str, m: int, side: int, limit: int, sight: Sight, step: int) -> int:
        """The level of most expected profit, ties to the one most likely taken."""
        one = sight.markets[m]
        known = self._listen(seat, m)
        limit = min(max(limit, 0), self.plan.levels - 1)
        levels = np.arange(limit + 1) if side == BUY else np.arange(limit, self.plan.levels)
        belief = self._belief(side, levels, known, one, self.plan.levels - 1)
        profit = (limit - levels if side == BUY else levels - limit) * belief
        best = np.flatnonzero(profit == profit.max())
        chosen = best[-1] if side == BUY else best[0]
        return int(levels[chosen])

    def idle(self, seat: str, step: int) -> None:
        """Go on listening."""
        for m in self.news:
            self._listen(seat, m)

    def _listen(self, seat: str, m: int) -> list[Heard]:
        """All that is remembered of a market."""
        known = self._known.setdefault((seat, m), [])
        known.extend(self.news[m])
        while sum(n.accepted for n in known) > self.memory:
            known.pop(0)
        return known

    @staticmethod
    def _belief(
        side: int, levels: NDArray[np.int64], known: list[Heard], one: MarketSight, top: int
    ) -> NDArray[np.float64]:
        """How likely each level is to be taken: 0 at the worst level for the other side, 1 at its best price, straight between.

        At a price that was heard it is the share, of shouts that tell, of those that were taken.
        """
        heard_at = np.unique(np.array([n.price for n in known], np.int64))
        taken, bids = np.array([n.accepted for n in known], np.bool_), np.array([n.bid for n in known], np.bool_)
        prices = np.array([n.price for n in known], np.int64)
        points = {}
        for price in heard_at.tolist():
            if side == BUY:
                good = ((taken | ~bids) & (prices <= price)).sum()
                bad = (~taken & bids & (prices >= price)).sum()
            else:
                good = ((taken | bids) & (prices >= price)).sum()
                bad = (~taken & ~bids & (prices <= price)).sum()
            points[price] = float(good / (good + bad)) if good + bad else 0.0
        return _drawn_through(points, side, levels, one, top)


def _drawn_through(
    points: dict[int, float], side: int, levels: NDArray[np.int64], one: MarketSight, top: int
) -> NDArray[np.float64]:
    """Beliefs at all levels from those at some; who does not better the best price of others has no hope."""
    sure = (one.ask if one.asks else top) if side == BUY else (one.bid if one.bids else 0)
    price, quantity = one.own[side]
    if side == BUY:
        hopeless = one.bid if one.bids and not (quantity and price == one.bid) else 0
    else:
        hopeless = one.ask if one.asks and not (quantity and price == one.ask) else top
    if side == BUY:
        known = {price: chance for price, chance in points.items() if hopeless < price < sure}
    else:
        known = {price: chance for price, chance in points.items() if sure < price < hopeless}
    known = {hopeless: 0.0, **known, sure: 1.0}
    at = np.array(sorted(known), np.float64)
    chance = np.array([known[int(price)] for price in at])
    chance = np.maximum.accumulate(chance) if side == BUY else np.maximum.accumulate(chance[::-1])[::-1]
    return np.interp(levels, at, chance)


class Quoter(ZIC):
    """A market maker in its own seat: quotes around the last price, leaning against its inventory; elsewhere ZI-C."""

    def __init__(self, half_spread: int = 2, skew: float = 0.5) -> None:
        self.half_spread, self.skew = half_spread, skew

    def _act(self, seat: str, turn: Turn) -> Any:
        if seat.startswith("market_maker"):
            return quotes(self, self.see(turn.observation), turn.step, self.half_spread, self.skew)
        return super()._act(seat, turn)
