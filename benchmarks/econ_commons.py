"""The commons: environment-steps a CPU-second beside the naive Python reference, and conservation under random actions.

python benchmarks/econ_commons.py speed [--rows 2048] [--repeats 5]
python benchmarks/econ_commons.py conserve [--actions 10000000]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from econ.plain_commons import PlainCommons  # noqa: E402

from ludarium.envs.core.batch import Batch  # noqa: E402
from ludarium.envs.econ.commons.config import CommonsConfig  # noqa: E402
from ludarium.envs.econ.commons.simulator import Commons  # noqa: E402
from ludarium.envs.econ.voting import RULES  # noqa: E402

QUIET = {"utterances": 0, "rounds": 12}
TALK = {"utterances": 10, "rounds": 12, "punishment": True, "pledges": True, "quota": 10, "fine": 200}
STEPS = 1200


def begun(rows: int, **options: Any) -> Batch:
    """A batch at the beginning of its episodes."""
    return restarted(Batch(Commons(CommonsConfig.of(**options)), rows, "econ-commons-v0", record=False))


def restarted(batch: Batch) -> Batch:
    """All rows at the beginning of an episode."""
    batch.seed(np.ones(batch.rows, np.bool_), list(range(batch.rows)))
    batch.reset(np.ones(batch.rows, np.bool_))
    return batch


def timed(run: Callable[[], object]) -> float:
    """CPU-seconds."""
    start = time.process_time()
    run()
    return time.process_time() - start


def small_harvests(rows: int, harvesters: int, seed: int) -> list[NDArray[np.int64]]:
    """Wants of which the stock can bear as many as there are rounds, nearly always."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 100 // (2 * harvesters) + 1, (rows, harvesters)) for _ in range(10)]


def steps(batch: Batch, wants: list[NDArray[np.int64]], looking: bool) -> None:
    """So many steps of every row, episodes begun anew as they end: by the batch with all it does, or the simulator alone."""
    simulator, every = batch.simulator, np.ones(batch.rows, np.bool_)
    seeds, slots = np.arange(batch.rows), np.full(batch.rows, -1, np.int32)
    for n in range(STEPS // 10):
        if looking:
            batch.put(0, wants[n % 10])
            batch.step()
        else:
            simulator.step(batch.state, (wants[n % 10],), batch.out)
        if not batch.over.all():
            continue
        if looking:
            batch.reset(every)
        else:
            simulator.reset(batch.state, every, seeds, slots)


def plain(options: dict[str, Any], wants: list[NDArray[np.int64]]) -> int:
    """Steps of the reference."""
    config, taken = CommonsConfig.of(**options), 0
    for seed in range(20):
        one = PlainCommons(config, seed, config.cap, list(range(config.num_harvesters)))
        while not one.over:
            row = wants[taken % 10][seed % len(wants[0])].tolist()
            one.step(row, [b""] * len(row), None)
            taken += 1
    return taken


def speed(rows: int, repeats: int) -> None:
    """Print medians."""
    for name, options, harvesters in (
        ("harvests only", QUIET, 5), ("harvests only", QUIET, 20), ("pledges, talk, fines", TALK, 5),
    ):  # fmt: skip
        given = {**options, "num_harvesters": harvesters}
        wants = small_harvests(rows, harvesters, 0)
        rates = []
        for looking in (False, True):
            batch = begun(rows, **given)
            steps(batch, wants, looking)
            found = []
            for _ in range(repeats):
                restarted(batch)
                found.append(STEPS // 10 * rows / timed(lambda: steps(batch, wants, looking)))  # noqa: B023
            rates.append(statistics.median(found))
        count = 0

        def slowly() -> None:
            nonlocal count
            count = plain(given, wants)  # noqa: B023

        naive = timed(slowly)
        print(
            f"{name:22} {harvesters:3} harvesters x {rows}: {rates[0]:12,.0f} steps a CPU-second, {rates[1]:12,.0f} with checks, "
            f"observations and masks; the naive reference {count / naive:10,.0f}"
        )


def conserve(actions: int) -> None:
    """Play so many random actions, mask or no mask, in all kinds of commons; every invariant must hold all along."""
    taken, seed, rng = 0, 0, np.random.default_rng(0)
    while taken < actions:
        options = {
            "voting": ("none", *RULES)[seed % 7], "punishment": seed % 2 == 0, "pledges": seed % 3 == 0, "lottery": seed % 5 == 0,
            "governor": seed % 4 == 1, "fee": (0, 33)[seed % 2], "fine": 170, "quota": 9, "audit": 0.5, "rebate": seed % 3 == 1,
            "newcomer": seed % 4, "shock": 0.2 * (seed % 2), "talk_cost": 70, "start": "drawn", "num_harvesters": 2 + seed % 9,
            "utterances": seed % 11, "threshold": 1,
        }  # fmt: skip
        batch = begun(512, **options)
        n, most = options["num_harvesters"], batch.simulator.config.actions
        while not batch.over.all():
            wants = rng.integers(0, most, (512, n))
            few = rng.random((512, n)) < 0.8
            act = np.where(few, rng.integers(0, 100 // (2 * n) + 1, (512, n)), wants)  # type: ignore[operator]
            rules = ((rng.random((512, 1, 4)) * (103, 11, 11, 12)).astype(np.int64),) if options["governor"] else ()
            taken += int((~batch.over).sum()) * len(batch.simulator.seats)
            batch.simulator.step(batch.state, (act, *rules), batch.out)
            broken = [name for name, holds in batch.simulator.invariants(batch.state).items() if not holds.all()]
            if broken:
                sys.exit(f"{options}: broken: {'; '.join(broken)}")
        seed += 1
    print(
        f"{taken:,} actions in {seed} kinds of commons: nothing minted or lost, every invariant held after every step"
    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed", "conserve"))
    parser.add_argument("--rows", type=int, default=2048)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--actions", type=int, default=10_000_000)
    given = parser.parse_args()
    if given.what == "speed":
        speed(given.rows, given.repeats)
    else:
        conserve(given.actions)


if __name__ == "__main__":
    main()
