"""The picture of the coin games: rooms on their lattice, ways and doors between them, the coin and the player."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ludarium.envs.core.scene import Circle, Line, Rect, Scene, Shape
from ludarium.envs.text.coin import dynamics, language
from ludarium.envs.text.coin.generate import CLOSED, OPEN, WALL

if TYPE_CHECKING:
    from ludarium.envs.text.coin.simulator import Coin

__all__ = ["scene"]


def scene(simulator: Coin, state: dynamics.State, row: int) -> Scene:
    """Shapes of one row of a state; a closed door is drawn thick, an open one thin."""
    count = int(state.size[row])
    place = state.place[row, :count].astype(float)
    place -= place.min(0) - 1
    background: list[Shape] = []
    doors: list[Shape] = []
    for room in range(count):
        x, y = place[room].tolist()
        for d in range(4):
            way, other = int(state.way[row, room, d]), int(state.exits[row, room, d])
            if way == WALL or other < room:
                continue
            ends = ((x, y), tuple(place[other].tolist()))
            background.append(Line(ends, 0.12, "path"))
            if way in (CLOSED, OPEN):
                doors.append(Line(ends, 0.4 if way == CLOSED else 0.2, "wall" if way == CLOSED else "accent.2"))
    for room in range(count):
        x, y = place[room].tolist()
        name = language.name_of(state.key[row], room)
        background.append(Rect(x - 0.4, y - 0.4, 0.8, 0.8, "floor", f"room_{room}", title=name))
    x, y = place[int(state.room[row])].tolist()
    shapes = [*doors, Circle(x, y, 0.3, "robot", "player", title="player")]
    if not state.held[row]:
        x, y = place[int(state.coin[row])].tolist()
        shapes.append(Circle(x + 0.2, y - 0.2, 0.2, "goal", "coin", title="coin"))
    width, height = (place.max(0) + 1).tolist()
    return Scene(
        width,
        height,
        background=tuple(background),
        shapes=tuple(shapes),
        caption=f"Step {int(state.t[row])} of {simulator.config.max_steps}",
        values={"coin": float(state.held[row])},
    )
