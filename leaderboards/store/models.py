"""The tables. A change here needs a migration beside it (`migrations/versions`); a test compares the two.

Times are microseconds since 1970, UTC. JSON is canonical text, so that its digest is the same from every database.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, MetaData, String, Text, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from ludarium.leaderboards.store.values import canonical

__all__ = [
    "AccountRow",
    "AttemptRow",
    "Base",
    "DisagreementRow",
    "EpisodeRow",
    "HeadRow",
    "HostedRow",
    "JobRow",
    "LogRow",
    "RoundRow",
    "SubmissionRow",
    "TokenRow",
    "VerdictRow",
    "WorkerRow",
]

Id = BigInteger().with_variant(Integer, "sqlite")
"""A key that counts up by itself: SQLite does that for its type INTEGER only."""


class Json(TypeDecorator[Any]):
    """Plain data as canonical JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """To text."""
        return None if value is None else canonical(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """From text."""
        return None if value is None else json.loads(value)


class Base(DeclarativeBase):
    """All tables; constraints have names, so that migrations can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {int: BigInteger, str: Text}  # noqa: RUF012


class AccountRow(Base):
    """Who submits. `name`, `look` and `contact` are personal, and empty after erasure."""

    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str | None]
    look: Mapped[str | None] = mapped_column(Text, unique=True)
    contact: Mapped[str | None]
    created_at: Mapped[int]
    erased_at: Mapped[int | None]


class TokenRow(Base):
    """What lets a program act for an account; of the token itself only the digest is kept."""

    __tablename__ = "tokens"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(Json)
    created_at: Mapped[int]
    expires_at: Mapped[int | None]
    revoked_at: Mapped[int | None]


class RoundRow(Base):
    """A sealed round of a track. The secret is public once the round is closed."""

    __tablename__ = "rounds"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    track: Mapped[str]
    name: Mapped[str]
    secret: Mapped[str]
    terms: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """What is played: the track's `version` and `hash`, and the `episodes` of each case."""
    opened_at: Mapped[int]
    closes_at: Mapped[int | None]
    closed_at: Mapped[int | None]
    __table_args__ = (UniqueConstraint("track", "name"),)


class AttemptRow(Base):
    """An account's one attempt in a round: what it bound itself to before it saw the seeds."""

    __tablename__ = "attempts"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    commitment: Mapped[str]
    public_key: Mapped[str | None]
    """Whose signature the submission must have; erased with the account."""
    salt: Mapped[str | None]
    key_digest: Mapped[str | None]
    created_at: Mapped[int]
    __table_args__ = (
        UniqueConstraint("round_id", "account_id"),
        Index(None, "round_id", "commitment", unique=True),
        Index(None, "round_id", "public_key", unique=True),
    )


class HostedRow(Base):
    """A hosted attempt: the board draws the seeds, plays the world, and makes the submission."""

    __tablename__ = "hosted"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    track: Mapped[str]
    terms: Mapped[dict[str, Any]] = mapped_column(Json)
    """What is played, as in a round."""
    secret: Mapped[str]
    """Its seeds follow from it; public once the attempt has ended."""
    entrant: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """Personal: name, agent, authors and links for the submission's manifest; gone when the attempt has ended."""
    opened_at: Mapped[int]
    owner: Mapped[str]
    """The process that plays it."""
    due_at: Mapped[int]
    """When somebody else may end it, unless its process says again that it is there."""
    ended_at: Mapped[int | None]
    outcome: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """Of an ended attempt: `why`, `played` (episodes), `submission` (its digest, or null) and `measured`."""
    __table_args__ = (Index(None, "account_id", "track"), Index(None, "track", "id"))


class SubmissionRow(Base):
    """A submission's file by its digest. `manifest` holds personal fields until they are erased."""

    __tablename__ = "submissions"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    size: Mapped[int]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    track: Mapped[str]
    version: Mapped[int]
    kind: Mapped[str]
    tier: Mapped[str]
    round_id: Mapped[int | None] = mapped_column(ForeignKey("rounds.id"))
    manifest: Mapped[dict[str, Any]] = mapped_column(Json)
    salt: Mapped[str | None]
    """Without it nobody can try whose name fits `manifest_digest`; erased with the manifest."""
    manifest_digest: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[int]
    retracted_at: Mapped[int | None]
    reason: Mapped[str | None]
    erased_at: Mapped[int | None]
    __table_args__ = (Index(None, "track", "version", "id"), UniqueConstraint("round_id", "account_id"))


class VerdictRow(Base):
    """The one verdict of a submission, without its rows (`episodes`); `measured` is what no second run repeats."""

    __tablename__ = "verdicts"
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), primary_key=True, autoincrement=False)
    verdict: Mapped[dict[str, Any]] = mapped_column(Json)
    measured: Mapped[dict[str, Any]] = mapped_column(Json)
    worker: Mapped[str]
    recorded_at: Mapped[int]


class EpisodeRow(Base):
    """A row of a verdict, and the digest of its episode, by which twins among submissions are found."""

    __tablename__ = "episodes"
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    digest: Mapped[str | None] = mapped_column(Text, index=True)
    row: Mapped[dict[str, Any]] = mapped_column(Json)


class DisagreementRow(Base):
    """A verdict that differs from the one on record."""

    __tablename__ = "disagreements"
    link: Mapped[int] = mapped_column(ForeignKey("log.number"), primary_key=True, autoincrement=False)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), index=True)
    verdict: Mapped[dict[str, Any]] = mapped_column(Json)
    worker: Mapped[str]


class JobRow(Base):
    """A submission's place in the queue; `state` is waiting, leased, done or stuck."""

    __tablename__ = "jobs"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), unique=True)
    state: Mapped[str]
    tries: Mapped[int]
    due_at: Mapped[int]
    """When it may be taken: now, after a pause, or when the lease runs out."""
    queued_at: Mapped[int]
    worker: Mapped[str | None]
    lease: Mapped[str | None]
    error: Mapped[str | None]
    __table_args__ = (Index(None, "state", "due_at"),)


class LogRow(Base):
    """A link of the chain; triggers refuse changes and deletions."""

    __tablename__ = "log"
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[int]
    kind: Mapped[str]
    subject: Mapped[str]
    digest: Mapped[str] = mapped_column(String(64))
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    __table_args__ = (Index(None, "subject"),)


class HeadRow(Base):
    """Where the log ends: one row, which whoever appends locks first."""

    __tablename__ = "head"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    number: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


class WorkerRow(Base):
    """When a worker was last seen, by the name that it gave itself; not part of what the board shows."""

    __tablename__ = "workers"
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    seen_at: Mapped[int]
