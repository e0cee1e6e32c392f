"""The layout of gather, trade and build: numbers with names, what the kernels read of a config, and the state.

Seat 0 is the planner, seats 1 to N are the workers; worker i has account i of the order book and market r is that of
resource r. Axis 0 is the episode in the batch. Money is int64 cents of a coin, labour is in quarters. Cells are counted row
by row; what windows are cut from is padded by the radius and lies in `layers`, a bit a layer.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.state import COMMON, Field
from ludarium.envs.econ.book import Rules, book_fields

__all__ = ["FAULTS", "MASKED", "Scalars", "State", "fields"]

FAULTS = (
    "none", "blocked", "foreign_house", "occupied", "contested", "no_materials", "no_site", "no_cash", "no_stock",
    "too_many_orders",
)  # fmt: skip
"""Why an action had no effect, by number."""
BLOCKED, FOREIGN, OCCUPIED, CONTESTED, NO_MATERIALS, NO_SITE, NO_CASH, NO_STOCK, TOO_MANY = range(1, len(FAULTS))
MASKED = tuple(name for name in FAULTS[1:] if name != "contested")
"""The faults that no action has which the mask allows: only who comes second to a cell is told no."""
BUILD, ORDERS, PRICES, CENTS = 5, 6, 11, 100
GATHERED, BUILT, TRADED = range(3)
STREAM_SOURCE, STREAM_PLACE, STREAM_SKILL, STREAM_TURNS, STREAM_BONUS, STREAM_REGROW = range(1, 7)
EQUAL_PRODUCT, MEAN, INVERSE, RAWLS = range(4)
SHUT, HOUSE, SOMEBODY, FULL = range(4)
"""The bits of `layers`: blocked, a house, a worker; then full sources by resource, then sources by resource."""
FILLS = 4
"""Trades whose parties are kept; a worker makes at most one at a time."""


class Scalars(NamedTuple):
    """The parameters that kernels read."""

    rules: Rules
    workers: int
    kinds: int
    """resources"""
    height: int
    width: int
    radius: int
    stride: int
    """cells of a padded row"""
    layout: int
    skills: int
    density: float
    stay: float
    """the logarithm of the chance that a source stays empty for a step"""
    payment: float
    pareto: float
    max_skill: float
    coin: int
    lifetime: int
    eta: float
    labour_cost: float
    move: int
    gather: int
    build: int
    trade: int
    """labour in quarters"""
    period: int
    brackets: int
    rate_step: int
    swf: int
    legacy: bool
    cancel: bool
    max_steps: int
    recipe: NDArray[np.int64]
    edges: NDArray[np.int64]


class State(NamedTuple):
    """A batch of episodes: the fields of `Book`, and what the world adds. N workers, R resources, K brackets, C cells."""

    key: NDArray[np.uint64]
    t: NDArray[np.int32]
    over: NDArray[np.bool_]
    live: NDArray[np.bool_]
    inst: NDArray[np.int32]
    cash: NDArray[np.int64]
    held_cash: NDArray[np.int64]
    stock: NDArray[np.int64]
    held_stock: NDArray[np.int64]
    treasury: NDArray[np.int64]
    floor: NDArray[np.int32]
    cap: NDArray[np.int32]
    order_quantity: NDArray[np.int32]
    order_level: NDArray[np.int32]
    order_fee: NDArray[np.int32]
    order_expiry: NDArray[np.int32]
    order_id: NDArray[np.int64]
    order_stamp: NDArray[np.int64]
    issued: NDArray[np.int64]
    stamps: NDArray[np.int64]
    last: NDArray[np.int32]
    trades: NDArray[np.int64]
    volume: NDArray[np.int64]
    turnover: NDArray[np.int64]
    level_sum: NDArray[np.int64]
    level_squares: NDArray[np.int64]
    order_next: NDArray[np.int32]
    order_before: NDArray[np.int32]
    head: NDArray[np.int32]
    tail: NDArray[np.int32]
    depth: NDArray[np.int64]
    best: NDArray[np.int32]
    fill: NDArray[np.int32]
    pos: NDArray[np.int32]
    """int32[B, N, 2]: row and column"""
    ready_at: NDArray[np.int32]
    """int32[B, C]: the step in which an emptied source is full again; 0: it is full, or there is none"""
    owner: NDArray[np.int16]
    """int16[B, C]: 1 + the worker whose house stands there, or 0"""
    labour: NDArray[np.int64]
    """int64[B, N]: quarters of a unit"""
    rates: NDArray[np.int64]
    start_coin: NDArray[np.int64]
    """int64[B, N]: coin with all escrow when the tax year began"""
    start_free: NDArray[np.int64]
    """int64[B, N]: coin without what bids held, likewise"""
    lien: NDArray[np.int64]
    """int64[B, N]: taxes that are still due"""
    minted: NDArray[np.int64]
    taxed: NDArray[np.int64]
    faults: NDArray[np.int32]
    ground: NDArray[np.int8]
    """int8[B, C]: 0 land, 1 water, 2 + r a source of resource r"""
    layers: NDArray[np.uint8]
    """uint8[B, planes, padded cells]: a bit a layer, bit k % 8 of plane k // 8; see `SHUT`"""
    waiting: NDArray[np.int32]
    """int32[B, C]: the emptied sources, in no order"""
    waits: NDArray[np.int32]
    """int32[B]: how many there are"""
    pay: NDArray[np.int64]
    """int64[B, N]: cents that a house pays"""
    bonus: NDArray[np.int64]
    """int64[B, N]: chance of a second unit, in ten thousandths"""
    weight: NDArray[np.float64]
    """float64[B, N]: welfare weights of mean 1"""
    base: NDArray[np.int64]
    income: NDArray[np.int64]
    """int64[B, N]: the taxable income of the last tax year"""
    paid: NDArray[np.int64]
    """int64[B, N]: what was paid of it"""
    rebate: NDArray[np.int64]
    revenue: NDArray[np.int64]
    avoided: NDArray[np.int64]
    """int64[B]: taxes on what bids held at the end of tax years, had it been income"""
    gathered: NDArray[np.int64]
    """int64[B, R]"""
    houses: NDArray[np.int64]
    first_pos: NDArray[np.int32]
    first_cash: NDArray[np.int64]
    first_stock: NDArray[np.int64]
    """where workers began, and with what"""
    done: NDArray[np.int64]
    """int64[B, N, 3]: units gathered, houses built, units traded"""
    worth: NDArray[np.int64]
    """int64[B, N]: the coin for which `felt` holds"""
    felt: NDArray[np.float64]
    """float64[B, N]: utility of money"""
    utility: NDArray[np.float64]
    welfare: NDArray[np.float64]
    settled: NDArray[np.int32]
    slope: NDArray[np.float64]
    """float64[B, 5]: of income y and share kept x in logarithms, by worker and year: count, x, y, x x, x y"""
    code: NDArray[np.int16]
    """int16[B, S]: the fault of the last action"""
    turn: NDArray[np.int16]
    """int16[N]: workers in the order in which they act"""
    sorted: NDArray[np.int64]
    """int64[N]: room for sorting"""


