"""How a board's server is set up: limits, rates, tracks, and what it is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from time import monotonic

from ludarium.envs.core.errors import TrackError
from ludarium.leaderboards.archive import Limits
from ludarium.leaderboards.board.entries import shipped_tracks
from ludarium.leaderboards.board.hosting import Rules
from ludarium.leaderboards.board.limits import Rate
from ludarium.leaderboards.submission import LIMITS
from ludarium.leaderboards.track import Track, load_track

__all__ = ["Settings", "tracks_of"]

UPLOADS, KNOCKS, READS = Rate(20), Rate(60), Rate(1200)


def tracks_of(folder: str | PathLike[str] | None) -> list[Track]:
    """The tracks of a board: those of a folder of `.toml` files, or the suite's own; `TrackError` for twins or none.

    Scenarios of the tracks may lie beside them: a file without `scenario_hash` is no track.
    """
    if folder is None:
        return shipped_tracks()
    found: dict[str, Track] = {}
    for path in sorted(Path(folder).glob("*.toml")):
        if "scenario_hash" not in path.read_text(encoding="utf-8", errors="replace"):
            continue
        track = load_track(path)
        if track.name in found:
            raise TrackError(
                f"{path}: a second track of the name {track.name!r}; the first is {found[track.name].path}"
            )
        found[track.name] = track
    if not found:
        raise TrackError(f"{folder}: no track in this folder; expected files that end in .toml")
    return list(found.values())


@dataclass(frozen=True)
class Settings:
    """What an operator may choose. Rates are of this process alone: several behind one address allow several times as much."""

    tracks: tuple[Track, ...] = field(default_factory=lambda: tuple(shipped_tracks()))
    limits: Limits = LIMITS
    """Of a submission's file; `packed` is enforced while it arrives."""
    uploads: Rate = UPLOADS
    """Of an account."""
    knocks: Rate = KNOCKS
    """Of an address that uploads, whatever comes of it: also wrong tokens count."""
    reads: Rate = READS
    """Of an address that asks the API, or for pages that must be made first."""
    together: int = 16
    """Uploads that may be under way at once."""
    opened: int = 2
    """Submissions that are in memory at once."""
    pause_s: float = 10.0
    """A client that sends nothing for so long is cut."""
    upload_s: float = 300.0
    """What an upload may take in all."""
    small_body: int = 1 << 20
    """Bytes of any other request's body, which must arrive within `pause_s`."""
    hosts: tuple[str, ...] = ()
    """The names that the server goes by; none: any. No answer is made from the Host header."""
    expects_workers: bool = False
    """Whether it is not ready unless a worker was seen of late."""
    fresh_s: float = 0.5
    """How long what is known of the store's head counts as known."""
    patience_s: float = 0.1
    """How long a reader waits for a page to be made anew, before an older one is shown."""
    page_bytes: int = 256 << 20
    """Bytes of pages that are kept."""
    movies: Path | None = None
    """The folder of movies; None: beside the store's files."""
    movie_bytes: int = 1 << 30
    clock: Callable[[], float] = monotonic
    """Seconds, for the rates."""
    hosted: Rules = field(default_factory=Rules)
    """Of hosted attempts."""
