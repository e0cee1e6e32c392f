"""Verification: a run is believed when playing its traces again gives its rows, and nothing is missing or too much."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.config import Config
from ludarium.envs.core.errors import LudariumError, RunError
from ludarium.envs.core.registry import config_class, make_simulator, world
from ludarium.envs.core.replay import FLOAT_TOLERANCE, Replay, Replayer
from ludarium.envs.core.trace import Trace
from ludarium.leaderboards.episode import Unit, agent_seed, begin, bounds_of
from ludarium.leaderboards.folder import RunFolder, canonical, run_digest, units_of
from ludarium.scenarios.loader import Case, Scenario, file_hash

__all__ = ["Problem", "Report", "verify"]

_LOST = ("crash", "nonsense", "start", "died", "late", "fallback", "budget", "endpoint")
_TOGETHER = 64
"""Episodes that are in memory at once."""
_COUNTED = ("crash", "nonsense", "fallback", "budget", "endpoint")


class Problem(NamedTuple):
    """Something that does not hold: where, and what."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class Report(NamedTuple):
    """What verification found."""

    episodes: int
    """Episodes that were played again."""
    steps: int
    agent_steps: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    """What is worth knowing and proves nothing wrong."""
    digest: str
    cpu_s: float

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.problems


def verify(
    root: str | Path, *, progress: Callable[[int, int], None] = lambda done, total: None, first: bool = False
) -> Report:
    """Check a run folder by playing every trace again; with `first`, stop at the first problem.

    `RunError` if the folder holds no run that can be read at all.
    """
    began = time.process_time()
    checker = _Checker(RunFolder.open(root))
    found: list[Problem] = []
    for problem in checker.problems(progress):
        found.append(problem)
        if first:
            break
    spent = time.process_time() - began
    return Report(
        checker.episodes, checker.steps, checker.agent_steps, tuple(found), tuple(checker.notes), checker.digest, spent
    )


