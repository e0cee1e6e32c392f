"""Connections and transactions, on SQLite and on PostgreSQL.

What `write` has committed survives a crash of the machine: SQLite syncs its write-ahead log at every commit
(synchronous=FULL), PostgreSQL is asked for synchronous_commit whatever its default. Writers of one SQLite file wait for
each other from their first statement on (BEGIN IMMEDIATE); `read` sees one moment of the database.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session

from ludarium.envs.core.errors import StoreError

__all__ = ["Database", "parse"]

WAIT = 60.0
"""Seconds that a writer waits for others before it gives up."""


def parse(url: str) -> URL:
    """A database's address: `postgresql://...`, `sqlite:///FILE`, or the path of an SQLite file."""
    if "://" not in url:
        found = URL.create("sqlite", database=url)
    else:
        try:
            found = make_url(url)
        except ArgumentError:
            raise StoreError("this is no database's address; expected postgresql://... or sqlite:///FILE") from None
    if found.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        given = found.query.get("options", ())
        options = " ".join(["-c synchronous_commit=on", *((given,) if isinstance(given, str) else given)])
        return found.set(drivername="postgresql+psycopg", query={**found.query, "options": options})
    if found.drivername != "sqlite":
        raise StoreError(f"database of kind {found.drivername!r:.40}; expected postgresql://... or sqlite:///FILE")
    if not found.database or found.database == ":memory:" or found.query:
        raise StoreError("an SQLite board is a plain file, since several processes share it; expected sqlite:///FILE")
    return found


def reason(error: SQLAlchemyError) -> str:
    """What went wrong, in a line: without the statement, its values, or the row that PostgreSQL quotes."""
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


class Database:
    """A database by its address. `clock` (microseconds) is for tests: else PostgreSQL's own clock or this machine's."""

    def __init__(self, url: str, clock: Callable[[], int] | None = None) -> None:
        self.url = parse(url)
        self.sqlite = self.url.drivername == "sqlite"
        self._clock = clock
        self.engine = self._engine()
        self._reader = self.engine if self.sqlite else self.engine.execution_options(isolation_level="REPEATABLE READ")
        self._writer = self.engine.execution_options(write=True)

    @property
    def where(self) -> str:
        """The address without its password, for messages."""
        return self.url.set(query={}).render_as_string(hide_password=True)

    def _engine(self) -> Engine:
        if not self.sqlite:
            return create_engine(self.url, hide_parameters=True, pool_pre_ping=True)
        engine = create_engine(self.url, hide_parameters=True, connect_args={"timeout": WAIT})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one moment of the database, and writes nothing."""
        with self.errors(), Session(self._reader, expire_on_commit=False) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        """A session that is committed durably at the end, or leaves nothing."""
        with self.errors(), Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection in a writing transaction, for migrations and restoring; only one at a time."""
        with self.errors(), self._writer.begin() as connection:
            if not self.sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(1280655681)"))  # "LUDA"
            yield connection

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Turn the database's errors into `StoreError`."""
        try:
            yield
        except SQLAlchemyError as error:
            raise StoreError(f"{self.where}: {reason(error)}") from error
        except OverflowError as error:  # SQLite's driver, of numbers over 64 bits
            raise StoreError(f"{self.where}: {error}") from error

    def now(self, session: Session) -> int:
        """Microseconds since 1970: of one clock for all workers, since leases are held against it."""
        if self._clock is not None:
            return self._clock()
        if self.sqlite:
            return time.time_ns() // 1000
        micros = session.scalar(text("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"))
        return int(micros or 0)

    def scrub(self) -> None:
        """After an erasure: leave no old pages in SQLite's log beside the file. PostgreSQL vacuums when it will."""
        if self.sqlite:
            with self.errors(), contextlib.closing(self.engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _prepare_sqlite(connection: sqlite3.Connection, record: Any) -> None:
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says, not where the driver guesses
    deadline = time.monotonic() + WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:  # two that open a new file: this statement does not wait by itself
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON", "trusted_schema = OFF"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
