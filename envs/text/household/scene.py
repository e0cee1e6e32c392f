"""The picture of a household: receptacles as boxes with what robots have seen in them, robots where they are."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from ludarium.envs.core.scene import Label, Rect, Scene, Shape, Sprites
from ludarium.envs.text.household import dynamics as d
from ludarium.envs.text.household.dynamics import State
from ludarium.envs.text.household.language import Words, members, speech

if TYPE_CHECKING:
    from ludarium.envs.text.household.simulator import Household

__all__ = ["scene"]

_WIDE, _HIGH, _COLUMNS, _LINES = 7.0, 3.6, 4, 4
_UNSEEN, _SHUT, _INSIDE = "", "closed", "open"


def scene(simulator: Household, state: State, row: int) -> Scene:
    """Shapes of one row of a state: what lies in a receptacle is shown once a robot has looked, and while it is open."""
    words = simulator.words(state, row)
    columns = min(_COLUMNS, len(words.receptacles))
    width = columns * _WIDE
    tasks = _tasks(simulator, words, width)
    top = 0.5 + 0.9 * len(tasks)
    below = top + -(-len(words.receptacles) // columns) * _HIGH
    boxes: list[Shape] = [Label(0.3, 0.9 + 0.9 * n, line, 0.6, "start", id=f"task-{n}") for n, line in enumerate(tasks)]
    shapes: list[Shape] = []
    told = list(tasks)
    corner: dict[int, tuple[float, float]] = {}
    for r, name in enumerate(words.receptacles):
        x, y = r % columns * _WIDE, top + r // columns * _HIGH
        corner.setdefault(words.house.receptacles[r].location, (x, y))
        how = _known(simulator, state, row, r)
        inside = [words.objects[o] for o in members(state.content[row, r])] if how == _INSIDE else []
        boxes.append(Rect(x + 0.1, y + 0.1, _WIDE - 0.2, _HIGH - 0.2, "floor", f"receptacle-{r}", title=name))
        shapes += _box(x, y, r, name, how, inside)
        told.append(f"{name}: {', '.join(inside) or 'nothing' if how == _INSIDE else how or 'not looked at yet'}")
    lines = _lines(simulator, words, state, row)
    places = [corner.get(int(at), (width / 2 - _WIDE / 2, below - 0.5)) for at in state.loc[row]]
    xs = np.array([x + _WIDE - 0.7 - 0.8 * k for k, (x, _) in enumerate(places)])
    shapes.append(Sprites("robot", xs, np.array([y + 0.8 for _, y in places])))
    shapes += [Label(0.3, below + 1.5 + 0.7 * n, line, 0.5, "start", id=f"line-{n}") for n, line in enumerate(lines)]
    return Scene(
        width,
        below + 1.2 + 0.7 * len(simulator.seats),
        background=tuple(boxes),
        shapes=tuple(shapes),
        caption=f"Step {int(state.t[row])} of {simulator.config.max_steps}: {'; '.join(lines)}",
        values={"progress": float(state.progress[row])},
        words="\n".join(told),
    )


def _tasks(simulator: Household, words: Words, width: float) -> list[str]:
    """The task, or each robot's own, in lines that fit."""
    tasks = [words.task]
    if words.house.sentences:
        tasks = [f"{seat}: {sentence}" for seat, sentence in zip(simulator.seats, words.house.sentences, strict=True)]
    return [line for task in tasks for line in textwrap.wrap(task, int(width / 0.4))]


def _known(simulator: Household, state: State, row: int, r: int) -> str:
    """What robots know of a receptacle: nothing, that it is closed, or what is in it."""
    c = simulator.scalars
    if not state.seen[row, :, c.known + c.receptacles + r].any():
        return _UNSEEN
    return _SHUT if state.openable[row, r] and not state.opened[row, r] else _INSIDE


def _box(x: float, y: float, r: int, name: str, how: str, inside: list[str]) -> list[Shape]:
    """The name of a receptacle and, in two columns, the first things in it and how many more."""
    style = "text" if how == _INSIDE else "text.muted"
    title = {_UNSEEN: f"{name} ?", _SHUT: f"{name} (closed)", _INSIDE: name}[how]
    shapes: list[Shape] = [Label(x + 0.4, y + 0.75, title, 0.5, "start", style, f"name-{r}")]
    if len(inside) > 2 * _LINES:
        inside = [*inside[: 2 * _LINES - 1], f"and {len(inside) - 2 * _LINES + 1} more"]
    for n, text in enumerate(inside):
        column, line = divmod(n, _LINES)
        at = x + 0.5 + 3.2 * column, y + 1.35 + 0.55 * line
        shapes.append(Label(*at, text, 0.4, "start", id=f"in-{r}-{n}"))
    return shapes


def _lines(simulator: Household, words: Words, state: State, row: int) -> list[str]:
    """What each robot holds, and what it says."""
    lines = []
    for k, seat in enumerate(simulator.seats):
        o = int(state.hold[row, k])
        lines.append(f"{seat} holds {words.objects[o] if o >= 0 else 'nothing'}")
        if state.verb[row, k] >= d.SAY_PLACE:
            lines[-1] += f' and says: "{speech(words, state, row, k)}"'
        lines[-1] = textwrap.shorten(lines[-1], 84, placeholder=" ...")  # the width of four boxes
    return lines
