"""Synthetic movies for the tests of pictures: robots that wander over a grid and never share a cell."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ludarium.envs.core.scene import Movie, Scene, Sprites, Tiles


def wander(side: int, robots: int, steps: int, seed: int = 0) -> Iterator[Scene]:
    """Yield `steps` + 1 scenes of robots that mostly keep their direction, each with a goal of its own."""
    chance = np.random.default_rng(seed)
    grid = (chance.random((side, side)) < 0.18).astype(np.uint8)
    free = np.flatnonzero(grid.ravel() == 0)
    pos = chance.permutation(free)[:robots]
    goal = chance.choice(free, robots)
    way = chance.integers(0, 4, robots)
    moves = np.array([(-1, 0), (1, 0), (0, -1), (0, 1)])
    reached = 0
    for t in range(steps + 1):
        yield Scene(
            side,
            side,
            background=(Tiles(grid, ("floor", "wall")),),
            shapes=(
                Sprites.at_cells(
                    "goal", goal, side, form="diamond", radius=0.47, styles=("goal",), of="robot", glide=False
                ),
                Sprites.at_cells("robot", pos, side),
            ),
            caption=f"Step {t} of {steps}: {reached} goals reached",
            values={"goals reached": reached, "throughput": reached / max(t, 1)},
        )
        turn = chance.random(robots) < 0.2
        way = np.where(turn, chance.integers(0, 4, robots), way)
        row, column = pos // side + moves[way, 0], pos % side + moves[way, 1]
        inside = (row >= 0) & (row < side) & (column >= 0) & (column < side)
        aim = np.where(inside, row * side + column, pos)
        taken = np.bincount(pos, minlength=side * side)
        wanted = np.bincount(aim, minlength=side * side)
        go = (grid.ravel()[aim] == 0) & (taken[aim] == 0) & (wanted[aim] == 1)
        way = np.where(go, way, chance.integers(0, 4, robots))
        pos = np.where(go, aim, pos)
        done = (pos == goal) | (chance.random(robots) < 0.02)
        reached += int(done.sum())
        goal = np.where(done, chance.choice(free, robots), goal)


def movie(side: int, robots: int, steps: int) -> Movie:
    """Return a movie of `wander` with the tables that a real one has."""
    return Movie(
        f"{robots} robots wander",
        wander(side, robots, steps),
        meta={"environment": "mapf-lifelong-v0", "agent": "wander", "seed": 0, "digest": "9f3c0a51d2e87b46"},
        metrics={
            "throughput": 2.5625,
            "goals_reached": 1312,
            "collisions": 0,
            "solved": True,
            "bound_share": 0.8731,
        },
    )
