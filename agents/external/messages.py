"""The messages between the suite and an agent outside it; their JSON Schema is `agents/protocol.json`.

We speak first, and each message is answered by one of the same type, or by an `error`. What agents answer is data: its size
is limited by who reads it, its form here, and what an action means by the world.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

import numpy as np
from gymnasium import spaces

from ludarium.agents.contract import INFORMATION, Decision, Task, Turn
from ludarium.envs.core.errors import AgentFailedError

__all__ = [
    "VERSION",
    "VIEWS",
    "Hello",
    "act_message",
    "decisions",
    "message",
    "read_answer",
    "read_hello",
    "space_json",
]
__all__ += ["start_message", "write_json"]

VERSION = 1
"""Of the messages; an agent that speaks another one is told so."""
VIEWS = ("array", "text", "tools", "state")
"""What can be sent as JSON."""
MAX_DEPTH = 64
_STATUS = ("ok", "repaired", "fallback")
_WHY = ("", "reply", "budget", "endpoint")
_LONGEST = {"raw": 1 << 16, "subgoal": 1 << 12, "control": 1 << 12, "message": 1 << 10}
_LARGEST = 1 << 53


class Hello(NamedTuple):
    """What an agent says of itself before its first episode."""

    view: str = "text"
    information: str = "local"
    arrays: str = "lists"
    """How it wants arrays: `lists`, or `base64` (about a third of the bytes for floats, and faster on both sides)."""


# --- what we say ---
def message(kind: str, episode: str = "", step: int = 0, **content: Any) -> dict[str, Any]:
    """A message: its type, the version, episode and step, and what belongs to the type."""
    return {"type": kind, "version": VERSION, "episode": episode, "step": step, **content}


def start_message(episode: str, task: Task, seats: tuple[str, ...], seed: int) -> dict[str, Any]:
    """Tell the task, the agent's own seats and its seed."""
    told = {
        "id": task.id,
        "config": task.config,
        "rules": task.rules,
        "observation_spaces": {role: space_json(space) for role, space in task.observation_spaces.items()},
        "action_spaces": {role: space_json(space) for role, space in task.action_spaces.items()},
        "seats": task.seats,
        "max_steps": task.max_steps,
        "information": task.information,
        "budgets": task.budgets,
    }
    return message("start", episode, task=told, seats=seats, seed=seed)


def act_message(episode: str, turns: Mapping[str, Turn], hello: Hello) -> dict[str, Any]:
    """Ask for the actions of some seats; the view `state`, equal for all seats, is told once."""
    words, shared = hello.view in ("text", "tools"), hello.view == "state"
    told = {}
    for seat, turn in turns.items():
        one: dict[str, Any] = {} if shared else {"observation": turn.observation}
        if words:
            one["commands"] = turn.commands
        elif turn.mask is not None:
            one["mask"] = turn.mask
        if turn.tools is not None:
            one["tools"] = turn.tools
        told[seat] = {**one, "reward": turn.reward, "terminated": turn.terminated, "truncated": turn.truncated}
    first = next(iter(turns.values()))
    common = {"state": first.observation} if shared else {}
    return message("act", episode, first.step, turns=told, **common)


