"""What seats see: workers a window of the map and a vector, the planner figures of all and a table of the workers.

Money is in coins, labour in units, rates are shares. Windows are uint8: blocked, full sources by resource, sources by
resource, houses (1 another's, 2 one's own), workers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.bytes import copy_run, flat
from ludarium.envs.core.compile import inner, tight
from ludarium.envs.econ.book import BUY, SELL
from ludarium.envs.econ.gtb.dynamics import CENTS, PRICES, Scalars, State, allowed, index
from ludarium.envs.econ.taxes import bracket_of

__all__ = ["TABLE", "masks", "own_names", "public_names", "see_planner", "see_workers", "window"]

COMMON_SIDE = 11
OWN, TABLE_SIZE = 16, 9
TABLE = ("coin", "bids", "lien", "labour", "houses", "earned_so_far", "last_income", "last_tax", "marginal_rate")
"""Columns of the planner's table."""


def public_names(brackets: int, kinds: int) -> tuple[str, ...]:
    """What everybody sees."""
    found = ["steps_taken", "steps_to_tax_day", *(f"rate_{j}" for j in range(brackets))]
    for r in range(kinds):
        found.append(f"resource_{r}_last_price")
        found += [f"resource_{r}_{side}_{price}" for side in ("bids", "asks") for price in range(PRICES)]
    return tuple(found)


def own_names(kinds: int) -> tuple[str, ...]:
    """What a worker sees of itself."""
    found = [
        "row", "column", "coin", "bids", "lien", "labour", "house_payment", "bonus_chance", "houses", "earned_so_far",
        "marginal_rate", "last_income", "last_tax", "last_rebate", "last_fault", "utility",
    ]  # fmt: skip
    for r in range(kinds):
        found += [f"resource_{r}_stock", f"resource_{r}_asks"]
        found += [f"own_{r}_{side}_{price}" for side in ("bids", "asks") for price in range(PRICES)]
    return tuple(found)


@inner
def _coins(cents: int) -> float:
    return np.float64(cents) * 0.01


@inner
def _earned(s: State, c: Scalars, b: int, i: int) -> int:
    """Taxable income of the tax year so far."""
    if c.legacy:
        return max(np.int64(s.cash[b, i]) - np.int64(s.start_free[b, i]), 0)
    return max(np.int64(s.cash[b, i]) + np.int64(s.held_cash[b, i]) - np.int64(s.start_coin[b, i]), 0)


@inner
def _public(s: State, c: Scalars, b: int, out: NDArray[np.float32]) -> int:
    t = np.int64(s.t[b])
    out[0] = t
    out[1] = min(c.period - t % c.period, c.max_steps - t)
    at = 2
    for j in range(c.brackets):
        out[at] = s.rates[b, j] * 0.0001
        at += 1
    for r in range(c.kinds):
        out[at] = s.last[b, r]
        at += 1
        for side in range(2):
            for level in range(PRICES):
                out[at + level] = s.depth[b, r, side, level]
            at += PRICES
    return at


@inner
def _own(s: State, c: Scalars, b: int, i: int, out: NDArray[np.float32], at: int) -> None:
    earned = _earned(s, c, b, i)
    out[at] = s.pos[b, i, 0]
    out[at + 1] = s.pos[b, i, 1]
    out[at + 2] = _coins(s.cash[b, i])
    out[at + 3] = _coins(s.held_cash[b, i])
    out[at + 4] = _coins(s.lien[b, i])
    out[at + 5] = s.labour[b, i] * 0.25
    out[at + 6] = _coins(s.pay[b, i])
    out[at + 7] = s.bonus[b, i] * 0.0001
    out[at + 8] = s.done[b, i, 1]
    out[at + 9] = _coins(earned)
    out[at + 10] = s.rates[b, bracket_of(earned, c.edges)] * 0.0001
    out[at + 11] = _coins(s.income[b, i])
    out[at + 12] = _coins(s.paid[b, i])
    out[at + 13] = _coins(s.rebate[b])
    out[at + 14] = s.code[b, 1 + i]
    out[at + 15] = s.utility[b, i]
    at += OWN
    for r in range(c.kinds):
        out[at] = s.stock[b, r, i]
        out[at + 1] = s.held_stock[b, r, i]
        at += 2
        for k in range(2 * PRICES):
            out[at + k] = 0.0
        for side in range(2):
            first = (side * c.rules.accounts + i) * c.rules.slots
            for place in range(first, first + c.rules.slots):
                if s.order_quantity[b, r, place] != 0:
                    out[at + side * PRICES + np.int64(s.order_level[b, r, place])] += 1.0
        at += 2 * PRICES


