"""`ludarium leaderboard retract`, `erase`, `recheck` and `stuck`."""

from __future__ import annotations

from typing import Annotated

import typer

from ludarium.leaderboards.cli.board.common import (
    AsJson,
    Blobs,
    StoreUrl,
    Yes,
    confirm,
    console,
    open_store,
    print_json,
    tell,
)

__all__ = ["erase", "recheck", "retract", "stuck"]

Digest = Annotated[str, typer.Argument(help="SHA-256 of the file, as pages and API show it.")]


def retract(
    digest: Digest,
    reason: Annotated[str, typer.Option(help="Shown to everybody.")],
    yes: Yes = False,
    store: StoreUrl = "board.db",
    blobs: Blobs = None,
    as_json: AsJson = False,
) -> None:
    """Take a submission off the ranking, with a reason that all can read; its row stays.

    For example:

        ludarium leaderboard retract DIGEST --reason "trained on the test seeds" --yes
    """
    with open_store(store, blobs) as found:
        found.submissions.get(digest)
        confirm(yes, f"{digest} is to be retracted")
        found.submissions.retract(digest, reason)
    tell({"retracted": digest, "reason": reason}, f"{digest} is retracted: {reason}", as_json)


def erase(
    digest: Digest, yes: Yes = False, store: StoreUrl = "board.db", blobs: Blobs = None, as_json: AsJson = False
) -> None:
    """Erase a submission's file and what may be personal of it; verdict, rows and the log stay.

    For example:

        ludarium leaderboard erase DIGEST --yes
    """
    with open_store(store, blobs) as found:
        found.submissions.get(digest)
        confirm(yes, f"{digest} is to be erased: nobody can replay it any more")
        found.submissions.erase(digest)
    tell({"erased": digest}, f"{digest} is erased; backups made before still hold it", as_json)


def recheck(digest: Digest, store: StoreUrl = "board.db", blobs: Blobs = None, as_json: AsJson = False) -> None:
    """Queue a submission again: for a second look at its verdict, or because it was stuck.

    For example:

        ludarium leaderboard recheck DIGEST
    """
    with open_store(store, blobs) as found:
        found.queue.recheck(digest)
        state = found.submissions.get(digest).state
    tell({"digest": digest, "state": state}, f"{digest} is {state}", as_json)


def stuck(store: StoreUrl = "board.db", blobs: Blobs = None, as_json: AsJson = False) -> None:
    """List submissions that could not be verified, and that nobody will try again before a `recheck`.

    For example:

        ludarium leaderboard stuck
    """
    with open_store(store, blobs) as found:
        rows = found.queue.stuck()
    if as_json:
        print_json([{"digest": digest, "error": error} for digest, error in rows])
        return
    for digest, error in rows:
        console().print(f"{digest}\t{error}")
    if not rows:
        console().print("nothing is stuck")
