"""Parameters of bargaining."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, ClassVar, NamedTuple

from ludarium.envs.core.config import Config, between, true_or_false
from ludarium.envs.core.errors import ConfigError, RateRangeError
from ludarium.envs.econ.bargain.oracles import SCALE

__all__ = ["GAMES", "BargainConfig", "Shape"]

MAX_OFFERS = 4096


class Shape(NamedTuple):
    """What is bargained over, and for how long."""

    issues: int
    units: int
    rounds: int


GAMES: dict[str, Shape] = {
    "ultimatum": Shape(1, 100, 1),
    "rubinstein": Shape(1, 100, 10),
    "multi-issue": Shape(3, 5, 10),
}
"""One offer about one pie; offers in turn; offers in turn about several things that are not worth the same to both."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class BargainConfig(Config):
    """Parameters of `econ-bargain-v0`. Worth is in integer minor units; None: as the game has it."""

    max_steps: int = 20
    game: str = "rubinstein"
    issues: int | None = None
    units: int | None = None
    """Units of each issue, to be shared out."""
    rounds: int | None = None
    """Offers that can be made; after the last is refused nobody gets anything."""
    patience: tuple[float, float] = (0.9, 0.9)
    """What worth is left of 1 after each refusal, to who proposes first and to the other."""
    worth: int = 100
    """What a unit is worth; under `multi-issue` times a number from 1 to `value_high`."""
    value_high: int = 10
    private: bool = False
    """The other's values are not told."""

    examples: ClassVar[dict[str, tuple[Any, ...]]] = {
        "issues": (None, 1, 2), "units": (None, 3, 10), "rounds": (None, 1, 4), "worth": (100, 7), "value_high": (10, 1),
        "patience": ((0.9, 0.9), (0.5, 0.95), (1.0, 0.0)), "max_steps": (4, 20),
    }  # fmt: skip
    _choices: ClassVar[dict[str, tuple[str, ...]]] = {"game": tuple(GAMES)}

    def validate(self) -> None:
        """Check each number; patience above 1 is taken for a percentage."""
        for name, low, high in (("issues", 1, 8), ("units", 1, MAX_OFFERS - 1), ("rounds", 1, 1000)):
            if getattr(self, name) is not None:
                between(name, getattr(self, name), low, high)
        between("worth", self.worth, 1, 10**6)
        between("value_high", self.value_high, 1, 1000)
        true_or_false("private", self.private)
        if not isinstance(self.patience, tuple) or len(self.patience) != 2:
            raise ConfigError(f"patience = {self.patience!r}; expected two numbers")
        for given in self.patience:
            if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= 1:
                percent = isinstance(given, int | float) and 1 < given <= 100
                hint = f"; {given} looks like a percentage: use {given / 100:g}" if percent else ""
                raise RateRangeError(f"patience = {self.patience!r}; expected numbers from 0 to 1{hint}")
        if self.shape.issues * self.shape.units * self.worth * self.value_high >= 1 << 31:
            raise ConfigError("issues, units, worth and value_high make more than 2**31 of worth")
        if self.offers > MAX_OFFERS:
            raise ConfigError(f"issues and units make {self.offers} offers; expected at most {MAX_OFFERS}")

    @functools.cached_property
    def shape(self) -> Shape:
        """The game's numbers with the options that override them."""
        given = {name: getattr(self, name) for name in Shape._fields}
        return GAMES[self.game]._replace(**{name: int(value) for name, value in given.items() if value is not None})

    @property
    def offers(self) -> int:
        """How many offers there are."""
        return int((self.shape.units + 1) ** self.shape.issues)

    @functools.cached_property
    def discounts(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """What is left after each number of refusals, in parts of `SCALE`, for who proposes first and for the other."""
        found = []
        for given in self.patience:
            parts, row = round(given * SCALE), [SCALE]
            for _ in range(self.shape.rounds - 1):
                row.append(row[-1] * parts // SCALE)
            found.append(tuple(row))
        return found[0], found[1]
