"""What calls cost and what was said: totals by side, and transcripts as JSON lines without secrets.

A transcript begins with a header line; then one line a call, and a line for what the agent made of it. The messages of a
call are given as how many of the previous call's of the same side it begins with, and the rest: a conversation takes
space in proportion to its length. `read_transcript` puts them together again.
"""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from ludarium.agents.llm.budget import Cost
from ludarium.agents.llm.client import Completion, Request, Usage, canonical
from ludarium.agents.llm.redact import Redactor
from ludarium.envs.core.errors import FileFormatError, LLMError

__all__ = ["FORMAT", "VERSION", "Charges", "Ledger", "Totals", "parse_transcript", "read_transcript"]

FORMAT, VERSION = "ludarium-transcript", 1


@dataclasses.dataclass
class Totals:
    """Sums over calls."""

    turns: int = 0
    """Requests that were answered or given up."""
    failed: int = 0
    """Requests among them that were given up, for want of an answer or of budget."""
    calls: int = 0
    """Tries, as budgets count them."""
    prompt: int = 0
    completion: int = 0
    estimated: int = 0
    """Requests whose tokens are, in part, our own estimate."""
    micro_dollars: int = 0
    unpriced: int = 0
    """Tries that `micro_dollars` lacks, for want of a price."""

    def __add__(self, other: Totals) -> Totals:
        return Totals(**{name: value + getattr(other, name) for name, value in vars(self).items()})

    def as_dict(self) -> dict[str, int]:
        """As JSON values."""
        return dataclasses.asdict(self)


@dataclasses.dataclass
class Charges:
    """What one request has taken so far, over all its tries."""

    calls: int = 0
    usage: Usage = dataclasses.field(default_factory=Usage)
    micro_dollars: int = 0
    unpriced: int = 0
    failures: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    """The tries that failed: kind, status and message."""

    def add(self, cost: Cost, usage: Usage) -> None:
        """Add a try."""
        self.calls += cost.calls
        self.usage += usage
        self.micro_dollars += cost.micro_dollars or 0
        self.unpriced += cost.calls if cost.micro_dollars is None else 0


