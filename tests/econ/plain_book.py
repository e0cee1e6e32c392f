"""The reference of the order book: plain lists and dicts, the rules written again, nothing imported."""

from __future__ import annotations

from typing import Any


class PlainBook:
    """One market; orders are dicts in one list, kept in order of arrival. A buy sets aside price and fee, a sell goods."""

    def __init__(self, cash: list[int], stock: list[int], slots: int, low: int, tick: int, prevent: str) -> None:
        self.cash, self.stock, self.slots, self.low, self.tick, self.prevent = cash, stock, slots, low, tick, prevent
        self.orders: list[dict[str, int]] = []
        self.trades: list[tuple[int, int, int, int]] = []  # buyer, seller, level, quantity
        self.treasury, self.issued, self.floor, self.cap = 0, 0, 0, 10**9

    def cost(self, level: int, quantity: int, fee: int) -> int:
        value = (self.low + level * self.tick) * quantity
        return value + value * fee // 10_000

    def hold(self, order: dict[str, int], sign: int) -> None:
        if order["side"]:
            self.stock[order["who"]] -= sign * order["left"]
        else:
            self.cash[order["who"]] -= sign * self.cost(order["level"], order["left"], order["fee"])

    def drop(self, order: dict[str, int]) -> None:
        self.hold(order, -1)
        self.orders.remove(order)

    def queue(self, side: int) -> list[dict[str, int]]:
        """Open orders of a side, best first (sorting is stable: earlier ones first)."""
        return sorted((o for o in self.orders if o["side"] == side), key=lambda o: o["level"] * (1 if side else -1))

    def trade(self, resting: dict[str, int], level: int, quantity: int) -> None:
        """The resting order's side of a trade."""
        self.hold(resting, -1)
        resting["left"] -= quantity
        who, value = resting["who"], (self.low + level * self.tick) * quantity
        fee = value * resting["fee"] // 10_000
        self.cash[who] += (value if resting["side"] else -value) - fee
        self.stock[who] += -quantity if resting["side"] else quantity
        self.treasury += fee
        self.hold(resting, 1)
        if not resting["left"]:
            self.orders.remove(resting)

    def match(self, who: int, side: int, worst: int, quantity: int, fee: int) -> tuple[int, str]:
        while quantity:
            best = self.queue(1 - side)[:1]
            if not best or (best[0]["level"] < worst if side else best[0]["level"] > worst):
                return quantity, "empty_book"
            if best[0]["who"] == who:
                if self.prevent != "newest":
                    self.drop(best[0])
                if self.prevent != "oldest":
                    return quantity, "self_match"
                continue
            level, number = best[0]["level"], min(quantity, best[0]["left"])
            while not side and self.cost(level, number, fee) > self.cash[who]:
                number -= 1
            if not number:
                return quantity, "no_cash"
            value = (self.low + level * self.tick) * number
            self.cash[who] += (value if side else -value) - value * fee // 10_000
            self.stock[who] += -number if side else number
            self.treasury += value * fee // 10_000
            pair = (best[0]["who"], who) if side else (who, best[0]["who"])
            self.trades.append((*pair, level, number))
            self.trade(best[0], level, number)
            quantity -= number
        return 0, "none"

    def enter(self, order: dict[str, int], matched: bool) -> str:
        who, side, level, all_of_it, why = order["who"], order["side"], order["level"], order["left"], "none"
        if matched:
            order["left"], why = self.match(who, side, level, order["left"], order["fee"])
        else:
            own = [o for o in self.queue(1 - side) if o["who"] == who]
            met = [o for o in own if (o["level"] >= level if side else o["level"] <= level)]
            for o in met if self.prevent != "newest" else []:
                self.drop(o)
            why = "self_match" if met and self.prevent != "oldest" else "none"
        if why == "self_match":
            return why if order["left"] == all_of_it else "none"
        if order["left"]:
            self.hold(order, 1)
            self.orders.append(order)
        return "none"

    def limit(self, who: int, side: int, level: int, quantity: int, expiry: int, fee: int, matched: bool) -> str:
        if quantity <= 0:
            return "zero_quantity"
        if not self.floor <= level <= self.cap:
            return "outside_collar"
        if not side and self.cost(level, quantity, fee) > self.cash[who]:
            return "no_cash"
        if side and quantity > self.stock[who]:
            return "no_stock"
        used = {o["j"] for o in self.orders if (o["who"], o["side"]) == (who, side)}
        free = [j for j in range(self.slots) if j not in used]
        if not free:
            return "too_many_orders"
        order = {"who": who, "side": side, "level": level, "left": quantity, "expiry": expiry, "fee": fee}
        code = self.enter({**order, "j": free[0], "id": self.issued}, matched)
        self.issued += code == "none"
        return code

    def market(self, who: int, side: int, quantity: int, fee: int) -> str:
        if quantity <= 0:
            return "zero_quantity"
        if side and quantity > self.stock[who]:
            return "no_stock"
        left, why = self.match(who, side, self.floor if side else self.cap, quantity, fee)
        return why if left == quantity else "none"

    def find(self, who: int, side: int, j: int) -> dict[str, int] | None:
        return next((o for o in self.orders if (o["who"], o["side"], o["j"]) == (who, side, j)), None)

    def cancel(self, who: int, side: int, j: int) -> str:
        order = self.find(who, side, j)
        if order is None:
            return "unknown_order"
        self.drop(order)
        return "none"

    def modify(
        self, who: int, side: int, j: int, level: int, quantity: int, expiry: int, fee: int, matched: bool
    ) -> str:
        order = self.find(who, side, j)
        if order is None:
            return "unknown_order"
        if quantity <= 0:
            return "zero_quantity"
        if level == order["level"] and quantity <= order["left"]:
            self.hold(order, -1)
            order["left"] = quantity
            self.hold(order, 1)
            return "none"
        if not self.floor <= level <= self.cap:
            return "outside_collar"
        self.hold(order, -1)
        short = quantity > self.stock[who] if side else self.cost(level, quantity, fee) > self.cash[who]
        self.hold(order, 1)
        if short:
            return "no_stock" if side else "no_cash"
        self.drop(order)
        return self.enter({**order, "level": level, "left": quantity, "expiry": expiry, "fee": fee}, matched)

    def expire(self, now: int) -> int:
        lapsed = [o for o in self.orders if o["expiry"] <= now]
        for order in lapsed:
            self.drop(order)
        return len(lapsed)

    def uncross(self, reference: int, levels: int) -> int:
        """Try every price: most volume, least imbalance, nearest to the reference, lowest."""
        tried: list[tuple[Any, ...]] = []
        for p in range(levels):
            demand = sum(o["left"] for o in self.orders if not o["side"] and o["level"] >= p)
            supply = sum(o["left"] for o in self.orders if o["side"] and o["level"] <= p)
            tried.append((-min(demand, supply), abs(demand - supply), abs(p - reference), p))
        level = min(tried)[3]
        if min(tried)[0] == 0:
            return -1
        while True:
            bids, asks = self.queue(0), self.queue(1)
            if not bids or not asks or bids[0]["level"] < level or asks[0]["level"] > level:
                return level
            number = min(bids[0]["left"], asks[0]["left"])
            self.trades.append((bids[0]["who"], asks[0]["who"], level, number))
            self.trade(bids[0], level, number)
            self.trade(asks[0], level, number)
