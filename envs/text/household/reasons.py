"""Why a text is no admissible command: found in the words and the moment, never telling what cannot be seen."""

from __future__ import annotations

import re

from ludarium.envs.text.household import dynamics as d
from ludarium.envs.text.household.dynamics import State
from ludarium.envs.text.household.language import Words, contains

__all__ = ["reason_of"]

_FEWEST = 5
"""Words of the shortest sentences that a robot can say."""
_FORMS = (
    (re.compile(r"(go to|open|close) (.+)"), "place"),
    (re.compile(r"(take) (.+) (from) (.+)"), "take"),
    (re.compile(r"(move) (.+) (to) (.+)"), "put"),
    (re.compile(r"(put) (.+) (in/on) (.+)"), "put"),
    (re.compile(r"(heat|cool|clean) (.+) (with) (.+)"), "process"),
    (re.compile(r"(slice) (.+) (with) (.+)"), "slice"),
    (re.compile(r"(use|examine) (.+)"), "one"),
)


def reason_of(words: Words, state: State, row: int, seat: int, text: str, quirks: bool = True) -> str:
    """Why a text is no admissible command: a name of `FAULTS`, never telling what the agent cannot see."""
    if text.startswith("say ") and state.budget.shape[1]:
        return "too_long" if state.budget[row, seat] < _FEWEST else "not_known"
    for pattern, form in _FORMS:
        match = pattern.fullmatch(text)
        if match is None:
            continue
        parts = match.groups()
        if form == "put" and (parts[0] == "put") != (words.dialect == "0.3"):
            return "unknown"
        return _Reason(words, state, row, seat, quirks).of(form, parts)
    return "unknown"


class _Reason:
    """Looks at one moment for what a command lacks."""

    def __init__(self, words: Words, state: State, row: int, seat: int, quirks: bool) -> None:
        self.words, self.state, self.row, self.quirks = words, state, row, quirks
        self.location, self.held = int(state.loc[row, seat]), int(state.hold[row, seat])

    def of(self, form: str, parts: tuple[str, ...]) -> str:
        words = self.words
        if form == "place":
            r = words.number.get(parts[1])
            return "unknown" if r is None else self._place(parts[0], r)
        if form == "one":
            return self._one(parts)
        o, r = words.thing.get(parts[1]), words.number.get(parts[3])
        if form == "slice":
            return self._slice(o, words.thing.get(parts[3]))
        if o is None or r is None:
            return "unknown"
        if form == "take":
            return self._take(o, r)
        if self.held != o:
            return "hands_empty"
        if r not in self._here():
            return "not_here"
        if form == "put":
            return "cannot_contain" if self._open(r) else "closed"
        return "unable" if words.process[r] == parts[0] else "wrong_tool"

    def _here(self) -> tuple[int, ...]:
        return self.words.here.get(self.location, ())

    def _open(self, r: int) -> bool:
        return not self.state.openable[self.row, r] or bool(self.state.opened[self.row, r])

    def _visible(self, o: int, closed_too: bool = False) -> bool:
        return any(contains(self.state.content[self.row, r], o) and (closed_too or self._open(r)) for r in self._here())

    def _place(self, verb: str, r: int) -> str:
        if verb == "go to":
            return "already_here"
        if r not in self._here():
            return "not_here"
        if not self.state.openable[self.row, r]:
            return "not_openable"
        return "already_open" if verb == "open" else "already_closed"

    def _one(self, parts: tuple[str, ...]) -> str:
        o = self.words.thing.get(parts[1])
        if parts[0] == "examine":
            return (
                "not_here" if o is None and parts[1] in self.words.number else "unknown" if o is None else "hands_empty"
            )
        if o is None:
            return "unknown"
        return "unable" if self._visible(o) or o == self.held else "not_here"

    def _take(self, o: int, r: int) -> str:
        if r not in self._here() or (self._open(r) and not contains(self.state.content[self.row, r], o)):
            return "not_here"
        if not self._open(r):
            return "closed"
        return "hands_full" if "pickupable" in self.words.house.objects[o].can else "unable"

    def _slice(self, o: int | None, knife: int | None) -> str:
        if o is None or knife is None:
            return "unknown"
        if self.held != knife:
            return "hands_empty"
        if not contains(self.state.able[self.row, d.KNIFE], knife):
            return "wrong_tool"
        return "unable" if self._visible(o) else "not_here"
