"""What a board shows of its submissions, wherever they lie: in a store (`StoreSource`) or in a folder (`FolderSource`).

All texts of a `Listed` came from strangers: whoever writes them into a page escapes them.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ludarium.envs.core.errors import LudariumError, RunError, StoreError, SubmissionError
from ludarium.leaderboards.board.cache import VerdictCache, code_hash
from ludarium.leaderboards.board.published import PublishedRounds
from ludarium.leaderboards.judge import judge
from ludarium.leaderboards.manifest import Manifest
from ludarium.leaderboards.submission import SUFFIX, Submission
from ludarium.leaderboards.track import Place, Track, load_track, track_names
from ludarium.leaderboards.verdict import Verdict, rejected

if TYPE_CHECKING:
    from ludarium.leaderboards.store import Entry, Link, Store

__all__ = ["Disagreement", "FolderSource", "Listed", "Refused", "Source", "StoreSource", "shipped_tracks"]


@dataclass(frozen=True)
class Listed:
    """One submission as pages show it."""

    digest: str
    """SHA-256 of the file."""
    track: str
    version: int
    """Of the track."""
    name: str
    """The label that the board shows; "" once erased."""
    kind: str
    """The class: one of `track.CLASSES`."""
    tier: str
    key: str
    """The entrant's public key (64 hex digits), "" once erased."""
    state: str
    """Of its verification: waiting, leased, done or stuck."""
    agent: str = ""
    """What played, in the entrant's words."""
    suite: str = ""
    """The version of ludarium that played, as the entrant says."""
    size: int = 0
    """Bytes of the file."""
    authors: tuple[str, ...] = ()
    links: dict[str, str] = field(default_factory=dict)
    reported: dict[str, list[float | None]] = field(default_factory=dict)
    """What each episode took, as the entrant reports it (`manifest.REPORTED`): no replay can check it."""
    round: str | None = None
    """The sealed round."""
    account: str | None = None
    received_at: int | None = None
    """Microseconds since 1970; None where nobody wrote it down."""
    verified_at: int | None = None
    """When its verdict was recorded."""
    verdict: Verdict | None = None
    """Without its rows in `Source.entries`, with them in `Source.get`."""
    retracted: str | None = None
    """The public reason of a retraction."""
    erased: bool = False
    disagreements: int = 0
    """How many other verdicts were found for the same bytes."""
    error: str = ""
    """Why it is stuck."""
    places: tuple[Place, ...] = ()
    """The episodes of an accepted submission: case, seed, trial."""
    scores: tuple[float, ...] = ()
    """Of these episodes."""
    plays: tuple[str, ...] = ()
    """A hash of what was done in each of them; "" for one that is missing."""
    steps: int = 0
    """Of all of them together."""

    @property
    def accepted(self) -> bool:
        """Whether its episodes were played again and are what it says."""
        return self.verdict is not None and self.verdict.ok

    @property
    def ranked(self) -> bool:
        """Whether it may stand in a ranking: accepted, not retracted, and still there to be checked by anybody."""
        return self.accepted and self.retracted is None and not self.erased

    def with_rows(self, rows: Iterable[dict[str, Any]]) -> Listed:
        """With what the rows of its verdict say."""
        found = tuple(rows)
        return dataclasses.replace(
            self,
            places=tuple((row["case"], row["seed"], row["trial"]) for row in found),
            scores=tuple(float(row["score"]) for row in found),
            plays=tuple(row.get("actions", "") for row in found),
            steps=sum(row.get("steps", 0) for row in found),
        )


class Refused(NamedTuple):
    """A file that is no submission: it could not even be opened."""

    file: str
    """Relative to the folder."""
    reason: str


class Disagreement(NamedTuple):
    """Another verdict that was found for the same bytes."""

    at: int
    """Microseconds since 1970."""
    ok: bool
    score: float | None
    problem: str
    """The first, of a verdict that rejects."""


