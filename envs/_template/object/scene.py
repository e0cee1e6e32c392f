"""The picture of the guessing game: a scale with the last guesses on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ludarium.envs._template.object.dynamics import Game, read_number
from ludarium.envs.core.scene import Circle, Label, Rect, Scene, Shape

if TYPE_CHECKING:
    from ludarium.envs._template.object.simulator import TemplateObject

__all__ = ["scene"]

_WIDTH = 20.0
_STYLES = {"higher": "accent.1", "lower": "accent.2", "right": "good"}


def scene(simulator: TemplateObject, game: Game, steps: int) -> Scene:
    """The scale from 1 to `high`, and each guess on it, the last one largest."""
    span = max(game.high - 1, 1)
    shapes: list[Shape] = []
    for age, entry in enumerate(reversed(game.log)):
        number = read_number(entry.text)
        if entry.answer in _STYLES and number is not None:
            x = 1 + (_WIDTH - 2) * (number - 1) / span
            shapes.insert(
                0, Circle(x, 2, 0.5 if age == 0 else 0.3, _STYLES[entry.answer], title=f"{number}: {entry.answer}")
            )
    low, high = Label(1, 3.4, "1"), Label(_WIDTH - 1, 3.4, str(game.high))
    return Scene(
        _WIDTH,
        4,
        background=(Rect(1, 1.9, _WIDTH - 2, 0.2, "grid"), low, high),
        shapes=tuple(shapes),
        caption=f"Step {steps} of {simulator.config.max_steps}",
        values={"guesses": float(len(game.log))},
    )
