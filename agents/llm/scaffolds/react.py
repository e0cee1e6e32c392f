"""ReAct (Yao et al., ICLR 2023): a thought, then the action; the thoughts stay in the conversation."""

from __future__ import annotations

from ludarium.agents.contract import Decision, Turn
from ludarium.agents.llm.scaffold import Scaffold, Script

__all__ = ["React"]


class React(Scaffold):
    """One call a turn."""

    form = (
        "Think first, then act. Reply in exactly this form, with one action:\n"
        "<think>what you see, what it means, what to do next</think>\n<action>the action</action>"
    )

    def turn(self, turn: Turn) -> Script[Decision]:
        """Ask for thought and action."""
        settled = yield from self.act(turn)
        return self.decided(settled)
