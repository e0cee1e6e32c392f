"""`ludarium leaderboard serve`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ludarium.envs.core.errors import MissingExtraError
from ludarium.leaderboards.cli.board.common import BLOBS, STORE, Blobs, StoreUrl, Tracks, open_store


def command(
    store: StoreUrl = "board.db",
    blobs: Blobs = None,
    tracks: Tracks = None,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8080,
    workers: Annotated[
        int,
        typer.Option(min=0, max=256, help="Processes that verify; 0: `ludarium leaderboard worker` runs elsewhere."),
    ] = 1,
    lease: Annotated[
        float, typer.Option(min=1.0, help="Seconds after which another may take a dead worker's job.")
    ] = 60.0,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A name the board goes by; repeat it [default: any].")
    ] = None,
    proxy: Annotated[
        list[str] | None,
        typer.Option(help="The address of a reverse proxy whose X-Forwarded-For is believed; repeat it."),
    ] = None,
    upload_mb: Annotated[int, typer.Option(min=1, max=1024, help="Megabytes that a submission may have.")] = 64,
    pause: Annotated[
        float, typer.Option(min=0.1, help="Seconds for which a client may send nothing in the middle of a request.")
    ] = 10.0,
    uploads: Annotated[float, typer.Option(min=0.001, help="Uploads of an account in a minute.")] = 20.0,
    knocks: Annotated[
        float, typer.Option(min=0.001, help="Requests with a token of an address in a minute, good or bad.")
    ] = 60.0,
    reads: Annotated[float, typer.Option(min=0.001, help="Requests of an address to the API in a minute.")] = 1200.0,
    hosted: Annotated[
        int, typer.Option(min=0, max=1000, help="Hosted attempts that may be open at once; 0: none.")
    ] = 32,
) -> None:
    """Serve a board: pages, the API with uploads, and verification in the background. An SQLite file is made if need be.

    For example:

        ludarium leaderboard serve --store board.db --port 8080 --workers 2

        ludarium leaderboard serve --store postgresql://board@/board --blobs /var/lib/board --allow-host board.example.org
    """
    try:
        from ludarium.leaderboards.board import server
        from ludarium.leaderboards.board.hosting import Rules
        from ludarium.leaderboards.board.limits import Rate
        from ludarium.leaderboards.board.settings import Settings, tracks_of
        from ludarium.leaderboards.board.workers import Workers
        from ludarium.leaderboards.serve.guard import is_loopback
        from ludarium.leaderboards.submission import LIMITS
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "board") from error

    if not is_loopback(host) and not proxy:
        print(
            "others can reach this board in clear text: put TLS in front of it, since tokens are secrets",
            file=sys.stderr,
        )
    settings = Settings(
        tracks=tuple(tracks_of(tracks)), limits=LIMITS._replace(packed=upload_mb << 20), uploads=Rate(uploads),
        knocks=Rate(knocks), reads=Rate(reads), hosts=tuple(allow_host or ()), expects_workers=workers > 0,
        hosted=Rules(open_all=hosted),
        pause_s=pause,
    )  # fmt: skip
    with open_store(store, blobs, make=True) as found:
        arguments = ["--lease", str(lease), *([] if tracks is None else ["--tracks", tracks])]
        place = {STORE: store} | ({} if blobs is None else {BLOBS: blobs})  # not as arguments: all users see those
        crew = Workers(workers, arguments, place)
        server.run(found, settings, server.Address(host, port, tuple(proxy or ())), crew, _ready)


def _ready(address: str) -> None:
    print(f"the board is at {address}", flush=True)
