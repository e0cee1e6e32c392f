"""Speed of `econ-tax-v0` at a million workers: decisions by exact best response, then one whole step.

    python benchmarks/econ_tax.py [workers]

Prints CPU time (the least of twenty steps), agent-steps a CPU-second, wall time, and bytes a worker: of the buffers, and as
the process grew.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from pathlib import Path

import numpy as np

import ludarium  # noqa: F401  (registers the ids)
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.econ.tax.best import answer_all, powers

STEPS = 20


def begun(workers: int) -> Batch:
    """A batch of one grouped economy at its first working step, at the rates of level 7."""
    batch = Batch(make_simulator("econ-tax-v0", n_workers=workers, grouped="yes"), 1, "econ-tax-v0", record=False)
    every = np.ones(1, np.bool_)
    batch.seed(every, [0])
    batch.reset(every)
    batch.actions[0][...] = 7
    batch.step()
    return batch


def resident() -> int:
    """Bytes of memory that the process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Warm up on a small economy, then measure."""
    workers = int(sys.argv[1]) if len(sys.argv) > 1 else 10**6
    begun(1000).step()
    gc.collect()
    before = resident()
    batch = begun(workers)
    state, simulator = batch.state, batch.simulator
    free, taste, e = np.empty(workers), np.zeros(1, np.uint8), 1.0 / (simulator.config.d - 1.0)
    powers(state.wage[0], state.scale_k[0], simulator.tastes, taste, simulator.config.d, free)
    cpu, wall = [], []
    for _ in range(STEPS):
        start, clock = time.process_time(), time.perf_counter()
        answer_all(state.wage[0], free, state.cost[0], taste, simulator.config.hour_parts, e, simulator.edges,
                   state.rates[0], batch.actions[1][0, 0])  # fmt: skip
        batch.step()
        cpu.append(time.process_time() - start)
        wall.append(time.perf_counter() - clock)
    gc.collect()
    seen = sum(
        part.nbytes for seen in batch.observed for part in (seen.values() if isinstance(seen, dict) else (seen,))
    )
    held = sum(array.nbytes for array in (*state, *batch.actions)) + seen
    print(
        f"{workers:,} workers: {min(cpu) * 1e3:.1f} ms CPU a step, {workers / min(cpu) / 1e6:.1f} M agent-steps a CPU-second"
    )
    print(f"wall: least {min(wall) * 1e3:.1f} ms, median {np.median(wall) * 1e3:.1f} ms")
    print(f"buffers: {held / workers:.1f} bytes a worker; the process grew by {(resident() - before) / workers:.1f}")


if __name__ == "__main__":
    main()
