"""Which workers are there: each says so from time to time, and those that were not heard of for a day are forgotten."""

from __future__ import annotations

from sqlalchemy import delete, func, select

from ludarium.leaderboards.store.database import Database
from ludarium.leaderboards.store.models import WorkerRow
from ludarium.leaderboards.store.values import duration, text

__all__ = ["Presence"]

_DAY = 86_400 * 1_000_000


class Presence:
    """The workers of a board, on any machines."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def seen(self, worker: str) -> None:
        """Note that a worker is there now."""
        name = text("worker", worker, 200)
        with self._database.write() as session:
            now = self._database.now(session)
            session.merge(WorkerRow(name=name, seen_at=now))
            session.execute(delete(WorkerRow).where(WorkerRow.seen_at < now - _DAY))

    def gone(self, worker: str) -> None:
        """Note that a worker stops."""
        with self._database.write() as session:
            session.execute(delete(WorkerRow).where(WorkerRow.name == worker))

    def count(self, seconds: float) -> int:
        """How many were seen in the last so many seconds."""
        lasts = duration("seconds", seconds)
        with self._database.read() as session:
            since = self._database.now(session) - lasts
            return session.scalar(select(func.count()).select_from(WorkerRow).where(WorkerRow.seen_at >= since)) or 0
