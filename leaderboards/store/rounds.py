"""Sealed rounds: a secret that is bound before anybody commits, and known to all when the round is over."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import false, or_, select
from sqlalchemy.orm import Session

from ludarium.envs.core.errors import RefusedError
from ludarium.leaderboards.store import accounts, log, payloads
from ludarium.leaderboards.store.database import Database
from ludarium.leaderboards.store.models import AttemptRow, RoundRow
from ludarium.leaderboards.store.records import Attempt, Round
from ludarium.leaderboards.store.values import duration, text

__all__ = ["Rounds"]

MAX_TEXT = 200


class Rounds:
    """The rounds of all tracks; a track has one open round at most."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, track: str, name: str, seconds: float | None = None, terms: dict[str, Any] | None = None) -> Round:
        """Open a round with a new secret; with `seconds` it takes nothing after that time.

        `terms` binds what is played: the track's `version` and `hash`, and the `episodes` of each case.
        """
        with self._database.write() as session:
            return self._open(session, log.lock(session), track, name, seconds, terms)

    def close(self, track: str) -> Round:
        """End the open round of a track; its secret is public from now on."""
        with self._database.write() as session:
            return self._close(session, log.lock(session), track)

    def rotate(
        self, track: str, name: str, seconds: float | None = None, terms: dict[str, Any] | None = None
    ) -> tuple[Round, Round]:
        """End the open round and open the next, at one moment; return both."""
        with self._database.write() as session:
            head = log.lock(session)
            return self._close(session, head, track), self._open(session, head, track, name, seconds, terms)

    def enter(self, round_id: int, account: int, commitment: str, public_key: str | None = None) -> Attempt:
        """An account's one attempt in a round: `commitment` binds it to what will play, before it may see the seeds.

        The same once more is the attempt that is there. A commitment and a public key are one account's in a round.
        """
        commitment = text("commitment", commitment, MAX_TEXT)
        public_key = None if public_key is None else text("public_key", public_key, MAX_TEXT)
        with self._database.write() as session:
            head = log.lock(session)
            now = self._database.now(session)
            found = _row(session, round_id)
            if found.closed_at is not None or (found.closes_at is not None and found.closes_at <= now):
                raise RefusedError(f"round {found.name!r} is over")
            if accounts.row_of(session, account).erased_at is not None:
                raise RefusedError(f"account {account} was erased")
            own = session.scalar(select(AttemptRow).filter_by(round_id=round_id, account_id=account))
            if own is not None and (own.commitment, own.public_key) == (commitment, public_key):
                return _attempt(own)
            if own is not None:
                raise RefusedError(f"account {account} is in round {found.name!r} already: a round has one attempt")
            taken = or_(
                AttemptRow.commitment == commitment,
                AttemptRow.public_key == public_key if public_key is not None else false(),
            )
            if session.scalar(select(AttemptRow.id).where(AttemptRow.round_id == round_id, taken)) is not None:
                raise RefusedError(
                    f"round {found.name!r}: this commitment or this key is another account's: one attempt"
                )
            salt = None if public_key is None else secrets.token_hex(16)
            row = AttemptRow(
                round_id=round_id, account_id=account, commitment=commitment, public_key=public_key, salt=salt,
                key_digest=None if public_key is None or salt is None else payloads.key_digest(salt, public_key),
                created_at=now,
            )  # fmt: skip
            session.add(row)
            session.flush()
            log.append(session, head, now, "committed", f"attempt/{row.id}", payloads.committed(row))
            return _attempt(row)

    def get(self, round_id: int) -> Round:
        """A round by its number; `RefusedError` if there is none."""
        with self._database.read() as session:
            return _round(_row(session, round_id))

    def find(self, track: str, name: str) -> Round | None:
        """A round by its track and name."""
        track, name = text("track", track, MAX_TEXT), text("name", name, MAX_TEXT)
        with self._database.read() as session:
            row = session.scalar(select(RoundRow).filter_by(track=track, name=name))
            return None if row is None else _round(row)

    def all(self, track: str) -> list[Round]:
        """The rounds of a track in order."""
        track = text("track", track, MAX_TEXT)
        with self._database.read() as session:
            return [
                _round(row) for row in session.scalars(select(RoundRow).filter_by(track=track).order_by(RoundRow.id))
            ]

    def attempts(self, round_id: int) -> list[Attempt]:
        """Who entered a round, in order."""
        query = select(AttemptRow).filter_by(round_id=round_id).order_by(AttemptRow.id)
        with self._database.read() as session:
            return [_attempt(row) for row in session.scalars(query)]

    def secret(self, round_id: int) -> str:
        """The secret of a round, open or not: for the board itself, which makes the seeds of those who entered."""
        with self._database.read() as session:
            return _row(session, round_id).secret

    def _open(
        self, session: Session, head: Any, track: str, name: str, seconds: float | None, terms: dict[str, Any] | None
    ) -> Round:
        track, name = text("track", track, MAX_TEXT), text("name", name, MAX_TEXT)
        now = self._database.now(session)
        if _current(session, track) is not None:
            raise RefusedError(f"track {track!r} has an open round; close or rotate it")
        if session.scalar(select(RoundRow.id).filter_by(track=track, name=name)) is not None:
            raise RefusedError(f"track {track!r} had a round {name!r} before; choose another name")
        closes = None if seconds is None else now + duration("seconds", seconds)
        row = RoundRow(
            track=track, name=name, secret=secrets.token_hex(32), terms=terms, opened_at=now, closes_at=closes
        )
        session.add(row)
        session.flush()
        log.append(session, head, now, "round-opened", f"round/{row.id}", payloads.opened(row))
        return _round(row)

    def _close(self, session: Session, head: Any, track: str) -> Round:
        row = _current(session, track)
        if row is None:
            raise RefusedError(f"track {track!r:.80} has no open round")
        row.closed_at = self._database.now(session)
        log.append(session, head, row.closed_at, "round-closed", f"round/{row.id}", payloads.closed(row))
        return _round(row)


def _current(session: Session, track: str) -> RoundRow | None:
    wanted = text("track", track, MAX_TEXT)
    return session.scalar(select(RoundRow).where(RoundRow.track == wanted, RoundRow.closed_at.is_(None)))


def _row(session: Session, round_id: int) -> RoundRow:
    row = session.get(RoundRow, round_id)
    if row is None:
        raise RefusedError(f"there is no round {round_id!r:.40}")
    return row


def _round(row: RoundRow) -> Round:
    secret = row.secret if row.closed_at is not None else None
    return Round(
        row.id,
        row.track,
        row.name,
        payloads.secret_digest(row.secret),
        secret,
        row.opened_at,
        row.closes_at,
        row.closed_at,
        row.terms,
    )


def _attempt(row: AttemptRow) -> Attempt:
    return Attempt(row.id, row.round_id, row.account_id, row.commitment, row.created_at, row.public_key,
        row.key_digest,
    )  # fmt: skip