class Source(Protocol):
    """Where a board's submissions come from."""

    refused: list[Refused]
    """Files that are no submissions."""

    def head(self) -> str:
        """Hexadecimal digits that change whenever anything that a page shows changes."""

    def tracks(self) -> list[Track]:
        """The tracks of the board, by name."""

    def other_tracks(self) -> list[str]:
        """Tracks to which there are submissions, but that the board does not have."""

    def entries(self, track: str) -> list[Listed]:
        """All submissions to a track, in the order in which they came; verdicts are without rows."""

    def get(self, digest: str) -> Listed | None:
        """One submission with its whole verdict."""

    def submission(self, digest: str) -> Submission | None:
        """Its file, opened (data only); None if it is not there any more."""

    def history(self, digest: str) -> list[Link]:
        """The links of the verification log that are about it; empty where no log is kept."""

    def others(self, digest: str) -> list[Disagreement]:
        """The verdicts that differ from the one on record."""


def shipped_tracks() -> list[Track]:
    """The suite's own tracks, by name."""
    return [load_track(name) for name in track_names()]


def _entrant(manifest: dict[str, Any]) -> dict[str, Any]:
    """What a manifest, which may have been erased, says of who entered."""
    return {
        "name": str(manifest.get("name", "")), "key": str(manifest.get("public_key", "")),
        "agent": str(manifest.get("agent", "")), "suite": str(manifest.get("suite", "")),
        "authors": tuple(manifest.get("authors", ())), "links": dict(manifest.get("links", {})),
        "reported": dict(manifest.get("reported", {})),
    }  # fmt: skip


# --- a store -----------------------------------------------------------------------------------------------------------
_EMPTY: dict[str, Any] = {
    "ok": False, "tier": "", "rows": (), "problems": (), "score": None, "cpu_s": 0.0, "flags": (), "agent_steps": 0,
    "submission": "", "track": {}, "guard": {},
}  # fmt: skip
_PAGE = 1000


class _Brief(NamedTuple):
    """What is remembered of the rows of a verdict, which never change."""

    places: tuple[Place, ...]
    scores: tuple[float, ...]
    plays: tuple[str, ...]
    steps: int


