"""The picture of path finding: the map, goals as diamonds, robots as numbered discs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ludarium.envs.core.scene import Scene, Sprites, Tiles
from ludarium.envs.mapf.dynamics import State

if TYPE_CHECKING:
    from ludarium.envs.mapf.simulator import Mapf

__all__ = ["scene"]


def scene(simulator: Mapf, state: State, row: int) -> Scene:
    """Shapes of one row of a state."""
    height, width = (int(n) for n in state.size[row])
    pad = simulator.scalars.pad
    grid = np.ascontiguousarray(state.walls[row, pad : pad + height, pad : pad + width])
    active, steps = state.active[row], int(state.t[row])
    position = state.pos[row, :, 0] * width + state.pos[row, :, 1]
    goal = state.goal[row, :, 0] * width + state.goal[row, :, 1]
    if simulator.lifelong:
        values = {
            "throughput": float(state.reached[row].sum()) / max(steps, 1),
            "goals": float(state.reached[row].sum()),
        }
    else:
        done = state.on_goal[row] | ~active
        values = {"at goal": float(done.mean())}
    values["conflicts"] = float(state.conflicts[row].sum())
    arrived = state.on_goal[row].astype(np.int64)
    return Scene(
        width,
        height,
        background=(Tiles(grid, ("floor", "wall")),),
        shapes=(
            Sprites.at_cells(
                "goal", goal, width, shown=active, form="diamond", styles=("goal",), of="robot", glide=False
            ),
            Sprites.at_cells("robot", position, width, shown=active, styles=("robot", "robot.arrived"), which=arrived),
        ),
        caption=f"Step {steps} of {simulator.config.max_steps}",
        values=values,
    )
