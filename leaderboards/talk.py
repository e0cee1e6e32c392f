"""Transcripts of a run, and how a replay shows them: what was said at which step, in which segment, and at what cost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ludarium.envs.core.files import write_whole
from ludarium.envs.core.scene import Saying

__all__ = ["dollars", "save_transcript", "sayings", "talk_of", "transcript_of"]

_SHOWN = 4000
"""Characters of one text on a page; the transcript has all."""


def dollars(micro: int) -> str:
    """Micro-dollars for people: all digits that count, at least cents."""
    whole, part = divmod(micro, 1_000_000)
    digits = f"{part:06d}".rstrip("0").ljust(2, "0")
    return f"${whole:,}.{digits}"


def save_transcript(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write what an agent told of an episode (`Agent.transcript`), whole or not at all; `OSError` if the disk refuses."""
    from ludarium.agents.llm.ledger import FORMAT, VERSION

    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [{"format": FORMAT, "version": VERSION}, *rows]
    write_whole(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in lines).encode())


def transcript_of(trace: Path) -> Path:
    """Where a run keeps the transcript of an episode, given where its trace lies."""
    return trace.parents[2] / "transcripts" / trace.parent.name / f"{trace.stem}.jsonl"


def talk_of(trace: Path) -> list[Saying]:
    """What the transcript beside a run's trace says; nothing if there is none. `FileFormatError` for a damaged one."""
    path = transcript_of(trace.absolute()) if len(trace.absolute().parts) > 3 else trace
    if path.suffix != ".jsonl" or not path.exists():
        return []
    from ludarium.agents.llm.ledger import read_transcript

    return sayings(list(read_transcript(path)))


def sayings(entries: list[dict[str, Any]]) -> list[Saying]:
    """A saying for each call, with what the agent made of it; a call without a decision led to the next one of its seat."""
    decisions = {entry["call"]: entry for entry in entries if entry["type"] == "decision"}
    segment_of: dict[tuple[str, int], str] = {}
    for entry in decisions.values():
        segment_of[str(entry.get("seat")), int(entry.get("step", 0))] = str(entry.get("subgoal") or "")
    told = []
    for entry in entries:
        if entry["type"] == "call":
            decision = decisions.get(entry["call"])
            status = str(decision.get("status", "ok")) if decision else "asked again"
            if decision and decision.get("why"):
                status = f"{status} ({decision['why']})"
            place = str(entry["seat"]), int(entry["step"])
            told.append(
                Saying(place[1], place[0], _said(entry), _asked(entry), segment_of.get(place, ""), status, _note(entry))
            )
    return told


def _said(entry: dict[str, Any]) -> str:
    """The model's answer: its words, then its tool calls; or why there is none."""
    if "error" in entry:
        return f"no answer: {entry['error']['message']}"[:_SHOWN]
    answer = entry["response"]
    calls = [f"{call['name']}({call['arguments']})" for call in answer["tool_calls"]]
    return "\n".join(part for part in (answer["text"], *calls) if part)[:_SHOWN]


def _asked(entry: dict[str, Any]) -> str:
    """The newest message of the prompt."""
    content = entry["messages"][-1].get("content") if entry["messages"] else ""
    return (content if isinstance(content, str) else json.dumps(content, ensure_ascii=False))[:_SHOWN]


def _note(entry: dict[str, Any]) -> str:
    used = entry["charged"]
    parts = [f"{used['prompt']:,} + {used['completion']:,} tokens"]
    if entry.get("micro_dollars") is not None:
        parts.append(dollars(entry["micro_dollars"]))
    if entry["tries"] != 1:
        parts.append(f"{entry['tries']} tries")
    return ", ".join(parts)
