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
def _list(
    goal: NDArray[np.int32],
    upcoming: NDArray[np.int32],
    asked: NDArray[np.int32],
    cells: NDArray[np.int32],
) -> int:
    """Write the first `asked[i]` goals of every agent to `cells`, one agent after another; return how many.

    At least one each, and as many as there are at most.
    """
    total, most = 0, cells.shape[0] // max(1, goal.shape[0])
    for agent in range(goal.shape[0]):
        asked[agent] = max(1, min(int(asked[agent]), most))
        for leg in range(asked[agent]):
            cell = int(goal[agent]) if leg == 0 else int(upcoming[agent, leg - 1])
            if cell < 0:
                asked[agent] = leg
                break
            cells[total] = cell
            total += 1
    return total


@kernel
def _take_legs(
    guide: NDArray[np.int32],
    found: NDArray[np.int32],
    cells: NDArray[np.int32],
    pos: NDArray[np.int32],
    upcoming: NDArray[np.int32],
    window: int,
    remaining: int,
    asked: NDArray[np.int32],
    goals: NDArray[np.int32],
    rows: NDArray[np.int32],
    count: NDArray[np.int32],
) -> bool:
    """Give every agent those of its listed goals that it needs; raise `asked` where the list was too short.

    Return whether some list was.
    """
    short, k = False, 0
    for agent in range(pos.shape[0]):
        here, spent, done = int(pos[agent]), 0, 0
        for leg in range(asked[agent]):
            if spent <= window and done == leg:
                distance = int(guide[found[k + leg], here])
                spent += max(1, distance)
                if distance < UNREACHABLE and spent <= remaining:
                    here = int(cells[k + leg])
                    goals[agent, leg], rows[agent, leg] = here, found[k + leg]
                    done = leg + 1
        k += int(asked[agent])
        count[agent] = done
        if spent <= window and 0 < done == asked[agent] < goals.shape[1] and upcoming[agent, done - 1] >= 0:
            asked[agent] += 1
            short = True
    return short


def gather_tasks(
    guides: Guides,
    pos: NDArray[np.int32],
    goal: NDArray[np.int32],
    upcoming: NDArray[np.int32],
    window: int,
    remaining: int,
    guess: NDArray[np.int32] | None = None,
) -> Tasks:
    """Return the legs that `window` steps can need: goals until the way through them is longer.

    `pos`, `goal` i32[N]; `upcoming` i32[N, K], -1 where there is none. A goal that cannot be reached, or
    not within the `remaining` steps of the episode even without other agents, is no leg: its agent keeps
    out of the others' way. `guess` i32[N]: how many legs each may need, which saves time and changes nothing.
    """
    agents, most = len(pos), min(upcoming.shape[1] + 1, window + 1)
    pos, goal = np.ascontiguousarray(pos, np.int32), np.ascontiguousarray(goal, np.int32)
    upcoming = np.ascontiguousarray(upcoming, np.int32)
    asked = np.ones(agents, np.int32) if guess is None else np.array(guess, np.int32)
    goals, rows = np.empty((agents, most), np.int32), np.zeros((agents, most), np.int32)
    goals.fill(-1)
    count, cells = np.empty(agents, np.int32), np.empty(agents * most, np.int32)
    short = True
    while short:
        total = _list(goal, upcoming, asked, cells)
        guide, found = guides.table(cells[:total])
        short = _take_legs(guide, found, cells, pos, upcoming, window, remaining, asked, goals, rows, count)
    legs = max(1, int(count.max(initial=0)))
    goals, rows = goals[:, :legs].copy(), rows[:, :legs].copy()
    if not count.all():  # for one without a wish, the map to where it stands, so that it goes back there
        wish = goals >= 0
        wish[:, 0] = True
        guide, rows[wish] = guides.table(np.where(goals >= 0, goals, pos[:, None])[wish])
    return make_tasks(guide, rows, goals, count)


