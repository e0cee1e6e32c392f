"""The queue of submissions that wait for a verdict. Any number of workers, on any machines, share it.

A worker takes a job for some seconds and holds on to it by heartbeats; if it dies, the lease runs out and another takes
the job. A submission has one verdict: the first that is recorded. Later ones must be the same; one that differs is kept
beside it and shown.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ludarium.envs.core.errors import LeaseLostError, StoreError, VerdictConflictError
from ludarium.leaderboards.store import log, payloads
from ludarium.leaderboards.store.database import Database
from ludarium.leaderboards.store.models import DisagreementRow, EpisodeRow, JobRow, SubmissionRow, VerdictRow
from ludarium.leaderboards.store.records import Lease
from ludarium.leaderboards.store.submissions import row_of
from ludarium.leaderboards.store.values import canonical, digest_of, duration, text

__all__ = ["STATES", "Queue"]

STATES = ("waiting", "leased", "done", "stuck")
MAX_TRIES = 5
"""Leases that may run out before a job is stuck: a file that kills its worker must not kill them all for ever."""
MAX_ERROR = 2000


class Queue:
    """Jobs and their leases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, worker: str, seconds: float = 60.0, max_tries: int = MAX_TRIES) -> Lease | None:
        """The oldest job that waits or whose lease ran out, for this many seconds; None if there is none."""
        worker, lasts = text("worker", worker, 200), duration("seconds", seconds)
        with self._database.write() as session:
            now = self._database.now(session)
            while (job := _next(session, now)) is not None:
                if job.tries >= max_tries:
                    job.error = job.error or f"its lease ran out {job.tries} times"
                    job.state, job.lease, job.worker = "stuck", None, None
                    session.flush()
                    continue
                job.state, job.tries, job.due_at = "leased", job.tries + 1, now + lasts
                job.worker, job.lease = worker, secrets.token_hex(16)
                digest = session.scalars(
                    select(SubmissionRow.digest).where(SubmissionRow.id == job.submission_id)
                ).one()
                return Lease(job.id, job.submission_id, digest, job.lease, worker, job.due_at, job.tries)
        return None

    def heartbeat(self, lease: Lease, seconds: float = 60.0) -> Lease:
        """Hold on to a job for this many seconds from now; `LeaseLostError` if another has it."""
        lasts = duration("seconds", seconds)
        with self._database.write() as session:
            until = self._database.now(session) + lasts
            mine = (JobRow.id == lease.job_id, JobRow.lease == lease.secret, JobRow.state == "leased")
            if session.execute(update(JobRow).where(*mine).values(due_at=until).returning(JobRow.id)).first() is None:
                raise _lost(lease)
        return Lease(lease.job_id, lease.submission_id, lease.digest, lease.secret, lease.worker, until, lease.tries)

    @contextlib.contextmanager
    def hold(self, lease: Lease, seconds: float = 60.0) -> Iterator[threading.Event]:
        """Heartbeats from a thread while the body runs; the event that it yields is set if the lease is lost."""
        stop, lost = threading.Event(), threading.Event()

        def beat() -> None:
            while not stop.wait(seconds / 3):
                try:
                    self.heartbeat(lease, seconds)
                except LeaseLostError:
                    lost.set()
                    return
                except StoreError:  # the database is away for a moment; the next beat tries again
                    continue

        thread = threading.Thread(target=beat, name=f"lease-{lease.job_id}", daemon=True)
        thread.start()
        try:
            yield lost
        finally:
            stop.set()
            thread.join()

    def finish(self, lease: Lease, verdict: dict[str, Any]) -> bool:
        """Record a verdict and end the job; False if the same was on record before.

        `verdict` has `ok` and, if any, `rows`, one dictionary for each episode. `LeaseLostError` if there is no verdict
        yet and another has the job by now: the other records it. `VerdictConflictError` if the verdict on record is
        another one; both are kept.
        """
        found, rows, measured = _parts(verdict)
        new = payloads.verdict(found, rows)
        repeated = digest_of(payloads.repeatable(new))
        with self._database.write() as session:
            head = log.lock(session)
            job = session.scalar(select(JobRow).where(JobRow.id == lease.job_id).with_for_update())
            if job is None or job.submission_id != lease.submission_id:
                raise StoreError(f"there is no job {lease.job_id!r:.40} for {lease.digest}")
            mine = job.state == "leased" and job.lease == lease.secret
            old = _recorded(session, job.submission_id)
            if old is None and not mine:
                raise _lost(lease)
            now = self._database.now(session)
            if old is None:
                _record(session, job.submission_id, found, rows, measured, lease.worker, now)
                log.append(session, head, now, "verdict", lease.digest, new)
            elif digest_of(payloads.repeatable(old)) == repeated:
                if mine:
                    log.append(session, head, now, "confirmed", lease.digest, payloads.confirmed(digest_of(old)))
            else:
                _disagree(session, head, lease, new, now)
            if mine:
                job.state, job.lease, job.error = "done", None, None
        if old is not None and digest_of(payloads.repeatable(old)) != repeated:
            raise VerdictConflictError(
                f"{lease.digest}: {lease.worker} found another verdict than the one on record; both are kept and shown. "
                "The same bytes must give the same verdict: compare the two workers' versions and machines"
            )
        return old is None

    def release(self, lease: Lease, error: str, pause: float = 30.0, *, counted: bool = True) -> None:
        """Give a job back without a verdict, after a failure that is not the submission's; it waits for `pause` seconds.

        With `counted` false it was not even that (the worker was told to stop), and the lease is no try.
        """
        lasts = duration("pause", pause)
        with self._database.write() as session:
            job = session.scalar(select(JobRow).where(JobRow.id == lease.job_id).with_for_update())
            if job is None or job.state != "leased" or job.lease != lease.secret:
                raise _lost(lease)
            job.state, job.lease, job.worker = "waiting", None, None
            job.due_at, job.tries = self._database.now(session) + lasts, job.tries - (not counted)
            job.error = "".join(c if c.isprintable() else " " for c in error[:MAX_ERROR])

    def recheck(self, digest: str) -> None:
        """Queue a submission again: for a second look at its verdict, or because it was stuck."""
        with self._database.write() as session:
            row = row_of(session, digest)
            job = session.scalars(select(JobRow).where(JobRow.submission_id == row.id).with_for_update()).one()
            if row.erased_at is not None:
                raise StoreError(f"{digest}: the file was erased; nobody can replay it")
            if job.state in ("done", "stuck"):
                now = self._database.now(session)
                job.state, job.tries, job.due_at, job.queued_at, job.error = "waiting", 0, now, now, None

    def counts(self) -> dict[str, int]:
        """How many jobs are in each state, and `oldest`: microseconds that the oldest open one has been in the queue."""
        with self._database.read() as session:
            counted = session.execute(select(JobRow.state, func.count()).group_by(JobRow.state))
            counts = dict.fromkeys(STATES, 0) | {row[0]: row[1] for row in counted}
            oldest = session.scalar(select(func.min(JobRow.queued_at)).where(JobRow.state.in_(("waiting", "leased"))))
            return {**counts, "oldest": 0 if oldest is None else max(0, self._database.now(session) - oldest)}

    def stuck(self, limit: int = 1000) -> list[tuple[str, str]]:
        """Jobs that nobody will take again unless they are rechecked: digest and the last error."""
        query = select(SubmissionRow.digest, JobRow.error).join(SubmissionRow, SubmissionRow.id == JobRow.submission_id)
        with self._database.read() as session:
            rows = session.execute(query.where(JobRow.state == "stuck").order_by(JobRow.id).limit(limit))
            return [(digest, error or "") for digest, error in rows]


