"""What came of a check: a row a law, and the shortest story of each that is broken."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from ludarium.envs.core.laws.cases import Case
from ludarium.envs.core.laws.outcome import Broken, Crashed, Rejected
from ludarium.envs.core.laws.shrink import length_of
from ludarium.envs.core.laws.subject import Subject

__all__ = ["VERDICTS", "Failure", "Report", "Row", "tell"]

VERDICTS = ("kept", "broken", "not claimed", "blocked", "left out")
"""`blocked`: another broken law stands in the way; `left out`: the profile does not start the processes it needs."""
_SHOWN = 16


@dataclasses.dataclass
class Failure:
    """A broken law with the shortest case found: `sentence` says how, `story` tells the episode, `path` is its file."""

    law: str
    case: Case
    step: int
    sentence: str
    story: list[str]
    path: Path | None = None

    @property
    def steps(self) -> int:
        """The steps of the case, those of the episode before included where the law plays one."""
        return length_of(self.case, self.law)


@dataclasses.dataclass
class Row:
    """A law, its verdict (see `VERDICTS`), how many cases were tried, and how long it took."""

    law: str
    verdict: str
    cases: int = 0
    seconds: float = 0.0
    reason: str = ""
    failure: Failure | None = None


@dataclasses.dataclass
class Report:
    """All rows of a check, in the order of the laws."""

    subject: str
    profile: str
    rows: list[Row]

    def __getitem__(self, law: str) -> Row:
        return next(row for row in self.rows if row.law == law)

    @property
    def broken(self) -> list[str]:
        """The broken laws, in order."""
        return [row.law for row in self.rows if row.verdict == "broken"]

    @property
    def ok(self) -> bool:
        """Whether no law is broken, and at least one was kept."""
        return not self.broken and any(row.verdict == "kept" for row in self.rows)

    def as_data(self) -> dict[str, Any]:
        """As JSON values."""
        rows = []
        for row in self.rows:
            data: dict[str, Any] = {n: getattr(row, n) for n in ("law", "verdict", "cases", "reason")}
            data["seconds"] = round(row.seconds, 3)
            if row.failure is not None:
                failure = row.failure
                data["failure"] = {"steps": failure.steps, "step": failure.step, "sentence": failure.sentence,
                                   "story": failure.story, "case": failure.case.as_data(),
                                   "path": None if failure.path is None else str(failure.path)}  # fmt: skip
            rows.append(data)
        return {"subject": self.subject, "profile": self.profile, "ok": self.ok, "broken": self.broken, "laws": rows}

    def __str__(self) -> str:
        lines = [f"{self.subject}: {len(self.broken)} broken laws of {len(self.rows)} ({self.profile})"]
        for row in self.rows:
            if row.failure is not None:
                lines += [f"{row.law}: {row.failure.sentence}", *(f"    {line}" for line in row.failure.story)]
        return "\n".join(lines)


def tell(subject: Subject, case: Case, broken: Broken) -> list[str]:
    """The shortest readable story of a broken law: what was done, what was seen, and what is wrong with it."""
    form = f" ({subject.form(case)})" if len(subject.forms) > 1 else ""
    options = "".join(f", {name}={value!r}" for name, value in {**subject.options, **dict(case.options)}.items())
    lines = [f"{subject.name}{form}{options}"]
    if broken.law == "reset_forgets" and case.before:
        lines.append(f"reset(seed={case.seed + 1}), then {case.before} steps: {_brief(case.prefix)}")
    try:
        story = subject.words(case)
    except (Broken, Rejected, Crashed):
        actions = case.script if case.script is not None else f"{case.length} steps of policy {case.policy}"
        lines.append(f"reset(seed={case.seed}), then {_brief(actions)}")
    else:
        left_out = range(_SHOWN // 2, len(story.words) - _SHOWN // 2)
        for step, words in enumerate(story.words):
            if step in left_out:
                if step == left_out[0]:
                    lines.append(f"... {len(left_out)} steps ...")
                continue
            done = f"step {step}: {_brief(story.actions[step - 1])}" if step else f"reset(seed={case.seed})"
            shown = [name for name in ("observation", "reward", "flags") if words[name] not in ("", "{}")]
            seen = ", ".join(f"{name} {words[name]}" for name in shown)
            lines.append(f"{done} -> {seen}")
    lines.append(f"=> {broken.law}: {broken.story}")
    return lines


def _brief(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 120 else text[:117] + "..."
