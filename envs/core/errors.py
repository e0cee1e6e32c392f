"""The errors of the suite, one small tree: each says what was given, what was expected, and what to do.

Every error is a `LudariumError`; those about a bad value are also `ValueError`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

__all__ = [
    "AccessError",
    "ActionError",
    "AgentError",
    "AgentFailedError",
    "BadBracketsError",
    "BudgetExceededError",
    "CassetteMissError",
    "ChainError",
    "ConfigError",
    "ConservationError",
    "EndpointError",
    "FileFormatError",
    "IllegalActionError",
    "InstanceError",
    "LLMError",
    "LeaseLostError",
    "LudariumError",
    "MissingExtraError",
    "MissingKeyError",
    "MovieBusyError",
    "MovieError",
    "NoMovieError",
    "NonFiniteError",
    "NotClaimedError",
    "PopulationError",
    "RateRangeError",
    "RefusedError",
    "RunError",
    "ScenarioError",
    "ScopeError",
    "StatisticsError",
    "StoreError",
    "SubmissionError",
    "TraceError",
    "TrackError",
    "UncoveredBracketError",
    "UnitMismatchError",
    "VerdictConflictError",
    "did_you_mean",
]


class LudariumError(Exception):
    """Base of all errors that the suite raises on purpose."""


class ConfigError(LudariumError, ValueError):
    """A parameter of an environment is wrong; raised when the config is made."""


class BadBracketsError(ConfigError):
    """Tax brackets do not begin at 0, do not rise, or have another number of rates than of edges."""


class RateRangeError(ConfigError):
    """A rate is no fraction from 0 to 1; 35 for 35 % is the usual slip."""


class NonFiniteError(ConfigError):
    """A number is infinite or not a number."""


class PopulationError(ConfigError):
    """A population is empty, or has somebody whose wage is not above 0."""


class UnitMismatchError(ConfigError):
    """Quantities are declared in units that do not go together (weekly incomes, yearly brackets)."""


class UncoveredBracketError(ConfigError):
    """Under a strict start-up check: a bracket that no worker can reach, or a population stuck at its hours."""


class ConservationError(LudariumError, ValueError):
    """Money was minted or lost: says by how much, in minor units."""

    def __init__(self, message: str, delta: int = 0) -> None:
        self.delta = delta
        super().__init__(message)


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


class TrackError(LudariumError, ValueError):
    """A track file is wrong, or its scenario is not the one it was made for."""


class SubmissionError(LudariumError, ValueError):
    """A submission cannot be packed, or is none that may be read: names the file, its member and the reason."""


class StatisticsError(LudariumError, ValueError):
    """A figure cannot be computed from what was given: no values, unequal pairs, a reference that equals chance."""


class RunError(LudariumError):
    """A run folder cannot be written, resumed or verified."""


class StoreError(LudariumError):
    """A board's database or its files refuse something, are damaged, or cannot be reached."""


class RefusedError(StoreError):
    """A board does not take what it was given, or has not what it was asked for; the sentence repeats nothing else."""


class AccessError(StoreError):
    """A token is unknown, revoked or expired, or lacks the scope that is asked for."""


class ScopeError(AccessError):
    """A token is good, but not for this."""


class ChainError(StoreError):
    """The log of a board does not hold together; says at which link first, and why."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"log, link {number}: {reason}")
        self.number, self.reason = number, reason


class LeaseLostError(StoreError):
    """A worker's lease of a job ran out and another took the job, or the job is no longer open."""


class VerdictConflictError(StoreError):
    """Other figures than those on record were found for the same bytes; both are kept and shown, nothing is replaced."""


class MovieError(LudariumError):
    """An episode of a submission that cannot be shown: it does not replay, or would be too large for a page."""


class NoMovieError(MovieError):
    """There is no such episode, or nobody has verified it."""


class MovieBusyError(MovieError):
    """Too many movies are being made at this moment: ask again."""


class AgentError(LudariumError):
    """An agent cannot be made, or broke the protocol."""


class AgentFailedError(AgentError):
    """An agent outside this process gave no usable answer."""

    def __init__(self, message: str, *, kind: str = "nonsense") -> None:
        super().__init__(message)
        self.kind = kind
        """How the turn is lost: `late`, `died`, `crash` or `nonsense`."""


class LLMError(AgentError):
    """A language model gave no usable answer, or could not be asked."""

    charges: Any = None
    """What the tries took that were made before it, `ludarium.agents.llm.ledger.Charges`; None where none was made."""


class EndpointError(LLMError):
    """One try at an endpoint failed; says what kind of failure it was and whether another try may do better."""

    def __init__(
        self,
        message: str,
        *,
        kind: str = "status",
        status: int | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        """`connection`, `timeout`, `deadline`, `status`, `json`, `shape`, `choices` or `large`."""
        self.status = status
        """HTTP status, None where no answer came."""
        self.retryable = retryable
        self.retry_after = retry_after
        """Seconds that the endpoint asked to wait before the next try."""


class BudgetExceededError(LLMError):
    """A call would pass a limit on calls, tokens or money, and was not made."""

    def __init__(self, message: str, *, scope: str = "", what: str = "") -> None:
        super().__init__(message)
        self.scope = scope
        """`call`, `episode` or `run`."""
        self.what = what
        """`calls`, `tokens` or `micro_dollars`."""


class CassetteMissError(LLMError):
    """A replayed run asked what was never recorded."""


class MissingKeyError(LLMError):
    """The environment variable that should hold an endpoint's key is not set."""


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
