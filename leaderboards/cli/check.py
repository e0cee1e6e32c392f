"""`ludarium check`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ludarium.envs.core.errors import ConfigError
from ludarium.leaderboards.cli.common import AsJson, Options, console, options_of, print_json

_MARKS = {"kept": "green", "broken": "bold red", "blocked": "yellow", "not claimed": "dim", "left out": "dim"}


def command(
    environment: Annotated[str | None, typer.Argument(help="an environment's id, or module:Class")] = None,
    config: Options = None,
    laws: Annotated[str | None, typer.Option(help="Only these laws, with commas between them.")] = None,
    profile: Annotated[
        str, typer.Option(help="dev (8 cases of 64 steps), ci (50 of 256) or nightly (1000 of 1024).")
    ] = "dev",
    seed: Annotated[int | None, typer.Option(help="Draw other cases.")] = None,
    python: Annotated[Path | None, typer.Option(help="Run the environment under this interpreter.")] = None,
    failures: Annotated[Path, typer.Option(help="Where broken laws are kept, and tried first the next time.")] = Path(
        "failures"
    ),
    limit: Annotated[float, typer.Option(help="Seconds that an operation may take.")] = 60.0,
    memory: Annotated[int, typer.Option(help="MiB that the environment may take beyond its first.")] = 2048,
    guarded: Annotated[bool, typer.Option(help="Run the environment in a process of its own.")] = True,
    replay: Annotated[Path | None, typer.Option(help="Try a kept failure again, and nothing else.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hold the laws against an environment, anybody's; exit code 1 if one is broken, each with its shortest story.

    For example:

        ludarium check mapf-lifelong-v0

        ludarium check my_package.envs:MyEnv --profile ci

        ludarium check CartPole-v1 --laws repeatable,copies --json

        ludarium check pettingzoo.classic.tictactoe_v3:env

        ludarium check Pogema-v0 --python other/.venv/bin/python

        ludarium check --replay failures/copies-1a2b3c4d.json
    """
    if replay is not None:
        if environment is not None:
            raise ConfigError(f"--replay tries what {replay} is about; leave out {environment!r}")
        again(replay, python, as_json)
        return
    if environment is None:
        raise ConfigError("what should be checked? For example: ludarium check CartPole-v1")
    if limit <= 0 or memory < 1:
        raise ConfigError(f"--limit {limit} --memory {memory}; expected numbers above 0")
    from ludarium.envs.core.laws.session import check

    names = None if laws is None else [name.strip() for name in laws.split(",") if name.strip()]
    with _Progress(not as_json) as progress:
        report = check(
            environment, names, profile, seed=seed, guarded=guarded, python=None if python is None else str(python),
            folder=failures, limit=limit, memory=memory << 20, progress=progress.update, **options_of(config),
        )  # fmt: skip
    if as_json:
        print_json(report.as_data())
    else:
        _show(report)
    if not report.ok:
        raise typer.Exit(1)


def _show(report: Any) -> None:
    from rich.table import Table

    table = Table(title=f"{report.subject}: the laws ({report.profile})", title_justify="left")
    for heading, side in (("law", "left"), ("verdict", "left"), ("cases", "right"), ("seconds", "right"), ("", "left")):
        table.add_column(heading, justify=side, no_wrap=heading != "")  # type: ignore[arg-type]
    for row in report.rows:
        table.add_row(row.law, row.verdict, str(row.cases), f"{row.seconds:.2f}", row.reason, style=_MARKS[row.verdict])
    out = console()
    out.print(table)
    for row in report.rows:
        if row.failure is not None:
            out.print()
            for line in row.failure.story:
                out.print(line, soft_wrap=True)
            if row.failure.path is not None:
                out.print(f"again: ludarium check --replay {row.failure.path}", soft_wrap=True)
    kept = sum(row.verdict == "kept" for row in report.rows)
    out.print(f"{kept} laws kept, {len(report.broken)} broken{': ' if report.broken else ''}{', '.join(report.broken)}")


def again(path: Path, python: Path | None, as_json: bool) -> None:
    """Try a kept failure again."""
    from ludarium.envs.core.laws import replayed

    found = replayed.again(path, None if python is None else str(python))
    if as_json:
        print_json(found)
    else:
        for line in found["story"]:
            console().print(line, soft_wrap=True)
        if not found["broken"]:
            console().print(f"{found['law']} is kept now ({found['verdict']})")
    if found["broken"]:
        raise typer.Exit(1)


class _Progress:
    """The law at hand, on a terminal; silent elsewhere."""

    def __init__(self, wanted: bool) -> None:
        self._status: Any = None
        self._wanted = wanted and sys.stderr.isatty()

    def __enter__(self) -> _Progress:
        if self._wanted:
            self._status = console(stderr=True).status("starting")
            self._status.start()
        return self

    def update(self, law: str, number: int, count: int) -> None:
        """Show how far the check is."""
        if self._status is not None:
            self._status.update(f"{law} ({number + 1} of {count})")

    def __exit__(self, *error: object) -> None:
        if self._status is not None:
            self._status.stop()
