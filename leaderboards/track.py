"""Tracks: what a board measures. A TOML file that names a scenario by its hash, and says how its episodes become a score.

`name`, `version`, `title`, `scenario`, `scenario_hash`, `split`, `metric`, `higher_is_better` and `worst` must be there;
`episodes` takes the first seeds of each case only; `information` is what agents may know (by default what the scenario
permits), `classes` who may enter, `tiers` how results may be proved, `budgets` what an episode may take, `known_flaws`
what the board says beside its scores. An episode that is missing counts as `worst`, and so does one that is worse.
"""

from __future__ import annotations

import functools
import importlib.resources
import math
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

from ludarium.envs.core.errors import LudariumError, TrackError, did_you_mean
from ludarium.leaderboards.episode import with_bounds
from ludarium.scenarios.loader import INFORMATION, MAX_SEED, NAME, SPLITS, Scenario, content_hash, load
from ludarium.scenarios.reseed import reseeded
from ludarium.scenarios.tomlfile import TomlFile

__all__ = ["BOUNDED", "CLASSES", "TIERS", "Place", "Track", "load_track", "shipped_track", "track_names"]

CLASSES = ("planner", "learned", "llm", "human")
TIERS = ("replayed", "sealed", "hosted")
"""How a result may be proved: on public seeds; on those of a sealed round; step by step on the board's own machine."""
BOUNDED = "_of_bound"
"""How a metric ends that is a ratio to what no play of the instance can pass."""
_BUDGETS = ("steps", "tokens", "wall_s")
_TOP = ("budgets", "classes", "episodes", "higher_is_better", "information", "known_flaws", "metric", "name", "scenario",
        "scenario_hash", "split", "tiers", "title", "version", "worst")  # fmt: skip

Place = tuple[str, int, int]
"""An episode of a track: case, seed, trial."""


@dataclass(frozen=True)
class Track:
    """What is measured, on which episodes, and who may enter."""

    name: str
    version: int
    title: str
    scenario: str
    """The scenario's name or, for one that is not the suite's, the path of its file."""
    scenario_hash: str
    split: str
    metric: str
    higher_is_better: bool
    worst: float
    """The score of a missing episode; no episode scores worse."""
    episodes: int | None = None
    """How many of the first seeds of each case are played (None: all)."""
    information: str = "full"
    classes: tuple[str, ...] = CLASSES
    tiers: tuple[str, ...] = TIERS
    budgets: dict[str, float] = field(default_factory=dict)
    """What one episode may take: `steps`, and as the entrant reports it `wall_s` (seconds) and `tokens`."""
    known_flaws: tuple[str, ...] = ()
    hash: str = ""
    """BLAKE2b (32 hex digits) of the content."""
    path: Path = Path()
    sealed: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """The seeds of each case in a sealed round, instead of the scenario's."""

    @functools.cached_property
    def world(self) -> Scenario:
        """The scenario, with the hash that the track names; `TrackError` if it is another now."""
        try:
            found = load(self.path.parent / self.scenario if self.scenario.endswith(".toml") else self.scenario)
        except LudariumError as error:
            raise TrackError(f"{self.path}: {error}") from error
        if found.hash != self.scenario_hash:
            raise TrackError(
                f"{self.path}: scenario {self.scenario!r} has hash {found.hash!r}; the track was made for "
                f"{self.scenario_hash!r}: take the original scenario, or raise the track's `version` and write the new hash"
            )
        if self.split not in found.splits:
            raise TrackError(f"{self.path}: scenario {self.scenario!r} has no split {self.split!r}")
        if self.sealed:
            return reseeded(found, self.split, dict(self.sealed))[0]
        if self.information not in INFORMATION[: INFORMATION.index(found.information) + 1]:
            raise TrackError(
                f"{self.path}: information = {self.information!r}; scenario {self.scenario!r} permits {found.information!r}"
            )
        return found

    @functools.cached_property
    def seeds(self) -> dict[str, tuple[int, ...]]:
        """The seeds of each case, in order."""
        return {
            case.name: case.splits[self.split][: None if self.sealed else self.episodes] for case in self.world.cases
        }

    def units(self) -> list[Place]:
        """All episodes, in the order in which a submission numbers them."""
        trials = range(self.world.trials)
        return [(case, seed, trial) for case, seeds in self.seeds.items() for seed in seeds for trial in trials]

    def with_seeds(self, seeds: dict[str, tuple[int, ...]]) -> Track:
        """The same track on other seeds, those of a sealed round; `TrackError` if cases differ or a seed is none."""
        names = [case.name for case in self.world.cases]
        if list(seeds) != names or not all(seeds.values()):
            raise TrackError(f"track {self.name!r}: seeds for the cases {list(seeds)}; expected {names}, in this order")
        for seed in (seed for own in seeds.values() for seed in own):
            if type(seed) is not int or not 0 <= seed <= MAX_SEED:
                raise TrackError(f"track {self.name!r}: {seed!r} is no seed; expected 0..2**63 - 1")
        return replace(self, sealed=tuple((name, tuple(own)) for name, own in seeds.items()))

    @property
    def needs_bounds(self) -> bool:
        """Whether the metric is a ratio to a bound of the instance, which has to be sought."""
        return self.metric.endswith(BOUNDED)

    def score(self, metrics: dict[str, Any], bounds: dict[str, float]) -> float:
        """The score of an episode: the metric, never worse than `worst`; not a number counts as `worst`."""
        found = with_bounds(metrics, bounds).get(self.metric)
        if not isinstance(found, int | float) or math.isnan(found):
            return self.worst
        return max(float(found), self.worst) if self.higher_is_better else min(float(found), self.worst)

    @property
    def reference(self) -> dict[str, Any]:
        """What a submission says to name this track."""
        return {"name": self.name, "version": self.version, "hash": self.hash}


