"""Hosted attempts: who plays which track on the board's own machine, bound in the log before the first episode."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session, aliased

from ludarium.envs.core.errors import RefusedError
from ludarium.leaderboards.store import accounts, log, payloads
from ludarium.leaderboards.store.database import Database
from ludarium.leaderboards.store.models import AccountRow, HostedRow
from ludarium.leaderboards.store.records import Hosted
from ludarium.leaderboards.store.values import canonical, duration, text

__all__ = ["Hosting"]

MAX_TEXT = 200


class Hosting:
    """The hosted attempts of a board. A process that plays one says so from time to time (`alive`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(
        self, account: int, track: str, terms: dict[str, Any], entrant: dict[str, Any], owner: str, *, seconds: float,
        most: int,
    ) -> Hosted:  # fmt: skip
        """Begin an attempt with a new secret; `RefusedError` for an account that has `most` open ones."""
        track, lasts = text("track", track, MAX_TEXT), duration("seconds", seconds)
        canonical(terms), canonical(entrant)
        with self._database.write() as session:
            head = log.lock(session)
            now = self._database.now(session)
            if accounts.row_of(session, account).erased_at is not None:
                raise RefusedError(f"account {account} was erased")
            open_ones = (HostedRow.account_id == account, HostedRow.ended_at.is_(None))
            if (session.scalar(select(func.count()).select_from(HostedRow).where(*open_ones)) or 0) >= most:
                raise RefusedError(f"account {account} has {most} open hosted attempts: end one before the next")
            row = HostedRow(
                account_id=account, track=track, terms=terms, secret=secrets.token_hex(32), entrant=entrant,
                opened_at=now, owner=owner, due_at=now + lasts,
            )  # fmt: skip
            session.add(row)
            session.flush()
            log.append(session, head, now, "hosted-opened", f"hosted/{row.id}", payloads.hosted_opened(row))
            return _one(session, row.id)

    def alive(self, ids: list[int], owner: str, *, seconds: float) -> set[int]:
        """The process is there; which of its attempts are still its own, for this many seconds from now."""
        lasts = duration("seconds", seconds)
        mine = (HostedRow.id.in_(ids), HostedRow.owner == owner, HostedRow.ended_at.is_(None))
        with self._database.write() as session:
            due = self._database.now(session) + lasts
            return set(session.scalars(update(HostedRow).where(*mine).values(due_at=due).returning(HostedRow.id)))

    def take_over(self, owner: str, *, seconds: float) -> list[int]:
        """Open attempts whose process has not been heard of in time; from now on they are `owner`'s to end."""
        lasts = duration("seconds", seconds)
        with self._database.write() as session:
            now = self._database.now(session)
            left = (HostedRow.ended_at.is_(None), HostedRow.due_at <= now)
            taken = update(HostedRow).where(*left).values(owner=owner, due_at=now + lasts).returning(HostedRow.id)
            return sorted(session.scalars(taken))

    def end(self, attempt: int, owner: str, outcome: dict[str, Any]) -> bool:
        """An attempt has ended, and its secret is public; False if it had ended before, or is another process's by now."""
        canonical(outcome)
        with self._database.write() as session:
            head = log.lock(session)
            row = session.scalar(select(HostedRow).where(HostedRow.id == attempt).with_for_update())
            if row is None or row.ended_at is not None or row.owner != owner:
                return False
            row.ended_at, row.outcome, row.entrant = self._database.now(session), outcome, None
            log.append(session, head, row.ended_at, "hosted-ended", f"hosted/{row.id}", payloads.hosted_ended(row))
            return True

    def get(self, attempt: int) -> Hosted:
        """An attempt by its number; `RefusedError` if there is none."""
        with self._database.read() as session:
            return _one(session, attempt)

    def all(
        self, *, track: str | None = None, account: int | None = None, after: int = 0, limit: int = 1000
    ) -> list[Hosted]:
        """Attempts in order, those after number `after`."""
        query = _attempts().where(HostedRow.id > after).order_by(HostedRow.id).limit(limit)
        if track is not None:
            query = query.where(HostedRow.track == text("track", track, MAX_TEXT))
        if account is not None:
            query = query.where(HostedRow.account_id == account)
        with self._database.read() as session:
            return [_hosted(*row) for row in session.execute(query)]

    def private(self, attempt: int) -> tuple[str, dict[str, Any] | None]:
        """Secret and entrant of an attempt, for the board itself."""
        with self._database.read() as session:
            row = session.get(HostedRow, attempt)
            if row is None:
                raise RefusedError(f"there is no hosted attempt {attempt!r:.40}")
            return row.secret, row.entrant


def _attempts() -> Select[Any]:
    before = aliased(HostedRow)
    same = (before.account_id == HostedRow.account_id, before.track == HostedRow.track, before.id <= HostedRow.id)
    count = select(func.count()).select_from(before).where(*same).correlate(HostedRow).scalar_subquery()
    return select(HostedRow, AccountRow.name, count).join(AccountRow, AccountRow.id == HostedRow.account_id)


def _one(session: Session, attempt: int) -> Hosted:
    found = session.execute(_attempts().where(HostedRow.id == attempt)).first()
    if found is None:
        raise RefusedError(f"there is no hosted attempt {attempt!r:.40}")
    return _hosted(*found)


def _hosted(row: HostedRow, account: str | None, count: int) -> Hosted:
    return Hosted(
        row.id, row.account_id, account, row.track, row.terms, payloads.secret_digest(row.secret),
        row.secret if row.ended_at is not None else None, row.opened_at, row.ended_at, row.outcome, count,
    )  # fmt: skip
