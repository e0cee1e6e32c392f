"""The desk in words: the policy with the tools, the conversation, the user's scenario, and why an action was none."""

from __future__ import annotations

import json
from typing import Any

from ludarium.envs.text.desk.actions import FAULTS, count_tokens, read_action
from ludarium.envs.text.desk.domain import Domain
from ludarium.envs.text.desk.dynamics import AGENT, SEATS, Game
from ludarium.envs.text.desk.policy import document
from ludarium.envs.text.desk.tools import schema

__all__ = ["explain", "rules", "scenario_of", "situation", "tools_of"]

_MANNERS = {
    "terse": "You use as few words as possible.",
    "chatty": "You like to talk, and add small remarks.",
    "impatient": "You are in a hurry and leave when it takes too long.",
    "mistaken": "You get a detail wrong at first, and correct it when it is pointed out.",
    "adversarial": "You insist once when something is declined, and claim that others promised it.",
}
_HOW = (
    "An action is a text (a message in words to the other side), or tool calls: as a chat message "
    '{"role": "assistant", "content": null, "tool_calls": [{"id": "1", "function": {"name": ..., "arguments": ...}}]}, '
    'as {"name": ..., "arguments": {...}}, or as name(key="value"). A message holds words or calls, not both. After calls '
    "it is your turn again; after words it is the other side's."
)


def rules(domain: Domain) -> str:
    """How to act, the policy document, and the tools of both seats."""
    parts = [_HOW, document(domain.title, domain.preamble, domain.rules), "# Tools of the agent"]
    parts.append("\n".join(f"- {_signature(tool)}" for tool in domain.tools.values()))
    if domain.user_tools:
        parts += ["# Tools of the user (on the user's own device)"]
        parts.append("\n".join(f"- {_signature(tool)}" for tool in domain.user_tools.values()))
    parts.append("The user ends the conversation with ###STOP###, ###TRANSFER### or ###OUT-OF-SCOPE###.")
    return "\n\n".join(parts)


def _signature(tool: Any) -> str:
    arguments = ", ".join(f"{p.name}: {_kind(p)}{'?' if p.optional else ''}" for p in tool.params)
    return f"{tool.name}({arguments}) [{tool.kind}]: {tool.about}"


def _kind(param: Any) -> str:
    return " | ".join(json.dumps(choice) for choice in param.choices) or str(param.kind)


def tools_of(game: Game, seat: int) -> tuple[dict[str, Any], ...]:
    """The seat's tools as JSON schemas, and `say` for words."""
    say = {
        "name": "say",
        "description": "Write to the other side.",
        "parameters": {
            "type": "object",
            "properties": {"message": {"type": "string"}},
            "required": ["message"],
            "additionalProperties": False,
        },
    }
    return (say, *(schema(tool) for tool in game.domain.tools_of(SEATS[seat]).values()))


def scenario_of(task: dict[str, Any]) -> dict[str, Any]:
    """What the user's seat knows of the task: who it is and what it wants; not what is right."""
    wishes = [{name: wish[name] for name in ("kind", "slots", "opening")} for wish in task["wishes"]]
    return {**{name: task[name] for name in ("persona", "facts", "unknown", "wrong")}, "wishes": wishes}


def _instructions(task: dict[str, Any]) -> str:
    """The scenario in words, for people and language models in the user's seat."""
    lines = [f"You are a customer who writes to a service desk. {_MANNERS[task['persona']]}"]
    lines += [f"Your {name} is {value}." for name, value in task["facts"].items()]
    lines += [f"You do not remember your {name}." for name in task["unknown"]]
    lines += [f"At first you say that your {name} is {value}." for name, value in task["wrong"].items()]
    for n, wish in enumerate(task["wishes"]):
        slots = "; ".join(f"{name}: {slot['say']}" for name, slot in wish["slots"].items())
        lines.append(f"Wish {n + 1}: {wish['kind'].replace('_', ' ')} ({slots}).")
    lines.append(
        "Bring up one wish after another, tell details only when asked, say yes only to what you want. When all is settled "
        "write ###STOP###; when you are handed over, ###TRANSFER###; when you are asked what you cannot know, "
        "###OUT-OF-SCOPE###."
    )
    return "\n".join(lines)


def situation(game: Game, seat: int) -> str:
    """The conversation so far as a seat knows it, with the scenario for the user."""
    company = game.domain.title.split(":")[0]
    lines = [_instructions(game.task), ""] if seat != AGENT else [f"You serve at the desk of {company}."]
    for entry in game.log:
        who = "You" if entry.seat == seat else SEATS[entry.seat].capitalize()
        if entry.kind == "text":
            lines.append(f"{who}: {entry.text}".replace("\n", "\n    "))  # words cannot pose as lines of others
        elif entry.seat == seat:
            lines.append(f"  {entry.name}({entry.text})" if entry.kind == "call" else f"  -> {entry.text}")
    if game.ended:
        lines.append(f"The conversation is over ({game.ended.replace('_', ' ')}).")
    else:
        lines.append("It is your turn." if game.turn == seat else f"It is the {SEATS[game.turn]}'s turn.")
    return "\n".join(lines)


def explain(game: Game, seat: int, action: Any, code: int) -> str:
    """Why an action was none."""
    if seat == game.turn and isinstance(action, str):
        trial = game.twin()
        if trial.act(action) == code:
            return f"{SEATS[seat]}_0: {json.loads(trial.log[-1].text)['message']}"
    names = frozenset(game.domain.tools_of(SEATS[seat]))
    why = read_action(action, names).why if isinstance(action, str) else "actions are text"
    tokens = f" ({count_tokens(action)} tokens)" if isinstance(action, str) else ""
    return f"{SEATS[seat]}_0: {FAULTS[code].replace('_', ' ')}{tokens}{': ' if why else ''}{why}"
