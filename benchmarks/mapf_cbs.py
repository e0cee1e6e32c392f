"""Solves the first N robots of two MovingAI scenarios to optimality and prints a row for each N.

    python benchmarks/mapf_cbs.py DATA [--max-nodes 20000]

DATA holds random-32-32-20 and random-32-32-10 with their `-random-1.scen`. The optima are CBSH2-RTC's; another
sum of costs, or a plan with a conflict, ends the run with an error. Kernels are compiled before the clocks start.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.mapf.cbs import solve
from ludarium.envs.mapf.formats import read_scen
from ludarium.envs.mapf.maps import read_map

OPTIMA = {
    "random-32-32-20": {10: 200, 20: 413, 30: 637, 40: 837},
    "random-32-32-10": {10: 232, 30: 720, 50: 1118, 70: 1541, 90: 2126},
}


def check(
    grid: NDArray[np.uint8], plan: NDArray[np.int32], starts: NDArray[np.int32], goals: NDArray[np.int32]
) -> None:
    """Raise if a plan does not lead from the starts to the goals without conflicts."""
    jumps = np.abs(np.diff(plan // grid.shape[1], axis=0)) + np.abs(np.diff(plan % grid.shape[1], axis=0))
    shared = any(len(set(row)) < len(row) for row in plan.tolist())
    back = (plan[1:, :, None] == plan[:-1, None, :]) & (plan[:-1, :, None] == plan[1:, None, :])
    swaps = (back & ~np.eye(plan.shape[1], dtype=bool)).any()
    ends = (plan[0] == starts).all() and (plan[-1] == goals).all()
    if grid.reshape(-1)[plan].any() or jumps.max() > 1 or shared or swaps or not ends:
        raise AssertionError("the plan breaks a rule")


def main() -> None:
    """Run all rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--max-nodes", type=int, default=20_000)
    arguments = parser.parse_args()
    print(f"{'map':16} {'N':>3} {'SoC':>5} {'status':10} {'nodes':>6} {'expansions':>10} {'CPU s':>7} {'wall s':>7}")
    for name, optima in OPTIMA.items():
        grid_map = read_map(arguments.data / f"{name}.map")
        scen = read_scen(arguments.data / f"{name}-random-1.scen", grid_map)
        solve(grid_map.grid, scen.starts[:40], scen.goals[:40], max_nodes=20)  # compiles all kernels
        for robots, optimum in optima.items():
            starts, goals = scen.starts[:robots], scen.goals[:robots]
            cpu, wall = time.process_time(), time.perf_counter()
            found = solve(grid_map.grid, starts, goals, max_nodes=arguments.max_nodes)
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            if found.plan is not None:
                check(grid_map.grid, found.plan, starts, goals)
            if found.cost not in (None, optimum) or found.lower_bound > optimum:
                raise AssertionError(
                    f"{name}, {robots} robots: {found.cost} or more than {found.lower_bound}, not {optimum}"
                )
            print(
                f"{name:16} {robots:3} {found.cost or '-':>5} {found.status:10} {found.nodes:6} {found.expansions:10} "
                f"{cpu:7.2f} {wall:7.2f}"
            )


if __name__ == "__main__":
    main()
