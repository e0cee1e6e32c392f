"""What a world of the zoo says about its bug, and the list of all of them."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

MODULES = (
    "determinism", "resets", "interface", "actions", "states", "domain", "vectors", "parallels", "turns", "texts", "crashes",
)  # fmt: skip


class Planted(NamedTuple):
    """The bug of a world, as it is known by construction.

    `primary` is the law that should be reported first, `may_fall` are laws that may be broken with it; `shortest` is the
    length of the shortest episode that shows the bug (for `reset_forgets` the steps before the reset count, too).
    `children` marks a bug that only another process sees, `guarded` one that would take the checker's process with it:
    the world is then run with `limit` seconds an operation and `memory` bytes more than at first. `cases` is
    how many the fast test tries: more where the bug is rare.
    """

    primary: str
    may_fall: tuple[str, ...] = ()
    shortest: int = 0
    children: bool = False
    guarded: bool = False
    limit: float = 60.0
    memory: int = 2 << 30
    cases: int = 8


class World(NamedTuple):
    """A world of the zoo: its name, where it is (`module:Class`), and its bug."""

    name: str
    path: str
    bug: Planted


def zoo() -> list[World]:
    """All worlds with a planted bug; made with `clean=True`, each is its own twin without it."""
    found: list[World] = []
    for name in MODULES:
        module: Any = importlib.import_module(f"laws.zoo.{name}")
        for kind in vars(module).values():
            if (
                isinstance(kind, type)
                and kind.__module__ == module.__name__
                and isinstance(vars(kind).get("bug"), Planted)
            ):
                found.append(World(kind.__name__, f"{module.__name__}:{kind.__name__}", kind.bug))  # type: ignore[attr-defined]
    return found
