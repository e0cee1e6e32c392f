"""Direct: the situation, and at once the action."""

from __future__ import annotations

from ludarium.agents.contract import Decision, Turn
from ludarium.agents.llm.scaffold import Scaffold, Script

__all__ = ["Direct"]


class Direct(Scaffold):
    """One call a turn, no thoughts."""

    form = "Reply with one action and nothing else: <action>the action</action>"

    def turn(self, turn: Turn) -> Script[Decision]:
        """Ask for the action."""
        settled = yield from self.act(turn)
        return self.decided(settled)
