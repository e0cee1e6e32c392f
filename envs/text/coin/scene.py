"""The picture of the coin games: the rooms where the player was, their ways and doors, the coin once seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ludarium.envs.core.scene import Circle, Label, Line, Rect, Scene, Shape
from ludarium.envs.text.coin import dynamics, language
from ludarium.envs.text.coin.generate import CLOSED, OPEN, WALL

if TYPE_CHECKING:
    from ludarium.envs.text.coin.simulator import Coin

__all__ = ["scene"]


_REACH = 9
"""Places to each side of the player that the picture shows; rooms are three apart."""


def scene(simulator: Coin, state: dynamics.State, row: int) -> Scene:
    """Shapes of one row of a state: only rooms where the player was, around the player; nothing else is known.

    A closed door is drawn thick, an open one thin.
    """
    here = state.place[row, int(state.room[row])].astype(float)
    place = state.place[row].astype(float) - here + _REACH + 0.5
    lines: list[Shape] = []
    rooms: list[Shape] = []
    for room in np.flatnonzero(state.seen[row]).tolist():
        x, y = place[room].tolist()
        if not (0 <= x <= 2 * _REACH + 1 and 0 <= y <= 2 * _REACH + 1):
            continue
        for d, (dx, dy) in enumerate(((1, 0), (0, -1), (0, 1), (-1, 0))):
            way = int(state.way[row, room, d])
            if way != WALL:
                ends = ((x, y), (x + dx, y + dy))
                lines.append(Line(ends, 0.12, "path"))
                if way in (CLOSED, OPEN):
                    door = ((x + 0.5 * dx, y + 0.5 * dy), (x + 0.7 * dx, y + 0.7 * dy))
                    lines.append(Line(door, 0.5 if way == CLOSED else 0.25, "wall" if way == CLOSED else "accent.2"))
                other = int(state.exits[row, room, d])
                if state.seen[row, other]:
                    lines.append(Line(((x, y), tuple(place[other].tolist())), 0.12, "path"))
        name = language.name_of(state.key[row], room)
        rooms.append(Rect(x - 0.45, y - 0.45, 0.9, 0.9, "wall"))  # floors alone are hardly seen on paper
        rooms.append(Rect(x - 0.4, y - 0.4, 0.8, 0.8, "floor", f"room_{room}", title=name))
    name = language.name_of(state.key[row], int(state.room[row]))
    shapes = [*lines, *rooms, Circle(_REACH + 0.5, _REACH + 0.5, 0.3, "robot", "player", title="player"),
              Label(0.5, 1.0, f"In the {name}", 0.7, "start")]  # fmt: skip
    coin = int(state.coin[row])
    if not state.held[row] and state.seen[row, coin]:
        x, y = place[coin].tolist()
        shapes.append(Circle(x + 0.2, y - 0.2, 0.2, "goal", "coin", title="coin"))
    return Scene(
        2 * _REACH + 1,
        2 * _REACH + 1,
        shapes=tuple(shapes),
        caption=f"Step {int(state.t[row])} of {simulator.config.max_steps}",
        values={"coin": float(state.held[row])},
    )
