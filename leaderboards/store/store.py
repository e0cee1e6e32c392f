"""`Store`: a board's database and files, opened by a URL."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import select

from ludarium.envs.core.errors import StoreError
from ludarium.leaderboards.store import audit, backup, log, schema
from ludarium.leaderboards.store.accounts import Accounts
from ludarium.leaderboards.store.blobs import Blobs
from ludarium.leaderboards.store.database import Database
from ludarium.leaderboards.store.hosting import Hosting
from ludarium.leaderboards.store.models import SubmissionRow
from ludarium.leaderboards.store.presence import Presence
from ludarium.leaderboards.store.queue import Queue
from ludarium.leaderboards.store.rounds import Rounds
from ludarium.leaderboards.store.submissions import Submissions

__all__ = ["Store"]

DAY = 86_400.0
Address = str | os.PathLike[str]


class Store:
    """All that a board keeps. Threads may share one; a process that forks opens its own.

    `url` is the path or URL of an SQLite file, which is made if it is not there, or that of a PostgreSQL database.
    `blobs` is the folder of files: needed with PostgreSQL, by default beside an SQLite file. An empty database gets its
    tables; `StoreError` for one of another revision (`Store.upgrade`) or of something else. `clock` is for tests.
    """

    def __init__(self, url: Address, blobs: Address | None = None, clock: Callable[[], int] | None = None) -> None:
        self.database = Database(os.fspath(url), clock)
        self.blobs = _blobs(self.database, blobs)
        try:
            schema.make_or_check(self.database)
        except BaseException:
            self.database.close()
            raise
        self.accounts = Accounts(self.database)
        self.submissions = Submissions(self.database, self.blobs)
        self.queue = Queue(self.database)
        self.rounds = Rounds(self.database)
        self.hosting = Hosting(self.database)
        self.log = log.Log(self.database)
        self.workers = Presence(self.database)

    def check_ready(self) -> None:
        """`StoreError` unless the database answers and is of this ludarium's revision."""
        with self.database.read() as session:
            found = schema.revision(session.connection())
        if found != schema.latest():
            raise StoreError(f"the database is of revision {found!r:.40}; this ludarium works with {schema.latest()!r}")

    def check_chain(self, anchor: tuple[int, str] | None = None) -> tuple[int, str]:
        """Check the log, and all tables against it; return its head. `ChainError` names the first broken link.

        `anchor` is a head that was published before: without one, who can write to the database can write a new chain.
        """
        return audit.check(self.database, anchor)

    def check_blobs(self) -> list[str]:
        """The digests of submissions whose file is missing or damaged."""
        with self.database.read() as session:
            wanted = list(session.scalars(select(SubmissionRow.digest).where(SubmissionRow.erased_at.is_(None))))
        return [digest for digest in wanted if not self._whole(digest)]

    def _whole(self, digest: str) -> bool:
        try:
            self.blobs.get(digest)
        except StoreError:
            return False
        return True

    def sweep(self, seconds: float = DAY) -> int:
        """Remove files that no submission needs: of uploads that were refused or cut off longer ago, and of erased ones."""
        removed = self.blobs.sweep_parts(seconds)
        with self.database.write() as session:
            log.lock(session)  # nobody submits meanwhile
            rows = session.execute(select(SubmissionRow.digest, SubmissionRow.erased_at)).all()
            erased = {digest: at is not None for digest, at in rows}
            for digest in list(self.blobs):
                if erased.get(digest, self.blobs.age(digest) > seconds):
                    self.blobs.remove(digest)
                    removed += 1
        return removed

    def backup(self, to: Address) -> Path:
        """Copy the board, which may be at work, into a new folder."""
        return backup.backup(self.database, self.blobs, to)

    @classmethod
    def restore(cls, backup_folder: Address, url: Address, blobs: Address | None = None) -> Self:
        """Make a board from a backup in an empty database; its chain and files are checked before this returns."""
        database = Database(os.fspath(url))
        try:
            backup.restore(backup_folder, database, _blobs(database, blobs))
        finally:
            database.close()
        store = cls(url, blobs)
        store.check_chain()
        if damaged := store.check_blobs():
            raise StoreError(f"{store.blobs.root}: {len(damaged)} files are missing or damaged, first {damaged[0]}")
        return store

    @classmethod
    def upgrade(cls, url: Address) -> None:
        """Bring an older database to the revision of this ludarium, in one transaction. Back it up before."""
        database = Database(os.fspath(url))
        try:
            schema.upgrade(database)
        finally:
            database.close()

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _blobs(database: Database, given: Address | None) -> Blobs:
    if given is not None:
        return Blobs(given)
    if not database.sqlite or database.url.database is None:
        raise StoreError("where do the files lie? with PostgreSQL, name a folder: Store(url, blobs=FOLDER)")
    return Blobs(Path(database.url.database + ".blobs"))
