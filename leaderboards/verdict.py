"""What the verification of a submission finds: rows, score, problems (which reject it) and flags (which are shown)."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from ludarium.leaderboards.folder import canonical
from ludarium.leaderboards.verify import Problem

__all__ = ["Flag", "Verdict", "rejected"]


class Flag(NamedTuple):
    """Something that people should know beside the score, and that proves nothing wrong."""

    kind: str
    """`missing`, `duplicate`, `version`, `kernels`, `latency`, `lost` or `guard`."""
    what: str


class Verdict(NamedTuple):
    """The outcome; `ok` means that every episode which is there was played again and is what it says."""

    ok: bool
    tier: str
    rows: tuple[dict[str, Any], ...]
    """One for each episode of the track: `episode`, `case`, `seed`, `trial`, `status` ("ok" or "missing"), `score` and,
    where it was played, `steps`, `digest`, `metrics`, `bounds`, `actions` (a hash of what was done) and `lost` (turns
    that the trace says were lost, by kind)."""
    problems: tuple[Problem, ...]
    score: float | None
    """The mean over all episodes of the track; None for a rejected submission."""
    cpu_s: float
    flags: tuple[Flag, ...]
    agent_steps: int
    submission: str
    """SHA-256 of the file."""
    track: dict[str, Any]
    guard: dict[str, Any]
    """How the judging process was confined; empty if it was not."""

    @property
    def digest(self) -> str:
        """BLAKE2b (32 hex digits) of all that must repeat: whoever verifies the same file must find the same."""
        content = [self.submission, self.track, self.ok, self.tier, self.score, list(self.rows), self.problems]
        return hashlib.blake2b(canonical(content).encode(), digest_size=16).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` is the inverse."""
        lists = {"problems": [p._asdict() for p in self.problems], "flags": [f._asdict() for f in self.flags]}
        return {**self._asdict(), "rows": list(self.rows), **lists, "digest": self.digest}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Verdict:
        """From `as_dict`'s form."""
        rest = {name: data[name] for name in cls._fields}
        rest["rows"] = tuple(rest["rows"])
        rest["problems"] = tuple(Problem(**problem) for problem in rest["problems"])
        rest["flags"] = tuple(Flag(**flag) for flag in rest["flags"])
        return cls(**rest)


def rejected(reason: str, where: str, submission: str, track: dict[str, Any], **more: Any) -> Verdict:
    """The verdict on what could not be looked at further."""
    given: dict[str, Any] = {"tier": "", "cpu_s": 0.0, "flags": (), "guard": {}, **more}
    return Verdict(
        False, given["tier"], (), (Problem(where, reason),), None, given["cpu_s"], given["flags"], 0, submission, track,
        given["guard"],
    )  # fmt: skip
