"""Replays on the board: an episode of a submission as a movie, and pages that show one, or two agents side by side.

Where things lie, on the server as on the static site (all links are relative):

    replays/TRACK/?a=DIGEST&b=DIGEST&episode=7#t=120    one page a track; without `b`, one replay
    movies/DIGEST/NNNN.js                               the movie of an episode, four digits or more: it hands itself over

A movie is a script, since a page that was opened from a disk may load nothing else; it holds base64 alone.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from typing import TYPE_CHECKING

from ludarium.envs.core.errors import LudariumError, MovieBusyError, MovieError, NoMovieError
from ludarium.envs.core.render.page import player_script, player_style
from ludarium.leaderboards import child
from ludarium.leaderboards.board.html import Html
from ludarium.leaderboards.board.pages import Page, track_path
from ludarium.leaderboards.board.reels import Reels
from ludarium.leaderboards.confine import Guard
from ludarium.leaderboards.submission import LIMITS, Submission
from ludarium.leaderboards.track import Track

if TYPE_CHECKING:
    from ludarium.leaderboards.board.entries import Listed, Source

__all__ = ["GUARD", "Movies", "Replays", "chosen", "films", "movie", "movie_path", "page_path", "played"]

GUARD = Guard(memory_mb=4096, cpu_s=60, wall_s=180.0, output_mb=64)
"""What the filming of some episodes of one submission may take."""
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}", re.A)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.A)
_MOVIE = re.compile(r"movies/([0-9a-f]{64})/([0-9]{4,6})\.js", re.A)
_ROOT = "replays/"
_REMEMBERED = 1000
_TOGETHER = 8
"""Episodes that one process films."""


def page_path(track: str) -> str:
    """The path of a track's replay page, from the root of the board."""
    return f"{_ROOT}{track}/"


def movie_path(digest: str, number: int) -> str:
    """The path of the movie of a submission's episode, from the root of the board."""
    return f"movies/{digest}/{number:04d}.js"


def chosen(track: Track) -> list[int]:
    """The episodes that a static site shows unless told otherwise: the first seed of each case, first trial."""
    first: dict[str, int] = {}
    for number, (case, _, _) in enumerate(track.units()):
        first.setdefault(case, number)
    return list(first.values())


def played(track: Track, listed: Listed) -> Track:
    """The track with the seeds that an accepted submission played: its own in a sealed round or of the hosted tier."""
    if list(listed.places) == track.units():
        return track
    seeds: dict[str, dict[int, None]] = {}
    for case, seed, _ in listed.places:
        seeds.setdefault(case, {})[seed] = None
    return track.with_seeds({case: tuple(own) for case, own in seeds.items()})


# --- making movies -----------------------------------------------------------------------------------------------------
def films(
    submission: Submission, track: Track, numbers: Sequence[int], *, guard: Guard = GUARD
) -> dict[int, str | MovieError]:
    """The movie (base64) of each of these episodes, or why it cannot be shown; made by guarded processes.

    What is in a movie was computed by playing the trace again; a trace that is not what it says is refused. `RunError` if
    filming itself fails.
    """
    units = len(track.units())
    found: dict[int, str | MovieError] = {
        n: NoMovieError(f"there is no episode {n}; the track {track.name!r} has {units}")
        for n in numbers
        if not 0 <= n < units
    }
    wanted = [n for n in dict.fromkeys(numbers) if n not in found]
    for first in range(0, len(wanted), _TOGETHER):
        some = wanted[first : first + _TOGETHER]
        made = _filmed(submission, track, some, guard)
        if len(some) > 1 and any(n not in made for n in some):  # the process failed: find out by which of them
            made = {n: found for one in some for n, found in _filmed(submission, track, [one], guard).items()}
        found.update(made)
    return found


def movie(submission: Submission, track: Track, number: int, *, guard: Guard = GUARD) -> str:
    """The movie of one episode, base64; `MovieError` says why there is none."""
    found = films(submission, track, [number], guard=guard)[number]
    if isinstance(found, MovieError):
        raise found
    return found


