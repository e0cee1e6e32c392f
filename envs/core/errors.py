"""The errors of the suite, one small tree: each says what was given, what was expected, and what to do.

Every error is a `LudariumError`; those about a bad value are also `ValueError`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "ActionError",
    "AgentError",
    "ConfigError",
    "FileFormatError",
    "IllegalActionError",
    "InstanceError",
    "LudariumError",
    "MissingExtraError",
    "NotClaimedError",
    "RunError",
    "ScenarioError",
    "TraceError",
    "did_you_mean",
]


class LudariumError(Exception):
    """Base of all errors that the suite raises on purpose."""


class ConfigError(LudariumError, ValueError):
    """A parameter of an environment is wrong; raised when the config is made."""


class InstanceError(LudariumError, ValueError):
    """An instance (a map, a game, a task) contradicts itself or the config."""


class ActionError(LudariumError, ValueError):
    """An action is outside its space; raised before any state changes."""


class IllegalActionError(ActionError):
    """An action is inside its space but illegal now; raised only under `illegal="raise"`."""


class FileFormatError(LudariumError, ValueError):
    """A file cannot be read: names the file, the line and the reason."""

    def __init__(self, path: object, reason: str, line: int | None = None) -> None:
        self.path, self.line, self.reason = str(path), line, reason
        where = f"{self.path}:{line}" if line is not None else self.path
        super().__init__(f"{where}: {reason}")


class TraceError(LudariumError, ValueError):
    """A trace is damaged, of another version, or does not replay."""


class ScenarioError(LudariumError, ValueError):
    """A scenario file is wrong or its hash does not match."""


class RunError(LudariumError):
    """A run folder cannot be written, resumed or verified."""


class AgentError(LudariumError):
    """An agent cannot be made, or broke the protocol."""


class NotClaimedError(LudariumError, NotImplementedError):
    """A world does not offer this view or ability, and says so."""


class MissingExtraError(LudariumError, ImportError):
    """An optional dependency is not installed; names the extra to install."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"this needs the package {package!r}: pip install 'ludarium[{extra}]'")


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return `"; did you mean 'x'?"` for the nearest known name, else the sorted list of known names."""
    names = sorted(known)
    near = difflib.get_close_matches(given, names, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(names)}"
