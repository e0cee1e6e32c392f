"""Reading PDDL: text to nested lists, with the line of whatever is wrong."""

from __future__ import annotations

import re
from typing import Any

from ludarium.envs.core.errors import FileFormatError

__all__ = ["MAX_PDDL", "Tree", "actions_of", "line_of", "parse_pddl", "section", "typed"]

MAX_PDDL = 8 << 20
"""Characters of the longest text that is read."""
_MAX_DEPTH = 200
_TOKEN = re.compile(r"[()]|[^\s();]+|;[^\n]*")

Tree = list[Any]
"""Words in lower case and lists of them."""


def parse_pddl(text: str, path: object) -> Tree:
    """The one expression of a text, as nested lists of lower-case words; `FileFormatError` names the line."""
    if len(text) > MAX_PDDL:
        raise FileFormatError(path, f"more than {MAX_PDDL} characters of PDDL")
    stack: list[Tree] = [[]]
    for count, token in enumerate(_TOKEN.findall(text.lower())):
        if token == "(":
            stack.append([])
            if len(stack) > _MAX_DEPTH:
                raise FileFormatError(path, f"PDDL nested deeper than {_MAX_DEPTH}", _line(text, count))
        elif token == ")":
            if len(stack) == 1:
                raise FileFormatError(path, "a ')' without its '('", _line(text, count))
            done = stack.pop()
            stack[-1].append(done)
        elif token[0] != ";":
            stack[-1].append(token)
    if len(stack) > 1:
        raise FileFormatError(path, "a '(' without its ')'", text.count("\n") + 1)
    if len(stack[0]) != 1 or not isinstance(stack[0][0], list):
        raise FileFormatError(path, "expected one PDDL expression in parentheses", 1)
    found: Tree = stack[0][0]
    return found


def _line(text: str, count: int) -> int:
    """The line of the token of this number."""
    for n, match in enumerate(_TOKEN.finditer(text)):
        if n == count:
            return text.count("\n", 0, match.start()) + 1
    return 1


def line_of(text: str, word: str) -> int | None:
    """The first line that has a word, whatever its case."""
    match = re.search(rf"(?<![^\s()]){re.escape(word)}(?![^\s()])", text, re.IGNORECASE)
    return text.count("\n", 0, match.start()) + 1 if match else None


def section(tree: Tree, name: str, text: str, path: object) -> Tree:
    """The part of a problem or domain that begins with `name`."""
    for part in tree:
        if isinstance(part, list) and part and part[0] == name:
            return part
    raise FileFormatError(path, f"no ({name} ...) in the PDDL", None)


def typed(parts: Tree) -> list[tuple[str, str]]:
    """Names with their types out of `a b - t c - u`; a name without a type has the type `object`."""
    found: list[tuple[str, str]] = []
    waiting: list[str] = []
    words = iter(parts)
    for word in words:
        if word == "-":
            kind = next(words, "object")
            found += [(name, str(kind)) for name in waiting]
            waiting = []
        else:
            waiting.append(str(word))
    return found + [(name, "object") for name in waiting]


def actions_of(tree: Tree) -> list[str]:
    """The names of a domain's actions, in lower case."""
    return [part[1] for part in tree if isinstance(part, list) and len(part) > 1 and part[0] == ":action"]
