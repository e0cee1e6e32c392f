"""The reference of the market: days, turns, auctions and roles over plain books, the rules written again from the page.

What the environment draws (turns, dividends) is told to it. Presets with a crowd or insiders are not its business.
"""

from __future__ import annotations

from typing import Any

from econ.plain_book import PlainBook

FOREVER = 10**9
GRID = (1, 2, 5, 10)


class PlainMarket:
    """One episode. `plan` and `config` are read by name; `stock` is by market and account."""

    def __init__(
        self, config: Any, cash: list[int], stock: list[list[int]], worth: list[list[int]], guess: list[int]
    ) -> None:
        self.config, self.plan, self.worth = config, config.plan, worth
        p = self.plan
        self.first = [list(row) for row in stock]
        self.cash = list(cash)
        self.books = [PlainBook(self.cash, list(row), p.open_orders, p.low, p.tick, config.self_match) for row in stock]
        for one in self.books:
            one.floor, one.cap = 0, p.levels - 1
        self.reference, self.t, self.halted, self.fee, self.grid = list(guess), 0, False, config.fee, 1
        self.induced = p.kind == "induced"
        self.before = [self.wealth(a) for a in range(len(cash))]
        self.sent: dict[int, list[Any]] = {}

    # --- clock and wealth
    def left(self) -> int:
        length = self.config.period_steps
        return min((self.t // length + 1) * length, self.config.max_steps) - self.t - 1

    def collecting(self) -> bool:
        calls, length = self.config.calls, self.config.auction_steps
        opening = calls in ("open", "both") and self.t % self.config.period_steps < length
        return calls == "always" or opening or (calls in ("close", "both") and self.left() < length)

    def clears(self) -> bool:
        last = (
            self.config.calls in ("open", "both") and self.t % self.config.period_steps == self.config.auction_steps - 1
        )
        return self.collecting() and (self.config.calls == "always" or last or self.left() == 0)

    def goods(self, m: int, account: int) -> int:
        one = self.books[m]
        return one.stock[account] + sum(o["left"] for o in one.orders if o["side"] and o["who"] == account)

    def money(self, account: int) -> int:
        held = 0
        for one in self.books:
            orders = [o for o in one.orders if not o["side"] and o["who"] == account]
            held += sum(one.cost(o["level"], o["left"], o["fee"]) for o in orders)
        return self.cash[account] + held

    def share(self, m: int) -> float:
        paid = self.plan.dividends[m]
        periods = -(-self.config.max_steps // self.config.period_steps)
        to_come = 0 if self.t >= self.config.max_steps else periods - self.t // self.config.period_steps
        return sum(paid) * to_come / len(paid) + self.plan.terminal[m]

    def wealth(self, account: int) -> float:
        total: float = self.money(account)
        if self.induced:
            return total + (
                sum(self.worth[account][: self.goods(0, account)]) if account < self.plan.num_traders else 0
            )
        return total + sum(self.goods(m, account) * self.share(m) for m in range(len(self.books)))

    # --- actions
    def wanting(self, who: int, kind: int, side: int, quantity: int, j: int) -> str:
        if not self.induced or kind == 3:
            return ""
        seller = self.first[0][who] > 0
        if bool(side) != seller:
            return "wrong_side"
        open_units = sum(
            o["left"]
            for o in self.books[0].orders
            if o["who"] == who and not o["side"] and not (kind == 4 and o["j"] == j)
        )
        too_many = not seller and self.books[0].stock[who] + open_units + quantity > self.plan.units
        return "no_units" if too_many else ""

    def send(self, who: int, kind: int, side: int, level: int, quantity: int, j: int, m: int) -> str:
        one, matched = self.books[m], not self.collecting()
        expiry = self.t + self.config.lifetime if self.config.lifetime else FOREVER
        if kind == 3:
            return one.cancel(who, side, j)
        if kind == 2 and matched:
            return one.market(who, side, quantity, self.fee)
        if kind == 2:
            kind, level = 1, one.floor if side else one.cap
        elif level % self.grid:
            return "off_grid"
        if kind == 1:
            return one.limit(who, side, level, quantity, expiry, self.fee, matched)
        return one.modify(who, side, j, level, quantity, expiry, self.fee, matched)

    def message(self, action: Any) -> list[int]:
        """What an action of offsets stands for."""
        quantity, m = round(action[0] * self.plan.max_quantity), 0
        if len(action) > 2:
            m = min(int((action[2] + 1) / 2 * len(self.books)), len(self.books) - 1)
        level = self.reference[m] + round(action[1] * self.config.reach)
        level = min(max(level, 0), self.plan.levels - 1)
        return [5 if quantity else 0, int(quantity < 0), level, abs(quantity), 0, m]

    def arrived(self, seat: int, message: Any) -> Any:
        """The message that a seat sent some of its turns ago."""
        queue = self.sent.setdefault(seat, [[0] * 6] * self.config.latency)
        queue.append(message)
        return queue.pop(0)

    def trader(self, who: int, action: list[int]) -> str:
        kind, side, level, quantity, j, m = action
        if kind == 0:
            return "none"
        if self.halted and kind != 3:
            return "halted"
        if kind == 5:  # in place of all that is open
            for order in [o for o in self.books[m].orders if o["who"] == who]:
                self.books[m].drop(order)
            level = min(max(level, self.books[m].floor), self.books[m].cap)
            kind, level = 1, level - level % self.grid
        trades = len(self.books[m].trades)
        code = self.wanting(who, kind, side, quantity, j) or self.send(who, kind, side, level, quantity, j, m)
        self.sweep(m, trades)
        return code

    def maker(self, who: int, action: list[int]) -> str:
        quoting, bid, ask, buys, sells, m = action
        if not quoting:
            return "none"
        if self.halted:
            return "halted"
        if buys and sells and bid >= ask:
            return "quotes_cross"
        if (buys and bid % self.grid) or (sells and ask % self.grid):
            return "off_grid"
        for order in [o for o in self.books[m].orders if o["who"] == who]:
            self.books[m].drop(order)
        trades, codes = len(self.books[m].trades), []
        for side, level, quantity in ((0, bid, buys), (1, ask, sells)):
            if quantity:
                codes.append(self.send(who, 1, side, level, quantity, 0, m))
        self.sweep(m, trades)
        return next((code for code in codes if code != "none"), "none")

    def sweep(self, m: int, trades: int) -> None:
        if self.config.clear_on_trade and len(self.books[m].trades) > trades:
            self.clear(m)

    def clear(self, m: int) -> None:
        for order in list(self.books[m].orders):
            self.books[m].drop(order)

    # --- a step
    def step(
        self, turn: list[int], trade: Any, quote: Any, rule: Any, paid: list[int]
    ) -> tuple[list[float], list[str]]:
        """Play a step; `paid` is what shares will have paid last after it. Rewards of traders and maker, faults of seats."""
        c, n = self.config, self.plan.num_traders
        seats = n + c.market_maker + c.regulator
        counts = [len(one.trades) for one in self.books]
        for m, one in enumerate(self.books):
            if c.lifetime:
                one.expire(self.t)
            if c.collar:
                one.floor = max(self.reference[m] - c.collar, 0)
                one.cap = min(self.reference[m] + c.collar, self.plan.levels - 1)
        acting = {"parallel": list(turn), "sequential": [turn[self.t % seats]], "events": turn[:1]}[c.mode]
        if c.actions == "offsets":
            trade = [self.message(action) for action in trade]
        codes = ["none"] * seats
        if c.regulator and seats - 1 in acting:
            trading, fee, grid = rule
            self.halted = trading == 2 if trading else self.halted
            self.fee = 10 * (fee - 1) if fee else self.fee
            self.grid = GRID[grid - 1] if grid else self.grid
        for seat in acting:
            if seat < n:
                codes[seat] = self.trader(seat, self.arrived(seat, trade[seat]))
            elif seat < n + c.market_maker:
                codes[seat] = self.maker(seat, self.arrived(seat, quote))
        for m, one in enumerate(self.books):
            if self.clears():
                one.uncross(self.reference[m], self.plan.levels)
            if len(one.trades) > counts[m]:
                self.reference[m] = one.trades[-1][2]
        if self.left() == 0:
            self.end_day(paid)
        self.t += 1
        now = [self.wealth(a) for a in range(len(self.cash))]
        rewards = [b - a for a, b in zip(self.before, now, strict=True)]
        self.before = now
        return rewards, codes

    def end_day(self, paid: list[int]) -> None:
        for m, one in enumerate(self.books):
            self.clear(m)
            for account, units in enumerate(one.stock):
                if not self.induced:
                    self.cash[account] += paid[m] * units
                elif account < self.plan.num_traders:
                    worth = self.worth[account]
                    self.cash[account] += sum(worth[:units]) - sum(worth[: self.first[m][account]])
            if self.induced:
                one.stock[:] = self.first[m]
