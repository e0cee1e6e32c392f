"""Our own count of tokens: for reservations, and where an endpoint does not say what it used."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ludarium.agents.llm.client import Request, canonical

__all__ = ["TokenCounter", "count_tokens", "prompt_tokens"]

TokenCounter = Callable[[str], int]

_PIECE = re.compile(r"[A-Za-z]{1,6}|\d{1,3}|[^\sA-Za-z\d]|\n+")
_PER_MESSAGE = 4
"""Role and separators of a message in chat templates."""


def count_tokens(text: str) -> int:
    """Estimate how many tokens a byte-pair tokenizer makes of a text; plain prose comes out rather high.

    Runs of six letters, of three digits, and every other character count as one; characters beyond ASCII as two.
    """
    wide = 0 if text.isascii() else sum(c > "\x7f" for c in text)
    return len(_PIECE.findall(text)) + wide


def prompt_tokens(request: Request, count: TokenCounter = count_tokens) -> int:
    """Tokens of a request's messages and tools."""
    found = sum(_PER_MESSAGE + _message(message, count) for message in request.messages)
    return found + (count(canonical(request.tools)) if request.tools else 0)


def _message(message: dict[str, Any], count: TokenCounter) -> int:
    content = message.get("content")
    found = count(content) if isinstance(content, str) else count(canonical(content)) if content else 0
    calls = message.get("tool_calls")
    return found + (count(canonical(calls)) if calls else 0)
