"""How large submissions are, and how fast they are verified: 100 episodes of 512 steps and 128 robots, and shorter ones.

    python benchmarks/submissions.py

Planner traces come from PIBT on two maps and from RHCR (several processes make them); random ones are uniform over the five
moves, whose entropy alone is 1.902 MB. Verification is `judge`: a fresh guarded process, digests and metrics included; cold
is with an empty cache of compiled kernels. Rates are of agent-steps per CPU-second of the judging itself, and of all that
`judge` takes with its start.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator
from ludarium.leaderboards import keys
from ludarium.leaderboards.examine import Examiner
from ludarium.leaderboards.judge import judge
from ludarium.leaderboards.runner import run
from ludarium.leaderboards.submission import Submission, pack
from ludarium.leaderboards.track import Track, load_track
from ludarium.scenarios.loader import load

SCENARIO = """name = "{name}"
version = 1
environment = "mapf-lifelong-v0"
metrics = ["throughput"]
[config]
max_steps = {steps}
num_robots = {robots}
{config}
[splits]
test = {{ base = 2_000_000, count = {episodes} }}
"""
TRACK = """name = "{name}"
version = 1
title = "{name}"
scenario = "{name}.toml"
scenario_hash = "{hash}"
split = "test"
metric = "throughput"
higher_is_better = true
worst = 0.0
"""
CITY = 'map = "city"\nheight = 64\nwidth = 64'
HOUSE = 'map = "ludarium-warehouse-33x46"'
RANDOM = "size = 20\ndensity = 0.2"
CASES = {  # name: agent, episodes, steps, robots, config, limit of bytes
    "uniform-128": ("uniform", 100, 512, 128, CITY, 2_000_000),
    "pibt-city-128": ("pibt", 100, 512, 128, CITY, 1_500_000),
    "pibt-warehouse-128": ("pibt", 100, 512, 128, HOUSE, 1_500_000),
    "rhcr-city-128": ("rhcr", 100, 512, 128, CITY, 1_500_000),
    "pibt-random-24": ("pibt", 100, 256, 24, RANDOM, None),
    "pibt-random-8": ("pibt", 100, 256, 8, RANDOM, None),
}


def prepare(folder: Path, name: str, jobs: int) -> tuple[Track, Submission]:
    """A track of this case and a submission to it."""
    agent, episodes, steps, robots, config, _ = CASES[name]
    scenario = folder / f"{name}.toml"
    scenario.write_text(SCENARIO.format(name=name, steps=steps, robots=robots, config=config, episodes=episodes))
    (folder / f"{name}-track.toml").write_text(TRACK.format(name=name, hash=load(scenario).hash))
    track = load_track(folder / f"{name}-track.toml")
    played = "random" if agent == "uniform" else agent
    done = run(str(scenario), [played], folder / f"{name}-run", episodes=1 if agent == "uniform" else None, jobs=jobs)
    if agent == "uniform":
        uniformly(track, done.root)
    path = pack(done.root, track, name=name, key=keys.new_key(), to=folder / f"{name}.zip")
    return track, Submission.open(path)


def uniformly(track: Track, root: Path) -> None:
    """Put episodes of uniformly random moves in the place of a run's."""
    scenario = track.world
    simulator = make_simulator(scenario.environment, **scenario.cases[0].config)
    random = np.random.default_rng(0)
    row = json.loads((root / "episodes.jsonl").read_text().splitlines()[0])
    rows = []
    for case, seed, trial in track.units():
        batch = Batch(simulator.without_observations(), 1, scenario.environment)
        batch.seed(np.ones(1, bool), [seed])
        batch.reset(np.ones(1, bool))
        while not batch.over[0]:
            batch.actions[0][:] = random.integers(0, 5, batch.actions[0].shape)
            batch.step()
        trace = batch.trace()
        trace.header["config"] = simulator.config.as_dict()
        trace.header["agent"] = {"name": "random", "seed": 0}
        named = {"name": scenario.name, "version": scenario.version, "hash": scenario.hash}
        trace.header["scenario"] = {**named, "case": case, "trial": trial}
        trace.save(root / f"traces/random/{case}-{seed}-{trial}.trace")
        rows.append({**row, "case": case, "seed": seed, "trial": trial})
    (root / "episodes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def children() -> float:
    """CPU-seconds of the child processes that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(track: Track, submission: Submission, repeat: int) -> dict[str, float]:
    """Bytes, seconds and rates; the best of `repeat`, since the machine has others to serve."""
    found: dict[str, float] = {"bytes": len(submission.data)}
    with tempfile.TemporaryDirectory() as empty:
        os.environ["NUMBA_CACHE_DIR"] = empty
        os.chmod(empty, 0o755)
        began, before = time.perf_counter(), children()
        assert judge(submission, track).ok
        found["cold_wall_s"], found["cold_cpu_s"] = time.perf_counter() - began, children() - before
        del os.environ["NUMBA_CACHE_DIR"]
    warm = []
    for _ in range(repeat):
        began, before = time.perf_counter(), children()
        verdict = judge(submission, track)
        assert verdict.ok, verdict.problems
        warm.append((time.perf_counter() - began, children() - before, verdict.cpu_s))
    found["warm_wall_s"], found["warm_cpu_s"] = min(w[0] for w in warm), min(w[1] for w in warm)
    examiner = Examiner(track)
    examiner.rehearse()
    judging = min([w[2] for w in warm] + [examiner.examine(submission).cpu_s for _ in range(repeat)])
    found |= {"judging_cpu_s": judging, "agent_steps": verdict.agent_steps}
    found["million_a_cpu_second"] = verdict.agent_steps / judging / 1e6
    found["million_a_cpu_second_with_start"] = verdict.agent_steps / found["warm_cpu_s"] / 1e6
    return {name: round(value, 3) for name, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", choices=list(CASES))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "out" / "submissions.json")
    options = parser.parse_args()
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in options.case or CASES:
            track, submission = prepare(Path(folder), name, options.jobs)
            rows[name] = measure(track, submission, options.repeat)
            limit = CASES[name][5] or math.inf
            verdict = "within" if rows[name]["bytes"] <= limit else "OVER"
            print(f"{name}: {rows[name]} ({verdict} {limit:,})", flush=True)
    load_average = os.getloadavg() if hasattr(os, "getloadavg") else ()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"rows": rows, "load": load_average}, indent=1))


if __name__ == "__main__":
    main()
