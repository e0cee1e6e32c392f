"""The order book of ABIDES (abides_markets.order_book) alone, without its kernel, under a log that our book accepted.

PYTHONPATH=ABIDES/abides-core:ABIDES/abides-markets python benchmarks/peers/abides_book.py LOG.npy

The log is int64[n, 5]: kind (1 limit, 2 market, 3 cancel, 4 replace), number of the order, side (0 buy), price, quantity.
Its owner hears all messages of the book and does nothing. Prints JSON: messages, trades, CPU and wall seconds.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
from abides_markets.order_book import OrderBook
from abides_markets.orders import LimitOrder, MarketOrder, Side


class Owner:
    """An exchange that is deaf."""

    mkt_open, current_time, book_logging, book_log_depth, trades = 0, 0, False, 0, 0

    def send_message(self, agent: int, message: Any) -> None:
        """Count executions; both sides are told."""
        self.trades += type(message).__name__ == "OrderExecutedMsg"

    def logEvent(self, *event: Any, **more: Any) -> None:
        """Nothing."""


def main() -> None:
    """Play the log once."""
    owner = Owner()
    book, orders = OrderBook(owner, "X"), {}
    log = np.load(sys.argv[1]).tolist()
    cpu, wall = time.process_time(), time.perf_counter()
    for n, (kind, number, side, price, quantity) in enumerate(log):
        owner.current_time = n
        way = Side.ASK if side else Side.BID
        if kind == 2:
            book.handle_market_order(MarketOrder(0, n, "X", quantity, way))
            continue
        old = orders.get(number)
        if kind == 3:
            book.cancel_order(old)
            continue
        orders[number] = LimitOrder(0, n, "X", quantity, way, price)
        if kind == 4:
            book.replace_order(0, old, orders[number])
        else:
            book.handle_limit_order(orders[number])
    spent = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    print(json.dumps({"messages": len(log), "trades": owner.trades // 2, **spent}))


if __name__ == "__main__":
    main()
