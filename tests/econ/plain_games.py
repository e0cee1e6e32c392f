"""The rules of the small games written again, with lists: what the worlds are compared with, step by step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ludarium.envs.econ.auction.config import AuctionConfig
from ludarium.envs.econ.bargain.config import BargainConfig
from ludarium.envs.econ.exchange.config import ExchangeConfig
from ludarium.envs.econ.oligopoly.config import OligopolyConfig
from ludarium.envs.econ.publicgoods.config import PublicGoodsConfig

__all__ = ["PlainBargain", "PlainExchange", "PlainOligopoly", "PlainPublicGoods", "sold"]


class PlainOligopoly:
    """Firms, their last levels and their profits."""

    def __init__(self, c: OligopolyConfig, costs: list[int]) -> None:
        self.c, self.costs, self.level = c, costs, [-1] * c.firms
        self.grid = c.grid

    def step(self, chosen: Sequence[int]) -> list[int]:
        """The profits of a step."""
        c, far = self.c, self.c.max_change
        moves = zip(self.level, chosen, strict=True)
        self.level = [old if far and old >= 0 and abs(k - old) > far else k for old, k in moves]
        values = [self.grid.low + k * self.grid.step for k in self.level]
        both = list(zip(self.costs, values, strict=True))
        if c.game == "cournot":
            price = max(0, c.demand - c.slope * sum(values))
            return [(price - cost) * q for cost, q in both]
        if c.game == "bertrand":
            cheap = min(values)
            units = max(0, c.demand - cheap) // c.slope // values.count(cheap)
            return [(p - cost) * units if p == cheap else 0 for cost, p in both]
        weights = [math.exp((c.demand - p) / c.differentiation) for p in values]
        total = sum(weights) + math.exp(c.outside / c.differentiation)
        return [(p - cost) * math.floor(c.consumers * w / total) for (cost, p), w in zip(both, weights, strict=True)]


class PlainPublicGoods:
    """Members, their purses and the treasury."""

    def __init__(self, c: PublicGoodsConfig, endowment: list[int]) -> None:
        self.c, self.endowment, self.phase = c, endowment, 0
        self.cash, self.treasury = [0] * c.members, 0

    def step(self, actions: Sequence[int]) -> tuple[list[int], list[int]]:
        """Rewards and faults."""
        return self._punish(actions) if self.phase else self._give(actions)

    def _give(self, actions: Sequence[int]) -> tuple[list[int], list[int]]:
        c = self.c
        faults = [int(a > e) for a, e in zip(actions, self.endowment, strict=True)]
        given = [0 if f else a for a, f in zip(actions, faults, strict=True)]
        pot = sum(given) * c.token * round(c.mpcr * 10_000) * c.members // 10_000
        self.treasury += pot % c.members
        earned = [(e - g) * c.token + pot // c.members for e, g in zip(self.endowment, given, strict=True)]
        self.cash = [a + b for a, b in zip(self.cash, earned, strict=True)]
        self.phase = int(c.punishment)
        return earned, faults

    def _punish(self, actions: Sequence[int]) -> tuple[list[int], list[int]]:
        c, n = self.c, range(self.c.members)
        self.phase, faults, received, before = 0, [0] * c.members, [0] * c.members, list(self.cash)
        for i in n:
            if actions[i] == 0:
                continue
            target, points = (actions[i] - 1) // c.points, (actions[i] - 1) % c.points + 1
            if target >= c.members:
                faults[i] = 2
            elif target == i:
                faults[i] = 3
            elif points * c.point_cost > before[i]:
                faults[i] = 4
            else:
                received[target] += points
                self.cash[i] -= points * c.point_cost
        for i in n:
            self.cash[i] = max(0, self.cash[i] - received[i] * c.point_fine)
        earned = [a - b for a, b in zip(self.cash, before, strict=True)]
        self.treasury -= sum(earned)
        return earned, faults


def sold(c: AuctionConfig, bids: Sequence[int], lots: Sequence[int]) -> tuple[int | None, list[int]]:
    """Winner and payments of an auction; equal bids go by the higher lot."""
    standing = sorted((i for i, b in enumerate(bids) if b > 0 and b >= c.reserve), key=lambda i: (-bids[i], -lots[i]))
    winner = standing[0] if standing else None
    if c.form == "all-pay":
        return winner, [b if b >= c.reserve else 0 for b in bids]
    price = 0
    if winner is not None:
        others = [bids[i] for i in standing[1:]]
        price = bids[winner] if c.form == "first" else max([*others, c.reserve, 0])
    return winner, [price if i == winner else 0 for i in range(c.bidders)]


class PlainBargain:
    """Two parties, the offer on the table and how many were refused."""

    def __init__(self, c: BargainConfig, values: list[list[int]], first: int) -> None:
        self.c, self.values, self.first = c, values, first
        self.phase, self.round, self.kept = 0, 0, [0]

    @property
    def proposer(self) -> int:
        """Who makes the offer of this round."""
        return (self.first + self.round) % 2

    @property
    def who(self) -> int:
        """Who decides now."""
        return 1 - self.proposer if self.phase else self.proposer

    def step(self, action: int) -> tuple[list[int], bool, bool]:
        """Rewards, whether the action was none of this phase, and whether all is over."""
        (issues, units, rounds), reward = self.c.shape, [0, 0]
        if action >= (2 if self.phase else (units + 1) ** issues):
            return reward, True, False
        if not self.phase:
            self.kept = [action // (units + 1) ** k % (units + 1) for k in range(issues)]
            self.phase = 1
            return reward, False, False
        if action == 1:
            for i in range(2):
                own = self.kept if i == self.proposer else [units - k for k in self.kept]
                worth = sum(n * v for n, v in zip(own, self.values[i], strict=True))
                reward[i] = worth * self.c.discounts[int(i != self.first)][self.round] // 10**9
            return reward, False, True
        self.phase, self.round = 0, self.round + 1
        return reward, False, self.round >= rounds


class PlainExchange:
    """Traders, their money and units."""

    def __init__(self, c: ExchangeConfig, cash: list[int], units: list[int], risk: list[int]) -> None:
        self.c, self.cash, self.units, self.risk = c, cash, units, risk

    def wealth(self) -> list[float]:
        """Money, and the certainty equivalents of goods."""
        each = zip(self.cash, self.units, self.risk, strict=True)
        if self.c.kind == "boltzmann":
            return [float(money) for money in self.cash]
        return [money + self.c.mean * x - r * x * x / 2 for money, x, r in each]

    def step(self, chosen: Sequence[int], order: Sequence[int], coin: Callable[[int], int]) -> list[int]:
        """Play a step of pairs that are neighbours in `order`; return the faults."""
        boltzmann = self.c.kind == "boltzmann"
        faults = [int(boltzmann and k > money) for k, money in zip(chosen, self.cash, strict=True)]
        given = [0 if f else k for k, f in zip(chosen, faults, strict=True)]
        for pair, (i, j) in enumerate(zip(order[::2], order[1::2], strict=False)):
            if boltzmann:
                payer, other = (i, j) if coin(pair) == 0 else (j, i)
                self.cash[payer] -= given[payer]
                self.cash[other] += given[payer]
            elif not self._sell(i, j, given):
                self._sell(j, i, given)
        return faults

    def _sell(self, buyer: int, seller: int, given: list[int]) -> bool:
        """Sell a unit if the bid reaches the ask; return whether it was."""
        bid = given[buyer] * self.c.step - self.risk[buyer] / 2
        ask = given[seller] * self.c.step + self.risk[seller] / 2
        price = math.floor((bid + ask) / 2)
        if bid < ask or price < 0 or not self.units[seller] or self.cash[buyer] < price:
            return False
        self.units[buyer] += 1
        self.units[seller] -= 1
        self.cash[buyer] -= price
        self.cash[seller] += price
        return True
