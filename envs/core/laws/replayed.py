"""Trying a kept failure again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ludarium.envs.core.laws import book, failures
from ludarium.envs.core.laws.outcome import Broken, CheckError, Crashed, NotClaimed, Rejected
from ludarium.envs.core.laws.report import tell
from ludarium.envs.core.laws.subject import Subject

__all__ = ["again"]


def again(path: Path, python: str | None = None) -> dict[str, Any]:
    """Hold the law of a kept failure against its case: `law`, `broken`, `verdict` and, if it is, the `story`."""
    kept = failures.load(path)
    if kept.law not in book.LAWS:
        raise CheckError(f"{path}: no law {kept.law!r} in this version")
    subject = Subject(kept.subject, kept.options, guarded=True, python=python)
    told: dict[str, Any] = {"law": kept.law, "broken": True, "verdict": "broken", "story": []}
    try:
        try:
            book.LAWS[kept.law](subject, kept.case)
        except Crashed as crash:
            broken = crash.broken(kept.law)
            return {**told, "story": [*kept.story[:-1], f"=> {broken.law}: {broken.story}"]}
        except Broken as broken:
            return {**told, "story": tell(subject, kept.case, broken)}
        except (NotClaimed, Rejected) as found:
            return {**told, "broken": False, "verdict": f"not tried: {found}"}
        return {**told, "broken": False, "verdict": "kept"}
    finally:
        subject.close()
