"""A world as an environment of TRL's `environment_factory`: each verb a method with types and a docstring."""

from __future__ import annotations

import functools
import inspect
import keyword
import re
from collections.abc import Callable
from typing import Any

from ludarium.wrappers.spoken import Spoken

__all__ = ["TrlEnvironment", "to_trl"]

_TYPES = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list, "object": dict}


def _plain(name: str) -> str:
    found = re.sub(r"\W", "_", name)
    return f"{found}_" if keyword.iskeyword(found) or found in ("reset", "get_reward") else found


class TrlEnvironment:
    """Made without arguments by what `to_trl` returns; `reset` takes a row of the data set, whose `seed` chooses the episode."""

    def __init__(self, world: str, seat: str | None, others: str | None, config: dict[str, Any]) -> None:
        self._spoken = Spoken(world, seat, others, **config)
        self._spoken.reset(0)
        for tool in self._spoken.tools():
            setattr(self, _plain(tool["name"]), _bound(tool, self))

    def reset(self, seed: int = 0, **row: Any) -> str:
        """Begin the episode of a row; what the seat is told, with the rules."""
        return f"{self._spoken.simulator.rules()}\n\n{self._spoken.reset(int(seed))}"

    def get_reward(self) -> float:
        """The sum of the rewards."""
        return self._spoken.total


def _bound(tool: dict[str, Any], environment: TrlEnvironment) -> Callable[..., str]:
    """A tool as a method of an environment."""
    schema = tool["parameters"]
    properties, required = schema.get("properties", {}), schema.get("required", ())
    kinds = {_plain(name): _TYPES.get(part.get("type", ""), str) for name, part in properties.items()}
    names = {_plain(name): name for name in properties}

    def method(self: TrlEnvironment, *positional: Any, **arguments: Any) -> str:
        bound = inspect.signature(method).bind(self, *positional, **arguments).arguments
        given = {names[name]: value for name, value in bound.items() if name != "self" and value is not None}
        words = tool["name"] == "act" and self._spoken.simulator.verbs() is None and set(given) == {"command"}
        return self._spoken.act(given if words else {"name": tool["name"], "arguments": given})[0]

    order = sorted(kinds, key=lambda name: names[name] not in required)
    parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    parameters += [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=kinds[name],
                                     default=inspect.Parameter.empty if names[name] in required else None)
                   for name in order]  # fmt: skip
    method.__name__ = method.__qualname__ = _plain(tool["name"])
    method.__signature__ = inspect.Signature(parameters, return_annotation=str)  # type: ignore[attr-defined]
    method.__annotations__ = {**kinds, "return": str}
    told = [f"    {name}: {properties[names[name]].get('description') or names[name]}" for name in order]
    arguments = ["Args:", *told, ""] if told else []
    method.__doc__ = "\n".join(
        [tool.get("description") or tool["name"], "", *arguments, "Returns:", "    What is seen."]
    )
    return method.__get__(environment)


def to_trl(
    world: str, seat: str | None = None, others: str | None = None, **config: Any
) -> Callable[[], TrlEnvironment]:
    """What to give as `environment_factory`: called without arguments, and picklable. Rewards: `get_reward`."""
    return functools.partial(TrlEnvironment, world, seat, others, config)
