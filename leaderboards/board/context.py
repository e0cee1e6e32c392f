"""What the routes of one server share: its store, settings, pages, buckets and figures, and who may do what."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from fastapi import Request

from ludarium.envs.core.errors import AccessError, ScopeError, StoreError
from ludarium.leaderboards.board.answers import Answers
from ludarium.leaderboards.board.entries import StoreSource
from ludarium.leaderboards.board.limits import Buckets, address_key
from ludarium.leaderboards.board.metrics import Metrics
from ludarium.leaderboards.board.pagecache import PageCache
from ludarium.leaderboards.board.refusals import Refusal
from ludarium.leaderboards.board.settings import Settings
from ludarium.leaderboards.store import Store
from ludarium.leaderboards.store.records import Access
from ludarium.leaderboards.track import Track

__all__ = ["Board", "every"]

T = TypeVar("T")
_READERS, _WRITERS, _FILMS = 6, 4, 10


class Board:
    """One server's side of a store. Nothing here blocks the event loop: the store is asked in threads."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store, self.settings = store, settings
        self.tracks: dict[str, Track] = {track.name: track for track in settings.tracks}
        self.source = StoreSource(store, list(settings.tracks))
        self.metrics = Metrics(store)
        self.pages = PageCache(self.source, settings, self.metrics)
        self.answers = Answers(self.source.head)
        self.uploads = Buckets(settings.uploads, settings.clock)
        self.knocks = Buckets(settings.knocks, settings.clock)
        self.reads = Buckets(settings.reads, settings.clock)
        self.under_way = 0
        self._readers = ThreadPoolExecutor(_READERS, "board-read")
        self._writers = ThreadPoolExecutor(_WRITERS, "board-write")
        self._openers = ThreadPoolExecutor(settings.opened, "board-open")
        self._filming = 0

    async def read(self, function: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """Call a function that reads the store, in a thread."""
        return await self._in(self._readers, function, *arguments, **options)

    async def write(self, function: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """Call a function that writes, in a thread."""
        return await self._in(self._writers, function, *arguments, **options)

    async def open(self, function: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """Call a function that takes much memory: only a few at once."""
        return await self._in(self._openers, function, *arguments, **options)

    async def film(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function that waits long for a process of its own: in a thread that does not keep the server from ending."""
        if self._filming >= _FILMS:
            raise Refusal(503, "busy", "too many movies are being made", "", "ask again", {"Retry-After": "5"})
        self._filming += 1
        try:
            return await _in_passing(function, *arguments)
        finally:
            self._filming -= 1

    async def _in(self, pool: ThreadPoolExecutor, function: Callable[..., T], *arguments: Any, **options: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(
            pool, functools.partial(function, *arguments, **options)
        )

    def close(self) -> None:
        """Let the threads end. The store stays open."""
        for pool in (self._readers, self._writers, self._openers):
            pool.shutdown(wait=True, cancel_futures=True)
        self.pages.close()

    # --- who may what ------------------------------------------------------------------------------------------------
    def track(self, name: str) -> Track:
        """A track of this board; 404 if it has none of this name."""
        found = self.tracks.get(name)
        if found is None:
            raise Refusal(404, "no_such_track", "this board has no such track", "one of /api/v1/tracks", "choose one")
        return found

    def charge(self, buckets: Buckets, key: Any, what: str) -> None:
        """Take from a bucket; 429 with `Retry-After` if it is empty."""
        wait = buckets.take(key)
        if wait:
            expected = f"at most {buckets.rate.number:g} in {buckets.rate.seconds:g} seconds"
            headers = {"Retry-After": str(wait)}
            raise Refusal(429, "too_many", f"too many {what}", expected, f"wait {wait} seconds", headers)

    def charge_read(self, request: Request) -> None:
        """Count a request that costs more than a page that is ready."""
        self.charge(self.reads, client_of(request), "requests from this address")

    async def access(self, request: Request, scope: str) -> Access:
        """What the request's bearer token allows; 401 or 403 unless it is good for `scope`. Attempts are counted."""
        self.charge(self.knocks, client_of(request), "requests with a token from this address")
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        sample = "the header `Authorization: Bearer TOKEN`"
        if kind.lower() != "bearer" or not token.strip():
            what, do = "this needs a token", "ask the board's operator for one"
            raise Refusal(401, "no_token", what, sample, do, {"WWW-Authenticate": "Bearer"})
        try:
            return await self.read(self.store.accounts.allow, token.strip(), scope)
        except ScopeError as error:
            raise Refusal(403, "wrong_scope", str(error), f"the scope {scope!r}", "ask for another token") from None
        except AccessError as error:
            headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise Refusal(401, "bad_token", str(error), sample, "ask for a new token", headers) from None


async def every(seconds: float, chore: Callable[[], Awaitable[Any]]) -> None:
    """Do a chore now and every so many seconds; one that fails is told on standard error, and done again the next time."""
    while True:
        try:
            await chore()
        except StoreError:  # the database is away for a moment, as `/readyz` says
            pass
        except Exception:
            traceback.print_exc(file=sys.stderr)
        await asyncio.sleep(seconds)


def client_of(request: Request) -> str:
    """Whom a request is counted for."""
    return address_key(request.client.host if request.client else None)


async def _in_passing(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function in a daemon thread."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(action: Callable[[Any], None], value: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(lambda: None if done.done() else action(value))

    def work() -> None:
        try:
            found = function(*arguments)
        except Exception as error:
            tell(done.set_exception, error)
        else:
            tell(done.set_result, found)

    threading.Thread(target=work, name="board-film", daemon=True).start()
    return await done
