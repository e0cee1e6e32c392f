"""PIBT over labelled tasks: fills the rows of a windowed plan that no search has filled yet.

Every PIBT step is free of conflicts from any configuration, so a plan can always be continued. Priority is
the time since an agent's last goal, so that whoever has waited longest goes first; agents without a wish
come last.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.mapf.lns_window import Tasks
from ludarium.agents.mapf.pibt import PibtWork, pibt_step, tie_draws
from ludarium.envs.core.compile import kernel
from ludarium.envs.core.rng import draw

__all__ = ["continue_plan"]

_STREAM = 73
_TIE = np.uint64(40)


@kernel
def _rank(tasks: Tasks, label: NDArray[np.int64], age: NDArray[np.int64], key: np.uint64) -> NDArray[np.int32]:
    """Return the agents by falling priority, equals in an order fixed for the episode."""
    agents = label.shape[0]
    rank = np.empty(agents, np.int64)
    for agent in range(agents):
        tie = int(np.int64(draw(key, _STREAM, 0, agent, 1) >> _TIE))
        urgency = age[agent] + 1 if label[agent] < tasks.legs[agent] else 0
        rank[agent] = -((urgency << 24) + tie)
    return np.argsort(rank, kind="mergesort").astype(np.int32)


@kernel
def continue_plan(
    table: NDArray[np.int32],
    tasks: Tasks,
    plan: NDArray[np.int32],
    first: int,
    waited: NDArray[np.int64],
    key: np.uint64,
    tick: int,
    work: PibtWork,
) -> None:
    """Fill rows `first`.. of `plan` i32[T+1, N] with PIBT, going on from the rows before (at least row 0).

    `waited` i64[N]: steps since each agent's last goal at row 0; `tick`: the episode's step at row 0 (for
    chance).
    """
    rows, agents = plan.shape
    label = np.zeros(agents, np.int64)
    row = np.zeros(agents, np.int32)
    goal = np.zeros(agents, np.int32)
    ties = np.empty(agents, np.uint64)
    age = waited.copy()
    for step in range(1, rows):
        if step >= first:
            for agent in range(agents):
                leg = max(0, min(label[agent], int(tasks.legs[agent]) - 1))
                row[agent], goal[agent] = tasks.rows[agent, leg], tasks.goals[agent, leg]
            tie_draws(key, tick + step, ties)
            plan[step] = -1
            order = _rank(tasks, label, age, key)
            pibt_step(table, tasks.guide, row, plan[step - 1], goal, order, ties, False, work, plan[step])
        for agent in range(agents):
            age[agent] += 1
            if label[agent] < tasks.legs[agent] and plan[step, agent] == tasks.goals[agent, label[agent]]:
                label[agent] += 1
                age[agent] = 0
