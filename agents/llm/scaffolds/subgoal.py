"""Subgoal (HiPER): three blocks a turn, whether to switch, which subgoal, which action.

A missing or empty switch means KEEP; the first turn always begins a segment. The subgoal of a KEEP is the one before:
if the model writes another, the turn counts as repaired and the old one stays.
"""

from __future__ import annotations

from ludarium.agents.contract import Decision, Turn
from ludarium.agents.llm.client import Completion
from ludarium.agents.llm.control import ControlState
from ludarium.agents.llm.parse import Reading, checked, read_action, read_tag
from ludarium.agents.llm.scaffold import Scaffold, Script

__all__ = ["Subgoal"]


class Subgoal(Scaffold):
    """One call a turn."""

    form = (
        "Reply with exactly three blocks and no other words:\n"
        "<switch>KEEP or SWITCH</switch>\n<subgoal>the subgoal; on KEEP the old one, word for word</subgoal>\n"
        "<action>the action</action>"
    )

    def turn(self, turn: Turn) -> Script[Decision]:
        """Ask for the three blocks."""
        aimed = self.control.text
        note = f"Your subgoal for {self.control.age + 1} turns: {aimed}" if aimed else "You have no subgoal yet."
        prompt = self.prompt(turn, note)
        settled = yield from self.ask(prompt, lambda answer: self._read(answer, turn), turn)
        self.remember(prompt, settled, turn)
        switched, goal, action = settled.value
        if switched or not self.control.kind:
            self.control = ControlState.of_subgoal(goal)
        else:
            self.control = self.control.older()
        return self.decided(settled, action)

    def _read(self, answer: Completion, turn: Turn) -> Reading:
        text = checked(answer)
        action = read_action(answer, turn.commands)
        word = (read_tag(text, "switch", True) or "KEEP").upper()
        goal = " ".join((read_tag(text, "subgoal", True) or "").split())
        switched = word != "KEEP" or not self.control.kind
        new = ControlState.of_subgoal(goal).text
        changed = not switched and bool(goal) and new != self.control.text
        odd = word not in ("KEEP", "SWITCH") or changed or (switched and not goal)
        return Reading((switched, goal or self.control.text or "begin", action.value), action.mended or odd)
