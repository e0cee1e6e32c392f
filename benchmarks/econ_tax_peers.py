"""The tax economy beside Mesa and plain twins, in one run: `python benchmarks/econ_tax_peers.py [WORKERS ...]`.

One economy (quantile workers, seven brackets of 2024, exact best responses, tax, rebate, welfare), four ways: ours (whole
cents and quarters of hours, with observations and the range check of actions), NumPy arrays, Python objects as LLM
Economist has them, and Mesa (`make peers`). Children alternate; the median of three counts. All must come
to the same mean income, tax and welfare, within what rounding to quarters of hours explains, before a figure is printed.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "peers"))
import setup as peers  # noqa: E402

REPEATS, SECONDS, SAME = 3, 2.0, 0.01
MOST = {"objects": 10_000, "mesa": 10_000}
"""Objects are not measured above so many workers: a step takes them seconds."""


def begun(workers: int) -> Any:
    """A grouped economy at its first working step, at rates of 35 % everywhere but 10 % in the lowest two brackets."""
    import ludarium  # noqa: F401  (registers the ids)
    from ludarium.envs.core.batch import Batch
    from ludarium.envs.core.registry import make_simulator

    simulator = make_simulator("econ-tax-v0", n_workers=workers, grouped="yes", hour_parts=4, max_steps=10**6,
                               steps_per_year=10**6 - 1)  # fmt: skip
    batch = Batch(simulator, 1, "econ-tax-v0", record=False)
    one = np.ones(1, np.bool_)
    batch.seed(one, [0])
    batch.reset(one)
    batch.actions[0][...] = [2, 2, 7, 7, 7, 7, 7]
    batch.step()
    return batch


def ours(spec: dict[str, Any]) -> None:
    """The child of our own side."""
    from clock import measure

    from ludarium.envs.econ.tax.best import answer_all, powers

    batch = begun(spec["workers"])
    state, simulator, work = batch.state, batch.simulator, batch.actions[1][0, 0]
    free, taste, e = np.empty(spec["workers"]), np.zeros(1, np.uint8), 1.0 / (simulator.config.d - 1.0)
    powers(state.wage[0], state.scale_k[0], simulator.tastes, taste, simulator.config.d, free)

    def play(rounds: int) -> None:
        for _ in range(rounds):
            answer_all(state.wage[0], free, state.cost[0], taste, 4, e, simulator.edges, state.rates[0], work)
            batch.step()

    play(1)
    figures = simulator.metrics(state)
    print(
        json.dumps(
            {"income": figures["productivity"][0], "tax": figures["revenue"][0], "welfare": figures["welfare"][0]}
        )
    )
    measure(play, spec["workers"], spec["seconds"])


def child(python: Path | str, script: Path, spec: dict[str, Any]) -> tuple[dict[str, float], dict[str, float]]:
    """What a child finds, and how fast it is."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LUDARIUM_QUIET": "1"}
    command = [str(python), "-W", "ignore", str(script), json.dumps(spec)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found, speed = map(json.loads, done.stdout.strip().splitlines()[-2:])
    return found, speed


def row(workers: int, folder: Path) -> None:
    """Measure one size and print its lines."""
    batch = begun(workers)
    state, config = batch.state, batch.simulator.config
    economy = folder / f"{workers}.npz"
    np.savez(economy, wage=state.wage[0] / 100.0, weight=state.weight[0], edges=batch.simulator.edges / 100.0,
             rates=state.rates[0] / 10_000.0, scalars=[state.scale_k[0] / 100.0, config.d, config.hours_max])  # fmt: skip
    shared = {"workers": workers, "economy": str(economy), "seconds": SECONDS}
    who: dict[str, tuple[Path | str, Path, dict[str, Any]]] = {
        "ours": (sys.executable, Path(__file__), shared),
        "arrays": (sys.executable, HERE / "peers" / "plain_tax.py", shared | {"kind": "arrays"}),
        "objects": (sys.executable, HERE / "peers" / "plain_tax.py", shared | {"kind": "objects"}),
    }
    mesa = peers.python_of("mesa")
    if mesa is not None:
        who["mesa"] = mesa, HERE / "peers" / "bench_mesa_tax.py", shared
    who = {name: call for name, call in who.items() if workers <= MOST.get(name, workers)}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in who}
    means: dict[str, dict[str, float]] = {}
    for _ in range(REPEATS):
        for name, call in who.items():
            means[name], speed = child(*call)
            found[name].append(speed)
    for name, figures in means.items():
        for what, value in figures.items():
            if abs(value - means["ours"][what]) > SAME * abs(value):
                raise SystemExit(f"{name} finds a {what} of {value}, ours {means['ours'][what]}: not the same economy")
    middle = {name: {k: statistics.median(x[k] for x in all_) for k in ("cpu", "wall")} for name, all_ in found.items()}
    for name, speed in middle.items():
        ratio = middle["ours"]["cpu"] / speed["cpu"]
        print(f"{workers:>9,} {name:>8} {speed['cpu']:>14,.0f} {speed['wall']:>14,.0f} {ratio:>9,.1f}", flush=True)


def main() -> None:
    """Print agent-steps a CPU-second and a wall-second, and how many times as fast ours is by CPU time."""
    if len(sys.argv) == 2 and sys.argv[1].startswith("{"):
        ours(json.loads(sys.argv[1]))
        return
    print(f"{'workers':>9} {'who':>8} {'a CPU-second':>14} {'a wall-second':>14} {'ours by':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for workers in map(int, sys.argv[1:] or ("1000", "10000", "1000000")):
            row(workers, Path(folder))


if __name__ == "__main__":
    main()
