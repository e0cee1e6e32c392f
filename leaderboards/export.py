"""Runs as data sets for training and analysis elsewhere: JSON lines, Parquet, Minari. Replay rebuilds the observations."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.buffers import seat_of
from ludarium.envs.core.errors import MissingExtraError, RunError, did_you_mean
from ludarium.envs.core.forms import form_of
from ludarium.envs.core.replay import playing
from ludarium.envs.core.trace import Trace
from ludarium.leaderboards.folder import RunFolder, folder_names

__all__ = ["Exported", "export"]

_FLUSH = 50_000
"""Rows of a Parquet row group."""


class Exported(NamedTuple):
    """What was written."""

    path: Path
    episodes: int
    steps: int
    datasets: tuple[str, ...] = ()
    """Minari's names of the data sets, one an agent and case."""


def export(
    root: str | os.PathLike[str],
    to: str,
    out: str | os.PathLike[str] | None = None,
    *,
    agents: Sequence[str] | None = None,
    observations: bool = True,
) -> Exported:
    """Write the episodes of a run as `minari`, `parquet` or `jsonl`.

    `jsonl` has a line for each step, `parquet` a row for each step and asked seat, `minari` a data set for each agent
    and case in the form of `gymnasium.make`. Without `observations` the worlds need not be looked at, which is much
    faster.
    `RunError` for an unknown form or agent, `MissingExtraError` without the packages of the extra `export`.
    """
    forms: dict[str, tuple[Callable[..., Exported], str]] = {
        "jsonl": (_jsonl, "steps.jsonl"),
        "minari": (_minari, "minari"),
        "parquet": (_parquet, "steps.parquet"),
    }
    if to not in forms:
        raise RunError(f"no export is named {to!r}{did_you_mean(to, forms)}")
    run = RunFolder.open(root)
    for agent in agents or ():
        if agent not in run.manifest["agents"]:
            raise RunError(f"{root} has no agent {agent!r}{did_you_mean(agent, run.manifest['agents'])}")
    rows = [row for row in run.rows() if agents is None or row["agent"] in agents]
    write, name = forms[to]
    target = Path(out) if out is not None else run.root / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return write(run, rows, target, observations)
    except OSError as error:
        raise RunError(f"{target}: cannot write: {error.strerror or error}") from error


def _label(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("agent", "case", "seed", "trial")}


class _Step(NamedTuple):
    """One step of one episode: what the asked seats saw, what they did, and what came of it."""

    number: int
    seats: list[int]
    observations: list[Any]
    actions: list[Any]
    batch: Batch
    """After the step."""


def _steps(trace: Trace, observations: bool) -> Iterator[_Step]:
    """Play a trace again, step by step; only the asked seats act."""
    batches = playing(trace, observation=observations)
    batch = next(batches)
    places = _places(batch)
    asked, seen = _look(batch, places, observations)
    for number, later in enumerate(batches):
        actions = [trace.actions[places[s][0]][number][places[s][1]] for s in asked]
        yield _Step(number, asked, seen, actions, later)
        asked, seen = _look(later, places, observations)


def _places(batch: Batch) -> list[tuple[int, int]]:
    """Role and place in it of each seat."""
    return [(r, i) for r, role in enumerate(batch.simulator.roles) for i in range(role.count)]


def _look(batch: Batch, places: list[tuple[int, int]], observations: bool) -> tuple[list[int], list[Any]]:
    asked = [int(s) for s in np.flatnonzero(batch.asked[0])]
    seen = [seat_of(batch.observed[places[s][0]], 0, places[s][1]) for s in asked] if observations else []
    return asked, seen


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


def _jsonl(run: RunFolder, rows: list[dict[str, Any]], target: Path, observations: bool) -> Exported:
    steps = 0
    with target.open("w", encoding="utf-8") as file:
        for row in rows:
            trace = Trace.load(run.root / row["trace"])
            for step in _steps(trace, observations):
                out, names = step.batch.out, step.batch.simulator.seats
                line = {**_label(row), "step": step.number, "seats": [names[s] for s in step.seats]}
                line["actions"] = [_plain(action) for action in step.actions]
                for name in ("reward", "terminated", "fault"):
                    line[name] = [getattr(out, name)[0, s].item() for s in step.seats]
                line["truncated"] = bool(out.truncated[0])
                if observations:
                    line["observations"] = [_plain(seen) for seen in step.observations]
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                steps += 1
    return Exported(target, len(rows), steps)


def _parquet(run: RunFolder, rows: list[dict[str, Any]], target: Path, observations: bool) -> Exported:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError("pyarrow", "export") from error
    columns = _columns(run, rows, observations, pa)
    part = target.with_name(target.name + ".part")
    steps = 0
    try:
        with pq.ParquetWriter(part, pa.schema(columns), compression="zstd") as writer:
            table: dict[str, list[Any]] = {name: [] for name, _ in columns}
            for row in rows:
                trace = Trace.load(run.root / row["trace"])
                for step in _steps(trace, observations):
                    _add(table, row, step, observations)
                    steps += 1
                    if len(table["step"]) >= _FLUSH:
                        writer.write_table(pa.table(table, pa.schema(columns)))
                        table = {name: [] for name, _ in columns}
            writer.write_table(pa.table(table, pa.schema(columns)))
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return Exported(target, len(rows), steps)


