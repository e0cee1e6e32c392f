"""One event loop in one thread of the process, on which all calls to models run, whoever makes them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["run", "submit"]

T = TypeVar("T")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def _shared() -> asyncio.AbstractEventLoop:
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="ludarium-llm", daemon=True).start()
        return _loop


def is_here() -> bool:
    """Return whether the caller runs on the shared loop."""
    try:
        return asyncio.get_running_loop() is _loop
    except RuntimeError:
        return False


def submit(work: Coroutine[Any, Any, T]) -> Future[T]:
    """Start a coroutine on the shared loop."""
    return asyncio.run_coroutine_threadsafe(work, _shared())


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the shared loop and wait for it; whoever is interrupted cancels it."""
    if is_here():
        work.close()
        raise RuntimeError("the sync face cannot be called from the loop that would do the work; await the async one")
    future = submit(work)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise
