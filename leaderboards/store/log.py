"""The log: everything that changes what a board shows is a link of one chain of SHA-256, and links are only added.

A link holds the digest of what happened, never the thing itself: so names can be erased and the chain still holds. Who can
write to the database could write a whole new chain; against that, publish `head()` and give it to `check` later.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ludarium.envs.core.errors import ChainError, StoreError
from ludarium.leaderboards.store.database import Database
from ludarium.leaderboards.store.models import HeadRow, LogRow
from ludarium.leaderboards.store.records import Link
from ludarium.leaderboards.store.values import digest_of

__all__ = ["START", "Log", "append", "link_hash", "lock", "walk"]

START = "0" * 64
"""What the first link has as `previous`."""
_BATCH = 500
_LINKS = select(LogRow.number, LogRow.at, LogRow.kind, LogRow.subject, LogRow.digest, LogRow.previous, LogRow.hash)


def link_hash(number: int, at: int, kind: str, subject: str, digest: str, previous: str) -> str:
    """What the next link calls `previous`."""
    return digest_of([number, at, kind, subject, digest, previous])


def lock(session: Session) -> HeadRow:
    """Wait for one's turn to append. Whoever locks other rows too takes this one first."""
    head = session.scalar(select(HeadRow).where(HeadRow.id == 1).with_for_update())
    if head is None:
        raise StoreError("the log has no head: the database is damaged; restore a backup")
    return head


def append(session: Session, head: HeadRow, at: int, kind: str, subject: str, payload: Any) -> int:
    """Add a link in a transaction that holds the lock; return its number."""
    number, digest, previous = head.number + 1, digest_of(payload), head.hash
    found = link_hash(number, at, kind, subject, digest, previous)
    session.add(LogRow(number=number, at=at, kind=kind, subject=subject, digest=digest, previous=previous, hash=found))
    head.number, head.hash = number, found
    session.flush()
    return number


def walk(session: Session) -> Iterator[Link]:
    """The links in order, each checked against the one before; `ChainError` at the first that does not fit."""
    number, previous = 0, START
    for row in session.execute(_LINKS.order_by(LogRow.number).execution_options(yield_per=_BATCH)):
        link, number = Link(*row), number + 1
        if link.number != number:
            raise ChainError(number, f"is not there; the next is link {link.number}")
        if link.previous != previous:
            raise ChainError(number, f"follows {link.previous!r:.80}, but the link before it is {previous!r}")
        if link.hash != link_hash(number, link.at, link.kind, link.subject, link.digest, previous):
            raise ChainError(number, "its content is not that of its hash")
        previous = link.hash
        yield link
    head = session.scalar(select(HeadRow).where(HeadRow.id == 1))
    if head is None:
        raise ChainError(number, "the log's head is gone")
    if (head.number, head.hash) != (number, previous):
        broken = number + 1 if head.number > number else min(number, head.number + 1)
        raise ChainError(
            broken, f"the log ends with link {number}, {previous}, but its head is {head.number}, {head.hash}"
        )


class Log:
    """The log for readers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def head(self) -> tuple[int, str]:
        """Number and hash of the last link (0 and zeros before the first): two boards with one head show the same."""
        with self._database.read() as session:
            row = session.get(HeadRow, 1)
            return (row.number, row.hash) if row else (0, START)

    def links(self, after: int = 0, limit: int = 1000, subject: str | None = None) -> list[Link]:
        """Links in order, those after number `after`; with `subject` only those about it."""
        query = _LINKS.where(LogRow.number > after).order_by(LogRow.number).limit(limit)
        if subject is not None:
            query = query.where(LogRow.subject == subject)
        with self._database.read() as session:
            return [Link(*row) for row in session.execute(query)]