class Ledger:
    """Adds up what calls cost, and writes the transcript where it has a path; safe to share by threads.

    With `keep` the transcript's entries are also in `rows`.
    """

    def __init__(self, path: str | Path | None = None, *, keep: bool = False) -> None:
        self.path = None if path is None else Path(path)
        self.rows: list[dict[str, Any]] = []
        self._tells = keep or path is not None
        self._keep = keep
        self.by_side: dict[str, Totals] = {}
        """Totals of each side, `agent` and `user` among them."""
        self._file: TextIO | None = None
        self._lock = threading.Lock()
        self._said: dict[tuple[str, str, str], list[str]] = {}
        self._written = 0

    @property
    def totals(self) -> Totals:
        """Everything: all turns, all tries, all sides."""
        with self._lock:
            return sum(self.by_side.values(), Totals())

    def record(
        self,
        request: Request,
        outcome: Completion | LLMError,
        charges: Charges,
        *,
        episode: str,
        side: str,
        seat: str,
        step: int,
        mode: str,
        redactor: Redactor,
    ) -> int:
        """Add a call; returns its number in this ledger, for `note`."""
        failed = isinstance(outcome, LLMError)
        usage = charges.usage
        more = Totals(1, failed, charges.calls, usage.prompt, usage.completion, usage.estimated,
                      charges.micro_dollars, charges.unpriced)  # fmt: skip
        with self._lock:
            self.by_side[side] = self.by_side.get(side, Totals()) + more
            self._written += 1
            number = self._written
            if self._tells:
                entry = {
                    "type": "call", "call": number, "episode": episode, "side": side, "seat": seat, "step": step,
                    "mode": mode, "key": request.key, **self._question(request, (episode, side, seat), redactor),
                    "tries": charges.calls, "failures": charges.failures,
                    "charged": {"prompt": usage.prompt, "completion": usage.completion, "estimated": usage.estimated},
                    "micro_dollars": None if charges.unpriced else charges.micro_dollars,
                    **_answer(outcome),
                }  # fmt: skip
                self._write(redactor.value(entry))
        return number

    def note(self, call: int, redactor: Redactor | None = None, **decision: Any) -> None:
        """Write what the agent made of a call: its action, status, control state."""
        if self._tells:
            entry = {"type": "decision", "call": call, **decision}
            with self._lock:
                self._write((redactor or Redactor()).value(entry))

    def close(self) -> None:
        """Close the file; a later record opens it again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _question(self, request: Request, who: tuple[str, str, str], redactor: Redactor) -> dict[str, Any]:
        now = [canonical(message) for message in request.messages]
        before = self._said.get(who, [])
        same = next(
            (i for i, (a, b) in enumerate(zip(now, before, strict=False)) if a != b), min(len(now), len(before))
        )
        self._said[who] = now
        content = request.content()
        content.pop("messages", None)
        return {"request": content, "same": same, "messages": list(request.messages[same:])}

    def forget(self, episode: str) -> None:
        """An episode is over: what it said is kept no longer for comparison."""
        with self._lock:
            self._said = {who: said for who, said in self._said.items() if who[0] != episode}

    def _write(self, entry: dict[str, Any]) -> None:
        if self._keep:
            self.rows.append(json.loads(canonical(entry)))
        if self.path is None:
            return
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = not self.path.exists() or self.path.stat().st_size == 0
            self._file = self.path.open("a", encoding="utf-8", errors="backslashreplace")
            if fresh:
                self._file.write(canonical({"format": FORMAT, "version": VERSION}) + "\n")
        self._file.write(canonical(entry) + "\n")
        self._file.flush()


def _answer(outcome: Completion | LLMError) -> dict[str, Any]:
    if isinstance(outcome, LLMError):
        return {"error": {"type": type(outcome).__name__, "message": str(outcome)}}
    usage = outcome.usage or Usage()
    return {
        "response": {"text": outcome.text, "tool_calls": list(outcome.tool_calls), "finish": outcome.finish},
        "model": outcome.model,
        "usage": {"prompt": usage.prompt, "completion": usage.completion, "estimated": usage.estimated},
        "latency_s": round(outcome.latency_s, 6),
    }


def read_transcript(path: str | Path, episode: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield a transcript's records with all messages in place; `episode`: only that one's.

    A last line that a killed process left unfinished is passed over; raises `FileFormatError` for other damage.
    """
    with Path(path).open(encoding="utf-8") as file:
        yield from parse_transcript(file, path, episode)


def parse_transcript(lines: Iterable[str], where: str | Path, episode: str | None = None) -> Iterator[dict[str, Any]]:
    """As `read_transcript`, from lines; `where` names them in errors."""
    said: dict[tuple[str, str, str], list[Any]] = {}
    mine: set[int] = set()
    for number, entry in _lines(lines, where):
        try:
            if entry["type"] == "call":
                who = (entry["episode"], entry["side"], entry["seat"])
                entry["messages"] = said[who] = said.get(who, [])[: entry.pop("same")] + entry["messages"]
                if episode in (None, entry["episode"]):
                    mine.add(entry["call"])
            if entry["call"] in mine:
                yield entry
        except (KeyError, TypeError) as error:
            raise FileFormatError(where, f"is no transcript's record: lacks {error}", number) from error


def _lines(lines: Iterable[str], where: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if not line.endswith("\n"):
            return
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise FileFormatError(where, f"is no JSON: {error}", number) from error
        if not isinstance(entry, dict):
            raise FileFormatError(where, "is no JSON object", number)
        if number == 1:
            if entry.get("format") != FORMAT or entry.get("version") != VERSION:
                raise FileFormatError(where, f"is no {FORMAT} of version {VERSION}", 1)
            continue
        yield number, entry
