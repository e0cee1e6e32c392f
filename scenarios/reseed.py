"""A scenario on other seeds, as a file of its own: what is played in a sealed round."""

from __future__ import annotations

import dataclasses
import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

from ludarium.scenarios.loader import Scenario, content_hash

__all__ = ["reseeded", "save_reseeded"]


def reseeded(scenario: Scenario, split: str, seeds: dict[str, tuple[int, ...]]) -> tuple[Scenario, str]:
    """The scenario with `seeds` by case as its only split, and the text of its file; its name and version stay."""
    content = tomllib.loads(scenario.path.read_text(encoding="utf-8"))
    content.pop("splits", None)
    rows = content.setdefault("cases", [{"name": "default"}])
    for row in rows:
        row["splits"] = {split: list(seeds[row["name"]])}
    content["hash"] = content_hash(content)
    cases = tuple(dataclasses.replace(case, splits={split: seeds[case.name]}) for case in scenario.cases)
    return dataclasses.replace(scenario, cases=cases, hash=content["hash"]), _toml(content)


def save_reseeded(scenario: Scenario, split: str, seeds: dict[str, tuple[int, ...]], folder: Path) -> Path:
    """Write the file, and the files that it needs, into a folder; return its path."""
    path = folder / f"{scenario.name}-sealed.toml"
    for name in scenario.files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(scenario.path.parent / name, folder / name)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(reseeded(scenario, split, seeds)[1], encoding="utf-8")
    return path


def _toml(content: dict[str, Any]) -> str:
    """TOML of a scenario's content: plain values first, then the cases."""
    rest = {key: value for key, value in content.items() if key != "cases"}
    lines = [f"{_key(key)} = {_value(value)}\n" for key, value in rest.items()]
    for row in content["cases"]:
        lines += ["\n[[cases]]\n", *(f"{_key(key)} = {_value(value)}\n" for key, value in row.items())]
    return "".join(lines)


def _key(key: str) -> str:
    return json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{_key(key)} = {_value(part)}" for key, part in value.items()) + " }" if value else "{}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(_value(part) for part in value) + "]"
    # strings with JSON's escapes, which TOML has too, numbers, true and false
    return json.dumps(value, ensure_ascii=False)
