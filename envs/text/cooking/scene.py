"""The picture of the cooking games: the rooms as a plan, what is in sight in the player's room, and what is carried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ludarium.envs.core.scene import Circle, Label, Line, Rect, Scene, Shape
from ludarium.envs.text.cooking import language
from ludarium.envs.text.cooking import tables as t
from ludarium.envs.text.cooking.dynamics import State, is_here
from ludarium.envs.text.cooking.generate import HELD, ON

if TYPE_CHECKING:
    from ludarium.envs.text.cooking.simulator import Cooking

__all__ = ["scene"]

_WIDE, _HIGH = 6.0, 4.0


def _rooms(state: State, row: int) -> dict[int, tuple[float, float]]:
    """The middle of each room that can be reached, from the top left."""
    there = [r for r in range(t.ROOM_COUNT) if (state.exits[row, r] >= 0).any() or r == state.room[row]]
    place = {r: state.place[row, r].tolist() for r in there}
    left, top = min(x for x, _ in place.values()), min(y for _, y in place.values())
    return {r: ((x - left + 0.5) * _WIDE, (y - top + 0.5) * _HIGH) for r, (x, y) in place.items()}


def scene(simulator: Cooking, state: State, row: int) -> Scene:
    """Shapes of one row of a state."""
    middle = _rooms(state, row)
    right, low = max(x for x, _ in middle.values()) + _WIDE / 2, max(y for _, y in middle.values()) + _HIGH / 2
    background: list[Shape] = []
    shapes: list[Shape] = []
    for r, (x, y) in middle.items():
        background.append(Rect(x - 2.7, y - 1.7, 5.4, 3.4, "floor", f"room_{r}", title=t.ROOMS[r]))
        background.append(Label(x, y - 1.2, t.ROOMS[r], 0.5))
        for d in range(4):
            other, door = int(state.exits[row, r, d]), int(state.doors[row, r, d])
            if other > r:
                shut = door >= 0 and not state.door[row, door]
                name = t.DOORS[door].name if door >= 0 else ""
                shapes.append(
                    Line(((x, y), middle[other]), 0.3 if shut else 0.12, "wall" if shut else "path", title=name)
                )
    x, y = middle[int(state.room[row])]
    shapes.append(Circle(x, y, 0.4, "robot", "player", title="player"))
    lines = [f"{t.FURNITURE[h].name}" for h in range(t.HOLDERS) if state.home[row, h] == state.room[row]]
    for i in range(t.ITEMS):
        if is_here(state, row, i):
            at = int(state.where[row, i])
            where = t.FURNITURE[at - ON].name if at >= ON else "floor"
            lines.append(f"{language.thing(state, row, i)} ({where})")
    carried = [language.thing(state, row, i) for i in range(t.ITEMS) if state.where[row, i] == HELD]
    lines += [f"carried: {name}" for name in carried]
    for n, line in enumerate(lines[:40]):
        shapes.append(Label(right + 0.5, 0.7 + 0.6 * n, line, 0.45, "start"))
    points = int(state.earned[row]).bit_count()
    return Scene(
        right + 9,
        max(low, 24.5),
        background=tuple(background),
        shapes=tuple(shapes),
        caption=f"Step {int(state.t[row])} of {simulator.config.max_steps}: {points} points",
        values={"score": float(points)},
    )
