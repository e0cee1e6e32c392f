"""A worker of the gather-trade-build world: it compares what an action brings, after tax, with what its labour costs.

The better builders buy materials and build, the others gather and sell; alone, everybody does both. It looks no further than
its next house or its next unit.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np

from ludarium.agents.contract import Agent, Turn
from ludarium.envs.core.errors import AgentError

__all__ = ["GatherTradeBuild"]

MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1))
BUILD, ORDERS, BUY, SELL = 5, 6, 0, 1
ROLES = ("auto", "both", "builder", "gatherer")
UNSOLD = 4
"""Units of a resource with which a gatherer stops gathering it."""


class GatherTradeBuild(Agent):
    """Greedy: builds what pays, trades at prices that leave both sides a gain, gathers the nearest unit that is worth it.

    `role`: `auto` (the half with the higher house payments are builders), `both` (all do all), `builder`, `gatherer`.
    """

    view = "state"
    information = "global"

    def __init__(self, role: str = "auto") -> None:
        if role not in ROLES:
            raise AgentError(f"role = {role!r}; expected one of {', '.join(ROLES)}")
        self.role = role

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """One action for each worker that is asked."""
        seen = next(iter(turns.values())).observation
        if not isinstance(seen, dict) or "recipe" not in seen or any(not seat.startswith("worker") for seat in turns):
            raise AgentError(f"{type(self).__name__} works in econ-gtb-v0 only, in the seats of workers")
        busy = {tuple(place) for place in seen["pos"].tolist()}
        return {seat: _Mind(seen, int(seat.rsplit("_", 1)[1]), self.role, busy).choose() for seat in turns}


class _Mind:
    """What one worker thinks of one view."""

    def __init__(self, seen: dict[str, Any], i: int, role: str, busy: set[tuple[int, ...]]) -> None:
        self.seen, self.i, self.busy = seen, i, busy
        self.recipe, self.stock = seen["recipe"].tolist(), seen["stock"][i].tolist()
        self.cash = int(seen["cash"][i])
        self.coin = (self.cash + int(seen["bids"][i])) / 100.0
        self.kept = 1.0 - self._marginal() / 10_000.0
        self.move, self.gather, self.build, self.trade = (seen["labour_cost"] * cost for cost in seen["labours"])
        ahead = int((seen["pay"] > seen["pay"][i]).sum() + (seen["pay"][:i] == seen["pay"][i]).sum())
        lonely = len(seen["pay"]) == 1
        self.builds = role in ("both", "builder") or (role == "auto" and (lonely or 2 * ahead < len(seen["pay"])))
        self.sells = role in ("both", "gatherer") or (role == "auto" and not self.builds)

    def _marginal(self) -> int:
        earned, edges = int(self.seen["earned"][self.i]), self.seen["edges"]
        return int(self.seen["rates"][np.searchsorted(edges, earned, side="right") - 1])

    # --- worth in utility ---
    def gain(self, coins: float) -> float:
        """The utility of more coins, what is left of them after tax."""
        eta, now = self.seen["eta"], max(self.coin, 1.0)
        then = max(now + self.kept * coins, 0.01)
        if eta == 1.0:
            return math.log(then / now)
        return float((then ** (1.0 - eta) - now ** (1.0 - eta)) / (1.0 - eta))

    def affordable_price(self) -> int:
        """The highest price of a unit of material that leaves half of a house's worth."""
        pay = int(self.seen["pay"][self.i]) / 100.0
        units = max(sum(self.recipe), 1)
        for price in range(10, 0, -1):
            if self.gain(pay - 2.0 * price * units) > self.build + units * self.trade:
                return price
        return 0

    def least_price(self) -> int:
        """The lowest price that pays for the labour of a unit nearby."""
        for price in range(1, 11):
            if self.gain(price) > 3.0 * self.move + self.gather + self.trade:
                return price
        return 11

    # --- choices ---
    def choose(self) -> int:
        """Build, trade, gather, or wait."""
        if self.builds and all(have >= need for have, need in zip(self.stock, self.recipe, strict=True)):
            action = self._house()
            if action:
                return action
        return self._order() or self._fetch()

    def _house(self) -> int:
        if self.gain(int(self.seen["pay"][self.i]) / 100.0) <= self.build:
            return 0
        free = (self.seen["ground"] == 0) & (self.seen["owner"] == 0)
        y, x = self.seen["pos"][self.i].tolist()
        return BUILD if free[y, x] else self._towards(free)[0]

    def _order(self) -> int:
        for r, need in enumerate(self.recipe):
            own = self.seen["orders"][r, :, self.i] >= 0
            spare = self.stock[r] if self.sells and not self.builds else self.stock[r] - 2 * need
            if spare > 0 and own[SELL].sum() < min(UNSOLD, self.seen["slots"]):
                action = self._sell(r)
                if action:
                    return action
            if self.builds and self.stock[r] < need and not own[BUY].any():
                action = self._buy(r)
                if action:
                    return action
        return 0

    def _sell(self, r: int) -> int:
        bids = np.flatnonzero(self.seen["depth"][r, BUY])
        least, last = self.least_price(), int(self.seen["last"][r])
        if len(bids) and bids[-1] >= least:
            return ORDERS + 22 * r + 11 + int(bids[-1])
        price = max(least, last if last >= 0 else 4)
        return ORDERS + 22 * r + 11 + price if price <= 10 else 0

    def _buy(self, r: int) -> int:
        asks = np.flatnonzero(self.seen["depth"][r, SELL])
        most = min(self.affordable_price(), self.cash // 100)
        if len(asks) and asks[0] <= most:
            return ORDERS + 22 * r + int(asks[0])
        last = int(self.seen["last"][r])
        price = min(most, last + 1 if last >= 0 else (most + 1) // 2)
        return ORDERS + 22 * r + price if price > 0 else 0

    def _fetch(self) -> int:
        """Go and gather what is missing, or what sells, while the way is worth it."""
        worth = self._unit_worths()
        wanted = self.seen["full"] & np.isin(self.seen["ground"], [2 + r for r, value in enumerate(worth) if value > 0])
        if not wanted.any():
            return 0
        action, steps, cell = self._towards(wanted)
        value = worth[int(self.seen["ground"][cell]) - 2] if action else 0.0
        return action if value > steps * self.move + self.gather else 0

    def _unit_worths(self) -> list[float]:
        """What a unit of each resource would bring, 0 where enough is at hand."""
        missing = sum(max(need - have, 0) for have, need in zip(self.stock, self.recipe, strict=True))
        house = self.gain(int(self.seen["pay"][self.i]) / 100.0) - self.build
        found = []
        for r, need in enumerate(self.recipe):
            value = 0.0
            if self.builds and self.stock[r] < need:
                value = house / max(missing, 1)
            elif self.sells and self.stock[r] + int(self.seen["asks"][self.i, r]) < UNSOLD and need > 0:
                last = int(self.seen["last"][r])
                value = self.gain(float(last if last > 0 else 4)) - self.trade
            found.append(max(value, 0.0))
        return found

    def _towards(self, wanted: Any) -> tuple[int, int, tuple[int, int]]:
        """The first move to the nearest wanted cell by a way that is free now, its length, the cell; move 0: no way."""
        height, width = wanted.shape
        ground, owner = self.seen["ground"], self.seen["owner"]
        start = tuple(self.seen["pos"][self.i].tolist())
        queue: deque[tuple[tuple[int, ...], int, int]] = deque([(start, 0, 0)])
        known = {start}
        while queue:
            (y, x), first, steps = queue.popleft()
            if steps and wanted[y, x]:
                return first, steps, (y, x)
            for move, (down, right) in enumerate(MOVES, 1):
                cell = (y + down, x + right)
                if cell in known or not (0 <= cell[0] < height and 0 <= cell[1] < width) or cell in self.busy:
                    continue
                known.add(cell)
                if ground[cell] != 1 and owner[cell] in (0, self.i + 1):
                    queue.append((cell, first or move, steps + 1))
        return 0, 0, (0, 0)