@inner
def window(s: State, c: Scalars, b: int, i: int, out: NDArray[np.uint8], to: int) -> None:
    """Write the cells around a worker at `out[to:]`, layer by layer."""
    y, x, side, houses = np.int64(s.pos[b, i, 0]), np.int64(s.pos[b, i, 1]), 2 * c.radius + 1, 2 * c.kinds + 1
    cells, padded = flat(s.layers, b), np.int64(s.layers.shape[2])
    corner = index(c, y - c.radius, x - c.radius)
    for layer in range(2 * c.kinds + 3):
        source = layer * padded + corner
        if side == COMMON_SIDE:
            for row in range(COMMON_SIDE):
                copy_run(out, to + row * COMMON_SIDE, cells, source + row * c.stride, 11)
        else:
            for row in range(side):
                for column in range(side):
                    out[to + row * side + column] = cells[source + row * c.stride + column]
        if layer == houses and s.done[b, i, 1] > 0:
            for row in range(side):
                for column in range(side):
                    if out[to + row * side + column] != 0:
                        cell = (y - c.radius + row) * c.width + x - c.radius + column
                        if s.owner[b, cell] == i + 1:
                            out[to + row * side + column] = 2
        to += side * side


@tight
def see_workers(
    s: State, c: Scalars, seats: NDArray[np.int32], cells: NDArray[np.uint8], out: NDArray[np.float32]
) -> None:
    """Write uint8[B, n, layers, side, side] and float32[B, n, F]: what is public, then one's own."""
    size = np.int64(cells.shape[2] * cells.shape[3] * cells.shape[4])
    for b in range(seats.shape[0]):
        windows, first = flat(cells, b), np.int64(-1)
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i < 0:
                continue
            seen = out[b, n]
            at = np.int64(2 + c.brackets + c.kinds * (1 + 2 * PRICES))
            if first < 0:
                _public(s, c, b, seen)
                first = n
            else:
                for k in range(at):
                    seen[k] = out[b, first, k]
            _own(s, c, b, i, seen, at)
            window(s, c, b, i, windows, n * size)


@tight
def see_planner(
    s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.float32], table: NDArray[np.float32],
    cells: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Write float32[B, 1, F], float32[B, 1, N, 9] and, unless it is empty, uint8[B, 1, layers, H, W]."""
    for b in range(seats.shape[0]):
        if seats[b, 0] < 0:
            continue
        seen = out[b, 0]
        at = _public(s, c, b, seen)
        seen[at] = _coins(s.treasury[b])
        seen[at + 1] = _coins(s.revenue[b])
        seen[at + 2] = _coins(s.rebate[b])
        seen[at + 3] = s.welfare[b]
        for i in range(c.workers):
            row, earned = table[b, 0, i], _earned(s, c, b, i)
            row[0] = _coins(s.cash[b, i])
            row[1] = _coins(s.held_cash[b, i])
            row[2] = _coins(s.lien[b, i])
            row[3] = s.labour[b, i] * 0.25
            row[4] = s.done[b, i, 1]
            row[5] = _coins(earned)
            row[6] = _coins(s.income[b, i])
            row[7] = _coins(s.paid[b, i])
            row[8] = s.rates[b, bracket_of(earned, c.edges)] * 0.0001
        if cells.shape[2] > 0:
            for layer in range(2 * c.kinds + 3):
                for y in range(c.height):
                    for x in range(c.width):
                        cells[b, 0, layer, y, x] = s.layers[b, layer, index(c, y, x)]


@tight
def masks(s: State, c: Scalars, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
    """Write int8[B, n, actions]: the actions of workers that will not be refused, unless somebody takes the cell first."""
    for b in range(seats.shape[0]):
        for n in range(seats.shape[1]):
            i = np.int64(seats[b, n])
            if i < 0:
                continue
            if s.over[b]:
                for action in range(out.shape[2]):
                    out[b, n, action] = action == 0
            else:
                allowed(s, c, b, i, out[b, n])
