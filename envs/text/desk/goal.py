"""Goals: constraints on the final database, facts that the user must have been told, and what must not have happened.

The constraints name the rows that must have changed, column by column with the values that are right, and the rows that
must be new; every other row must be as it was. So several final databases may be right, and a look at the changed rows
decides, whatever the size of the database.
"""

from __future__ import annotations

import re
from typing import Any

from ludarium.envs.text.desk.tables import Row, Tables, canonical

__all__ = ["goal_of", "heard", "reached", "shares"]


def goal_of(before: Tables, after: Tables, choices: dict[str, list[list[Any]]] | None = None) -> dict[str, Any]:
    """The goal whose gold plan leads from one database to another.

    `choices` maps a column's name to groups of values that are equally right (the user said any will do).
    """
    groups = choices or {}
    changed, added, removed = [], [], []
    for table, key in sorted({**before.changed, **after.changed}):
        old, row = before.get(table, key), after.get(table, key)
        if row is None and old is None:
            continue
        if row is None:
            removed.append([table, key])
            continue
        volatile = after.base.volatile.get(table, frozenset())
        columns = {
            name: _acceptable(name, value, groups)
            for name, value in row.items()
            if name not in volatile and (old is None or canonical(old.get(name)) != canonical(value))
        }
        if old is None:
            added.append({"table": table, "columns": columns})
        elif columns:
            changed.append({"table": table, "id": key, "columns": columns})
    return {"changed": changed, "added": added, "removed": removed}


def _acceptable(name: str, value: Any, groups: dict[str, list[list[Any]]]) -> list[Any]:
    for group in groups.get(name, ()):
        if value in group:
            return list(group)
    return [value]


def _fits(row: Row, old: Row | None, columns: dict[str, list[Any]], volatile: frozenset[str]) -> bool:
    for name, value in row.items():
        if name in volatile:
            continue
        if name in columns:
            if not any(canonical(value) == canonical(right) for right in columns[name]):
                return False
        elif old is None or canonical(old.get(name)) != canonical(value):
            return False
    return all(name in row for name in columns)


def _differences(start: Tables, now: Tables) -> dict[tuple[str, str], tuple[Row | None, Row | None]]:
    found = {}
    for table, key in {**start.changed, **now.changed}:
        old, new = start.get(table, key), now.get(table, key)
        if old is not new:
            found[table, key] = (old, new)
    return found


def _matched(start: Tables, now: Tables, goal: dict[str, Any]) -> tuple[int, int, int]:
    """How many of the goal's rows are right, how many it has, and how many rows differ without being asked for."""
    differences = _differences(start, now)
    right, strange = 0, 0
    wanted = {(part["table"], part["id"]): part["columns"] for part in goal["changed"]}
    removed = {tuple(part) for part in goal["removed"]}
    added = list(goal["added"])
    for (table, key), (old, new) in differences.items():
        volatile = now.base.volatile.get(table, frozenset())
        if new is None:
            right, strange = (right + 1, strange) if (table, key) in removed else (right, strange + 1)
        elif (table, key) in wanted:
            right += _fits(new, old, wanted[table, key], volatile)
        elif old is None:
            found = [part for part in added if part["table"] == table and _fits(new, None, part["columns"], volatile)]
            if found:
                added.remove(found[0])
                right += 1
            else:
                strange += 1
        elif not _fits(new, old, {}, volatile):
            strange += 1
    return right, len(wanted) + len(goal["added"]) + len(removed), strange


def reached(start: Tables, now: Tables, goal: dict[str, Any]) -> bool:
    """Whether the database is one of those that the goal accepts."""
    right, rows, strange = _matched(start, now, goal)
    return right == rows and not strange


def shares(start: Tables, now: Tables, goal: dict[str, Any]) -> float:
    """The share of the goal's rows that are right, less one share for each row that should not have changed (0 to 1)."""
    right, rows, strange = _matched(start, now, goal)
    return max(0.0, (right - strange) / rows) if rows else float(strange == 0)


def heard(facts: list[str], messages: list[str]) -> int:
    """How many facts stand in some message, whatever the case, and with or without commas in numbers."""
    texts = [_plain(text) for text in messages]
    return sum(any(re.search(rf"(?<![\w.]){re.escape(_plain(f))}(?![\w]|\.\d)", text) for text in texts) for f in facts)


def _plain(text: str) -> str:
    return text.lower().replace(",", "").replace("$", "")