def _filmed(submission: Submission, track: Track, numbers: list[int], guard: Guard) -> dict[int, str | MovieError]:
    """What one process makes of some episodes; nothing for several if it failed."""
    order = {
        "track": str(track.path), "hash": track.hash, "seeds": list(track.sealed), "limits": list(LIMITS),
        "where": submission.where, "numbers": numbers,
    }  # fmt: skip
    ended = child.ask("ludarium.leaderboards.board.filming", order, submission.data, guard)
    if ended.failure:
        return {numbers[0]: MovieError(f"the filming process {ended.failure}")} if len(numbers) == 1 else {}
    found: dict[int, str | MovieError] = {}
    for number, line in zip(numbers, ended.answer.splitlines(), strict=True):
        said = json.loads(line)
        blob = said.get("movie")
        fits = isinstance(blob, str) and _BASE64.fullmatch(blob)
        found[number] = blob if fits else MovieError(str(said.get("error", "no movie"))[:1000])
    return found


class Movies:
    """Movies of a board's submissions, made when they are asked for and kept in a folder; threads may share one.

    At most `at_once` are made at a time, and as many as `waiting` may wait: then `MovieBusyError`.
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        *,
        most_bytes: int = 1 << 30,
        at_once: int = 1,
        waiting: int = 8,
        guard: Guard = GUARD,
    ) -> None:
        self.reels = Reels(folder, most_bytes)
        self._guard = guard
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._work = threading.BoundedSemaphore(at_once)
        self._lock = threading.Lock()
        self._busy: dict[str, tuple[threading.Lock, int]] = {}

    def script(self, source: Source, digest: str, number: int) -> bytes:
        """The script of `movie_path`: it hands the movie of a verified submission's episode to the page.

        `NoMovieError` if there is none to be shown, `MovieError` if it cannot be made, `MovieBusyError`, or `RunError`.
        """
        listed, track = self._verified(source, digest)
        if not 0 <= number < len(listed.places):
            raise NoMovieError(f"there is no episode {number}; the submission has {len(listed.places)}")
        if not listed.plays[number]:
            raise NoMovieError(f"episode {number} is missing in this submission")
        return script(digest, number, self._movie(source, listed, track, number))

    def make(self, source: Source, digest: str, numbers: Iterable[int]) -> list[int]:
        """Make the movies of several episodes of a verified submission; those that there are now."""
        listed, track = self._verified(source, digest)
        keys = {n: self.reels.key(digest, n, track) for n in numbers if listed.plays[n]}
        found = {n: known for n, key in keys.items() if (known := self.reels.get(key)) is not None}
        wanted = [n for n in keys if n not in found]
        submission = source.submission(digest) if wanted else None
        if submission is not None:
            for n, made in films(submission, track, wanted, guard=self._guard).items():
                self.reels.put(keys[n], made)
                found[n] = made
        return sorted(n for n, made in found.items() if isinstance(made, str))

    def _verified(self, source: Source, digest: str) -> tuple[Listed, Track]:
        """A submission whose episodes may be shown, and the track with the seeds that it played."""
        listed = source.get(digest) if _DIGEST.fullmatch(digest) else None
        if listed is None or not listed.accepted or listed.erased:
            raise NoMovieError(f"{digest:.64}: no verified submission has this digest")
        track = next((track for track in source.tracks() if track.name == listed.track), None)
        if track is None or track.version != listed.version:
            raise NoMovieError(f"{digest}: the board has no track {listed.track!r} of version {listed.version}")
        return listed, played(track, listed)

    def _movie(self, source: Source, listed: Listed, track: Track, number: int) -> str:
        key = self.reels.key(listed.digest, number, track)
        if (known := self.reels.get(key)) is not None:
            return _shown(known)
        with self._alone(key), self._turn():
            if (known := self.reels.get(key)) is not None:
                return _shown(known)
            submission = source.submission(listed.digest)
            if submission is None:
                raise NoMovieError(f"{listed.digest}: the file of this submission is not there any more")
            found = films(submission, track, [number], guard=self._guard)[number]
            self.reels.put(key, found)
            return _shown(found)

    @contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        """One thread at a time for each movie: the others find it made."""
        with self._lock:
            lock, users = self._busy.get(key, (threading.Lock(), 0))
            self._busy[key] = lock, users + 1
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, users = self._busy.pop(key)
                if users > 1:
                    self._busy[key] = lock, users - 1

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise MovieBusyError("too many movies are being made; ask again in a moment")
        try:
            with self._work:
                yield
        finally:
            self._places.release()


class Replays:
    """The replay pages as a part of `pages.Pages`: one for each track, and the player.

    With `movies`, which a static site needs, the movies too: of the episodes that `chosen` names by track. Without, all
    verified episodes are offered, and a server answers for `movies/` itself, by `Movies.script`.
    """

    def __init__(
        self,
        source: Source,
        *,
        index: str = "",
        movies: Movies | None = None,
        chosen: Callable[[Track], Iterable[int]] = chosen,
    ) -> None:
        self.source, self.html, self.movies, self._chosen = source, Html(index), movies, chosen
        self._tracks = {track.name: track for track in source.tracks()}
        self._made: dict[str, list[int]] = {}
        self._links: OrderedDict[str, tuple[str, frozenset[int]]] = OrderedDict()

    def paths(self) -> list[str]:
        """The pages, the player and, on a static site, the movies, made now: those that cannot be are left out."""
        found = [f"{_ROOT}player.css", f"{_ROOT}player.js", *map(page_path, self._tracks)]
        if self.movies is not None:
            for track in self._tracks.values():
                found += [movie_path(e.digest, n) for e in self._entries(track) for n in self._numbers(track, e)]
        return found

    def render(self, path: str) -> Page:
        """A page, the player, or a movie; `LookupError` where there is none, or it cannot be made."""
        if path == f"{_ROOT}player.js":
            return Page(player_script().encode(), "text/javascript; charset=utf-8")
        if path == f"{_ROOT}player.css":
            return Page(player_style().encode(), "text/css; charset=utf-8")
        if (named := _MOVIE.fullmatch(path)) and self.movies is not None:
            try:
                return Page(self.movies.script(self.source, named[1], int(named[2])), "text/javascript; charset=utf-8")
            except MovieError as error:
                raise LookupError(f"{path}: {error}") from error
        track = self._tracks.get(path.removeprefix(_ROOT).removesuffix("/"))
        if track is None or path != page_path(track.name):
            raise LookupError(path)
        return Page(self._page(track), "text/html; charset=utf-8")

    def link(self, digest: str, number: int) -> str | None:
        """The path, with its query, that shows an episode; None if it is not shown."""
        if digest not in self._links:  # a verdict never changes; one that is awaited is looked up again
            listed = self.source.get(digest)
            track = self._tracks.get(listed.track) if listed else None
            if listed is None or track is None or not listed.accepted:
                return None
            self._links[digest] = track.name, frozenset(self._numbers(track, listed))
            while len(self._links) > _REMEMBERED:
                self._links.popitem(last=False)
        name, numbers = self._links[digest]
        return f"{page_path(name)}?a={digest}&episode={number}" if number in numbers else None

    def _page(self, track: Track) -> bytes:
        def shown(entry: Listed) -> str:
            return _ranges(self._numbers(track, entry))

        return self.html.page(
            "replay.html", page_path(track.name), track=track, entries=self._entries(track), shown=shown,
            track_path=track_path, index=self.html.index,
        )  # fmt: skip

    def _entries(self, track: Track) -> list[Listed]:
        """The verified submissions to a track that are there to be seen: the best first, retracted ones last."""
        entries = [e for e in self.source.entries(track.name) if self._numbers(track, e)]
        sign = -1.0 if track.higher_is_better else 1.0

        def place(entry: Listed) -> tuple[bool, float, str]:
            score = entry.verdict.score if entry.verdict and entry.verdict.score is not None else track.worst
            return entry.retracted is not None, sign * score, entry.digest

        return sorted(entries, key=place)

    def _numbers(self, track: Track, entry: Listed) -> list[int]:
        """The episodes of a submission that are shown."""
        if not entry.accepted or entry.erased or entry.version != track.version:
            return []
        if self.movies is None:
            return [n for n, play in enumerate(entry.plays) if play]
        if entry.digest not in self._made:
            wanted = [n for n in sorted(set(self._chosen(track))) if 0 <= n < len(entry.plays)]
            self._made[entry.digest] = self.movies.make(self.source, entry.digest, wanted)
        return self._made[entry.digest]


def _ranges(numbers: list[int]) -> str:
    """Ascending numbers in short: "0-2,7"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)


def _shown(found: str | MovieError) -> str:
    if isinstance(found, MovieError):
        raise found
    return found


def script(digest: str, number: int, blob: str) -> bytes:
    """A movie that hands itself over to the page."""
    if not (_DIGEST.fullmatch(digest) and _BASE64.fullmatch(blob)):
        raise LudariumError("a movie's script holds a digest, a number and base64, nothing else")
    return f'ludariumMovie("{digest}",{number:d},"{blob}");\n'.encode()
