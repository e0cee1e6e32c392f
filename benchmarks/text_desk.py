"""The tool desk: its speed beside tau2-bench's, and how agents do: `python benchmarks/text_desk.py [--tasks N]`.

tau2-bench 1.0.1 is on no package index: install a checkout into `.venvs/tau2` with Python 3.12 (or name an interpreter in
`LUDARIUM_TAU2_PYTHON`) and name the checkout's `data` folder in `TAU2_DATA_DIR`; without them our side is measured alone.
Both sides are CPU seconds of one run, medians of three repeats. Ours has at least as many users, orders and bytes. Their
grade is of an empty trajectory: two fresh databases, the gold plan run on one, hashes, comparison. Ours is of whole
conversations (the mean of ten): from the state at hand; on fresh tables, with all calls run again, the gold plan run,
hashes, comparison; and by replay of the trace, which draws the task anew and checks every digest.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from text.desk.table_of_agents import DOMAINS, metrics, talk  # noqa: E402

from ludarium.envs.text.desk.domain import base_of, domain_named  # noqa: E402
from ludarium.envs.text.desk.grading import regrade  # noqa: E402
from ludarium.envs.text.desk.tables import Tables  # noqa: E402
from ludarium.envs.text.desk.tasks import draw_task, fresh_desk, shape  # noqa: E402

CUSTOMERS, CONVERSATIONS = 1500, 10
AGENTS = ("desk-oracle", "desk-expert", "desk-blind", "desk-never-asking", "desk-idle")
SPLITS = ("train", "val", "test")


def seconds(work: Callable[[], object], times: int, repeats: int = 3) -> float:
    """CPU seconds of one call: the median of some repeats."""
    found = []
    for _ in range(repeats):
        began = time.process_time()
        for _ in range(times):
            work()
        found.append((time.process_time() - began) / times)
    return median(found)


def ours() -> dict[str, Any]:
    """Our retail desk at no less than their size."""
    base = base_of("retail", 0, CUSTOMERS)
    db = Tables(base)
    batches = [talk("desk-oracle", seed, customers=CUSTOMERS) for seed in range(CONVERSATIONS)]
    games, traces = [batch.state.games[0] for batch in batches], [batch.trace() for batch in batches]
    assert all(regrade(game).grade.reward == 1 for game in games)
    flip = [0]

    def write_and_hash() -> str:
        flip[0] ^= 1
        db.update("orders", "OR10000", status=("pending", "shipped")[flip[0]])
        return db.hash()

    tool, desk = domain_named("retail").tools["get_customer"], fresh_desk(domain_named("retail"), 0, CUSTOMERS)
    return {
        "load": seconds(lambda: Tables(base), 10_000),
        "hash": seconds(write_and_hash, 10_000),
        "grade": seconds(lambda: [game.grade() for game in games], 200) / CONVERSATIONS,
        "grade, run again": seconds(lambda: [regrade(game) for game in games], 50) / CONVERSATIONS,
        "grade, trace replayed": seconds(lambda: [trace.replay() for trace in traces], 3) / CONVERSATIONS,
        "call": seconds(lambda: tool.run(desk, {"customer_id": "CU10000"}), 10_000),
        "users": len(base.tables["customers"]),
        "orders": len(base.tables["orders"]),
        "bytes": len(json.dumps(base.tables)),
    }


def theirs() -> dict[str, Any] | None:
    """tau2-bench's retail desk, None where it is not installed."""
    python = Path(os.environ.get("LUDARIUM_TAU2_PYTHON") or ROOT / ".venvs/tau2/bin/python")
    if not python.exists() or "TAU2_DATA_DIR" not in os.environ:
        return None
    script = ROOT / "benchmarks/peers/tau2_desk.py"
    done = subprocess.run([str(python), str(script)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return dict(json.loads(done.stdout.splitlines()[-1]))


def speed() -> None:
    """Print the table of speeds."""
    mine, peer = ours(), theirs()
    print(f"ours: {mine['users']} users, {mine['orders']} orders, {mine['bytes'] / 1e6:.2f} MB of JSON")
    if peer is None:
        print("tau2-bench is not installed (see this file's first lines): our side alone")
    else:
        print(f"tau2: {peer['users']} users, {peer['orders']} orders, {peer['bytes'] / 1e6:.2f} MB of JSON")
    for name in ("load", "hash", "grade", "grade, run again", "grade, trace replayed", "call"):
        line = f"{name:22}{1e6 * mine[name]:12.1f} us"
        if peer is not None:
            other = peer[name.split(",")[0]]
            line += f"{1e6 * other:14.1f} us{other / mine[name]:12,.0f} x"
        print(line)


def scores(tasks: int) -> None:
    """Print how agents do, and how many shapes the gold plans have."""
    for name in DOMAINS:
        for split in SPLITS:
            domain = domain_named(name)
            shapes = {shape(draw_task(domain, seed, 0, 500, "any", split, 3)) for seed in range(tasks)}
            line = f"{name:9}{split:7}{tasks} tasks, {len(shapes)} shapes:"
            for agent in AGENTS:
                won = [metrics(talk(agent, seed, domain=name, split=split))["success"] for seed in range(tasks)]
                line += f"  {agent} {np.mean(won):.3f}"
            print(line, flush=True)


def main() -> None:
    """Speeds, then scores."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else "")
    parser.add_argument("--tasks", type=int, default=0, help="tasks a split on which all agents are scored")
    options = parser.parse_args()
    speed()
    if options.tasks:
        scores(options.tasks)


if __name__ == "__main__":
    main()
