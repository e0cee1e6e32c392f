"""Relational tables, copy on write: one generated database serves all episodes, each keeps only the rows it changed.

The hash of a database is the sum (mod 2**128) of the digests of its rows, so that a write costs one row, whatever the
size, and that only when the hash is asked for. A row's digest does not depend on the order of keys, on 25 or 25.0, nor
on volatile columns.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["Base", "Row", "Tables", "canonical", "row_digest"]

Row = dict[str, Any]
"""One row: JSON values. Rows are never changed in place; a write puts a new one."""
_MODULUS = 1 << 128


def canonical(value: Any) -> Any:
    """The same JSON value with whole floats as integers and texts without outer spaces."""
    kind = type(value)
    if kind is str:  # most are
        return value.strip()
    if kind is int or kind is bool or value is None:
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Mapping):
        return {str(key): canonical(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(part) for part in value]
    return value


def row_digest(table: str, key: str, row: Row, volatile: frozenset[str] = frozenset()) -> int:
    """The digest (128 bits) of a row at its place; columns named in `volatile` play no part."""
    kept = {name: canonical(value) for name, value in row.items() if name not in volatile}
    text = json.dumps([table, key, kept], sort_keys=True, separators=(",", ":"))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "little")


class Base:
    """A generated database that nobody changes: tables by name, rows by id, their digests, and indices of columns."""

    def __init__(self, tables: dict[str, dict[str, Row]], volatile: Mapping[str, frozenset[str]] | None = None) -> None:
        self.tables = tables
        self.volatile = dict(volatile or {})
        self.digests = {
            name: {key: row_digest(name, key, row, self.volatile.get(name, frozenset())) for key, row in rows.items()}
            for name, rows in tables.items()
        }
        self.total = sum(sum(digests.values()) for digests in self.digests.values()) % _MODULUS
        self._indices: dict[tuple[str, str], dict[Any, list[str]]] = {}
        self.origin: tuple[Any, tuple[Any, ...]] | None = None
        """the function and arguments that make it: what a pickle holds, if they are set"""

    def __deepcopy__(self, memo: dict[int, Any]) -> Base:
        """Nobody changes it, so copies share it."""
        return self

    def __reduce__(self) -> Any:
        """A generated database is made anew where it is unpickled."""
        return self.origin or (Base, (self.tables, self.volatile))

    def index(self, table: str, column: str) -> dict[Any, list[str]]:
        """The ids by the value of a column (hashable values), made at first use."""
        if (table, column) not in self._indices:
            made: dict[Any, list[str]] = {}
            for key, row in self.tables[table].items():
                made.setdefault(row[column], []).append(key)
            self._indices[table, column] = made
        return self._indices[table, column]


class Tables:
    """One episode's database: a base, and the rows that differ from it (None: a deleted one)."""

    __slots__ = ("_digests", "_total", "_written", "base", "changed")

    def __init__(self, base: Base) -> None:
        self.base, self._total = base, base.total
        self.changed: dict[tuple[str, str], Row | None] = {}
        self._digests: dict[tuple[str, str], int] = {}  # of changed rows, as they are in the total
        self._written: dict[tuple[str, str], None] = {}  # rows whose digests are not yet in it

    def copy(self) -> Tables:
        """A database of its own with the same rows."""
        twin = Tables(self.base)
        twin.changed, twin._total = dict(self.changed), self._total
        twin._digests, twin._written = dict(self._digests), dict(self._written)
        return twin

    @property
    def total(self) -> int:
        """The sum of all rows' digests (128 bits)."""
        for place in self._written:
            table, key = place
            first = self.base.digests[table].get(key, 0)
            old, new, row = self._digests.pop(place, first), first, self.changed.get(place)
            if place in self.changed:
                volatile = self.base.volatile.get(table, frozenset())
                new = self._digests[place] = 0 if row is None else row_digest(table, key, row, volatile)
            self._total = (self._total + new - old) % _MODULUS
        self._written.clear()
        return self._total

    def get(self, table: str, key: Any) -> Row | None:
        """A row by its id, None where there is none."""
        if (table, key) in self.changed:
            return self.changed[table, key]
        return self.base.tables[table].get(key)

    def rows(self, table: str) -> Iterator[tuple[str, Row]]:
        """All rows of a table: those of the base in their order, then new ones."""
        for key, row in self.base.tables[table].items():
            now = self.changed.get((table, key), row)
            if now is not None:
                yield key, now
        for (name, key), new in self.changed.items():
            if name == table and new is not None and key not in self.base.tables[table]:
                yield key, new

    def where(self, table: str, column: str, value: Any) -> list[str]:
        """The ids of the rows with this value in a column."""
        found = [key for key in self.base.index(table, column).get(value, ()) if (table, key) not in self.changed]
        found += [
            key
            for (name, key), row in self.changed.items()
            if name == table and row is not None and row[column] == value
        ]
        return sorted(found)

    def put(self, table: str, key: str, row: Row) -> None:
        """Write a whole row, new or not."""
        self._written[table, key] = None
        if self.base.tables[table].get(key) == row:
            self.changed.pop((table, key), None)
        else:
            self.changed[table, key] = row

    def update(self, table: str, key: str, **columns: Any) -> None:
        """Write some columns of a row that is there."""
        old = self.get(table, key)
        if old is None:
            raise KeyError(f"{table} has no row {key!r}")
        self.put(table, key, {**old, **columns})

    def delete(self, table: str, key: str) -> None:
        """Take a row away."""
        if self.get(table, key) is None:
            raise KeyError(f"{table} has no row {key!r}")
        self._written[table, key] = None
        if key in self.base.tables[table]:
            self.changed[table, key] = None
        else:
            del self.changed[table, key]

    def hash(self) -> str:
        """The hash of the whole database, 32 hex digits."""
        return f"{self.total:032x}"

    def recount(self) -> int:
        """The sum of all rows' digests made anew: what `total` must be."""
        return (
            sum(
                row_digest(table, key, row, self.base.volatile.get(table, frozenset()))
                for table in self.base.tables
                for key, row in self.rows(table)
            )
            % _MODULUS
        )
