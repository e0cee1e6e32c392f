"""The control state of a scaffold: what it is at, in one form for all, so that episodes are logged and cut alike."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from ludarium.envs.core.errors import TraceError

__all__ = ["MAX_DEPTH", "ControlState", "segments"]

MAX_DEPTH = 8
"""Frames of a stack, as in SteP."""
_LONGEST = 120
"""Characters of one text: control states go into every event of a trace."""


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "\u2026"


@dataclasses.dataclass(frozen=True)
class ControlState:
    """A stack of (policy, objective), or the state of a machine, or a subgoal; and for how many turns it has been so.

    `age` 0 begins a segment, whatever the kind.
    """

    kind: str = ""
    """`stack`, `state`, `subgoal`, or empty for scaffolds that keep none."""
    stack: tuple[tuple[str, str], ...] = ()
    """(policy, objective), the one that acts last."""
    text: str = ""
    """The name of the state, or the subgoal."""
    age: int = 0

    def __post_init__(self) -> None:
        if len(self.stack) > MAX_DEPTH:
            raise ValueError(f"a stack of {len(self.stack)} frames; at most {MAX_DEPTH}")

    @classmethod
    def of_stack(cls, *frames: tuple[str, str]) -> ControlState:
        """A stack that has just come about."""
        return cls("stack", tuple((_short(policy), _short(objective)) for policy, objective in frames))

    @classmethod
    def of_state(cls, name: str) -> ControlState:
        """A machine that has just come into a state."""
        return cls("state", text=_short(name))

    @classmethod
    def of_subgoal(cls, text: str) -> ControlState:
        """A subgoal that was just chosen."""
        return cls("subgoal", text=_short(text))

    @property
    def goal(self) -> str | None:
        """What is aimed at now, in words, or None."""
        if self.kind == "stack":
            policy, objective = self.stack[-1] if self.stack else ("", "")
            return f"{policy}: {objective}" if objective else policy or None
        return self.text or None

    def older(self) -> ControlState:
        """The same, a turn later."""
        return dataclasses.replace(self, age=self.age + 1)

    def then(self, new: ControlState) -> ControlState:
        """What follows when `new` is aimed at: a new segment, or the same one a turn later if it is the same."""
        return self.older() if (new.kind, new.stack, new.text) == (self.kind, self.stack, self.text) else new

    def pushed(self, policy: str, objective: str) -> ControlState:
        """The stack with one more frame; `ValueError` above `MAX_DEPTH`."""
        return ControlState.of_stack(*self.stack, (policy, objective))

    def popped(self) -> ControlState:
        """The stack without its last frame."""
        return ControlState.of_stack(*self.stack[:-1])

    def as_text(self) -> str | None:
        """Short JSON for `Decision.control`, or None for scaffolds that keep no state."""
        if not self.kind:
            return None
        body: dict[str, Any] = {"stack": [list(f) for f in self.stack]} if self.kind == "stack" else {"text": self.text}
        return json.dumps({"kind": self.kind, **body, "age": self.age}, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str | None) -> ControlState:
        """The inverse of `as_text`; `TraceError` for what is none."""
        if text is None:
            return cls()
        try:
            given = json.loads(text)
            frames = tuple((str(policy), str(objective)) for policy, objective in given.get("stack", ()))
            return cls(str(given["kind"]), frames, str(given.get("text", "")), int(given["age"]))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise TraceError(f"{text!r:.120} is no control state: {error}") from error


def segments(controls: list[str | None]) -> list[tuple[int, int]]:
    """Where segments lie in an episode's `Decision.control` texts: (first, last) turn of each, whatever the scaffold."""
    begins = [n for n, text in enumerate(controls) if n == 0 or ControlState.from_text(text).age == 0]
    begins = begins if any(controls) else begins[:1]
    ends = [*(begin - 1 for begin in begins[1:]), len(controls) - 1]
    return list(zip(begins, ends, strict=False))