def fields(c: Any) -> tuple[Field, ...]:
    """The layout of a state for these scalars."""
    n, cells, kinds = (c.workers,), (c.height * c.width,), (c.kinds,)
    planes, padded = (2 * c.kinds + 3 + 7) // 8, (c.height + 2 * c.radius) * c.stride
    return (
        *COMMON(c.workers + 1), *book_fields(c.kinds, c.workers, c.rules.slots, c.rules.levels, FILLS),
        Field("pos", np.int32, (*n, 2)), Field("ready_at", np.int32, cells), Field("owner", np.int16, cells),
        Field("labour", np.int64, n), Field("rates", np.int64, (c.brackets,)), Field("start_coin", np.int64, n),
        Field("start_free", np.int64, n), Field("lien", np.int64, n), Field("minted", np.int64), Field("taxed", np.int64),
        Field("faults", np.int32),
        Field("ground", np.int8, cells, "derived"), Field("layers", np.uint8, (planes, padded), "derived"),
        Field("waiting", np.int32, cells, "derived"), Field("waits", np.int32, (), "derived"),
        Field("pay", np.int64, n, "derived"), Field("bonus", np.int64, n, "derived"),
        Field("weight", np.float64, n, "derived"), Field("base", np.int64, (c.brackets,), "derived"),
        Field("income", np.int64, n, "derived"), Field("paid", np.int64, n, "derived"),
        Field("rebate", np.int64, (), "derived"), Field("revenue", np.int64, (), "derived"),
        Field("avoided", np.int64, (), "derived"), Field("gathered", np.int64, kinds, "derived"),
        Field("houses", np.int64, (), "derived"), Field("first_pos", np.int32, (*n, 2), "derived"),
        Field("first_cash", np.int64, n, "derived"), Field("first_stock", np.int64, (*kinds, *n), "derived"),
        Field("done", np.int64, (*n, 3), "derived"),
        Field("worth", np.int64, n, "derived"), Field("felt", np.float64, n, "derived"),
        Field("utility", np.float64, n, "derived"), Field("welfare", np.float64, (), "derived"),
        Field("settled", np.int32, (), "derived"), Field("slope", np.float64, (5,), "derived"),
        Field("code", np.int16, (c.workers + 1,), "derived"), Field("turn", np.int16, n, "scratch"),
        Field("sorted", np.int64, n, "scratch"),
    )  # fmt: skip
