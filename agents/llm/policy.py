"""A ludarium agent that answers as if it were a model: it reads a scaffold's prompts and replies in its form.

For tests and for trying things out: behind the fake server (`FakeServer(policy=make_policy(...))`) or the scripted driver
it must play exactly as the agent plays by itself, if prompts say all that a turn says, and parsers lose nothing. It knows
the last user message and the tools of the request, and nothing else of the world.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ludarium.agents.contract import Agent, Decision, Task, Turn
from ludarium.agents.llm.client import ToolCall
from ludarium.agents.llm.fake_server import Reply
from ludarium.agents.llm.prompts import REPAIR, read_back
from ludarium.agents.llm.scaffolds import SCAFFOLDS
from ludarium.agents.registry import make_agent
from ludarium.envs.core.errors import ActionError, AgentError, did_you_mean

__all__ = ["AgentAsModel", "call_of", "make_policy", "read_prompt", "write_reply"]

Messages = Sequence[Mapping[str, Any]]


def make_policy(agent: str | Callable[[], Agent], scaffold: str) -> AgentAsModel:
    """The policy with which an agent (a name, or what makes it) plays a model under a scaffold."""
    if scaffold not in SCAFFOLDS:
        raise AgentError(f"unknown scaffold {scaffold!r}{did_you_mean(scaffold, SCAFFOLDS)}")
    return AgentAsModel((lambda: make_agent(agent)) if isinstance(agent, str) else agent, scaffold)


def read_prompt(messages: Messages, tools: Messages = ()) -> tuple[str, str, Turn] | None:
    """World, seat and turn of the last user message; None where it asks for something else than an action."""
    last = next((str(m["content"]) for m in reversed(messages) if m["role"] == "user"), "")
    found = read_back(last)
    if found is None:
        return None
    world, seat, turn = found
    return world, seat, turn._replace(tools=tuple(dict(tool["function"]) for tool in tools) or None)


def write_reply(scaffold: str, decision: Decision, turn: Turn, before: str | None = None) -> Reply:
    """A decision in the form in which a scaffold wants it; `before` is the subgoal of the turn before."""
    action = decision.action if isinstance(decision.action, str) else json.dumps(decision.action)
    if scaffold == "tools":
        return Reply(tool_calls=(call_of(action, turn),))
    goal = decision.subgoal or "go on"
    opening = {
        "react": f"<think>{goal}</think>\n",
        "reflexion": f"<think>{goal}</think>\n",
        "plan_execute": "<step>2</step>\n",
        "subgoal": f"<switch>{'KEEP' if goal == before else 'SWITCH'}</switch>\n<subgoal>{goal}</subgoal>\n",
    }.get(scaffold, "")
    return Reply(f"{opening}<action>{action}</action>")


class AgentAsModel:
    """`policy(session, messages, tools) -> Reply`, an agent a session."""

    def __init__(self, make: Callable[[], Agent], scaffold: str) -> None:
        self._make, self._scaffold = make, scaffold
        self._players: dict[str, _Player] = {}

    def __call__(self, session: str, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> Reply:
        """Answer a question; the answer to a repair message is the last answer again."""
        found = read_prompt(messages, tools)
        if found is None:
            return self._otherwise(session, str(messages[-1]["content"]))
        world, seat, turn = found
        player = self._players.get(session)
        if player is None or turn.step < player.step:
            player = self._players[session] = _Player(self._make(), world, seat, str(messages[0]["content"]))
        if turn.step != player.step:
            before = player.goal
            decision = player.decide(seat, turn)
            player.reply = write_reply(self._scaffold, decision, turn, before)
        return player.reply

    def _otherwise(self, session: str, prompt: str) -> Reply:
        if prompt.startswith(REPAIR) and session in self._players and self._players[session].step >= 0:
            return self._players[session].reply
        if "<plan>" in prompt:
            return Reply(
                "<plan>\n1. Find out what is asked.\n2. Do it, step by step.\n3. Look whether it is done.\n</plan>"
            )
        if "<reflection>" in prompt:
            return Reply("<reflection>I should go on more carefully.</reflection>")
        raise ValueError(f"a prompt that no scaffold makes: {prompt[:200]!r}")


class _Player:
    """The agent of one conversation, and where it is."""

    def __init__(self, agent: Agent, world: str, seat: str, rules: str) -> None:
        self._agent = agent
        agent.start(Task(world, {}, rules, {}, {}, (seat,), 0, "local"), (seat,), 0)
        self.step, self.goal, self.reply = -1, None, Reply()

    def decide(self, seat: str, turn: Turn) -> Decision:
        """What the agent does now."""
        given = self._agent.act({seat: turn})[seat]
        decision = given if isinstance(given, Decision) else Decision(given)
        self.step, self.goal = turn.step, decision.subgoal or "go on"  # type: ignore[assignment]
        return decision


# --- commands as tool calls --------------------------------------------------------------------------------------------
def call_of(action: str, turn: Turn) -> ToolCall:
    """The tool call that means an action: a call in JSON, a command whose words name a tool, or else words to `say`."""
    try:
        given = json.loads(action)
    except ValueError:
        given = None
    if isinstance(given, dict):
        if given.get("tool_calls"):
            first = given["tool_calls"][0]
            return _call(first["function"]["name"], first["function"]["arguments"], str(first.get("id", "0")))
        if "name" in given:
            return _call(given["name"], given.get("arguments", {}), str(given.get("id", "0")))
    if turn.commands is None:
        return _call("say", {"message": action})
    fits = [found for tool in turn.tools or () if (found := _fit(action, tool)) is not None]
    best = max((size for size, _ in fits), default=0)
    chosen = [call for size, call in fits if size == best]
    if len(chosen) != 1:
        raise ActionError(f"{action!r} is the call of {len(chosen)} tools; expected one")
    return chosen[0]


def _call(name: str, arguments: Any, call_id: str = "0") -> ToolCall:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return ToolCall(id=call_id, name=name, arguments=text)


def _fit(command: str, tool: Mapping[str, Any]) -> tuple[int, ToolCall] | None:
    """How much of a command the arguments of a tool say, and the call; None if the tool's name is not in the rest."""
    properties = tool["parameters"].get("properties", {})
    values = [[v for v in part.get("enum", ()) if _find(str(v), command)] for part in properties.values()]
    best: tuple[int, ToolCall] | None = None
    for chosen in itertools.product(*values):
        rest = command
        for value in sorted(map(str, chosen), key=len, reverse=True):
            place = _find(value, rest)
            rest = rest[: place.start()] + " " + rest[place.end() :] if place else "?"
        verb = str(tool["name"]).split("_")
        if rest.split()[: len(verb)] == verb or (not properties and command.split() == verb):
            size = sum(len(str(value)) for value in chosen) + len(verb)
            if best is None or size > best[0]:
                best = size, _call(str(tool["name"]), dict(zip(properties, chosen, strict=True)))
    return best


def _find(value: str, text: str) -> re.Match[str] | None:
    return re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text)
