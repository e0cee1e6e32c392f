"""A scripted expert that only reads: the text that it is told, and the admissible commands.

It looks for things where people keep them (classes only, no hidden state), takes what the task names, does to it what
the task says, and brings it. It is the one that imitation data can be made with.
"""

from __future__ import annotations

import functools
from typing import Any

from ludarium.agents.contract import Agent, Decision, Task, Turn
from ludarium.agents.text.household.memory import Memory, kind_of
from ludarium.agents.text.household.names import FileNames
from ludarium.envs.text.household.classes import KNIVES, OPENABLE, PROCESSES, ROOMS
from ludarium.envs.text.household.placements import accepts, lies
from ludarium.envs.text.household.sentences import Part, read_sentence

__all__ = ["HouseholdExpert", "Mind"]

_KNIVES = tuple(sorted(kind.lower() for kind in KNIVES))
_OPENABLE = {kind.lower() for kind in OPENABLE}
_STATION = {"clean": PROCESSES["clean"].lower(), "hot": PROCESSES["heat"].lower(), "cool": PROCESSES["cool"].lower()}
_DONE = "Your task is done."
"""Told to a robot with a task of its own while it is: nothing is left to do but to wait for the others."""
_VERB = {"clean": "clean", "hot": "heat", "cool": "cool"}


