"""What is asked of a language model and what it answers: plain values, the same for every driver."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Protocol, TypedDict, runtime_checkable

from ludarium.agents.llm.redact import redact_patterns

__all__ = ["Completion", "Driver", "Request", "ToolCall", "Usage", "canonical"]


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values have equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@dataclasses.dataclass(frozen=True)
class Request:
    """One question to a model, in the words of OpenAI's chat completions."""

    model: str
    messages: tuple[dict[str, Any], ...]
    """`{"role": "system" | "user" | "assistant" | "tool", "content": ..., ...}`."""
    tools: tuple[dict[str, Any], ...] = ()
    """`{"type": "function", "function": {"name", "description", "parameters": JSON Schema}}`."""
    max_tokens: int | None = None
    """The most tokens of the answer; None: the gateway's own limit."""
    temperature: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    extra: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Further members of the body, for endpoints that know more (`top_p`, `reasoning_effort`, ...)."""
    session: str = ""
    """Who asks, sent as `user`: one conversation of one seat of one episode. No part of the key."""
    call: int = 0
    """Number of the question in this process, equal for all tries at it; the gateway counts. No part of the key."""

    def content(self) -> dict[str, Any]:
        """What decides the answer: all fields but those that say who asks, and no fields that were left out."""
        found = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in ("session", "call")}
        return {name: value for name, value in found.items() if value not in (None, (), {}, [])}

    @functools.cached_property
    def key(self) -> str:
        """SHA-256 of the canonical JSON of `content()`, as recordings name it; whatever looks like a secret is left out."""
        return hashlib.sha256(redact_patterns(canonical(self.content())).encode("utf-8", "replace")).hexdigest()


@dataclasses.dataclass(frozen=True)
class Usage:
    """Tokens of a call."""

    prompt: int = 0
    completion: int = 0
    estimated: bool = False
    """The endpoint did not say (or said nonsense): these are our own counts."""

    @property
    def total(self) -> int:
        """All tokens."""
        return self.prompt + self.completion

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.prompt + other.prompt, self.completion + other.completion, self.estimated or other.estimated)


class ToolCall(TypedDict):
    """A tool that the model calls; `arguments` is the text as it came, which may be no JSON at all."""

    id: str
    name: str
    arguments: str


@dataclasses.dataclass(frozen=True)
class Completion:
    """A model's answer, and what it took to get it."""

    text: str
    """May be empty (a tool call, a refusal without words, an empty answer)."""
    tool_calls: tuple[ToolCall, ...] = ()
    finish: str = "stop"
    """`stop`, `length` (cut off at max_tokens), `tool_calls`, `refusal`, `content_filter`, or the endpoint's own word."""
    usage: Usage | None = None
    """Of this answer. A driver leaves it None where the endpoint says nothing; the gateway then puts its estimate."""
    model: str = ""
    """The model that the endpoint says answered."""
    attempts: int = 1
    """Tries, the last of which succeeded."""
    latency_s: float = 0.0
    """Seconds from the first try to the answer, waiting included; 0 when replayed."""
    charged: Usage = Usage()
    """Tokens charged to the budgets: this answer and the failed tries before it."""
    micro_dollars: int | None = None
    """Money charged, failed tries included; None where the prices file does not know the model."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON values, which `from_dict` reads."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Completion:
        """Make it from what `as_dict` gave."""
        usage = given.get("usage")
        return cls(
            **{
                **given,
                "tool_calls": tuple(given.get("tool_calls", ())),
                "usage": None if usage is None else Usage(**usage),
                "charged": Usage(**given.get("charged", {})),
            }
        )


@runtime_checkable
class Driver(Protocol):
    """One way to reach a model."""

    secrets: tuple[str, ...]
    """Texts that nothing may ever write down: keys, tokens."""

    async def complete(self, request: Request) -> Completion:
        """Make one try, without a retry of its own; raises `EndpointError`, which says whether another may help."""

    async def close(self) -> None:
        """Give back connections; no call may follow."""
