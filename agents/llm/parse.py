"""From a model's reply to an action: a ladder of readings, each more lenient than the last, and none that guesses.

Strict tags; then relaxed ones (the last of several, other case, unclosed, `Action:` lines); then the one legal command
that the words can mean. What is still no action gives a `ReplyError`, whose sentence is what the model is told.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ludarium.agents.llm.client import Completion
from ludarium.envs.core.errors import ActionError, did_you_mean

__all__ = ["MAX_REPLY", "Reading", "ReplyError", "checked", "choose", "read_action", "read_call", "read_tag"]

MAX_REPLY = 1 << 16
"""Characters; a longer reply is not read."""
_ALIKE = 0.8
_SMALL_WORDS = frozenset(
    ("a", "an", "the", "in", "on", "to", "into", "onto", "at", "from", "with", "of", "please", "using")
)
_REFUSALS = ("refusal", "content_filter")


class ReplyError(ActionError):
    """A reply that is no action; the message tells the model why.

    `kind` is `empty`, `refused`, `truncated`, `long`, `no_action`, `illegal` or `ambiguous`.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Reading(NamedTuple):
    """What was read, and whether it took more than the model's own words (a fuzzy match)."""

    value: Any
    mended: bool = False


def checked(completion: Completion) -> str:
    """The text of a reply that can be read at all; `ReplyError` for one that is empty, refused or too long."""
    if completion.finish in _REFUSALS:
        raise ReplyError("refused", "You refused. Nothing but a simulated world is acted on; answer with an action.")
    if len(completion.text) > MAX_REPLY:
        raise ReplyError("long", f"Your reply has {len(completion.text)} characters; at most {MAX_REPLY} are read.")
    text = completion.text.strip()
    if not text:
        if completion.finish == "length":
            raise ReplyError("truncated", "Your reply was cut off before its first word. Answer at once and briefly.")
        raise ReplyError("empty", "Your reply was empty.")
    return text


# --- tags --------------------------------------------------------------------------------------------------------------
def read_tag(text: str, name: str, cut: bool = False) -> str | None:
    """What stands in `<name>...</name>`, or None.

    Exactly one pair is read strictly, whatever it holds. Otherwise the last innermost pair counts, in any case and with
    spaces in the tags; and, unless the reply was `cut` off, a last tag that was never closed. An empty tag is as good as
    none.
    """
    if text.count(f"<{name}>") == 1 and text.count(f"</{name}>") == 1:
        strict = re.search(rf"<{name}>(.*?)</{name}>", text, re.S)
        if strict:
            return strict[1].strip() or None
    opening = rf"<\s*{name}\s*>"
    pairs = re.findall(rf"{opening}((?:(?!{opening}|<\s*/\s*{name}).)*)<\s*/\s*{name}\s*>", text, re.S | re.I)
    found = [inner.strip() for inner in pairs if inner.strip()]
    if found:
        return str(found[-1])
    if pairs or cut:
        return None
    last = re.split(opening, text, flags=re.I)
    return (last[-1].strip() or None) if len(last) > 1 else None


def _bare(text: str) -> str | None:
    """The last line that begins with `Action:`."""
    lines = re.findall(r"^\W*action\W*:\s*(\S.*)$", text, re.I | re.M)
    return lines[-1].strip() if lines else None


# --- the legal set -----------------------------------------------------------------------------------------------------
def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip(" \t\r\n`'\"*.,;:!-").lower()


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"[^\W_]+", text.lower()) if word not in _SMALL_WORDS]


def _alike(a: str, b: str) -> bool:
    """Whether two words can be one with a slip of the pen; numbers never are."""
    if a == b:
        return True
    if any(c.isdigit() for c in a + b):
        return False
    return difflib.SequenceMatcher(None, a, b).ratio() >= _ALIKE


