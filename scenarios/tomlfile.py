"""TOML files that people write: every complaint names the file and, where it can, the line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from ludarium.envs.core.errors import LudariumError, did_you_mean

__all__ = ["TomlFile"]


class TomlFile:
    """A file that was read, and checks of what stands in it; `error` is what its complaints are raised as."""

    def __init__(self, path: Path, text: str, error: type[LudariumError]) -> None:
        self.path, self.text, self.error = path, text, error
        try:
            self.content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as problem:
            at = re.search(r"line (\d+)", str(problem))
            line = int(at[1]) if at else len(text.splitlines())
            raise error(f"{path}:{line}: not TOML: {problem}") from problem

    def fail(self, reason: str, key: str = "") -> LudariumError:
        """The error for a reason, with the line on which `key` first stands."""
        at = re.search(rf'^[^#\n]*(?<![\w-])"?{re.escape(key)}"?(?![\w-])', self.text, re.M) if key else None
        line = f":{self.text.count(chr(10), 0, at.start()) + 1}" if at else ""
        return self.error(f"{self.path}{line}: {reason}")

    def known(self, table: Any, names: tuple[str, ...], what: str) -> dict[str, Any]:
        """The table, if it is one and holds no unknown key."""
        if not isinstance(table, dict):
            raise self.fail(f"{what} = {table!r:.80}; expected a table", what)
        for key in table:
            if key not in names:
                raise self.fail(f"unknown key {key!r} in {what}{did_you_mean(key, names)}", key)
        return table

    def value(self, table: dict[str, Any], key: str, kind: type | tuple[type, ...], default: Any = None) -> Any:
        """An entry of the right type; without a default it must be there."""
        if key not in table:
            if default is None:
                raise self.fail(f"{key!r} is missing")
            return default
        found = table[key]
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
            wanted = kind.__name__ if isinstance(kind, type) else " or ".join(k.__name__ for k in kind)
            raise self.fail(f"{key} = {found!r:.80}; expected a value of type {wanted}", key)
        return found

    def positive(self, table: dict[str, Any], key: str, default: int = 1) -> int:
        """A whole number of at least 1."""
        found: int = self.value(table, key, int, default)
        if found < 1:
            raise self.fail(f"{key} = {found}; expected at least 1", key)
        return found

    def names(self, table: dict[str, Any], key: str, known: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of strings (by default empty), all of them `known` where any are."""
        found = self.value(table, key, list, [])
        if not all(isinstance(name, str) for name in found):
            raise self.fail(f"{key} = {found!r:.80}; expected a list of names", key)
        for name in found:
            if known and name not in known:
                raise self.fail(f"{key}: {name!r}{did_you_mean(name, known)}", key)
        return tuple(found)
