"""Failures on disk: regressions that later runs try first. A trace where the world is ours, else JSON of the same shape."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from ludarium.envs.core.errors import LudariumError
from ludarium.envs.core.laws.cases import Case
from ludarium.envs.core.laws.outcome import Broken, CheckError, Crashed, Rejected
from ludarium.envs.core.laws.report import Failure
from ludarium.envs.core.laws.subject import Subject

__all__ = ["Kept", "kept_for", "load", "save"]

FORMAT = 1


class Kept(NamedTuple):
    """A failure that was kept: of which environment and options, of which law, under which case."""

    subject: str
    options: dict[str, Any]
    law: str
    case: Case
    story: list[str]


def save(subject: Subject, failure: Failure, folder: Path) -> Path:
    """Write a failure into a folder and return the file's path."""
    check = {
        "subject": subject.name,
        "options": subject.options,
        "law": failure.law,
        "sentence": failure.sentence,
        "story": failure.story,
        "case": failure.case.as_data(),
    }
    told = json.dumps([check["subject"], check["options"], failure.law, check["case"]], sort_keys=True, default=repr)
    name = f"{failure.law}-{hashlib.blake2b(told.encode(), digest_size=4).hexdigest()}"
    data = _trace(subject, failure, check)
    if data is None:
        actions = list(failure.case.script or ())
        header = {"format": FORMAT, "id": subject.name, "config": {**subject.options, **dict(failure.case.options)},
                  "seed": failure.case.seed, "actions": actions, "check": check}  # fmt: skip
        data = (json.dumps(header, indent=1, ensure_ascii=True, default=repr) + "\n").encode()
        path = folder / f"{name}.json"
    else:
        path = folder / f"{name}.trace"
    part = path.with_name(path.name + ".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        raise CheckError(f"{path}: cannot write the failure: {error.strerror or error}") from error
    return path


def _trace(subject: Subject, failure: Failure, check: dict[str, Any]) -> bytes | None:
    """The episode as a trace, where the suite can replay it."""
    if not subject.ours or subject.form(failure.case) == "vector":
        return None
    try:
        story = subject.play(failure.case)
        call = [
            "call",
            {"function": "ludarium.envs.core.laws.own:trace_of", "world": "a", "events": [{"check": check}]},
        ]
        done = subject.run([subject.make(failure.case), subject.replay(failure.case, story), call])[2]
    except (Broken, Rejected, Crashed):
        return None
    return None if done["raised"] is not None else base64.b64decode(done["value"])


def load(path: Path) -> Kept:
    """Read a failure from a trace or a JSON file."""
    try:
        if path.suffix == ".trace":
            from ludarium.envs.core.trace import Trace

            check = next(event["check"] for event in Trace.load(path).events if "check" in event)
        else:
            check = json.loads(path.read_text(encoding="utf-8"))["check"]
        return Kept(check["subject"], check["options"], check["law"], Case.from_data(check["case"]), check["story"])
    except OSError as error:
        raise CheckError(f"{path}: cannot read the failure: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, StopIteration) as error:
        if isinstance(error, LudariumError):
            raise
        raise CheckError(f"{path}: this is no failure that `ludarium check` kept: {error!r}") from error


def kept_for(subject: Subject, law: str, folder: Path) -> list[Case]:
    """The cases of this environment under which the law was broken before; files that are none are passed over."""
    found = []
    for path in sorted([*folder.glob(f"{law}-*.json"), *folder.glob(f"{law}-*.trace")]):
        try:
            kept = load(path)
        except LudariumError:
            continue
        if (kept.subject, kept.options, kept.law) == (subject.name, subject.options, law):
            found.append(kept.case)
    return found
