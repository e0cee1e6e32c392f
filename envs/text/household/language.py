"""The household in words, in ALFWorld's dialects 0.3 and 0.4: what an agent is told, and what it may say."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ludarium.envs.core.simulator import Choice
from ludarium.envs.text.household import dynamics as d
from ludarium.envs.text.household.dynamics import FAULTS, State
from ludarium.envs.text.household.instance import FLAGS, House

if TYPE_CHECKING:
    from ludarium.envs.text.household.simulator import Household

__all__ = [
    "HELP", "NOTHING_HAPPENS", "REASONS", "Command", "Words", "contains", "describe", "explain", "feedback", "members", "menu",
    "parse", "resolve", "rules", "speech", "verbs",
]  # fmt: skip

NOTHING_HAPPENS = "Nothing happens."
_WELCOME = "-= Welcome to TextWorld, ALFRED! =-"
_MIDDLE = "You are in the middle of a room. Looking quickly around you, you see {}."
_PROCESS = ("", "heat", "cool", "clean")
HELP = (
    "Available commands:\n"
    "  look:                             look around your current location\n"
    "  inventory:                        check your current inventory\n"
    "  go to (receptacle):               move to a receptacle\n"
    "  open (receptacle):                open a receptacle\n"
    "  close (receptacle):               close a receptacle\n"
    "  take (object) from (receptacle):  take an object from a receptacle\n"
    "  move (object) to (receptacle):  place an object in or on a receptacle\n"
    "  examine (something):              examine a receptacle or an object\n"
    "  use (object):                     use an object\n"
    "  heat (object) with (receptacle):  heat an object using a receptacle\n"
    "  clean (object) with (receptacle): clean an object using a receptacle\n"
    "  cool (object) with (receptacle):  cool an object using a receptacle\n"
    "  slice (object) with (object):     slice an object using a sharp object\n"
)
REASONS = {
    "unknown": "There is no such command or thing.",
    "already_here": "You are there already.",
    "not_here": "You see no such thing where you are.",
    "not_openable": "That cannot be opened or closed.",
    "already_open": "It is open already.",
    "already_closed": "It is closed already.",
    "closed": "It is closed; open it first.",
    "hands_empty": "You are not holding anything.",
    "hands_full": "Your hands are full; you can hold one thing only.",
    "cannot_contain": "That cannot be put there.",
    "wrong_tool": "That is not the tool for it.",
    "unable": "That cannot be done with this thing.",
    "conflict": "Somebody else was faster.",
    "not_known": "You have neither seen nor heard of that.",
    "too_long": "You have too few words left to say that.",
}


class Command(NamedTuple):
    """A command taken apart: its verb as tools name it, and the names of its things."""

    verb: str
    arguments: dict[str, str]


def listed(names: Sequence[str]) -> str:
    """Names as TextWorld lists them: `a, b, and c`, `a, and b`, `nothing`."""
    if not names:
        return "nothing"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])}, and {names[-1]}"


class Words:
    """The strings of one house in one dialect, made once."""

    def __init__(self, house: House, dialect: str) -> None:
        self.house, self.dialect = house, dialect
        self.found: dict[str, Any] = {}
        """What was found out about the house, once."""
        self.receptacles = [place.name for place in house.receptacles]
        self.objects = [item.name for item in house.objects]
        self.a_object = [f"a {name}" for name in self.objects]
        self.go = [f"go to {name}" for name in self.receptacles]
        self.open = [f"open {name}" for name in self.receptacles]
        self.close = [f"close {name}" for name in self.receptacles]
        self.examine = [f"examine {name}" for name in self.receptacles]
        self.use = [f"use {name}" for name in self.objects]
        self.examine_held = [f"examine {name}" for name in self.objects]
        at = "in/on" if dialect == "0.3" else "to"
        self.into = [f" {at} {name}" for name in self.receptacles]
        self.out_of = [f" from {name}" for name in self.receptacles]
        self.put = "put " if dialect == "0.3" else "move "
        self.within = [f"{'in' if place.openable else 'on'} the {place.name}" for place in house.receptacles]
        self.say_place = [f"say what is {within.replace(' the', '')}" for within in self.within]
        self.say_thing = [f"say where {name} is" for name in self.objects]
        self.say_going = [f"say going to {name}" for name in self.receptacles]
        self.with_receptacle = [f" with {name}" for name in self.receptacles]
        if dialect == "0.3":  # locations are numbered as things are: in listing order, from the highest
            numbers = [house.locations - place.location for place in house.receptacles]
            self.arrive = [f"You arrive at loc {number}. " for number in numbers]
        else:
            self.arrive = [f"You arrive at {name}. " for name in self.receptacles]
        here: dict[int, list[int]] = {}
        for r, place in enumerate(house.receptacles):
            here.setdefault(place.location, []).append(r)
        self.here = {location: tuple(places) for location, places in here.items()}
        self.task = f"Your task is to: {house.sentence}."
        self.tasks = [f"Your task is to: {sentence}." for sentence in house.sentences] or [self.task] * house.agents
        around = _MIDDLE.format(listed([f"a {name}" for name in self.receptacles]))
        if house.start in here:  # nobody begins in the middle of a room who stands before something
            facing = listed([self.receptacles[r] for r in here[house.start]])
            around = f"You are facing the {facing}. Next to it, you see nothing."
        self.intros = [f"{_WELCOME}\n\n{around}\n\n{task}" for task in self.tasks]
        self.intro = self.intros[0]
        self.process = [_PROCESS[n] for n in _processes(house)]
        self.number = {name: r for r, name in enumerate(self.receptacles)}
        self.thing = {name: o for o, name in enumerate(self.objects)}
        self.ways: dict[int, tuple[tuple[str, ...], dict[str, int]]] = {}
        """Where one can go from a location: sorted commands, and their numbers."""
        self.views: dict[Any, str] = {}
        """Descriptions by receptacle, openness and content, for those who keep them."""
        self.admissible: dict[Any, tuple[tuple[str, ...], dict[str, int]]] = {}
        """Lists of commands by what is held, where, and the mask, likewise."""

    def look_at(self, state: State, row: int, r: int) -> str:
        """What one sees of a receptacle."""
        name, openable = self.receptacles[r], state.openable[row, r]
        if openable and not state.opened[row, r]:
            return f"The {name} is closed."
        inside = listed([self.a_object[o] for o in members(state.content[row, r])])
        return f"The {name} is open. In it, you see {inside}." if openable else f"On the {name}, you see {inside}."

    def command(self, verb: int, o: int, r: int, held: int) -> str:
        """What one says for an action: verb, object and receptacle as `dynamics` resolves them."""
        if verb <= d.EXAMINE:
            return (self.go, self.open, self.close, self.examine)[verb - d.GO][r]
        if verb == d.MOVE:
            return f"{self.put}{self.objects[o]}{self.into[r]}"
        if verb == d.PROCESS:
            return f"{self.process[r]} {self.objects[o]}{self.with_receptacle[r]}"
        if verb == d.TAKE:
            return f"take {self.objects[o]}{self.out_of[r]}"
        if verb == d.USE:
            return self.use[o]
        if verb == d.SLICE:
            return f"slice {self.objects[o]} with {self.objects[held]}"
        if verb >= d.SAY_PLACE:
            return (self.say_place, self.say_thing, self.say_going)[verb - d.SAY_PLACE][o if verb == d.SAY_THING else r]
        return self.examine_held[o] if verb == d.EXAMINE_HELD else d.VERBS[verb]

    def apart(self, verb: int, o: int, r: int, held: int) -> Command:
        """The same as a tool call."""
        if verb in (d.OPEN, d.CLOSE, d.GO):
            return Command("go_to" if verb == d.GO else d.VERBS[verb], {"receptacle": self.receptacles[r]})
        if verb in (d.EXAMINE, d.EXAMINE_HELD):
            return Command("examine", {"thing": self.receptacles[r] if verb == d.EXAMINE else self.objects[o]})
        if verb in (d.MOVE, d.PROCESS, d.TAKE):
            name = {d.MOVE: self.put.strip(), d.TAKE: "take"}.get(verb) or self.process[r]
            return Command(name, {"object": self.objects[o], "receptacle": self.receptacles[r]})
        if verb == d.USE:
            return Command("use", {"object": self.objects[o]})
        if verb == d.SLICE:
            return Command("slice", {"object": self.objects[o], "knife": self.objects[held]})
        if verb == d.SAY_THING:
            return Command("say_where_is", {"object": self.objects[o]})
        if verb in (d.SAY_PLACE, d.SAY_GOING):
            name = "say_what_is_in" if verb == d.SAY_PLACE else "say_going_to"
            return Command(name, {"receptacle": self.receptacles[r]})
        return Command(d.VERBS[verb], {})


@functools.lru_cache(maxsize=1)
def _kinds() -> dict[str, int]:
    from ludarium.envs.text.household.classes import PROCESSES

    return {kind.lower(): n + 1 for n, kind in enumerate(PROCESSES.values())}


def _processes(house: House) -> list[int]:
    return [_kinds().get(place.kind.lower(), 0) for place in house.receptacles]


# --- what is told ----------------------------------------------------------------------------------------------------
def members(words: np.ndarray[Any, Any]) -> list[int]:
    """The numbers in a set of objects."""
    found = []
    for w, word in enumerate(words.tolist()):
        while word:
            low = word & -word
            found.append(64 * w + low.bit_length() - 1)
            word ^= low
    return found


def contains(sets: np.ndarray[Any, Any], o: int) -> bool:
    """Whether an object is in a set."""
    return bool(int(sets[o >> 6]) >> (o & 63) & 1)


def _look(words: Words, state: State, row: int, seat: int) -> str:
    location = int(state.loc[row, seat])
    here = words.here.get(location, ())
    if not here:
        return _MIDDLE.format("nothing")
    floor = [
        words.a_object[o] for o in members(state.around[row, location]) for r in here if contains(state.left[row, r], o)
    ]
    names = listed([words.receptacles[r] for r in here])
    return f"You are facing the {names}. Next to it, you see {listed(floor)}."


def _examine(words: Words, state: State, row: int, o: int) -> str:
    item, name = words.house.objects[o], words.objects[o]
    if "receptacle" in item.can:
        inner = [other for other, thing in enumerate(words.house.objects) if o in thing.inside]
        return f"This is a normal {name}. In it, you see {listed([words.a_object[n] for n in inner])}."
    clean, hot, cool, cut, on = (contains(state.flags[row, n], o) for n in range(len(FLAGS)))
    sliced = " sliced" if cut else ""
    if clean and (hot or cool):
        return f"This is a {'hot' if hot else 'cool'} and clean{sliced} {name}."
    if cut and clean:
        return f"This is a clean sliced {name}."
    if cut and (hot or cool):
        return f"This is a {'hot' if hot else 'cool'} sliced {name}."
    if hot or clean or cool:
        return f"This is a {'hot' if hot else 'clean' if clean else 'cold'} {name}."
    if "toggleable" in item.can and on:
        return f"This {name} is on."
    return f"This is a sliced {name}." if cut and "sliceable" in item.can else f"There's nothing special about {name}."


def feedback(words: Words, state: State, row: int, seat: int) -> str:
    """What the last action of a seat is answered with, if it had an effect."""
    verb, o, r = int(state.verb[row, seat]), int(state.object[row, seat]), int(state.receptacle[row, seat])
    if verb == d.GO:
        return words.arrive[r] + words.look_at(state, row, r)
    if verb == d.OPEN:
        return f"You open the {words.receptacles[r]}. {words.look_at(state, row, r)}"
    if verb == d.CLOSE:
        return f"You close the {words.receptacles[r]}."
    if verb == d.EXAMINE:
        return words.look_at(state, row, r)
    if verb == d.TAKE:
        return f"You pick up the {words.objects[o]} from the {words.receptacles[r]}."
    if verb == d.MOVE:
        return f"You {words.put}the {words.objects[o]}{words.into[r].replace(' to ', ' to the ').replace('on ', 'on the ', 1)}."
    if verb == d.PROCESS:
        return f"You {words.process[r]} the {words.objects[o]} using the {words.receptacles[r]}."
    if verb == d.USE:
        return f"You turn on the {words.objects[o]}."
    if verb == d.SLICE:
        return f"You sliced the {words.objects[o]} with the {words.objects[int(state.hold[row, seat])]}."
    if verb == d.EXAMINE_HELD:
        return _examine(words, state, row, o)
    if verb == d.INVENTORY:
        held = int(state.hold[row, seat])
        return f"You are carrying: {words.a_object[held]}." if held >= 0 else "You are not carrying anything."
    if verb >= d.SAY_PLACE:
        return f'You say: "{speech(words, state, row, seat)}" (words left: {int(state.budget[row, seat])})'
    return _look(words, state, row, seat) if verb == d.LOOK else HELP


def speech(words: Words, state: State, row: int, seat: int) -> str:
    """What a seat said in the last round; its words are those that the budget counts."""
    verb, o, r = int(state.verb[row, seat]), int(state.object[row, seat]), int(state.receptacle[row, seat])
    if verb == d.SAY_GOING:
        return f"I am going to the {words.receptacles[r]}."
    if verb == d.SAY_THING:
        return f"I saw the {words.objects[o]} {words.within[r]}." if r >= 0 else f"I hold the {words.objects[o]}."
    if state.shut[row, seat]:
        return f"The {words.receptacles[r]} is closed."
    inside = listed([words.a_object[o] for o in members(state.told[row, seat])])
    return f"{words.within[r].capitalize()}, I saw {inside}."


def describe(simulator: Household, state: State, row: int, seat: int) -> str:
    """The text of a step: the intro, then what each action is answered with."""
    words = simulator.words(state, row)
    verb = int(state.verb[row, seat])
    if verb == d.START:
        text = words.intros[seat]
    elif verb == d.NOTHING:
        helpful = simulator.config.error_style == "helpful"
        text = REASONS[FAULTS[int(state.reason[row, seat])]] if helpful else NOTHING_HAPPENS
    else:
        text = feedback(words, state, row, seat)
    if simulator.config.n_agents > 1:
        text += _company(simulator, state, row, seat)
    return text


def _heard(simulator: Household, words: Words, state: State, row: int, seat: int) -> str:
    """What the others said in the last round."""
    return "".join(
        f' {name} says: "{speech(words, state, row, k)}"'
        for k, name in enumerate(simulator.seats)
        if k != seat and state.verb[row, k] >= d.SAY_PLACE
    )


def _company(simulator: Household, state: State, row: int, seat: int) -> str:
    """In a house of several: who else is where one is, what the others say, whether one's own task is done."""
    others = [
        name
        for k, name in enumerate(simulator.seats)
        if k != seat and state.loc[row, k] == state.loc[row, seat] and state.verb[row, seat] != d.START
    ]
    text = f" Here with you: {', '.join(others)}." if others else ""
    if simulator.config.say_tokens:
        text += _heard(simulator, simulator.words(state, row), state, row, seat)
    if simulator.config.goals == "split" and state.own[row, seat] == 1.0:
        text += " Your task is done."
    return text


