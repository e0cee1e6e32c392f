"""Lifelong planning by windowed PIBT and large neighbourhood search, in the manner of WPPL.

Every few steps, the sooner the more robots are delayed, the plan of the next `window` steps is shifted,
completed by PIBT and improved by large neighbourhood search; its first steps are then carried out. The plan
is free of conflicts at every moment, whatever the budget.

Sources: Jiang, Zhang, Veerapaneni, Li, "Scaling Lifelong Multi-Agent Path Finding to More Realistic
Settings" (2024), the winner of the League of Robot Runners 2023; Li et al. 2021 (see `lns_search`); Okumura
et al. 2022 (see `pibt`). What the planner may know of later goals, and what RHCR knew in the published
benchmark: see `lns_rolling`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.mapf.lns_rolling import RollingAgent, RollingPlanner, need
from ludarium.agents.mapf.lns_search import improve
from ludarium.agents.mapf.lns_window import Tasks
from ludarium.envs.mapf.guides import Guides

__all__ = ["LNS", "LnsPlanner"]

_DELAYED = 3  # so many delayed robots bring the next plan a step nearer
_STUCK = 2  # after so many windows without a goal for anybody a plan may begin anew


class LnsPlanner(RollingPlanner):
    """Windowed PIBT + LNS over plain arrays; see `LNS` for the options."""

    def __init__(
        self,
        grid: NDArray[np.uint8],
        agents: int,
        seed: int,
        window: int = 16,
        replan: int = 3,
        iterations: int = 300,
        neighbourhood: int = 6,
        patience: int = 30,
        calm: int = 8,
        guides: Guides | None = None,
    ) -> None:
        """Prepare for one episode."""
        super().__init__(grid, agents, seed, window, replan, guides)
        self.iterations, self.neighbourhood, self.patience = iterations, neighbourhood, patience
        self.calm = calm
        self.owner = np.full((window + 1, grid.size), -1, np.int32)

    def solve(self, tasks: Tasks, plan: NDArray[np.int32], kept: int, t: int, share: float) -> None:
        """Complete the plan by PIBT and improve it."""
        self.complete(tasks, plan, kept, t)
        weight = np.ones(plan.shape[1], np.int64)
        iterations = max(1, int(self.iterations * share))
        _, delayed = improve(
            self.table,
            tasks,
            weight,
            plan,
            self.owner,
            self.scratch,
            self.key,
            t,
            iterations,
            self.neighbourhood,
            self.patience,
            bool(self.waited.min() >= _STUCK * self.window),
        )
        self.due = max(self.replan, self.calm - delayed // _DELAYED)


class LNS(RollingAgent):
    """Windowed PIBT + large neighbourhood search as an agent.

    `window`: steps planned ahead; `calm`: steps carried out of a plan that delays nobody before the next is
    made; `replan`: those of a plan that delays many; `iterations`: neighbourhoods tried a plan;
    `neighbourhood`: the most agents in one; `patience`: neighbourhoods tried in vain, one after another, that
    end the search for a plan (fewer where less delay is left). Larger windows and more patience gain some
    tenths of a percent of throughput for more time: `window=20, calm=3, neighbourhood=8, patience=50`.
    """

    def __init__(
        self,
        window: int = 16,
        replan: int = 3,
        iterations: int = 300,
        neighbourhood: int = 6,
        patience: int = 30,
        calm: int = 8,
    ) -> None:
        self.window, self.replan = need("window", window, 1), need("replan", replan, 1)
        self.iterations = need("iterations", iterations, 0)
        self.neighbourhood = need("neighbourhood", neighbourhood, 1)
        self.patience = need("patience", patience, 1)
        self.calm = need("calm", calm, 1)

    def make(self, grid: NDArray[np.uint8], agents: int, seed: int) -> LnsPlanner:
        """Return the planner for an episode."""
        return LnsPlanner(
            grid, agents, seed, self.window, self.replan, self.iterations, self.neighbourhood, self.patience, self.calm
        )
