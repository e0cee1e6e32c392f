"""`ludarium verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ludarium.leaderboards.cli.common import AsJson, console, print_json


def command(
    run: Annotated[Path, typer.Argument(help="a run folder")],
    first: Annotated[bool, typer.Option("--first", help="Stop at the first problem.")] = False,
    as_json: AsJson = False,
) -> None:
    """Play every trace of a run again, recompute every metric, and compare; exit code 1 if anything differs.

    For example:

        ludarium verify runs/mapf-quick-1

        ludarium verify runs/mapf-quick-1 --first --json
    """
    from ludarium.leaderboards.table import number
    from ludarium.leaderboards.verify import verify

    report = verify(run, first=first)
    if as_json:
        problems = [problem._asdict() for problem in report.problems]
        print_json({"ok": report.ok, **report._asdict(), "problems": problems})
    else:
        out = console()
        for note in report.notes:
            out.print(f"note: {note}")
        for problem in report.problems:
            out.print(f"WRONG {problem}")
        rate = number(report.agent_steps / max(report.cpu_s, 1e-9), 2)
        told = f"{report.episodes} episodes, {report.agent_steps:,} agent-steps in {report.cpu_s:.2f} CPU-seconds"
        verdict = "verified" if report.ok else f"NOT verified ({len(report.problems)} problems)"
        out.print(f"{verdict}: {told} ({rate} a second), digest {report.digest or 'none'}")
    if not report.ok:
        raise typer.Exit(1)
