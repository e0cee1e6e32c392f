"""Scenario files: a named, versioned and hashed set of (environment id, config, seeds) with splits.

A file is TOML. At the top stand `name`, `version`, `environment`, `summary`, `trials`, `information`, `metrics` (what
tables show) and `hash`; then the tables `rules`, `config` (shared by all cases), `splits`, `files` and `seats`; then
`cases`, each with a `name`, its own `config` and, if it needs them, its own `splits` or a given `instance`. Seeds are a list of
numbers and `[first, last]` pairs, or `{ base = 0, count = 100 }`. `seats` names, role by role, the agents that fill the
seats that are not the measured agent's: `user = "desk-user?persona=terse"`; without it the world's own agents do. Only
built-in agents may stand there, unless who loads the file allows code. The hash is BLAKE2b over the content: spaces and
comments may change, nothing else.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import json
import re
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any

from ludarium.envs.core.errors import ConfigError, LudariumError, ScenarioError, did_you_mean
from ludarium.scenarios.tomlfile import TomlFile

__all__ = [
    "INFORMATION",
    "MAX_SEED",
    "NAME",
    "SPLITS",
    "Case",
    "Scenario",
    "content_hash",
    "file_hash",
    "load",
    "scenario_names",
]

SPLITS = ("train", "val", "test")
INFORMATION = ("local", "global", "full")
MAX_SEED = 2**63 - 1
MAX_SEEDS = 1_000_000
_TOP = ("cases", "config", "environment", "files", "hash", "information", "metrics", "name", "rules", "seats",
        "splits", "summary", "trials", "version")  # fmt: skip
_CASE = ("config", "instance", "instance_hash", "name", "splits")
_RULES = ("default_action", "episode_seconds", "on_fault")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True)
class Case:
    """One config with its seeds by split, and the instance (JSON data) if it is given rather than drawn."""

    name: str
    config: dict[str, Any]
    splits: dict[str, tuple[int, ...]]
    instance: dict[str, Any] | None = None


@dataclass(frozen=True)
class Scenario:
    """What is played: cases of one environment, and the rules that hold for every agent."""

    name: str
    version: int
    environment: str
    summary: str
    trials: int
    information: str
    """What an agent may know: `local`, `global` or `full`."""
    cases: tuple[Case, ...]
    hash: str
    """BLAKE2b (32 hex digits) of the content."""
    path: Path
    default_action: Any = None
    """What a seat does when its agent loses a turn; None: the lowest action of the space."""
    episode_seconds: float = 0.0
    """Outer safety limit of the clock: an episode that takes longer is lost (0: none)."""
    metrics: tuple[str, ...] = ()
    """What tables show, the most important first (empty: all that the world reports)."""
    files: dict[str, str] = field(default_factory=dict)
    """Files that belong to the scenario, relative to its own, with their BLAKE2b hashes."""
    seats: dict[str, str] = field(default_factory=dict)
    """Role -> the agent that fills all its seats in every episode, whichever agent is measured in the others."""

    def case(self, name: str) -> Case:
        """The case of this name; `ScenarioError` with the nearest one otherwise."""
        found = {case.name: case for case in self.cases}
        if name not in found:
            raise ScenarioError(f"scenario {self.name!r} has no case {name!r}{did_you_mean(name, found)}")
        return found[name]

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that every case has, in the order train, val, test."""
        return tuple(split for split in SPLITS if all(split in case.splits for case in self.cases))

    @property
    def default_split(self) -> str:
        """`test`, or the only split there is."""
        return self.splits[-1]


def content_hash(content: dict[str, Any]) -> str:
    """BLAKE2b (32 hex digits) of a scenario's content without its `hash`, whatever the order of its keys."""
    rest = {key: value for key, value in content.items() if key != "hash"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def file_hash(path: str | PathLike[str]) -> str:
    """BLAKE2b (32 hex digits) of a file's bytes."""
    return hashlib.blake2b(Path(path).read_bytes(), digest_size=16).hexdigest()


def _shipped() -> Path:
    return Path(str(importlib.resources.files("ludarium.scenarios")))


def scenario_names() -> tuple[str, ...]:
    """The names of the scenarios that come with the suite, sorted."""
    return tuple(sorted(path.stem for path in _shipped().glob("*.toml")))


def load(name_or_path: str | PathLike[str], *, check_hash: bool = True, allow_code: bool = False) -> Scenario:
    """Read a scenario by its name or from a `.toml` file; `ScenarioError` names the file, the line and the reason.

    With `allow_code` the file may seat agents that are not built in: classes, programs, addresses, language models.
    """
    given = str(name_or_path)
    path = Path(given)
    if path.suffix != ".toml":
        if given not in scenario_names():
            hint = did_you_mean(given, scenario_names())
            raise ScenarioError(f"unknown scenario {given!r}{hint} (a file of your own ends in .toml)")
        path = _shipped() / f"{given}.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: cannot read the scenario: {error}") from error
    return _Reader(path, text, ScenarioError).scenario(check_hash, allow_code)


