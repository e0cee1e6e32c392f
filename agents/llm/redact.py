"""Secrets never reach a file, a log or an error's message: known ones by value, others by their look."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

__all__ = ["MARK", "Redactor", "redact_patterns"]

MARK = "[redacted]"

# Keys have digits in them, words that happen to begin alike do not.
_TOKEN = r"(?=[\w.~+/=-]*\d)[\w.~+/=-]"
_PATTERNS = (
    (re.compile(r"\bsk-(?=[\w-]*\d)[\w-]{16,}"), MARK),
    (re.compile(rf"(?i)\b(bearer\s+){_TOKEN}{{8,}}"), rf"\g<1>{MARK}"),
    (re.compile(r"(?<=://)[^/\s:@\"']+:[^/\s@\"']+(?=@)"), MARK),
)
_SHORTEST = 6
"""Known secrets shorter than this are no secrets ("none", "test"), and would be found inside words."""


def redact_patterns(text: str) -> str:
    """Return the text without what looks like a key, a bearer token or a password in an address."""
    if "sk-" in text or "://" in text or "earer" in text or "EARER" in text:
        for pattern, mark in _PATTERNS:
            text = pattern.sub(mark, text)
    return text


class Redactor:
    """Takes secrets out of texts and JSON values."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({s for s in secrets if len(s) >= _SHORTEST}, key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MARK)
        return redact_patterns(text)

    def value(self, value: Any) -> Any:
        """Return the JSON value with the secrets taken out of all its texts, keys of objects included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(k) if isinstance(k, str) else k: self.value(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(v) for v in value]
        return value