@kernel
def _watch(
    planned: NDArray[np.int32],
    pos: NDArray[np.int32],
    goal: NDArray[np.int32],
    last: NDArray[np.int32],
    known: NDArray[np.int32],
    waited: NDArray[np.int64],
) -> tuple[bool, bool]:
    """Whether all agents are where `planned` says, and whether all goals were `known`; count the waiting.

    `last` i32[N]: the goals of the step before (-1: none); `waited` i64[N]: steps since the last goal.
    """
    followed, foreseen = True, True
    for agent in range(pos.shape[0]):
        waited[agent] += 1
        if last[agent] < 0 or pos[agent] == last[agent]:
            waited[agent] = 0
        last[agent] = goal[agent]
        followed = followed and planned[agent] == pos[agent]
        seen = False
        for k in range(known.shape[1]):
            seen = seen or known[agent, k] == goal[agent]
        foreseen = foreseen and seen
    return followed, foreseen


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
        self.due = replan
        self.waited = np.zeros(agents, np.int64)
        self.goal = np.full(agents, -1, np.int32)
        self.known = np.full((agents, 1), -1, np.int32)
        self.scratch: Scratch = make_scratch(window, 1)
        self._legs = 1
        self._guess = np.ones(agents, np.int32)

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
        self._guess = self._guess[columns]

    def step(
        self,
        pos: NDArray[np.int32],
        goal: NDArray[np.int32],
        upcoming: NDArray[np.int32],
        t: int,
        max_steps: int,
    ) -> NDArray[np.int32]:
        """Return the next cells i32[N]. Arguments as in `PlannerView`."""
        followed, foreseen = _watch(self.plan[self.at], pos, goal, self.goal, self.known, self.waited)
        followed = followed and self.at < len(self.plan) - 1
        if not followed or not foreseen or self.at >= self.due:
            share = min(1.0, self.at / self.replan) if followed else 1.0
            self._replan(pos, goal, upcoming, t, max_steps - t, followed, share)
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
        tasks = gather_tasks(self.guides, pos, goal, upcoming, window, max(1, remaining), self._guess)
        self._guess = tasks.legs
        if tasks.goals.shape[1] > self._legs:
            self._legs = tasks.goals.shape[1]
            self.scratch = make_scratch(self.window, self._legs)
        plan = np.empty((window + 1, len(pos)), np.int32)
        plan[0] = pos
        kept = 1
        if followed:
            kept = min(len(self.plan) - self.at, window + 1)
            plan[:kept] = self.plan[self.at : self.at + kept]
        self.due = self.replan
        self.solve(tasks, plan, kept, t, share)
        self.plan, self.at = plan, 0
        self.known = tasks.goals if tasks.legs.all() else np.column_stack([goal, tasks.goals]).astype(np.int32)


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
        planner = self._planner
        if len(self._ids) == len(view.pos) and view.active.all():
            return self._actions(planner, view, view.pos, view.goal, view.upcoming)
        staying = np.flatnonzero(view.active[self._ids])
        if len(staying) < len(self._ids):
            self._ids = self._ids[staying]
            planner.keep(staying)
        ids = self._ids
        actions = np.zeros(len(view.pos), np.int64)
        if len(ids):
            actions[ids] = self._actions(planner, view, view.pos[ids], view.goal[ids], view.upcoming[ids])
        return actions

    @staticmethod
    def _actions(
        planner: RollingPlanner,
        view: PlannerView,
        pos: NDArray[np.int32],
        goal: NDArray[np.int32],
        upcoming: NDArray[np.int32],
    ) -> NDArray[np.int64]:
        """Return the actions of the robots on the map."""
        pos, goal = np.ascontiguousarray(pos, np.int32), np.ascontiguousarray(goal, np.int32)
        found = np.empty(len(pos), np.int64)
        after = planner.step(pos, goal, upcoming, view.t, view.max_steps)
        actions_between(planner.table, pos, after, found)
        return found


def need(name: str, value: int, least: int) -> int:
    """Return an option, or raise `ConfigError` if it is below its least value."""
    if int(value) < least:
        raise ConfigError(f"{name} is {value}; give {least} or more")
    return int(value)
