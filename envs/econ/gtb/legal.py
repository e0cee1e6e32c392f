"""Which actions of workers are in order, before anybody has acted: what masks show and what steps go by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.bytes import copy_run
from ludarium.envs.core.compile import inner
from ludarium.envs.econ.book import BUY
from ludarium.envs.econ.gtb.layout import (
    BLOCKED,
    BUILD,
    CENTS,
    FOREIGN,
    HOUSE,
    NO_CASH,
    NO_MATERIALS,
    NO_SITE,
    NO_STOCK,
    OCCUPIED,
    ORDERS,
    PRICES,
    SHUT,
    SOMEBODY,
    TOO_MANY,
    Scalars,
    State,
)

__all__ = ["allowed", "change", "index", "may", "shift", "shows"]


_IN_THE_WAY = 1 << SHUT | 1 << HOUSE | 1 << SOMEBODY
_STAIRS = np.repeat(np.array([1, 0], np.uint8), PRICES)
"""As many ones as there are prices, then as many zeros: from place `PRICES - n` on, n ones come first."""


# --- the map ---------------------------------------------------------------------------------------------------------
@inner
def index(c: Scalars, y: int, x: int) -> int:
    """The padded place of a cell in `layers`; cells beside the map have one too."""
    return (y + c.radius) * c.stride + x + c.radius


@inner
def shows(s: State, b: int, bit: int, at: int) -> bool:
    """Whether a padded place is marked in a layer."""
    return np.int64(s.layers[b, bit >> 3, at]) >> (bit & 7) & 1 != 0


@inner
def change(s: State, b: int, bit: int, at: int) -> None:
    """Mark a padded place in a layer, or take the mark away."""
    s.layers[b, bit >> 3, at] = np.int64(s.layers[b, bit >> 3, at]) ^ 1 << (bit & 7)


@inner
def shift(action: int, axis: int) -> int:
    """By how much a move changes row (axis 0) or column (axis 1): 1 up, 2 down, 3 left, 4 right."""
    if action <= 2:
        return 2 * action - 3 if axis == 0 else 0
    return 2 * action - 7 if axis == 1 else 0


@inner
def _free_place(s: State, c: Scalars, b: int, i: int, r: int, side: int) -> bool:
    if side != BUY:
        return s.held_stock[b, r, i] < c.rules.slots  # an order offers one unit
    first, free = i * c.rules.slots, False
    for place in range(first, first + c.rules.slots):
        free |= s.order_quantity[b, r, place] == 0
    return free


# --- what is allowed -------------------------------------------------------------------------------------------------
@inner
def _may_move(s: State, c: Scalars, b: int, i: int, action: int) -> int:
    y, x = np.int64(s.pos[b, i, 0]) + shift(action, 0), np.int64(s.pos[b, i, 1]) + shift(action, 1)
    cell = np.int64(s.layers[b, 0, index(c, y, x)]) & _IN_THE_WAY
    if cell == 0:
        return 0
    if cell >> SHUT & 1:
        return BLOCKED
    if cell >> HOUSE & 1 and s.owner[b, y * c.width + x] != i + 1:
        return FOREIGN
    return OCCUPIED if cell >> SOMEBODY & 1 else 0


@inner
def _may_build(s: State, c: Scalars, b: int, i: int) -> int:
    for r in range(c.kinds):
        if s.stock[b, r, i] < c.recipe[r]:
            return NO_MATERIALS
    cell = np.int64(s.pos[b, i, 0]) * c.width + np.int64(s.pos[b, i, 1])
    return NO_SITE if s.owner[b, cell] != 0 or s.ground[b, cell] >= 2 else 0


@inner
def may(s: State, c: Scalars, b: int, i: int, action: int) -> int:
    """The fault of a worker's action before anybody has acted: others can only take a cell from him, nothing else."""
    if action == 0:
        return 0
    if action < BUILD:
        return _may_move(s, c, b, i, action)
    if action == BUILD:
        return _may_build(s, c, b, i)
    r, rest = (action - ORDERS) // (2 * PRICES), (action - ORDERS) % (2 * PRICES)
    side = rest // PRICES
    if side == BUY and s.cash[b, i] < CENTS * (rest % PRICES):
        return NO_CASH
    if side != BUY and s.stock[b, r, i] < 1:
        return NO_STOCK
    return 0 if _free_place(s, c, b, i, r, side) else TOO_MANY


@inner
def allowed(s: State, c: Scalars, b: int, i: int, out: NDArray[np.int8]) -> None:
    """Write int8[actions]: 1 for what `may` finds no fault with."""
    out[0] = 1
    for action in range(1, BUILD):
        out[action] = _may_move(s, c, b, i, action) == 0
    out[BUILD] = _may_build(s, c, b, i) == 0
    payable = min(int(s.cash[b, i]) // CENTS + 1, PRICES)
    for r in range(c.kinds):
        first = ORDERS + 2 * PRICES * r
        bids = payable if _free_place(s, c, b, i, r, BUY) else 0
        asks = PRICES if s.stock[b, r, i] >= 1 and _free_place(s, c, b, i, r, 1) else 0
        copy_run(out, first, _STAIRS, PRICES - bids, 11)
        copy_run(out, first + PRICES, _STAIRS, PRICES - asks, 11)