def rules(simulator: Household) -> str:
    """The rules of this config in words."""
    c = simulator.config
    many = f" {c.n_agents} robots act at the same time; who is first goes round." if c.n_agents > 1 else ""
    if c.goals == "split":
        many += " Each has a task of its own, and all must be done at the same time."
    if c.say_tokens:
        many += (
            " You may say what is in a receptacle, where a thing is, or where you are going (say what is in X, say "
            f"where X is, say going to X): it takes a step, all others hear it, and you have {c.say_tokens} words in all."
        )
    put = "put X in/on Y" if c.dialect == "0.3" else "move X to Y"
    return (
        "You are in a house and have a task, which the first text tells. Go to receptacles, open them, take one thing at "
        f"a time, and bring it where it belongs ({put}). A microwave heats what you hold, a fridge cools it, a "
        "sinkbasin cleans it (heat X with Y, and so on); lamps are used; a knife in the hand slices. A command that "
        f"cannot be done changes nothing and costs a step.{many} The episode ends when the task is done, or after "
        f"{c.max_steps} steps."
    )


# --- what may be said ------------------------------------------------------------------------------------------------
def resolve(simulator: Household, state: State, row: int, seat: int, action: int) -> tuple[int, int, int, int]:
    """Verb, object, receptacle and what is held, for a legal action."""
    c = simulator.scalars
    held = int(state.hold[row, seat])
    if action < 6 * c.receptacles:
        verb = d.GO + action // c.receptacles
        return verb, held if verb in (d.MOVE, d.PROCESS) else -1, action % c.receptacles, held
    action -= 6 * c.receptacles
    if action < c.copies * c.objects:
        o, nth = divmod(action, c.copies)
        return d.TAKE, o, _nth_place(state, row, seat, o, nth), held
    action -= c.copies * c.objects
    if action < 2 * c.objects:
        return d.USE + action // c.objects, action % c.objects, -1, held
    action -= 2 * c.objects
    if c.talk:
        for verb, count in ((d.SAY_PLACE, c.receptacles), (d.SAY_THING, c.objects), (d.SAY_GOING, c.receptacles)):
            if action < count:
                return (verb, action, -1, held) if verb == d.SAY_THING else (verb, -1, action, held)
            action -= count
    verb = d.EXAMINE_HELD + action
    return verb, held if verb == d.EXAMINE_HELD else -1, -1, held


