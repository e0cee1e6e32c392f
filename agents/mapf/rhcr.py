"""Rolling-horizon collision resolution (RHCR): a windowed solver called again every few steps.

Li, Tinka, Kiesel, Durham, Kumar, Koenig, "Lifelong Multi-Agent Path Finding in Large-Scale Warehouses" (2021),
written from the paper. Every `replan` = h steps it solves a windowed problem in which collisions count only in
the first `window` = w >= h steps, by priority-based search over safe-interval path planning; each agent is given
enough goals for the window (what it may know of them, and what RHCR knew in the published POGEMA benchmark:
see `lns_rolling`). Where no solution is found within the budget of nodes, the rest of the last plan is
carried out, continued by PIBT: every step stays free of conflicts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.mapf.lns_rolling import RollingAgent, RollingPlanner, need
from ludarium.agents.mapf.lns_window import Tasks
from ludarium.agents.mapf.rhcr_pbs import prioritise
from ludarium.agents.mapf.rhcr_sipp import LONGEST_WINDOW, Sipp, make_sipp
from ludarium.envs.core.errors import ConfigError
from ludarium.envs.mapf.guides import Guides

__all__ = ["RHCR", "RhcrPlanner"]


class RhcrPlanner(RollingPlanner):
    """RHCR over plain arrays; see `RHCR` for the options. `solved` and `missed` count its plans."""

    def __init__(
        self,
        grid: NDArray[np.uint8],
        agents: int,
        seed: int,
        window: int = 10,
        replan: int = 5,
        nodes: int = 1000,
        guides: Guides | None = None,
    ) -> None:
        """Prepare for one episode."""
        super().__init__(grid, agents, seed, window, replan, guides)
        self.nodes = nodes
        self.solved = self.missed = 0
        self._sipp: Sipp = make_sipp(grid.size, window, 1)
        self._owner = np.full((2, grid.size), -1, np.int32)
        self._most = 1

    def solve(self, tasks: Tasks, plan: NDArray[np.int32], kept: int, t: int, share: float) -> None:
        """Solve the window by priority-based search, or fall back on the last plan and PIBT."""
        legs = tasks.goals.shape[1]
        if legs > self._most:
            self._most = legs
            self._sipp = make_sipp(self.table.shape[0], self.window, legs)
        fresh = np.repeat(plan[:1], len(plan), axis=0)
        if prioritise(self.table, self.width, tasks, fresh, self.nodes, self._sipp, self._owner) > 0:
            plan[:] = fresh
            self.solved += 1
        else:
            self.complete(tasks, plan, kept, t)
            self.missed += 1


class RHCR(RollingAgent):
    """RHCR as an agent: `window` steps free of collisions, planned every `replan` steps, `nodes` a search."""

    def __init__(self, window: int = 10, replan: int = 5, nodes: int = 1000) -> None:
        self.window, self.replan = need("window", window, 1), need("replan", replan, 1)
        self.nodes = need("nodes", nodes, 1)
        if window > LONGEST_WINDOW:
            raise ConfigError(f"window is {window}; give at most {LONGEST_WINDOW}")
        if replan > window:
            raise ConfigError(f"replan is {replan}, more than the window of {window} steps; give at most that")

    def make(self, grid: NDArray[np.uint8], agents: int, seed: int) -> RhcrPlanner:
        """Return the planner for an episode."""
        return RhcrPlanner(grid, agents, seed, self.window, self.replan, self.nodes)
