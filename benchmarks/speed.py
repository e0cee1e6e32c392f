"""The speed table: this suite beside its peers, in one run. `python benchmarks/speed.py [--rows S1,S4] [--cheap]`.

Every figure comes from a child process of its own; ours and the peers' alternate, and the median of the repeats
counts. The main figure is units a CPU-second (`time.process_time`), which other jobs disturb less than wall time; wall
figures are in the JSON. Peers run in `.venvs` (`make peers`); a row whose peer is missing keeps only our own figure.
`--json FILE` writes all; `--check FILE` fails when a ratio is under 0.7 of the one in FILE (the cheap rows: `make
bench-check`); `--baseline FILE` writes that file: ratios and machine facts, no times.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "peers"))
import setup as peers  # noqa: E402

SOFT = {"on_target": "restart", "collision": "soft", "observation": "default", "seed": 0}
UNITS = {"reset": "resets", "pibt": "decisions"}
FLOOR = 0.7


class Row(NamedTuple):
    """One line of the table. `must` and `stretch` bound the ratio, or our own figure where there is no peer."""

    id: str
    title: str
    must: float | None
    stretch: float | None
    ours: dict[str, Any]
    peer: str = ""
    theirs: dict[str, Any] = {}  # noqa: RUF012  (never written)
    cheap: bool = False


def shape(side: int, robots: int, **more: Any) -> dict[str, Any]:
    """A POGEMA configuration of the spec."""
    return SOFT | {"height": side, "width": side, "robots": robots} | more


def pogema(
    row: str, title: str, bounds: tuple[float, float], base: dict[str, Any], cheap: bool = False, **ours: Any
) -> Row:
    """A row against POGEMA in the same configuration; `ours` adds what only our side has."""
    what = {"what": "reset" if ours.get("what") == "reset" else "step"}
    return Row(row, title, *bounds, base | ours, "pogema", base | what, cheap)


def table() -> list[Row]:
    """The rows S1-S8 and S10 of the specification, and those of the issue."""
    s1, s2, dense, crowd = shape(16, 8), shape(64, 64), shape(64, 256), shape(256, 1024)
    part, off = {"observation": "POMAPF"}, {"observation": "none"}
    byte, rows = {"dtype": "uint8"}, {"what": "batch", "rows": 64}
    tiny = {
        "height": 10,
        "width": 11,
        "robots": 2,
        "density": 0.2,
        "collision": "soft",
        "seed": 0,
        "observation": "default",
    }
    medium = tiny | {"height": 20, "width": 16, "robots": 6}
    board = tiny | {"height": 10, "width": 10, "robots": 10}
    trains, rails = tiny | {"height": 35, "width": 35, "robots": 10}, {"side": 35, "trains": 10}
    huge = shape(512, 10_000, what="batch", rows=1) | off
    return [
        pogema("S1", "one env, 8 robots, 16x16", (15, 25), s1, cheap=True, what="single"),
        pogema("S1p", "the same, POMAPF observations", (15, 25), s1 | part, what="single"),
        pogema("S2a", "one env, 64 robots, 64x64", (40, 60), s2, what="single"),
        pogema("S2b", "one env, 256 robots, 64x64", (40, 60), dense, what="single"),
        pogema("S2p", "one env, 64 robots, 64x64, POMAPF", (40, 60), s2 | part, what="single"),
        pogema("S3", "one env, 1024 robots, 256x256, PIBT moves", (50, 100), crowd, what="single", walk=True),
        pogema("S4", "64 envs, 8 robots, 16x16", (60, 85), s1, cheap=True, what="vector", rows=64),
        pogema("S5", "simulation only, 64 robots, 64x64", (200, 300), s2, cheap=True, **rows, **off),
        pogema("U64", "uint8 batched, 64 robots, 64x64", (100, 150), s2, cheap=True, **rows, **byte),
        pogema("U256", "uint8 batched, 256 robots, 64x64", (100, 150), dense, **rows, **byte),
        pogema("X64", "simulation only batched, 64 robots", (250, 330), s2, **rows, **off),
        pogema("X256", "simulation only batched, 256 robots", (250, 330), dense, **rows, **off),
        pogema("S6a", "reset, 64 robots, 64x64, lifelong", (10, 50), s2, cheap=True, what="reset"),
        pogema("S6b", "reset, 1024 robots, 256x256", (10, 50), crowd, what="reset"),
        Row("S7a", "64 envs, own windows; Jumanji Connector", 1, 1.3, board | rows | byte, "jumanji", {"rows": 64}),
        Row("S7b", "64 envs, observations off; Jumanji Connector", 3, 5, board | rows | off, "jumanji", {"rows": 64}),
        Row("S8a", "64 envs; RWARE tiny", 200, 500, tiny | rows, "rware", {"id": "rware-tiny-2ag-v2"}),
        Row("S8b", "64 envs; RWARE medium", 200, 500, medium | rows, "rware", {"id": "rware-medium-6ag-v2"}),
        Row("S8c", "64 envs, no observations; Flatland", 100, 200, trains | rows | off, "flatland", rails),
        Row("S10", "PIBT, 400 robots, random 32x32; pypibt", 15, 40, {"what": "pibt", "robots": 400}, "pypibt"),
        Row("B10k", "10,000 robots, 512x512, simulation only", 10e6, None, huge),
        *[
            Row(f"T{kind}", f"64 x 64 robots, {kind}; plain C twin", 0.8, 0.95, {}, "twin",
                {"rows": 64, "robots": 64, "height": 64, "width": 64, "dtype": kind}, kind == "uint8")
            for kind in ("uint8", "float32", "none")
        ],
    ]  # fmt: skip


# --- children --------------------------------------------------------------------------------------------------------
def child(python: Path | str, script: Path, spec: dict[str, Any]) -> dict[str, float] | None:
    """Run one measurement in a process of its own; None, with a word on stderr, if it fails."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LUDARIUM_QUIET": "1"}
    command = [str(python), "-W", "ignore", str(script), json.dumps(spec)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        print(f"{script.name}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.strip().splitlines()[-1])


def commands(row: Row, seconds: float, scratch: Path) -> dict[str, tuple[Path | str, Path, dict[str, Any]]]:
    """Who is measured for a row: name -> interpreter, script, spec. Peers that are not there are left out."""
    extra: dict[str, Any] = {"seconds": seconds}
    if row.ours.get("walk"):
        extra["actions"] = str(moves(row.ours, scratch))
    if row.peer == "pypibt":
        extra["instance"] = str(crowd(row.ours["robots"], scratch))
    if row.peer == "twin":
        return {"twin": (sys.executable, HERE / "twin" / "twin.py", row.theirs | extra)}
    found: dict[str, Any] = {"ours": (sys.executable, HERE / "ours.py", row.ours | extra)}
    for name in ("pogema", "pogema2") if row.peer == "pogema" else (row.peer,) if row.peer else ():
        python = peers.python_of(name)
        if name == "pypibt":
            python = Path(sys.executable) if os.environ.get("LUDARIUM_PYPIBT") else None
        if python is not None:
            script = "bench_pogema.py" if name == "pogema2" else f"bench_{name}.py"
            found[name] = (python, HERE / "peers" / script, row.theirs | extra)
    return found


def measure(row: Row, seconds: float, repeats: int, scratch: Path) -> dict[str, Any]:
    """All figures of a row: medians by name, in units a CPU-second and a wall second, and the ratios."""
    plan = commands(row, seconds, scratch)
    got: dict[str, list[dict[str, float]]] = {name: [] for name in plan}
    for _ in range(repeats):
        for name, command in plan.items():
            figures = child(*command)
            if figures is not None:
                got[name].append(figures)
    if row.peer == "twin":
        runs = got.pop("twin")
        got = {name: [{"cpu": run[key]} for run in runs] for name, key in (("ours", "kernels"), ("twin", "twin"))}
    middle = {
        name: {clock: statistics.median(run[clock] for run in runs) for clock in ("cpu", "wall") if clock in runs[0]}
        for name, runs in got.items()
        if runs
    }
    ours = middle.get("ours", {}).get("cpu", 0.0)
    ratios = {name: ours / figures["cpu"] for name, figures in middle.items() if name != "ours"}
    return {
        "id": row.id,
        "title": row.title,
        "figures": middle,
        "ratios": ratios,
        "must": row.must,
        "stretch": row.stretch,
    }


def moves(spec: dict[str, Any], scratch: Path, steps: int = 200) -> Path:
    """PIBT's moves in the episode that POGEMA makes from the same seed, one line of digits a step."""
    import numpy as np

    from ludarium.agents.mapf.pibt import PIBT
    from ludarium.envs.core.batch import Batch
    from ludarium.envs.core.registry import make_simulator

    path = scratch / f"moves-{spec['height']}-{spec['robots']}.txt"
    if path.exists():
        return path
    simulator = make_simulator(
        "mapf-lifelong-v0", height=spec["height"], width=spec["width"], density=0.3, num_robots=spec["robots"],
        observation="none", compat="pogema", max_steps=steps,
    )  # fmt: skip
    batch, every, planner = Batch(simulator, 1, "mapf-lifelong-v0", record=False), np.ones(1, np.bool_), PIBT()
    batch.seed(every, [spec["seed"]])
    batch.reset(every)
    planner.begin(simulator.full(batch.state, 0), 0)
    lines = []
    while not batch.over.all():
        joint = planner.decide(simulator.full(batch.state, 0))
        lines.append("".join(map(str, joint.tolist())))
        batch.put(0, joint[None])
        batch.step()
    path.write_text("\n".join(lines))
    return path


def crowd(robots: int, scratch: Path) -> Path:
    """A one-shot instance on a random 32x32 map of density 0.1, as JSON."""
    from ludarium.envs.core.registry import make_simulator

    path = scratch / f"crowd-{robots}.json"
    if not path.exists():
        simulator = make_simulator("mapf-v0", height=32, width=32, density=0.1, num_robots=robots)
        path.write_text(json.dumps(simulator.instance(0).as_data()))
    return path


# --- what is printed and kept ----------------------------------------------------------------------------------------
def verdict(result: dict[str, Any]) -> str:
    """Which bound is met, by the first peer, or by our own figure where a row has none."""
    value = next(iter(result["ratios"].values()), None)
    if result["must"] and result["must"] > 1e4:
        value = result["figures"]["ours"]["cpu"]
    if value is None or result["must"] is None:
        return "no peer"
    if result["stretch"] and value >= result["stretch"]:
        return "stretch"
    return "must" if value >= result["must"] else "MISSED"


def line(result: dict[str, Any]) -> str:
    """One line of the table."""
    figures = {name: f"{found['cpu']:,.0f}" for name, found in result["figures"].items()}
    others = "  ".join(
        f"{name} {value} ({result['ratios'][name]:.2f}x)" for name, value in figures.items() if name != "ours"
    )
    bound = f"{result['must']:g}" + (f"/{result['stretch']:g}" if result["stretch"] else "")
    return (
        f"{result['id']:9}{result['title']:50}{figures.get('ours', '-'):>13}  {bound:>9}  {verdict(result):8}{others}"
    )


def machine() -> dict[str, Any]:
    """Facts about the machine; ratios move with them."""
    import numba
    import numpy

    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = {row.split(":", 1)[1].strip() for row in text.splitlines() if row.startswith("model name")}
    return {
        "processor": sorted(names)[0] if names else platform.processor(), "cores": os.cpu_count(),
        "system": platform.system(), "python": platform.python_version(),
        "numba": numba.__version__, "numpy": numpy.__version__,
    }  # fmt: skip


def under(results: list[dict[str, Any]], baseline: dict[str, Any]) -> list[str]:
    """The ratios that fell under 0.7 of the baseline's."""
    found = []
    for result in results:
        for name, ratio in result["ratios"].items():
            before = baseline["ratios"].get(f"{result['id']}/{name}")
            if before is not None and ratio < FLOOR * before:
                found.append(f"{result['id']} against {name}: {ratio:.2f}x, the baseline {before:.2f}x")
    return found


def main() -> int:
    """Measure, print, keep, check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", help="ids, with commas between; all without it")
    parser.add_argument("--cheap", action="store_true", help="the cheap rows only, shorter")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, help="CPU-seconds a measurement (2; cheap 0.6)")
    for name in ("json", "baseline", "check"):
        parser.add_argument(f"--{name}", type=Path, metavar="FILE")
    given = parser.parse_args()
    wanted = given.rows.split(",") if given.rows else None
    rows = [row for row in table() if (row.id in wanted if wanted else row.cheap or not given.cheap)]
    if wanted and len(rows) != len(wanted):
        parser.error(f"known rows: {', '.join(row.id for row in table())}")
    seconds = given.seconds or (0.6 if given.cheap else 2.0)
    print(f"{'row':9}{'':50}{'ours':>13}  {'must/str.':>9}  {'':8}peers (units a CPU-second, and our ratio)")
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for row in rows:
            results.append(measure(row, seconds, given.repeats, Path(folder)))
            print(line(results[-1]), flush=True)
    ratios = {f"{r['id']}/{name}": round(ratio, 3) for r in results for name, ratio in r["ratios"].items()}
    if given.json:
        given.json.write_text(json.dumps({"machine": machine(), "rows": results}, indent=1) + "\n")
    if given.baseline:
        given.baseline.write_text(json.dumps({"machine": machine(), "ratios": ratios}, indent=1) + "\n")
    if not given.check:
        return 0
    fallen = under(results, json.loads(given.check.read_text()))
    print("\n".join(fallen) or f"no ratio is under {FLOOR} of the baseline")
    return 1 if fallen or not ratios else 0


if __name__ == "__main__":
    sys.exit(main())
