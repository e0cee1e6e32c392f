"""The cooking games in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ludarium.envs.core.rng import below, draw
from ludarium.envs.core.simulator import Choice
from ludarium.envs.text.cooking import tables as t
from ludarium.envs.text.cooking.dynamics import FAULTS, State, masks
from ludarium.envs.text.cooking.generate import HELD, ON
from ludarium.envs.text.cooking.phrases import PHRASES, REASONS

if TYPE_CHECKING:
    from ludarium.envs.text.cooking.simulator import Cooking

__all__ = ["CHOICES", "describe", "explain", "menu", "recipe_text", "rules", "thing"]

STREAM_STYLE = 40


def _a(name: str) -> str:
    """A name with its article."""
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


_NUMBERS = {name: n for n, name in enumerate(PHRASES)}
_FRAMES = {name: tuple((options[0] + "{0}").split("{0}")[:2]) for name, options in PHRASES.items()}
"""What stands before and after the word in the plain sentences."""
_Say = Callable[..., str]
_STATES = ("", "", "raw ", "", "burned ")
_WAYS = ("", "fried ", "roasted ", "grilled ")
_CUTS = ("", "chopped ", "sliced ", "diced ", "")
_NAMES = {
    (stage, way, cut): tuple(f"{_CUTS[cut]}{_STATES[stage] or (_WAYS[way] if stage == t.COOKED else '')}{name}"
                             for name in t.ITEM_NAMES)
    for stage in range(5) for way in range(4) for cut in range(5)
}  # fmt: skip
_A_NAMES = tuple(_a(name) for names in _NAMES.values() for name in names)
"""With articles, by the numbers that `sight` gives."""
_A_FURNITURE = tuple(_a(piece.name) for piece in t.FURNITURE)
_CONTAINS = t.CONTAINS.tolist()
_VERBS = (
    "look", "inventory", "prepare_meal", "go", "open", "close", "open", "close", "examine", "examine", "take", "take",
    "drop", "put", "cook", "cut", "eat", "drink",
)  # fmt: skip


def _choice(action: int) -> Choice:
    text, verb, a, other = t.ROWS[action]
    name = _VERBS[verb]
    if verb in (t.LOOK, t.INVENTORY, t.PREPARE):
        return Choice(action, text, name, {})
    if verb == t.GO:
        return Choice(action, text, name, {"direction": t.DIRECTIONS[a]})
    if verb in (t.OPEN_DOOR, t.CLOSE_DOOR):
        return Choice(action, text, name, {"object": t.DOORS[a].name})
    if verb in (t.OPEN, t.CLOSE, t.EXAMINE):
        return Choice(action, text, name, {"object": t.FURNITURE[a].name})
    given = {"object": t.ITEM_NAMES[a]}
    if verb in (t.TAKE, t.TAKE_FROM):
        given["source"] = t.FURNITURE[other].name if verb == t.TAKE_FROM else "floor"
    elif verb == t.PUT:
        given["target"] = t.FURNITURE[other].name
    elif verb == t.COOK:
        given["appliance"] = t.FURNITURE[t.APPLIANCES[other - 1]].name
    elif verb == t.CUT:
        given["style"] = text.split()[0]
    return Choice(action, text, name, given)


CHOICES = tuple(_choice(action) for action in range(t.ACTIONS))
"""Each action as a choice."""


def rules(simulator: Cooking) -> str:
    """The rules of this config in words."""
    c = simulator.config
    limit = f" You can carry {c.recipe + (c.recipe == 1 and c.cut)} things at once." if c.drop else ""
    return (
        "You are hungry. Examine the cookbook in the kitchen, gather the ingredients of its recipe, cook each as it says "
        "(the stove fries, the oven roasts, the BBQ grills), cut each as it says with the knife in hand, prepare the meal "
        "in the kitchen with all ingredients in hand, and eat it. Each ingredient found, cooked and cut right, the meal "
        "prepared and eaten score 1 each. Cooking or cutting an ingredient wrong, cooking it twice, or eating it loses the "
        f"game. It lasts at most {c.max_steps} steps.{limit}"
    )


def _plain(name: str, word: str = "") -> str:
    """The plain sentence."""
    before, after = _FRAMES[name]
    return f"{before}{word}{after}"


def _varied(key: Any, step: int) -> _Say:
    """Says things in sentences that the key and the step choose."""

    def say(name: str, word: str = "") -> str:
        options = PHRASES[name]
        chance = np.uint64(draw(key, STREAM_STYLE, step, _NUMBERS[name], 0))
        return options[below(chance, len(options))].format(word)

    return say


def thing(state: State, row: int, item: int) -> str:
    """A thing with what was done to it: `sliced fried purple carrot`."""
    key = int(state.stage[row, item]), int(state.way[row, item]), int(state.cut[row, item])
    return _NAMES[key][item]


def _listed(names: list[str]) -> str:
    return ", ".join(names)


def recipe_text(state: State, row: int) -> str:
    """The recipe in words: `slice and fry the purple carrot; use the rye flour; prepare meal`."""
    parts = []
    for food, cook, cut in state.recipe[row].tolist():
        if food >= 0:
            verbs = [v for v in (("", "chop", "slice", "dice")[cut], ("", "fry", "roast", "grill")[cook]) if v]
            parts.append(f"{' and '.join(verbs) or 'use'} the {t.ITEM_NAMES[food]}")
    return "; ".join([*parts, "prepare the meal"])


def _feedback(say: _Say, state: State, row: int) -> list[str]:
    """What came of the last action."""
    action, code = int(state.last[row]), int(state.said[row])
    if action < 0:
        return []
    if code:
        return [say("refuse", REASONS[code])]
    _, verb, a, _ = t.ROWS[action]
    said: list[str] = []
    if verb == t.GO:
        said = [say("go", t.DIRECTIONS[a])]
    elif verb in (t.OPEN_DOOR, t.CLOSE_DOOR):
        said = [say("open" if verb == t.OPEN_DOOR else "close", t.DOORS[a].name)]
    elif verb in (t.OPEN, t.CLOSE):
        said = [say("open" if verb == t.OPEN else "close", t.FURNITURE[a].name)]
    elif verb == t.EXAMINE:
        said = [say("plain_thing", t.FURNITURE[a].name)]
    elif verb == t.EXAMINE_ITEM:
        said = [] if a == t.COOKBOOK else [say("plain_thing", thing(state, row, a))]
    elif verb == t.PREPARE:
        said = [say("prepare")]
    elif verb >= t.TAKE:
        said = [_done_to(say, state, row, verb, a)]
    if state.over[row] and state.lost[row]:
        said.append(say("lost"))
    elif state.over[row] and verb == t.EAT and a == t.MEAL:
        said.append(say("won"))
    return said


def _done_to(say: _Say, state: State, row: int, verb: int, item: int) -> str:
    name = thing(state, row, item)
    if verb == t.COOK:
        return say("burn" if state.stage[row, item] == t.BURNED else "cook", name)
    word = {t.TAKE: "take", t.TAKE_FROM: "take", t.DROP: "drop", t.PUT: "put", t.CUT: "cut", t.EAT: "eat"}
    return say(word.get(verb, "drink"), name)


def _exits(state: State, row: int, room: int) -> list[str]:
    found = []
    doors, open_ = state.doors[row, room].tolist(), state.door[row].tolist()
    for d, other in enumerate(state.exits[row, room].tolist()):
        if other >= 0:
            door = doors[d]
            if door < 0:
                found.append(t.DIRECTIONS[d])
            else:
                found.append(f"{t.DIRECTIONS[d]} ({'open' if open_[door] else 'closed'} {t.DOORS[door].name})")
    return found


def describe(simulator: Cooking, state: State, row: int, seat: int) -> str:
    """What came of the last action, the room with all that is in sight, what is carried, and the recipe once read."""
    say = _varied(state.key[row], int(state.t[row])) if simulator.config.style == "varied" else _plain
    room = int(state.room[row])
    lines = _feedback(say, state, row)
    lines.append(say("room", t.ROOMS[room]))
    at: dict[int, list[str]] = {}
    for place, number in simulator.in_sight(state, row):
        at.setdefault(place, []).append(_A_NAMES[number])
    pieces = []
    for h, home in enumerate(state.home[row].tolist()):
        if home != room:
            continue
        name, holds = _A_FURNITURE[h], at.get(ON + h)
        if _CONTAINS[h]:
            if not state.lid[row, h]:
                pieces.append(f"{name} (closed)")
                continue
            pieces.append(f"{name} (open, in it: {_listed(holds) if holds else 'nothing'})")
        else:
            pieces.append(f"{name} (on it: {_listed(holds)})" if holds else name)
    if pieces:
        lines.append(say("sight", _listed(pieces)))
    if room in at:
        lines.append(say("floor", _listed(at[room])))
    lines.append(say("exits", _listed(_exits(state, row, room))) if simulator.config.go > 1 else "")
    lines.append(say("carry", _listed(at.get(HELD, ["nothing"]))))
    if state.read[row]:
        lines.append(say("recipe", recipe_text(state, row)))
    return " ".join(line for line in lines if line)


def menu(simulator: Cooking, state: State, row: int, seat: int) -> list[Choice]:
    """The actions without a fault, sorted by their commands."""
    mask = np.zeros((len(state.t), 1, t.ACTIONS), np.int8)
    seats = np.full((len(state.t), 1), -1, np.int32)
    seats[row] = 0
    masks(state, seats, mask)
    return [CHOICES[action] for action in np.flatnonzero(mask[row, 0]).tolist()]


def explain(simulator: Cooking, state: State, row: int, seat: int, action: Any, code: int) -> str:
    """Why an action had no effect."""
    return f"{t.COMMANDS[int(action)]!r} had no effect ({FAULTS[code]}): {REASONS[code]}"
