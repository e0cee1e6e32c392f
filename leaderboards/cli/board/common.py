"""What the commands of a board share: which store, how to refuse, how to tell times."""

from __future__ import annotations

import datetime
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ludarium.envs.core.errors import ConfigError, StoreError
from ludarium.leaderboards.cli.common import AsJson, console, print_json

if TYPE_CHECKING:
    from ludarium.leaderboards.store import Account, Store

__all__ = [
    "BLOBS",
    "STORE",
    "AsJson",
    "Blobs",
    "StoreUrl",
    "Tracks",
    "Yes",
    "account_of",
    "confirm",
    "console",
    "open_store",
    "print_json",
    "say",
    "tell",
    "when",
]

STORE, BLOBS = "LUDARIUM_BOARD_STORE", "LUDARIUM_BOARD_BLOBS"

StoreUrl = Annotated[
    str, typer.Option("--store", envvar=STORE, show_envvar=True, help="An SQLite file, or postgresql://...")
]
Blobs = Annotated[
    str | None,
    typer.Option(
        "--blobs",
        envvar=BLOBS,
        show_envvar=True,
        help="The folder of submitted files [default: beside an SQLite file].",
    ),
]
Tracks = Annotated[
    str | None, typer.Option("--tracks", help="A folder of tracks (.toml) [default: all that come with the suite].")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it: this cannot be undone.")]


def open_store(url: str, blobs: str | None, make: bool = False) -> Store:
    """The store; `StoreError` for an SQLite file that is not there, unless one may be made."""
    from ludarium.leaderboards.store import Store
    from ludarium.leaderboards.store.database import parse

    found = parse(url)
    if not make and found.drivername == "sqlite" and not os.path.exists(found.database or ""):
        raise StoreError(
            f"--store {found.database}: there is no such file; `ludarium leaderboard account create` makes a board"
        )
    return Store(url, blobs)


def account_of(store: Store, given: str) -> Account:
    """An account by its name, or by its number where no name is like it."""
    found = store.accounts.find(given)
    if found is not None:
        return found
    if given.isascii() and given.isdigit() and len(given) < 19:
        return store.accounts.get(int(given))
    raise StoreError(f"there is no account {given!r:.80}; `ludarium leaderboard account list` shows all")


def confirm(yes: bool, what: str) -> None:
    """`ConfigError` unless the operator said `--yes`."""
    if not yes:
        raise ConfigError(f"{what}; this cannot be undone: say --yes as well")


def tell(data: object, words: str, as_json: bool) -> None:
    """Print what was done: as data, or in words."""
    if as_json:
        print_json(data)
    else:
        console().print(words)


def when(micros: int | None) -> str:
    """A time in words, UTC."""
    if micros is None:
        return ""
    return datetime.datetime.fromtimestamp(micros / 1e6, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")


def say(line: str) -> None:
    """A line for the log of a process that goes on."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    print(f"{now} {line}", file=sys.stderr, flush=True)
