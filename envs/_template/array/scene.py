"""The picture of the aisle: one row of cells, crates as squares, workers as numbered discs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ludarium.envs._template.array.dynamics import State
from ludarium.envs.core.scene import Scene, Sprites, Tiles

if TYPE_CHECKING:
    from ludarium.envs._template.array.simulator import TemplateArray

__all__ = ["scene"]


def scene(simulator: TemplateArray, state: State, row: int) -> Scene:
    """Shapes of one row of a state: crates above, workers below."""
    length = simulator.config.length
    crates = np.arange(length)
    ordered = (crates == state.order[row]).astype(np.int64)
    fetched = int(state.fetched[row].sum())
    return Scene(
        length,
        2,
        background=(Tiles(np.zeros((2, length), np.uint8), ("floor", "wall")),),
        shapes=(
            Sprites.at_cells(
                "crate", crates, length, shown=state.crate[row] != 0, form="square",
                styles=("item", "focus"), which=ordered, number=np.full(length, -1), glide=False,
            ),
            Sprites.at_cells("worker", length + state.place[row].astype(np.int64), length),
        ),
        caption=f"Step {int(state.t[row])} of {simulator.config.max_steps}: {fetched} crates fetched",
        values={"fetched": float(fetched)},
    )  # fmt: skip