def _columns(run: RunFolder, rows: list[dict[str, Any]], observations: bool, pa: Any) -> list[tuple[str, Any]]:
    """Names and types: numbers where the first trace has them (flat lists for arrays), JSON text elsewhere."""
    columns = [("agent", pa.string()), ("case", pa.string()), ("seed", pa.int64()), ("trial", pa.int32())]
    columns += [("step", pa.int32()), ("seat", pa.string()), ("action", pa.string())]
    columns += [("reward", pa.float64()), ("terminated", pa.bool_()), ("truncated", pa.bool_()), ("fault", pa.int16())]
    if not rows:
        return columns
    batch = next(playing(Trace.load(run.root / rows[0]["trace"])))
    first = batch.simulator.roles[0]
    if (
        all(role.action_space == first.action_space for role in batch.simulator.roles)
        and first.action_space.shape == ()
    ):
        columns[6] = ("action", pa.from_numpy_dtype(np.dtype(first.action_space.dtype)))
    if observations:
        seen = seat_of(batch.observed[0], 0, 0)
        flat = isinstance(seen, np.ndarray) and len(batch.simulator.roles) == 1
        columns.append(("observation", pa.list_(pa.from_numpy_dtype(seen.dtype)) if flat else pa.string()))
    return columns


def _add(table: dict[str, list[Any]], row: dict[str, Any], step: _Step, observations: bool) -> None:
    out = step.batch.out
    flat = len(step.batch.simulator.roles) == 1
    for n, s in enumerate(step.seats):
        action = step.actions[n]
        for name, value in _label(row).items():
            table[name].append(value)
        table["step"].append(step.number)
        table["seat"].append(step.batch.simulator.seats[s])
        scalar = np.ndim(action) == 0 and hasattr(action, "item")
        table["action"].append(action.item() if scalar else json.dumps(_plain(action)))
        table["reward"].append(float(out.reward[0, s]))
        table["terminated"].append(bool(out.terminated[0, s]))
        table["truncated"].append(bool(out.truncated[0]))
        table["fault"].append(int(out.fault[0, s]))
        if observations:
            seen = step.observations[n]
            array = flat and isinstance(seen, np.ndarray)
            table["observation"].append(seen.reshape(-1) if array else json.dumps(_plain(seen)))


def _minari(run: RunFolder, rows: list[dict[str, Any]], target: Path, observations: bool) -> Exported:
    """One data set for each agent and case (their spaces differ), under `target` as Minari's own folder."""
    if not observations:
        raise RunError("a Minari data set holds observations; leave --no-observations out")
    previous = os.environ.get("MINARI_DATASETS_PATH")
    os.environ["MINARI_DATASETS_PATH"] = str(target.resolve())
    try:
        try:
            import minari
            from minari.data_collector import EpisodeBuffer
        except ImportError as error:
            raise MissingExtraError("minari", "export") from error
        groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in rows:
            groups.setdefault((row["agent"], row["case"]), []).append(row)
        folders, names, steps = folder_names(run.manifest["agents"]), [], 0
        for (agent, case), own in groups.items():
            label = "/".join(re.sub(r"[^A-Za-z0-9_-]", "-", part) for part in (run.manifest["scenario"]["name"], case))
            name = f"{label}/{re.sub(r'[^A-Za-z0-9_-]', '-', folders[agent])}-v{run.manifest['scenario']['version']}"
            buffers, form = [], None
            for number, row in enumerate(own):
                form, columns = _episode(Trace.load(run.root / row["trace"]))
                buffers.append(EpisodeBuffer(id=number, seed=row["seed"], **columns))
                steps += len(columns["rewards"])
            assert form is not None
            minari.create_dataset_from_buffers(
                name,
                buffers,
                observation_space=form.observation_space,
                action_space=form.action_space,
                algorithm_name=agent,
                author="ludarium",
                author_email="none",
                code_permalink="none",
                description=f"{run.manifest['environment']}, case {case}, digest of the run "
                f"{(run.result() or {}).get('digest', 'none')}",
                data_format="arrow",
            )
            names.append(name)
    finally:
        if previous is None:
            os.environ.pop("MINARI_DATASETS_PATH")
        else:
            os.environ["MINARI_DATASETS_PATH"] = previous
    return Exported(target, len(rows), steps, tuple(names))


def _episode(trace: Trace) -> tuple[Any, dict[str, Any]]:
    """An episode in the form of `gymnasium.make`: observations one longer than actions, rewards and flags."""
    batches = playing(trace)
    batch = next(batches)
    form = form_of(batch.simulator)
    if form.name == "roles":
        raise RunError(f"{trace.id} has several roles, which Minari's episodes do not hold; export to parquet or jsonl")
    form.focus(batch)
    columns: dict[str, list[Any]] = {"observations": [form.observe(batch)], "actions": []}
    columns |= {"rewards": [], "terminations": [], "truncations": []}
    for number, later in enumerate(batches):
        named = later.simulator.named_actions  # the trace holds words, the buffer the numbers that they were played as
        recorded = later.actions[form.role][0] if named else trace.actions[form.role][number]
        action = recorded if form.name == "joint" else recorded[form.seat - later.simulator.offsets[form.role]]
        space = form.action_space
        columns["actions"].append(np.asarray(action, space.dtype) if space.dtype is not None else action)
        columns["rewards"].append(form.reward(later))
        columns["terminations"].append(form.terminated(later))
        columns["truncations"].append(bool(later.out.truncated[0]))
        form.focus(later)
        columns["observations"].append(form.observe(later))
    return form, columns