def space_json(space: spaces.Space[Any]) -> dict[str, Any]:
    """A space as JSON; one that has no form here is told in words."""
    if isinstance(space, spaces.Discrete):
        return {"kind": "discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, spaces.MultiDiscrete):
        return {"kind": "multi_discrete", "nvec": space.nvec.tolist(), "start": np.asarray(space.start).tolist()}
    if isinstance(space, spaces.MultiBinary):
        return {"kind": "multi_binary", "shape": list(space.shape)}
    if isinstance(space, spaces.Box):
        shape, kind = list(space.shape), str(space.dtype)
        return {"kind": "box", "shape": shape, "dtype": kind, "low": _bound(space.low), "high": _bound(space.high)}
    if isinstance(space, spaces.Dict):
        return {"kind": "dict", "spaces": {str(name): space_json(part) for name, part in space.spaces.items()}}
    if isinstance(space, spaces.Tuple):
        return {"kind": "tuple", "spaces": [space_json(part) for part in space.spaces]}
    longest = getattr(space, "max_length", None)
    if isinstance(longest, int):
        return {"kind": "text", "max_length": longest}
    return {"kind": "other", "text": str(space)}


def _bound(limit: Any) -> Any:
    """One number where all are equal (null: none)."""
    return limit.flat[0].item() if limit.size and (limit == limit.flat[0]).all() else limit.tolist()


def _as_lists(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _as_base64(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and value.ndim:
        data = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
        return {
            "dtype": data.dtype.str,
            "shape": list(data.shape),
            "base64": base64.b64encode(data.tobytes()).decode(),
        }
    return _as_lists(value)


def _named(value: Any) -> Any:
    """Named tuples as objects: the encoder would make lists of them."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {key: _named(item) for key, item in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(key): _named(item) for key, item in value.items()}
    return [_named(item) for item in value] if isinstance(value, list | tuple) else value


def _finite(value: Any, plain: Any) -> Any:
    """The same with null for what JSON has no number for."""
    if not isinstance(value, str | int | float | bool | list | tuple | dict | None):
        value = plain(value)
    if isinstance(value, dict):
        return {key: _finite(item, plain) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item, plain) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


_PLAIN = {"lists": _as_lists, "base64": _as_base64}
_ENCODERS = {
    name: json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=plain) for name, plain in _PLAIN.items()
}


def write_json(value: dict[str, Any], arrays: str = "lists") -> bytes:
    """One line of JSON in ASCII, without its end; null stands for numbers that are not finite."""
    if "state" in value or "task" in value:
        value = _named(value)
    try:
        return _ENCODERS[arrays].encode(value).encode()
    except ValueError:
        return _ENCODERS[arrays].encode(_finite(value, _PLAIN[arrays])).encode()


# --- what agents say ---
def _nonsense(text: str) -> AgentFailedError:
    return AgentFailedError(text, kind="nonsense")


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_decode = json.JSONDecoder(parse_constant=_refuse).decode


def _read_object(data: bytes) -> dict[str, Any]:
    try:
        text = data.decode()
        value = _decode(text)
        if text.count("[") + text.count("{") > MAX_DEPTH or "\\u" in text:
            _check(value)
    except RecursionError:
        raise _nonsense(f"the agent's JSON is nested more than {MAX_DEPTH} levels deep") from None
    except ValueError as error:  # JSON, UTF-8, integers of thousands of digits
        raise _nonsense(f"the agent's answer is not JSON ({str(error)[:80]}): {data[:80]!r}") from None
    if not isinstance(value, dict):
        raise _nonsense(f"the agent answered {data[:80]!r}; expected a JSON object")
    return value


def _check(value: Any) -> None:
    """Refuse what is nested too deep, and halves of surrogate pairs, which no text can hold."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise RecursionError
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner += [*item.keys(), *item.values()]
            elif isinstance(item, list):
                inner += item
            elif isinstance(item, str) and not item.isascii():
                item.encode()
        level = inner


def read_answer(data: bytes, kind: str, episode: str, step: int) -> dict[str, Any]:
    """An answer of the right type, version, episode and step; `AgentFailedError` for anything else."""
    answer = _read_object(data)
    version = answer.get("version")
    if version != VERSION or isinstance(version, bool):
        raise _nonsense(f"the agent speaks version {version!r:.40} of the messages; this is version {VERSION}")
    given = answer.get("type")
    lost = given == "error" and "episode" not in answer  # it could not even read what it was asked
    here = answer.get("episode") == episode and type(answer.get("step")) is int and answer["step"] == step
    if not here and not lost:
        where = f"episode {answer.get('episode')!r:.40} step {answer.get('step')!r:.40}"
        raise StaleAnswerError(f"the agent answered for {where}; asked was episode {episode!r} step {step}", answer)
    if given == "error":
        raise AgentFailedError(f"the agent reports: {answer.get('message')!r:.120}", kind="crash")
    if given != kind:
        raise _nonsense(f"the agent answered {kind!r} with {given!r:.40}")
    return answer


class StaleAnswerError(AgentFailedError):
    """An answer for another step or episode."""

    def __init__(self, text: str, answer: dict[str, Any]) -> None:
        super().__init__(text, kind="nonsense")
        self.episode, self.step = answer.get("episode"), answer.get("step")


def read_hello(answer: dict[str, Any]) -> Hello:
    """What an agent says of itself; `AgentFailedError` for what nobody offers."""
    choices = {"view": VIEWS, "information": INFORMATION, "arrays": tuple(_PLAIN)}
    found = {name: answer.get(name, getattr(Hello(), name)) for name in choices}
    if "information" not in answer and found["view"] == "state":
        found["information"] = "full"
    for name, value in found.items():
        if value not in choices[name]:
            raise _nonsense(
                f"the agent's hello says {name} = {value!r:.40}; expected one of {', '.join(choices[name])}"
            )
    return Hello(**found)


def decisions(answer: dict[str, Any], seats: tuple[str, ...]) -> dict[str, Any]:
    """The action of each seat that was asked, or a `Decision` where the agent notes how it came about.

    Seats without an action are left out, which loses their turn alone.
    """
    actions, notes = answer.get("actions"), answer.get("notes", {})
    if isinstance(actions, list):
        if len(actions) != len(seats):
            raise _nonsense(f"the agent answered {len(actions)} actions; {len(seats)} seats were asked")
        actions = dict(zip(seats, actions, strict=True))
    if not isinstance(actions, dict) or not isinstance(notes, dict):
        raise _nonsense("the agent's answer has no actions; expected an object by seat, or a list in the order asked")
    return {
        seat: _decision(actions[seat], notes[seat]) if seat in notes else actions[seat]
        for seat in seats
        if seat in actions
    }


def _decision(action: Any, note: Any) -> Decision:
    if not isinstance(note, dict):
        raise _nonsense(f"the agent's note is {note!r:.80}; expected an object")
    texts: dict[str, Any] = {name: note[name] for name in _LONGEST if note.get(name) is not None}
    for name, text in texts.items():
        if not isinstance(text, str) or len(text) > _LONGEST[name]:
            raise _nonsense(f"{name} of the agent's note is no text of at most {_LONGEST[name]} characters")
    status, why, usage = note.get("status", "ok"), note.get("why", ""), note.get("usage", {})
    if status not in _STATUS or why not in _WHY:
        raise _nonsense(f"the agent's note says {status!r:.40} {why!r:.40}; expected one of {', '.join(_STATUS)}")
    if not isinstance(usage, dict) or len(usage) > 16 or not all(map(_is_usage, usage.items())):
        raise _nonsense(f"usage of the agent's note is {usage!r:.80}; expected at most 16 counts by name")
    return Decision(action, status=status, why=why, usage=usage, **texts)


def _is_usage(item: tuple[str, Any]) -> bool:
    return len(item[0]) <= 40 and type(item[1]) is int and 0 <= item[1] <= _LARGEST
