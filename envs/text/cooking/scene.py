"""The picture of the cooking games: the rooms where the player was, what is in sight, and what is carried."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from ludarium.envs.core.scene import Circle, Label, Line, Rect, Scene, Shape
from ludarium.envs.text.cooking import language
from ludarium.envs.text.cooking import tables as t
from ludarium.envs.text.cooking.dynamics import State, is_here
from ludarium.envs.text.cooking.generate import HELD, ON

if TYPE_CHECKING:
    from ludarium.envs.text.cooking.simulator import Cooking

__all__ = ["scene"]

_WIDE, _HIGH = 6.0, 4.0
_CHARACTERS = 25
_REACH = 2
"""Rooms to each side of the player that the picture shows."""


def _plan(state: State, row: int) -> tuple[list[Shape], list[Shape]]:
    """The rooms where the player was, around the player, and the ways and doors that were seen from there."""
    here = state.place[row, int(state.room[row])].astype(int)
    lines: list[Shape] = []
    rooms: list[Shape] = []
    for r in np.flatnonzero(state.seen[row]).tolist():
        column, line = (state.place[row, r].astype(int) - here).tolist()
        if max(abs(column), abs(line)) > _REACH:
            continue
        x, y = (column + _REACH + 0.5) * _WIDE, (line + _REACH + 0.5) * _HIGH
        rooms.append(Rect(x - 2.7, y - 1.7, 5.4, 3.4, "floor", f"room_{r}", title=t.ROOMS[r]))
        rooms.append(Label(x, y - 1.2, t.ROOMS[r], 0.5))
        for d, (dx, dy) in enumerate(((1, 0), (0, -1), (0, 1), (-1, 0))):
            if state.exits[row, r, d] >= 0:
                door = int(state.doors[row, r, d])
                shut = door >= 0 and not state.door[row, door]
                ends = ((x + 2.5 * dx, y + 1.5 * dy), (x + 3.0 * dx, y + 2.0 * dy))
                name = t.DOORS[door].name if door >= 0 else ""
                lines.append(Line(ends, 0.8 if shut else 0.3, "wall" if shut else "path", title=name))
    return rooms, lines


def scene(simulator: Cooking, state: State, row: int) -> Scene:
    """Shapes of one row of a state: rooms where the player was, and by name what is in sight and carried."""
    rooms, lines_ = _plan(state, row)
    shapes = [*rooms, *lines_]
    right, low = (2 * _REACH + 1) * _WIDE, (2 * _REACH + 1) * _HIGH
    x, y = right / 2, low / 2
    shapes.append(Circle(x, y, 0.4, "robot", "player", title="player"))
    lines = [f"{t.FURNITURE[h].name}" for h in range(t.HOLDERS) if state.home[row, h] == state.room[row]]
    for i in range(t.ITEMS):
        if is_here(state, row, i):
            at = int(state.where[row, i])
            where = t.FURNITURE[at - ON].name if at >= ON else "floor"
            lines.append(f"{language.thing(state, row, i)} ({where})")
    carried = [language.thing(state, row, i) for i in range(t.ITEMS) if state.where[row, i] == HELD]
    lines += [f"carried: {name}" for name in carried]
    rows = [part for line in lines for part in textwrap.wrap(line, _CHARACTERS, subsequent_indent="   ")]
    for n, line in enumerate(rows[:32]):
        shapes.append(Label(right + 0.5, 0.7 + 0.6 * n, line, 0.45, "start"))
    points = int(state.earned[row]).bit_count()
    return Scene(
        right + 9,
        low,
        shapes=tuple(shapes),
        caption=f"Step {int(state.t[row])} of {simulator.config.max_steps}: {points} points",
        values={"score": float(points)},
        words="\n".join([f"In the {t.ROOMS[int(state.room[row])]}:", *lines]),
    )
