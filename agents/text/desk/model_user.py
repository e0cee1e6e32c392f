"""A user that a language model plays: any function from chat messages to text fills the user's seat."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ludarium.agents.contract import Agent, Decision, Turn

__all__ = ["ModelUser"]


class ModelUser(Agent):
    """`complete` takes chat messages (`role`, `content`) and returns the user's next words, or a call of its tools.

    It is told the scenario in words as the system's message, then the conversation from the user's side: its own words are
    the assistant's. What it answers is in the trace, so replays need no model.
    """

    view = "tools"

    def __init__(self, complete: Callable[[list[dict[str, Any]]], str]) -> None:
        self._complete = complete

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """Ask the model once a turn."""
        return {seat: self._answer(turn) for seat, turn in turns.items()}

    def _answer(self, turn: Turn) -> Decision:
        own = [tool for tool in turn.tools or () if tool["name"] != "say"]
        told = "" if not own else "\nYour tools, called as JSON with name and arguments:\n" + json.dumps(own)
        instructions, _, talk = str(turn.observation).partition("\n\n")
        said = self._complete(
            [
                {"role": "system", "content": instructions + told},
                {"role": "user", "content": talk or "Begin."},
            ]
        )
        return Decision(said, raw=said)
