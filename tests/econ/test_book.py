"""The rules of the order book on examples worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from econ.book_logs import new_book

from ludarium.envs.core.frozen import freeze
from ludarium.envs.econ import book
from ludarium.envs.econ.book import BUY, FAULTS, NEVER, SELL, Rules


class Desk:
    """One market of four accounts with 1,000 of money and 10 goods each; prices are levels 0 to 20 and cost as much."""

    def __init__(self, self_match: str = "newest") -> None:
        self.rules = freeze(Rules(4, 3, 21, 0, 1, book.SELF_MATCH.index(self_match)))
        self.book = freeze(new_book(self.rules))
        self.book.cash[0], self.book.stock[0, 0] = 1000, 10

    def limit(self, who: int, side: int, level: int, quantity: int = 1, fee: int = 0, matched: bool = True) -> str:
        code = book.limit(self.book, self.rules, 0, 0, who, side, level, quantity, NEVER, fee, matched)
        return FAULTS[code]

    def market(self, who: int, side: int, quantity: int = 1) -> str:
        return FAULTS[book.market(self.book, self.rules, 0, 0, who, side, quantity, 0)]

    def modify(self, who: int, side: int, j: int, level: int, quantity: int) -> str:
        return FAULTS[book.modify(self.book, self.rules, 0, 0, who, side, j, level, quantity, NEVER, 0, True)]

    def cancel(self, who: int, side: int, j: int) -> str:
        return FAULTS[book.cancel(self.book, self.rules, 0, 0, who, side, j)]

    def trades(self) -> list[list[int]]:
        """Buyer, seller, level, quantity."""
        found: list[list[int]] = self.book.fill[0, 0, : int(self.book.trades[0, 0])].tolist()
        return found

    def money(self, who: int) -> tuple[int, int]:
        """Free and committed."""
        return int(self.book.cash[0, who]), int(self.book.held_cash[0, who])


def test_price_comes_first_then_time_and_the_resting_price_is_paid() -> None:
    desk = Desk()
    desk.limit(0, SELL, 12)
    desk.limit(1, SELL, 10)
    desk.limit(2, SELL, 10)
    assert desk.limit(3, BUY, 15, 3) == "none"
    assert desk.trades() == [[3, 1, 10, 1], [3, 2, 10, 1], [3, 0, 12, 1]]
    assert desk.money(3) == (1000 - 32, 0)
    assert desk.money(1) == (1010, 0)


def test_what_is_not_traded_waits_and_is_paid_for() -> None:
    desk = Desk()
    desk.limit(0, SELL, 5, 2)
    desk.limit(1, BUY, 8, 5)
    assert desk.trades() == [[1, 0, 5, 2]]
    assert desk.money(1) == (1000 - 10 - 24, 24)
    assert desk.book.best[0, 0].tolist() == [8, 21]
    assert desk.cancel(1, BUY, 0) == "none"
    assert desk.money(1) == (990, 0)
    assert desk.cancel(1, BUY, 0) == "unknown_order"


def test_a_smaller_quantity_keeps_the_place_in_the_queue_and_any_other_change_loses_it() -> None:
    for change, first in (((10, 1), 0), ((10, 3), 1), ((11, 2), 1)):
        desk = Desk()
        desk.limit(0, SELL, 10, 2)
        desk.limit(1, SELL, 10, 2)
        assert desk.modify(0, SELL, 0, *change) == "none"
        desk.limit(2, BUY, 10)
        assert desk.trades()[0][1] == first, change
    assert desk.book.order_id[0, 0, desk.rules.accounts * desk.rules.slots] == 0  # and the order its id


def test_a_changed_order_may_trade_at_once() -> None:
    desk = Desk()
    desk.limit(0, SELL, 10)
    desk.limit(1, BUY, 5, 2)
    assert desk.modify(1, BUY, 0, 11, 2) == "none"
    assert desk.trades() == [[1, 0, 10, 1]]
    assert desk.money(1) == (1000 - 10 - 11, 11)


@pytest.mark.parametrize(
    ("rule", "code", "trades", "resting"),
    [
        ("newest", "none", [[0, 1, 9, 1]], 1),  # the rest of the newer order goes
        ("oldest", "none", [[0, 1, 9, 1], [0, 2, 11, 1]], 0),
        ("both", "none", [[0, 1, 9, 1]], 0),
    ],
)
def test_nobody_trades_with_himself(rule: str, code: str, trades: list[list[int]], resting: int) -> None:
    desk = Desk(rule)
    desk.limit(1, SELL, 9)
    desk.limit(0, SELL, 10)
    desk.limit(2, SELL, 11)
    assert desk.limit(0, BUY, 12, 2) == code
    assert desk.trades() == trades
    assert int(desk.book.held_stock[0, 0, 0]) == resting
    again = Desk(rule)
    again.limit(0, SELL, 10)
    assert again.limit(0, BUY, 12) == ("none" if rule == "oldest" else "self_match")


def test_market_orders_take_what_there_is_and_leave_nothing() -> None:
    desk = Desk()
    assert desk.market(0, BUY) == "empty_book"
    desk.limit(1, SELL, 3)
    assert desk.market(0, BUY, 5) == "none"
    assert desk.trades() == [[0, 1, 3, 1]]
    assert desk.money(0) == (997, 0)
    desk.book.cash[0, 2] = 7
    desk.limit(1, SELL, 3, 5)
    assert desk.market(2, BUY, 5) == "none"
    assert desk.trades()[-1] == [2, 1, 3, 2]  # as much as the money buys


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ((0, BUY, 5, 0), "zero_quantity"),
        ((0, SELL, 5, -3), "zero_quantity"),
        ((0, BUY, 20, 51), "no_cash"),
        ((0, SELL, 5, 11), "no_stock"),
        ((0, BUY, 1, 1), "outside_collar"),
        ((0, BUY, 20, 50, 10), "no_cash"),  # the fee has to be paid too
    ],
)
def test_what_cannot_be_done_changes_nothing(order: Any, said: str) -> None:
    desk = Desk()
    desk.book.floor[0, 0] = 2
    before = [array.copy() for array in desk.book]
    assert desk.limit(*order) == said
    assert all((a == b).all() for a, b in zip(before, desk.book, strict=True))


def test_only_so_many_orders_may_be_open_on_a_side() -> None:
    desk = Desk()
    assert [desk.limit(0, BUY, level) for level in (1, 2, 3, 4)] == ["none"] * 3 + ["too_many_orders"]
    assert desk.limit(0, SELL, 9) == "none"


def test_both_sides_pay_fees_rounded_down() -> None:
    desk = Desk()
    desk.limit(0, SELL, 15, 3, 100)
    desk.limit(1, BUY, 20, 3, 250)
    assert desk.money(0)[0] == 1000 + 45 - 0  # 0.45
    assert desk.money(1) == (1000 - 45 - 1, 0)  # 1.125
    assert desk.book.treasury[0] == 1


def auction(*orders: tuple[int, int, int, int], reference: int = 10) -> tuple[int, Desk]:
    desk = Desk()
    for order in orders:
        assert desk.limit(*order, matched=False) == "none"
    assert desk.trades() == []
    return book.uncross(desk.book, desk.rules, 0, 0, reference), desk


def test_an_auction_clears_at_the_price_of_most_volume() -> None:
    level, desk = auction((0, BUY, 12, 3), (1, BUY, 10, 2), (2, SELL, 9, 2), (3, SELL, 10, 3))
    assert level == 10
    assert desk.trades() == [[0, 2, 10, 2], [0, 3, 10, 1], [1, 3, 10, 2]]
    assert desk.money(0) == (970, 0)  # not the 36 that it had offered


def test_ties_of_volume_go_by_imbalance_then_by_the_reference() -> None:
    assert auction((0, BUY, 12, 2), (1, SELL, 8, 2), (2, SELL, 11, 1))[0] == 10  # from 11 on one more is offered
    crossing = (0, BUY, 14, 1), (1, SELL, 6, 1)
    assert [auction(*crossing, reference=r)[0] for r in (3, 9, 17)] == [6, 9, 14]
    assert auction((0, BUY, 5, 1), (1, SELL, 6, 1))[0] == -1


def test_at_the_end_all_is_given_back_and_replays_rebuild_the_book() -> None:
    rng, rules = np.random.default_rng(0), Rules(4, 3, 21, 0, 1, 0)
    shape = (400, 1)
    log = np.hstack(
        [
            rng.choice((1, 1, 1, 2, 3, 4), shape), rng.integers(0, 4, shape), rng.integers(0, 2, shape),
            rng.integers(5, 16, shape), rng.integers(0, 4, shape), rng.integers(0, 3, shape), np.full(shape, NEVER),
            np.zeros(shape, np.int64),
        ]
    ).astype(np.int64)  # fmt: skip
    books = []
    for _ in range(2):
        one = freeze(new_book(rules))
        one.cash[0], one.stock[0, 0] = 1000, 10
        book.play(one, freeze(rules), 0, 0, log, True, np.zeros(400, np.int16))
        books.append(one)
    assert all((a == b).all() for a, b in zip(*books, strict=True))
    assert books[0].trades[0, 0] > 20
    assert (books[0].order_quantity > 0).any()
    book.clear(books[0], freeze(rules), 0, 0)
    assert not books[0].held_cash.any()
    assert not books[0].held_stock.any()
    assert books[0].cash.sum() == 4000
    assert books[0].stock.sum() == 40
