"""Backups: a folder of plain files, the same from every database, so that a board can also move to another kind.

`tables/NAME.jsonl` holds a table's rows, `blobs/` the files, `backup.json` what there must be of both. A backup holds
token digests, personal fields and the secrets of open rounds; only its owner may read it. What was erased after a backup
was made comes back with it: erase it again after restoring.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from sqlalchemy import MetaData, Table, func, insert, select, text
from sqlalchemy.engine import Connection

from ludarium.envs.core.errors import StoreError
from ludarium.envs.core.files import write_whole
from ludarium.leaderboards.store import schema
from ludarium.leaderboards.store.blobs import Blobs
from ludarium.leaderboards.store.database import Database
from ludarium.leaderboards.store.models import Base
from ludarium.leaderboards.store.values import canonical

__all__ = ["backup", "check", "restore"]

FORMAT = 1
_LIST = "backup.json"
_BATCH = 500


def backup(database: Database, blobs: Blobs, to: str | os.PathLike[str]) -> Path:
    """Copy a board that may be at work into a new folder, which appears whole or not at all."""
    root = Path(to)
    if root.exists():
        raise StoreError(f"{root} is there already; name a new folder")
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{root.name}.", suffix=".part", dir=root.parent))  # of mode 0700
        try:
            _fill(database, blobs, part)
            os.rename(part, root)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise StoreError(f"{root}: cannot write the backup: {error.strerror or error}") from error
    return root


def _fill(database: Database, blobs: Blobs, part: Path) -> None:
    (part / "tables").mkdir()
    tables: dict[str, dict[str, Any]] = {}
    with database.read() as session:  # one moment of all tables
        for table in Base.metadata.sorted_tables:
            with (part / "tables" / f"{table.name}.jsonl").open("wb") as file:
                tables[table.name] = _dump(session.connection(), table, file)
        wanted = list(session.scalars(text("SELECT digest FROM submissions WHERE erased_at IS NULL ORDER BY id")))
    copy = Blobs(part / "blobs")
    for digest in wanted:  # files never change, and were there before their rows
        if blobs.size(digest) is None:
            raise StoreError(f"{blobs.path(digest)}: is not there, or was erased just now; in that case back up again")
        with blobs.path(digest).open("rb") as file:
            if copy.put(file) != digest:
                raise StoreError(f"{blobs.path(digest)}: damaged: the bytes have another digest")
    content = {"format": FORMAT, "revision": schema.latest(), "tables": tables, "blobs": sorted(copy)}
    write_whole(part / _LIST, canonical(content).encode())


def _plain(table: Table) -> Any:
    """All rows with JSON left as the text that it is."""
    columns = [text(f'"{column.name}"') for column in table.columns]
    return select(*columns).select_from(table).order_by(*table.primary_key.columns)


def _dump(connection: Connection, table: Table, file: IO[bytes]) -> dict[str, Any]:
    names, hashed, count = [column.name for column in table.columns], hashlib.sha256(), 0
    for row in connection.execute(_plain(table).execution_options(yield_per=_BATCH)):
        line = canonical(dict(zip(names, row, strict=True))).encode() + b"\n"
        file.write(line)
        hashed.update(line)
        count += 1
    file.flush()
    os.fsync(file.fileno())
    return {"rows": count, "sha256": hashed.hexdigest()}


def check(root: str | os.PathLike[str]) -> dict[str, Any]:
    """Whether a backup is whole: all tables and files with their digests; return its list. `StoreError` otherwise."""
    folder = Path(root)
    try:
        content = json.loads((folder / _LIST).read_bytes())
        if content["format"] != FORMAT:
            raise StoreError(f"{folder}: a backup of format {content['format']!r:.40}; this ludarium reads {FORMAT}")
        for name, wanted in content["tables"].items():
            with (folder / "tables" / f"{name}.jsonl").open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != wanted["sha256"]:
                    raise StoreError(f"{file.name}: damaged: not what {_LIST} lists")
        blobs = Blobs(folder / "blobs")
        for digest in content["blobs"]:
            blobs.get(digest)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{folder}: no backup, or damaged: {error}") from error
    return dict(content)


def restore(root: str | os.PathLike[str], database: Database, blobs: Blobs) -> None:
    """Fill an empty database and a folder from a backup of any revision up to this one; nothing is left of a failure."""
    content, folder = check(root), Path(root)
    source = Blobs(folder / "blobs")
    for digest in content["blobs"]:  # first: a row must never be there without its file
        with source.path(digest).open("rb") as file:
            blobs.put(file)
    with database.connect() as connection:
        if schema.revision(connection) is not None:
            raise StoreError(f"{database.where}: not empty; restore into a new database")
        schema.upgrade_on(connection, content["revision"])
        tables = MetaData()
        tables.reflect(connection)
        connection.execute(tables.tables["head"].delete())
        for table in tables.sorted_tables:
            if table.name in content["tables"]:
                _load(connection, table, folder / "tables" / f"{table.name}.jsonl")
        if not database.sqlite:
            _count_on(connection, tables)
        schema.upgrade_on(connection, "head")


def _rows(path: Path) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    with path.open("rb") as file:
        for line in file:
            batch.append(json.loads(line))
            if len(batch) == _BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _load(connection: Connection, table: Table, path: Path) -> None:
    for batch in _rows(path):
        connection.execute(insert(table), batch)


def _count_on(connection: Connection, tables: MetaData) -> None:
    """Let PostgreSQL's counters go on after the greatest number that is taken."""
    for table in tables.sorted_tables:
        if "id" in table.columns and table.name != "head":
            last = connection.scalar(select(func.max(table.c.id)))
            if last is not None:
                named = text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)")
                connection.execute(named, {"name": table.name, "last": last})
