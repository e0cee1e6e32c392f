"""Worker processes of a server: started, niced, started again when they end, and ended with their server however it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence

__all__ = ["Workers", "end_with_input"]

_CODE = "from ludarium.leaderboards.cli import main; main()"
_FIRST_PAUSE, _LONGEST_PAUSE, _HEALTHY = 1.0, 60.0, 60.0
_END_SECONDS = 20.0


class Workers:
    """`count` processes of `ludarium leaderboard worker`; their standard input closes when this process ends."""

    def __init__(self, count: int, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command = [sys.executable, "-P", "-c", _CODE, "leaderboard", "worker", "--with-parent", *arguments]
        self._environment = {**os.environ, **environment}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._threads = [threading.Thread(target=self._keep, args=(n,), daemon=True) for n in range(count)]

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        with self._lock:
            return [process.pid for process in self._running.values()]

    def start(self) -> None:
        """Start all."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Tell all to stop, and wait: each gives its job back first."""
        self._stop.set()
        with self._lock:
            for process in self._running.values():
                process.terminate()
        for thread in self._threads:
            thread.join()

    def _keep(self, number: int) -> None:
        """Start a worker again whenever it ends, after longer and longer pauses if it ends soon."""
        pause = _FIRST_PAUSE
        while True:
            with self._lock:
                if self._stop.is_set():
                    return
                process = subprocess.Popen(self._command, stdin=subprocess.PIPE, env=self._environment)
                self._running[number] = process
            began = time.monotonic()
            self._wait(process)
            with self._lock:
                del self._running[number]
            if self._stop.is_set():
                return
            pause = _FIRST_PAUSE if time.monotonic() - began > _HEALTHY else min(2 * pause, _LONGEST_PAUSE)
            print(f"a worker ended with code {process.returncode}; the next starts in {pause:g} s", file=sys.stderr)
            self._stop.wait(pause)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None and not self._stop.is_set():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.5)
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()


def end_with_input() -> None:
    """Stop this process, as SIGTERM does, when its standard input closes: its parent is gone."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()
