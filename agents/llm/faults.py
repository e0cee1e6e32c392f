"""What can go wrong at an endpoint, for the fake server to do on demand."""

from __future__ import annotations

import dataclasses

from ludarium.envs.core.errors import ConfigError, did_you_mean

__all__ = ["FAULTS", "Fault"]

FAULTS = {
    "status": "an error status with OpenAI's error body; by number: `429`, `500`, ...; `retry_after` sets the header",
    "slow": "the answer comes `seconds` late",
    "drip": "the answer comes byte by byte, `seconds` apart",
    "drop": "the connection is closed without an answer",
    "half": "the connection is closed in the middle of the answer",
    "badjson": "the JSON is cut off, under a header that says it is whole",
    "html": "a page instead of JSON, status 200 unless `status` is given",
    "list": "JSON, but no object",
    "deep": "JSON nested deeper than a parser goes",
    "nochoices": "no choices in the answer",
    "nomessage": "a choice without a message",
    "nousage": "the answer lacks its usage",
    "wrongusage": "the usage is nonsense: text and negative numbers",
    "refusal": "the model refuses: no content, a `refusal`",
    "truncated": "the answer is cut off at the token limit: finish reason `length`",
    "empty": "the answer is an empty text",
    "long": "the answer's text has `size` characters",
    "echo": "status 401, with the key that was sent repeated in the message",
}
"""Kinds of faults."""


@dataclasses.dataclass(frozen=True)
class Fault:
    """One fault of one answer."""

    kind: str
    status: int = 0
    retry_after: str | float | None = None
    seconds: float = 0.0
    size: int = 0
    headers: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in FAULTS:
            raise ConfigError(f"unknown fault {self.kind!r}{did_you_mean(self.kind, FAULTS)}")

    @classmethod
    def of(cls, text: str | Fault) -> Fault:
        """Read `429`, `badjson`, `slow:0.5` or `long:1000000`."""
        if isinstance(text, Fault):
            return text
        kind, _, amount = text.partition(":")
        if kind.isdigit():
            return cls("status", status=int(kind), retry_after=amount or None)
        fault = cls(kind)
        try:
            number = float(amount or 0)
        except ValueError:
            raise ConfigError(f"fault {text!r}: {amount!r} is no number") from None
        return dataclasses.replace(fault, seconds=number, size=int(number))