class StoreSource:
    """The submissions of a store. Threads may share one."""

    def __init__(self, store: Store, tracks: list[Track] | None = None) -> None:
        self.store = store
        self.refused: list[Refused] = []
        self._tracks = sorted(shipped_tracks() if tracks is None else tracks, key=lambda track: track.name)
        self._setting = hashlib.sha256("".join([code_hash(), *(t.hash for t in self._tracks)]).encode()).hexdigest()
        self._briefs: dict[str, _Brief] = {}
        self._places: dict[tuple[Place, ...], tuple[Place, ...]] = {}

    def head(self) -> str:
        """Changes with the log, the state of any open job, the tracks and the suite's own sources."""
        from sqlalchemy import select

        from ludarium.leaderboards.store.models import HeadRow, JobRow

        query = select(JobRow.submission_id, JobRow.state).where(JobRow.state != "done").order_by(JobRow.submission_id)
        with self.store.database.read() as session:
            head = session.scalar(select(HeadRow.hash).where(HeadRow.id == 1))
            jobs = [(row[0], row[1]) for row in session.execute(query)]
        return hashlib.sha256(repr((self._setting, head, jobs)).encode()).hexdigest()

    def tracks(self) -> list[Track]:
        """The tracks of the board."""
        return list(self._tracks)

    def entries(self, track: str) -> list[Listed]:
        """All submissions to a track."""
        found: list[Entry] = []
        while True:
            page = self.store.submissions.all(track=track, after=found[-1].id if found else 0, limit=_PAGE)
            found += page
            if len(page) < _PAGE:
                break
        errors = dict(self.store.queue.stuck())
        wanted = [entry for entry in found if entry.verdict and entry.verdict["ok"]]
        self._remember([entry for entry in wanted if entry.digest not in self._briefs])
        times = self._times(track)
        listed = [dataclasses.replace(self._listed(e, (), errors), verified_at=times.get(e.digest)) for e in found]
        return [dataclasses.replace(e, **self._briefs[e.digest]._asdict()) if e.accepted else e for e in listed]

    def _times(self, track: str) -> dict[str, int]:
        """When verdicts were recorded, by digest."""
        from sqlalchemy import select

        from ludarium.leaderboards.store.models import SubmissionRow, VerdictRow

        query = select(SubmissionRow.digest, VerdictRow.recorded_at).join(
            VerdictRow, VerdictRow.submission_id == SubmissionRow.id
        )
        with self.store.database.read() as session:
            return {row[0]: row[1] for row in session.execute(query.where(SubmissionRow.track == track))}

    def other_tracks(self) -> list[str]:
        """Tracks to which there are submissions, but that the board does not have."""
        from sqlalchemy import select

        from ludarium.leaderboards.store.models import SubmissionRow

        with self.store.database.read() as session:
            names = session.scalars(select(SubmissionRow.track).distinct().order_by(SubmissionRow.track))
            return [name for name in names if name not in {track.name for track in self._tracks}]

    def _remember(self, entries: list[Entry]) -> None:
        """Read what standings need of the rows of several verdicts."""
        from sqlalchemy import select

        from ludarium.leaderboards.store.models import EpisodeRow

        for first in range(0, len(entries), 100):
            digests = {entry.id: entry.digest for entry in entries[first : first + 100]}
            query = select(EpisodeRow.submission_id, EpisodeRow.row).where(EpisodeRow.submission_id.in_(digests))
            rows: dict[int, list[dict[str, Any]]] = {number: [] for number in digests}
            with self.store.database.read() as session:
                for number, row in session.execute(query.order_by(EpisodeRow.submission_id, EpisodeRow.number)):
                    rows[number].append(row)
            for number, own in rows.items():
                places, scores, plays, steps = _brief(own)
                places = self._places.setdefault(places, places)  # most submissions share them
                self._briefs[digests[number]] = _Brief(places, scores, plays, steps)

    def get(self, digest: str) -> Listed | None:
        """One submission with its whole verdict."""
        try:
            entry = self.store.submissions.get(digest)
        except StoreError:
            return None
        rows = self.store.submissions.episodes(digest) if entry.verdict else []
        listed = self._listed(entry, rows, dict(self.store.queue.stuck()))
        return dataclasses.replace(listed, **_brief(rows)._asdict()) if listed.accepted else listed

    def _listed(self, entry: Entry, rows: Iterable[dict[str, Any]], errors: dict[str, str]) -> Listed:
        return Listed(
            digest=entry.digest, track=entry.track, version=entry.version, kind=entry.kind, tier=entry.tier,
            state=entry.state, size=entry.size, round=entry.round, account=entry.account, received_at=entry.received_at,
            verdict=_verdict(entry, rows), retracted=None if entry.retracted_at is None else entry.reason or "",
            erased=entry.erased_at is not None, disagreements=entry.disagreements, error=errors.get(entry.digest, ""),
            **_entrant(entry.manifest),
        )  # fmt: skip

    def submission(self, digest: str) -> Submission | None:
        """Its file, opened."""
        try:
            return Submission(self.store.blobs.get(digest), digest)
        except (StoreError, SubmissionError):
            return None

    def history(self, digest: str) -> list[Link]:
        """The links of the log that are about it."""
        return self.store.log.links(subject=digest)

    def others(self, digest: str) -> list[Disagreement]:
        """The verdicts that differ from the one on record."""
        found = []
        for other in self.store.submissions.disagreements(digest):
            verdict = other["verdict"].get("verdict", {})
            first = (verdict.get("problems") or [""])[0]
            problem = f"{first.get('where')}: {first.get('what')}" if isinstance(first, dict) else str(first)
            found.append(Disagreement(other["at"], bool(verdict.get("ok")), verdict.get("score"), problem))
        return found


def _brief(rows: Iterable[dict[str, Any]]) -> _Brief:
    found = Listed("", "", 0, "", "", "", "", "").with_rows(rows)
    return _Brief(found.places, found.scores, found.plays, found.steps)


def _verdict(entry: Entry, rows: Iterable[dict[str, Any]]) -> Verdict | None:
    """The verdict on record; what an older worker did not say is empty."""
    if entry.verdict is None:
        return None
    said = {**_EMPTY, "tier": entry.tier, "submission": entry.digest, **entry.verdict, **entry.measured, "rows": rows}
    problems = [p if isinstance(p, dict) else {"where": "", "what": str(p)} for p in said["problems"]]
    return Verdict.from_dict({**said, "problems": problems})


# --- a folder ----------------------------------------------------------------------------------------------------------
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
            except LudariumError as error:
                self.refused.append(Refused(name, str(error).removeprefix(f"{path}: ")))
                continue
            if submission.hash in manifests:
                first = self.files[submission.hash].relative_to(self.folder).as_posix()
                self.refused.append(Refused(name, f"the same bytes as {first}"))
                continue
            self.files[submission.hash], manifests[submission.hash] = path, submission.manifest
        return manifests

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
                **_entrant({**said.__dict__}),
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
