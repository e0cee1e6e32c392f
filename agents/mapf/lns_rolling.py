"""What planners with a rolling horizon share: the goals of a window, when to plan again, the agent's shell.

On what such a planner may know. Where the track's information is "full" it sees goals beyond the present
one and plans through them. RHCR in the published POGEMA benchmark did so too: its wrapper takes every
agent's whole goal sequence from the first observation, and each window appends goals until their Manhattan
length exceeds the h steps to be carried out. Without later goals an agent that reaches its goal inside a
window only keeps out of the way until the next plan, which then comes at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.mapf.lns_tail import continue_plan
from ludarium.agents.mapf.lns_window import Scratch, Tasks, make_scratch, make_tasks
from ludarium.agents.mapf.pibt import actions_between, pibt_work
from ludarium.agents.mapf.planner import Planner, PlannerView
from ludarium.envs.core.compile import kernel
from ludarium.envs.core.errors import ConfigError
from ludarium.envs.core.rng import episode_key
from ludarium.envs.mapf.grid import UNREACHABLE
from ludarium.envs.mapf.guides import Guides

__all__ = ["RollingAgent", "RollingPlanner", "gather_tasks"]


@kernel
def _take_leg(
    guide: NDArray[np.int32],
    rows: NDArray[np.int32],
    leg: int,
    window: int,
    remaining: int,
    target: NDArray[np.int32],
    here: NDArray[np.int32],
    spent: NDArray[np.int64],
    goals: NDArray[np.int32],
    count: NDArray[np.int32],
) -> int:
    """Give every agent with `target[i] >= 0` its next goal, if it can be reached in time.

    Return how many need another one after it; those that need none have `spent` more than the window.
    """
    wanting, k = 0, 0
    for agent in range(target.shape[0]):
        if target[agent] < 0:
            continue
        distance = int(guide[rows[k], here[agent]])
        k += 1
        spent[agent] += max(1, distance)
        if distance >= UNREACHABLE or spent[agent] > remaining:
            spent[agent] = UNREACHABLE
            continue
        goals[agent, leg] = target[agent]
        count[agent] = leg + 1
        here[agent] = target[agent]
        if spent[agent] <= window:
            wanting += 1
    return wanting


def gather_tasks(
    guides: Guides,
    pos: NDArray[np.int32],
    goal: NDArray[np.int32],
    upcoming: NDArray[np.int32],
    window: int,
    remaining: int,
) -> Tasks:
    """Return the legs that `window` steps can need: goals until the way through them is longer.

    `pos`, `goal` i32[N]; `upcoming` i32[N, K], -1 where there is none. A goal that cannot be reached, or
    not within the `remaining` steps of the episode even without other agents, is no leg: its agent keeps
    out of the others' way.
    """
    agents, most = len(pos), min(upcoming.shape[1] + 1, window + 1)
    goals = np.full((agents, most), -1, np.int32)
    count = np.zeros(agents, np.int32)
    spent = np.zeros(agents, np.int64)
    here = np.array(pos, np.int32)
    for leg in range(most):
        target = np.array(goal if leg == 0 else upcoming[:, leg - 1], np.int32)
        target[(spent > window) | (count < leg)] = -1
        asked = target[target >= 0]
        if len(asked) == 0:
            break
        guide, found = guides.table(asked)
        if not _take_leg(guide, found, leg, window, remaining, target, here, spent, goals, count):
            break
    goals = np.ascontiguousarray(goals[:, : max(1, int(count.max(initial=0)))])
    wish = goals >= 0
    wish[:, 0] = True  # without a wish: the map to where the agent stands, so that it goes back there
    cells = np.where(goals >= 0, goals, np.asarray(pos, np.int32)[:, None])[wish]
    rows = np.zeros(goals.shape, np.int32)
    guide, rows[wish] = guides.table(cells)
    return make_tasks(guide, rows, goals, count)


class RollingPlanner:
    """A plan of `window` steps over plain arrays, made again after `replan` of them.

    Subclasses give `solve`. Call `step` once every time step, with the agents that are on the map.
    """

    def __init__(
        self, grid: NDArray[np.uint8], agents: int, seed: int, window: int, replan: int, guides: Guides | None
    ):
        """Prepare for one episode of `agents` agents on `grid` u8[H, W]."""
        self.width, self.window, self.replan = grid.shape[1], window, replan
        self.guides = guides if guides is not None else Guides(grid)
        self.table = self.guides.neighbours
        self.key = np.uint64(episode_key(seed))  # compiled, it returns a Python int, which a second call may not take
        self.work = pibt_work(grid.size, agents)
        self.plan = np.zeros((1, agents), np.int32)
        self.at = 0
        self.waited = np.zeros(agents, np.int64)
        self.goal = np.full(agents, -1, np.int32)
        self.known = np.full((agents, 1), -1, np.int32)
        self.scratch: Scratch = make_scratch(window, 1)
        self._legs = 1

    def solve(self, tasks: Tasks, plan: NDArray[np.int32], kept: int, t: int, share: float) -> None:
        """Fill `plan` i32[T+1, N], whose first `kept` rows hold what is left of the last plan.

        `share` of a whole budget is due: less than 1 when the last plan was made a short time ago.
        """
        raise NotImplementedError(f"{type(self).__name__} must define solve")

    def complete(self, tasks: Tasks, plan: NDArray[np.int32], kept: int, t: int) -> None:
        """Fill the rows of `plan` from `kept` on with PIBT."""
        continue_plan(self.table, tasks, plan, kept, self.waited, self.key, t, self.work)

    def keep(self, columns: NDArray[np.int64]) -> None:
        """Go on with some of the agents only (the others left the map)."""
        self.plan = np.ascontiguousarray(self.plan[:, columns])
        self.waited, self.goal, self.known = self.waited[columns], self.goal[columns], self.known[columns]

    def step(
        self,
        pos: NDArray[np.int32],
        goal: NDArray[np.int32],
        upcoming: NDArray[np.int32],
        t: int,
        max_steps: int,
    ) -> NDArray[np.int32]:
        """Return the next cells i32[N]. Arguments as in `PlannerView`."""
        self.waited += 1
        self.waited[(pos == self.goal) | (self.goal < 0)] = 0
        followed = self.at < len(self.plan) - 1 and np.array_equal(self.plan[self.at], pos)
        surprised = not (self.known == goal[:, None]).any(axis=1).all()
        if not followed or surprised or self.at >= self.replan:
            share = min(1.0, self.at / self.replan) if followed else 1.0
            self._replan(pos, goal, upcoming, t, max_steps - t, followed, share)
        self.goal = np.array(goal, np.int32)
        self.at += 1
        return self.plan[self.at]

    def _replan(
        self,
        pos: NDArray[np.int32],
        goal: NDArray[np.int32],
        upcoming: NDArray[np.int32],
        t: int,
        remaining: int,
        followed: bool,
        share: float,
    ) -> None:
        window = max(1, min(self.window, remaining))
        tasks = gather_tasks(self.guides, pos, goal, upcoming, window, max(1, remaining))
        if tasks.goals.shape[1] > self._legs:
            self._legs = tasks.goals.shape[1]
            self.scratch = make_scratch(self.window, self._legs)
        plan = np.empty((window + 1, len(pos)), np.int32)
        plan[0] = pos
        kept = 1
        if followed:
            kept = min(len(self.plan) - self.at, window + 1)
            plan[:kept] = self.plan[self.at : self.at + kept]
        self.solve(tasks, plan, kept, t, share)
        self.plan, self.at = plan, 0
        self.known = np.concatenate([np.asarray(goal, np.int32)[:, None], tasks.goals], axis=1)


class RollingAgent(Planner):
    """The shell that makes a `RollingPlanner` an agent; subclasses give `make`."""

    view = "state"
    information = "full"

    def make(self, grid: NDArray[np.uint8], agents: int, seed: int) -> RollingPlanner:
        """Return the planner for an episode."""
        raise NotImplementedError(f"{type(self).__name__} must define make")

    def begin(self, view: PlannerView, seed: int) -> None:
        """Prepare for an episode."""
        self._grid = np.ascontiguousarray(view.grid, np.uint8)
        self._ids = np.flatnonzero(view.active)
        self._planner = self.make(self._grid, len(self._ids), seed)

    def decide(self, view: PlannerView) -> NDArray[np.int64]:
        """Return one action for every robot; robots that left the map wait."""
        staying = np.flatnonzero(view.active[self._ids])
        if len(staying) < len(self._ids):
            self._ids = self._ids[staying]
            self._planner.keep(staying)
        ids, planner = self._ids, self._planner
        actions = np.zeros(len(view.pos), np.int64)
        if len(ids):
            pos = np.ascontiguousarray(view.pos[ids], np.int32)
            after = planner.step(pos, view.goal[ids], view.upcoming[ids], view.t, view.max_steps)
            found = np.empty(len(ids), np.int64)
            actions_between(planner.table, pos, after, found)
            actions[ids] = found
        return actions


def need(name: str, value: int, least: int) -> int:
    """Return an option, or raise `ConfigError` if it is below its least value."""
    if int(value) < least:
        raise ConfigError(f"{name} is {value}; give {least} or more")
    return int(value)
