"""The order book: price-time priority over integer price levels, with money and goods in escrow, as kernels.

The kernels work in place on row `b`, market `m` of any named tuple that has the fields of `Book` (a world's own state
holds them by `book_fields`), under `Rules`. An account has `slots` places for open orders on each side of each market;
the place of order j of an account on a side is `(side * accounts + account) * slots + j`, so that owner and side follow
from the place, and the pool can never be full. A price is a level 0..levels - 1 and costs `low + level * tick` of money.

An order commits what it may cost when it enters: a buy its price and fee, a sell its goods. Fills happen at the resting
order's price (in a call auction at one price for all). Fees, in basis points of the value, rounded down, go to the
treasury from both sides; an order keeps the rate that it entered with. Nothing is minted or lost here.
"""

from ludarium.envs.econ.book.auction import uncross
from ludarium.envs.econ.book.checks import sound
from ludarium.envs.econ.book.layout import (
    BOTH,
    BUY,
    CANCEL,
    EMPTY,
    FAULTS,
    LIMIT,
    MARKET,
    MODIFY,
    NEVER,
    NEWEST,
    NO_CASH,
    NO_STOCK,
    NONE,
    OLDEST,
    OUTSIDE,
    OWN_ORDER,
    POINTS,
    SELL,
    TOO_MANY,
    UNKNOWN,
    ZERO_QUANTITY,
    Book,
    Rules,
    book_fields,
)  # fmt: skip
from ludarium.envs.econ.book.messages import cancel, clear, expire, limit, market, modify, play
from ludarium.envs.econ.book.money import commitment, fee_of
from ludarium.envs.econ.book.opening import BOOK_BYTES, open_book, open_sides, wipe, wipe_wide
from ludarium.envs.econ.orders import SELF_MATCH

__all__ = [
    "BOOK_BYTES",
    "BOTH",
    "BUY",
    "CANCEL",
    "EMPTY",
    "FAULTS",
    "LIMIT",
    "MARKET",
    "MODIFY",
    "NEVER",
    "NEWEST",
    "NONE",
    "NO_CASH",
    "NO_STOCK",
    "OLDEST",
    "OUTSIDE",
    "OWN_ORDER",
    "POINTS",
    "SELF_MATCH",
    "SELL",
    "TOO_MANY",
    "UNKNOWN",
    "ZERO_QUANTITY",
    "Book",
    "Rules",
    "book_fields",
    "cancel",
    "clear",
    "commitment",
    "expire",
    "fee_of",
    "limit",
    "market",
    "modify",
    "open_book",
    "open_sides",
    "play",
    "sound",
    "uncross",
    "wipe",
    "wipe_wide",
]  # fmt: skip
