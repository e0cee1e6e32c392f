"""Episodes of agents that mostly wait, many at once in threads of this process, so that limits and budgets are shared."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ludarium.envs.core.errors import LudariumError, RunError
from ludarium.leaderboards.episode import Unit, play, save
from ludarium.scenarios.loader import Scenario

__all__ = ["play_in_threads"]

_WAKE = 0.2
"""Seconds: a signal may arrive at another thread, and Ctrl-C is noticed only when this one wakes."""


class _News(NamedTuple):
    """What a thread has to tell: a row (`None` after its last), or what went wrong."""

    row: dict[str, Any] | None = None
    timing: dict[str, Any] | None = None
    error: BaseException | None = None
    heard: threading.Event = threading.Event()


def play_in_threads(
    root: Path,
    scenario: Scenario,
    units: list[Unit],
    concurrency: int,
    finished: Callable[[dict[str, Any], dict[str, Any]], None],
) -> None:
    """Play units, at most `concurrency` at once; `finished(row, timing)` is called in the calling thread.

    No thread begins another episode before its last one is on disk. An episode that takes longer than the scenario's
    `episode_seconds` loses its further turns. `RunError` for what is wrong with the world or the disk. On Ctrl-C and
    errors the threads are left behind: they begin nothing more, and end with the process.
    """
    waiting: queue.SimpleQueue[Unit] = queue.SimpleQueue()
    for unit in units:
        waiting.put(unit)
    news: queue.SimpleQueue[_News] = queue.SimpleQueue()
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            try:
                unit = waiting.get_nowait()
            except queue.Empty:
                break
            try:
                played = play(scenario, unit, limit=scenario.episode_seconds)
                if stop.is_set():
                    return
                heard = threading.Event()
                news.put(_News(save(played, unit, root), {**played.timing, "pid": os.getpid()}, heard=heard))
                heard.wait()
            except BaseException as error:
                news.put(_News(error=_named(unit, error)))
                return
        news.put(_News())

    count = min(concurrency, len(units))
    for n in range(count):
        threading.Thread(target=work, name=f"episodes-{n}", daemon=True).start()
    try:
        while count:
            try:
                told = news.get(timeout=_WAKE)
            except queue.Empty:
                continue
            if told.error is not None:
                raise told.error
            if told.row is None or told.timing is None:
                count -= 1
                continue
            finished(told.row, told.timing)
            told.heard.set()
    finally:
        stop.set()


def _named(unit: Unit, error: BaseException) -> BaseException:
    """Errors of the suite with the episode that they are about; others as they are."""
    return RunError(f"{' '.join(map(str, unit.key))}: {error}") if isinstance(error, LudariumError) else error