class _Reader(TomlFile):
    """Checks one scenario file from top to bottom."""

    def scenario(self, check_hash: bool, allow_code: bool) -> Scenario:
        """The whole file."""
        top = self.known(self.content, _TOP, "the scenario")
        name = self.value(top, "name", str)
        if not NAME.fullmatch(name):
            raise self.fail(f"name = {name!r}; expected lower-case letters, digits and hyphens", "name")
        found = content_hash(top)
        if check_hash and self.value(top, "hash", str, found) != found:
            raise self.fail(
                f"the file says hash = {top['hash']!r}, its content has {found!r}; take the original file, or, if the "
                "change is meant, raise `version` and write the new hash",
                "hash",
            )
        rules = self.known(top.get("rules", {}), _RULES, "rules")
        if self.value(rules, "on_fault", str, "default") != "default":
            raise self.fail(f"on_fault = {rules['on_fault']!r}; expected 'default'", "on_fault")
        information = self.value(top, "information", str, "full")
        if information not in INFORMATION:
            raise self.fail(f"information = {information!r}{did_you_mean(information, INFORMATION)}", "information")
        files = self._files(top.get("files", {}), check_hash)
        return Scenario(
            name=name,
            version=self.positive(top, "version"),
            environment=self.value(top, "environment", str),
            summary=self.value(top, "summary", str, ""),
            trials=self.positive(top, "trials"),
            information=information,
            cases=self._cases(top, files, check_hash),
            hash=found,
            path=self.path,
            default_action=rules.get("default_action"),
            episode_seconds=float(self.value(rules, "episode_seconds", (int, float), 0.0)),
            metrics=self.names(top, "metrics"),
            files=files,
            seats=self._seats(top.get("seats", {}), allow_code),
        )

    def _seats(self, table: Any, allow_code: bool) -> dict[str, str]:
        """Who fills which role; whether the world has it shows when an episode begins."""
        from ludarium.agents.registry import BUILT_IN

        if not isinstance(table, dict) or not all(isinstance(name, str) and name for name in table.values()):
            raise self.fail(f"seats = {table!r:.80}; expected a table of roles with the names of agents", "seats")
        for role, name in table.items():
            label = name.partition("?")[0]
            if label not in BUILT_IN and not allow_code:
                raise self.fail(
                    f"seats: {role} = {name!r}: only built-in agents may be named here{did_you_mean(label, BUILT_IN)} "
                    "(--allow-code lets the file name any)",
                    role,
                )
        return dict(table)

    def _inside(self, name: str, key: str) -> Path:
        relative = PurePosixPath(name)
        if relative.is_absolute() or ".." in relative.parts:
            raise self.fail(f"{name!r} leaves the scenario's folder; expected a path inside it", key)
        return self.path.parent / relative

    def _files(self, table: Any, check_hash: bool) -> dict[str, str]:
        if not isinstance(table, dict) or not all(isinstance(pin, str) for pin in table.values()):
            raise self.fail("files holds paths with their hashes", "files")
        for name, pin in table.items():
            self._check_file(name, pin, check_hash)
        return dict(table)

    def _check_file(self, name: str, pin: str, check_hash: bool) -> Path:
        path = self._inside(name, name)
        try:
            found = file_hash(path)
        except OSError as error:
            raise self.fail(f"cannot read {path}: {error.strerror or error}", name) from error
        if check_hash and found != pin:
            raise self.fail(f"{path} has hash {found!r}; the scenario pins {pin!r}; take the original file", name)
        return path

    def _cases(self, top: dict[str, Any], files: dict[str, str], check_hash: bool) -> tuple[Case, ...]:
        shared = self.value(top, "config", dict, {})
        splits = self._splits(top.get("splits", {}))
        rows = self.value(top, "cases", list, [{"name": "default"}])
        cases: list[Case] = []
        for row in rows:
            self.known(row, _CASE, "cases")
            name = self.value(row, "name", str)
            if not NAME.fullmatch(name) or name in {case.name for case in cases}:
                raise self.fail(f"case {name!r}: names are distinct, of lower-case letters, digits and hyphens", name)
            own = {**splits, **self._splits(row.get("splits", {}))}
            if not own:
                raise self.fail(f"case {name!r} has no seeds; give `splits` to it or to the scenario", name)
            self._disjoint(own, name)
            config = {**shared, **self.value(row, "config", dict, {})}
            instance = self._instance(row, files, check_hash)
            cases.append(Case(name, config, own, instance))
        self._check_configs(top, cases)
        common = [split for split in SPLITS if all(split in case.splits for case in cases)]
        if not cases or not common:
            raise self.fail("no split is in every case; expected train, val or test", "splits")
        return tuple(cases)

    def _instance(self, row: dict[str, Any], files: dict[str, str], check_hash: bool) -> dict[str, Any] | None:
        if "instance" not in row:
            return None
        name = self.value(row, "instance", str)
        pin = self.value(row, "instance_hash", str)
        path = self._check_file(name, pin, check_hash)
        files[name] = pin
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise self.fail(f"{path} is not JSON: {error}", name) from error
        if not isinstance(data, dict):
            raise self.fail(f"{path} holds no JSON object", name)
        return data

    def _check_configs(self, top: dict[str, Any], cases: list[Case]) -> None:
        """Every case's config must be one; the class is plain Python, so this compiles nothing."""
        from ludarium.envs.core.registry import config_class, world

        environment = self.value(top, "environment", str)
        try:
            kind, defaults = config_class(environment), dict(world(environment).defaults)
        except LudariumError as error:
            raise self.fail(str(error), "environment") from error
        for case in cases:
            try:
                kind.of(**{**defaults, **case.config})
            except (ConfigError, TypeError) as error:
                named = next((key for key in case.config if re.search(rf"\b{key}\b", str(error))), case.name)
                raise self.fail(f"case {case.name!r}: {error}", named) from error

    def _splits(self, table: Any) -> dict[str, tuple[int, ...]]:
        self.known(table, SPLITS, "splits")
        return {name: self._seeds(rule, name) for name, rule in table.items()}

    def _seeds(self, rule: Any, split: str) -> tuple[int, ...]:
        spans: list[tuple[int, int]] = []
        if isinstance(rule, dict):
            self.known(rule, ("base", "count"), split)
            base, count = self.value(rule, "base", int, 0), self.value(rule, "count", int)
            spans.append((base, base + count - 1))
        elif isinstance(rule, list):
            for item in rule:
                pair = item if isinstance(item, list) else [item, item]
                if len(pair) != 2 or not all(isinstance(n, int) and not isinstance(n, bool) for n in pair):
                    raise self.fail(f"seeds of {split!r}: {item!r:.80}; expected a number or [first, last]", split)
                spans.append((pair[0], pair[1]))
        else:
            raise self.fail(f"seeds of {split!r} are a list, or {{ base = .., count = .. }}; got {rule!r:.80}", split)
        for first, last in spans:
            if not 0 <= first <= last <= MAX_SEED or last - first >= MAX_SEEDS:
                raise self.fail(f"seeds of {split!r}: {first} to {last}; expected an ascending range from 0 on", split)
        seeds = tuple(seed for first, last in spans for seed in range(first, last + 1))
        if len(set(seeds)) != len(seeds) or not seeds:
            raise self.fail(f"seeds of {split!r}: expected at least one, none of them twice", split)
        return seeds

    def _disjoint(self, splits: dict[str, tuple[int, ...]], case: str) -> None:
        owner: dict[int, str] = {}
        for split in SPLITS:
            for seed in splits.get(split, ()):
                if seed in owner:
                    raise self.fail(
                        f"case {case!r}: seed {seed} is in {owner[seed]!r} and in {split!r}; splits share none", split
                    )
                owner[seed] = split
