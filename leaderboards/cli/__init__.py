"""The command line: `ludarium COMMAND`. Each command is a module of its own, imported when it is used."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperGroup

__all__ = ["app", "main"]

COMMANDS = {
    "list": "listing",
    "info": "info",
    "play": "play",
    "run": "run",
    "enter": "enter",
    "submit": "submit",
    "verify": "verify",
    "replay": "replay",
    "serve": "serve",
    "leaderboard": "leaderboard",
    "check": "check",
    "export": "export",
    "bench": "bench",
    "warmup": "warmup",
    "new-family": "new_family",
}
"""Command -> module of this package, in the order of the help; each module defines `command`.

One that also has a table `COMMANDS` of its own is a group: to modules, to functions of modules (`module:function`), or to
functions.
"""


class _Lazy(TyperGroup):
    """A group whose commands are imported when they are asked for."""

    table: Mapping[str, Any] = COMMANDS

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.table:
            return None
        found = self.table[cmd_name]
        command, commands = _imported(found) if isinstance(found, str) else (found, None)
        made = typer.Typer(**_SETTINGS)
        if commands is None:
            made.command(name=cmd_name, help=command.__doc__, epilog=None)(command)
        else:
            group = type("_Group", (_Lazy,), {"table": commands})
            made = typer.Typer(cls=group, no_args_is_help=True, **_SETTINGS)
            made.callback(help=command.__doc__)(command)
        got = typer.main.get_command(made)
        got.name = cmd_name
        return got


def _imported(place: str) -> tuple[Any, Mapping[str, Any] | None]:
    """The function of a command; of a group's module also its table."""
    path, colon, name = place.partition(":")
    module = importlib.import_module(f"{__name__}.{path}")
    return (getattr(module, name), None) if colon else (module.command, getattr(module, "COMMANDS", None))


_SETTINGS: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": "markdown",
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
app = typer.Typer(cls=_Lazy, no_args_is_help=True, **_SETTINGS)


def _version(wanted: bool) -> None:
    if wanted:
        import ludarium

        typer.echo(f"ludarium {ludarium.__version__}")
        raise typer.Exit()


@app.callback()
def _top(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Worlds for agents of every kind, in which every score can be checked by playing it again.

    `ludarium COMMAND --help` shows examples. Exit codes: 0 well; 1 checked and found wrong; 2 a mistake in what was
    given; 130 stopped by Ctrl-C.
    """


def _stop(signum: int, frame: Any) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line; an error that the suite raises on purpose is one line, without a traceback."""
    from ludarium.envs.core.errors import LudariumError

    sys.path.append(os.getcwd())  # so that `--agent my_module:MyAgent` finds a file of the user's
    try:
        signal.signal(signal.SIGTERM, _stop)
        app(prog_name="ludarium")
    except LudariumError as error:
        print(f"ludarium: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("ludarium: stopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # `ludarium list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(0)
