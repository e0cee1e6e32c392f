"""The lifelong scenario files of the POGEMA benchmark, read into arrays (the files are not ours to ship)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.errors import FileFormatError

SETS = {
    "random": ("01-random", (8, 16, 24, 32, 48, 64), 256),
    "mazes": ("02-mazes", (8, 16, 24, 32, 48, 64), 128),
    "warehouse": ("03-warehouse", (32, 64, 96, 128, 160, 192), 256),
    "cities": ("04-movingai", (64, 128, 192, 256), 256),
    "puzzles": ("05-puzzles", (2, 3, 4), 256),
}


class Frozen(NamedTuple):
    """One scenario: `grid` u8[H, W], `starts` i32[N], `goals` i32[N, K] padded with -1, `lengths` i32[N]."""

    name: str
    map_name: str
    seed: int
    grid: NDArray[np.uint8]
    starts: NDArray[np.int32]
    goals: NDArray[np.int32]
    lengths: NDArray[np.int32]

    def first(self, agents: int) -> Frozen:
        """The same scenario with its first `agents` agents, as the benchmark does for smaller counts."""
        return self._replace(
            starts=self.starts[:agents].copy(),
            goals=self.goals[:agents].copy(),
            lengths=self.lengths[:agents].copy(),
        )


def _read_yaml(path: Path) -> Any:
    import yaml

    try:
        with path.open(encoding="utf-8") as stream:
            return yaml.load(stream, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except OSError as error:
        raise FileFormatError(
            path, f"cannot be read ({error}); give the folder with the benchmark's yaml files"
        ) from error


def load_frozen(folder: Path, name: str) -> list[Frozen]:
    """Read all scenarios of one set (`random`, `mazes`, `warehouse`, `cities`, `puzzles`), sorted by name."""
    stem = SETS[name][0]
    maps = {key: _parse(text) for key, text in _read_yaml(folder / f"{stem}.maps.yaml").items()}
    scenarios = _read_yaml(folder / f"{stem}.lmapf.yaml")["scenarios"]
    return [_scenario(key, scenarios[key], maps) for key in sorted(scenarios)]


def _parse(text: str) -> NDArray[np.uint8]:
    rows = text.split()
    return np.array([[character == "#" for character in row] for row in rows], np.uint8)


def _scenario(name: str, entry: dict[str, Any], maps: dict[str, NDArray[np.uint8]]) -> Frozen:
    grid = maps[entry["map_name"]]
    width = grid.shape[1]
    starts = np.array([row * width + column for row, column in entry["agents_xy"]], np.int32)
    lengths = np.array([len(sequence) for sequence in entry["targets_xy"]], np.int32)
    goals = np.full((len(starts), int(lengths.max())), -1, np.int32)
    for agent, sequence in enumerate(entry["targets_xy"]):
        goals[agent, : len(sequence)] = [row * width + column for row, column in sequence]
    return Frozen(name, entry["map_name"], int(entry["seed"]), grid, starts, goals, lengths)
