"""Plans for the field's viewers: Kei18/mapf-visualizer and MAPF-Competition/PlanViz.

A plan is `int32[T + 1, N]`: the cell (row * width + column) of each robot after each step, row 0 the starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ludarium.envs.core.errors import InstanceError
from ludarium.envs.mapf.maps import GridMap

__all__ = ["mapf_visualizer_text", "planviz"]


def _plan(plan: ArrayLike, grid_map: GridMap) -> NDArray[np.int64]:
    """Return a plan as rows and columns, `int64[T + 1, N, 2]`; check that it steps over free cells."""
    cells = np.asarray(plan, np.int64)
    if cells.ndim != 2 or cells.shape[0] == 0:
        raise InstanceError(f"a plan has shape (steps + 1, robots); got shape {cells.shape}")
    bad = (cells < 0) | (cells >= grid_map.grid.size)
    if not bad.any():
        bad = grid_map.grid.reshape(-1)[cells] != 0
    if bad.any():
        t, robot = np.argwhere(bad)[0].tolist()
        raise InstanceError(f"robot {robot} is in cell {cells[t, robot]} at step {t}: no free cell of the map")
    places = np.stack(np.divmod(cells, grid_map.width), axis=2)
    jumps = np.abs(np.diff(places, axis=0)).sum(2) > 1
    if jumps.any():
        t, robot = np.argwhere(jumps)[0].tolist()
        raise InstanceError(f"robot {robot} jumps from cell {cells[t, robot]} to {cells[t + 1, robot]} at step {t}")
    return places


def mapf_visualizer_text(plan: ArrayLike, grid_map: GridMap) -> str:
    """Return a plan (cells `int[T + 1, N]`) as the text that Kei18/mapf-visualizer shows with the `.map`.

    One line a step: `t:(column,row),(column,row),...`. Raises `InstanceError` for a plan that leaves the free
    cells or jumps.
    """
    places = _plan(plan, grid_map).tolist()
    return "".join(f"{t}:" + "".join(f"({c},{r})," for r, c in step) + "\n" for t, step in enumerate(places))


# PlanViz counts rows upwards in its letters, as the MAPF tracker does: U is a row further down in the file.
_PLANVIZ = {(0, 0): "W", (1, 0): "U", (-1, 0): "D", (0, -1): "L", (0, 1): "R"}


def planviz(plan: ArrayLike, grid_map: GridMap, goals: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Return a plan as the JSON object (model `MAPF`) that MAPF-Competition/PlanViz shows with the `.map`.

    `goals[i]` are the goals of robot i in their order (one for a one-shot problem): each is a task, assigned
    when the one before is finished, finished when the robot first stands on it after that. `sumOfCost` counts
    the steps up to each robot's last move. Raises `InstanceError` for a plan that leaves the free cells or
    jumps.
    """
    places = _plan(plan, grid_map)
    steps, robots = places.shape[0] - 1, places.shape[1]
    if len(goals) != robots:
        raise InstanceError(f"the plan has {robots} robots, but there are goals for {len(goals)}")
    cells = np.asarray(plan, np.int64)
    tasks: list[list[int]] = []
    events: list[list[list[object]]] = []
    for robot in range(robots):
        events.append([])
        since = 0
        for goal in goals[robot]:
            tasks.append([len(tasks), *divmod(int(goal), grid_map.width)])
            events[-1].append([len(tasks) - 1, since, "assigned"])
            arrivals = np.flatnonzero(cells[since:, robot] == goal)
            if arrivals.size == 0:
                break
            since += int(arrivals[0])
            events[-1].append([len(tasks) - 1, since, "finished"])
    moves = np.diff(places, axis=0)
    paths = [",".join(_PLANVIZ[dr, dc] for dr, dc in moves[:, robot].tolist()) for robot in range(robots)]
    stepped = [np.flatnonzero(moves[:, robot].any(1)) for robot in range(robots)]
    last = [int(at[-1]) + 1 if at.size else 0 for at in stepped]
    return {
        "actionModel": "MAPF",
        "AllValid": "Yes",
        "teamSize": robots,
        "start": [[row, column, "N/A"] for row, column in places[0].tolist()],
        "numTaskFinished": sum(event[2] == "finished" for of_robot in events for event in of_robot),
        "sumOfCost": sum(last),
        "makespan": steps,
        "actualPaths": paths,
        "plannerPaths": paths,
        "plannerTimes": [],
        "errors": [],
        "events": events,
        "tasks": tasks,
    }
