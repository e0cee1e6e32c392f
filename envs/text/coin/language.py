"""The coin games in words."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from ludarium.envs.core.simulator import Choice
from ludarium.envs.text.coin import dynamics
from ludarium.envs.text.coin.generate import CLOSED, DIRECTIONS, WALL

if TYPE_CHECKING:
    from ludarium.envs.text.coin.simulator import Coin

__all__ = ["CHOICES", "describe", "explain", "menu", "name_of", "rules"]

_ADJECTIVES = (
    "amber", "bare", "chilly", "dim", "dusty", "echoing", "faded", "grey", "hushed", "ivory", "jade", "lofty",
    "mossy", "narrow", "oaken", "painted", "quiet", "round", "sunlit", "tiled",
)  # fmt: skip
_NOUNS = (
    "alcove", "archive", "attic", "cellar", "chapel", "gallery", "hall", "larder", "library", "lounge", "nursery",
    "parlour", "studio", "vault", "workshop",
)  # fmt: skip
_NAMES = tuple(f"{adjective} {noun}" for noun in _NOUNS for adjective in _ADJECTIVES)
_REASONS = (
    "nothing is wrong",
    "there is no exit that way",
    "the door is closed",
    "there is no door that way",
    "the door is already open",
    "the coin is not here",
)


def _choice(action: int) -> Choice:
    text = dynamics.COMMANDS[action]
    words = text.split()
    if words[-1] in DIRECTIONS:
        verb = "go" if words[0] == "go" else f"{words[0]}_door"
        return Choice(action, text, verb, {"direction": words[-1]})
    if words[-1] == "coin":
        return Choice(action, text, words[0], {"object": "coin"})
    return Choice(action, text, text, {})


CHOICES = tuple(_choice(action) for action in range(dynamics.ACTIONS))
"""Each action as a choice."""


@functools.lru_cache(maxsize=4096)
def name_of(key: Any, room: int) -> str:
    """The name of a room in the episode with this key."""
    return _NAMES[dynamics.room_name(key, room)]


def rules(simulator: Coin) -> str:
    """The rules of this config in words."""
    c = simulator.config
    doors = " Doors are closed at first; open a door before you go through it." if c.doors else ""
    return (
        f"Somewhere in this house of {c.rooms} rooms lies a coin. Find it and take it: that scores 1 and ends the "
        f"episode, which lasts at most {c.max_steps} steps.{doors} Commands: go, open door to and close door to, each "
        "with a direction; take coin, examine coin, look, inventory."
    )


def _feedback(state: dynamics.State, row: int) -> str:
    """What came of the last action; empty if it was `look`, or if there was none."""
    action, code = int(state.last[row]), int(state.said[row])
    if action < 0 or action == dynamics.LOOK:
        return ""
    if code:
        return f"You cannot do that: {_REASONS[code]}. "
    if action == dynamics.INVENTORY:
        return "You carry nothing. "
    if action == dynamics.EXAMINE:
        return "It is a plain gold coin. "
    if action == dynamics.TAKE:
        return "You take the coin. You have won! "
    if dynamics.GO <= action < dynamics.INVENTORY:
        return f"You go {DIRECTIONS[action - dynamics.GO]}. "
    return "You open the door. " if action >= dynamics.UNLATCH else "You close the door. "


def describe(simulator: Coin, state: dynamics.State, row: int, seat: int) -> str:
    """What came of the last action, the room, its exits, and the coin if it lies here."""
    room = int(state.room[row])
    exits = []
    for direction, way in zip(DIRECTIONS, state.way[row, room].tolist(), strict=True):
        if way != WALL:
            exits.append(f"{direction} ({'closed' if way == CLOSED else 'open'} door)" if way >= CLOSED else direction)
    where = f"{_feedback(state, row)}You are in the {name_of(state.key[row], room)}."
    if exits:
        where += f" Exits: {', '.join(exits)}."
    if state.coin[row] == room and not state.held[row]:
        where += " There is a coin on the floor."
    return where


def menu(simulator: Coin, state: dynamics.State, row: int, seat: int) -> list[Choice]:
    """The actions without a fault, sorted by their commands."""
    mask = np.zeros((len(state.t), 1, dynamics.ACTIONS), np.int8)
    seats = np.full((len(state.t), 1), -1, np.int32)
    seats[row] = 0
    dynamics.masks(state, seats, mask)
    return [CHOICES[action] for action in np.flatnonzero(mask[row, 0]).tolist()]


def explain(simulator: Coin, state: dynamics.State, row: int, seat: int, action: Any, code: int) -> str:
    """Why an action had no effect."""
    return f"{dynamics.COMMANDS[int(action)]!r} had no effect: {_REASONS[code]}"
