"""CPU-seconds of the statistics of one board: 6 agents x 100 episodes in 5 cases, 5,000 resamples, median of 5.

python benchmarks/statistics_speed.py [--agents 6] [--episodes 100] [--resamples 5000]

BLAS is held to one thread: on matrices this small its other threads only spin, which counts as CPU time.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import statistics
import time

import numpy as np

from ludarium.leaderboards import stats


def measure(call, repeats=5):
    """Median CPU-seconds of a call, after one that is not counted."""
    call()
    found = []
    for _ in range(repeats):
        began = time.process_time()
        call()
        found.append(time.process_time() - began)
    return statistics.median(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("agents", 6), ("episodes", 100), ("resamples", 5000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    table = np.random.Generator(np.random.PCG64(0)).normal(size=(given.agents, given.episodes)).round(2)
    cases = [f"case-{n % 5}" for n in range(given.episodes)]
    grid = np.linspace(-2, 2, 101)
    options = {"resamples": given.resamples}
    pairs = [(a, b) for a in range(given.agents) for b in range(a)]
    rows = {
        "mean and interval, every agent": lambda: [stats.bootstrap(own, stats.mean, cases, **options) for own in table],
        "IQM and interval, every agent": lambda: [stats.bootstrap(own, stats.iqm, cases, **options) for own in table],
        "rank ranges by the mean": lambda: stats.rank_ranges(table, cases, **options),
        "rank ranges by the IQM": lambda: stats.rank_ranges(table, cases, stats.iqm, **options),
        "probability of improvement, every pair": lambda: [
            stats.probability_of_improvement(table[a], table[b], cases, **options) for a, b in pairs
        ],
        "performance profiles, 101 thresholds": lambda: [
            stats.performance_profile(own, grid, cases, **options) for own in table
        ],
    }
    print(f"{given.agents} agents x {given.episodes} episodes, {given.resamples:,} resamples: CPU-seconds")
    total = 0.0
    for name, call in rows.items():
        took = measure(call)
        total += took
        print(f"{took:8.3f}  {name}")
    print(f"{total:8.3f}  all of these")


if __name__ == "__main__":
    main()
