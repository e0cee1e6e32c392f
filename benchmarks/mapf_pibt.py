"""Speed of PIBT: milliseconds a step at 1,000 robots, and decisions per CPU-second beside pypibt.

Run `python benchmarks/mapf_pibt.py [DATA]`, DATA being the folder that holds `movingai/` (default: the environment
variable LUDARIUM_MAPF_DATA). pypibt is measured in the same run when LUDARIUM_PEERS names a folder that holds its checkout
as `pypibt/`. Medians of 3; CPU time of this process.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.mapf.pibt import PIBT
from ludarium.agents.mapf.planner import PlannerView
from ludarium.envs.core.rng import below, draw

REPEATS = 3


def read_map(path: Path) -> NDArray[np.uint8]:
    text = path.read_text(encoding="utf-8").split("map\n", 1)[1]
    return np.array([[c not in ".G" for c in row] for row in text.split()], np.uint8)


def read_scenario(path: Path, width: int, robots: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1 : robots + 1]]
    starts = np.array([int(row[5]) * width + int(row[4]) for row in rows], np.int32)
    return starts, np.array([int(row[7]) * width + int(row[6]) for row in rows], np.int32)


def shuffled(cells: NDArray[Any], key: int) -> NDArray[np.int32]:
    draws = np.array([int(draw(np.uint64(key), 0, i, 0, 0)) for i in range(len(cells))], np.uint64)
    return cells[np.argsort(draws, kind="stable")].astype(np.int32)


class Run:
    """One episode; CPU seconds of `begin` and of every `decide`."""

    def __init__(self, grid: NDArray[np.uint8], starts: Any, goals: Any, *, lifelong: bool, swap: bool, seed: int):
        self.grid, self.pos, self.goal = grid, starts.copy(), goals.copy()
        self.free = np.flatnonzero(grid.reshape(-1) == 0).astype(np.int32)
        self.move = np.array([0, -grid.shape[1], grid.shape[1], -1, 1])
        self.lifelong, self.seed = lifelong, seed
        self.planner = PIBT(swap=swap)
        begun = time.process_time()
        self.planner.begin(self.view(0), seed)
        self.cold, self.steps = time.process_time() - begun, 0
        self.warm = 0.0

    def view(self, t: int) -> PlannerView:
        robots = len(self.pos)
        return PlannerView(
            self.grid,
            self.pos,
            self.goal,
            np.ones(robots, bool),
            np.empty((robots, 0), np.int32),
            t,
            10**6,
            self.lifelong,
        )

    def play(self, steps: int) -> Run:
        for t in range(steps):
            view = self.view(t)
            self.planner._guides.table(self.goal)  # distance maps are warm: new goals are searched outside the clock
            begun = time.process_time()
            actions = self.planner.decide(view)
            self.warm += time.process_time() - begun
            self.steps += 1
            self.pos = (self.pos + self.move[actions]).astype(np.int32)
            arrived = np.flatnonzero(self.pos == self.goal)
            if self.lifelong:
                self.goal = self.goal.copy()
                for robot in arrived:
                    pick = np.uint64(draw(np.uint64(self.seed), 1, t, int(robot), 0))
                    self.goal[robot] = self.free[int(below(pick, len(self.free)))]
            elif len(arrived) == len(self.pos):
                break
        return self


def thousand_robots(data: Path) -> None:
    grid = read_map(data / "movingai" / "warehouse-10-20-10-2-1.map")
    free = np.flatnonzero(grid.reshape(-1) == 0)
    starts, goals = shuffled(free, 1)[:1000], shuffled(free, 2)[:1000]
    Run(grid, starts, goals, lifelong=True, swap=False, seed=0).play(2)
    for swap in (False, True):
        for lifelong in (False, True):
            runs = [Run(grid, starts, goals, lifelong=lifelong, swap=swap, seed=k).play(300) for k in range(REPEATS)]
            step = statistics.median(1e3 * run.warm / run.steps for run in runs)
            cold = statistics.median(1e3 * run.cold for run in runs)
            name = "PIBT + swap" if swap else "PIBT"
            kind = "lifelong" if lifelong else "one-shot"
            print(f"{name}, 1000 robots, warehouse-10-20-10-2-1, {kind}: {step:.3f} ms CPU a step, begin {cold:.0f} ms")


def beside_pypibt(data: Path, peers: Path | None) -> None:
    base = data / "movingai"
    grid = read_map(base / "random-32-32-10.map")
    for robots in (50, 200, 400):
        starts, goals = read_scenario(base / "random-32-32-10-random-1.scen", grid.shape[1], robots)
        runs = [Run(grid, starts, goals, lifelong=False, swap=False, seed=k).play(1000) for k in range(REPEATS)]
        ours = statistics.median(robots * run.steps / run.warm for run in runs)
        whole = statistics.median(robots * run.steps / (run.warm + run.cold) for run in runs)
        line = f"random-32-32-10, {robots} robots: {ours / 1e6:.2f} M decisions/CPU-s ({whole / 1e6:.2f} M with begin)"
        if peers is not None:
            peer = pypibt_rate(peers, base, robots)
            line += f"; pypibt {peer / 1e3:.1f} k: {ours / peer:.0f}x ({whole / peer:.0f}x with begin)"
        print(line)


def pypibt_rate(peers: Path, base: Path, robots: int) -> float:
    """Decisions per CPU-second of pypibt, which searches its distances as it goes."""
    sys.path.insert(0, str(peers / "pypibt"))
    import pypibt  # type: ignore[import-not-found]

    grid = pypibt.get_grid(str(base / "random-32-32-10.map"))
    starts, goals = pypibt.get_scenario(str(base / "random-32-32-10-random-1.scen"), robots)
    rates = []
    for seed in range(REPEATS):
        planner = pypibt.PIBT(grid, starts, goals, seed=seed)
        begun = time.process_time()
        plan = planner.run(max_timestep=1000)
        rates.append(robots * (len(plan) - 1) / (time.process_time() - begun))
    return statistics.median(rates)


def main() -> None:
    given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("LUDARIUM_MAPF_DATA")
    if not given:
        raise SystemExit("name the folder that holds movingai/, as argument or in LUDARIUM_MAPF_DATA")
    peers = os.environ.get("LUDARIUM_PEERS")
    thousand_robots(Path(given))
    beside_pypibt(Path(given), Path(peers) if peers else None)


if __name__ == "__main__":
    main()
