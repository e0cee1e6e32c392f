"""Runs: agents over a scenario, in parallel processes, into a folder that survives a crash at any moment."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ludarium.agents.registry import make_agent
from ludarium.envs.core.errors import AgentError, RunError, ScenarioError, did_you_mean
from ludarium.leaderboards.episode import Unit, check_agent, check_case, play, save
from ludarium.leaderboards.folder import FORMAT, RunFolder, units_of
from ludarium.leaderboards.threads import play_in_threads
from ludarium.leaderboards.workers import play_in_workers
from ludarium.scenarios.loader import Scenario, load

__all__ = ["Progress", "RunResult", "make_manifest", "run"]


class RunResult(NamedTuple):
    """A finished run."""

    root: Path
    digest: str
    rows: list[dict[str, Any]]
    played: int
    """Episodes that this call played; the others were there."""


class Progress(Protocol):
    """Who wants to know how far a run is."""

    def __call__(self, done: int, total: int, row: dict[str, Any] | None) -> None:
        """`done` of `total` episodes are on disk; `row` is the newest."""


def _nobody(done: int, total: int, row: dict[str, Any] | None) -> None:
    pass


def make_manifest(
    scenario: Scenario,
    agents: Sequence[str],
    split: str | None = None,
    episodes: int | None = None,
    cases: Sequence[str] | None = None,
    allow_code: bool = True,
) -> dict[str, Any]:
    """All that must repeat of a run; typed errors for agents, splits and cases that do not exist or do not fit."""
    from ludarium.envs.core.compile import kernel_hash

    if not agents or len(set(agents)) != len(agents):
        raise AgentError(f"agents = {list(agents)}; expected at least one, none of them twice")
    split = scenario.default_split if split is None else split
    if split not in scenario.splits:
        raise ScenarioError(f"scenario {scenario.name!r} has no split {split!r}{did_you_mean(split, scenario.splits)}")
    if episodes is not None and episodes < 1:
        raise RunError(f"episodes = {episodes}; expected at least 1")
    chosen = None if cases is None else [scenario.case(name).name for name in cases]
    modules = set()
    for name in agents:
        agent = check_agent(name, scenario, allow_code)
        modules.add(type(agent).__module__)
        try:
            for case in scenario.cases:
                if chosen is None or case.name in chosen:
                    batch = check_case(scenario, case, case.splits[split][0], agent)
                    modules.add(type(batch.simulator).__module__)
        finally:
            getattr(agent, "close", lambda: None)()
    return {
        "format": FORMAT,
        "scenario": {"name": scenario.name, "version": scenario.version, "hash": scenario.hash},
        "environment": scenario.environment,
        "split": split,
        "episodes": episodes,
        "cases": chosen,
        "agents": list(agents),
        "ludarium": importlib.metadata.version("ludarium"),
        "kernels": {module: kernel_hash(module) for module in sorted(modules)},
    }


def _host(jobs: int) -> dict[str, Any]:
    """Facts about the machine, for `timing.jsonl`."""
    packages = {name: importlib.metadata.version(name) for name in ("numpy", "numba", "gymnasium", "zstandard")}
    return {
        "platform": platform.platform(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "jobs": jobs,
        "packages": packages,
    }


def _jobs(jobs: int | None) -> int:
    if jobs is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if jobs < 0:
        raise RunError(f"jobs = {jobs}; expected 0 (in this process) or more")
    return jobs


def run(
    scenario: str | Scenario,
    agents: Sequence[str],
    out: str | os.PathLike[str],
    *,
    split: str | None = None,
    episodes: int | None = None,
    cases: Sequence[str] | None = None,
    jobs: int | None = None,
    concurrency: int = 16,
    resume: bool = False,
    allow_code: bool = True,
    progress: Progress = _nobody,
) -> RunResult:
    """Play every agent over a scenario into the folder `out`; return what is there when all episodes are.

    `episodes` takes the first seeds of each case only; `jobs` is the number of worker processes (None: one a processor;
    0: all in this process, where an agent that kills its process kills the run); `concurrency` is the number of episodes
    at once of agents that mostly wait, such as language models, which play in threads of this process. With `resume`,
    episodes that are on disk are not played again. Raises `ScenarioError`, `AgentError`, `ConfigError` before anything is
    written, and `RunError` when the folder cannot be written; finished episodes are safe then, and after
    `KeyboardInterrupt`.
    """
    chosen = load(scenario) if isinstance(scenario, str) else scenario
    manifest = make_manifest(chosen, agents, split, episodes, cases, allow_code)
    workers = _jobs(jobs)
    if concurrency < 1:
        raise RunError(f"concurrency = {concurrency}; expected at least 1")
    folder = RunFolder.create(out, manifest, chosen, resume)
    try:
        units = units_of(chosen, manifest)
        order = {unit.key: n for n, unit in enumerate(units)}
        rows = _known_rows(folder, folder.begin(_host(workers)), order)
        todo = [unit for unit in units if unit.key not in rows]
        played = len(todo)

        def finished(row: dict[str, Any], timing: dict[str, Any]) -> None:
            folder.append(row)
            folder.timing(timing)
            rows[_key(row)] = row
            progress(len(rows), len(units), row)

        progress(len(rows), len(units), None)
        waiting = _waiting(chosen, agents, allow_code)
        _play(folder, chosen, [unit for unit in todo if unit.agent not in waiting], workers, finished)
        talks = [unit for unit in todo if unit.agent in waiting]
        play_in_threads(folder.root, chosen, talks, concurrency, finished)
        ordered = sorted(rows.values(), key=lambda row: order[_key(row)])
        return RunResult(folder.root, folder.finish(ordered), ordered, played)
    finally:
        folder.close()


def _waiting(scenario: Scenario, agents: Sequence[str], allow_code: bool) -> set[str]:
    """The agents whose episodes mostly wait: for them, or for one that the scenario seats beside them."""

    def waits(name: str, allowed: bool) -> bool:
        return bool(getattr(make_agent(name, allowed), "waits", False))

    if any(waits(name, True) for name in scenario.seats.values()):  # the loader has seen to what may be named there
        return set(agents)
    return {name for name in agents if waits(name, allow_code)}


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in ("agent", "case", "seed", "trial"))


def _known_rows(folder: RunFolder, found: list[dict[str, Any]], order: dict[Any, int]) -> dict[Any, dict[str, Any]]:
    """The rows on disk by episode; `RunError` for one that does not belong here or stands twice."""
    rows: dict[Any, dict[str, Any]] = {}
    for row in found:
        key = _key(row)
        if key not in order or key in rows:
            what = "stands twice" if key in rows else "is not of this run"
            raise RunError(
                f"{folder.root}/episodes.jsonl: the episode {key} {what}; restore the file or begin a new run"
            )
        rows[key] = row
    return rows


def _play(
    folder: RunFolder,
    scenario: Scenario,
    units: list[Unit],
    jobs: int,
    finished: Callable[[dict[str, Any], dict[str, Any]], None],
) -> None:
    if jobs:
        play_in_workers(folder.root, units, jobs, scenario.episode_seconds, finished)
        return
    sys.stdout.flush()
    for unit in units:
        played = play(scenario, unit)
        finished(save(played, unit, folder.root), {**played.timing, "pid": os.getpid()})
