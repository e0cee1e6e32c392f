"""`ludarium leaderboard COMMAND`. Each command is a module, or a function of one, imported when it is used."""

from __future__ import annotations

__all__ = ["COMMANDS", "command"]

COMMANDS = {
    "serve": "board.serve",
    "worker": "board.worker",
    "build": "board.build",
    "reference": "board.reference",
    "status": "board.keeping:status",
    "account": "board.accounts",
    "token": "board.tokens",
    "round": "board.rounds",
    "retract": "board.moderation:retract",
    "erase": "board.moderation:erase",
    "recheck": "board.moderation:recheck",
    "stuck": "board.moderation:stuck",
    "audit": "board.keeping:audit",
    "backup": "board.keeping:backup",
    "restore": "board.keeping:restore",
    "upgrade": "board.keeping:upgrade",
}
"""Command -> module of the command line, or `module:function`, in the order of the help."""


def command() -> None:
    """Run a board: a server with pages, an API and verification, and what its operator needs.

    Commands find the board by `--store`, or by the environment variable LUDARIUM_BOARD_STORE. For example:

        ludarium leaderboard account create Ada --store board.db

        ludarium leaderboard serve --store board.db --workers 1

    Without a server, a folder of submissions becomes a static site:

        ludarium leaderboard build submissions --to site
    """
