"""Scenario files of the field: MovingAI `.scen`, League of Robot Runners problems, POGEMA benchmark sets.

Cells are `row * width + column` everywhere. Readers raise `FileFormatError` (file, line where there is one,
reason).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ludarium.envs.core.errors import FileFormatError, InstanceError, MissingExtraError, did_you_mean
from ludarium.envs.mapf.maps import GridMap, parse_pogema, read_lines, read_map

__all__ = [
    "LorrProblem",
    "PogemaScenario",
    "Scen",
    "read_lorr",
    "read_lorr_agents",
    "read_lorr_tasks",
    "read_pogema_benchmark",
    "read_scen",
    "scen_map",
    "write_lorr_agents",
    "write_lorr_tasks",
    "write_scen",
]


# --- MovingAI scenarios


@dataclass(frozen=True, eq=False)
class Scen:
    """A MovingAI scenario: the map's file name and size, and per row start, goal, bucket and octile distance.

    The distance is that of 8-connected moves: it is no bound for robots that move to four neighbours.
    """

    map_name: str
    height: int
    width: int
    starts: NDArray[np.int32]
    goals: NDArray[np.int32]
    bucket: NDArray[np.int32]
    distance: NDArray[np.float64]


_SCEN_FIELDS = (
    "bucket",
    "map",
    "width",
    "height",
    "start column",
    "start row",
    "goal column",
    "goal row",
    "distance",
)


def _scen_row(path: object, number: int, line: str) -> tuple[str, list[int], float]:
    """Return the map's name, the seven integers and the distance of one row."""
    words = line.split("\t") if "\t" in line else line.split()
    if len(words) != len(_SCEN_FIELDS):
        expected = ", ".join(_SCEN_FIELDS)
        raise FileFormatError(path, f"the row has {len(words)} fields; expected 9: {expected}", number)
    integers = []
    for field, word in zip(_SCEN_FIELDS, words, strict=True):
        if field not in ("map", "distance"):
            if not word.strip().isdecimal():
                raise FileFormatError(path, f"{field} is {word!r}; expected a whole number from 0", number)
            integers.append(int(word))
    try:
        distance = float(words[8])
    except ValueError:
        raise FileFormatError(path, f"distance is {words[8]!r}; expected a number", number) from None
    return words[1].strip(), integers, distance


def read_scen(path: str | PathLike[str], grid_map: GridMap | None = None) -> Scen:
    """Read a MovingAI `.scen` file, checked against a map when one is given.

    Checked are the fields, one map and size in all rows, starts and goals within it; with `grid_map` also its
    name (that of the file, without folders and `.map`), its size, and that no start or goal is an obstacle.
    """
    lines = read_lines(path)
    if lines[0].split() not in (["version", "1"], ["version", "1.0"]):
        raise FileFormatError(path, f"expected 'version 1', got {lines[0][:40]!r}", 1)
    rows: list[tuple[int, int, int, float]] = []
    first: tuple[str, int, int] | None = None
    for number, line in enumerate(lines[1:], 2):
        name, (bucket, width, height, *ends), distance = _scen_row(path, number, line)
        first = first or (name, width, height)
        if (name, width, height) != first:
            given = f"{name} ({width}x{height})"
            reason = f"the row is for {given}, the first one for {first[0]} ({first[1]}x{first[2]})"
            raise FileFormatError(path, reason, number)
        if grid_map is not None:
            _check_same_map(path, number, first, grid_map)
        cells = [_scen_cell(path, number, first, what, *end, grid_map) for what, end in _ends(ends)]
        rows.append((bucket, cells[0], cells[1], distance))
    if first is None:
        raise FileFormatError(path, "has no rows after 'version 1'", 1)
    bucket_column, starts, goals, distances = zip(*rows, strict=True)
    return Scen(
        first[0],
        first[2],
        first[1],
        np.array(starts, np.int32),
        np.array(goals, np.int32),
        np.array(bucket_column, np.int32),
        np.array(distances, np.float64),
    )


def _ends(four: list[int]) -> list[tuple[str, tuple[int, int]]]:
    return [("start", (four[0], four[1])), ("goal", (four[2], four[3]))]


