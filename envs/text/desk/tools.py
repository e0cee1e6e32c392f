"""Tools: typed functions over the database, with JSON schemas; what goes wrong comes back as data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from ludarium.envs.core.errors import did_you_mean

__all__ = ["Param", "Tool", "ToolError", "checked", "schema"]


class ToolError(Exception):
    """What a tool answers instead of a result: `{"error": code, "message": sentence}`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclasses.dataclass(frozen=True)
class Param:
    """One argument: its JSON type (`string`, `integer`, `boolean`, or `array` of strings) and what it means."""

    name: str
    about: str
    kind: str = "string"
    choices: tuple[str, ...] = ()
    optional: bool = False
    refers: str = ""
    """What its ids are ids of (`order`, `item`, ...), for mutations of plans."""


@dataclasses.dataclass(frozen=True)
class Tool:
    """A function that a seat may call; `kind` is `read`, `write` or `generic` (touches no table)."""

    name: str
    kind: str
    about: str
    params: tuple[Param, ...]
    run: Callable[[Any, dict[str, Any]], Any]
    """(desk, checked arguments) -> JSON value; raises `ToolError`"""
    seat: str = "agent"


def schema(tool: Tool) -> dict[str, Any]:
    """The tool as name, description and JSON-Schema parameters."""
    properties: dict[str, Any] = {}
    for param in tool.params:
        made: dict[str, Any] = {"type": param.kind, "description": param.about}
        if param.kind == "array":
            made["items"] = {"type": "string"}
        if param.choices:
            made["enum"] = list(param.choices)
        properties[param.name] = made
    return {
        "name": tool.name,
        "description": tool.about,
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": [param.name for param in tool.params if not param.optional],
            "additionalProperties": False,
        },
    }


def checked(tool: Tool, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments in their types (25.0 is an integer, texts lose outer spaces); `ToolError` for those that do not fit."""
    known = {param.name: param for param in tool.params}
    for name in given:
        if name not in known:
            raise ToolError("extra_argument", f"{tool.name} takes no argument {name!r:.60}{did_you_mean(name, known)}")
    made = {}
    for name, param in known.items():
        if name in given:
            made[name] = _typed(tool, param, given[name])
        elif not param.optional:
            raise ToolError("missing_argument", f"{tool.name} needs the argument {name!r}: {param.about}")
    return made


def _typed(tool: Tool, param: Param, value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and param.kind == "integer":
        value = int(value)
    fits = {
        "string": isinstance(value, str),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
        "array": isinstance(value, list) and all(isinstance(part, str) for part in value),
    }[param.kind]
    if not fits:
        wanted = "array of strings" if param.kind == "array" else param.kind
        raise ToolError("ill_typed_argument", f"{tool.name}: {param.name} = {value!r:.60}; expected {wanted}")
    if isinstance(value, str):
        value = value.strip()
    elif isinstance(value, list):
        value = [part.strip() for part in value]
    if param.choices and value not in param.choices:
        raise ToolError(
            "ill_typed_argument", f"{tool.name}: {param.name} = {value!r:.60}{did_you_mean(str(value), param.choices)}"
        )
    return value