class _Checker:
    def __init__(self, run: RunFolder) -> None:
        self.run, self.root = run, run.root
        self.episodes = self.steps = self.agent_steps = 0
        self.notes: list[str] = []
        self.digest = ""
        self._replayer = Replayer()
        self._configs: dict[str, Config] = {}
        self._bounded: dict[tuple[str, int], dict[str, float]] = {}
        self._batches: dict[str, Batch] = {}

    def problems(self, progress: Callable[[int, int], None]) -> Iterator[Problem]:
        """All problems, in the order of the files."""
        try:
            scenario = self.run.scenario()
            yield from self._manifest(scenario)
            units = {unit.key: unit for unit in units_of(scenario, self.run.manifest)}
            rows = self.run.rows()
        except (LudariumError, KeyError, TypeError) as error:
            yield Problem("manifest.json", str(error))
            return
        yield from self._rows(rows, units)
        yield from self._files(units)
        known = [row for row in rows if _key(row) in units]
        for first in range(0, len(known), _TOGETHER):
            some = known[first : first + _TOGETHER]
            for done, found in enumerate(self._episodes(scenario, [(units[_key(row)], row) for row in some]), 1):
                yield from found
                progress(first + done, len(known))
        self.digest = run_digest(self.run.manifest, rows)
        yield from self._result(rows)

    def _manifest(self, scenario: Scenario) -> Iterator[Problem]:
        manifest = self.run.manifest
        expected = {"name": scenario.name, "version": scenario.version, "hash": scenario.hash}
        if manifest["scenario"] != expected:
            yield Problem("manifest.json", f"scenario is {manifest['scenario']}; scenario/ holds {expected}")
        if manifest.get("environment") != scenario.environment:
            yield Problem(
                "manifest.json", f"environment is {manifest.get('environment')!r}, not {scenario.environment!r}"
            )
        self._note_kernels(manifest.get("kernels"))
        if not self._simulator(scenario, scenario.cases[0]).reproducible:
            yield Problem("manifest.json", f"{scenario.environment} is not reproducible; replays prove nothing")

    def _simulator(self, scenario: Scenario, case: Case) -> Any:
        return make_simulator(scenario.environment, **case.config)

    def _note_kernels(self, kernels: Any) -> None:
        from ludarium.envs.core.compile import kernel_hash

        for module, made in kernels.items() if isinstance(kernels, dict) else ():
            if module.startswith("ludarium.envs.") and kernel_hash(module) != made:
                self.notes.append(f"{module} has changed since the run; the replay tells whether it matters")

    def _rows(self, rows: list[dict[str, Any]], units: dict[Any, Unit]) -> Iterator[Problem]:
        counts = Counter(_key(row) for row in rows)
        for number, row in enumerate(rows, 1):
            if _key(row) not in units:
                yield Problem(f"episodes.jsonl:{number}", f"the episode {_key(row)} is not of this run")
        for key, count in counts.items():
            if count > 1:
                yield Problem("episodes.jsonl", f"the episode {key} stands {count} times")
        missing = [key for key in units if key not in counts]
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            yield Problem("episodes.jsonl", f"no row for the episode {missing[0]}{more}; finish the run with --resume")

    def _files(self, units: dict[Any, Unit]) -> Iterator[Problem]:
        """Traces that belong to no episode; missing ones are found when they are played."""
        expected = {unit.trace for unit in units.values()}
        for path in sorted((self.root / "traces").rglob("*")):
            name = path.relative_to(self.root).as_posix()
            if path.is_file() and name not in expected:
                yield Problem(name, "belongs to no episode of this run")

    def _episodes(self, scenario: Scenario, some: list[tuple[Unit, dict[str, Any]]]) -> Iterator[list[Problem]]:
        """The problems of each of these episodes, which are replayed together."""
        loaded = [self._load(scenario, unit, row) for unit, row in some]
        played = iter(self._replayer.replay_all([trace for _, trace in loaded if trace is not None]))
        for (unit, row), (problems, trace) in zip(some, loaded, strict=True):
            if trace is not None:
                problems += self._played(scenario, unit, row, trace, next(played))
            yield problems

    def _load(self, scenario: Scenario, unit: Unit, row: dict[str, Any]) -> tuple[list[Problem], Trace | None]:
        """The trace of an episode, None if it is not to be replayed, and what is wrong with its file."""
        path, problems = self.root / unit.trace, []
        if row.get("trace") != unit.trace:
            problems.append(Problem(unit.trace, f"the row names another trace: {row.get('trace')!r}"))
        try:
            found = file_hash(path)
            trace = Trace.load(path)
        except (OSError, LudariumError) as error:
            missing = isinstance(error, FileNotFoundError)
            why = "the trace is missing" if missing else str(error).removeprefix(f"{path}: ")
            return [*problems, Problem(unit.trace, why)], None
        if found != row.get("trace_hash"):
            problems.append(Problem(unit.trace, f"the file's hash is {found}, the row says {row.get('trace_hash')}"))
        wrong = self._other_episode(scenario, unit, row, trace)
        if wrong:
            return [*problems, Problem(unit.trace, wrong)], None
        return problems, trace

    def _played(
        self, scenario: Scenario, unit: Unit, row: dict[str, Any], trace: Trace, played: Replay | LudariumError
    ) -> Iterator[Problem]:
        """What the replay of an episode shows to be wrong."""
        if not isinstance(played, Replay):
            yield Problem(unit.trace, f"does not replay: {played}")
            return
        self.episodes += 1
        self.steps += played.steps
        self.agent_steps += played.steps * sum(role["count"] for role in trace.header["roles"])
        if played.divergence is not None:
            yield Problem(unit.trace, f"the replay differs at {played.divergence}")
        if not played.result["over"]:
            yield Problem(unit.trace, f"the episode is not over after {played.steps} steps")
        yield from self._row(unit, row, trace, played.digest, played.result)
        yield from self._review(scenario, unit, row, trace)
        bounds = self._bounds(scenario, unit)
        if row.get("bounds") != bounds:
            yield Problem(unit.trace, f"the row says bounds = {row.get('bounds')!r}; they are {bounds!r}")

    def _review(self, scenario: Scenario, unit: Unit, row: dict[str, Any], trace: Trace) -> Iterator[Problem]:
        """Figures that were found by playing the trace are found again."""
        found = self._simulator(scenario, scenario.case(unit.case)).review(trace)
        given = row.get("review", {})
        if not isinstance(given, dict) or set(given) != set(found) or any(not _same(given[n], found[n]) for n in found):
            yield Problem(unit.trace, f"the row says review = {given!r}; it is {found!r}")

    def _bounds(self, scenario: Scenario, unit: Unit) -> dict[str, float]:
        """The bounds of an instance, which are the same for all agents."""
        place = unit.case, unit.seed
        if place not in self._bounded:
            case = scenario.case(unit.case)
            self._batches[case.name] = begin(scenario, case, unit.seed, self._batches.get(case.name))
            self._bounded[place] = bounds_of(self._batches[case.name])
        return self._bounded[place]

    def _other_episode(self, scenario: Scenario, unit: Unit, row: dict[str, Any], trace: Trace) -> str:
        """Why the trace is not of this unit, if it is not."""
        header, case = trace.header, scenario.case(unit.case)
        own = agent_seed(scenario, unit.case, unit.seed, unit.trial)
        wanted = {
            "id": scenario.environment,
            "config": self._config(scenario, case),
            "seed": unit.seed,
            "instance": case.instance,
            "agent": {"name": unit.agent, "seed": own},
            "scenario": {
                "name": scenario.name,
                "version": scenario.version,
                "hash": scenario.hash,
                "case": unit.case,
                "trial": unit.trial,
            },
        }
        for name, value in wanted.items():
            if canonical(header.get(name)) != canonical(value):
                return (
                    f"is of another episode: {name} is {canonical(header.get(name)):.200}, not {canonical(value):.200}"
                )
        if row.get("agent_seed") != own:
            return f"the row's agent_seed is {row.get('agent_seed')}, not {own}"
        return ""

    def _config(self, scenario: Scenario, case: Case) -> dict[str, Any]:
        """The options of a case as a trace's header gives them."""
        if case.name not in self._configs:
            defaults = dict(world(scenario.environment).defaults)
            self._configs[case.name] = config_class(scenario.environment).of(**{**defaults, **case.config})
        return self._configs[case.name].as_dict()

    def _row(
        self, unit: Unit, row: dict[str, Any], trace: Trace, digest: str, result: dict[str, Any]
    ) -> Iterator[Problem]:
        """Compare a row with what the replay gave."""
        for name, value in (("steps", result["steps"]), ("digest", digest)):
            if row.get(name) != value:
                yield Problem(unit.trace, f"the row says {name} = {row.get(name)!r}, the replay gives {value!r}")
        given = row.get("metrics")
        if not isinstance(given, dict):
            yield Problem(unit.trace, "the row has no metrics")
            return
        for name in sorted(set(given) | set(result["metrics"])):
            said, is_now = given.get(name), result["metrics"].get(name)
            if not _same(said, is_now):
                yield Problem(unit.trace, f"the row says {name} = {said!r}, the replay gives {is_now!r}")
        faults = row.get("faults")
        if not isinstance(faults, dict) or row.get("turns_lost") != sum(faults.values()) or set(faults) - set(_LOST):
            yield Problem(unit.trace, f"turns_lost = {row.get('turns_lost')!r} does not fit faults = {faults!r}")
        else:
            yield from self._faults(unit, faults, trace)

    def _faults(self, unit: Unit, faults: dict[str, int], trace: Trace) -> Iterator[Problem]:
        """Turns that were lost one by one are all among the events; whoever lost a whole episode is noted there once."""
        everyone = sum(role["count"] for role in trace.header["roles"])
        noted: Counter[str] = Counter()
        for event in trace.events:
            if event.get("status") == "default" and event.get("kind") in _LOST:
                noted[event["kind"]] += everyone if event["seats"] == "all" else len(event["seats"])
        for kind in _LOST:
            counted = kind in _COUNTED
            if noted[kind] != faults.get(kind, 0) if counted else bool(noted[kind]) != bool(faults.get(kind)):
                what = f"{noted[kind]} turns" if counted else "it" if noted[kind] else "nothing of it"
                yield Problem(unit.trace, f"the row says {kind} = {faults.get(kind, 0)}, the trace notes {what}")

    def _result(self, rows: list[dict[str, Any]]) -> Iterator[Problem]:
        try:
            result = self.run.result()
        except RunError as error:
            yield Problem("result.json", str(error))
            return
        if result is None:
            yield Problem("result.json", "is missing: the run is not finished; go on with --resume")
        elif result.get("digest") != self.digest:
            yield Problem("result.json", f"digest is {result.get('digest')}; manifest and rows give {self.digest}")
        elif result.get("episodes") != len(rows):
            yield Problem("result.json", f"episodes = {result.get('episodes')}; there are {len(rows)} rows")


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in ("agent", "case", "seed", "trial"))


def _same(a: Any, b: Any) -> bool:
    """Integers exactly, floats at 1e-9 relative."""
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (a != a and b != b) or abs(a - b) <= FLOAT_TOLERANCE * max(abs(a), abs(b))
    return type(a) is type(b) and bool(a == b)