def _shipped() -> Path:
    return Path(str(importlib.resources.files("ludarium.leaderboards"))) / "tracks"


def track_names() -> tuple[str, ...]:
    """The names of the tracks that come with the suite, sorted."""
    return tuple(sorted(path.stem for path in _shipped().glob("*.toml")))


def shipped_track(name: str) -> Track:
    """The suite's track of this name, which a stranger may have given: it is no path."""
    if name not in track_names():
        raise TrackError(f"unknown track {name!r:.100}{did_you_mean(name[:100], track_names())}")
    return load_track(name)


def load_track(name_or_path: str | PathLike[str]) -> Track:
    """Read a track by its name or from a `.toml` file; `TrackError` names the file, the key and the reason."""
    given = str(name_or_path)
    path = Path(given)
    if path.suffix != ".toml":
        if given not in track_names():
            hint = did_you_mean(given, track_names())
            raise TrackError(f"unknown track {given!r}{hint} (a file of your own ends in .toml)")
        path = _shipped() / f"{given}.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TrackError(f"{path}: cannot read the track: {error}") from error
    return _track(TomlFile(path, text, TrackError))


def _track(file: TomlFile) -> Track:
    top = file.known(file.content, _TOP, "the track")
    name = file.value(top, "name", str)
    if not NAME.fullmatch(name):
        raise file.fail(f"name = {name!r}; expected lower-case letters, digits and hyphens", "name")
    split, information = file.value(top, "split", str), file.value(top, "information", str, "full")
    for key, given, allowed in (("split", split, SPLITS), ("information", information, INFORMATION)):
        if given not in allowed:
            raise file.fail(f"{key} = {given!r}{did_you_mean(given, allowed)}", key)
    if "higher_is_better" not in top:
        raise file.fail("'higher_is_better' is missing")
    return Track(
        name=name,
        version=file.positive(top, "version"),
        title=file.value(top, "title", str),
        scenario=file.value(top, "scenario", str),
        scenario_hash=file.value(top, "scenario_hash", str),
        split=split,
        metric=file.value(top, "metric", str),
        higher_is_better=file.value(top, "higher_is_better", bool),
        worst=_finite(file, top, "worst"),
        episodes=file.positive(top, "episodes") if "episodes" in top else None,
        information=information,
        classes=file.names(top, "classes", CLASSES) or CLASSES,
        tiers=file.names(top, "tiers", TIERS) or TIERS,
        budgets=_budgets(file, file.known(top.get("budgets", {}), _BUDGETS, "budgets")),
        known_flaws=file.names(top, "known_flaws"),
        hash=content_hash(top),
        path=file.path,
    )


def _finite(file: TomlFile, table: dict[str, Any], key: str) -> float:
    found = float(file.value(table, key, (int, float)))
    if not math.isfinite(found):
        raise file.fail(f"{key} = {found}; expected a number", key)
    return found


def _budgets(file: TomlFile, table: dict[str, Any]) -> dict[str, float]:
    for key in table:
        if _finite(file, table, key) <= 0:
            raise file.fail(f"{key} = {table[key]}; expected more than 0", key)
    return dict(table)
