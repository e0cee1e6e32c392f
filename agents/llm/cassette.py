"""Recordings of a model's answers, found by what was asked: a recorded run is played again without the endpoint.

A cassette is JSON lines: a header, then one entry a request with its key, session, occurrence, the request, and the
completion or the error that the agent got. Failures are recorded too (an endpoint given up, a budget used up), so that a
replay takes the same turns. An entry written later for the same session and occurrence takes the earlier one's place:
that is how a run that was killed and resumed is recorded.
"""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from ludarium.agents.llm.client import Completion, Request, Usage, canonical
from ludarium.agents.llm.ledger import Charges
from ludarium.agents.llm.redact import Redactor
from ludarium.envs.core.errors import (
    BudgetExceededError,
    CassetteMissError,
    ConfigError,
    EndpointError,
    FileFormatError,
    LLMError,
)

__all__ = ["MODES", "Cassette"]

FORMAT, VERSION = "ludarium-cassette", 1
MODES = ("live", "record", "replay")


class Cassette:
    """A recording, written in mode `record` and read in mode `replay`."""

    def __init__(self, path: str | Path, mode: str) -> None:
        if mode not in ("record", "replay"):
            raise ConfigError(f"mode {mode!r} has no cassette; expected record or replay")
        self.path, self.mode = Path(path), mode
        self._file: int | None = None
        self._at: dict[tuple[str, str, int], int] = {}
        self._first: dict[str, str] = {}
        if mode == "replay":
            self._index()
        else:
            self._open()

    def find(self, request: Request, session: str, n: int) -> Completion | LLMError:
        """Return what was recorded for this session's `n`-th request (from 0) of equal content.

        A session that was not recorded gets the answers of the first one that asked the same. Raises `CassetteMissError`.
        """
        place = self._at.get((request.key, session, n))
        if place is None:
            place = self._at.get((request.key, self._first.get(request.key, session), n))
        if place is None:
            raise CassetteMissError(self._missed(request, n))
        return _outcome(self._read(place))

    def put(self, request: Request, session: str, n: int, outcome: Completion | LLMError, redactor: Redactor) -> None:
        """Record an outcome; processes may write to one cassette at once."""
        entry: dict[str, Any] = {"key": request.key, "session": session, "n": n, "request": request.content()}
        if isinstance(outcome, Completion):
            entry["completion"] = {**outcome.as_dict(), "latency_s": 0.0}
        else:
            entry["error"] = _error_entry(outcome)
        assert self._file is not None
        os.write(self._file, _line(redactor.value(entry)))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        size = os.fstat(self._file).st_size
        if size == 0:
            os.write(self._file, _line({"format": FORMAT, "version": VERSION}))
        elif os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")  # what a killed process left unfinished stays a line of its own

    def _index(self) -> None:
        if not self.path.is_file():
            raise FileFormatError(self.path, "there is no such cassette; record one first with mode=record")
        place = 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                entry = self._entry(line, number)
                if number > 1 and entry is not None:
                    try:
                        key, session, n = entry["key"], entry["session"], entry["n"]
                        self._at[key, session, n] = place
                        self._first.setdefault(key, session)
                    except (KeyError, TypeError) as error:
                        raise FileFormatError(self.path, f"is no entry of a cassette: lacks {error}", number) from error
                place += len(line)

    def _entry(self, line: bytes, number: int) -> dict[str, Any] | None:
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            entry = None
        if number == 1 and (
            not isinstance(entry, dict) or (entry.get("format"), entry.get("version")) != (FORMAT, VERSION)
        ):
            raise FileFormatError(self.path, f"is no {FORMAT} of version {VERSION}", 1)
        return entry if isinstance(entry, dict) else None

    def _read(self, place: int) -> dict[str, Any]:
        with self.path.open("rb") as file:
            file.seek(place)
            return dict(json.loads(file.readline()))

    def _missed(self, request: Request, n: int) -> str:
        head = f"{self.path} holds no answer to request {request.key[:12]} (occurrence {n + 1})"
        if request.key in self._first:
            return f"{head}: it was asked less often when it was recorded; record again with mode=record"
        asked = canonical(request.content())
        nearest, where = self._nearest(request)
        if nearest is None:
            return f"{head}: the cassette is empty; record with mode=record"
        i = _in_common(asked, nearest)
        return (
            f"{head}: something in it has changed since it was recorded ({where}); it says ...{asked[max(0, i - 20) : i + 60]!r} "
            f"where the nearest recorded says ...{nearest[max(0, i - 20) : i + 60]!r}; record again with mode=record"
        )

    def _nearest(self, request: Request, most: int = 400) -> tuple[str | None, str]:
        """The recorded request that has most in common with this one at its beginning, and which members differ."""
        best: tuple[int, str, dict[str, Any]] | None = None
        mine, content = canonical(request.content()), request.content()
        for place in list(self._at.values())[:most]:
            theirs = self._read(place).get("request", {})
            text = canonical(theirs)
            common = _in_common(mine, text)
            if best is None or common > best[0]:
                best = (common, text, theirs)
        if best is None:
            return None, ""
        members = sorted(k for k in {*content, *best[2]} if canonical(content.get(k)) != canonical(best[2].get(k)))
        return best[1], ", ".join(members)


def _in_common(a: str, b: str) -> int:
    """Length of the beginning that two texts share."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _line(entry: dict[str, Any]) -> bytes:
    return (canonical(entry) + "\n").encode("utf-8", "backslashreplace")


def _error_entry(error: LLMError) -> dict[str, Any]:
    found: dict[str, Any] = {"type": type(error).__name__, "message": str(error)}
    if error.charges is not None:
        found["charges"] = dataclasses.asdict(error.charges)
    if isinstance(error, EndpointError):
        found.update(kind=error.kind, status=error.status)
    if isinstance(error, BudgetExceededError):
        found.update(scope=error.scope, what=error.what)
    return found


def _outcome(entry: dict[str, Any]) -> Completion | LLMError:
    if "completion" in entry:
        return Completion.from_dict(entry["completion"])
    given = dict(entry["error"])
    kind, message, charges = given.pop("type"), given.pop("message"), given.pop("charges", None)
    error: LLMError
    if kind == "EndpointError":
        error = EndpointError(message, **given)
    elif kind == "BudgetExceededError":
        error = BudgetExceededError(message, **given)
    else:
        error = LLMError(message)
    if charges is not None:
        error.charges = Charges(**{**charges, "usage": Usage(**charges["usage"])})
    return error
