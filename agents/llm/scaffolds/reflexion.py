"""Reflexion (Shinn et al., NeurIPS 2023): ReAct that looks back when it does not get on, and keeps what it learnt.

An episode without success is reflected on before the same agent plays again; within an episode it reflects whenever
`reflect_every` turns in a row brought no reward.
"""

from __future__ import annotations

from typing import Any

from ludarium.agents.contract import Decision, Turn
from ludarium.agents.llm.client import Completion
from ludarium.agents.llm.parse import Reading, ReplyError, checked, read_tag
from ludarium.agents.llm.scaffold import Scaffold, Script, Setting, UnusableReplyError
from ludarium.agents.llm.scaffolds.react import React
from ludarium.wrappers.language import clipped

__all__ = ["Reflexion"]

_KEPT = 3
"""Reflections that are kept, as in the paper."""
_FORM = "Reply with <reflection>what went wrong and what to do differently, in two or three sentences</reflection>"


class Reflexion(Scaffold):
    """One call a turn, and one more for each reflection."""

    form = React.form
    options = frozenset({"reflect_every"})

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.memory = setting.memory
        """`reflections` (texts), and `failed` (the last episode's turns, if it has no reflection yet)."""
        self.every = int(setting.options.get("reflect_every", 20))
        self.idle = 0
        self.log: list[str] = []

    def turn(self, turn: Turn) -> Script[Decision]:
        """Reflect if it is time, then think and act."""
        failed = self.memory.pop("failed", None)
        if failed is not None:
            yield from self._reflect(failed)
        self.idle = 0 if turn.reward > 0 else self.idle + 1
        if self.every and self.idle > self.every:
            self.idle = 0
            yield from self._reflect("\n".join(self.log[-self.every :]))
        self.log.append(f"You were told: {turn.observation}")
        settled = yield from self.act(turn, more=self._learnt())
        self.log.append(f"You did: {settled.value}")
        return self.decided(settled)

    def _learnt(self) -> str:
        kept = self.memory.get("reflections", [])
        return "Your own reflections so far:\n" + "\n".join(f"- {text}" for text in kept) if kept else ""

    def _reflect(self, log: str) -> Script[None]:
        """Ask what went wrong; without a usable answer there is one reflection less."""
        tail = clipped(log, 2000, self.setting.count)
        prompt = f"Look back at these turns, which did not bring success:\n\n{tail}\n\n{_FORM}"
        try:
            settled = yield from self.ask(prompt, _reflection, form=_FORM, history=False)
        except UnusableReplyError:
            return
        self.memory["reflections"] = [*self.memory.get("reflections", []), settled.value][-_KEPT:]

    def finish(self, result: dict[str, Any]) -> None:
        """Keep an episode without success for the next one's beginning."""
        won = (result.get("metrics") or result).get("success", 0) >= 1
        self.memory.pop("failed", None)
        if not won and self.log:
            self.memory["failed"] = "\n".join(self.log)


def _reflection(answer: Completion) -> Reading:
    text = read_tag(checked(answer), "reflection", answer.finish == "length")
    if text is None:
        raise ReplyError("no_action", "Your reply has no <reflection>...</reflection>.")
    return Reading(" ".join(text.split())[:1000])
