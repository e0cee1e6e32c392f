"""The beginning of episodes: land, sources, places and skills, from a seed or as an instance has them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, tight
from ludarium.envs.core.config import is_integer
from ludarium.envs.core.errors import InstanceError
from ludarium.envs.core.rng import below, draw, episode_key, unit
from ludarium.envs.econ import book
from ludarium.envs.econ.blank import MINUS_ONE
from ludarium.envs.econ.floats import power
from ludarium.envs.econ.gtb.dynamics import begin_accounts
from ludarium.envs.econ.gtb.layout import (
    CENTS,
    FULL,
    SHUT,
    SOMEBODY,
    STREAM_PLACE,
    STREAM_SKILL,
    STREAM_SOURCE,
    Scalars,
    State,
)
from ludarium.envs.econ.gtb.legal import change, index, shows

if TYPE_CHECKING:
    from ludarium.envs.econ.gtb.config import GtbConfig

__all__ = ["LOADED", "Instance", "reset"]

LOADED = -2
TRIES = 1000
QUADRANT, SPLIT, UNIFORM, OPEN = range(4)
PARETO, RANKED, EQUAL = range(3)
LAND, WATER = ".", "~"


# --- the land --------------------------------------------------------------------------------------------------------
@inner
def _gap(at: int, middle: int, whole: int) -> bool:
    """Whether the water along an axis has its gap here: a quarter of each arm, in its middle."""
    first, end = (0, middle) if at < middle else (middle + 1, whole)
    half = max(1, (end - first) // 4)
    start = (first + end) // 2 - half // 2
    return start <= at < start + half


@inner
def _is_water(c: Scalars, y: int, x: int) -> bool:
    middle_y, middle_x = c.height // 2, c.width // 2
    if c.layout == SPLIT:
        return y == middle_y
    if c.layout != QUADRANT or (y != middle_y and x != middle_x):
        return False
    if y == middle_y and x == middle_x:
        return True
    return not _gap(x, middle_x, c.width) if y == middle_y else not _gap(y, middle_y, c.height)


@inner
def _occurs(c: Scalars, y: int, x: int, r: int) -> bool:
    """Whether a resource occurs at a cell: all in the first quadrant, every third in each other one; by halves in `split`."""
    middle_y, middle_x = c.height // 2, c.width // 2
    if c.layout == UNIFORM:
        return True
    if c.layout == SPLIT:
        return r % 2 == np.int64(y > middle_y)
    if c.layout == QUADRANT and (y == middle_y or x == middle_x):
        return False
    part = 2 * np.int64(y > middle_y) + np.int64(x > middle_x)
    return part == 0 or r % 3 == part - 1


@inner
def _draw_cell(s: State, c: Scalars, b: int, y: int, x: int) -> int:
    """The kind of a cell's ground."""
    if _is_water(c, y, x):
        return 1
    count = 0
    for r in range(c.kinds):
        count += _occurs(c, y, x, r)
    share = min(1.0, c.density * count)
    u = unit(draw(s.key[b], STREAM_SOURCE, y * c.width + x, 0, 0))
    if count == 0 or u >= share:
        return 0
    at = min(np.int64(u / share * count), count - 1)
    for r in range(c.kinds):
        if _occurs(c, y, x, r):
            if at == 0:
                return 2 + r
            at -= 1
    return 0


