"""`ludarium leaderboard account ...`."""

from __future__ import annotations

from typing import Annotated

import typer

from ludarium.leaderboards.cli.board.common import (
    AsJson,
    Blobs,
    StoreUrl,
    Yes,
    account_of,
    confirm,
    console,
    open_store,
    print_json,
    tell,
    when,
)

__all__ = ["COMMANDS", "command"]


def command() -> None:
    """Accounts: who may submit.

    For example:

        ludarium leaderboard account create Ada

        ludarium leaderboard account list --json
    """


def create(
    name: Annotated[str, typer.Argument(help="What the board shows.")],
    contact: Annotated[str | None, typer.Option(help="For you alone: how to reach them.")] = None,
    store: StoreUrl = "board.db",
    blobs: Blobs = None,
    as_json: AsJson = False,
) -> None:
    """Make an account; the first one makes the board, too.

    For example:

        ludarium leaderboard account create Ada --contact ada@example.org
    """
    with open_store(store, blobs, make=True) as found:
        made = found.accounts.create(name, contact)
    tell(made.__dict__, f"account {made.id}: {made.name}", as_json)


def show(store: StoreUrl = "board.db", blobs: Blobs = None, as_json: AsJson = False) -> None:
    """List all accounts.

    For example:

        ludarium leaderboard account list
    """
    rows, last = [], 0
    with open_store(store, blobs) as found:
        while page := found.accounts.all(last):
            rows += page
            last = page[-1].id
    if as_json:
        print_json([account.__dict__ for account in rows])
        return
    for each in rows:
        name = "(erased)" if each.erased_at is not None else each.name
        console().print(f"{each.id}\t{name}\t{each.contact or ''}\t{when(each.created_at)}")


def erase(
    account: Annotated[str, typer.Argument(help="A name or a number.")],
    yes: Yes = False,
    store: StoreUrl = "board.db",
    blobs: Blobs = None,
    as_json: AsJson = False,
) -> None:
    """Erase a name, its contact, and all files of its submissions; verdicts and the log stay, tokens are revoked.

    For example:

        ludarium leaderboard account erase Ada --yes
    """
    with open_store(store, blobs) as found:
        owner = account_of(found, account)
        confirm(yes, f"account {owner.id} and all its submissions are to be erased")
        found.submissions.erase_account(owner.id)
    tell({"erased": owner.id}, f"account {owner.id} is erased; backups made before still hold it", as_json)


COMMANDS = {"create": create, "list": show, "erase": erase}
