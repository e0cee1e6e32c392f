"""A board as a static site: a folder of pages that needs no server, and works from a disk and under any prefix.

The same submissions and the same sources of the suite give the same bytes. The site remembers in `board-site.json` which
files are its own: only these are replaced or removed when it is built again, and a folder that has other things in it is
refused.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from ludarium.envs.core.errors import RunError
from ludarium.leaderboards.board.folders import FolderSource
from ludarium.leaderboards.board.pages import Pages, Part
from ludarium.leaderboards.board.replays import Movies, Replays, chosen
from ludarium.leaderboards.submission import SUFFIX
from ludarium.leaderboards.track import Track

__all__ = ["MARKER", "Built", "build", "check", "replays_of"]

MARKER = "board-site.json"
_INDEX = "index.html"


class Built(NamedTuple):
    """What was written."""

    folder: Path
    pages: int
    files: int
    written: int
    """Files that are new or other than before."""
    removed: int


def build(
    source: FolderSource,
    to: str | PathLike[str],
    *,
    parts: tuple[Part, ...] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Built:
    """Write the site of a folder of submissions; `RunError` if the folder `to` is not its own, or the disk refuses."""
    site = _Site(Path(to), source.folder)
    pages = Pages(source, index=_INDEX, parts=parts, download=_download)
    try:
        paths = pages.paths()
        site.plan([_file(path) for path in paths] + [_download(digest) for digest in source.files] + ["404.html"])
        for done, path in enumerate(paths):
            progress(done, len(paths))
            site.write(_file(path), pages.render(path).body)
        for digest in source.files:
            submission = source.submission(digest)
            if submission is not None:
                site.write(_download(digest), submission.data)
        site.write("404.html", pages.missing().body)
        progress(len(paths), len(paths))
        removed = site.finish(source.head())
    except OSError as error:
        raise RunError(f"{to}: cannot write the site: {error.strerror or error}") from error
    return Built(site.root, len(paths), len(site.files), site.written, removed)


def replays_of(
    source: FolderSource,
    movies: str | PathLike[str],
    *,
    every: bool = False,
    jobs: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Replays:
    """Replays for a site: of the first episode of each case, or of every one. They are kept in the folder `movies`."""

    def numbers(track: Track) -> list[int]:
        return list(range(len(track.units()))) if every else chosen(track)

    made = Movies(movies, at_once=jobs)
    tracks = {track.name: track for track in source.tracks()}
    shown = [e for track in tracks for e in source.entries(track) if e.accepted and e.version == tracks[track].version]
    progress(0, len(shown))
    with concurrent.futures.ThreadPoolExecutor(max(1, jobs)) as pool:
        films = (pool.submit(made.make, source, e.digest, numbers(tracks[e.track])) for e in shown)
        for done, future in enumerate([*films]):
            future.result()
            progress(done + 1, len(shown))
    return Replays(source, index=_INDEX, movies=made, chosen=numbers)


def check(to: str | PathLike[str], submissions: str | PathLike[str]) -> None:
    """`RunError` if a folder may not become the site of these submissions: ask before verifying them."""
    _Site(Path(to), Path(submissions))


def _file(path: str) -> str:
    """The file of a page."""
    return path + _INDEX if path.endswith("/") or not path else path


def _download(digest: str) -> str:
    return f"files/{digest}{SUFFIX}"


class _Site:
    """The folder of a site."""

    def __init__(self, root: Path, submissions: Path) -> None:
        self.root = root
        self.files: dict[str, str] = {}
        """What this build wrote: path -> SHA-256."""
        self.written = 0
        inside, outside = root.resolve(), submissions.resolve()
        if inside == outside or outside in inside.parents or inside in outside.parents:
            raise RunError(f"{root}: the site and the submissions ({submissions}) must not lie in each other")
        self._old = self._known()

    def _known(self) -> dict[str, str]:
        """The files of the build before; `RunError` for a folder that holds anything else."""
        if not self.root.exists():
            return {}
        if not self.root.is_dir():
            raise RunError(f"{self.root}: is no folder; name one for the site")
        marker = self.root / MARKER
        if not marker.exists():
            if any(self.root.iterdir()):
                raise RunError(
                    f"{self.root}: holds files that are not of a site ({MARKER} is missing); name an empty folder"
                )
            return {}
        try:
            files = json.loads(marker.read_text(encoding="utf-8"))["files"]
            return {str(name): str(digest) for name, digest in files.items() if _is_inside(str(name))}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise RunError(f"{marker}: cannot be read ({error}); remove the folder, or name another") from error

    def plan(self, names: list[str]) -> None:
        """Say what will be written before it is: a build that is killed leaves nothing that the next one does not know."""
        self.root.mkdir(parents=True, exist_ok=True)
        self._mark("", dict.fromkeys(names, "") | self._old)

    def write(self, name: str, body: bytes) -> None:
        """A file of the site; one that is there with the same bytes is left alone."""
        if not _is_inside(name):
            raise RunError(f"{name!r}: no path inside a site")
        self.files[name] = hashlib.sha256(body).hexdigest()
        path = self.root / name
        if path.is_file() and not path.is_symlink() and path.read_bytes() == body:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_bytes(body)
        part.replace(path)
        self.written += 1

    def finish(self, head: str) -> int:
        """Remove what the build before had and this one does not; return how many files that was."""
        gone = [name for name in self._old if name not in self.files]
        for name in gone:
            path = self.root / name
            path.unlink(missing_ok=True)
            for folder in path.parents:
                if folder == self.root or not folder.is_dir() or any(folder.iterdir()):
                    break
                folder.rmdir()
        self._mark(head, self.files)
        return len(gone)

    def _mark(self, head: str, files: dict[str, str]) -> None:
        content = {"head": head, "files": dict(sorted(files.items()))}
        (self.root / MARKER).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _is_inside(name: str) -> bool:
    parts = name.split("/")
    return bool(name) and "\\" not in name and ":" not in name and all(part not in ("", ".", "..") for part in parts)
