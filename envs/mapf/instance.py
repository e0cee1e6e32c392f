"""An instance of path finding as a named, hashed datum: a map with starts and goals."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.errors import InstanceError
from ludarium.envs.mapf.grid import components, neighbours

__all__ = ["Instance"]

Cell = tuple[int, int]


@dataclasses.dataclass(frozen=True, eq=False)
class Instance:
    """A map, a start for each robot, and its goals, taken in turn (cells are (row, column))."""

    grid: NDArray[np.uint8]
    starts: tuple[Cell, ...]
    goals: tuple[tuple[Cell, ...], ...]
    name: str = ""

    @classmethod
    def of(cls, grid: Any, starts: Any, goals: Any, name: str = "") -> Instance:
        """Make an instance from any sequences; `goals` holds a cell, or a sequence of cells, for each robot."""
        try:
            first = tuple((int(row), int(column)) for row, column in starts)
            listed = tuple(_cells(goal) for goal in goals)
        except (TypeError, ValueError) as error:
            raise InstanceError(
                f"starts and goals are (row, column) pairs, or goals sequences of them: {error}"
            ) from error
        array = np.ascontiguousarray(grid, np.uint8)
        if array.ndim != 2 or array.size == 0 or array.max(initial=0) > 1:
            raise InstanceError(f"a map is a grid [H, W] of 0 and 1; got shape {array.shape}")
        return cls(array, first, listed, name)

    @property
    def hash(self) -> str:
        """A BLAKE2b digest (32 hex digits) of map, starts and goals."""
        h = hashlib.blake2b(digest_size=16)
        h.update(np.array(self.grid.shape, "<i4").tobytes() + self.grid.tobytes())
        h.update(np.array(self.starts, "<i4").tobytes())
        for goals in self.goals:
            h.update(np.array([len(goals)], "<i4").tobytes() + np.array(goals, "<i4").tobytes())
        return h.hexdigest()

    def as_data(self) -> dict[str, Any]:
        """Plain JSON values; `from_data` is the inverse."""
        rows = ["".join(".#"[cell] for cell in row) for row in self.grid]
        return {"name": self.name, "map": rows, "starts": self.starts, "goals": self.goals}

    @classmethod
    def from_data(cls, data: Any) -> Instance:
        """Read `as_data`'s form; `InstanceError` says what is wrong."""
        try:
            rows = data["map"]
            if len({len(row) for row in rows}) != 1 or set("".join(rows)) - {".", "#"}:
                raise InstanceError("the map of an instance is rows of equal length of '.' and '#'")
            grid = np.array([[character == "#" for character in row] for row in rows], np.uint8)
            return cls.of(grid, data["starts"], data["goals"], str(data.get("name", "")))
        except (KeyError, TypeError, AttributeError) as error:
            raise InstanceError(f"an instance has map, starts and goals; this one lacks or spoils {error}") from error

    def cell(self, place: Cell) -> int:
        """`row * W + column`."""
        return place[0] * self.grid.shape[1] + place[1]

    def validate(self, *, lifelong: bool, distinct_goals: bool, allow_unreachable: bool) -> None:
        """Raise `InstanceError` naming the robot and the cell that cannot be."""
        label = components(neighbours(self.grid))
        seen: dict[str, dict[Cell, int]] = {"start": {}, "goal": {}}
        for i, (start, goals) in enumerate(zip(self.starts, self.goals, strict=True)):
            if not goals:
                raise InstanceError(f"robot_{i} has no goal")
            for what, place in [("start", start), *(("goal", goal) for goal in goals)]:
                self._check_cell(i, what, place)
            for what, place, must in (("start", start, True), ("goal", goals[0], distinct_goals)):
                other = seen[what].setdefault(place, i)
                if must and other != i:
                    raise InstanceError(
                        f"robot_{other} and robot_{i} share the {what} {place}; {what}s must be distinct"
                    )
            self._check_goals(i, start, goals, label, lifelong, allow_unreachable)

    def _check_cell(self, i: int, what: str, place: Cell) -> None:
        height, width = self.grid.shape
        if not (0 <= place[0] < height and 0 <= place[1] < width):
            raise InstanceError(f"robot_{i}: the {what} {place} is off the map of {height} x {width} cells")
        if self.grid[place]:
            raise InstanceError(f"robot_{i}: the {what} {place} is on an obstacle")

    def _check_goals(
        self,
        i: int,
        start: Cell,
        goals: tuple[Cell, ...],
        label: NDArray[np.int32],
        lifelong: bool,
        unreachable: bool,
    ) -> None:
        for goal in goals:
            if not unreachable and label[self.cell(goal)] != label[self.cell(start)]:
                raise InstanceError(
                    f"robot_{i}: the goal {goal} cannot be reached from {start}; move it, or set allow_unreachable=True"
                )
        if lifelong:
            if len(goals) == 1 and np.count_nonzero(label == label[self.cell(start)]) < 2:
                raise InstanceError(f"robot_{i}: {start} is a cell without free neighbours; lifelong robots need room")
            turn = goals + goals[:1] if len(goals) > 1 else goals
            for before, after in itertools.pairwise(turn):
                if before == after:
                    raise InstanceError(f"robot_{i}: the goal {before} follows itself; consecutive goals must differ")


def _cells(goal: Any) -> tuple[Cell, ...]:
    if len(goal) == 2 and not hasattr(goal[0], "__len__"):
        return ((int(goal[0]), int(goal[1])),)
    return tuple((int(row), int(column)) for row, column in goal)
