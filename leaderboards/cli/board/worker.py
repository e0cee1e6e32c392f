"""`ludarium leaderboard worker`."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Annotated

import typer

from ludarium.leaderboards.cli.board.common import AsJson, Blobs, StoreUrl, Tracks, open_store, print_json, say


def command(
    tracks: Tracks = None,
    lease: Annotated[
        float, typer.Option(min=1.0, help="Seconds after which another may take a dead worker's job.")
    ] = 60.0,
    tries: Annotated[int, typer.Option(min=1, help="How often a job is tried before it is stuck.")] = 5,
    nice: Annotated[int, typer.Option(min=0, max=19, help="How far behind others on this machine.")] = 10,
    until_empty: Annotated[bool, typer.Option("--until-empty", help="End when nothing waits.")] = False,
    with_parent: Annotated[bool, typer.Option("--with-parent", help="End when standard input closes.")] = False,
    store: StoreUrl = "board.db",
    blobs: Blobs = None,
    as_json: AsJson = False,
) -> None:
    """Verify what waits in a board's queue, for as long as it runs; any number of workers share a queue.

    For example:

        ludarium leaderboard worker --store board.db --until-empty
    """
    from ludarium.leaderboards.board.settings import tracks_of
    from ludarium.leaderboards.board.verifier import Verifier
    from ludarium.leaderboards.board.workers import end_with_input

    if with_parent:
        end_with_input()
    with open_store(store, blobs) as found:
        with contextlib.suppress(OSError):
            os.nice(nice)
        verifier = Verifier(found, tracks_of(tracks), lease_s=lease, max_tries=tries, say=say)
        done = verifier.run(threading.Event(), until_empty=until_empty)
    if as_json:
        print_json({"verdicts": done})
