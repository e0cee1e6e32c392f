"""`ludarium new-family`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ludarium.leaderboards.cli.common import AsJson, console, print_json


def command(
    name: Annotated[str, typer.Argument(help="the family's name, such as harbour")],
    into: Annotated[
        Path | None,
        typer.Option("--into", help="Make a package of its own in this folder, instead of a part of the suite."),
    ] = None,
    kind: Annotated[str, typer.Option(help="array (compiled kernels) or object (Python objects, text).")] = "array",
    force: Annotated[
        bool, typer.Option("--force", help="Write beside files that exist; they stay as they are.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Begin a family of environments: a copy of a template world under a new name, complete and green.

    For example:

        ludarium new-family harbour --into ../harbour

        ludarium new-family dockyard --into ../dockyard --kind object
    """
    from ludarium.envs.core.template import new_family

    made = new_family(name, into, force, kind)
    if as_json:
        print_json({"family": name, "files": made})
        return
    for path in made:
        console().print(f"wrote {path}")
