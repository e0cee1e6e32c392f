"""The language view that the core derives: commands, tools, and a total `parse` from any text to an action or an error."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
from gymnasium import spaces

from ludarium.envs.core.errors import ActionError, did_you_mean
from ludarium.envs.core.simulator import Choice, Simulator

__all__ = ["MAX_TEXT", "AnyText", "commands", "parse", "parse_tool", "text_of", "tools"]

MAX_TEXT = 1 << 20
_LISTED = 12
"""Commands that an error lists; who plays has them all in the turn."""


class AnyText(spaces.Space[str]):
    """Any string up to a length: Gymnasium's `Text` accepts only characters from a list."""

    def __init__(self, max_length: int = MAX_TEXT, seed: int | None = None) -> None:
        self.max_length = max_length
        super().__init__(None, str, seed)

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """A short string that is not plain ASCII."""
        letters = np.array(list("abc XYZ 09.,!?\n\t\u00e9\u4e2d\U0001f642"))
        return "".join(self.np_random.choice(letters, int(self.np_random.integers(0, min(24, self.max_length + 1)))))

    def contains(self, x: Any) -> bool:
        """Whether `x` is a string that is not too long."""
        return isinstance(x, str) and len(x) <= self.max_length

    @property
    def is_np_flattenable(self) -> bool:
        """Text has no flat array."""
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnyText) and other.max_length == self.max_length

    def __hash__(self) -> int:
        return hash(("AnyText", self.max_length))

    def __repr__(self) -> str:
        return f"AnyText({self.max_length})"


def _space(simulator: Simulator, seat: int) -> spaces.Space[Any]:
    r = int(np.searchsorted(simulator.offsets, seat, side="right")) - 1
    return simulator.roles[r].action_space


def commands(simulator: Simulator, state: Any, row: int, seat: int) -> tuple[str, ...] | None:
    """The legal choices as commands, or None where they cannot be listed."""
    menu = simulator.menu(state, row, seat)
    return None if menu is None else tuple(choice.text for choice in menu)


def tools(simulator: Simulator, state: Any, row: int, seat: int) -> tuple[dict[str, Any], ...]:
    """The world's own tools, or the legal choices as JSON-Schema tools, one a verb; without a menu one tool `act`."""
    own = simulator.tools(state, row, seat)
    if own is not None:
        return own
    menu = simulator.menu(state, row, seat)
    if menu is None:
        schema = {
            "type": "object",
            "properties": {"action": {}},
            "required": ["action"],
            "additionalProperties": False,
        }
        return ({"name": "act", "description": f"one action of {_space(simulator, seat)}", "parameters": schema},)
    by_verb: dict[str, list[Choice]] = {}
    for choice in menu:
        by_verb.setdefault(choice.verb, []).append(choice)
    made = []
    for verb, choices in by_verb.items():
        names = list(choices[0].arguments)
        properties = {}
        for name in names:
            values = list(dict.fromkeys(choice.arguments[name] for choice in choices))
            properties[name] = {"enum": values}
        schema = {
            "type": "object",
            "properties": properties,
            "required": names,
            "additionalProperties": False,
        }
        examples = ", ".join(choice.text for choice in choices[:3])
        made.append({"name": verb, "description": f"for example: {examples}", "parameters": schema})
    return tuple(made)


def text_of(simulator: Simulator, state: Any, row: int, seat: int, action: Any) -> str:
    """The command that means this action now, what the world says of it, or the action itself."""
    plain = action.tolist() if hasattr(action, "tolist") else action
    for choice in simulator.menu(state, row, seat) or ():
        if choice.action == plain:
            return choice.text
    return simulator.in_words(state, row, seat, action) or json.dumps(plain)


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().strip("`'\".").lower()


def parse(simulator: Simulator, state: Any, row: int, seat: int, text: str) -> Any:
    """The action that a text means, or `ActionError` with a sentence that helps.

    A command of the menu matches whatever its case and spaces; a number or a JSON value that is in the action space is
    that action; a JSON object with `name` and `arguments` is a tool call.
    """
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        raise ActionError(f"an action in words is a string of at most {MAX_TEXT} characters")
    menu = simulator.menu(state, row, seat)
    wanted = _plain(text)
    for choice in menu or ():
        if _plain(choice.text) == wanted:
            return choice.action
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and "name" in value:
        return parse_tool(simulator, state, row, seat, value["name"], value.get("arguments", {}))
    space = _space(simulator, seat)
    if isinstance(space, AnyText) and space.contains(text):
        return text
    if value is not None and _in_space(space, value):
        return value
    if menu is None:
        raise ActionError(f"{text!r:.200} is no action; expected a JSON value of {space}")
    why = simulator.why_not(state, row, seat, wanted)
    reason = f" ({why.rstrip('.')})" if why else ""
    raise ActionError(f"{text!r:.200} is no command now{reason}{_hint(wanted, [choice.text for choice in menu])}")


def _hint(wanted: str, known: list[str]) -> str:
    """The nearest command, or the known ones, but no long list of them."""
    found = did_you_mean(wanted, known)
    if len(known) <= _LISTED or "did you mean" in found:
        return found
    return f"; known: {', '.join(sorted(known)[:_LISTED])}, and {len(known) - _LISTED} more"


def parse_tool(simulator: Simulator, state: Any, row: int, seat: int, name: Any, arguments: Any) -> Any:
    """The action that a tool call means, or `ActionError`."""
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            raise ActionError(f"the arguments of {name!r:.80} are not JSON: {arguments!r:.200}") from None
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise ActionError("a tool call has a name and an object of arguments")
    if simulator.tools(state, row, seat) is not None:
        return simulator.tool_action(state, row, seat, name, arguments)
    menu = simulator.menu(state, row, seat)
    if menu is None:
        if name != "act" or not _in_space(_space(simulator, seat), arguments.get("action")):
            raise ActionError(f"expected the tool 'act' with an action of {_space(simulator, seat)}")
        return arguments["action"]
    same_verb = [choice for choice in menu if choice.verb == name]
    if not same_verb:
        raise ActionError(f"no tool {name!r:.80} now{did_you_mean(name, {choice.verb for choice in menu})}")
    for choice in same_verb:
        if choice.arguments == arguments:
            return choice.action
    known = "; ".join(json.dumps(choice.arguments) for choice in same_verb[:8])
    raise ActionError(f"{name} does not take {json.dumps(arguments)[:200]} now; it takes {known}")


def _in_space(space: spaces.Space[Any], value: Any) -> bool:
    if isinstance(value, bool) or value is None:
        return False
    try:
        if isinstance(space, spaces.Discrete):
            return isinstance(value, int) and bool(space.contains(np.int64(value)))
        if isinstance(space, spaces.Box | spaces.MultiDiscrete | spaces.MultiBinary):
            return bool(space.contains(np.asarray(value, space.dtype)))
        return bool(space.contains(value))
    except (ValueError, TypeError, OverflowError):
        return False
