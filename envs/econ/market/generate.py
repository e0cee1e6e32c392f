"""Instances of the market: endowments, what goods are worth to whom, and the names by which turns are drawn."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, tight
from ludarium.envs.core.errors import InstanceError
from ludarium.envs.core.rng import below, draw, episode_key
from ludarium.envs.econ import book
from ludarium.envs.econ.blank import MINUS_ONE
from ludarium.envs.econ.market import flow
from ludarium.envs.econ.market.clock import draw_turns
from ludarium.envs.econ.market.state import ASSET, INDUCED, INSIDER, Scalars, State
from ludarium.envs.econ.market.worth import wealth, worth_of

if TYPE_CHECKING:
    from ludarium.envs.econ.market.config import MarketConfig

__all__ = ["BYTES", "LOADED", "RICH", "Instance", "reset"]

LOADED = -2
RICH = 1 << 50
"""The money of each account of those who follow a rule; they begin with `PLENTY` goods."""
PLENTY = 1 << 30
STREAM_VALUES, STREAM_DEAL, STREAM_CLASS = 1, 2, 3


@inner
def _draw_values(s: State, c: Scalars, b: int, first: int, count: int, buying: bool) -> None:
    """Levels of the units of `count` traders from seat `first`, dealt from a line or drawn uniformly, as money."""
    total = count * c.units
    for n in range(total):
        if c.uniform:
            level = below(draw(s.key[b], STREAM_VALUES, first * c.units + n, 0, 0), c.rules.levels)
        else:
            level = (c.rules.levels - 1) * (2 * n + 1) // (2 * total)
        s.worth[b, first + n // c.units, n % c.units] = c.rules.low + level * c.rules.tick
    if not c.uniform:
        for n in range(total - 1, 0, -1):
            other = below(draw(s.key[b], STREAM_DEAL, n, np.int64(buying), 0), n + 1)
            i, j = first + n // c.units, first + other // c.units
            kept = s.worth[b, i, n % c.units]
            s.worth[b, i, n % c.units] = s.worth[b, j, other % c.units]
            s.worth[b, j, other % c.units] = kept


@inner
def _sort_falling(row: NDArray[np.int64]) -> None:
    for i in range(1, row.shape[0]):
        value, j = row[i], i
        while j > 0 and row[j - 1] < value:
            row[j] = row[j - 1]
            j -= 1
        row[j] = value


@inner
def _induce(s: State, c: Scalars, b: int) -> None:
    """Buyers first, then sellers; each has more money than it can lose."""
    buyers = (c.traders + 1) // 2
    dearest = c.rules.low + c.rules.levels * c.rules.tick
    _draw_values(s, c, b, 0, buyers, True)
    _draw_values(s, c, b, buyers, c.traders - buyers, False)
    for i in range(c.traders):
        _sort_falling(s.worth[b, i])
        s.first_cash[b, i] = (c.periods + 1) * c.units * dearest
        if i >= buyers:
            s.first_stock[b, 0, i] = c.units


@inner
def _endow(s: State, c: Scalars, b: int) -> None:
    """Three classes of equal wealth and unequal shares, as in Smith, Suchanek and Williams (1988)."""
    turned = below(draw(s.key[b], STREAM_CLASS, 0, 0, 0), 3)
    for i in range(c.traders):
        s.first_cash[b, i] = 0
        for m in range(c.markets):
            worth = np.int64(np.floor(worth_of(c, m, 0)))
            shares = max(c.units + 1 - (i + m + turned) % 3, 0)
            s.first_stock[b, m, i] = shares
            s.first_cash[b, i] += worth * (c.units + 1 - shares) + 5 * worth // 8


@inner
def _draw_endowments(s: State, c: Scalars, b: int) -> None:
    """Endowments and values of a seed."""
    for seat in range(c.seats):
        s.name[b, seat] = seat
    if c.kind == INDUCED:
        _induce(s, c, b)
    elif c.kind == ASSET:
        _endow(s, c, b)
    else:
        for i in range(c.traders):
            s.first_cash[b, i] = c.max_quantity * c.rules.tick * c.rules.levels * 64


@inner
def _equip_others(s: State, c: Scalars, b: int) -> None:
    """The market maker, and those who follow a rule."""
    if c.maker:
        s.first_cash[b, c.traders] = 8 * c.periods * c.units * c.markets * (c.rules.low + c.rules.levels * c.rules.tick)
        for m in range(c.markets):
            s.first_stock[b, m, c.traders] = 0 if c.kind == INDUCED else 2 * c.units
    for account in range(c.traders + c.maker, c.accounts):
        s.first_cash[b, account] = RICH
        for m in range(c.markets):
            s.first_stock[b, m, account] = 0 if c.kind == INSIDER else PLENTY


@inner
def _fund(s: State, c: Scalars, b: int) -> None:
    """All that is owned is free."""
    for account in range(c.accounts):
        s.cash[b, account] = s.first_cash[b, account]
        for m in range(c.markets):
            s.stock[b, m, account] = s.first_stock[b, m, account]


@inner
def _guess(c: Scalars, m: int) -> int:
    """The level that is looked to before there is a trade: what a share is worth, or the middle."""
    if c.kind != ASSET:
        return c.rules.levels // 2
    level = np.int64(np.floor((worth_of(c, m, 0) - np.float64(c.rules.low)) / np.float64(c.rules.tick)))
    return min(max(level, 0), c.rules.levels - 1)


BYTES = book.BOOK_BYTES | {
    **dict.fromkeys(
        (
            "halted", "minted", "faults", "code", "filled", "seen", "changes", "quoted", "traded", "paid", "value", "signal",
            "sent", "turn",
        ),
        0,
    ),
    **dict.fromkeys(("before", "path"), MINUS_ONE),
}  # fmt: skip
"""What the fields of a row hold before `reset`, byte by byte; of the others it writes every cell."""


@tight
def reset(s: State, c: Scalars, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
    """Begin episodes in blank rows of `which`: drawn from the seed (slot -1), or where `load` put them (slot -2)."""
    for b in range(which.shape[0]):
        if not which[b]:
            continue
        s.key[b] = episode_key(seeds[b])
        s.inst[b] = slots[b]
        s.t[b] = 0
        s.over[b] = False
        for seat in range(c.seats):
            s.live[b, seat] = True
        if slots[b] != LOADED:
            _draw_endowments(s, c, b)
        _equip_others(s, c, b)
        _fund(s, c, b)
        book.open_sides(s, c.rules, b)
        for m in range(c.markets):
            s.reference[b, m] = _guess(c, m)
        s.rate[b] = c.fee
        s.grain[b] = 1
        for seat in range(c.seats):
            s.wealth[b, seat] = wealth(s, c, b, seat, 0) if seat < c.traders + c.maker else 0.0
            s.first_wealth[b, seat] = s.wealth[b, seat]
        if c.kind == INSIDER:
            flow.draw_value(s, c, b)
        draw_turns(s, c, b)


@dataclasses.dataclass(frozen=True)
class Instance:
    """Endowments of the traders: money, goods by market, what the k-th unit held is worth (induced values), names."""

    cash: tuple[int, ...]
    stock: tuple[tuple[int, ...], ...]
    worth: tuple[tuple[int, ...], ...]
    names: tuple[int, ...]

    @property
    def hash(self) -> str:
        """A BLAKE2b digest (32 hex digits) of the datum."""
        return hashlib.blake2b(json.dumps(self.as_data()).encode(), digest_size=16).hexdigest()

    def as_data(self) -> dict[str, Any]:
        """Plain JSON values; `from_data` is the inverse."""
        return {
            "cash": list(self.cash), "stock": [list(row) for row in self.stock],
            "worth": [list(row) for row in self.worth], "names": list(self.names),
        }  # fmt: skip

    @classmethod
    def from_data(cls, data: Any) -> Instance:
        """Read `as_data`'s form; `InstanceError` says what is wrong."""
        try:
            return cls(
                tuple(int(n) for n in data["cash"]), tuple(tuple(int(n) for n in row) for row in data["stock"]),
                tuple(tuple(int(n) for n in row) for row in data["worth"]), tuple(int(n) for n in data["names"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise InstanceError(
                f"an instance has cash, stock (by market), worth and names, a number a trader; got {data!r:.200}"
            ) from error

    def validate(self, config: MarketConfig) -> None:
        """Raise `InstanceError` unless it fits the config."""
        p = config.plan
        n, induced = p.num_traders, p.kind == "induced"
        if len(self.cash) != n or sorted(self.names) != list(range(n)):
            raise InstanceError(
                f"cash of {len(self.cash)} and names of {len(self.names)}; expected {n}, names 0 to {n - 1}"
            )
        if len(self.stock) != len(p.instruments) or any(len(row) != n for row in self.stock):
            raise InstanceError(f"stock must have {len(p.instruments)} markets of {n} traders")
        if len(self.worth) != n or any(len(row) != p.units for row in self.worth):
            raise InstanceError(f"worth must have {n} traders of {p.units} units")
        if any(row != tuple(sorted(row, reverse=True)) for row in self.worth):
            raise InstanceError("what a further unit is worth may not be more than the one before")
        numbers = [*self.cash, *(v for row in (*self.stock, *self.worth) for v in row)]
        if any(not 0 <= v <= RICH // 1024 for v in numbers):
            raise InstanceError(f"money, goods and values are from 0 to {RICH // 1024}")
        paid = sum(
            sum(row) * (p.periods * max(d) + last)
            for row, d, last in zip(self.stock, p.dividends, p.terminal, strict=True)
        )
        money = sum(self.cash) + paid + p.periods * sum(map(sum, self.worth))
        if money >= 1 << 60:
            raise InstanceError(f"money, goods and what they bring make {money}, more than 2**60")
        if induced and any(units > p.units for units in self.stock[0]):
            raise InstanceError(f"a seller has at most {p.units} units")
