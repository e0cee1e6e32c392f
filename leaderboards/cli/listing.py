"""`ludarium list`."""

from __future__ import annotations

from typing import Annotated

import typer

from ludarium.envs.core.errors import ConfigError, did_you_mean
from ludarium.leaderboards.cli.common import AsJson, console, print_json

KINDS = ("environments", "agents", "scenarios")


def command(
    kind: Annotated[str | None, typer.Argument(help="environments, agents or scenarios; all three if left out")] = None,
    as_json: AsJson = False,
) -> None:
    """List environments, agents and scenarios.

    For example:

        ludarium list

        ludarium list agents

        ludarium list scenarios --json
    """
    if kind is not None and kind not in KINDS:
        raise ConfigError(f"nothing is listed as {kind!r}{did_you_mean(kind, KINDS)}")
    tables = {name: _rows(name) for name in KINDS if kind in (None, name)}
    if as_json:
        print_json(
            {name: [dict(zip(("name", "summary"), row, strict=True)) for row in tables[name]] for name in tables}
        )
        return
    from rich.table import Table

    for name, rows in tables.items():
        table = Table(title=name, title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
        table.add_column(style="bold", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        console().print(table)


def _rows(kind: str) -> list[tuple[str, str]]:
    if kind == "environments":
        import ludarium  # noqa: F401  (registers the ids)
        from ludarium.envs.core.registry import WORLDS, available

        return [
            (name, row.summary if available(name) else f"{row.summary} (needs the extra {row.requires!r})")
            for name, row in sorted(WORLDS.items())
        ]
    if kind == "agents":
        from ludarium.agents.registry import known_agents

        return [(name, summary) for name, (_, summary) in sorted(known_agents().items())]
    from ludarium.scenarios.loader import load, scenario_names

    return [(name, load(name).summary) for name in scenario_names()]