def _next(session: Session, now: int) -> JobRow | None:
    free = (JobRow.state.in_(("waiting", "leased")), JobRow.due_at <= now)
    return session.scalar(
        select(JobRow).where(*free).order_by(JobRow.queued_at, JobRow.id).limit(1).with_for_update(skip_locked=True)
    )


def _lost(lease: Lease) -> LeaseLostError:
    return LeaseLostError(f"{lease.digest}: the lease of {lease.worker} ran out or was given back; drop the job")


def _parts(verdict: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """A verdict without its rows, the rows, and what was measured of its making."""
    if not isinstance(verdict, dict) or type(verdict.get("ok")) is not bool:
        raise StoreError(f"verdict = {verdict!r:.80}; expected a dictionary with 'ok'")
    rows = verdict.get("rows", [])
    if not isinstance(rows, list | tuple) or not all(isinstance(row, dict) for row in rows):
        raise StoreError("verdict: 'rows' must be a list of dictionaries")
    canonical(verdict)
    found = {key: value for key, value in verdict.items() if key != "rows" and key not in payloads.MEASURED}
    return found, list(rows), {key: verdict[key] for key in payloads.MEASURED if key in verdict}


def _recorded(session: Session, submission: int) -> Any:
    row = session.get(VerdictRow, submission)
    if row is None:
        return None
    query = select(EpisodeRow.row).where(EpisodeRow.submission_id == submission).order_by(EpisodeRow.number)
    return payloads.verdict(row.verdict, [*session.scalars(query)])


def _record(
    session: Session,
    submission: int,
    verdict: dict[str, Any],
    rows: list[dict[str, Any]],
    measured: dict[str, Any],
    worker: str,
    now: int,
) -> None:
    session.add(
        VerdictRow(submission_id=submission, verdict=verdict, measured=measured, worker=worker, recorded_at=now)
    )
    session.add_all(
        EpisodeRow(submission_id=submission, number=number, digest=payloads.episode_digest(row), row=row)
        for number, row in enumerate(rows)
    )


def _disagree(session: Session, head: Any, lease: Lease, new: Any, now: int) -> None:
    """Keep the other verdict, once: a worker that repeats itself adds nothing."""
    query = select(DisagreementRow).where(DisagreementRow.submission_id == lease.submission_id)
    if all(digest_of(row.verdict) != digest_of(new) for row in session.scalars(query)):
        link = log.append(session, head, now, "disagreement", lease.digest, new)
        session.add(DisagreementRow(link=link, submission_id=lease.submission_id, verdict=new, worker=lease.worker))
