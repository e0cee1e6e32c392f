"""Names as ALFWorld's own game files have them: `cabinet_bar_003`, `sink_bar__minus_01_dot_72_bar_sinkbasin`."""

from __future__ import annotations

import re

__all__ = ["FileNames"]

_RAW = re.compile(r"\b([a-z]+)_bar_(?:\w*_bar_([a-z]+)\b|\w*)")
_SHORT = re.compile(r"\b[a-z]+ \d+\b")


class FileNames:
    """Gives each such name a class and a number, `cabinet 1`, in the order in which they are met; and takes them back."""

    def __init__(self) -> None:
        self._short: dict[str, str] = {}
        self._raw: dict[str, str] = {}
        self._count: dict[str, int] = {}

    def shorten(self, text: str) -> str:
        """The text with classes and numbers; any other text as it is."""
        return _RAW.sub(self._name, text) if "_bar_" in text else text

    def _name(self, found: re.Match[str]) -> str:
        raw, kind = found[0], found[2] or found[1]
        if raw not in self._short:
            self._count[kind] = self._count.get(kind, 0) + 1
            self._short[raw] = f"{kind} {self._count[kind]}"
            self._raw[self._short[raw]] = raw
        return self._short[raw]

    def lengthen(self, command: str) -> str:
        """A command with the names of the file."""
        return _SHORT.sub(lambda found: self._raw.get(found[0], found[0]), command) if self._raw else command