def _check_same_map(path: object, number: int, first: tuple[str, int, int], grid_map: GridMap) -> None:
    name, width, height = first
    if PurePosixPath(name.replace("\\", "/")).stem != grid_map.name:
        raise FileFormatError(path, f"is for map {name!r}, not for {grid_map.name!r}", number)
    if (height, width) != (grid_map.height, grid_map.width):
        size = f"{grid_map.width}x{grid_map.height}"
        raise FileFormatError(path, f"says {width}x{height} (width x height); the map is {size}", number)


def _scen_cell(
    path: object,
    number: int,
    first: tuple[str, int, int],
    what: str,
    column: int,
    row: int,
    grid_map: GridMap | None,
) -> int:
    """Return the cell number of a start or goal after checking it."""
    _, width, height = first
    if row >= height or column >= width:
        raise FileFormatError(path, f"{what} (column {column}, row {row}) is outside {width}x{height}", number)
    if grid_map is not None and grid_map.grid[row, column]:
        raise FileFormatError(path, f"{what} (column {column}, row {row}) is an obstacle", number)
    return row * width + column


def write_scen(path: str | PathLike[str], scen: Scen) -> None:
    """Write a MovingAI `.scen` file (tab-separated, distances with eight decimals)."""
    lines = ["version 1"]
    for i in range(len(scen.starts)):
        (start_row, start_column), (goal_row, goal_column) = (
            divmod(int(cells[i]), scen.width) for cells in (scen.starts, scen.goals)
        )
        ends = (start_column, start_row, goal_column, goal_row)
        fields = (
            int(scen.bucket[i]),
            scen.map_name,
            scen.width,
            scen.height,
            *ends,
            f"{scen.distance[i]:.8f}",
        )
        lines.append("\t".join(str(field) for field in fields))
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def scen_map(grid_map: GridMap, scen: Scen, robots: int) -> GridMap:
    """Return the map with the starts and goals of a scenario's first rows: the instance of that size.

    Raises `InstanceError` when the scenario has fewer rows or does not fit the map.
    """
    if not 1 <= robots <= len(scen.starts):
        raise InstanceError(f"the scenario has {len(scen.starts)} rows; {robots} robots were asked for")
    if (scen.height, scen.width) != (grid_map.height, grid_map.width):
        raise InstanceError(f"the scenario is for {scen.map_name}, not for {grid_map.name!r}: sizes differ")
    return replace(grid_map, starts=scen.starts[:robots], goals=scen.goals[:robots])


# --- League of Robot Runners


class LorrProblem(NamedTuple):
    """A League of Robot Runners problem: starts are `int32[teamSize]`, a task is its errands' cells in order.

    `reveal` times the team's size tasks are open at any time.
    """

    map: GridMap
    starts: NDArray[np.int32]
    tasks: tuple[tuple[int, ...], ...]
    reveal: float


def _counted(path: str | PathLike[str], what: str) -> list[tuple[int, str]]:
    """The lines after the count, with their numbers and without comments; their number must be the count."""
    lines = [(n, line.strip()) for n, line in enumerate(read_lines(path), 1)]
    lines = [(n, line) for n, line in lines if line and not line.startswith("#")]
    if not lines or not lines[0][1].isdecimal():
        given = repr(lines[0][1][:40]) if lines else "only comments"
        raise FileFormatError(path, f"expected the number of {what}, got {given}", lines[0][0] if lines else None)
    if len(lines) - 1 != int(lines[0][1]):
        reason = f"says {lines[0][1]} {what}, but {len(lines) - 1} lines follow"
        raise FileFormatError(path, reason, lines[0][0])
    return lines[1:]


def _locations(path: object, number: int, line: str, grid_map: GridMap) -> list[int]:
    """The free cells in one line of an agents or tasks file."""
    cells = []
    for word in line.split(","):
        if not word.strip().isdecimal() or int(word) >= grid_map.grid.size:
            reason = f"location {word.strip()!r}; expected a cell from 0 to {grid_map.grid.size - 1}"
            raise FileFormatError(path, reason, number)
        cell = int(word)
        if grid_map.grid.reshape(-1)[cell]:
            row, column = divmod(cell, grid_map.width)
            raise FileFormatError(path, f"location {cell} (row {row}, column {column}) is an obstacle", number)
        cells.append(cell)
    return cells


