"""What commands share: options in words, output as JSON or for people."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ludarium.envs.core.errors import ConfigError

__all__ = ["AsJson", "Insecure", "Options", "TokenFile", "console", "options_of", "parse_value", "print_json"]

_PIPED = 160
"""Columns where nobody's terminal says how wide it is."""

TokenFile = Annotated[
    str | None,
    typer.Option("--token", metavar="FILE", help="The file of your token for the board [default: LUDARIUM_TOKEN]."),
]
Insecure = Annotated[bool, typer.Option("--insecure", help="Send the token over http too, where others can read it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]
Options = Annotated[
    list[str] | None,
    typer.Option("--config", "-c", metavar="NAME=VALUE", help="An option of the environment; repeat it."),
]


def parse_value(text: str) -> Any:
    """A JSON value where the text is one, the text itself otherwise."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def options_of(given: list[str] | None) -> dict[str, Any]:
    """`["num_robots=8"]` as a dict; `ConfigError` for anything without a name."""
    options = {}
    for item in given or ():
        name, equals, text = item.partition("=")
        if not equals or not name:
            raise ConfigError(f"--config {item!r}; expected NAME=VALUE, such as num_robots=8")
        options[name] = parse_value(text)
    return options


def print_json(value: Any) -> None:
    """Write JSON to standard output."""
    json.dump(value, sys.stdout, indent=1, ensure_ascii=False, default=_plain)
    sys.stdout.write("\n")


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return value.tolist() if hasattr(value, "tolist") else repr(value)


def console(stderr: bool = False) -> Any:
    """A rich console; nothing in the commands' output is markup. In a file or a pipe no line is broken or cut."""
    from rich.console import Console

    class Plain(Console):
        """Sentences are one line each, whatever the width: programs read them, and terminals break them by themselves."""

        def print(self, *objects: Any, **options: Any) -> None:
            """Print; tables are as wide as the console."""
            if all(isinstance(each, str) for each in objects):
                options.setdefault("soft_wrap", True)
            super().print(*objects, **options)

    made = Plain(stderr=stderr, markup=False, highlight=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = _PIPED
    return made
