"""Our own count of tokens: for reservations, and where an endpoint does not say what it used."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

from ludarium.agents.llm.client import Request, canonical

__all__ = ["TokenCounter", "count_tokens", "prompt_tokens"]

TokenCounter = Callable[[str], int]

_LETTERS, _DIGITS = string.ascii_letters.encode(), string.digits.encode()
_WORDS = bytes(c if c in _LETTERS else 32 for c in range(256))
_NUMBERS = bytes(c if c in _DIGITS else 32 for c in range(256))
_UNSEEN = _LETTERS + _DIGITS + b" \t\r\v\f" + bytes(range(0x80, 0xC0))
"""What is no sign of its own: letters, digits, blanks, and all bytes of a character beyond ASCII but its first."""
_PER_MESSAGE = 4
"""Role and separators of a message in chat templates."""


def count_tokens(text: str) -> int:
    """Estimate how many tokens a byte-pair tokenizer makes of a text; plain prose comes out rather high.

    Runs of six letters, of three digits, and every other sign count as one; characters beyond ASCII as two.
    """
    raw = text.encode("utf-8", "replace")  # bytes, since all of this then runs in C: prompts have tens of kilobytes
    found = len(raw.translate(None, _UNSEEN)) + sum((n + 5) // 6 for n in map(len, raw.translate(_WORDS).split()))
    wide = 0 if raw.isascii() else sum(byte >= 0xC0 for byte in raw)
    return found + wide + sum((n + 2) // 3 for n in map(len, raw.translate(_NUMBERS).split()))


def prompt_tokens(request: Request, count: TokenCounter = count_tokens) -> int:
    """Tokens of a request's messages and tools."""
    found = sum(_PER_MESSAGE + _message(message, count) for message in request.messages)
    return found + (count(canonical(request.tools)) if request.tools else 0)


def _message(message: dict[str, Any], count: TokenCounter) -> int:
    content = message.get("content")
    found = count(content) if isinstance(content, str) else count(canonical(content)) if content else 0
    calls = message.get("tool_calls")
    return found + (count(canonical(calls)) if calls else 0)