def choose(text: str, commands: Iterable[str]) -> Reading:
    """The command that a text means; `ReplyError` if there is none, or more than one.

    Case, spaces, quotes and punctuation around it never matter. Failing that, the only command counts whose words are
    all alike (articles and prepositions aside); words with digits must be equal.
    """
    known = tuple(commands)
    if text in known:
        return Reading(text)
    wanted = _plain(text)
    same = [command for command in known if _plain(command) == wanted]
    if len(same) == 1:
        return Reading(same[0])
    words = _words(text)
    near = [
        command
        for command in known
        if words and len(other := _words(command)) == len(words) and all(map(_alike, words, other))
    ]
    exact = [command for command in near if _words(command) == words]
    near = exact if len(exact) == 1 else near
    if len(near) == 1:
        return Reading(near[0], mended=True)
    if near or same:
        raise ReplyError("ambiguous", f"{text!r:.200} can mean several commands: {'; '.join((near or same)[:5])}.")
    raise ReplyError("illegal", f"{text!r:.200} is no command that is possible now.")


def read_action(completion: Completion, commands: tuple[str, ...] | None, tag: str = "action") -> Reading:
    """The action in a reply: one of the commands, or where these cannot be listed the text as it stands."""
    text = checked(completion)
    cut = completion.finish == "length"
    found = read_tag(text, tag, cut)
    if found is None and not cut:
        found = _bare(text)
    if found is None and commands is not None and not cut and "<" not in text:
        found = text if len(text) <= 2 * max(map(len, commands), default=0) else None  # nothing but a command, perhaps
    if found is None:
        if cut:
            raise ReplyError("truncated", f"Your reply was cut off before </{tag}>. Answer more briefly.")
        raise ReplyError("no_action", f"Your reply has no <{tag}>...</{tag}>.")
    return Reading(found) if commands is None else choose(_unwrapped(found), commands)


def _unwrapped(text: str) -> str:
    """A command without a code fence, or out of a JSON text."""
    fenced = re.fullmatch(r"```\w*\s*(.*?)\s*```", text, re.S)
    return fenced[1] if fenced else text


# --- tool calls --------------------------------------------------------------------------------------------------------
def read_call(completion: Completion, tools: Mapping[str, Mapping[str, Any]]) -> Reading:
    """The first tool call of a reply as `{"name", "arguments"}` and, where the model gave one, its `id`.

    `tools` are the tools' JSON Schemas of arguments by name. Where there is no call but words, and a tool `say` takes a
    `message`, the words are said. `ReplyError` for calls of unknown tools and arguments that are no JSON object.
    """
    if completion.finish in _REFUSALS:
        checked(completion)
    if not completion.tool_calls:
        return _in_words(checked(completion), completion.finish, tools)
    call = completion.tool_calls[0]
    name, given = call["name"], call["arguments"]
    if len(given) > MAX_REPLY:
        raise ReplyError("long", f"The arguments have {len(given)} characters; at most {MAX_REPLY} are read.")
    if name not in tools:
        raise ReplyError("illegal", f"There is no tool {name!r:.80} now{did_you_mean(name, tools)}.")
    try:
        arguments = json.loads(given) if given.strip() else {}
    except (ValueError, RecursionError):
        kind = "truncated" if completion.finish == "length" else "no_action"
        raise ReplyError(kind, f"The arguments of {name} are no JSON: {given[:200]!r}.") from None
    if not isinstance(arguments, dict):
        raise ReplyError("no_action", f"The arguments of {name} are no JSON object: {given[:200]!r}.")
    action = {"name": name, "arguments": arguments}
    return Reading({**action, "id": call["id"]} if call["id"] else action, mended=len(completion.tool_calls) > 1)


def _in_words(text: str, finish: str, tools: Mapping[str, Mapping[str, Any]]) -> Reading:
    """A reply without a call."""
    if "say" in tools and list(tools["say"].get("properties", {})) == ["message"] and finish != "length":
        return Reading({"name": "say", "arguments": {"message": text}})
    if finish == "length":
        raise ReplyError("truncated", "Your reply was cut off before a tool call. Call one of the tools at once.")
    raise ReplyError("no_action", "Your reply calls no tool. Call exactly one.")
