"""Submissions: their bytes and what is known of them. A row never goes; it can be retracted, and forget who made it."""

from __future__ import annotations

import secrets
from typing import IO, Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from ludarium.envs.core.errors import RefusedError, StoreError
from ludarium.leaderboards.store import accounts, log, payloads
from ludarium.leaderboards.store.blobs import Blobs
from ludarium.leaderboards.store.database import Database
from ludarium.leaderboards.store.models import (
    AccountRow,
    AttemptRow,
    DisagreementRow,
    EpisodeRow,
    HostedRow,
    JobRow,
    LogRow,
    RoundRow,
    SubmissionRow,
    VerdictRow,
)
from ludarium.leaderboards.store.records import Entry
from ludarium.leaderboards.store.values import canonical, text

__all__ = ["Submissions"]

MAX_TEXT, MAX_REASON = 200, 2000


class Submissions:
    """What was submitted."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database, self._blobs = database, blobs

    def add(
        self,
        content: bytes | IO[bytes] | str,
        manifest: dict[str, Any],
        *,
        account: int,
        track: str,
        version: int,
        kind: str = "planner",
        tier: str = "replayed",
        round_id: int | None = None,
    ) -> Entry:
        """Keep a submission and queue it; once this returns, no crash loses it.

        `content` is the file's bytes, an open file, or the digest of what was put into `Store.blobs` before. The same
        bytes of the same account again are the submission that is there. A round takes one submission of each attempt.
        `RefusedError` says what is refused; then nothing is kept.
        """
        digest = content if isinstance(content, str) else self._blobs.put(content)
        canonical(manifest)
        labels = {
            what: text(what, given, MAX_TEXT) for what, given in (("track", track), ("kind", kind), ("tier", tier))
        }
        with self._database.write() as session:
            head = log.lock(session)
            if self._again(session, digest, account):
                return _one(session, digest)
            size = self._blobs.size(digest)  # under the lock: `Store.sweep` may have removed what lay there unused
            if size is None:
                raise StoreError(f"{digest}: the bytes are not there; put them again")
            if accounts.row_of(session, account).erased_at is not None:
                raise RefusedError(f"account {account} was erased")
            now = self._database.now(session)
            salt = secrets.token_hex(16)
            row = SubmissionRow(
                digest=digest, size=size, account_id=account, version=version, round_id=round_id, manifest=manifest,
                salt=salt, manifest_digest=payloads.manifest_digest(salt, manifest), received_at=now, **labels,
            )  # fmt: skip
            if round_id is not None:
                _check_attempt(session, row, round_id, now)
            session.add(row)
            session.flush()
            session.add(JobRow(submission_id=row.id, state="waiting", tries=0, due_at=now, queued_at=now))
            log.append(session, head, now, "submitted", digest, payloads.submitted(row))
            found = _one(session, digest)
        return found

    def _again(self, session: Session, digest: str, account: int) -> bool:
        row = session.scalar(select(SubmissionRow).where(SubmissionRow.digest == digest))
        if row is not None and row.account_id != account:
            raise RefusedError(f"{digest}: another account submitted these bytes")
        if row is not None and row.erased_at is not None:
            raise RefusedError(f"{digest}: these bytes were erased")
        return row is not None

    def get(self, digest: str) -> Entry:
        """A submission by its digest; `RefusedError` if there is none."""
        with self._database.read() as session:
            return _one(session, digest)

    def all(
        self,
        *,
        track: str | None = None,
        version: int | None = None,
        account: int | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[Entry]:
        """Submissions in the order in which they came, those after number `after`."""
        query = _entries().where(SubmissionRow.id > after).order_by(SubmissionRow.id).limit(limit)
        for column, wanted in (
            (SubmissionRow.track, None if track is None else text("track", track, MAX_TEXT)),
            (SubmissionRow.version, version),
            (SubmissionRow.account_id, account),
        ):
            if wanted is not None:
                query = query.where(column == wanted)
        with self._database.read() as session:
            return [_entry(*row) for row in session.execute(query)]

    def episodes(self, digest: str) -> list[dict[str, Any]]:
        """The rows of a submission's verdict, in order; empty while there is none."""
        query = select(EpisodeRow.row).join(SubmissionRow, SubmissionRow.id == EpisodeRow.submission_id)
        with self._database.read() as session:
            return [*session.scalars(query.where(SubmissionRow.digest == digest).order_by(EpisodeRow.number))]

    def twins(self, digest: str) -> list[tuple[int, str, int]]:
        """Episodes that other submissions have too: own number, the other's digest, its number."""
        own = (
            select(EpisodeRow.number, EpisodeRow.digest)
            .join(SubmissionRow)
            .where(SubmissionRow.digest == digest)
            .subquery()
        )
        query = (
            select(own.c.number, SubmissionRow.digest, EpisodeRow.number)
            .join(EpisodeRow, EpisodeRow.digest == own.c.digest)
            .join(SubmissionRow, SubmissionRow.id == EpisodeRow.submission_id)
            .where(SubmissionRow.digest != digest)
            .order_by(own.c.number, SubmissionRow.id, EpisodeRow.number)
        )
        with self._database.read() as session:
            return [(row[0], row[1], row[2]) for row in session.execute(query)]

    def disagreements(self, digest: str) -> list[dict[str, Any]]:
        """The verdicts that differ from the one on record: `link` in the log, `at`, `worker`, `verdict` with its rows."""
        query = (
            select(DisagreementRow, LogRow.at)
            .join(LogRow, LogRow.number == DisagreementRow.link)
            .join(SubmissionRow, SubmissionRow.id == DisagreementRow.submission_id)
            .where(SubmissionRow.digest == digest)
            .order_by(DisagreementRow.link)
        )
        with self._database.read() as session:
            return [
                {"link": row.link, "at": at, "worker": row.worker, "verdict": row.verdict}
                for row, at in session.execute(query)
            ]

    def retract(self, digest: str, reason: str) -> None:
        """Take a submission off the ranking with a reason that all can read; its row stays, and this is not undone."""
        reason = text("reason", reason, MAX_REASON)
        with self._database.write() as session:
            head = log.lock(session)
            row = row_of(session, digest)
            if row.retracted_at is not None:
                raise RefusedError(f"{digest} is retracted already")
            row.retracted_at, row.reason = self._database.now(session), reason
            log.append(session, head, row.retracted_at, "retracted", digest, payloads.retracted(reason))

    def erase(self, digest: str) -> None:
        """Erase what may be personal: the manifest but for `payloads.IMPERSONAL`, and the file, which names its authors.

        The verdict, its rows and the log stay; nobody can replay the episodes again.
        """
        with self._database.write() as session:
            head = log.lock(session)
            row = row_of(session, digest)
            if row.erased_at is None:
                _forget(session, head, row, self._database.now(session))
        self._database.scrub()
        self._blobs.remove(digest)  # if this process dies before, `Store.sweep` does it

    def erase_account(self, account: int) -> None:
        """Erase an account's name and contact, and all its submissions; its tokens are revoked."""
        with self._database.write() as session:
            head = log.lock(session)
            owner = accounts.row_of(session, account)
            rows = session.scalars(select(SubmissionRow).where(SubmissionRow.account_id == account)).all()
            now = self._database.now(session)
            for row in rows:
                if row.erased_at is None:
                    _forget(session, head, row, now)
            session.execute(
                update(AttemptRow).where(AttemptRow.account_id == account).values(public_key=None, salt=None)
            )
            session.execute(update(HostedRow).where(HostedRow.account_id == account).values(entrant=None))
            if owner.erased_at is None:
                accounts.forget(session, owner, now)
                log.append(session, head, now, "erased", f"account/{account}", payloads.erased())
        self._database.scrub()
        for row in rows:
            self._blobs.remove(row.digest)


