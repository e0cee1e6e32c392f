"""The runner's side of worker processes: hands out episodes, takes rows, and outlives agents that kill their process."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ludarium.envs.core.errors import RunError
from ludarium.leaderboards.episode import Unit

__all__ = ["play_in_workers"]

_TRIES = 2
"""How often an episode may end its process before it counts as lost: the first time may have been somebody else's doing."""


class _Worker:
    """One process, and the episode that it plays."""

    def __init__(self, root: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ludarium.leaderboards.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.unit: Unit | None = None
        self.limited = False
        self.since: float | None = None
        self._rest = b""
        path = [os.path.abspath(folder) for folder in sys.path]
        self._send({"root": str(root.resolve()), "path": path, "parent": os.getpid()})

    @property
    def out(self) -> int:
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it is dead; reading says so too, and is where that is handled

    def order(self, unit: Unit, broken: str) -> None:
        """Let it play an episode."""
        self.unit, self.limited, self.since = unit, not broken, None
        self._send({"unit": list(unit), "broken": broken})

    def answers(self) -> list[dict[str, Any]] | None:
        """The messages that have arrived; None when the process has ended."""
        data = os.read(self.out, 1 << 20)
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def stop(self) -> None:
        """End the process now."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


class _Pool:
    def __init__(self, root: Path, units: Iterable[Unit], limit: float, finished: Callable[[Any, Any], None]) -> None:
        self.root, self.limit, self.finished = root, limit, finished
        self.waiting = deque((unit, "") for unit in units)
        self.deaths: dict[Unit, int] = {}
        self.workers: dict[int, _Worker] = {}
        self.selector = selectors.DefaultSelector()

    def hire(self) -> None:
        worker = _Worker(self.root)
        self.workers[worker.out] = worker
        self.selector.register(worker.out, selectors.EVENT_READ)
        self.give(worker)

    def dismiss(self, worker: _Worker) -> None:
        self.selector.unregister(worker.out)
        del self.workers[worker.out]
        worker.stop()

    def give(self, worker: _Worker) -> None:
        if self.waiting:
            worker.order(*self.waiting.popleft())
        else:
            self.dismiss(worker)

    def turn(self, timeout: float | None) -> None:
        """Wait for news once, and act on them: the row is on disk before its worker gets the next episode."""
        for key, _ in self.selector.select(timeout):
            worker = self.workers[key.fd]
            answers = worker.answers()
            if answers is None:
                self.bury(worker)
            for message in answers or ():
                if "began" in message:  # the clock runs from here: what came before was the start of the process
                    worker.since = time.monotonic()
                    continue
                if "error" in message:
                    raise RunError(message["error"])
                self.finished(message["row"], message["timing"])
                worker.unit = None
                self.give(worker)

    def bury(self, worker: _Worker, late: bool = False) -> None:
        """A process ended, or was ended: its episode is tried again, or is lost by the rule."""
        unit = worker.unit
        self.dismiss(worker)
        if unit is None:
            raise RunError(f"a worker process could not start (exit status {worker.process.returncode})")
        self.deaths[unit] = self.deaths.get(unit, 0) + 1
        if self.deaths[unit] > _TRIES:
            raise RunError(f"{unit.key}: the world itself ends its process (exit status {worker.process.returncode})")
        lost = late or self.deaths[unit] == _TRIES
        self.waiting.appendleft((unit, ("late" if late else "died") if lost else ""))
        self.hire()

    def enforce(self) -> None:
        """End the workers whose episodes take longer than the scenario allows."""
        for worker in list(self.workers.values()):
            began, unit = worker.since, worker.unit
            if worker.limited and unit and began is not None and time.monotonic() - began > self.limit:
                self.deaths[unit] = _TRIES - 1
                self.bury(worker, late=True)

    def close(self, drain: bool) -> None:
        """End all workers; rows that have arrived meanwhile are kept."""
        while drain and self.workers and (ready := self.selector.select(0)):
            for key, _ in ready:
                worker = self.workers[key.fd]
                for message in worker.answers() or ():
                    if "row" in message:
                        self.finished(message["row"], message["timing"])
                self.dismiss(worker)
        for worker in list(self.workers.values()):
            self.dismiss(worker)
        self.selector.close()


def play_in_workers(
    root: Path, units: list[Unit], jobs: int, limit: float, finished: Callable[[dict[str, Any], dict[str, Any]], None]
) -> None:
    """Play units in `jobs` processes; `finished(row, timing)` is called in this one, before the next order.

    An episode that takes more than `limit` seconds (0: no limit), or ends its process twice, is lost by the rule.
    `RunError` for what is wrong with the world or the disk.
    """
    pool = _Pool(root, units, limit, finished)
    drain = True
    try:
        for _ in range(min(jobs, len(units))):
            pool.hire()
        while pool.workers:
            pool.turn(0.2 if limit else None)
            if limit:
                pool.enforce()
    except RunError:
        drain = False
        raise
    finally:
        pool.close(drain)