def _nth_place(state: State, row: int, seat: int, o: int, nth: int) -> int:
    r = int(state.first[row, int(state.loc[row, seat])])
    while r >= 0:
        if contains(state.content[row, r], o) and (not state.openable[row, r] or state.opened[row, r]):
            if nth == 0:
                return r
            nth -= 1
        r = int(state.after[row, r])
    return -1


def menu(simulator: Household, state: State, row: int, seat: int) -> list[Choice]:
    """The admissible commands, sorted by their text."""
    words = simulator.words(state, row)
    choices = []
    for action in simulator.legal(state, row, seat):
        parts = resolve(simulator, state, row, seat, action)
        verb, arguments = words.apart(*parts)
        choices.append(Choice(action, words.command(*parts), verb, dict(arguments)))
    return sorted(choices, key=lambda choice: choice.text)


def verbs(simulator: Household) -> dict[str, tuple[str, ...]]:
    """The verbs of tool calls in the config's dialect, with the names of their arguments."""
    move = "put" if simulator.config.dialect == "0.3" else "move"
    found: dict[str, tuple[str, ...]] = dict.fromkeys(("go_to", "open", "close"), ("receptacle",))
    found |= {"examine": ("thing",), "use": ("object",), "slice": ("object", "knife")}
    found |= dict.fromkeys(("take", move, *filter(None, _PROCESS)), ("object", "receptacle"))
    if simulator.config.say_tokens:
        found |= {"say_what_is_in": ("receptacle",), "say_where_is": ("object",), "say_going_to": ("receptacle",)}
    return found | dict.fromkeys(("inventory", "look", "help"), ())


def explain(simulator: Household, state: State, row: int, seat: int, action: Any, code: int) -> str:
    """Why an action had no effect."""
    return (
        f"{simulator.seats[seat]}: {REASONS.get(FAULTS[code], NOTHING_HAPPENS)} (action {int(action)}: {FAULTS[code]})"
    )


def parse(text: str, strict: bool = False) -> str:
    """A command in the form that the menu has: stripped, and unless `strict` in lower case with single spaces."""
    return text.strip() if strict else " ".join(text.lower().split())