def read_lorr_agents(path: str | PathLike[str], grid_map: GridMap) -> NDArray[np.int32]:
    """Read an agents file: the number of robots, then a start cell per line. Returns `int32[N]`."""
    starts: list[int] = []
    for number, line in _counted(path, "agents"):
        cells = _locations(path, number, line, grid_map)
        if len(cells) != 1:
            raise FileFormatError(path, f"expected one location, got {line[:40]!r}", number)
        if cells[0] in starts:
            raise FileFormatError(path, f"a second robot starts in cell {cells[0]}", number)
        starts += cells
    return np.array(starts, np.int32)


def read_lorr_tasks(path: str | PathLike[str], grid_map: GridMap) -> tuple[tuple[int, ...], ...]:
    """Read a tasks file: the number of tasks, then per line the cells of a task's errands, comma-separated."""
    return tuple(tuple(_locations(path, n, line, grid_map)) for n, line in _counted(path, "tasks"))


def read_lorr(path: str | PathLike[str]) -> LorrProblem:
    """Read a problem file (JSON), and the map, agents and tasks files that it names beside it."""
    try:
        problem = json.loads("\n".join(read_lines(path)))
    except json.JSONDecodeError as error:
        raise FileFormatError(path, f"is not JSON: {error.msg}", error.lineno) from error
    names = ("mapFile", "agentFile", "taskFile", "teamSize")
    for name in names:
        if not isinstance(problem, dict) or name not in problem:
            raise FileFormatError(path, f"has no {name!r}; a problem has {', '.join(names)}")
    folder = Path(path).parent
    grid_map = read_map(folder / str(problem["mapFile"]), lorr=True)
    starts = read_lorr_agents(folder / str(problem["agentFile"]), grid_map)
    tasks = read_lorr_tasks(folder / str(problem["taskFile"]), grid_map)
    team, reveal = problem["teamSize"], problem.get("numTasksReveal", 1)
    if type(team) is not int or not 1 <= team <= len(starts):
        raise FileFormatError(path, f"teamSize is {team!r}; the agents file has {len(starts)} robots")
    if isinstance(reveal, bool) or not isinstance(reveal, int | float) or not reveal > 0:
        raise FileFormatError(path, f"numTasksReveal is {reveal!r}; expected a number above 0")
    return LorrProblem(grid_map, starts[:team], tasks, float(reveal))


def write_lorr_agents(path: str | PathLike[str], starts: ArrayLike) -> None:
    """Write an agents file from start cells `int[N]`."""
    cells = np.asarray(starts).tolist()
    _write_lines(path, [len(cells), *cells])


def write_lorr_tasks(path: str | PathLike[str], tasks: Sequence[Sequence[int]]) -> None:
    """Write a tasks file from each task's errand cells."""
    _write_lines(path, [len(tasks), *(",".join(str(int(cell)) for cell in task) for task in tasks)])


def _write_lines(path: str | PathLike[str], lines: Sequence[object]) -> None:
    Path(path).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


# --- the POGEMA benchmark


class PogemaScenario(NamedTuple):
    """A frozen scenario of the POGEMA benchmark.

    `goals` is one array `int32[N]` (one-shot), or the sequence `int32[K_i]` of each robot (lifelong, which
    cycles).
    """

    name: str
    map: GridMap
    seed: int
    num_agents: int
    starts: NDArray[np.int32]
    goals: NDArray[np.int32] | tuple[NDArray[np.int32], ...]
    max_steps: int


# A list of lists of numbers in YAML's flow style is JSON. As text it loads fifty times as fast.
_POSITIONS = re.compile(r"\b(agents_xy|targets_xy): (\[[\[\]\d,\s]*\])")


def _quoted(match: re.Match[str]) -> str:
    """The list as a quoted text on one line, and as many empty lines as keep later line numbers right."""
    return f"{match[1]}: '{''.join(match[2].split())}'" + "\n" * match[2].count("\n")


