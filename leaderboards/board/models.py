"""The API's answers, as `/api/openapi.json` documents them. Times are microseconds since 1970, UTC.

Names, labels, authors and links are strangers' texts: whoever shows them escapes them.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ludarium.leaderboards.store import Attempt, Entry, Link, Round
from ludarium.leaderboards.track import Track

__all__ = [
    "AttemptBody",
    "BoardBody",
    "EpisodesBody",
    "HeadBody",
    "LinkBody",
    "LogBody",
    "Received",
    "RoundBody",
    "StandingsBody",
    "SubmissionBody",
    "SubmissionsBody",
    "TrackBody",
    "VerdictBody",
]


class _Body(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class HeadBody(_Body):
    """Where the log ends. Keep it: a later log must lead to it, or somebody wrote another."""

    number: int = Field(description="of the last link; 0 before the first")
    hash: str


class BoardBody(_Body):
    """The board as a whole."""

    ludarium: str = Field(description="the version that serves this")
    head: HeadBody
    queue: dict[str, int] = Field(description="jobs by state; `oldest`: age of the oldest open one in microseconds")
    tracks: int


class TrackBody(_Body):
    """What is measured, and who may enter."""

    name: str
    version: int
    hash: str
    title: str
    scenario: str
    scenario_hash: str
    split: str
    metric: str
    higher_is_better: bool
    worst: float = Field(description="the score of a missing episode; no episode scores worse")
    episodes: int = Field(description="of a whole submission")
    information: str
    classes: list[str]
    tiers: list[str]
    budgets: dict[str, float]
    known_flaws: list[str]

    @classmethod
    def of(cls, track: Track) -> TrackBody:
        """From a track."""
        same = {n: getattr(track, n) for n in cls.model_fields if n not in ("episodes", "scenario")}
        for name in ("classes", "tiers", "known_flaws"):
            same[name] = list(same[name])
        return cls(**same, scenario=track.world.name, episodes=len(track.units()))


class StandingsBody(_Body):
    """The ranking of a track, with intervals: one table for each tier and sealed round, since these do not compare."""

    model_config = ConfigDict(extra="allow")
    track: dict[str, Any]
    filters: dict[str, str | None]
    submissions: int
    tables: list[dict[str, Any]] = Field(
        description="`rows` by rank: `rank_range`, `mean`, `iqm`, `self_reported`, ..."
    )
    aside: list[dict[str, Any]] = Field(description="what is in no table, and why")


class VerdictBody(_Body):
    """What playing every episode again found; `episodes` are at their own address."""

    model_config = ConfigDict(extra="allow")
    ok: bool
    score: float | None = None
    problems: list[Any] = Field(default=[], description="what rejects it: `where`, `what`")
    flags: list[Any] = Field(default=[], description="what should be known beside the score: `kind`, `what`")


class SubmissionBody(_Body):
    """A submission and what is on record of it."""

    id: int
    digest: str = Field(description="SHA-256 of the file")
    size: int
    account: str | None = Field(description="null once erased")
    track: str
    version: int
    class_: str = Field(serialization_alias="class")
    tier: str
    round: str | None
    manifest: dict[str, Any] = Field(description="as the entrant wrote it; figures in `reported` are the entrant's own")
    received_at: int
    state: str = Field(description="of its verification: waiting, leased, done or stuck")
    verdict: VerdictBody | None
    measured: dict[str, Any] = Field(description="of the verification itself: seconds, how it was confined")
    retracted_at: int | None
    reason: str | None = Field(description="of the retraction")
    erased_at: int | None
    disagreements: int = Field(description="how many other verdicts were found for the same bytes")

    @classmethod
    def of(cls, entry: Entry) -> SubmissionBody:
        """From a store's entry."""
        same = {n: getattr(entry, n) for n in cls.model_fields if n not in ("class_", "verdict")}
        verdict = None if entry.verdict is None else VerdictBody(**entry.verdict)
        return cls(**same, class_=entry.kind, verdict=verdict)


class SubmissionsBody(_Body):
    """A page of submissions, in the order in which they came."""

    items: list[SubmissionBody]
    next: int | None = Field(description="give it as `after` for the next page; null: this was the last")


class EpisodesBody(_Body):
    """A page of a verdict's rows."""

    items: list[dict[str, Any]]
    total: int
    next: int | None


class Received(_Body):
    """A submission was taken, and no crash of the board loses it any more."""

    digest: str
    state: str
    track: str
    version: int
    received_at: int
    status: str = Field(description="where to ask for the verdict")
    page: str


class LinkBody(_Body):
    """A link of the log: `hash` is SHA-256 of the JSON list [number, at, kind, subject, digest, previous], without spaces."""

    number: int
    at: int
    kind: str
    subject: str
    digest: str = Field(description="of what happened")
    previous: str = Field(description="the hash of the link before; 64 zeros for the first")
    hash: str

    @classmethod
    def of(cls, link: Link) -> LinkBody:
        """From a store's link."""
        return cls(**link.__dict__)


class LogBody(_Body):
    """A page of the log, and where the log ended when this was answered."""

    items: list[LinkBody]
    next: int | None
    head: HeadBody


class AttemptBody(_Body):
    """An account's one attempt in a round."""

    id: int
    account_id: int
    commitment: str
    public_key: str | None = Field(description="whose signature the submission must have; null once erased")
    created_at: int

    @classmethod
    def of(cls, attempt: Attempt) -> AttemptBody:
        """From a store's attempt."""
        return cls.model_validate(attempt)


class RoundBody(_Body):
    """A sealed round."""

    id: int
    track: str
    name: str
    secret_digest: str = Field(description="SHA-256 of the secret's bytes, published before anybody commits")
    secret: str | None = Field(description="null until the round is closed")
    terms: dict[str, Any] | None = Field(description="what is played: the track's version and hash, episodes a case")
    opened_at: int
    closes_at: int | None
    closed_at: int | None
    attempts: list[AttemptBody]

    @classmethod
    def of(cls, found: Round, attempts: list[Attempt]) -> RoundBody:
        """From a store's round."""
        return cls(**found.__dict__, attempts=[AttemptBody.of(attempt) for attempt in attempts])
