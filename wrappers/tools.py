"""A world's tools in the shape of OpenAI's function calls, and a model's calls as actions of the world."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["schemas", "to_openai", "tool_names"]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _fitting(name: str) -> str:
    """A name that OpenAI's protocol takes: letters, digits, `_` and `-`, at most 64."""
    if _NAME.fullmatch(name):
        return name
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:48] or "tool"
    return f"{plain}_{hashlib.blake2b(name.encode(), digest_size=4).hexdigest()}"


def tool_names(tools: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The world's own name of each tool, by the name that models know it by."""
    return {_fitting(str(tool["name"])): str(tool["name"]) for tool in tools}


def to_openai(tools: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Tools (name, description, JSON-Schema parameters) as chat completions want them."""
    return tuple(
        {
            "type": "function",
            "function": {
                "name": _fitting(str(tool["name"])),
                "description": str(tool.get("description", ""))[:1024],
                "parameters": _typed(tool.get("parameters", {"type": "object", "properties": {}})),
            },
        }
        for tool in tools
    )


def _typed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema whose enumerations say their type: some endpoints take no others."""
    found = dict(schema)
    properties = {}
    for name, part in dict(schema.get("properties", {})).items():
        kinds = {type(value) for value in part.get("enum", ())}
        known = {str: "string", int: "integer", float: "number", bool: "boolean"}
        if "type" not in part and len(kinds) == 1 and (kind := known.get(kinds.pop())):
            part = {"type": kind, **part}
        properties[name] = part
    return {**found, "properties": properties}


def schemas(tools: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The parameters' schema of each tool, by the name that models know it by."""
    return {tool["function"]["name"]: tool["function"]["parameters"] for tool in to_openai(tools)}
