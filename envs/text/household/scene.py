"""The picture of a household: receptacles as boxes with what can be seen in them, robots where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ludarium.envs.core.scene import Label, Rect, Scene, Shape, Sprites
from ludarium.envs.text.household.dynamics import State
from ludarium.envs.text.household.language import members

if TYPE_CHECKING:
    from ludarium.envs.text.household.simulator import Household

__all__ = ["scene"]

_WIDE, _HIGH, _COLUMNS, _LINES = 7.0, 3.6, 4, 4


def _contents(names: list[str]) -> list[str]:
    """Lines that fit into a box: the first things, and how many more."""
    if len(names) <= _LINES:
        return names
    return [*names[: _LINES - 1], f"and {len(names) - _LINES + 1} more"]


def scene(simulator: Household, state: State, row: int) -> Scene:
    """Shapes of one row of a state: what lies in closed receptacles is not shown."""
    words = simulator.words(state, row)
    columns = min(_COLUMNS, len(words.receptacles))
    lines = -(-len(words.receptacles) // columns)
    width, height = columns * _WIDE, lines * _HIGH + 3.0
    boxes: list[Shape] = []
    shapes: list[Shape] = []
    told = [words.task]
    corner: dict[int, tuple[float, float]] = {}
    for r, name in enumerate(words.receptacles):
        x, y = r % columns * _WIDE, 2.0 + r // columns * _HIGH
        corner.setdefault(words.house.receptacles[r].location, (x, y))
        shut = bool(state.openable[row, r]) and not state.opened[row, r]
        boxes.append(Rect(x + 0.1, y + 0.1, _WIDE - 0.2, _HIGH - 0.2, "floor", f"receptacle-{r}", title=name))
        shapes.append(Label(x + 0.4, y + 0.75, name + (" (closed)" if shut else ""), 0.5, "start", id=f"name-{r}"))
        inside = [] if shut else [words.objects[o] for o in members(state.content[row, r])]
        told.append(f"{name}: {'closed' if shut else ', '.join(inside) or 'nothing'}")
        for n, text in enumerate(_contents(inside)):
            shapes.append(Label(x + 0.7, y + 1.35 + 0.55 * n, text, 0.42, "start", id=f"in-{r}-{n}"))
    places = [corner.get(int(location), (width / 2, lines * _HIGH + 1.4)) for location in state.loc[row]]
    xs = np.array([x + _WIDE - 0.7 - 0.8 * k for k, (x, _) in enumerate(places)])
    ys = np.array([y + 0.8 for _, y in places])
    shapes.append(Sprites("robot", xs, ys))
    held = [words.objects[o] if o >= 0 else "nothing" for o in state.hold[row].tolist()]
    carried = "; ".join(f"{simulator.seats[k]} holds {name}" for k, name in enumerate(held))
    shapes.append(Label(0.3, lines * _HIGH + 2.6, carried, 0.5, "start", id="held"))
    return Scene(
        width,
        height,
        background=(Label(0.3, 1.1, words.task, 0.6, "start", id="task"), *boxes),
        shapes=tuple(shapes),
        caption=f"Step {int(state.t[row])} of {simulator.config.max_steps}: {carried}",
        values={"progress": float(state.progress[row])},
        words="\n".join(told),
    )
