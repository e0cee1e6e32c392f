"""Messages of clients, which are data and never trusted: JSON with limits, and errors with a code."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from ludarium.envs.core.errors import LudariumError

__all__ = ["CODES", "MAX_DEPTH", "MAX_MESSAGE", "ServeError", "read_json", "write_json"]

MAX_MESSAGE = 1 << 20
"""Bytes of a message."""
MAX_DEPTH = 32
"""Brackets within brackets."""
CODES = {
    "INVALID_JSON": 400,
    "UNKNOWN_TYPE": 400,
    "VALIDATION_ERROR": 422,
    "ACTION_ERROR": 422,
    "SESSION_ERROR": 404,
    "EPISODE_OVER": 409,
    "STALE": 409,
    "RANKED": 403,
    "BUSY": 429,
    "CAPACITY_REACHED": 503,
    "NO_TASKS_LEFT": 410,
    "EXECUTION_ERROR": 500,
    "TOO_LARGE": 413,
}
"""Codes of errors (those of OpenEnv, and ours), each with the HTTP status that it has there."""


class ServeError(LudariumError):
    """A request that cannot be met; `code` is one of `CODES`."""

    def __init__(self, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.code, self.more = code, more

    @property
    def status(self) -> int:
        """The HTTP status."""
        return CODES[self.code]

    def as_data(self) -> dict[str, Any]:
        """What the client is told."""
        return {"message": str(self), "code": self.code, **self.more}


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def read_json(data: str | bytes) -> Any:
    """A JSON value of at most `MAX_MESSAGE` bytes and `MAX_DEPTH` levels; `ServeError` for anything else."""
    if len(data) > MAX_MESSAGE:
        raise ServeError("TOO_LARGE", f"a message has at most {MAX_MESSAGE} bytes; this one has {len(data)}")
    try:
        text = data if isinstance(data, str) else data.decode()
        value = json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ServeError("INVALID_JSON", f"JSON nested more than {MAX_DEPTH} levels deep") from None
    except ValueError as error:  # JSON, UTF-8, and integers of thousands of digits
        raise ServeError("INVALID_JSON", f"the message is not JSON: {str(error)[:200]}") from None
    if text.count("[") + text.count("{") > MAX_DEPTH or "\\u" in text:
        _check(value)
    return value


def _check(value: Any) -> None:
    """Refuse what is nested too deep, and characters that no text can hold (halves of surrogate pairs)."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise ServeError("INVALID_JSON", f"JSON nested more than {MAX_DEPTH} levels deep")
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner += item.keys()
                inner += item.values()
            elif isinstance(item, list):
                inner += item
            elif isinstance(item, str) and not item.isascii():
                try:
                    item.encode()
                except UnicodeEncodeError:
                    raise ServeError("INVALID_JSON", "a text holds half of a surrogate pair") from None
        level = inner


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _finite(value: Any) -> Any:
    """The same with null for what JSON has no number for."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


_encoder = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=_plain)


def write_json(value: Any) -> str:
    """JSON text in ASCII; arrays become lists, and null stands for numbers that are not finite."""
    try:
        return _encoder.encode(value)
    except ValueError:
        return _encoder.encode(_finite(value))
