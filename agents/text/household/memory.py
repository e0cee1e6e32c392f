"""What one can know of a household from what one is told: a memory built from texts and admissible commands alone."""

from __future__ import annotations

import re

__all__ = ["Memory", "kind_of"]

_INTRO = re.compile(r"Looking quickly around you, you see (.*?)\.\n")
_TASK = re.compile(r"Your task is to: (.*?)\.?\s*$", re.M)
_THINGS = re.compile(r"\ban? (\w+ \d+)")
_CLOSED = re.compile(r"\b[Tt]he (\w+ \d+) is closed\.")
_SEEN = re.compile(r"(?:On the (\w+ \d+)|The (\w+ \d+) is open\. In it), you see ([^.]*)\.")
_TAKE = re.compile(r"take (\w+ \d+) from (\w+ \d+)")
_PUT = re.compile(r"(?:move|put) (\w+ \d+) (?:to|in/on) (\w+ \d+)")
_PROCESS = re.compile(r"(clean|heat|cool) (\w+ \d+) with (\w+ \d+)")
_SLICE = re.compile(r"slice (\w+ \d+) with (\w+ \d+)")
_EXAMINE = re.compile(r"examine (\w+ \d+)")
_SAID_IN = re.compile(r'says: "(?:In|On) the (\w+ \d+), I saw ([^."]*)\."')
_SAID_WHERE = re.compile(r'says: "I (?:saw the (\w+ \d+) (?:in|on) the (\w+ \d+)|hold the (\w+ \d+))\."')
_STATE = {"clean": "clean", "heat": "hot", "cool": "cool"}


def kind_of(name: str) -> str:
    """The class in a name: `"mug 2"` is a `"mug"`."""
    return name.rsplit(" ", 1)[0]


class Memory:
    """The receptacles, what was seen in them, what is in the hand, and what was done to what."""

    def __init__(self) -> None:
        self.receptacles: list[str] = []
        self.task = ""
        self.at = ""
        """The receptacle that one went to last; empty in the middle of the room."""
        self.inside: dict[str, set[str]] = {}
        """What was seen in each receptacle that was looked into."""
        self.closed: set[str] = set()
        """Receptacles that are known to be closed."""
        self.holding = ""
        self.states: dict[str, set[str]] = {}
        self.used: set[str] = set()
        self.commands: frozenset[str] = frozenset()

    def hear(self, last: str, text: str, commands: tuple[str, ...]) -> None:
        """Take in what came of the last command, and what may be said now."""
        self.commands = frozenset(commands)
        if not self.receptacles:
            self._begin(text)
        elif not text.startswith("Nothing happens"):
            self._did(last)
        self._listen(text)
        for name in _CLOSED.findall(text):
            self.closed.add(name)
        for on, within, things in _SEEN.findall(text):
            self.closed.discard(on or within)
            self.inside[on or within] = set(_THINGS.findall(things))
        self._read_commands()

    def _listen(self, text: str) -> None:
        """Believe what others say of receptacles and things."""
        for place, things in _SAID_IN.findall(text):
            self.inside[place] = set(_THINGS.findall(things)) - {self.holding}
        for thing, place, held in _SAID_WHERE.findall(text):
            for things in self.inside.values():
                things.discard(thing or held)
            if thing and thing != self.holding:
                self.inside.setdefault(place, set()).add(thing)

    def _begin(self, text: str) -> None:
        intro, task = _INTRO.search(text), _TASK.search(text)
        self.receptacles = _THINGS.findall(intro[1]) if intro else []
        self.task = task[1] if task else ""

    def _did(self, last: str) -> None:
        if last.startswith("go to "):
            self.at = last.removeprefix("go to ")
        elif match := _TAKE.fullmatch(last):
            self.inside.get(match[2], set()).discard(match[1])
        elif match := _PUT.fullmatch(last):
            self.inside.setdefault(match[2], set()).add(match[1])
        elif match := _PROCESS.fullmatch(last):
            states = self.states.setdefault(match[2], set())
            states -= {"hot", "cool"} if match[1] != "clean" else set()
            states.add(_STATE[match[1]])
        elif match := _SLICE.fullmatch(last):
            self.states.setdefault(match[1], set()).add("sliced")
        elif last.startswith("use "):
            self.used.add(last.removeprefix("use "))

    def _read_commands(self) -> None:
        """What may be taken is there; what may be examined, and is no receptacle, is in the hand."""
        known = set(self.receptacles)
        held = [name for name in _EXAMINE.findall("\n".join(self.commands)) if name not in known]
        self.holding = held[0] if held else ""
        for command in self.commands:
            if match := _TAKE.fullmatch(command):
                self.inside.setdefault(match[2], set()).add(match[1])
        if not self.holding:
            self._forget_what_is_gone()

    def _forget_what_is_gone(self) -> None:
        """What cannot be taken from where one stands, though one could take it there, is not there."""
        here = self.inside.get(self.at, set())
        gone = {name for name in here if f"take {name} from {self.at}" not in self.commands}
        if self.at not in self.closed:
            self.inside[self.at] = here - {name for name in gone if not kind_of(name).endswith("lamp")}

    def where(self, kind: str, besides: set[str] | frozenset[str] = frozenset()) -> list[tuple[str, str]]:
        """The things of a class that were seen, each with its receptacle; those in `besides` are left out."""
        found = [
            (name, place)
            for place, things in self.inside.items()
            for name in things
            if kind_of(name) == kind and name not in besides
        ]
        return sorted(found)

    def unseen(self) -> list[str]:
        """Receptacles that were not looked into yet."""
        return [name for name in self.receptacles if name not in self.inside]

    def can(self, command: str) -> bool:
        """Whether a command is admissible."""
        return command in self.commands

    def put(self, thing: str, place: str) -> str:
        """The admissible command that puts a thing into a receptacle, or nothing."""
        for command in (f"move {thing} to {place}", f"put {thing} in/on {place}"):
            if command in self.commands:
                return command
        return ""

    def puts(self) -> list[str]:
        """All admissible commands that put something down."""
        return sorted(command for command in self.commands if _PUT.fullmatch(command))
