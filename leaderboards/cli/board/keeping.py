"""`ludarium leaderboard status`, `audit`, `backup`, `restore` and `upgrade`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ludarium.envs.core.errors import ChainError, ConfigError
from ludarium.leaderboards.cli.board.common import AsJson, Blobs, StoreUrl, console, open_store, print_json, tell

__all__ = ["audit", "backup", "restore", "status", "upgrade"]

_SEEN = 120.0


def status(store: StoreUrl = "board.db", blobs: Blobs = None, as_json: AsJson = False) -> None:
    """Tell the backlog, the workers of the last two minutes, and the head of the log.

    For example:

        ludarium leaderboard status --json
    """
    with open_store(store, blobs) as found:
        counts, (number, head) = found.queue.counts(), found.log.head()
        workers = found.workers.count(_SEEN)
    oldest = counts.pop("oldest") / 1e6
    if as_json:
        print_json({"queue": counts, "oldest_s": oldest, "workers": workers, "head": {"number": number, "hash": head}})
        return
    jobs = ", ".join(f"{count} {state}" for state, count in counts.items())
    console().print(f"jobs: {jobs}; the oldest open one is {oldest:.0f} s old; {workers} workers")
    console().print(f"log: {number} links, head {head}")


def audit(
    anchor: Annotated[
        str | None,
        typer.Option(metavar="NUMBER:HASH", help="A head that was published before: the log must lead to it."),
    ] = None,
    files: Annotated[bool, typer.Option("--files", help="Look at every file as well.")] = False,
    store: StoreUrl = "board.db",
    blobs: Blobs = None,
    as_json: AsJson = False,
) -> None:
    """Check the chain of the log and every table against it; exit code 1 if anything does not hold.

    For example:

        ludarium leaderboard audit --files
    """
    known = None
    if anchor is not None:
        number, colon, last = anchor.partition(":")
        if not colon or not number.isdigit() or len(number) > 18:
            raise ConfigError(f"--anchor {anchor!r:.80}; expected NUMBER:HASH, as `status` shows them")
        known = (int(number), last)
    problem, damaged, head = None, [], (0, "")
    with open_store(store, blobs) as found:
        try:
            head = found.check_chain(known)
        except ChainError as error:
            problem = str(error)
        damaged = found.check_blobs() if files else []
    well = problem is None and not damaged
    if as_json:
        print_json({"ok": well, "problem": problem, "files": damaged, "number": head[0], "hash": head[1]})
    else:
        out = console()
        for line in ([problem] if problem else []) + [
            f"{digest}: its file is missing or damaged" for digest in damaged
        ]:
            out.print(f"WRONG {line}")
        if well:
            out.print(f"the log holds: {head[0]} links, head {head[1]}")
    if not well:
        raise typer.Exit(1)


def backup(
    to: Annotated[Path, typer.Argument(help="A new folder.")],
    store: StoreUrl = "board.db",
    blobs: Blobs = None,
    as_json: AsJson = False,
) -> None:
    """Copy a board, which may be at work, into a new folder of plain files. It holds secrets: keep it as such.

    For example:

        ludarium leaderboard backup backups/monday
    """
    with open_store(store, blobs) as found:
        made = found.backup(to)
    tell({"backup": made}, f"{made}: whole", as_json)


def restore(
    source: Annotated[Path, typer.Argument(metavar="FOLDER", help="What `backup` made.")],
    store: StoreUrl = "board.db",
    blobs: Blobs = None,
    as_json: AsJson = False,
) -> None:
    """Make a board from a backup in an empty database, of either kind; its chain and files are checked.

    For example:

        ludarium leaderboard restore backups/monday --store restored.db
    """
    from ludarium.leaderboards.store import Store

    with Store.restore(source, store, blobs) as found:
        number, head = found.log.head()
    tell(
        {"number": number, "hash": head},
        f"restored: {number} links, head {head}; erase again what was erased after the backup",
        as_json,
    )


def upgrade(store: StoreUrl = "board.db", as_json: AsJson = False) -> None:
    """Bring an older board's database to the form of this ludarium. Stop the server and back up before.

    For example:

        ludarium leaderboard upgrade
    """
    from ludarium.leaderboards.store import Store

    Store.upgrade(store)
    tell({"upgraded": True}, "the database is of this ludarium's form", as_json)
