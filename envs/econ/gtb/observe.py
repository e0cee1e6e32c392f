"""What seats see: workers a window of the map and a vector, the planner figures of all and a table of the workers.

Money is in coins, labour in units, rates are shares. Windows are uint8: blocked, full sources by resource, sources by
resource, houses (1 another's, 2 one's own), workers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.bytes import bit_run, clear_run, copy_run, flat, word_at
from ludarium.envs.core.compile import inner, kernel, tight
from ludarium.envs.econ.book import BUY
from ludarium.envs.econ.gtb.layout import FULL, HOUSE, PRICES, SHUT, Scalars, State
from ludarium.envs.econ.gtb.legal import allowed, index
from ludarium.envs.econ.taxes import bracket_of

__all__ = ["TABLE", "bit_of", "masks", "own_names", "public_names", "see", "window"]

COMMON_SIDE = 11
_NONE = np.uint64(0)
OWN = 16
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
        clear_run(out, at, 22)
        for side in range(2):
            if side != BUY and s.held_stock[b, r, i] == 0:
                continue
            first = (side * c.rules.accounts + i) * c.rules.slots
            for place in range(first, first + c.rules.slots):
                waits = np.float32(s.order_quantity[b, r, place] != 0)  # a level is in range where nothing waits, too
                out[at + side * PRICES + np.int64(s.order_level[b, r, place])] += waits
        at += 2 * PRICES


@inner
def _mark_own(s: State, c: Scalars, b: int, i: int, out: NDArray[np.uint8], to: int, side: int) -> None:
    """Tell a worker's own houses from the others' in its window."""
    y, x = np.int64(s.pos[b, i, 0]) - c.radius, np.int64(s.pos[b, i, 1]) - c.radius
    for row in range(side):
        first = to + row * side
        if side == COMMON_SIDE and word_at(out, first) == _NONE and word_at(out, first + 3) == _NONE:
            continue
        for column in range(side):
            if out[first + column] != 0 and s.owner[b, (y + row) * c.width + x + column] == i + 1:
                out[first + column] = 2


@kernel
def bit_of(kinds: int, layer: int) -> int:
    """The bit of `layers` that a layer of the window shows, where there are so many resources."""
    if layer == 0:
        return SHUT
    return FULL + layer - 1 if layer <= 2 * kinds else HOUSE + layer - 2 * kinds - 1


@inner
def window(s: State, c: Scalars, b: int, i: int, out: NDArray[np.uint8], to: int) -> None:
    """Write the cells around a worker at `out[to:]`, layer by layer."""
    y, x, side, houses = np.int64(s.pos[b, i, 0]), np.int64(s.pos[b, i, 1]), 2 * c.radius + 1, 2 * c.kinds + 1
    cells, padded = flat(s.layers, b), np.int64(s.layers.shape[2])
    corner = index(c, y - c.radius, x - c.radius)
    for layer in range(2 * c.kinds + 3):
        bit = bit_of(c.kinds, layer)
        source, bit = (bit >> 3) * padded + corner, bit & 7
        if side == COMMON_SIDE:
            for row in range(COMMON_SIDE - 1):  # what comes after eleven cells is overwritten by the next row
                bit_run(out, to + row * COMMON_SIDE, cells, source + row * c.stride, bit, 16)
            last = COMMON_SIDE - 1
            bit_run(out, to + last * COMMON_SIDE, cells, source + last * c.stride, bit, 8)
            bit_run(out, to + last * COMMON_SIDE + 3, cells, source + last * c.stride + 3, bit, 8)
        else:
            for row in range(side):
                for column in range(side):
                    out[to + row * side + column] = np.int64(cells[source + row * c.stride + column]) >> bit & 1
        if layer == houses and s.done[b, i, 1] > 0:
            _mark_own(s, c, b, i, out, to, side)
        to += side * side


@inner
def _copy(memory: NDArray[np.uint8], to: int, start: int, size: int) -> None:
    """Copy `size` bytes, a multiple of four, within a row."""
    done = 0
    while done + 64 <= size:
        copy_run(memory, to + done, memory, start + done, 64)
        done += 64
    while done < size:
        copy_run(memory, to + done, memory, start + done, 4)
        done += 4


@inner
def _row(s: State, c: Scalars, b: int, i: int, out: NDArray[np.float32]) -> None:
    """A worker's row of the planner's table: see `TABLE`."""
    earned = _earned(s, c, b, i)
    out[0] = _coins(s.cash[b, i])
    out[1] = _coins(s.held_cash[b, i])
    out[2] = _coins(s.lien[b, i])
    out[3] = s.labour[b, i] * 0.25
    out[4] = s.done[b, i, 1]
    out[5] = _coins(earned)
    out[6] = _coins(s.income[b, i])
    out[7] = _coins(s.paid[b, i])
    out[8] = s.rates[b, bracket_of(earned, c.edges)] * 0.0001


@inner
def _see_planner(s: State, c: Scalars, b: int, out: NDArray[np.float32], table: NDArray[np.float32]) -> None:
    at = _public(s, c, b, out)
    out[at] = _coins(s.treasury[b])
    out[at + 1] = _coins(s.revenue[b])
    out[at + 2] = _coins(s.rebate[b])
    out[at + 3] = s.welfare[b]
    for i in range(c.workers):
        _row(s, c, b, i, table[i])


@inner
def _see_workers(
    s: State, c: Scalars, b: int, seats: NDArray[np.int32], windows: NDArray[np.uint8], out: NDArray[np.float32],
    memory: NDArray[np.uint8],
) -> None:  # fmt: skip
    """What is public is written once, and copied."""
    side, first = 2 * c.radius + 1, np.int64(-1)
    at, size = np.int64(2 + c.brackets + c.kinds * (1 + 2 * PRICES)), (2 * c.kinds + 3) * side * side
    for n in range(seats.shape[0]):
        i = np.int64(seats[n])
        if i < 0:
            continue
        if first < 0:
            _public(s, c, b, out[n])
            first = n
        else:
            _copy(memory, n * 4 * out.shape[1], first * 4 * out.shape[1], 4 * at)
        _own(s, c, b, i, out[n], at)
        window(s, c, b, i, windows, n * size)


@tight
def see(
    s: State, c: Scalars, seats: NDArray[np.int32], cells: NDArray[np.uint8], out: NDArray[np.float32],
    raw: NDArray[np.uint8], table: NDArray[np.float32],
) -> None:  # fmt: skip
    """Write what the listed seats of a role see, in one kernel for both roles, since compiling takes longer than looking.

    Workers: `cells` uint8[B, n, layers, side, side] and `out` float32[B, n, F], what is public, then one's own; `raw`
    uint8[B, n, 4 F] is the same memory as `out`. The planner, where `cells` is empty: float32[B, 1, F] and `table`
    float32[B, 1, N, 9].
    """
    for b in range(seats.shape[0]):
        if cells.shape[0] > 0:
            _see_workers(s, c, b, seats[b], flat(cells, b), out[b], flat(raw, b))
        elif seats[b, 0] >= 0:
            _see_planner(s, c, b, out[b, 0], table[b, 0])


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
