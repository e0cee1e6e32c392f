"""Replays on the board: an episode of a submission as a movie, and pages that show one, or two agents side by side.

Where things lie, on the server as on the static site (all links are relative):

    replays/TRACK/?a=DIGEST&b=DIGEST&episode=7#t=120    one page a track; without `b`, one replay
    movies/DIGEST/NNNN.js                               the movie of an episode, four digits or more: it hands itself over

A movie is a script, since a page that was opened from a disk may load nothing else; it holds base64 alone.
"""

from __future__ import annotations

from ludarium.leaderboards.track import Track

__all__ = ["chosen", "movie_path", "page_path"]


def page_path(track: str) -> str:
    """The path of a track's replay page, from the root of the board."""
    return f"replays/{track}/"


def movie_path(digest: str, number: int) -> str:
    """The path of the movie of a submission's episode, from the root of the board."""
    return f"movies/{digest}/{number:04d}.js"


def chosen(track: Track) -> list[int]:
    """The episodes that a static site shows unless told otherwise: the first seed of each case, first trial."""
    first: dict[str, int] = {}
    for number, (case, _, _) in enumerate(track.units()):
        first.setdefault(case, number)
    return list(first.values())
