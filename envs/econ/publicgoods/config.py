"""Parameters of the public goods game."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from ludarium.envs.core.config import Config, between, true_or_false
from ludarium.envs.core.errors import ConfigError, RateRangeError

__all__ = ["PARTS", "PublicGoodsConfig"]

PARTS = 10_000
"""The marginal per-capita return is counted in so many parts."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PublicGoodsConfig(Config):
    """Parameters of `econ-publicgoods-v0`. Money is in integer minor units, what is given in tokens."""

    max_steps: int = 20
    members: int = 4
    endowment: int = 20
    """Tokens of a member in a round."""
    endowment_spread: int = 0
    """A member's own endowment is drawn from `endowment - endowment_spread` to `endowment + endowment_spread`."""
    token: int = 100
    """What a token is worth to who keeps it."""
    mpcr: float = 0.4
    """The marginal per-capita return: what a token in the pot brings each member, in tokens."""
    punishment: bool = False
    """After each round of giving comes a step in which each may give points to one other."""
    points: int = 5
    """Points that may be given at once."""
    point_cost: int = 100
    """What a point costs who gives it."""
    point_fine: int = 300
    """What it costs who gets it."""

    examples: ClassVar[dict[str, tuple[Any, ...]]] = {
        "members": (1, 2, 3, 5), "endowment": (20, 5), "endowment_spread": (0, 5), "mpcr": (0.4, 0.3333, 0.0, 1.5),
        "token": (100, 7), "points": (5, 1), "point_cost": (100, 0), "point_fine": (300, 1), "max_steps": (3, 20),
    }  # fmt: skip

    def validate(self) -> None:
        """Check each number; a return above 10 is taken for a percentage."""
        for name, low, high in (
            ("members", 1, 64), ("endowment", 1, 1000), ("endowment_spread", 0, 1000), ("token", 1, 10**6), ("points", 1, 20),
            ("point_cost", 0, 10**6), ("point_fine", 0, 10**6),
        ):  # fmt: skip
            between(name, getattr(self, name), low, high)
        if self.endowment_spread > self.endowment:
            raise ConfigError(f"endowment_spread = {self.endowment_spread} is more than endowment = {self.endowment}")
        if isinstance(self.mpcr, bool) or not isinstance(self.mpcr, int | float) or not 0 <= self.mpcr <= 10:
            told = f"; {self.mpcr} looks like a percentage: use {self.mpcr / 100:g}" if _percentage(self.mpcr) else ""
            raise RateRangeError(f"mpcr = {self.mpcr!r}; expected a number from 0 to 10{told}")
        richest = self.members * (self.endowment + self.endowment_spread) * self.token
        if richest * (1 + int(self.mpcr + 1) * self.members) * self.max_steps >= 1 << 60:
            raise ConfigError("members, endowment, token, mpcr and max_steps make more than 2**60 of money")
        true_or_false("punishment", self.punishment)

    @property
    def parts(self) -> int:
        """The marginal per-capita return in `PARTS`."""
        return round(self.mpcr * PARTS)


def _percentage(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 10 < value <= 1000
