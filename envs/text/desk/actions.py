"""What a seat says: a message in words, or calls of tools; read from a chat message, a JSON call, or `name(key='value')`.

What is said about a fault is part of the conversation, hence of its hash: it quotes no parser, whose words differ from one
version of Python to the next.
"""

from __future__ import annotations

import ast
import json
import re
from typing import Any, NamedTuple

__all__ = ["FAULTS", "Call", "Said", "count_tokens", "read_action"]

FAULTS = (
    "none", "empty", "malformed_json", "text_and_tool_call", "duplicate_call_id", "unknown_tool", "missing_argument",
    "extra_argument", "ill_typed_argument", "message_over_budget",
)  # fmt: skip
"""Faults by number; each is a counted turn that changes no table."""
_CALL = re.compile(r"([A-Za-z_]\w*)\((.*)\)\Z", re.S)
_TOKEN = re.compile(r"\w{1,8}|[^\w\s]")
_MOST_CALLS = 16
_MOST_BRACKETS = 300
"""so that no parser comes to the limit of its recursion, which depends on who called it"""


class Call(NamedTuple):
    """A call of a tool."""

    id: str
    name: str
    arguments: dict[str, Any]


class Said(NamedTuple):
    """One action as read: a text, or calls, or a fault with a sentence."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    fault: str = "none"
    why: str = ""


def count_tokens(text: str) -> int:
    """Pieces of at most eight letters or digits, and signs: a count that needs no vocabulary."""
    return len(_TOKEN.findall(text))


def read_action(action: str, names: frozenset[str]) -> Said:
    """Read an action; `names` are the seat's tools, which tell `name(...)` from words."""
    text = action.strip()
    if not text:
        return Said(fault="empty", why="the action is empty; write to the other side, or call a tool")
    call = _CALL.match(text)
    if (text[0] == "{" or call) and sum(map(text.count, "{[(")) > _MOST_BRACKETS:
        return Said(fault="malformed_json", why=f"more than {_MOST_BRACKETS} brackets")
    if text[0] == "{":
        return _from_json(text)
    if call and (call[1] in names or "=" in call[2] or not call[2].strip()):
        return _from_code(text, call[1])
    return Said(text=text)


def _from_json(text: str) -> Said:
    try:
        value = json.loads(text)
    except ValueError:
        return Said(fault="malformed_json", why="an action that begins with a brace is JSON, and this is none")
    if not isinstance(value, dict):
        return Said(fault="malformed_json", why="expected a JSON object")
    if "name" in value:
        return _calls([value], None)
    content, calls = value.get("content"), value.get("tool_calls") or []
    if not isinstance(calls, list) or not (content is None or isinstance(content, str)):
        return Said(fault="malformed_json", why="a message has `content` (text or null) and `tool_calls` (a list)")
    if not ({"content", "tool_calls"} & set(value)):
        return Said(
            fault="malformed_json", why="expected a tool call (name, arguments) or a message (content, tool_calls)"
        )
    return _calls(calls, content)


def _calls(given: list[Any], content: str | None) -> Said:
    if given and content and content.strip():
        return Said(fault="text_and_tool_call", why="a message holds text or tool calls, not both: send two messages")
    if not given:
        text = (content or "").strip()
        return Said(text=text) if text else Said(fault="empty", why="the message has neither text nor tool calls")
    if len(given) > _MOST_CALLS:
        return Said(fault="malformed_json", why=f"{len(given)} tool calls in a message; expected at most {_MOST_CALLS}")
    made: list[Call] = []
    for n, item in enumerate(given):
        if not isinstance(item, dict):
            return Said(fault="malformed_json", why="a tool call is an object")
        body = item.get("function", item)
        name, arguments = (body.get("name"), body.get("arguments", {})) if isinstance(body, dict) else (None, None)
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments)
            except (ValueError, RecursionError):
                return Said(fault="malformed_json", why=f"the arguments of {name!r:.60} are not JSON")
        if not isinstance(name, str) or not isinstance(arguments, dict):
            return Said(fault="malformed_json", why="a tool call has a name and an object of arguments")
        made.append(Call(str(item.get("id", f"{n}")), name, arguments))
    ids = [call.id for call in made]
    if len(set(ids)) != len(ids):
        return Said(fault="duplicate_call_id", why="two tool calls of the message have one id; ids are unique")
    return Said(calls=tuple(made))


def _from_code(text: str, name: str) -> Said:
    try:
        node = ast.parse(text, mode="eval").body
        if not isinstance(node, ast.Call) or node.args or any(word.arg is None for word in node.keywords):
            raise ValueError("not of this form")
        arguments = {str(word.arg): _literal(word.value) for word in node.keywords}
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        form = f"{name}(...) is no call that can be read: expected {name}(key='value', ...) with plain values"
        return Said(fault="malformed_json", why=form)
    return Said(calls=(Call("0", name, arguments),))


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Name) and node.id in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[node.id]
    value = ast.literal_eval(node)
    json.dumps(value, allow_nan=False)
    return value
