"""Plays the lifelong planners on the frozen scenarios of the POGEMA benchmark and compares their throughput.

    python benchmarks/mapf_quality.py DATA --out rows.jsonl [--published FOLDER] [--sets random mazes] [--every 8]

DATA holds the benchmark's `*.lmapf.yaml` and `*.maps.yaml`; FOLDER its `raw_data_LMAPF/<set>/RHCR.json`, each
saved as `<set>.RHCR.json`, for ratios paired by scenario. Every joint move is checked (the `soft` rule carries
out plans without conflicts as they are), and no throughput may pass the collision-free bound. Rows are
appended as they come, and those already in the file are not played again. `--own` plays the suite's own scenarios.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from frozen import SETS, Frozen, load_frozen
from numpy.typing import NDArray

from ludarium.agents.mapf.bound import throughput_bound
from ludarium.agents.mapf.planner import Planner, PlannerView
from ludarium.agents.registry import make_agent
from ludarium.leaderboards.episode import Unit
from ludarium.leaderboards.episode import play as play_unit
from ludarium.scenarios.loader import load

PLANNERS = ("pibt", "lns", "rhcr")
AHEAD = 24  # goals shown beyond the present one, enough for every window
_STEP = np.array([[0, 0], [-1, 0], [1, 0], [0, -1], [0, 1]])


def check_move(grid: NDArray[np.uint8], pos: NDArray[np.int32], after: NDArray[np.int32]) -> None:
    """Raise if a joint move enters an obstacle, doubles a cell or swaps two agents."""
    who = np.full(grid.size, -1, np.int64)
    who[pos] = np.arange(len(pos))
    other = who[after]
    swaps = (other >= 0) & (other != np.arange(len(pos))) & (after[other] == pos)
    if grid.reshape(-1)[after].any() or len(np.unique(after)) < len(after) or swaps.any():
        raise AssertionError(f"a planner made an impossible joint move from {pos.tolist()} to {after.tolist()}")


def play(scenario: Frozen, agent: Planner, max_steps: int, seed: int = 0) -> tuple[float, float]:
    """Play one lifelong episode; return its throughput and the agent's CPU seconds."""
    grid, lengths, robots = scenario.grid, scenario.lengths, np.arange(len(scenario.starts))
    pos, reached = scenario.starts.copy(), np.zeros(len(robots), np.int64)
    shift = _STEP @ np.array([grid.shape[1], 1])
    cpu = 0.0
    for t in range(max_steps):
        goal = scenario.goals[robots, reached % lengths]
        later = (reached[:, None] + 1 + np.arange(AHEAD)) % lengths[:, None]
        view = PlannerView(
            grid=grid,
            pos=pos,
            goal=goal,
            active=np.ones(len(robots), bool),
            upcoming=scenario.goals[robots[:, None], later],
            t=t,
            max_steps=max_steps,
            lifelong=True,
        )
        began = time.process_time()
        if t == 0:
            agent.begin(view, seed)
        actions = np.asarray(agent.decide(view))
        cpu += time.process_time() - began
        after = (pos + shift[actions]).astype(np.int32)
        check_move(grid, pos, after)
        pos = after
        reached += pos == goal
    return float(reached.sum()) / max_steps, cpu


def published(folder: Path | None, name: str, algorithm: str = "RHCR") -> dict[tuple[str, int, int], float]:
    """Read a benchmark's result file as throughput by (map, seed, agents)."""
    path = folder / f"{SETS[name][0]}.{algorithm}.json" if folder else None
    if path is None or not path.exists():
        return {}
    table = {}
    for entry in json.loads(path.read_text(encoding="utf-8")):
        key = entry["env_grid_search"]
        where = (key.get("map_name", ""), int(key.get("seed", 0)), int(key["num_agents"]))
        table[where] = float(entry["metrics"]["avg_throughput"])
    return table


OWN = ("mapf-random", "mapf-maze", "mapf-room", "mapf-warehouse", "mapf-city", "mapf-puzzles")


