"""Speed of `econ-gtb-v0`: steps of many worlds with full observations and masks, beside a plain Python twin.

    python benchmarks/econ_gtb.py [seconds]
    python benchmarks/econ_gtb.py conserve [actions]

Random legal actions are drawn before the clock starts and taken from a ring, so that what is measured is the world: rules,
windows, vectors and masks of all seats. Prints the best of five rounds, in environment-steps a CPU-second. `conserve` plays
as many actions of workers, legal ones, half of them wild, and all of them wild, in all layouts, and looks at every invariant.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

import ludarium  # noqa: F401  (registers the ids)
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator

ID = "econ-gtb-v0"
CASES = (
    ("4 workers, 25 x 25", 1024, {}),
    ("12 workers, 25 x 25", 512, {"n_workers": 12}),
    ("100 workers, 64 x 64", 16, {"n_workers": 100, "height": 64, "width": 64}),
    ("256 workers, 128 x 128", 16, {"n_workers": 256, "height": 128, "width": 128}),
)


def begun(rows: int, **options: object) -> Batch:
    batch = Batch(make_simulator(ID, **options), rows, ID, record=False)
    every = np.ones(rows, np.bool_)
    batch.seed(every, list(range(rows)))
    batch.reset(every)
    return batch


def legal(batch: Batch, rng: np.random.Generator) -> None:
    """Random legal actions into the buffers."""
    chance = rng.random(batch.masks[1].shape, np.float32) * batch.masks[1]  # type: ignore[union-attr]
    batch.actions[1][...] = chance.argmax(2)
    batch.actions[0][...] = rng.integers(0, batch.simulator.config.levels, batch.actions[0].shape)  # type: ignore[attr-defined]


def rate(rows: int, seconds: float, looking: bool, **options: object) -> float:
    """Environment-steps a CPU-second: each step is clocked alone, since drawing legal actions takes longer than the world."""
    batch, rng = begun(rows, **options), np.random.default_rng(0)
    best = 0.0
    for _ in range(5):
        spent, steps = 0.0, 0
        while spent < seconds / 5:
            if batch.over.any():
                batch.reset(batch.over.copy())
            legal(batch, rng)
            start = time.process_time()
            if looking:
                batch.step()
            else:
                batch.simulator.step(batch.state, batch.actions, batch.out)
            spent += time.process_time() - start
            steps += rows
            if not looking:
                batch._refresh(np.ones(rows, np.bool_))
        best = max(best, steps / spent)
    return best


def twin(seconds: float) -> float:
    """The plain Python reference of the tests, without observations."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from econ.gtb_reference import ReferenceGtb  # type: ignore[import-not-found]

    simulator = make_simulator(ID)
    config, rng = simulator.config, np.random.default_rng(0)
    world, spent, steps = ReferenceGtb(config, 0), 0.0, 0
    while spent < seconds:
        work = [
            int(rng.choice([a for a in range(config.actions) if world.fault(i, a) == "none"]))  # type: ignore[attr-defined]
            for i in range(4)
        ]
        plan = rng.integers(0, config.levels, 7).tolist()  # type: ignore[attr-defined]
        start = time.process_time()
        world.step(plan, work)
        spent += time.process_time() - start
        steps += 1
        if world.over:
            world = ReferenceGtb(config, steps)
    return steps / spent


LAYOUTS = ("quadrant", "split", "uniform", "open")
ROWS, WORKERS = 256, 16


def conserve(actions: int) -> None:
    """Play; stop at the first invariant that does not hold."""
    rng, played, share = np.random.default_rng(0), 0, actions // (3 * len(LAYOUTS))
    for layout in LAYOUTS:
        for wild in (0.0, 0.5, 1.0):
            batch = begun(
                ROWS, layout=layout, n_workers=WORKERS, height=12, width=12, density=0.4, regrow=0.2, coin=9.99, period=7,
                lifetime=5, cancel_bids=layout != "open", legacy_escrow=layout == "uniform", max_steps=200,
            )  # fmt: skip
            done = 0
            while done < share:
                if batch.over.all():
                    batch.reset(batch.over.copy())
                legal(batch, rng)
                work = batch.actions[1]
                replaced = rng.random(work.shape, np.float32) < wild
                work[replaced] = rng.integers(0, batch.simulator.config.actions, int(replaced.sum()))  # type: ignore[attr-defined]
                batch.step()
                done += ROWS * WORKERS
                for sentence, holds in batch.simulator.invariants(batch.state).items():
                    assert holds.all(), (layout, wild, sentence)
            played += done
            told = {name: int(values.sum()) for name, values in batch.simulator.metrics(batch.state).items()}
            print(
                f"{layout}, {wild:.0%} wild: {done:,} actions; {told['houses']} houses, {told['trades']} trades at the end"
            )
    print(f"{played:,} actions, every invariant after every step")


def main() -> None:
    """Print a table."""
    if sys.argv[1:2] == ["conserve"]:
        conserve(int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000)
        return
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    first = 0.0
    for name, rows, options in CASES:
        seen, blind = (rate(rows, seconds, looking, **options) for looking in (True, False))
        first = first or seen
        seats = int(str(options.get("n_workers", 4))) + 1
        print(
            f"{name}: {seen:,.0f} steps with observations and masks, {blind:,.0f} without; {seen * seats:,.0f} agent-steps"
        )
    plain = twin(min(seconds, 2.0))
    print(
        f"plain Python twin, 4 workers, no observations: {plain:,.0f}; ours with them is {first / plain:,.0f} times as fast"
    )


if __name__ == "__main__":
    main()
