"""Two threads beside one: kernels let go of Python's lock, so two batches step at once. `python benchmarks/threads.py`.

Each thread steps a batch of its own (64 worlds of 64 robots on 64 x 64, uint8 observations). The figure is wall time,
so it means something on an idle machine of two cores or more only; `load` says how idle this one was.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from typing import Any

import gymnasium as gym
import numpy as np

import ludarium  # noqa: F401  (registers the ids)

ROUNDS, STEPS = 7, 300
WORLD: dict[str, Any] = {"num_robots": 64, "height": 64, "width": 64, "observation": "grid", "dtype": "uint8"}


def _batch(seed: int) -> Any:
    env = gym.make_vec("mapf-lifelong-v0", num_envs=64, **WORLD, max_steps=10**6)
    env.reset(seed=seed)
    return env


def _play(env: Any, actions: list[Any]) -> None:
    for k in range(STEPS):
        env.step(actions[k % len(actions)])


def seconds(envs: list[Any], actions: list[Any]) -> float:
    """Wall time in which each of `envs`, in a thread of its own, takes its steps."""
    threads = [threading.Thread(target=_play, args=(env, actions)) for env in envs]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begin


def main() -> None:
    """Print agent-steps a second of one thread and of two, and their ratio, as medians of alternating rounds."""
    envs = [_batch(0), _batch(1)]
    rng = np.random.default_rng(0)
    actions = [rng.integers(0, 5, (64, 64)) for _ in range(50)]
    seconds(envs, actions)
    ratios, speeds = [], []
    for _ in range(ROUNDS):
        one, two = seconds(envs[:1], actions), seconds(envs, actions)
        ratios.append(2 * one / two)
        speeds.append((STEPS * 64 * 64 / one, 2 * STEPS * 64 * 64 / two))
    one, two = (statistics.median(column) for column in zip(*speeds, strict=True))
    load = os.getloadavg()[0]
    print(
        f"one thread {one:,.0f}, two {two:,.0f} agent-steps a second: {statistics.median(ratios):.2f}x (load {load:.1f})"
    )


if __name__ == "__main__":
    main()
