"""`ludarium leaderboard token ...`."""

from __future__ import annotations

from typing import Annotated

import typer

from ludarium.leaderboards.cli.board.common import (
    AsJson,
    Blobs,
    StoreUrl,
    account_of,
    console,
    open_store,
    print_json,
    tell,
    when,
)

__all__ = ["COMMANDS", "command"]

_DAY = 86_400.0


def command() -> None:
    """Tokens: what programs send to act for an account.

    For example:

        ludarium leaderboard token create Ada

        ludarium leaderboard token revoke 3
    """


def create(
    account: Annotated[str, typer.Argument(help="A name or a number.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="submit, verify or admin; repeat it [default: submit].")
    ] = None,
    days: Annotated[float | None, typer.Option(min=0.0, help="How long it is good [default: until revoked].")] = None,
    store: StoreUrl = "board.db",
    blobs: Blobs = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and show it: once, since only its digest is kept.

    For example:

        ludarium leaderboard token create Ada --days 90
    """
    with open_store(store, blobs) as found:
        owner = account_of(found, account)
        number, token = found.accounts.issue(owner.id, scope or ["submit"], None if days is None else days * _DAY)
    tell({"id": number, "account": owner.id, "token": token}, token, as_json)
    if not as_json:
        console(stderr=True).print(f"token {number} of {owner.name}: keep it, it cannot be shown again")


def show(
    account: Annotated[str, typer.Argument(help="A name or a number.")],
    store: StoreUrl = "board.db",
    blobs: Blobs = None,
    as_json: AsJson = False,
) -> None:
    """List an account's tokens: numbers, scopes and times, not the tokens.

    For example:

        ludarium leaderboard token list Ada
    """
    with open_store(store, blobs) as found:
        rows = found.accounts.tokens(account_of(found, account).id)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        ends = "revoked" if row["revoked_at"] is not None else f"until {when(row['expires_at']) or 'revoked'}"  # type: ignore[arg-type]
        console().print(f"{row['id']}\t{','.join(row['scopes'])}\t{when(row['created_at'])}\t{ends}")  # type: ignore[arg-type]


def revoke(
    token: Annotated[int, typer.Argument(help="The token's number.")],
    store: StoreUrl = "board.db",
    blobs: Blobs = None,
    as_json: AsJson = False,
) -> None:
    """Make a token useless from now on.

    For example:

        ludarium leaderboard token revoke 3
    """
    with open_store(store, blobs) as found:
        found.accounts.revoke(token)
    tell({"revoked": token}, f"token {token} is revoked", as_json)


COMMANDS = {"create": create, "list": show, "revoke": revoke}