def own_rows(name: str, planners: list[str], episodes: int) -> Iterator[dict[str, Any]]:
    """Play one of the suite's own scenarios at its largest count, in the environment itself."""
    scenario = load(name)
    case = max(scenario.cases, key=lambda one: one.config["num_robots"])
    split = scenario.default_split
    for planner in planners:
        began = True
        for seed in case.splits[split][:episodes]:
            unit = Unit(planner, planner, case.name, seed, 0)
            if began:
                play_unit(scenario, unit)  # compile
            began = False
            played = play_unit(scenario, unit)
            bound, throughput = played.row["bounds"]["throughput"], played.row["metrics"]["throughput"]
            if played.row["turns_lost"] or throughput > bound + 1e-9:
                raise AssertionError(f"{planner} on {name} {seed}: {played.row}")
            row = {"set": name, "agents": case.config["num_robots"], "scenario": str(seed), "planner": planner}
            yield {**row, "throughput": throughput, "bound": bound, "cpu": played.timing["cpu_s"], "published": None}


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def measure(args: argparse.Namespace) -> None:
    """Play what is not in the file of rows yet."""
    played = {(r["set"], r["agents"], r["scenario"], r["planner"]) for r in _rows(args.out)}
    with args.out.open("a", encoding="utf-8") as stream:
        for name in args.sets:
            _, counts, max_steps = SETS[name]
            scenarios = load_frozen(args.data, name)
            truth = published(args.published, name)
            for planner in args.planners:
                play(scenarios[0].first(2), make_agent(planner), 4)  # compile
            for count in [c for c in counts if not args.agents or c in args.agents]:
                for scenario in scenarios[args.offset :: args.every]:
                    part = scenario.first(count)
                    todo = [p for p in args.planners if (name, count, scenario.name, p) not in played]
                    if not todo:
                        continue
                    bound = throughput_bound(part.grid, part.starts, part.goals, max_steps, part.lengths)
                    told = truth.get((part.map_name, part.seed, count)) or truth.get((part.map_name, 0, count))
                    for planner in todo:
                        throughput, cpu = play(part, make_agent(planner), max_steps)
                        if throughput > bound + 1e-9:
                            raise AssertionError(f"{planner} on {part.name}: {throughput} is above the bound {bound}")
                        row = {"set": name, "agents": count, "scenario": scenario.name, "planner": planner}
                        row.update(throughput=throughput, bound=bound, cpu=cpu, published=told)
                        stream.write(json.dumps(row) + "\n")
                    stream.flush()


def ratio_interval(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the ratio of means and its 95 % bootstrap interval over paired scenarios (4,000 resamples)."""
    picks = np.random.default_rng(0).integers(len(ours), size=(4000, len(ours)))
    ratios = ours[picks].mean(axis=1) / theirs[picks].mean(axis=1)
    low, high = np.percentile(ratios, [2.5, 97.5])
    return float(ours.mean() / theirs.mean()), float(low), float(high)


def _cell(rows: Iterable[dict[str, Any]], what: Callable[[dict[str, Any]], float]) -> str:
    values = [what(r) for r in rows]
    return f"{np.mean(values):.3f}" if values else "-"


def report(rows: list[dict[str, Any]]) -> str:
    """Return the table: means over scenarios, then ratios paired by scenario with their intervals."""
    head = ["set", "agents", "n", "UB", *PLANNERS, "published", "lns/UB", "lns/published [95 %]", "lns/rhcr [95 %]"]
    lines = [head + [f"CPU {p}" for p in PLANNERS]]
    for name, count in sorted({(r["set"], r["agents"]) for r in rows}):
        here = [r for r in rows if (r["set"], r["agents"]) == (name, count)]
        by = {p: {r["scenario"]: r for r in here if r["planner"] == p} for p in PLANNERS}
        lns = by["lns"]
        line = [name, str(count), str(len(lns)), _cell(lns.values(), lambda r: r["bound"])]
        line += [_cell(by[p].values(), lambda r: r["throughput"]) for p in PLANNERS]
        told = [r for r in lns.values() if r["published"]]
        line.append(_cell(told, lambda r: r["published"]))
        line.append(_cell(lns.values(), lambda r: r["throughput"] / r["bound"]))
        for pairs in (
            [(r["throughput"], r["published"]) for r in told],
            [(r["throughput"], by["rhcr"][k]["throughput"]) for k, r in lns.items() if k in by["rhcr"]],
        ):
            if len(pairs) < 2:
                line.append("-")
                continue
            values = np.array(pairs, np.float64)
            line.append("{:.3f} [{:.3f}, {:.3f}]".format(*ratio_interval(values[:, 0], values[:, 1])))
        lines.append(line + [_cell(by[p].values(), lambda r: r["cpu"]) for p in PLANNERS])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(c.rjust(w) for c, w in zip(line, widths, strict=True)) for line in lines)


def main() -> None:
    """Measure, then print the table of everything in the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of the benchmark's yaml files")
    parser.add_argument("--out", type=Path, required=True, help="file of rows, one JSON object a line")
    parser.add_argument("--published", type=Path, help="folder with <set>.RHCR.json")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--planners", nargs="+", default=list(PLANNERS), choices=PLANNERS)
    parser.add_argument("--agents", nargs="*", type=int, help="only these agent counts")
    parser.add_argument("--every", type=int, default=1, help="only every k-th scenario")
    parser.add_argument("--offset", type=int, default=0, help="start at this scenario")
    parser.add_argument("--own", type=int, default=0, help="so many episodes of the suite's own scenarios instead")
    args = parser.parse_args()
    if args.own:
        with args.out.open("a", encoding="utf-8") as stream:
            for name in OWN:
                for row in own_rows(name, args.planners, args.own):
                    stream.write(json.dumps(row) + "\n")
    else:
        measure(args)
    print(report(_rows(args.out)))


if __name__ == "__main__":
    main()
