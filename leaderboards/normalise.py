"""Normalised scores: 0 is what a random agent reaches in a case, 1 what a documented reference agent does.

The figures of both come from files under `references/`, one for a scenario and split. Each names the two agents, the run
that it was made from (its digest, which anyone can reach again by the command in the file) and the scenario's hash:
figures of another version are refused.
"""

from __future__ import annotations

import importlib.resources
import json
import shlex
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ludarium.envs.core.errors import FileFormatError, RunError, StatisticsError, did_you_mean
from ludarium.envs.core.files import write_whole
from ludarium.leaderboards.folder import RunFolder
from ludarium.leaderboards.stats import Scores
from ludarium.leaderboards.table import figures
from ludarium.scenarios.loader import Scenario

__all__ = ["Reference", "References", "load", "normalised", "normalised_scores", "of_run", "references_for", "save"]

_SAME = 1e-9
"""Figures of a metric that differ by less than this part of the larger are equal."""


class Reference(NamedTuple):
    """The means of a metric in a case."""

    random: float
    reference: float


@dataclass(frozen=True)
class References:
    """What the two documented agents reach in the cases of a scenario."""

    scenario: str
    version: int
    hash: str
    split: str
    random_agent: str
    reference_agent: str
    episodes: int
    """Of each agent in each case at most (the first seeds)."""
    run: str
    """Digest of the run that the figures come from."""
    command: str
    """What plays that run again."""
    ludarium: str
    cases: dict[str, dict[str, Reference]]

    @property
    def source(self) -> str:
        """In words, for the foot of a table."""
        return (
            f"0 is the mean of {self.random_agent}, 1 the mean of {self.reference_agent}, case by case, over the first "
            f"{self.episodes} episodes of split {self.split} in the run {self.run} (ludarium {self.ludarium}): {self.command}"
        )

    def scale_of(self, track: str, metric: str) -> str:
        """Where the scale of a track's scores stands: under the track's name, since scores end at its worst, or its metric."""
        return track if all(track in own for own in self.cases.values()) else metric

    def of(self, case: str, metric: str) -> Reference:
        """The figures of a metric in a case; `StatisticsError` where the file has none."""
        if case not in self.cases:
            raise StatisticsError(
                f"no references for case {case!r} of {self.scenario!r}{did_you_mean(case, self.cases)}"
            )
        if metric not in self.cases[case]:
            raise StatisticsError(
                f"no references for metric {metric!r} in case {case!r} of {self.scenario!r}"
                f"{did_you_mean(metric, self.cases[case])}"
            )
        return self.cases[case][metric]


def normalised(value: float, reference: Reference) -> float:
    """Return (value - random) / (reference - random), whichever of the two is larger.

    `StatisticsError` where they are equal: then the case cannot tell a good agent from chance.
    """
    span = reference.reference - reference.random
    if abs(span) <= _SAME * max(abs(reference.reference), abs(reference.random)):
        raise StatisticsError(
            f"the reference agent's mean {reference.reference:g} is that of the random agent; there is no scale between "
            "them: choose a stronger reference, or compare the metric as it is"
        )
    return (value - reference.random) / span


def normalised_scores(scores: Scores, references: References, metric: str) -> Scores:
    """The scores of a metric, each normalised in its own case; `StatisticsError` names a case where that cannot be."""
    values = np.array(scores.values)
    for case in dict.fromkeys(scores.cases):
        reference = references.of(case, metric)
        own = np.array([name == case for name in scores.cases])
        try:
            normalised(0.0, reference)
        except StatisticsError as error:
            raise StatisticsError(f"{metric!r} in case {case!r} of {references.scenario!r}: {error}") from error
        values[:, own] = (values[:, own] - reference.random) / (reference.reference - reference.random)
    return scores._replace(values=values)


def of_run(folder: str | PathLike[str], random: str, reference: str) -> References:
    """The references that a finished run of both agents yields; `RunError` if it is not finished or lacks one."""
    run = RunFolder.open(folder)
    scenario, result, manifest = run.scenario(), run.result(), run.manifest
    if result is None:
        raise RunError(f"{folder} is not finished; go on with it by --resume first")
    for agent in (random, reference):
        if agent not in manifest["agents"]:
            raise RunError(f"{folder} holds no episodes of {agent!r}{did_you_mean(agent, manifest['agents'])}")
    rows = run.rows()
    cases = {case: _case(rows, case, random, reference) for case in dict.fromkeys(row["case"] for row in rows)}
    only = "".join(f" --case {name}" for name in manifest["cases"] or ())
    first = "" if manifest["episodes"] is None else f" --episodes {manifest['episodes']}"
    agents = " ".join(f"--agent {shlex.quote(name)}" for name in manifest["agents"])
    return References(
        scenario=scenario.name,
        version=scenario.version,
        hash=scenario.hash,
        split=manifest["split"],
        random_agent=random,
        reference_agent=reference,
        episodes=max(len({row["seed"] for row in rows if row["case"] == case}) for case in cases),
        run=result["digest"],
        command=f"ludarium run {scenario.name} --split {manifest['split']}{only}{first} {agents}",
        ludarium=manifest["ludarium"],
        cases=cases,
    )