def row_of(session: Session, digest: str) -> SubmissionRow:
    """The row of a submission; `RefusedError` if there is none."""
    row = session.scalar(select(SubmissionRow).where(SubmissionRow.digest == digest))
    if row is None:
        raise RefusedError(f"there is no submission {digest!r:.80}")
    return row


def _forget(session: Session, head: Any, row: SubmissionRow, now: int) -> None:
    row.manifest, row.salt, row.erased_at = payloads.impersonal(row.manifest), None, now
    job = session.scalar(select(JobRow).where(JobRow.submission_id == row.id).with_for_update())
    own_round = (AttemptRow.round_id == row.round_id, AttemptRow.account_id == row.account_id)
    session.execute(update(AttemptRow).where(*own_round).values(public_key=None, salt=None))
    if job is not None and job.state in ("waiting", "leased"):
        job.state, job.lease, job.error = "stuck", None, "the file was erased before it was verified"
    log.append(session, head, now, "erased", row.digest, payloads.erased())


def _check_attempt(session: Session, row: SubmissionRow, round_id: int, now: int) -> None:
    found = session.get(RoundRow, round_id)
    if found is None or found.track != row.track:
        raise RefusedError(f"track {row.track!r:.80} has no round {round_id!r:.40}")
    if found.closed_at is not None or (found.closes_at is not None and found.closes_at <= now):
        raise RefusedError(f"round {found.name!r} is over")
    if session.scalar(select(AttemptRow.id).filter_by(round_id=round_id, account_id=row.account_id)) is None:
        raise RefusedError(f"account {row.account_id} did not enter round {found.name!r} before")
    if session.scalar(select(SubmissionRow.id).filter_by(round_id=round_id, account_id=row.account_id)) is not None:
        raise RefusedError(f"account {row.account_id} has submitted to round {found.name!r}: a round has one attempt")


def _entries() -> Select[Any]:
    disagreements = (
        select(func.count())
        .where(DisagreementRow.submission_id == SubmissionRow.id)
        .correlate(SubmissionRow)
        .scalar_subquery()
    )
    return (
        select(SubmissionRow, AccountRow.name, RoundRow.name, JobRow.state, VerdictRow, disagreements)
        .join(AccountRow, AccountRow.id == SubmissionRow.account_id)
        .outerjoin(RoundRow, RoundRow.id == SubmissionRow.round_id)
        .join(JobRow, JobRow.submission_id == SubmissionRow.id)
        .outerjoin(VerdictRow, VerdictRow.submission_id == SubmissionRow.id)
    )


def _one(session: Session, digest: str) -> Entry:
    session.flush()
    found = session.execute(_entries().where(SubmissionRow.digest == digest)).first()
    if found is None:
        raise RefusedError(f"there is no submission {digest!r:.80}")
    return _entry(*found)


def _entry(
    row: SubmissionRow,
    name: str | None,
    round_name: str | None,
    state: str,
    verdict: VerdictRow | None,
    disagreements: int,
) -> Entry:
    return Entry(
        row.id, row.digest, row.size, row.account_id, name, row.track, row.version, row.kind, row.tier, round_name,
        row.manifest, row.received_at, state, verdict.verdict if verdict else None, verdict.measured if verdict else {},
        row.retracted_at, row.reason, row.erased_at, disagreements,
    )  # fmt: skip
