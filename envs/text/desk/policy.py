"""Policies: rules with ids, each a predicate over a call and a sentence of the policy document."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

from ludarium.envs.text.desk.tables import Row, Tables

__all__ = ["Rule", "Session", "Situation", "broken", "document", "is_assent"]

_YES = re.compile(r"\b(yes|yep|yeah|sure|correct|please do|go ahead|confirmed?|that's right|ok(ay)?|do it)\b", re.I)
_NO = re.compile(r"\b(no|not|don't|do not|wait|stop|wrong|never)\b", re.I)


@dataclasses.dataclass
class Session:
    """What the desk knows of the conversation itself."""

    customer: str = ""
    """The customer who was identified, by a search that only they could answer."""
    assent: bool = False
    """The user's last words were a clear yes to the agent's last message."""
    proposed: bool = False
    """The agent has said something to the user before them."""
    writes: tuple[str, ...] = ()
    """The names of the writing tools that have run."""

    def copy(self) -> Session:
        """The same, apart."""
        return dataclasses.replace(self)


@dataclasses.dataclass(frozen=True)
class Situation:
    """A call about to run, and all that a rule may look at."""

    db: Tables
    tool: str
    arguments: dict[str, Any]
    session: Session
    today: int

    def row(self, table: str, argument: str) -> Row:
        """The row that an argument names; empty if there is none."""
        found = self.arguments.get(argument)
        return (self.db.get(table, found) or {}) if isinstance(found, str) else {}


@dataclasses.dataclass(frozen=True)
class Rule:
    """One rule: `breaks` says whether a call would break it. `verdict`: `deny`, or `confirm` (needs a yes first)."""

    id: str
    text: str
    tools: tuple[str, ...]
    breaks: Callable[[Situation], bool]
    verdict: str = "deny"
    section: str = "General"


def is_assent(text: str) -> bool:
    """Whether the user's words are a yes and no no."""
    return bool(_YES.search(text)) and not _NO.search(text)


def broken(rules: tuple[Rule, ...], situation: Situation) -> list[Rule]:
    """The rules that a call would break."""
    return [rule for rule in rules if situation.tool in rule.tools and rule.breaks(situation)]


def document(title: str, preamble: str, rules: tuple[Rule, ...]) -> str:
    """The policy in words, rule by rule with their ids."""
    lines = [f"# {title}", "", preamble]
    for section in dict.fromkeys(rule.section for rule in rules):
        lines += ["", f"## {section}"]
        lines += [f"- [{rule.id}] {rule.text}" for rule in rules if rule.section == section]
    return "\n".join(lines)