def _case(rows: Iterable[dict[str, Any]], case: str, random: str, reference: str) -> dict[str, Reference]:
    """The means of both agents in a case, of every metric that is a number in all their episodes."""
    found: dict[str, dict[str, list[float]]] = {random: {}, reference: {}}
    counts = dict.fromkeys(found, 0)
    for row in rows:
        if row["case"] == case and row["agent"] in found:
            counts[row["agent"]] += 1
            for name, value in figures(row).items():
                if isinstance(value, int | float) and np.isfinite(value):
                    found[row["agent"]].setdefault(name, []).append(float(value))
    whole = [
        name for name in found[random] if all(len(own.get(name, ())) == counts[agent] for agent, own in found.items())
    ]
    return {name: Reference(*(float(np.mean(found[agent][name])) for agent in (random, reference))) for name in whole}


_TEXTS = ("scenario", "hash", "split", "random_agent", "reference_agent", "run", "command", "ludarium")
_WHOLE = ("version", "episodes")


def save(references: References, path: str | PathLike[str]) -> Path:
    """Write a references file; `FileFormatError` if the disk refuses."""
    lines = [f"{name} = {json.dumps(getattr(references, name))}" for name in (*_TEXTS, *_WHOLE)]
    for case, metrics in references.cases.items():
        lines += ["", f"[cases.{json.dumps(case)}]"]
        lines += [
            f"{json.dumps(name)} = {{ random = {pair.random!r}, reference = {pair.reference!r} }}"
            for name, pair in metrics.items()
        ]
    target = Path(path)
    try:
        write_whole(target, ("\n".join(lines) + "\n").encode())
    except OSError as error:
        raise FileFormatError(path, f"cannot write: {error.strerror or error}") from error
    return target


def load(path: str | PathLike[str]) -> References:
    """Read a references file; `FileFormatError` names the file and what is wrong in it."""
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FileFormatError(path, f"cannot read the references: {error}") from error
    known = {**dict.fromkeys(_TEXTS, str), **dict.fromkeys(_WHOLE, int), "cases": dict}
    for name, value in content.items():
        if name not in known:
            raise FileFormatError(path, f"unknown key {name!r}{did_you_mean(name, known)}")
        if not isinstance(value, known[name]) or isinstance(value, bool):
            raise FileFormatError(path, f"{name} = {value!r:.80}; expected a value of type {known[name].__name__}")
    missing = [name for name in known if name not in content]
    if missing:
        raise FileFormatError(path, f"{missing[0]!r} is missing")
    cases = {case: _pairs(path, case, metrics) for case, metrics in content["cases"].items()}
    return References(**{**content, "cases": cases})


def _pairs(path: str | PathLike[str], case: str, metrics: Any) -> dict[str, Reference]:
    if not isinstance(metrics, dict):
        raise FileFormatError(path, f"case {case!r}: expected a table of metrics")
    found = {}
    for name, pair in metrics.items():
        if not isinstance(pair, dict) or set(pair) != {"random", "reference"}:
            raise FileFormatError(
                path, f"case {case!r}: {name} = {pair!r:.80}; expected {{ random = .., reference = .. }}"
            )
        if not all(isinstance(v, int | float) and not isinstance(v, bool) and np.isfinite(v) for v in pair.values()):
            raise FileFormatError(path, f"case {case!r}: {name} = {pair!r:.80}; expected finite numbers")
        found[name] = Reference(float(pair["random"]), float(pair["reference"]))
    return found


def references_for(scenario: Scenario, split: str) -> References | None:
    """The references that come with the suite, None where there are none for this scenario, version and split.

    `StatisticsError` where there are some, but for other content of the scenario.
    """
    path = Path(str(importlib.resources.files(__package__))) / "references" / f"{scenario.name}-{split}.toml"
    if not path.exists():
        return None
    found = load(path)
    if found.version == scenario.version and found.hash != scenario.hash:
        raise StatisticsError(
            f"the references of {scenario.name!r} are for the hash {found.hash}; this scenario has {scenario.hash}"
        )
    return found if (found.version, found.split) == (scenario.version, split) else None
