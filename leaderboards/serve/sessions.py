"""Sessions: who plays which episode, how many at once, and for how long without a word."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ludarium.envs.core.errors import LudariumError
from ludarium.leaderboards.serve.episodes import Episode
from ludarium.leaderboards.serve.messages import ServeError
from ludarium.leaderboards.serve.world import Served, Task
from ludarium.scenarios.loader import file_hash

__all__ = ["Session", "Sessions"]

MAX_WAITING = 16
"""Requests of one session that may wait for each other."""
WORKERS = 8
MAX_SEED = 2**63 - 1


class Session:
    """One client's episodes, one after another; everything in it is its own."""

    def __init__(self, served: Served, ident: str, now: float) -> None:
        self.served, self.id, self.touched = served, ident, now
        self.closed = False
        self.attached = False
        """A connection holds this session, which is not dropped to make room."""
        self.on_close: Callable[[], None] | None = None
        self.waiting = 0
        self.turn = asyncio.Lock()
        self.mutex = threading.Lock()
        self.task: Task | None = None
        self.seed = -1
        self.episode: Episode | None = None
        self._episodes: dict[str, Episode] = {}

    @property
    def over(self) -> bool:
        """Whether its episode has ended."""
        return self.episode is not None and self.episode.begun and self.episode.over

    @property
    def quick(self) -> bool:
        """Whether a step is only a step: nobody else is asked, nothing is written."""
        return self.episode is not None and not self.episode.rest and self.served.offer.traces is None

    def playing(self) -> Episode:
        """The episode at hand; `ServeError` before the first."""
        if self.episode is None:
            raise ServeError("SESSION_ERROR", "no episode has begun in this session: reset or start first")
        return self.episode

    # --- what is done in a session, always under its mutex ----------------------------------------------------------
    def begin(self, seed: int | None = None, split: str | None = None, index: int | None = None) -> dict[str, Any]:
        """Begin an episode: of a task, of a seed, the next drawn one, or any."""
        served = self.served
        if served.offer.ranked:
            if seed is not None or split is not None or index is not None:
                raise ServeError("RANKED", "a ranked server chooses the episodes: no seed, no split, no index")
            self.leave()
            self.task = served.draw()
        elif split is not None or index is not None:
            if seed is not None or split is None or index is None:
                raise ServeError("VALIDATION_ERROR", "a task is a split with an index, and no seed beside them")
            self.task = served.task(split, index)
        else:
            if seed is not None and not 0 <= seed <= MAX_SEED:
                raise ServeError("VALIDATION_ERROR", f"seed = {seed}; expected 0 to 2**63 - 1")
            self.task = Task("", 0, "", secrets.randbelow(2**53) if seed is None else seed)
        case = self.task.case
        if case not in self._episodes:
            self._episodes = {case: served.episode(case)}
        self.episode, self.seed = self._episodes[case], self.task.seed
        self.episode.begin(self.seed)
        return self.look()

    def act(self, action: dict[str, Any], step: int | None = None) -> dict[str, Any]:
        """Act, and keep the trace at the end."""
        episode = self.playing()
        told = episode.act(action, step)
        if episode.over:
            self._ended()
        return self._told(told)

    def look(self) -> dict[str, Any]:
        """The situation without acting."""
        return self._told(self.playing().look())

    def _told(self, told: dict[str, Any]) -> dict[str, Any]:
        metadata = told["metadata"]
        metadata["session_id"] = self.id
        if not self.served.offer.ranked:
            metadata["seed"] = self.seed
        if told["done"]:
            score = self.playing().score()
            metadata["metrics"], metadata["digest"] = score["metrics"], score["digest"]
        return told

    def state(self) -> dict[str, Any]:
        """How far the episode is; tells nothing that the client's seat could not know."""
        begun = self.episode is not None and self.episode.begun
        return {"episode_id": self.id if begun else None, "step_count": self.playing().step if begun else 0}

    def score(self) -> dict[str, Any]:
        """How the episode stands."""
        return self.playing().score()

    def leave(self) -> None:
        """The client leaves its episode; a ranked one is played to its end without it, and scored."""
        if self.served.offer.ranked and self.episode is not None and not self.over:
            self.episode.play_out()
            self._ended()

    def _ended(self) -> None:
        """Keep the trace of a finished episode, and a line about it."""
        folder, episode = self.served.offer.traces, self.playing()
        if folder is None:
            return
        trace, scenario, task = episode.trace(), self.served.scenario, self.task
        if scenario is not None and task is not None and task.case:
            trace.header["scenario"] = {
                "name": scenario.name, "version": scenario.version, "hash": scenario.hash, "case": task.case,
                "trial": task.trial,
            }  # fmt: skip
        name = f"{self.served.number():06d}.trace"
        path = trace.save(folder / name)
        row = {"trace": name, "trace_hash": file_hash(path), "id": trace.id, "seed": self.seed, **episode.score()}
        with self.served.writing, (folder / "episodes.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


class Sessions:
    """All sessions of a server: opens them up to a cap, finds them by their id, and closes those that say nothing."""

    def __init__(
        self,
        served: Served,
        *,
        most: int = 64,
        idle_seconds: float = 600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.served, self.most, self.idle_seconds, self._clock = served, most, idle_seconds, clock
        self._open: dict[str, Session] = {}
        self._of: dict[str, str] = {}
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="serve")

    def __len__(self) -> int:
        return len(self._open)

    def open(self, owner: str = "") -> Session:
        """A new session, from now on its owner's; `CAPACITY_REACHED` if there is no room."""
        if len(self._open) >= self.most:
            self.reap()
        if len(self._open) >= self.most:
            done = next((s for s in self._open.values() if s.over and not s.waiting and not s.attached), None)
            if done is None:
                raise ServeError(
                    "CAPACITY_REACHED",
                    f"all {self.most} sessions are taken; try again later",
                    active_sessions=len(self._open),
                    max_sessions=self.most,
                )
            self.close(done.id)
        session = Session(self.served, secrets.token_urlsafe(24), self._clock())
        self._open[session.id] = session
        if owner:
            self._of[owner] = session.id
        return session

    def has(self, owner: str) -> bool:
        """Whether an owner has a session."""
        return self._of.get(owner, "") in self._open

    def find(self, ident: str = "", owner: str = "") -> Session:
        """The session of an id, or else the one that the owner has; `SESSION_ERROR` if there is none."""
        session = self._open.get(ident or self._of.get(owner, ""))
        if session is None:
            how = (
                "pass the session that start returned"
                if not ident
                else "it never was, has ended, or said nothing for long"
            )
            raise ServeError("SESSION_ERROR", f"no such session: {how}")
        return session

    async def run(self, session: Session, work: Callable[..., Any], *arguments: Any, quick: bool = False) -> Any:
        """Do some work in a session, one at a time and in the order of asking; off the event loop unless it is quick."""
        if session.waiting >= MAX_WAITING:
            raise ServeError("BUSY", f"{MAX_WAITING} requests of this session are waiting already")
        session.waiting += 1
        try:
            async with session.turn:
                if session.closed:
                    raise ServeError("SESSION_ERROR", "the session has ended")
                if quick and session.quick:
                    with session.mutex:
                        return guarded(work, *arguments)
                return await asyncio.get_running_loop().run_in_executor(self._pool, _held, session, work, *arguments)
        finally:
            session.waiting -= 1
            session.touched = self._clock()

    def close(self, ident: str) -> None:
        """End a session and give its place free at once; what a ranked one still owes is played meanwhile."""
        session = self._open.pop(ident, None)
        if session is None:
            return
        session.closed = True
        self._of = {owner: other for owner, other in self._of.items() if other != ident}
        if session.on_close is not None:
            session.on_close()
        if self.served.offer.ranked:
            self._pool.submit(_held, session, session.leave)

    def reap(self) -> int:
        """Close the sessions that have said nothing for `idle_seconds`; how many they were."""
        before = self._clock() - self.idle_seconds
        idle = [s.id for s in self._open.values() if not s.waiting and s.touched <= before]
        for ident in idle:
            self.close(ident)
        return len(idle)

    async def keep(self) -> None:
        """Reap for ever."""
        while True:
            await asyncio.sleep(min(5.0, self.idle_seconds / 4))
            self.reap()

    def close_all(self) -> None:
        """The server ends: close all sessions."""
        for ident in list(self._open):
            self.close(ident)

    def wait(self) -> None:
        """Wait for what is still being played after `close_all`; nothing can be asked for any more."""
        self._pool.shutdown(wait=True)


def _held(session: Session, work: Callable[..., Any], *arguments: Any) -> Any:
    """Work under the session's mutex: a request that was given up may still be at work when the next one comes."""
    with session.mutex:
        return guarded(work, *arguments)


def guarded(work: Callable[..., Any], *arguments: Any) -> Any:
    """Work whose unforeseen failure is the client's to hear of (without details), and the server's to survive."""
    try:
        return work(*arguments)
    except ServeError:
        raise
    except LudariumError as error:
        raise ServeError("EXECUTION_ERROR", f"{type(error).__name__}: {error}") from error
    except Exception as error:
        import logging

        logging.getLogger("ludarium.serve").exception("a request failed")
        raise ServeError("EXECUTION_ERROR", f"the server failed ({type(error).__name__})") from error
