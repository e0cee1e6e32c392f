"""Instances and goals as POGEMA 1.4 draws them from a seed, for `compat="pogema"`.

POGEMA draws from NumPy's generators, so these run outside the kernels. A cell is (row, column) on the map
itself, without POGEMA's padding. Source: the behaviour of POGEMA 1.4.0 (Skrynnik et al., "POGEMA: A
Benchmark Platform for Cooperative Multi-Agent Pathfinding", 2024), recorded by
`benchmarks/record_pogema.py` and held against it by `tests/mapf/test_parity.py`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.errors import InstanceError
from ludarium.envs.mapf.grid import components, neighbours

__all__ = ["PogemaGoals", "pogema_instance"]

_SEED_BOUND = 2**31 - 1
_CHUNK = 16
"""Indices drawn at once from a robot's generator; a chunk holds the same numbers as single draws."""


def pogema_instance(
    seed: int, height: int, width: int, density: float, num_agents: int, map: NDArray[np.uint8] | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.int32]]:
    """Return the map uint8[H, W], the starts int32[N, 2] and the first goals int32[N, 2] of a seed.

    Obstacles are drawn with probability `density`, unless `map` is given. The free cells, shuffled, are
    taken in turn: within each connected component one is a start, the next its goal. So n robots are the
    first n of any larger number. Raises `InstanceError` if the components hold fewer than `num_agents`
    pairs.
    """
    if map is None:
        map = np.random.default_rng(seed).binomial(1, density, (height, width)).astype(np.uint8)
    grid = np.ascontiguousarray(map, np.uint8)
    label = components(neighbours(grid))
    order = np.flatnonzero(label >= 0)
    np.random.default_rng(seed).shuffle(order)
    by_component = np.argsort(label[order], kind="stable")
    shuffled = label[order[by_component]]
    first = np.searchsorted(shuffled, shuffled)
    size = np.searchsorted(shuffled, shuffled, side="right") - first
    rank = np.arange(len(order)) - first
    opens = np.flatnonzero((rank % 2 == 0) & (rank + 1 < size))
    opens = opens[np.argsort(by_component[opens])]
    if len(opens) < num_agents:
        raise InstanceError(
            f"need pairs of start and goal for {num_agents} robots, can place {len(opens)} (seed {seed}); "
            "take fewer robots, a larger map, or a lower density"
        )
    starts, goals = order[by_component[opens]], order[by_component[opens + 1]] if len(opens) else opens
    columns = grid.shape[1]
    return grid, _places(starts[:num_agents], columns), _places(goals[:num_agents], columns)


def _places(cells: NDArray[np.int64], columns: int) -> NDArray[np.int32]:
    return np.stack([cells // columns, cells % columns], axis=1).astype(np.int32)


class PogemaGoals:
    """The goals after the first: each robot has its own generator, made when its first goal is asked for.

    A goal is a uniform cell of the robot's component, drawn again while it is the cell that the robot
    stands on (which is its goal before). So a robot's goals depend on the seed, its number and its first
    goal, never on the other robots.
    """

    def __init__(self, seed: int, num_agents: int, grid: NDArray[np.uint8]) -> None:
        self._seeds = np.random.default_rng(seed).integers(_SEED_BOUND, size=num_agents)
        self._columns = grid.shape[1]
        self._label = components(neighbours(np.ascontiguousarray(grid, np.uint8)))
        self._cells = np.argsort(self._label, kind="stable")
        self._first = np.searchsorted(self._label[self._cells], np.arange(self._label.max(initial=-1) + 2))
        self._generators: list[np.random.Generator | None] = [None] * num_agents
        self._waiting: list[list[int]] = [[] for _ in range(num_agents)]

    def next(self, agent: int, previous: tuple[int, int]) -> tuple[int, int]:
        """The goal of a robot that has just reached `previous`.

        Raises `InstanceError` if its component is that one cell.
        """
        here = int(previous[0]) * self._columns + int(previous[1])
        component = self._label[here]
        low, high = int(self._first[component]), int(self._first[component + 1])
        if high - low < 2:
            raise InstanceError(f"robot_{agent}: {tuple(previous)} has no free neighbour; lifelong robots need room")
        while True:
            if not self._waiting[agent]:
                self._waiting[agent] = self._draw(agent, high - low)
            cell = int(self._cells[low + self._waiting[agent].pop()])
            if cell != here:
                return cell // self._columns, cell % self._columns

    def _draw(self, agent: int, size: int) -> list[int]:
        generator = self._generators[agent]
        if generator is None:
            generator = self._generators[agent] = np.random.default_rng(self._seeds[agent])
        return generator.integers(0, size, size=_CHUNK)[::-1].tolist()
