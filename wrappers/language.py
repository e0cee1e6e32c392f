"""Text views as chat messages: a conversation in a window of so many turns and so many tokens, neither ever passed."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ludarium.agents.llm.client import Request, canonical
from ludarium.agents.llm.tokens import count_tokens, prompt_tokens
from ludarium.envs.core.errors import ConfigError

__all__ = ["MIN_WINDOW", "Exchange", "clipped", "repeats", "tokens_of", "window"]

MIN_WINDOW = 64
"""Tokens; less holds no question."""
Message = dict[str, Any]
TokenCounter = Callable[[str], int]


class Exchange(NamedTuple):
    """What was asked in an earlier turn, and the messages that answered it."""

    prompt: str
    reply: tuple[Message, ...]
    observation: str = ""
    """The part of `prompt` that the world told; left out once a later one repeats it."""


def tokens_of(messages: Sequence[Message], tools: Sequence[Message] = (), count: TokenCounter = count_tokens) -> int:
    """Tokens of messages and tools as the budget counts them."""
    return prompt_tokens(Request("", tuple(messages), tuple(tools)), count)


def window(
    system: str,
    earlier: Sequence[Exchange],
    prompt: str,
    *,
    now: str = "",
    history: int | None = None,
    tokens: int | None = None,
    tools: Sequence[Message] = (),
    count: TokenCounter = count_tokens,
) -> tuple[Message, ...]:
    """The messages of a call: the system's, as many of the latest exchanges as fit, and the prompt.

    At most `history` exchanges (None: all) and `tokens` tokens (None: no limit), tools included. What the world told
    earlier and repeats in `now`, the observation of this turn, is not said twice. If system and prompt alone are too
    long, the longer one loses its middle. `ConfigError` where even the tools are more than `tokens`.
    """
    kept = list(earlier if history is None else earlier[max(0, len(earlier) - history) :] if history else ())
    first, last = {"role": "system", "content": system}, {"role": "user", "content": prompt}
    if tokens is None:
        return (first, *(m for exchange in kept for m in _told(exchange, now)), last)
    if tokens < MIN_WINDOW:
        raise ConfigError(f"window_tokens = {tokens}: expected at least {MIN_WINDOW}")
    first["content"], last["content"] = _fitted(system, prompt, tokens, tools, count)
    room = tokens - tokens_of((first, last), tools, count)
    chosen: list[tuple[Message, ...]] = []
    for exchange in reversed(kept):
        messages = _told(exchange, now)
        room -= sum(_size(canonical(message), count) for message in messages)
        if room < 0:
            break
        chosen.append(messages)
    return (first, *(m for messages in reversed(chosen) for m in messages), last)


@functools.lru_cache(maxsize=2048)
def _size(message: str, count: TokenCounter) -> int:
    """Tokens of a message (as JSON): a conversation is counted anew in every turn."""
    return tokens_of((json.loads(message),), (), count)


def _told(exchange: Exchange, now: str) -> tuple[Message, ...]:
    prompt, said = exchange.prompt, exchange.observation
    if repeats(said, now):
        prompt = prompt.replace(said, "(what you were told here is repeated in what you are told now)", 1)
    return ({"role": "user", "content": prompt}, *exchange.reply)


def repeats(earlier: str, now: str) -> bool:
    """Whether a text begins with all lines but the last of an earlier one: a conversation that has gone on, say."""
    lines = earlier.split("\n")[:-1]
    return any(lines) and now.split("\n")[: len(lines)] == lines


def _fitted(system: str, prompt: str, tokens: int, tools: Sequence[Message], count: TokenCounter) -> tuple[str, str]:
    """System and prompt, shortened where they do not fit together."""

    def size(a: str, b: str) -> int:
        return tokens_of(({"role": "system", "content": a}, {"role": "user", "content": b}), tools, count)

    empty = size("", "")
    if empty > tokens:
        raise ConfigError(f"window_tokens = {tokens}, of which this world's tools alone take {empty}; give more")
    if size(system, prompt) <= tokens:
        return system, prompt
    room = tokens - empty
    first, last = count(system), count(prompt)
    share = max(room - last, min(first, room // 2))  # the prompt has the first claim on what is above its half
    system = clipped(system, share, count)
    prompt = clipped(prompt, room - count(system), count)
    while (system or prompt) and size(system, prompt) > tokens:
        system, prompt = clipped(system, count(system) * 3 // 4, count), clipped(prompt, count(prompt) * 3 // 4, count)
    return system, prompt


def clipped(text: str, tokens: int, count: TokenCounter = count_tokens) -> str:
    """The text within so many tokens: its beginning and its end, and between them how much was left out."""
    if count(text) <= tokens:
        return text
    keep = len(text)
    while keep > 0:
        keep = min(keep - 1, keep * 7 // 8)
        head, tail = text[: (keep + 1) // 2], text[len(text) - keep // 2 :]
        found = f"{head}\n[... {len(text) - keep} characters left out ...]\n{tail}"
        if count(found) <= tokens:
            return found
    return ""
