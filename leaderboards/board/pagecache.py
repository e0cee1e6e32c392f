"""Pages by (head, path): each is made once, in a thread; readers get the last one at once while a newer is being made."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import sys
import traceback
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from ludarium.envs.core.errors import StoreError
from ludarium.leaderboards.board.entries import Source
from ludarium.leaderboards.board.metrics import Metrics

if TYPE_CHECKING:
    from ludarium.leaderboards.board.settings import Settings

__all__ = ["PageCache", "Ready"]

_PACKED_FROM = 1024
_AHEAD, _LATELY = 64, 60.0
"""Pages that are made anew after a change before anybody asks: so many of those asked for in the last so many seconds."""
_LONG_PATIENCE = 5.0
"""Seconds that a reader waits where what is kept may be old, since nobody asked for it lately."""
_TEXTS = ("text/", "application/json", "application/javascript", "image/svg+xml")


@dataclass(frozen=True)
class Ready:
    """A page as it is sent."""

    body: bytes
    packed: bytes | None
    """The same by gzip, if that is smaller."""
    type: str
    etag: str
    """Of the bytes: a page that did not change keeps its tag."""
    head: str

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return len(self.body) + len(self.packed or b"")


def ready(body: bytes, kind: str, head: str) -> Ready:
    """A page with its tag, compressed where that helps."""
    packed = None
    if len(body) >= _PACKED_FROM and kind.startswith(_TEXTS):
        packed = gzip.compress(body, 6, mtime=0)
        packed = packed if len(packed) < len(body) else None
    return Ready(body, packed, kind, hashlib.sha256(body).hexdigest()[:32], head)


def _pages(source: Source) -> Any:
    from ludarium.leaderboards.board.pages import Pages
    from ludarium.leaderboards.board.replays import Replays

    return Pages(source, parts=(Replays(source),))


class PageCache:
    """The pages of a source, for one event loop. `make` gives an object with `render(path)`, `LookupError` for no page."""

    def __init__(
        self, source: Source, settings: Settings, metrics: Metrics, make: Callable[[Source], Any] = _pages
    ) -> None:
        self._source, self._settings, self._metrics, self._make = source, settings, metrics, make
        self._thread = ThreadPoolExecutor(1, "board-pages")
        self._lookout = ThreadPoolExecutor(1, "board-head")
        self._pages: Any = None
        self._head, self._looked_at = "", float("-inf")
        self._look: asyncio.Task[None] | None = None
        self._found: OrderedDict[str, Ready] = OrderedDict()
        self._asked: dict[str, float] = {}
        self._bytes = 0
        self._making: dict[str, asyncio.Task[Ready | None]] = {}
        self._ahead: asyncio.Task[None] | None = None
        self._took = self._rest_until = 0.0

    def close(self) -> None:
        """Let the threads end."""
        for pool in (self._thread, self._lookout):
            pool.shutdown(wait=True, cancel_futures=True)

    def has(self, path: str) -> bool:
        """Whether a page is there, of whatever age."""
        return path in self._found

    # --- the head ----------------------------------------------------------------------------------------------------
    def look(self) -> asyncio.Task[None]:
        """Look now whether anything changed; the task ends when that is known."""
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._looking())
        return self._look

    async def _looking(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            head = await loop.run_in_executor(self._lookout, self._source.head)
        except StoreError:  # the database is away for a moment: what was made is shown
            return
        finally:
            self._looked_at = monotonic()
        self._head = head
        if (self._ahead is None or self._ahead.done()) and (wanted := self._wanted()):
            self._ahead = asyncio.create_task(self._make_ahead(wanted))

    def _wanted(self) -> list[str]:
        """The pages that are to be made anew before they are asked for, those that were asked for last first."""
        since = monotonic() - _LATELY
        last = [path for path in list(reversed(self._found))[:_AHEAD] if self._asked.get(path, since) > since]
        return [path for path in last if self._found[path].head != self._head]

    async def _make_ahead(self, wanted: list[str]) -> None:
        """Make pages anew, one after another and with rests between."""
        for path in wanted:
            await asyncio.sleep(max(0.0, self._rest_until - monotonic()))
            found = self._found.get(path)
            if found is not None and found.head != self._head:
                with contextlib.suppress(Exception):  # it was told, and whoever asks next has it made again
                    await self._made(path)

    # --- pages -------------------------------------------------------------------------------------------------------
    async def get(self, path: str) -> Ready | None:
        """A page, None if there is none at this path. Only the first reader of a page waits for it."""
        if not self._head:
            await asyncio.shield(self.look())
        elif monotonic() - self._looked_at > self._settings.fresh_s:
            self.look()
        found = self._found.get(path)
        if found is None:
            return await asyncio.shield(self._made(path))
        now = monotonic()
        lately = now - self._asked.get(path, now) < _LATELY
        self._found.move_to_end(path)
        self._asked[path] = now
        if found.head == self._head:
            return found
        if not (lately and path not in self._making and now < self._rest_until):
            task = self._made(path)
            await asyncio.wait({task}, timeout=self._settings.patience_s if lately else _LONG_PATIENCE)
            if task.done() and not task.cancelled() and task.exception() is None:
                return task.result()
        self._metrics.stale.inc()
        return found

    def _made(self, path: str) -> asyncio.Task[Ready | None]:
        """The task that makes a page; one for all who ask."""
        task = self._making.get(path)
        if task is None:
            task = self._making[path] = asyncio.create_task(self._making_of(path))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may wait for it any more
        return task

    async def _making_of(self, path: str) -> Ready | None:
        head, anew = self._head, path in self._found
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._thread, self._render, path, head)
        except Exception as error:
            if anew and not isinstance(
                error, StoreError
            ):  # readers see the page before it: the operator must hear of it
                traceback.print_exc(file=sys.stderr)
            raise
        finally:
            self._making.pop(path, None)
        self._keep(path, found)
        if anew:  # half of the time is left to others, however often the board changes
            self._rest_until = monotonic() + self._took
        return found

    def _render(self, path: str, head: str) -> Ready | None:
        began = monotonic()
        try:
            return self._rendered(path, head)
        finally:
            self._took = monotonic() - began

    def _rendered(self, path: str, head: str) -> Ready | None:
        try:
            if self._pages is None:
                self._pages = self._make(self._source)
            page = self._pages.render(path)
        except LookupError:
            return None
        self._metrics.renders.inc()
        return ready(page.body, page.type, head)

    def _keep(self, path: str, found: Ready | None) -> None:
        old = self._found.pop(path, None)
        self._bytes -= old.size if old else 0
        if found is None or found.size > self._settings.page_bytes // 4:
            self._asked.pop(path, None)
            return
        self._found[path] = found
        self._asked.setdefault(path, monotonic())
        self._bytes += found.size
        while self._bytes > self._settings.page_bytes:
            gone, page = self._found.popitem(last=False)
            self._bytes -= page.size
            self._asked.pop(gone, None)
