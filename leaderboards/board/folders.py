"""The submissions in a folder as the source of a board: no server, no database, nothing but files that strangers sent."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import hashlib
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from ludarium.envs.core.errors import LudariumError, MissingExtraError, RunError, SubmissionError
from ludarium.envs.core.registry import available, world
from ludarium.leaderboards.board.cache import VerdictCache, code_hash
from ludarium.leaderboards.board.entries import Disagreement, Listed, Refused, entrant, shipped_tracks
from ludarium.leaderboards.board.published import PublishedRounds
from ludarium.leaderboards.judge import judge
from ludarium.leaderboards.manifest import Manifest
from ludarium.leaderboards.submission import SUFFIX, Submission
from ludarium.leaderboards.track import Track
from ludarium.leaderboards.verdict import Verdict, rejected

if TYPE_CHECKING:
    from ludarium.leaderboards.store import Link

__all__ = ["FolderSource"]


class FolderSource:
    """The submissions in a folder (`*.ludarium.zip`, sub-folders too), each judged once in a guarded process.

    Verdicts are kept under `cache` and are believed only for the same bytes, track and sources of the suite. The folder
    itself is never written to, nor are verdicts read from it: strangers may have sent all that it holds. Sealed submissions
    are judged on the seeds that `rounds`, a folder of published records, has for them.
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        tracks: list[Track] | None = None,
        *,
        cache: str | PathLike[str] | None = None,
        rounds: str | PathLike[str] | None = None,
        jobs: int = 1,
        judge: Callable[[Submission, Track], Verdict] = judge,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise RunError(f"{folder}: no folder of submissions")
        self._tracks = sorted(shipped_tracks() if tracks is None else tracks, key=lambda track: track.name)
        self.cache, self._judge = VerdictCache(cache), judge
        self._rounds = PublishedRounds(rounds, self._tracks)
        self.files: dict[str, Path] = {}
        """The files by digest."""
        self.refused: list[Refused] = []
        manifests = self._open()
        self._listed = self._judged(manifests, jobs, progress)

    def _open(self) -> dict[str, Manifest]:
        manifests: dict[str, Manifest] = {}
        for path in sorted(self.folder.rglob(f"*{SUFFIX}"), key=lambda p: p.relative_to(self.folder).parts):
            name = path.relative_to(self.folder).as_posix()
            try:
                if path.is_symlink():
                    raise SubmissionError("a link; put the file itself into the folder")
                submission = Submission.open(path)
                self._must_be_playable(submission)
            except LudariumError as error:
                self.refused.append(Refused(name, str(error).removeprefix(f"{path}: ")))
                continue
            if submission.hash in manifests:
                first = self.files[submission.hash].relative_to(self.folder).as_posix()
                self.refused.append(Refused(name, f"the same bytes as {first}"))
                continue
            self.files[submission.hash], manifests[submission.hash] = path, submission.manifest
        return manifests

    def _must_be_playable(self, submission: Submission) -> None:
        """`MissingExtraError` for a submission to a world that cannot be made on this machine."""
        track = next((track for track in self._tracks if track.name == submission.manifest.track["name"]), None)
        if track is not None and not available(track.world.environment):
            lacking = world(track.world.environment).requires
            raise MissingExtraError(lacking, lacking)

    def _judged(
        self, manifests: dict[str, Manifest], jobs: int, progress: Callable[[int, int], None]
    ) -> dict[str, Listed]:
        progress(0, len(manifests))
        with concurrent.futures.ThreadPoolExecutor(max(1, jobs)) as pool:
            verdicts = []
            for verdict in pool.map(self._verdict, manifests, manifests.values()):
                verdicts.append(verdict)
                progress(len(verdicts), len(manifests))
        found = {}
        for (digest, said), verdict in zip(manifests.items(), verdicts, strict=True):
            listed = Listed(
                digest=digest, track=said.track["name"], version=said.track["version"], tier=said.tier, state="done",
                kind=said.kind, size=self.files[digest].stat().st_size, round=said.sealed.get("round"), verdict=verdict,
                **entrant({**said.__dict__}),
            )  # fmt: skip
            found[digest] = listed.with_rows(verdict.rows) if verdict.ok else listed
        return found

    def _verdict(self, digest: str, said: Manifest) -> Verdict:
        """What the cache or a guarded process says; `RunError` if verifying itself fails."""
        track = next((track for track in self._tracks if track.name == said.track["name"]), None)
        if track is None:
            reason = f"is for a track {said.track['name']!r:.100}, which this board does not have"
            return rejected(reason, "manifest.json", digest, said.track, tier=said.tier)
        submission = Submission.open(self.files[digest])
        if submission.hash != digest:
            raise RunError(f"{self.files[digest]}: was changed while it was read; build again")
        submission.where = "submission"  # not its path: the verdict is one of the bytes, wherever they lie
        if said.tier == "sealed":
            try:
                track = self._rounds.track_of(submission, track)
            except SubmissionError as error:
                reason = str(error).removeprefix("submission: ")
                return rejected(reason, "manifest.json", digest, track.reference, tier=said.tier)
        if (known := self.cache.get(digest, track)) is not None:
            return known
        verdict = self._judge(submission, track)
        self.cache.put(digest, track, verdict)
        return verdict

    @functools.cached_property
    def _head(self) -> str:
        parts = [code_hash(), *(f"{t.name} {t.hash}" for t in self._tracks), *map(repr, self.refused)]
        parts += [f"{digest} {e.verdict.digest if e.verdict else ''}" for digest, e in self._listed.items()]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def head(self) -> str:
        """Of what was in the folder when it was read."""
        return self._head

    def tracks(self) -> list[Track]:
        """The tracks of the board."""
        return list(self._tracks)

    def entries(self, track: str) -> list[Listed]:
        """All submissions to a track, by the names of their files."""
        return [
            dataclasses.replace(e, verdict=e.verdict._replace(rows=()) if e.verdict else None)
            for e in self._listed.values()
            if e.track == track
        ]

    def other_tracks(self) -> list[str]:
        """Tracks to which there are submissions, but that the board does not have."""
        known = {track.name for track in self._tracks}
        return sorted({entry.track for entry in self._listed.values()} - known)

    def get(self, digest: str) -> Listed | None:
        """One submission with its whole verdict."""
        return self._listed.get(digest)

    def submission(self, digest: str) -> Submission | None:
        """Its file, opened."""
        try:
            found = Submission.open(self.files[digest]) if digest in self.files else None
        except SubmissionError:
            return None
        return found if found is not None and found.hash == digest else None

    def history(self, digest: str) -> list[Link]:
        """A folder keeps no log."""
        return []

    def others(self, digest: str) -> list[Disagreement]:
        """A folder's files are judged once."""
        return []
