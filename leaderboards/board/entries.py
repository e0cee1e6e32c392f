"""What a board shows of its submissions, wherever they lie: in a store (`StoreSource`) or in a folder (`folders.FolderSource`).

All texts of a `Listed` came from strangers: whoever writes them into a page escapes them.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ludarium.envs.core.errors import StoreError, SubmissionError
from ludarium.leaderboards.board.cache import code_hash
from ludarium.leaderboards.submission import Submission
from ludarium.leaderboards.track import Place, Track, load_track, track_names
from ludarium.leaderboards.verdict import Verdict

if TYPE_CHECKING:
    from ludarium.leaderboards.store import Entry, Link, Store

__all__ = ["Disagreement", "Listed", "Refused", "Source", "StoreSource", "entrant", "shipped_tracks"]


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


def entrant(manifest: dict[str, Any]) -> dict[str, Any]:
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
            **entrant(entry.manifest),
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
