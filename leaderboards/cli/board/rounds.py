"""`ludarium leaderboard round ...`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ludarium.envs.core.errors import ConfigError, TrackError, did_you_mean
from ludarium.leaderboards.cli.board.common import (
    AsJson,
    Blobs,
    StoreUrl,
    Tracks,
    Yes,
    confirm,
    console,
    open_store,
    print_json,
    when,
)

if TYPE_CHECKING:
    from ludarium.leaderboards.store import Round

__all__ = ["COMMANDS", "command"]

_DAY = 86_400.0
Name = Annotated[str, typer.Argument(help="The round's name, such as 2026-12.")]
Track = Annotated[str, typer.Argument(help="A track of the board.")]
Days = Annotated[
    float | None, typer.Option(min=0.0, help="It takes nothing after so many days [default: until closed].")
]
Episodes = Annotated[
    int | None, typer.Option(min=1, help="Seeds of each case [default: as many as the track's largest case].")
]


def command() -> None:
    """Sealed rounds: seeds that follow from a secret, which is known to all when the round is over.

    For example:

        ludarium leaderboard round open mapf-lifelong-quick 2026-11

        ludarium leaderboard round list mapf-lifelong-quick
    """


def open_(
    track: Track, name: Name, days: Days = None, episodes: Episodes = None, tracks: Tracks = None,
    store: StoreUrl = "board.db", blobs: Blobs = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Open a round; the digest of its secret is public from now on.

    For example:

        ludarium leaderboard round open mapf-lifelong-quick 2026-11 --days 30
    """
    played = _track(track, tracks)
    with open_store(store, blobs) as found:
        _tell([_drawn().open_round(found, played, name, _seconds(days), episodes)], as_json)


def close(
    track: Track, yes: Yes = False, store: StoreUrl = "board.db", blobs: Blobs = None, as_json: AsJson = False
) -> None:
    """End a track's open round: its secret is public from now on.

    For example:

        ludarium leaderboard round close mapf-lifelong-quick --yes
    """
    confirm(yes, f"the open round of {track} is to be closed, and its secret revealed")
    with open_store(store, blobs) as found:
        _tell([found.rounds.close(track)], as_json)


def rotate(
    track: Track, name: Name, yes: Yes = False, days: Days = None, episodes: Episodes = None, tracks: Tracks = None,
    store: StoreUrl = "board.db", blobs: Blobs = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """End the open round and open the next, at one moment.

    For example:

        ludarium leaderboard round rotate mapf-lifelong-quick 2026-12 --yes
    """
    confirm(yes, f"the open round of {track} is to be closed, and its secret revealed")
    played = _track(track, tracks)
    with open_store(store, blobs) as found:
        _tell(list(_drawn().rotate_round(found, played, name, _seconds(days), episodes)), as_json)


def show(track: Track, store: StoreUrl = "board.db", blobs: Blobs = None, as_json: AsJson = False) -> None:
    """List the rounds of a track.

    For example:

        ludarium leaderboard round list mapf-lifelong-quick
    """
    with open_store(store, blobs) as found:
        rounds = found.rounds.all(track)
        entered = [len(found.rounds.attempts(each.id)) for each in rounds]
    _tell(rounds, as_json, entered)


def _drawn() -> Any:
    from ludarium.leaderboards.board import drawn

    return drawn


def _track(track: str, tracks: str | None) -> Any:
    from ludarium.leaderboards.board.settings import tracks_of

    known = {each.name: each for each in tracks_of(tracks)}
    if track not in known:
        raise TrackError(f"the board has no track {track!r:.100}{did_you_mean(track[:100], known)}")
    return known[track]


def _seconds(days: float | None) -> float | None:
    if days == 0:
        raise ConfigError("--days 0; expected more than 0")
    return None if days is None else days * _DAY


def _tell(rounds: list[Round], as_json: bool, entered: list[int] | None = None) -> None:
    if as_json:
        rows: list[dict[str, Any]] = [each.__dict__ for each in rounds]
        if entered is not None:
            rows = [{**row, "entered": count} for row, count in zip(rows, entered, strict=True)]
        print_json(rows)
        return
    for number, each in enumerate(rounds):
        state = f"closed {when(each.closed_at)}, secret {each.secret}" if each.closed_at else "open"
        if not each.closed_at and each.closes_at:
            state += f" until {when(each.closes_at)}"
        count = "" if entered is None else f", {entered[number]} entered"
        console().print(f"{each.track} {each.name}: {state}{count}; SHA-256 of the secret {each.secret_digest}")


COMMANDS = {"open": open_, "close": close, "rotate": rotate, "list": show}