@inner
def _lay(s: State, c: Scalars, b: int) -> None:
    """Write the layers that follow from the ground; beside the map all is blocked."""
    for at in range(s.layers.shape[2]):
        s.layers[b, 0, at] = 1
    for cell in range(c.height * c.width):
        at, kind = index(c, cell // c.width, cell % c.width), np.int64(s.ground[b, cell])
        if kind != 1:
            change(s, b, SHUT, at)
        if kind >= 2:
            change(s, b, FULL + kind - 2, at)
            change(s, b, FULL + c.kinds + kind - 2, at)


# --- workers ---------------------------------------------------------------------------------------------------------
@inner
def _fits(s: State, c: Scalars, b: int, i: int, cell: int) -> bool:
    """Whether a worker may begin there: on land that nobody stands on; in `split` every second one in each half."""
    if c.layout == SPLIT and np.int64(cell // c.width > c.height // 2) != i % 2:
        return False
    at = index(c, cell // c.width, cell % c.width)
    return not shows(s, b, SHUT, at) and not shows(s, b, SOMEBODY, at)


@inner
def _draw_place(s: State, c: Scalars, b: int, i: int) -> int:
    cells = c.height * c.width
    for n in range(TRIES):
        cell = below(draw(s.key[b], STREAM_PLACE, i, n, 0), cells)
        if _fits(s, c, b, i, cell):
            return cell
    cell = np.int64(0)
    while not _fits(s, c, b, i, cell):  # there are four cells for each worker, and water takes few of them
        cell += 1
    return cell


@inner
def _lomax(u: float, a: float) -> float:
    return power(1.0 - u, -1.0 / a) - 1.0


@inner
def _draw_skill(s: State, c: Scalars, b: int, i: int) -> None:
    """What a house pays, and the chance of a second unit when gathering (Zheng et al. 2020)."""
    u, v = unit(draw(s.key[b], STREAM_SKILL, i, 0, 0)), unit(draw(s.key[b], STREAM_SKILL, i, 1, 0))
    if c.skills == RANKED:
        u, v = (i + 0.5) / c.workers, (c.workers - i - 0.5) / c.workers
    skill, bonus = 1.0, 0.0
    if c.skills != EQUAL:
        skill = min(c.max_skill, 1.0 + (c.max_skill - 1.0) * _lomax(u, c.pareto))
        bonus = min(2.0, _lomax(v, 3.0)) / 2.0
    s.pay[b, i] = np.int64(math.floor(CENTS * c.payment * skill + 0.5))
    s.bonus[b, i] = np.int64(math.floor(10_000.0 * bonus + 0.5))
    s.first_cash[b, i] = c.coin
    for r in range(c.kinds):
        s.first_stock[b, r, i] = 0


# --- reset -----------------------------------------------------------------------------------------------------------
BYTES = book.BOOK_BYTES | {
    **dict.fromkeys(
        (
            "t", "over", "faults", "waits", "settled", "minted", "taxed", "rebate", "revenue", "avoided", "houses",
            "ready_at", "owner", "waiting", "rates", "base", "slope", "gathered", "code", "labour", "lien", "income", "paid",
            "done", "layers",
        ),
        0,
    ),
    "live": 1,
    "worth": MINUS_ONE,
}  # fmt: skip
"""What the fields of a row hold before `reset`, byte by byte; of the others it writes every cell."""


@inner
def _place(s: State, c: Scalars, b: int, i: int) -> None:
    """A worker begins where, and with what, it was said."""
    y, x = np.int64(s.first_pos[b, i, 0]), np.int64(s.first_pos[b, i, 1])
    s.pos[b, i, 0] = y
    s.pos[b, i, 1] = x
    change(s, b, SOMEBODY, index(c, y, x))
    s.cash[b, i] = s.first_cash[b, i]
    for r in range(c.kinds):
        s.stock[b, r, i] = s.first_stock[b, r, i]


@tight
def reset(s: State, c: Scalars, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
    """Begin episodes in blank rows of `which`: drawn from the seed (slot -1), or as `load` put them (slot -2)."""
    for b in range(which.shape[0]):
        if not which[b]:
            continue
        s.key[b] = episode_key(seeds[b])
        s.inst[b] = slots[b]
        book.open_sides(s, c.rules, b)
        loaded = slots[b] == LOADED
        if not loaded:
            for cell in range(c.height * c.width):
                s.ground[b, cell] = _draw_cell(s, c, b, cell // c.width, cell % c.width)
        _lay(s, c, b)
        for i in range(c.workers):
            if not loaded:
                cell = _draw_place(s, c, b, i)
                s.first_pos[b, i, 0] = cell // c.width
                s.first_pos[b, i, 1] = cell % c.width
                _draw_skill(s, c, b, i)
            _place(s, c, b, i)
        begin_accounts(s, c, b)


# --- instances -------------------------------------------------------------------------------------------------------
@dataclasses.dataclass(frozen=True)
class Instance:
    """A map as rows of text (`.` land, `~` water, `1` to `4` sources of a resource), and the workers upon it."""

    rows: tuple[str, ...]
    places: tuple[tuple[int, int], ...]
    """row and column of each worker"""
    pay: tuple[int, ...]
    """cents that a house pays"""
    bonus: tuple[int, ...]
    """chances of a second unit, in ten thousandths"""
    cash: tuple[int, ...]
    """cents at the start"""
    stock: tuple[tuple[int, ...], ...]
    """units at the start, a tuple for each worker"""

    @property
    def hash(self) -> str:
        """A BLAKE2b digest (32 hex digits) of the datum."""
        return hashlib.blake2b(json.dumps(self.as_data(), sort_keys=True).encode(), digest_size=16).hexdigest()

    def as_data(self) -> dict[str, Any]:
        """Plain JSON values; `from_data` is the inverse."""
        return {
            "rows": list(self.rows), "places": [list(p) for p in self.places], "pay": list(self.pay),
            "bonus": list(self.bonus), "cash": list(self.cash), "stock": [list(units) for units in self.stock],
        }  # fmt: skip

    @classmethod
    def from_data(cls, data: Any) -> Instance:
        """Read `as_data`'s form; `InstanceError` says what is wrong."""
        try:
            rows = tuple(data["rows"])
            numbers = {name: tuple(data[name]) for name in ("pay", "bonus", "cash")}
            pairs = {name: tuple(tuple(item) for item in data[name]) for name in ("places", "stock")}
            every = [*sum(numbers.values(), ()), *(n for items in pairs.values() for item in items for n in item)]
            if not all(isinstance(row, str) for row in rows) or not all(is_integer(n) for n in every):
                raise ValueError
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InstanceError(
                f"an instance has rows of text, places, pay, bonus, cash and stock of whole numbers; got {data!r:.200}"
            ) from error
        return cls(rows, pairs["places"], numbers["pay"], numbers["bonus"], numbers["cash"], pairs["stock"])

    def validate(self, config: GtbConfig) -> None:
        """Raise `InstanceError` unless it fits a config."""
        kinds, n = len(config.resources), config.n_workers
        if len(self.rows) != config.height or any(len(row) != config.width for row in self.rows):
            raise InstanceError(f"the map is not {config.height} rows of {config.width} cells")
        known = LAND + WATER + "1234"[:kinds]
        for y, row in enumerate(self.rows):
            for x, cell in enumerate(row):
                if cell not in known:
                    raise InstanceError(f"row {y}, column {x} of the map is {cell!r}; expected one of {known}")
        for name in ("places", "pay", "bonus", "cash", "stock"):
            if len(getattr(self, name)) != n:
                raise InstanceError(
                    f"{name} has {len(getattr(self, name))} entries; expected {n}, the config's n_workers"
                )
        if len(set(self.places)) < n:
            raise InstanceError("two workers are in one place; expected different ones")
        for place in self.places:
            inside = len(place) == 2 and 0 <= place[0] < config.height and 0 <= place[1] < config.width
            if not inside or self.rows[place[0]][place[1]] == WATER:
                raise InstanceError(f"place {place} is not on the map's land")
        for name, low, high in (("pay", 1, 10**10), ("bonus", 0, 10_000), ("cash", 0, 10**12)):
            if not all(low <= value <= high for value in getattr(self, name)):
                raise InstanceError(f"{name} = {getattr(self, name)}; expected {low} to {high}")
        if any(len(units) != kinds or not all(0 <= u <= 10**9 for u in units) for units in self.stock):
            raise InstanceError(f"stock = {self.stock}; expected {kinds} numbers from 0 for each worker")
