"""The reference of path finding: plain, slow Python, the rules written from the specification.

It shares no code with the suite. A cell is (row, column). Only robots on the map (`active`) take part. A
robot whose action leads into an obstacle or off the map wants, for everybody else, to wait. Who moves:

- `soft`: both members of a swap stay. Of those that want one cell the lowest number is the claimant, the
  others stay. A claimant whose cell is held by a robot that stays, stays, and so on back along the chain:
  what is left is the greatest set of claimants that may move together. Following and rotations of three or
  more pass.
- `block_both`: a robot moves iff its cell is empty now and nobody else wants it.
- `priority`: one after another by number; a robot moves iff its cell is empty at that moment.
- `strict`: as `soft`, but if any robot has a fault, nobody moves.

Fault codes. A robot that wants to move has one iff a rule is in its way, any other has 0:

    1 obstacle  its cell is an obstacle or off the map
    2 vertex    it lost a contested cell to another claimant; under block_both: its cell is occupied, or
                wanted by two; under priority: its cell is occupied at that moment
    3 swap      the robot on its cell wants (under priority: still wants, not having moved) its own cell
    4 blocked   its cell's occupant stays (soft and strict only)

3 goes before 2. `compat` follows POGEMA 1.4.0 where it differs: see `_crowd`, `_settle`, `costs`, `_density`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = ["MOVES", "Cell", "Reference", "Step"]

Cell = tuple[int, int]
MOVES: tuple[Cell, ...] = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))
NONE, OBSTACLE, VERTEX, SWAP, BLOCKED = range(5)


class Step(NamedTuple):
    """What one step reports, one item a robot; `truncated` is for all."""

    reward: list[float]
    terminated: list[bool]
    truncated: bool
    fault: list[int]
    executed: list[int]


class Reference:
    """One episode. `goals` holds each robot's goals, taken in turn, unless `next_goal(i, number, cell)`
    gives the later ones."""

    def __init__(
        self,
        grid: Any,
        starts: Sequence[Cell],
        goals: Sequence[Sequence[Cell]],
        next_goal: Callable[[int, int, Cell], Cell] | None = None,
        *,
        collision: str = "soft",
        on_goal: str = "stay",
        radius: int = 5,
        max_steps: int = 64,
        compat: bool = False,
    ) -> None:
        self.grid = np.asarray(grid)
        self.starts = [tuple(cell) for cell in starts]
        self.goals = [[tuple(cell) for cell in own] for own in goals]
        self.next_goal = next_goal
        self.collision, self.on_goal, self.compat = collision, on_goal, compat
        self.radius, self.max_steps = radius, max_steps
        self.n = len(self.starts)
        self.t = 0
        self.over = False
        self.pos: list[Cell] = list(self.starts)
        self.goal: list[Cell] = [own[0] for own in self.goals]
        self.active = [True] * self.n
        self.terminated = [False] * self.n
        self.reached = [0] * self.n
        self.since: list[int | None] = [
            0 if p == g and on_goal == "stay" else None for p, g in zip(self.pos, self.goal, strict=True)
        ]
        self.conflicts = [0] * 5
        self._walls = self._padded_walls()
        self._busy = self._crowd(self.pos)
        self._seen = [self._density()]

    # --- who moves ------------------------------------------------------------------------------------------
    def free(self, cell: Cell) -> bool:
        """Whether a cell is on the map and no obstacle."""
        height, width = self.grid.shape
        return 0 <= cell[0] < height and 0 <= cell[1] < width and not self.grid[cell]

    def resolve(self, actions: Sequence[int]) -> tuple[list[Cell], list[int]]:
        """Where each robot will stand, and its fault."""
        want, fault = list(self.pos), [NONE] * self.n
        for i in range(self.n):
            if self.active[i]:
                (row, column), (down, right) = self.pos[i], MOVES[actions[i]]
                if self.free((row + down, column + right)):
                    want[i] = (row + down, column + right)
                else:
                    fault[i] = OBSTACLE
        rule = {
            "soft": self._soft,
            "strict": self._soft,
            "block_both": self._block_both,
            "priority": self._priority,
        }
        moves = rule[self.collision](want, fault)
        if self.collision == "strict" and any(fault):
            moves = set()
        return [want[i] if i in moves else self.pos[i] for i in range(self.n)], fault

    def _movers(self, want: list[Cell]) -> list[int]:
        return [i for i in range(self.n) if want[i] != self.pos[i]]

    def _holders(self) -> dict[Cell, int]:
        return {self.pos[i]: i for i in range(self.n) if self.active[i]}

    def _soft(self, want: list[Cell], fault: list[int]) -> set[int]:
        holder = self._holders()
        moving: dict[Cell, int] = {}
        for i in self._movers(want):
            other = holder.get(want[i])
            if other is not None and want[other] == self.pos[i]:
                fault[i] = SWAP
            elif want[i] in moving:
                fault[i] = VERTEX
            else:
                moving[want[i]] = i
        claimants = set(moving.values())
        while True:
            blocked = {i for i in claimants if want[i] in holder and holder[want[i]] not in claimants}
            if not blocked:
                return claimants
            claimants -= blocked
            for i in blocked:
                fault[i] = BLOCKED

    def _block_both(self, want: list[Cell], fault: list[int]) -> set[int]:
        holder, movers = self._holders(), self._movers(want)
        for i in movers:
            other = holder.get(want[i])
            if other is not None:
                fault[i] = SWAP if want[other] == self.pos[i] else VERTEX
            elif sum(want[j] == want[i] for j in movers) > 1:
                fault[i] = VERTEX
        return {i for i in movers if not fault[i]}

    def _priority(self, want: list[Cell], fault: list[int]) -> set[int]:
        holder, moved = self._holders(), set()
        for i in self._movers(want):
            other = holder.get(want[i])
            if other is None:
                del holder[self.pos[i]]
                holder[want[i]] = i
                moved.add(i)
            else:
                fault[i] = SWAP if other not in moved and want[other] == self.pos[i] else VERTEX
        return moved

    # --- a step ---------------------------------------------------------------------------------------------
    def step(self, actions: Sequence[int]) -> Step:
        """Advance by one joint action."""
        assert not self.over, "the episode is over"
        after, fault = self.resolve(actions)
        executed = [MOVES.index((b[0] - a[0], b[1] - a[1])) for a, b in zip(self.pos, after, strict=True)]
        moved = [i for i in range(self.n) if self.active[i]]
        before, self.pos = self.pos, after
        self.t += 1
        for code in fault:
            self.conflicts[code] += 1
        reward = self._arrive()
        ended = all(self.terminated)
        truncated = not ended and self.t >= self.max_steps
        self.over = ended or truncated
        self._settle()
        self._busy = self._crowd(before, moved)
        self._seen.append(self._density())
        return Step(reward, list(self.terminated), truncated, fault, executed)

    def _arrive(self) -> list[float]:
        reward = [0.0] * self.n
        there = [self.active[i] and self.pos[i] == self.goal[i] for i in range(self.n)]
        if self.on_goal == "stay":
            if all(there):
                self.terminated = [True] * self.n
                self.reached = [1] * self.n
                return [1.0] * self.n
            return reward
        for i in range(self.n):
            if there[i]:
                reward[i] = 1.0
                self.reached[i] += 1
                if self.on_goal == "vanish":
                    self.active[i], self.terminated[i], self.since[i] = False, True, self.t
                elif self.next_goal is not None:
                    self.goal[i] = tuple(self.next_goal(i, self.reached[i], self.pos[i]))
                else:
                    self.goal[i] = self.goals[i][self.reached[i] % len(self.goals[i])]
        return reward

    def _settle(self) -> None:
        """Keep since when each robot has been standing on its goal; POGEMA looks no more on the last step."""
        if self.on_goal != "stay":
            return
        for i in range(self.n):
            if self.pos[i] != self.goal[i]:
                if not (self.compat and self.over):
                    self.since[i] = None
            elif self.since[i] is None:
                self.since[i] = self.t

    # --- what robots see ------------------------------------------------------------------------------------
    def _padded_walls(self) -> np.ndarray:
        r = self.radius
        height, width = self.grid.shape
        walls = np.zeros((height + 2 * r, width + 2 * r), np.float32)
        walls[r - 1 : height + r + 1, r - 1 : width + r + 1] = 1
        walls[r : height + r, r : width + r] = self.grid
        return walls

    def _crowd(self, before: list[Cell], moved: list[int] | None = None) -> np.ndarray:
        """The padded agents channel: 1 where a robot stands. Robots that leave the map do so after the moves.

        POGEMA under `soft` clears the old cell and sets the new one robot by robot, so a robot that
        followed one of a higher number into its cell is cleared again.
        """
        busy, r = np.zeros_like(self._walls), self.radius
        if moved is not None and self.compat and self.collision == "soft":
            for i in moved:
                busy[before[i][0] + r, before[i][1] + r] = 0
                busy[self.pos[i][0] + r, self.pos[i][1] + r] = 1
            for i in moved:
                if not self.active[i]:
                    busy[self.pos[i][0] + r, self.pos[i][1] + r] = 0
            return busy
        for i in range(self.n):
            if self.active[i]:
                busy[self.pos[i][0] + r, self.pos[i][1] + r] = 1
        return busy

    def _window(self, padded: np.ndarray, i: int) -> np.ndarray:
        row, column = self.pos[i]
        return padded[row : row + 2 * self.radius + 1, column : column + 2 * self.radius + 1]

    def observe(self, i: int) -> np.ndarray:
        """float32[3, 2r + 1, 2r + 1]: obstacles, robots, and the goal, each axis clipped to the window."""
        r = self.radius
        seen = np.zeros((3, 2 * r + 1, 2 * r + 1), np.float32)
        seen[0], seen[1] = self._window(self._walls, i), self._window(self._busy, i)
        down, right = (min(max(g - p, -r), r) for g, p in zip(self.goal[i], self.pos[i], strict=True))
        seen[2, r + down, r + right] = 1
        return seen

    def observe_pomapf(self, i: int) -> dict[str, np.ndarray]:
        """The first two channels, and position and goal relative to the robot's start."""
        origin = np.array(self.starts[i])
        return {
            "obstacles": self._window(self._walls, i),
            "agents": self._window(self._busy, i),
            "xy": np.array(self.pos[i]) - origin,
            "target_xy": np.array(self.goal[i]) - origin,
        }

    def observe_mapf(self, i: int) -> dict[str, np.ndarray]:
        """The same, the whole padded map, and position and goal on it."""
        return self.observe_pomapf(i) | {
            "global_obstacles": self._walls,
            "global_xy": np.array(self.pos[i]) + self.radius,
            "global_target_xy": np.array(self.goal[i]) + self.radius,
        }

    # --- figures --------------------------------------------------------------------------------------------
    def _density(self) -> float:
        """The mean over robots of robots seen / free cells seen; robots off the map count under compat."""
        shares = [
            float(self._window(self._busy, i).sum()) / float((1 - self._window(self._walls, i)).sum())
            for i in range(self.n)
            if self.active[i] or self.compat
        ]
        return float(np.mean(shares)) if shares else 0.0

    def costs(self) -> list[int]:
        """The step at which each robot's stay on its goal began, the episode's length for the others.

        POGEMA counts 1 for a robot that never leaves a start that is its goal.
        """
        known = [self.t if since is None else since for since in self.since]
        return [max(cost, 1) if self.compat else cost for cost in known]

    def metrics(self) -> dict[str, float]:
        """The figures of the episode so far, under the field's names."""
        figures: dict[str, float] = {"density": float(np.mean(self._seen))}
        for code, name in ((1, "obstacle"), (2, "vertex"), (3, "swap"), (4, "blocked")):
            figures[f"conflicts_{name}"] = self.conflicts[code]
        if self.on_goal == "restart":
            return figures | {
                "goals_reached": sum(self.reached),
                "throughput": sum(self.reached) / max(self.t, 1),
            }
        there = [
            not a if self.on_goal == "vanish" else p == g
            for a, p, g in zip(self.active, self.pos, self.goal, strict=True)
        ]
        cost = self.costs()
        return figures | {
            "csr": float(all(there)),
            "isr": sum(there) / self.n,
            "sum_of_costs": sum(cost),
            "makespan": max(cost),
            "ep_length": sum(cost) / self.n if self.on_goal == "vanish" else self.t,
        }
