"""The agent's side of the messages: a question becomes a task or turns as agents of the suite know them, actions an answer.

What comes is data of a server: sizes and forms are checked, nothing of it names code.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
from gymnasium import spaces

from ludarium.agents.contract import INFORMATION, Decision, Task, Turn
from ludarium.agents.external.messages import message
from ludarium.envs.core.errors import AgentError
from ludarium.envs.core.language import AnyText

__all__ = ["answer_of", "array_of", "error_of", "space_of", "task_of", "turns_of"]

MAX_BYTES = 64 << 20
"""Bytes of an array."""
_MALFORMED = (KeyError, TypeError, ValueError, OverflowError, AttributeError, RecursionError)


def task_of(told: Mapping[str, Any]) -> Task:
    """The task of a `start` message; `AgentError` if it is none."""
    try:
        task = told["task"]
        if task["information"] not in INFORMATION:
            raise ValueError(f"information {task['information']!r:.40}")
        return Task(
            id=str(task["id"]),
            config=dict(task["config"]),
            rules=str(task["rules"]),
            observation_spaces={role: space_of(space) for role, space in task["observation_spaces"].items()},
            action_spaces={role: space_of(space) for role, space in task["action_spaces"].items()},
            seats=tuple(task["seats"]),
            max_steps=int(task["max_steps"]),
            information=task["information"],
            budgets=dict(task["budgets"]),
        )
    except _MALFORMED as error:
        raise AgentError(f"the message holds no task: {error!s:.200}") from error


def turns_of(told: Mapping[str, Any]) -> dict[str, Turn]:
    """The turns of an `act` message by seat, with its arrays as arrays; `AgentError` if it has none.

    Under the view `state` all turns share one observation: an object of arrays, or of attributes where it says `record`.
    """
    try:
        step = int(told["step"])
        shared = None
        if "state" in told:
            shared = _value(told["state"])
            if told.get("record"):
                shared = SimpleNamespace(**shared)
        found = {}
        for seat, turn in told["turns"].items():
            given, commands, tools = turn.get("observation"), turn.get("commands"), turn.get("tools")
            found[seat] = Turn(
                shared if given is None else _value(given),
                _value(turn.get("mask")),
                None if commands is None else tuple(commands),
                None if tools is None else tuple(tools),
                math.nan if turn["reward"] is None else float(turn["reward"]),
                bool(turn["terminated"]),
                bool(turn["truncated"]),
                step,
            )
        return found
    except _MALFORMED as error:
        raise AgentError(f"the message holds no turns: {error!s:.200}") from error


def array_of(data: Mapping[str, Any]) -> Any:
    """An array from its dtype, shape and base64; `ValueError` if they do not fit together."""
    kind = np.dtype(str(data["dtype"]))
    shape = tuple(int(n) for n in data["shape"])
    if kind.kind not in "biuf" or any(n < 0 for n in shape) or math.prod(shape) * kind.itemsize > MAX_BYTES:
        raise ValueError(f"an array of {kind} and shape {shape}")
    return np.frombuffer(base64.b64decode(data["base64"], validate=True), kind).reshape(shape).copy()


def _value(data: Any) -> Any:
    if isinstance(data, dict):
        if set(data) == {"dtype", "shape", "base64"}:
            return array_of(data)
        return {name: _value(part) for name, part in data.items()}
    return [_value(part) for part in data] if isinstance(data, list) else data


def space_of(data: Mapping[str, Any]) -> spaces.Space[Any]:
    """A space from its JSON; one that was told in words can hold any text."""
    kind = data["kind"]
    if kind == "discrete":
        return spaces.Discrete(int(data["n"]), start=int(data["start"]))
    if kind == "multi_discrete":
        return spaces.MultiDiscrete(np.array(data["nvec"]), start=np.array(data["start"]))
    if kind == "multi_binary":
        return spaces.MultiBinary([int(n) for n in data["shape"]])
    if kind == "box":
        dtype = np.dtype(str(data["dtype"]))
        if dtype.kind not in "biuf":
            raise ValueError(f"a box of {dtype}")
        low, high = (_bound(data[name], dtype, sign) for name, sign in (("low", -1), ("high", 1)))
        return spaces.Box(low, high, tuple(int(n) for n in data["shape"]), dtype.type)
    if kind == "dict":
        return spaces.Dict({name: space_of(part) for name, part in data["spaces"].items()})
    if kind == "tuple":
        return spaces.Tuple([space_of(part) for part in data["spaces"]])
    return AnyText()


def _bound(given: Any, dtype: np.dtype[Any], sign: int) -> Any:
    """One number, or an array of them; null stands for no limit."""
    if given is None:
        return sign * np.inf
    if isinstance(given, list):
        return np.array([sign * np.inf if n is None else n for n in np.ravel(np.array(given, object))], dtype).reshape(
            np.shape(given)
        )
    return given


# --- answers -----------------------------------------------------------------------------------------------------------
def answer_of(told: Mapping[str, Any], actions: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to an `act` message: plain values by seat, and notes on how they came about where a `Decision` says so."""
    plain: dict[str, Any] = {}
    notes: dict[str, Any] = {}
    for seat, answer in actions.items():
        decision = answer if isinstance(answer, Decision) else Decision(answer)
        plain[str(seat)] = _plain(decision.action)
        note = {n: v for n in ("raw", "subgoal", "control", "usage") if (v := getattr(decision, n))}
        if decision.status != "ok":
            note |= {"status": decision.status, "why": decision.why, "message": decision.message[:1024]}
        if note:
            notes[str(seat)] = note
    return message("act", told["episode"], told["step"], actions=plain, **({"notes": notes} if notes else {}))


def error_of(told: Mapping[str, Any], error: BaseException) -> dict[str, Any]:
    """The answer of an agent that failed: its turns are lost."""
    return message("error", told["episode"], told["step"], message=f"{type(error).__name__}: {error}"[:500])


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value
