"""`ludarium export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ludarium.leaderboards.cli.common import AsJson, console, print_json


def command(
    run: Annotated[Path, typer.Argument(help="a run folder")],
    to: Annotated[str, typer.Option("--to", help="minari, parquet or jsonl")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File (minari: folder) to write [default: in RUN].")
    ] = None,
    agent: Annotated[
        list[str] | None, typer.Option("--agent", "-a", help="Only this agent's episodes; repeat it.")
    ] = None,
    observations: Annotated[bool, typer.Option(help="Rebuild what the seats saw.")] = True,
    as_json: AsJson = False,
) -> None:
    """Write the steps of a run, observations rebuilt by replay, for training and analysis elsewhere.

    For example:

        ludarium export runs/mapf-quick-1 --to jsonl --no-observations -o steps.jsonl

        ludarium export runs/mapf-quick-1 --to parquet --agent pibt

        ludarium export runs/mapf-quick-1 --to minari
    """
    from ludarium.leaderboards.export import export

    made = export(run, to, out, agents=agent, observations=observations)
    if as_json:
        print_json(made._asdict())
    else:
        console().print(f"{made.path}: {made.episodes} episodes, {made.steps} steps")
        for name in made.datasets:
            console().print(f"dataset {name}")
