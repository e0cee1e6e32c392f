"""The goal in words, and back: two templates a task type, as ALFWorld has them, and their like for the extensions."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Part", "read_sentence", "sentence"]


class Part(NamedTuple):
    """One thing that a goal asks for; classes in any case."""

    task: str
    kind: str
    target: str
    """A class of receptacles, or of lamps for `look`."""
    states: tuple[str, ...] = ()
    """Out of `clean`, `hot`, `cool`, `sliced`, in this order."""
    count: int = 1  # type: ignore[assignment]  # the word for it, though tuples have a method of this name


_NUMBERS = ("", "one", "two", "three", "four")
_DO = {"clean": "clean", "hot": "heat", "cool": "cool"}


def sentence(parts: tuple[Part, ...], style: int) -> str:
    """The goal in words, without a full stop; `style` 0 or 1 is the template."""
    return ", and ".join(_clause(part, style) for part in parts)


def _clause(part: Part, style: int) -> str:
    kind, target = part.kind.lower(), part.target.lower()
    if part.task == "look":
        return f"examine the {kind} with the {target}" if style else f"look at {kind} under the {target}"
    cut = "sliced " if "sliced" in part.states else ""
    states = [state for state in part.states if state != "sliced"]
    if not style:
        adjectives = "".join(f"{word} " for word in (" and ".join(states), cut.strip()) if word)
        article = "a" if part.count == 1 else _NUMBERS[part.count]
        return f"put {article} {adjectives}{kind} in {target}"
    if part.count > 1:
        doing = " and ".join(_DO[state] for state in states) or "find"
        return f"{doing} {_NUMBERS[part.count]} {cut}{kind} and put them in {target}"
    if states:
        return f"{' and '.join(_DO[state] for state in states)} some {cut}{kind} and put it in {target}"
    return f"put some {cut}{kind} on {target}"


_PUT = re.compile(
    r"put (?P<count>a|some|two|three|four) (?P<words>(?:(?:clean|hot|cool|and|sliced) )*)(?P<kind>\w+) (?:in|on) (?P<target>\w+)"
)
_DOING = re.compile(
    r"(?P<doing>find|(?:clean|heat|cool)(?: and (?:clean|heat|cool))*) (?P<count>some|two|three|four) (?P<cut>sliced )?"
    r"(?P<kind>\w+) and put (?:it|them) in (?P<target>\w+)"
)
_LOOK = re.compile(r"(?:look at|examine the) (?P<kind>\w+) (?:under|with) the (?P<target>\w+)")
_ADJECTIVE = {word: state for state, word in _DO.items()} | {"hot": "hot"}
_ORDER = ("clean", "hot", "cool", "sliced")


def read_sentence(text: str) -> tuple[Part, ...] | None:
    """What a goal in words asks for, classes in lower case; None for a sentence of another kind."""
    found = []
    for clause in text.strip().rstrip(".").lower().split(", and "):
        part = _read(clause.strip())
        if part is None:
            return None
        found.append(part)
    return tuple(found)


def _read(clause: str) -> Part | None:
    look = _LOOK.fullmatch(clause)
    if look:
        return Part("look", look["kind"], look["target"])
    match = _PUT.fullmatch(clause) or _DOING.fullmatch(clause)
    if not match:
        return None
    groups = match.groupdict()
    words = f"{groups.get('words') or ''} {groups.get('doing') or ''} {groups.get('cut') or ''}".split()
    states = tuple(state for state in _ORDER if state in {_ADJECTIVE.get(word, word) for word in words})
    count = _NUMBERS.index(groups["count"]) if groups["count"] in _NUMBERS else 1
    process = {"hot": "heat", "cool": "cool"}
    task = next((process[s] for s in states if s in process), "clean" if "clean" in states else "pick")
    return Part("pick_two" if task == "pick" and count == 2 else task, groups["kind"], groups["target"], states, count)
