"""A scripted expert of the tool desk that only reads: the conversation with its tools' results, and the policy document.

At each turn the conversation is read anew, and a clerk's script is led through it, so it can go on from any snapshot, and
from a prompt that holds nothing but the turn. Its only memory is the conversation as it last read it, for prompts whose
middle was left out to fit a model's window.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ludarium.agents.contract import Agent, Decision, Task, Turn
from ludarium.agents.text.desk.clerk import Clerk, day_of
from ludarium.agents.text.desk.clerk_retail import RetailClerk
from ludarium.agents.text.desk.clerk_telecom import TelecomClerk
from ludarium.agents.text.desk.clerk_travel import TravelClerk
from ludarium.envs.core.errors import AgentError

__all__ = ["DeskExpert", "Line", "read_conversation"]

_CLERKS = {"Larkspur Goods": RetailClerk, "Skylark Air": TravelClerk, "Northwave Mobile": TelecomClerk}
_RULE = re.compile(r"^\s*- \[(\w+)\] (.+)$", re.M)
_TODAY = re.compile(r"Today is (\d{4}-\d\d-\d\d)")
_CALL = re.compile(r"  (\w+)\((\{.*\})\)\Z")
_CUT = re.compile(r"^\[\.\.\. \d+ characters left out \.\.\.\]$", re.M)
_OUR_DAY = "2026-04-11"


class Line(NamedTuple):
    """One line of a conversation as the desk's seat reads it."""

    kind: str
    """`user`, `own`, `call` or `result`"""
    text: str
    name: str = ""


def read_conversation(text: str) -> Iterator[Line]:
    """The lines of a conversation in words; what is no line of its own goes on with the words before it."""
    lines: list[Line] = []
    for row in text.split("\n"):
        called = _CALL.match(row)
        if row.startswith("User: "):
            lines.append(Line("user", row[6:]))
        elif row.startswith("You: "):
            lines.append(Line("own", row[5:]))
        elif called:
            lines.append(Line("call", called[2], called[1]))
        elif row.startswith("  -> "):
            lines.append(Line("result", row[5:]))
        elif row.startswith("    ") and lines:
            lines[-1] = lines[-1]._replace(text=f"{lines[-1].text}\n{row[4:]}")
    yield from lines


class DeskExpert(Agent):
    """Serves in the seat `agent_0` of all three desks, from its texts alone."""

    view = "text"

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Read the rules, as far as they are told: the policy's words and today's date."""
        if task.id.split(":")[-1] != "text-desk-v0" or seats != ("agent_0",):
            raise AgentError(
                f"{type(self).__name__} fills agent_0 of text-desk-v0, not {', '.join(seats)} of {task.id}"
            )
        self._policy = dict(_RULE.findall(task.rules))
        found = _TODAY.search(task.rules)
        self._today = day_of(found[1] if found else _OUR_DAY)
        self._read: list[Line] = []

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """What the script says now."""
        return {seat: self.answer(str(turn.observation)) for seat, turn in turns.items()}

    def answer(self, text: str) -> Decision:
        """The next message or call of a conversation."""
        name = next((name for name in _CLERKS if name in text.split("\n", 1)[0]), None)
        if name is None:
            raise AgentError(f"{type(self).__name__} knows the desks of {', '.join(_CLERKS)}; got {text[:80]!r}")
        clerk: Clerk = _CLERKS[name](self._policy, self._today)
        self._read = lines = self._whole(text)
        first = next((n for n, line in enumerate(lines) if line.kind == "user"), None)
        if first is None:
            return Decision("How can I help you?", subgoal="greet")
        script = clerk.serve(lines[first].text)
        action, said = next(script), False
        for line in lines[first + 1 :]:
            if line.kind in ("own", "call"):
                said = _same(
                    action, line
                )  # another's words in this seat, as a default line, get no answer of the script
            elif said:
                said = False
                action = script.send(json.loads(line.text) if line.kind == "result" else line.text)
        return Decision(action, subgoal=clerk.subgoal)

    def _whole(self, text: str) -> list[Line]:
        """The conversation's lines; where its middle was left out, what was read before stands for it."""
        cut = _CUT.search(text)
        if cut is None:
            return list(read_conversation(text))
        rest = text[cut.end() + 1 :]
        return _joined(self._read, list(read_conversation(rest[rest.find("\n") + 1 :])))


def _joined(known: list[Line], tail: list[Line]) -> list[Line]:
    """The known lines, and those of the tail that come after them: the longest overlap counts."""
    most = min(len(known), len(tail))
    overlap = next(n for n in range(most, -1, -1) if known[len(known) - n :] == tail[:n])
    return known + tail[overlap:]


def _same(action: str, line: Line) -> bool:
    if line.kind == "own":
        return action == line.text
    made = json.loads(action) if action.startswith("{") else {}
    return bool(made) and made["name"] == line.name and made["arguments"] == json.loads(line.text)
