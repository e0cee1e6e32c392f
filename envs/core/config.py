"""The base of every environment's parameters: a frozen dataclass, validated when it is made."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar, Self

from ludarium.envs.core.errors import ConfigError, did_you_mean

__all__ = ["Config", "at_least", "between", "is_integer", "one_of", "true_or_false", "within"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Parameters that all environments share; families add theirs and check them in `validate`."""

    max_steps: int = 256
    """Steps after which an episode is truncated; the only time limit."""

    examples: ClassVar[dict[str, tuple[Any, ...]]] = {}
    """Values that the laws draw a field from, where small integers and the names that errors list do not do."""
    _choices: ClassVar[dict[str, tuple[str, ...]]] = {}

    def __post_init__(self) -> None:
        at_least("max_steps", self.max_steps, 1)
        if self.max_steps >= 2**31:
            raise ConfigError(f"max_steps = {self.max_steps} is too large; expected less than 2**31")
        for name, known in self._choices.items():
            one_of(name, getattr(self, name), known)
        self.validate()

    def validate(self) -> None:
        """Raise `ConfigError` for values that do not fit together."""

    @classmethod
    def of(cls, **options: Any) -> Self:
        """Make a config from options; an unknown name raises `ConfigError` with the nearest known one."""
        known = {field.name for field in dataclasses.fields(cls)}
        for name in options:
            if name not in known:
                raise ConfigError(f"unknown option {name!r}{did_you_mean(name, known)}")
        frozen = {name: _freeze(value) for name, value in options.items()}
        return cls(**frozen)

    def as_dict(self) -> dict[str, Any]:
        """The options that differ from the defaults, as plain JSON values."""
        changed = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                changed[field.name] = _thaw(value)
        return changed

    def replace(self, **changes: Any) -> Self:
        """A copy with some options changed, validated again."""
        return type(self).of(**{**{f.name: getattr(self, f.name) for f in dataclasses.fields(self)}, **changes})

    def scalars(self) -> tuple[Any, ...]:
        """The numbers that kernels need, as a tuple of fixed types; families override it."""
        return (int(self.max_steps),)


def _freeze(value: Any) -> Any:
    if hasattr(value, "tolist"):
        value = value.tolist()
    return tuple(_freeze(item) for item in value) if isinstance(value, list | tuple) else value


def _thaw(value: Any) -> Any:
    return [_thaw(item) for item in value] if isinstance(value, tuple) else value


def is_integer(value: Any) -> bool:
    """Whether a value is a plain integer (NumPy's count, booleans do not)."""
    return hasattr(value, "__index__") and not isinstance(value, bool)


def at_least(name: str, value: Any, low: int) -> None:
    """Raise `ConfigError` unless `value` is an integer of at least `low`."""
    if not is_integer(value) or value < low:
        raise ConfigError(f"{name} = {value!r}; expected an integer of at least {low}")


def between(name: str, value: Any, low: int, high: int) -> None:
    """Raise `ConfigError` unless `value` is an integer from `low` to `high`."""
    at_least(name, value, low)
    if value > high:
        raise ConfigError(f"{name} = {value}; expected at most {high}")


def true_or_false(name: str, value: Any) -> None:
    """Raise `ConfigError` unless `value` is a bool."""
    if not isinstance(value, bool):
        raise ConfigError(f"{name} = {value!r}; expected True or False")


def within(name: str, value: Any, low: float, high: float) -> None:
    """Raise `ConfigError` unless `value` is a number in [low, high] (NaN is not)."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not low <= value <= high:
        raise ConfigError(f"{name} = {value!r}; expected a number from {low} to {high}")


def one_of(name: str, value: Any, known: tuple[str, ...]) -> None:
    """Raise `ConfigError` unless `value` is one of the known names."""
    if value not in known:
        raise ConfigError(f"{name} = {value!r}{did_you_mean(str(value), known)}")
