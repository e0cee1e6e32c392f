"""Tools: the model's native tool calls; the world's tools, or one a verb of its commands."""

from __future__ import annotations

from ludarium.agents.contract import Decision, Turn
from ludarium.agents.llm.parse import read_call
from ludarium.agents.llm.scaffold import Scaffold, Script
from ludarium.wrappers.tools import schemas, to_openai, tool_names

__all__ = ["Tools"]


class Tools(Scaffold):
    """One call a turn; of several tool calls in a reply the first counts, since the others did not see its result."""

    view = "tools"
    form = "Act by calling exactly one of the tools; its result comes with the next message."

    def turn(self, turn: Turn) -> Script[Decision]:
        """Ask for a tool call."""
        given = turn.tools or ()
        names, known = tool_names(given), schemas(given)
        prompt = self.prompt(turn)
        settled = yield from self.ask(prompt, lambda answer: read_call(answer, known), turn, tools=to_openai(given))
        called = settled.message.get("tool_calls", ())
        results = [
            {"role": "tool", "tool_call_id": call["id"], "content": "(the result is told in the next message)"}
            for call in called
        ]
        self.remember(prompt, settled, turn, *results)
        raw = settled.raw or _shown(settled.value)
        return self.decided(settled._replace(raw=raw), {**settled.value, "name": names[settled.value["name"]]})


def _shown(call: dict[str, object]) -> str:
    """A call as text, for the trace."""
    import json

    return json.dumps(call, ensure_ascii=False)