class HouseholdExpert(Agent):
    """Plays every seat by itself from its texts; it listens to what others say, and says nothing."""

    view = "text"

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Forget everything."""
        self._minds = {seat: Mind() for seat in seats}

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """One command a seat."""
        return {seat: self._minds[seat].turn(turn) for seat, turn in turns.items()}


class Mind:
    """One seat's memory and intentions."""

    def __init__(self) -> None:
        self.memory, self.names = Memory(), FileNames()
        self.parts: tuple[Part, ...] | None = ()
        self.done: dict[str, str] = {}
        """Things that were brought, with their receptacle."""
        self.last = ""
        self.subgoal = "begin"

    def turn(self, turn: Turn) -> Decision:
        """Take in a turn; return the next command."""
        begun = bool(self.memory.receptacles)
        text = self.names.shorten(str(turn.observation))
        self.memory.hear(self.last, text, tuple(self.names.shorten(command) for command in turn.commands or ()))
        if not begun:
            self.parts = read_sentence(self.memory.task)
        self.last = self.decide() if _DONE not in text else "look"
        if not self.memory.can(self.last):
            self.last = self._refresh()
        return Decision(self.names.lengthen(self.last), subgoal=self.subgoal)

    def decide(self) -> str:
        """What to do now: the first part of the goal that is not done."""
        for n, part in enumerate(self.parts or ()):
            if part.task == "look":
                return self._look(part)
            placed = [thing for thing in self.done if kind_of(thing) == part.kind]
            if len(placed) < part.count:
                return self._sliced(part) if "sliced" in part.states else self._bring(part)
            if n + 1 == len(self.parts or ()):
                self.done.clear()  # all seems done, and yet the game goes on: what was brought is looked for again
                self.memory.inside.clear()
        return self._refresh()

    # --- bringing things ---
    def _bring(self, part: Part) -> str:
        held = self.memory.holding
        if held and kind_of(held) != part.kind:
            return self._lay_down()
        if not held:
            return self._fetch((part.kind,), frozenset(self.done))
        return self._process(held, part) or self._place(held, part)

    def _process(self, held: str, part: Part) -> str:
        """Do what the goal asks to be done with the thing in the hand."""
        have = self.memory.states.get(held, set())
        for state in part.states:
            if state in _STATION and state not in have:
                self.subgoal = f"{_VERB[state]} {held}"
                for place in self._of_kind(_STATION[state]):
                    if self.memory.can(f"{_VERB[state]} {held} with {place}"):
                        return f"{_VERB[state]} {held} with {place}"
                stations = self._of_kind(_STATION[state])
                return f"go to {stations[0]}" if stations else ""
        return ""

    def _place(self, held: str, part: Part) -> str:
        """Bring the thing in the hand to where the goal wants it: where others of it are, or else somewhere new."""
        self.subgoal = f"put {held} in {part.target}"
        before = [place for thing, place in self.done.items() if kind_of(thing) == part.kind]
        places = before[:1] or self._of_kind(part.target)
        here = [place for place in places if self.memory.put(held, place)]
        if here:
            self.done[held] = here[0]
            return self.memory.put(held, here[0])
        for place in places:
            if self.memory.can(f"open {place}"):
                return f"open {place}"
        return f"go to {places[0]}" if places else ""

    def _lay_down(self) -> str:
        """Put down what is not needed: here, or where such things may lie."""
        held = self.memory.holding
        self.subgoal = f"put {held} away"
        puts = self.memory.puts()
        if puts:
            return puts[0]
        fits = {
            place.lower() for kind, places in accepts().items() if kind.lower() == kind_of(held) for place in places
        }
        opens = [f"open {place}" for place in self.memory.receptacles if self.memory.can(f"open {place}")]
        if opens and kind_of(opens[0].removeprefix("open ")) in fits:
            return opens[0]
        places = [place for place in self.memory.receptacles if kind_of(place) in fits and place != self.memory.at]
        places.sort(key=lambda place: kind_of(place) in _OPENABLE)
        return f"go to {places[0]}" if places else ""

    # --- finding things ---
    def _fetch(self, kinds: tuple[str, ...], besides: frozenset[str] = frozenset()) -> str:
        """Take a thing of one of these classes, or look for one."""
        self.subgoal = f"find {kinds[0]}"
        known = [spot for kind in kinds for spot in self.memory.where(kind, besides)]
        for thing, place in known:
            if self.memory.can(f"take {thing} from {place}"):
                self.subgoal = f"take {thing}"
                return f"take {thing} from {place}"
        if known:
            thing, place = known[0]
            if self.memory.can(f"open {place}"):
                return f"open {place}"
            if self.memory.at != place:
                return f"go to {place}"
            self.memory.inside[place].discard(thing)
        return self._search(kinds)

    def _search(self, kinds: tuple[str, ...]) -> str:
        """Look into the most likely receptacle that was not looked into yet."""
        for place in self.memory.unseen():
            if self.memory.can(f"open {place}") and (place == self.memory.at or _likely(kinds, kind_of(place))):
                return f"open {place}"
        unseen = self.memory.unseen()
        unseen.sort(key=lambda place: -_likely(kinds, kind_of(place)) / (2 if kind_of(place) in _OPENABLE else 1))
        for place in unseen:
            if self.memory.can(f"examine {place}"):
                return f"examine {place}"
            return f"go to {place}"
        self.memory.inside.clear()  # it must have been moved, or overlooked
        return self._refresh()

    def _of_kind(self, kind: str) -> list[str]:
        """Receptacles of a class: those where one stands first, then those that need no opening."""
        places = [place for place in self.memory.receptacles if kind_of(place) == kind]
        reach = "\n".join(self.memory.commands)
        return sorted(places, key=lambda place: (f"examine {place}\n" not in reach + "\n", place in self.memory.closed))

    def _refresh(self) -> str:
        """Something harmless that tells where one is: for when nothing else can be done."""
        here = self.memory.at
        for command in (f"open {here}", f"examine {here}"):
            if here and self.memory.can(command) and command != self.last:
                return command
        places = [name for name in self.memory.receptacles if self.memory.can(f"go to {name}")]
        unseen = [name for name in places if name not in self.memory.inside]
        return f"go to {(unseen or places)[0]}" if places else "look"

    # --- lamps and knives ---
    def _look(self, part: Part) -> str:
        """Hold the thing where the lamp is on."""
        held = self.memory.holding
        if held and kind_of(held) != part.kind:
            return self._lay_down()
        if not held:
            return self._fetch((part.kind,))
        self.subgoal = f"use {part.target}"
        lamps = self.memory.where(part.target)
        for lamp, _ in lamps:
            if self.memory.can(f"use {lamp}") and lamp not in self.memory.used:
                return f"use {lamp}"
        self.memory.used.clear()
        return f"go to {lamps[0][1]}" if lamps else self._search((part.target,))

    def _sliced(self, part: Part) -> str:
        """Find the thing and a knife, slice it where it lies, put the knife away, and bring the thing."""
        held = self.memory.holding
        cut = [
            thing for thing, states in self.memory.states.items() if kind_of(thing) == part.kind and "sliced" in states
        ]
        if held and kind_of(held) in _KNIVES and not cut:
            return self._slice(part)
        if held in cut:
            return self._process(held, part) or self._place(held, part)
        if held:
            return self._lay_down()
        if cut:
            places = [place for thing, place in self.memory.where(part.kind) if thing == cut[0]]
            if places and self.memory.can(f"open {places[0]}"):
                return f"open {places[0]}"
            take = [f"take {cut[0]} from {place}" for place in places]
            return take[0] if take and self.memory.can(take[0]) else f"go to {places[0]}" if places else self._refresh()
        if not self.memory.where(part.kind):
            return self._search((part.kind,))
        return self._fetch(_KNIVES)

    def _slice(self, part: Part) -> str:
        """With a knife in the hand: go to a thing of the class and slice it."""
        knife = self.memory.holding
        self.subgoal = f"slice {part.kind}"
        known = self.memory.where(part.kind)
        for thing, _ in known:
            if self.memory.can(f"slice {thing} with {knife}"):
                return f"slice {thing} with {knife}"
        if known and self.memory.at == known[0][1]:
            self.memory.inside[known[0][1]].discard(known[0][0])
        return f"go to {known[0][1]}" if known else self._search((part.kind,))


def _likely(kinds: tuple[str, ...], place: str) -> float:
    """How often things of these classes lie in receptacles of a class."""
    return max(_weights(kind).get(place, 0.0) for kind in kinds)


@functools.cache
def _weights(kind: str) -> dict[str, float]:
    """The share of each receptacle class (lower case) among the places of an object class, over all rooms."""
    found: dict[str, float] = {}
    for room in ROOMS:
        for name, (_, weights) in lies(room).items():
            if name.lower() == kind:
                total = sum(weights.values())
                for place, weight in weights.items():
                    found[place.lower()] = max(found.get(place.lower(), 0.0), weight / total)
    return found
