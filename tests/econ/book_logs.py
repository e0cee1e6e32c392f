"""Random logs for the order book, and what comes of them in the engine and in the plain reference."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from econ.plain_book import PlainBook

from ludarium.envs.core.frozen import freeze
from ludarium.envs.core.state import allocate
from ludarium.envs.econ import book
from ludarium.envs.econ.book import Book, Rules

KINDS = (book.LIMIT,) * 8 + (book.MARKET,) + (book.CANCEL,) * 3 + (book.MODIFY,) * 3
LENGTH = 80


def new_book(rules: Rules, rows: int = 1, markets: int = 1, fills: int = 256) -> Book:
    """Empty books."""
    s = allocate(Book, book.book_fields(markets, rules.accounts, rules.slots, rules.levels, fills), rows)
    for b in range(rows):
        book.open_book(s, rules, b)
    return s


class Case:
    """A world for a log: few accounts, few levels, little money, so that all kinds of trouble come up."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        self.rng = rng
        self.rules = Rules(
            rng.randint(2, 5), rng.randint(1, 4), rng.randint(1, 12), rng.choice((0, 1, 50)), rng.choice((1, 7)),
            rng.randrange(3),
        )  # fmt: skip
        self.cash = [rng.choice((30, 1000, 10_000, 100_000)) for _ in range(self.rules.accounts)]
        self.stock = [rng.choice((0, 20, 50, 100)) for _ in range(self.rules.accounts)]
        self.fees = rng.choice(((0,), (0, 25, 3000)))
        self.auction = rng.random() < 0.4
        self.collar = tuple(sorted((rng.randrange(self.rules.levels), rng.randrange(self.rules.levels))))
        if rng.random() < 0.8:
            self.collar = (0, self.rules.levels - 1)
        self.reference = rng.randrange(self.rules.levels)
        self.messages = [self._message(rng) for _ in range(LENGTH)]

    def _message(self, rng: random.Random) -> tuple[int, ...]:
        r = self.rules
        quantity = rng.choice((1, 1, 1, 2, 3, 5, 12)) if rng.random() < 0.95 else 0
        return (
            rng.choice(KINDS), rng.randrange(r.accounts), rng.randrange(2), rng.randrange(r.levels), quantity,
            rng.randrange(r.slots), rng.choice((1, 2, book.NEVER)), rng.choice(self.fees),
        )  # fmt: skip

    def plain(self) -> PlainBook:
        """The reference at the start."""
        r = self.rules
        made = PlainBook(list(self.cash), list(self.stock), r.slots, r.low, r.tick, book.SELF_MATCH[r.self_match])
        made.floor, made.cap = self.collar
        return made

    def engine(self) -> Book:
        """The engine at the start."""
        s = new_book(self.rules)
        s.cash[0], s.stock[0, 0] = self.cash, self.stock
        s.floor[0], s.cap[0] = self.collar
        return s


def tell(plain: PlainBook, message: tuple[int, ...], matched: bool) -> str:
    """Give the reference a message; the name of the fault."""
    kind, who, side, level, quantity, j, expiry, fee = message
    if kind == book.LIMIT:
        return plain.limit(who, side, level, quantity, expiry, fee, matched)
    if kind == book.MARKET:
        return plain.market(who, side, quantity, fee)
    if kind == book.CANCEL:
        return plain.cancel(who, side, j)
    return plain.modify(who, side, j, level, quantity, expiry, fee, matched)


def seen_in_plain(plain: PlainBook) -> dict[str, Any]:
    """All that can be compared."""
    queues = [
        [(o["id"], o["who"], o["j"], o["level"], o["left"], o["fee"]) for o in plain.queue(side)] for side in (0, 1)
    ]
    return {
        "queues": queues, "cash": plain.cash, "stock": plain.stock, "trades": plain.trades,
        "treasury": plain.treasury, "issued": plain.issued,
    }  # fmt: skip


def seen_in_engine(s: Book, r: Rules) -> dict[str, Any]:
    """The same of the engine, its queues followed link by link."""
    queues: list[list[tuple[int, ...]]] = [[], []]
    for side, levels in ((0, range(r.levels - 1, -1, -1)), (1, range(r.levels))):
        for level in levels:
            place = int(s.head[0, 0, side, level])
            while place >= 0:
                assert s.order_level[0, 0, place] == level
                owner, j = place // r.slots % r.accounts, place % r.slots
                fields = (s.order_id, s.order_quantity, s.order_fee)
                number, left, fee = (int(field[0, 0, place]) for field in fields)
                queues[side].append((number, owner, j, level, left, fee))
                place = int(s.order_next[0, 0, place])
    count = int(s.trades[0, 0])
    return {
        "queues": queues, "cash": s.cash[0].tolist(), "stock": s.stock[0, 0].tolist(),
        "trades": [tuple(row) for row in s.fill[0, 0, :count].tolist()],
        "treasury": int(s.treasury[0]), "issued": int(s.issued[0, 0]),
    }  # fmt: skip


def differ(seed: int) -> str:
    """Play the log of a seed in both; what differs first, or nothing."""
    case = Case(seed)
    r, matched = freeze(case.rules), not case.auction
    s, plain = freeze(case.engine()), case.plain()
    code = np.zeros(1, np.int16)
    flags = np.zeros((1, 3), np.bool_)
    for n, message in enumerate(case.messages):
        name = tell(plain, message, matched)
        book.play(s, r, 0, 0, np.array([message], np.int64), matched, code)
        if name != book.FAULTS[code[0]]:
            return f"message {n} {message}: {book.FAULTS[code[0]]}, expected {name}"
        if n % 13 == 12 and book.expire(s, r, 0, 0, n // 13) != plain.expire(n // 13):
            return f"after {n}: expiry"
        if case.auction and n % 10 == 9:
            found, wanted = book.uncross(s, r, 0, 0, case.reference), plain.uncross(case.reference, r.levels)
            if found != wanted:
                return f"after {n}: the auction clears at {found}, expected {wanted}"
        if n % 8 == 7 or n == LENGTH - 1:
            ours, theirs = seen_in_engine(s, r), seen_in_plain(plain)
            if ours != theirs:
                return f"after {n}: " + "; ".join(
                    f"{k}: {ours[k]} != {theirs[k]}" for k in ours if ours[k] != theirs[k]
                )
            book.sound(s, r, flags)
            if not flags.all():
                return f"after {n}: unsound {flags.tolist()}"
            money = int((s.cash[0] + s.held_cash[0]).sum() + s.treasury[0])
            if money != sum(case.cash) or int((s.stock[0, 0] + s.held_stock[0, 0]).sum()) != sum(case.stock):
                return f"after {n}: money or goods are not conserved"
    book.clear(s, r, 0, 0)
    if s.held_cash.any() or s.held_stock.any() or s.order_quantity.any():
        return "clearing leaves something held"
    return ""