def _load_yaml(path: str | PathLike[str]) -> dict[str, Any]:
    try:
        import yaml
    except ImportError as error:
        raise MissingExtraError("pyyaml", "yaml") from error
    text = "\n".join(read_lines(path))
    text = _POSITIONS.sub(_quoted, text)
    try:
        loaded = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error)
        raise FileFormatError(path, f"is not YAML: {reason}", mark.line + 1 if mark else None) from error
    if not isinstance(loaded, dict):
        raise FileFormatError(path, f"expected a mapping, got {type(loaded).__name__}")
    return loaded


def _benchmark_cells(path: object, where: str, positions: Any, grid_map: GridMap) -> NDArray[np.int32]:
    """The cells of a list of [row, column], which are free."""
    pairs = np.asarray(positions)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
        raise FileFormatError(path, f"{where}: expected a list of [row, column]")
    rows, columns = pairs[:, 0], pairs[:, 1]
    free = (rows >= 0) & (rows < grid_map.height) & (columns >= 0) & (columns < grid_map.width)
    free[free] = grid_map.grid[rows[free], columns[free]] == 0
    if not free.all():
        wrong = pairs[np.flatnonzero(~free)[0]].tolist()
        raise FileFormatError(path, f"{where}: {wrong} is no free cell of map {grid_map.name!r}")
    return (rows * grid_map.width + columns).astype(np.int32)


def read_pogema_benchmark(
    maps_yaml: str | PathLike[str], scenario_yaml: str | PathLike[str]
) -> Iterator[PogemaScenario]:
    """Yield the scenarios of a POGEMA benchmark set in the order of the file.

    Lists of `[row, column]` become cells. Raises `MissingExtraError` without PyYAML and `FileFormatError` for
    a file that is not such a set.
    """
    maps: dict[str, GridMap] = {}
    for name, text in _load_yaml(maps_yaml).items():
        if not isinstance(text, str):
            raise FileFormatError(maps_yaml, f"map {name!r} is not a block of text")
        maps[str(name)] = parse_pogema(text, str(name), f"{maps_yaml}, map {name!r}")
    loaded = _load_yaml(scenario_yaml)
    environment, scenarios = loaded.get("environment"), loaded.get("scenarios")
    if not isinstance(environment, dict) or not isinstance(scenarios, dict):
        raise FileFormatError(scenario_yaml, "expected the mappings 'environment' and 'scenarios'")
    max_steps = environment.get("max_episode_steps")
    if type(max_steps) is not int or max_steps < 1:
        raise FileFormatError(scenario_yaml, f"max_episode_steps is {max_steps!r}; expected an integer from 1")
    for name, scenario in scenarios.items():
        yield _scenario(scenario_yaml, str(name), scenario, maps, max_steps)


def _scenario(path: object, name: str, given: Any, maps: dict[str, GridMap], max_steps: int) -> PogemaScenario:
    for field in ("map_name", "seed", "agents_xy", "targets_xy"):
        if not isinstance(given, dict) or field not in given:
            raise FileFormatError(path, f"{name} has no {field!r}")
    if given["map_name"] not in maps:
        raise FileFormatError(path, f"{name}: no map {given['map_name']!r}{did_you_mean(given['map_name'], maps)}")
    grid_map = maps[given["map_name"]]
    try:
        agents, targets = (
            json.loads(value) if isinstance(value, str) else value
            for value in (given["agents_xy"], given["targets_xy"])
        )
    except json.JSONDecodeError as error:
        raise FileFormatError(path, f"{name}: {error.msg} in a list of positions") from error
    starts = _benchmark_cells(path, f"{name}, agents_xy", agents, grid_map)
    if not isinstance(targets, list) or len(targets) != len(starts):
        raise FileFormatError(path, f"{name} has {len(starts)} agents_xy and another number of targets_xy")
    goals: NDArray[np.int32] | tuple[NDArray[np.int32], ...]
    if all(isinstance(target, list) and target and isinstance(target[0], list) for target in targets):
        where = f"{name}, targets_xy"
        goals = tuple(_benchmark_cells(path, where, sequence, grid_map) for sequence in targets)
    else:
        goals = _benchmark_cells(path, f"{name}, targets_xy", targets, grid_map)
    return PogemaScenario(name, grid_map, int(given["seed"]), len(starts), starts, goals, max_steps)
