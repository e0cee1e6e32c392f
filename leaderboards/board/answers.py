"""Answers of the API that cost much, kept for as long as nothing on the board changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

from pydantic import BaseModel

from ludarium.leaderboards.board.pagecache import Ready, ready

__all__ = ["Answers"]

_BYTES = 16 << 20


class Answers:
    """Answers by what was asked, each with the head of the board that it is of. Threads may share one.

    A head is read before an answer is made: what is kept is at least as new as its head, and never served under a newer one.
    """

    def __init__(self, head: Callable[[], str], most: int = _BYTES) -> None:
        self._head, self._most = head, most
        self._found: OrderedDict[Hashable, Ready] = OrderedDict()
        self._bytes, self._lock = 0, Lock()

    def get(self, key: Hashable, make: Callable[[], BaseModel]) -> Ready:
        """The answer to `key`, made if the one that is kept is not of the board's head."""
        head = self._head()
        with self._lock:
            found = self._found.get(key)
            if found is not None and found.head == head:
                self._found.move_to_end(key)
                return found
        found = ready(make().model_dump_json(by_alias=True).encode(), "application/json", head)
        with self._lock:
            self._forget(key)
            self._found[key] = found
            self._bytes += found.size
            while self._bytes > self._most:
                self._forget(next(iter(self._found)))
        return found

    def _forget(self, key: Hashable) -> None:
        old = self._found.pop(key, None)
        self._bytes -= old.size if old else 0
