"""Gather, trade and build in plain Python, written from the specification: slow, and sharing no code with the kernels.

Only the counter-based draws are the suite's own, since chance must be the same.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from ludarium.envs.core.rng import draw, draw_below, episode_key

SOURCE, PLACE, SKILL, TURNS, BONUS, REGROW = 1, 2, 3, 4, 5, 6
PRICES = 11
MOVES = {1: (-1, 0), 2: (1, 0), 3: (0, -1), 4: (0, 1)}


def unit(x: int) -> float:
    return float(int(x) >> 11) / 2.0**53


def lomax(u: float, a: float) -> float:
    return (1 - u) ** (-1 / a) - 1


def land(layout: str, height: int, width: int, kinds: int, y: int, x: int) -> tuple[bool, list[int]]:
    """Whether a cell is water, and which resources may occur there."""
    if layout == "uniform":
        return False, list(range(kinds))
    if layout == "split":
        return y == height // 2, [r for r in range(kinds) if r % 2 == int(y > height // 2)]
    middle_y, middle_x = height // 2, width // 2
    water = False
    if layout == "quadrant":

        def gap(at: int, middle: int, whole: int) -> bool:
            first, end = (0, middle) if at < middle else (middle + 1, whole)
            half = max(1, (end - first) // 4)
            centre = (first + end) // 2
            return centre - half // 2 <= at < centre - half // 2 + half

        if y == middle_y and x == middle_x:
            water = True
        elif y == middle_y:
            water = not gap(x, middle_x, width)
        elif x == middle_x:
            water = not gap(y, middle_y, height)
        if y == middle_y or x == middle_x:
            return water, []
    part = 2 * int(y > middle_y) + int(x > middle_x)
    return water, list(range(kinds)) if part == 0 else [r for r in range(kinds) if r % 3 == part - 1]


class Worker:
    def __init__(self) -> None:
        self.y = self.x = 0
        self.pay = self.bonus = 0
        self.cash = self.held = 0
        self.stock: list[int] = []
        self.labour = Fraction(0)
        self.houses = self.gathered = self.traded = 0
        self.lien = self.start = self.start_free = 0
        self.income = self.paid = 0


class Order:
    def __init__(self, owner: int, price: int, stamp: int, expiry: int) -> None:
        self.owner, self.price, self.stamp, self.expiry = owner, price, stamp, expiry


class ReferenceGtb:
    """One episode of a config (any object with its fields) from a seed."""

    def __init__(self, config: Any, seed: int) -> None:
        self.c, self.key = config, np.uint64(episode_key(seed))
        self.kinds, self.n = len(config.resources), config.n_workers
        self.t = self.treasury = self.minted = self.faults = self.trades = self.avoided = self.taxed = self.stamps = 0
        self.rates, self.over = [0] * len(config.brackets), False
        self.edges = [math.floor(e * 100 + 0.5) for e in config.brackets]
        self.books: list[list[list[Order]]] = [[[], []] for _ in range(self.kinds)]
        self.water: set[tuple[int, int]] = set()
        self.sources: dict[tuple[int, int], int] = {}
        self.ready: dict[tuple[int, int], int] = {}
        self.owner: dict[tuple[int, int], int] = {}
        self.gathered = [0] * self.kinds
        self._draw_land()
        self.workers = [self._draw_worker(i) for i in range(self.n)]
        self.utility = [self._utility(w) for w in self.workers]
        self.social = self._social()

    # --- beginning ---
    def _draw_land(self) -> None:
        c = self.c
        for y in range(c.height):
            for x in range(c.width):
                water, allowed = land(c.layout, c.height, c.width, self.kinds, y, x)
                if water:
                    self.water.add((y, x))
                    continue
                share = min(1.0, c.density * len(allowed))
                u = unit(draw(self.key, SOURCE, y * c.width + x, 0, 0))
                if allowed and u < share:
                    at = min(int(u / share * len(allowed)), len(allowed) - 1)
                    self.sources[y, x] = allowed[at]
                    self.ready[y, x] = 0

    def _draw_worker(self, i: int) -> Worker:
        c, w = self.c, Worker()
        taken = {(v.y, v.x) for v in getattr(self, "_placed", [])}
        for n in range(1000):
            cell = draw_below(self.key, PLACE, i, n, 0, c.height * c.width)
            y, x = divmod(cell, c.width)
            wrong = c.layout == "split" and int(y > c.height // 2) != i % 2
            if (y, x) not in self.water and (y, x) not in taken and not wrong:
                break
        else:
            raise AssertionError("the reference does not scan for places")
        w.y, w.x = y, x
        self._placed = [*getattr(self, "_placed", []), w]
        u, v = unit(draw(self.key, SKILL, i, 0, 0)), unit(draw(self.key, SKILL, i, 1, 0))
        if c.skills == "ranked":
            u, v = (i + 0.5) / self.n, (self.n - i - 0.5) / self.n
        skill = 1.0 if c.skills == "equal" else min(c.max_skill, 1 + (c.max_skill - 1) * lomax(u, c.pareto))
        w.pay = math.floor(100 * c.payment * skill + 0.5)
        w.bonus = 0 if c.skills == "equal" else math.floor(10_000 * min(2.0, lomax(v, 3.0)) / 2 + 0.5)
        w.cash = w.start = w.start_free = math.floor(c.coin * 100 + 0.5)
        w.stock = [0] * self.kinds
        return w

    # --- figures ---
    def _utility(self, w: Worker) -> float:
        coin, eta = max(w.cash + w.held, 1) / 100, self.c.eta
        money = math.log(coin) if eta == 1 else (coin ** (1 - eta) - 1) / (1 - eta)
        return float(money - self.c.labour_cost * float(w.labour))

    def _social(self) -> float:
        coin = [(w.cash + w.held) / 100 for w in self.workers]
        if self.c.swf == "equality_productivity":
            apart = sum(abs(a - b) for k, a in enumerate(coin) for b in coin[:k])
            equal = 1.0 - apart / ((self.n - 1) * sum(coin)) if self.n > 1 and sum(coin) > 0 else 1.0
            return equal * sum(coin) / self.n
        if self.c.swf == "rawls":
            return min(self.utility)
        weight = [1 / w.pay if self.c.swf == "inverse" else 1.0 for w in self.workers]
        return sum(g * u for g, u in zip(weight, self.utility, strict=True)) / sum(weight)

    def owed(self, income: int) -> int:
        total = Fraction(0)
        for low, high, rate in zip(self.edges, [*self.edges[1:], None], self.rates, strict=True):
            total += max(0, (income if high is None else min(income, high)) - low) * Fraction(rate, 10_000)
        return math.floor(total)

    def at(self, y: int, x: int) -> int:
        return next((i for i, w in enumerate(self.workers) if (w.y, w.x) == (y, x)), -1)

    # --- what is allowed, judged before anybody acts ---
    def fault(self, i: int, action: int) -> str:
        w, c = self.workers[i], self.c
        if action == 0:
            return "none"
        if action <= 4:
            y, x = w.y + MOVES[action][0], w.x + MOVES[action][1]
            if not (0 <= y < c.height and 0 <= x < c.width) or (y, x) in self.water:
                return "blocked"
            if self.owner.get((y, x), i) != i:
                return "foreign_house"
            return "occupied" if self.at(y, x) >= 0 else "none"
        if action == 5:
            if any(w.stock[r] < c.recipe[r] for r in range(self.kinds)):
                return "no_materials"
            return "no_site" if (w.y, w.x) in self.owner or (w.y, w.x) in self.sources else "none"
        r, side, price = self.order(action)
        if side == 0 and w.cash < 100 * price:
            return "no_cash"
        if side == 1 and w.stock[r] < 1:
            return "no_stock"
        own = [o for o in self.books[r][side] if o.owner == i]
        return "too_many_orders" if len(own) >= c.open_orders else "none"

    @staticmethod
    def order(action: int) -> tuple[int, int, int]:
        r, rest = divmod(action - 6, 2 * PRICES)
        return r, rest // PRICES, rest % PRICES

    # --- a step ---
    def step(self, plan: list[int], actions: list[int]) -> tuple[list[float], list[str]]:
        """Rewards (planner first) and faults of the workers."""
        c = self.c
        if self.t % c.period == 0:
            width = round(c.rate_step * 10_000)
            self.rates = [(a - 1) * width if a else old for a, old in zip(plan, self.rates, strict=True)]
        faults = [self.fault(i, a) for i, a in enumerate(actions)]
        order = list(range(self.n))
        for k in range(self.n - 1, 0, -1):
            j = draw_below(self.key, TURNS, self.t, k, 0, k + 1)
            order[k], order[j] = order[j], order[k]
        for i in order:
            if faults[i] == "none":
                faults[i] = self._act(i, actions[i])
            self._gather(i)
        self.faults += sum(f != "none" for f in faults)
        reward = 0.0
        settles = (self.t + 1) % c.period == 0 or self.t + 1 == c.max_steps
        if settles:
            self._settle()
        before, self.utility = self.utility, [self._utility(w) for w in self.workers]
        if settles:
            last, self.social = self.social, self._social()
            reward = self.social - last
        self.t += 1
        self.over = self.t == c.max_steps
        for book in self.books:
            for side in range(2):
                for o in [o for o in book[side] if o.expiry <= self.t or self.over]:
                    self._cancel(book, side, o)
        return [reward, *[a - b for a, b in zip(self.utility, before, strict=True)]], faults

    def _act(self, i: int, action: int) -> str:
        w, c = self.workers[i], self.c
        if 1 <= action <= 4:
            y, x = w.y + MOVES[action][0], w.x + MOVES[action][1]
            if self.at(y, x) >= 0:
                return "contested"
            w.y, w.x = y, x
            w.labour += Fraction(c.move_labour)
        elif action == 5:
            for r in range(self.kinds):
                w.stock[r] -= c.recipe[r]
            self.owner[w.y, w.x] = i
            w.cash += w.pay
            self.minted += w.pay
            w.houses += 1
            w.labour += Fraction(c.build_labour)
        elif action > 5:
            w.labour += Fraction(c.trade_labour)
            self._order(i, *self.order(action))
        return "none"

    def _gather(self, i: int) -> None:
        w = self.workers[i]
        r = self.sources.get((w.y, w.x), -1)
        if r < 0 or self.ready[w.y, w.x] > self.t:
            return
        units = 1 + int(draw_below(self.key, BONUS, self.t, i, 0, 10_000) < w.bonus)
        w.stock[r] += units
        w.gathered += units
        self.gathered[r] += units
        w.labour += Fraction(self.c.gather_labour)
        u, p = unit(draw(self.key, REGROW, self.t, i, 0)), self.c.regrow
        wait = 1 if p == 1 else 1 + math.floor(math.log(1 - u) / math.log(1 - p))
        self.ready[w.y, w.x] = self.t + wait

    def _order(self, i: int, r: int, side: int, price: int) -> None:
        book, w = self.books[r], self.workers[i]
        sign = 1 if side == 0 else -1
        while True:
            others = [o for o in book[1 - side] if (price - o.price) * sign >= 0]
            if not others:
                break
            best = min(others, key=lambda o: (sign * o.price, o.stamp))
            if best.owner == i:
                self._cancel(book, 1 - side, best)
                continue
            other = self.workers[best.owner]
            book[1 - side].remove(best)
            money = 100 * best.price
            if side == 0:
                w.cash, other.cash = w.cash - money, other.cash + money
                w.stock[r] += 1
            else:
                other.held, w.cash = other.held - money, w.cash + money
                other.stock[r] += 1
                w.stock[r] -= 1
            w.traded, other.traded, self.trades = w.traded + 1, other.traded + 1, self.trades + 1
            return
        if side == 0:
            w.cash, w.held = w.cash - 100 * price, w.held + 100 * price
        else:
            w.stock[r] -= 1
        self.stamps += 1
        book[side].append(Order(i, price, self.stamps, self.t + self.c.lifetime))

    def _cancel(self, book: list[list[Order]], side: int, o: Order) -> None:
        book[side].remove(o)
        w = self.workers[o.owner]
        if side == 0:
            w.cash, w.held = w.cash + 100 * o.price, w.held - 100 * o.price
        else:
            w.stock[next(r for r, other in enumerate(self.books) if other is book)] += 1

    def _settle(self) -> None:
        c, revenue = self.c, 0
        for i, w in enumerate(self.workers):
            whole = w.cash + w.held - w.start
            w.income = max(0, w.cash - w.start_free if c.legacy_escrow else whole)
            tax = self.owed(w.income)
            self.avoided += max(0, self.owed(max(0, whole)) - tax)
            due = tax + w.lien
            if c.cancel_bids and not c.legacy_escrow:
                while w.cash < due:
                    bids = [(o.stamp, o, book) for book in self.books for o in book[0] if o.owner == i]
                    if not bids:
                        break
                    _, newest, book = max(bids, key=lambda bid: bid[0])
                    self._cancel(book, 0, newest)
            w.paid = min(due, w.cash)
            w.cash -= w.paid
            w.lien = due - w.paid
            revenue += w.paid
        self.taxed += revenue
        pot = revenue + self.treasury
        rebate, self.treasury = pot // self.n, pot % self.n
        for w in self.workers:
            w.cash += rebate
            w.start, w.start_free = w.cash + w.held, w.cash
