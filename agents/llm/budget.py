"""Budgets of calls, tokens and money: reserved before a call, settled after it, so that no limit is passed in between.

Money is counted in whole micro-dollars and rounded up. A try that failed is charged too: a call where the endpoint
refused with an error status (which nobody bills for), all that was reserved where an answer may have been made.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from ludarium.agents.llm.client import Usage
from ludarium.envs.core.errors import BudgetExceededError, ConfigError, FileFormatError

__all__ = ["Budget", "Cost", "Limits", "Prices", "Reservation", "micro_dollars", "read_prices", "reserve"]

_MILLION = 1_000_000
_WHAT = ("calls", "tokens", "micro_dollars")


def micro_dollars(dollars: str | int | float | Decimal) -> int:
    """Dollars as whole micro-dollars, rounded down: a limit is never rounded above what was said."""
    try:
        amount = Decimal(str(dollars))
    except InvalidOperation:
        raise ConfigError(f"{dollars!r} is no amount of dollars; expected a number such as 0.25") from None
    if not amount.is_finite() or amount < 0:
        raise ConfigError(f"{dollars!r} is no amount of dollars; expected a number of at least 0")
    return int(amount * _MILLION)


@dataclasses.dataclass(frozen=True)
class Limits:
    """What may be spent; None: no limit."""

    calls: int | None = None
    """Every try counts, retries too."""
    tokens: int | None = None
    """Prompt and completion."""
    micro_dollars: int | None = None

    def __post_init__(self) -> None:
        for name in _WHAT:
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
                raise ConfigError(f"{name} = {value!r} is no limit; expected a whole number of at least 0, or None")


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a try costs, or may cost."""

    calls: int = 0
    tokens: int = 0
    micro_dollars: int | None = 0
    """None: the model's price is not known."""


class Budget:
    """What was spent and is reserved under some limits.

    It may be shared by many episodes, and is touched only from the event loop that makes the calls.
    """

    def __init__(self, limits: Limits | None = None, scope: str = "episode") -> None:
        self.limits, self.scope = limits or Limits(), scope
        self.spent = dict.fromkeys(_WHAT, 0)
        self.reserved = dict.fromkeys(_WHAT, 0)
        self.unpriced = 0
        """Calls whose price is not known: `spent["micro_dollars"]` lacks them."""
        self._waiting: list[asyncio.Future[None]] = []

    def refuses(self, cost: Cost) -> BudgetExceededError | None:
        """Return the error if this cost can never fit, whatever the calls under way turn out to cost."""
        if self.limits.micro_dollars is not None and cost.micro_dollars is None and self.limits.tokens is None:
            return BudgetExceededError(
                f"the {self.scope}'s budget is in dollars, but the model has no price; add the model to the prices file, "
                "or give a limit on tokens",
                scope=self.scope,
                what="micro_dollars",
            )
        for what, limit, more in self._limited(cost):
            if self.spent[what] + more > limit:
                return BudgetExceededError(
                    f"the {self.scope}'s budget of {limit} {what} is used up: {self.spent[what]} are spent and the next "
                    f"call may take {more}",
                    scope=self.scope,
                    what=what,
                )
        return None

    def fits(self, cost: Cost) -> bool:
        """Return whether this cost fits now, even if all calls under way cost what they reserved."""
        return all(self.spent[what] + self.reserved[what] + more <= limit for what, limit, more in self._limited(cost))

    def _limited(self, cost: Cost) -> list[tuple[str, int, int]]:
        pairs = ((what, getattr(self.limits, what), getattr(cost, what)) for what in _WHAT)
        return [(what, limit, more) for what, limit, more in pairs if limit is not None and more is not None]

    def _hold(self, cost: Cost) -> None:
        for what in _WHAT:
            self.reserved[what] += getattr(cost, what) or 0

    def _settle(self, held: Cost, actual: Cost) -> None:
        for what in _WHAT:
            self.reserved[what] -= getattr(held, what) or 0
            self.spent[what] += getattr(actual, what) or 0
        self.unpriced += actual.calls if actual.micro_dollars is None else 0
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def changed(self) -> None:
        """Wait until a call under way is settled."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future


class Reservation:
    """A cost held in some budgets until the call is over; settle exactly once."""

    def __init__(self, budgets: Sequence[Budget], cost: Cost) -> None:
        self._budgets, self.cost, self._open = budgets, cost, True
        for budget in budgets:
            budget._hold(cost)

    def settle(self, actual: Cost) -> None:
        """Give the reservation back and charge what the call took."""
        if not self._open:
            raise RuntimeError("a reservation is settled once")
        self._open = False
        for budget in self._budgets:
            budget._settle(self.cost, actual)


async def reserve(budgets: Sequence[Budget], cost: Cost) -> Reservation:
    """Hold the cost in all budgets at once; waits for calls under way where only their reservations leave no room.

    Raises `BudgetExceededError` as soon as the cost can never fit.
    """
    while True:
        for budget in budgets:
            error = budget.refuses(cost)
            if error is not None:
                raise error
        full = next((budget for budget in budgets if not budget.fits(cost)), None)
        if full is None:
            return Reservation(budgets, cost)
        await full.changed()


class Prices:
    """Micro-dollars per million tokens (whole numbers), by model: prompt and completion."""

    def __init__(self, models: Mapping[str, tuple[int, int]] | None = None) -> None:
        self.models = dict(models or {})

    def cost(self, model: str, usage: Usage) -> int | None:
        """Micro-dollars of a usage, rounded up; None for a model without a price."""
        price = self.models.get(model)
        if price is None:
            return None
        return -(-(usage.prompt * price[0] + usage.completion * price[1]) // _MILLION)


def read_prices(path: str | Path) -> Prices:
    """Read a prices file, TOML or JSON: `models.NAME = {prompt, completion}` in dollars per million tokens."""
    path = Path(path)
    try:
        text = path.read_text("utf-8")
        read: Any = json.loads if path.suffix == ".json" else tomllib.loads
        given = read(text, parse_float=Decimal)
    except (OSError, ValueError, RecursionError) as error:
        raise FileFormatError(path, f"cannot be read as prices: {error}") from error
    models = given.get("models") if isinstance(given, dict) else None
    if not isinstance(models, dict):
        raise FileFormatError(path, 'expected a table `[models."NAME"]` with `prompt` and `completion`')
    return Prices({name: _price(path, name, entry) for name, entry in models.items()})


def _price(path: Path, name: str, entry: Any) -> tuple[int, int]:
    if not isinstance(entry, dict) or set(entry) != {"prompt", "completion"}:
        raise FileFormatError(path, f"model {name!r}: expected `prompt` and `completion`, dollars per million tokens")
    found = []
    for which in ("prompt", "completion"):
        value = entry[which]
        if (
            isinstance(value, bool)
            or not isinstance(value, int | Decimal)
            or not Decimal(value).is_finite()
            or value < 0
        ):
            raise FileFormatError(
                path, f"model {name!r}: {which} = {value!r} is no price; expected dollars per million"
            )
        scaled = Decimal(value) * _MILLION
        if scaled != scaled.to_integral_value():
            raise FileFormatError(path, f"model {name!r}: {which} = {value} has more than six decimal places")
        found.append(int(scaled))
    return found[0], found[1]
