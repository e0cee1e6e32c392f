"""The guard: the probe in a process of its own, with a limit of time for each operation and of memory for all."""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
import weakref
from pathlib import Path
from typing import Any, ClassVar

from ludarium.envs.core.laws import probe
from ludarium.envs.core.laws.outcome import CheckError, Crashed

__all__ = ["Guarded", "Shared"]

_START = 120.0
"""Seconds that the first answer may take beyond the limit: imports, and the compiling of kernels."""
_LOOK = 0.25
_TAIL = 300


class Guarded:
    """Runs programs in another process; when it hangs, ends or takes too much memory, `Crashed` says while doing what.

    The next program then runs in a new process.
    """

    def __init__(
        self, target: dict[str, Any], python: str, environment: dict[str, str], limit: float, memory: int
    ) -> None:
        self._target = target
        self._python, self._environment, self._limit, self._memory = python, environment, limit, memory
        self._process: subprocess.Popen[bytes] | None = None
        self._first = True

    def turn_to(self, target: dict[str, Any]) -> None:
        """Make another environment from the next program on."""
        if target != self._target:
            self._target, self._first = target, True
            if self._process is not None:
                self._send({"target": target})

    def run(self, program: list[Any]) -> list[Any]:
        """Do the operations; `Crashed` if the process does not live to tell."""
        if self._process is None:
            self._start()
        first, self._first = self._first, False
        try:
            self._send(program)
            answer = json.loads(self._line(time.monotonic() + self._limit + (_START if first else 0.0)))
        except Crashed:
            self.close()
            raise
        if self._memory and answer["grown"] > self._memory:
            phase, step = self._where()
            self.close()
            raise Crashed("memory", phase, step, f"{answer['grown'] >> 20} MiB more than at first")
        return list(answer["results"])

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._progress.close()
        self._folder.cleanup()

    # --- the process ---
    def _start(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="ludarium-check-")
        path = Path(self._folder.name) / "progress"
        path.write_bytes(bytes(12))
        with path.open("r+b") as file:
            self._progress = mmap.mmap(file.fileno(), 12)
        self._errors = Path(self._folder.name) / "errors"
        variables = {**os.environ, "PYTHONUNBUFFERED": "1", "LUDARIUM_QUIET": "1", **self._environment}
        own = os.path.abspath(self._python) == os.path.abspath(sys.executable)  # links of virtual environments differ
        paths = [os.path.abspath(folder) for folder in sys.path] if own else [os.getcwd()]
        try:
            with self._errors.open("wb") as errors:
                self._process = subprocess.Popen(
                    [self._python, probe.__file__, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                    env=variables,
                )  # fmt: skip
        except OSError as error:
            raise CheckError(f"{self._python}: cannot be run: {error.strerror or error}") from error
        self._rest, self._first = b"", True
        self._send({"path": paths, "target": self._target, "memory": self._memory})

    def _send(self, message: Any) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:  # it has ended; reading says so too
            return

    def _line(self, until: float) -> bytes:
        """The next line of the process; `Crashed` if it ends, or takes longer than it may."""
        assert self._process is not None
        assert self._process.stdout is not None
        out = self._process.stdout.fileno()
        while b"\n" not in self._rest:
            if select.select([out], [], [], _LOOK)[0]:
                data = os.read(out, 1 << 20)
                if not data:
                    raise self._ended()
                self._rest += data
            elif time.monotonic() > until:
                raise Crashed("hang", *self._where(), f"after {self._limit:g} s")
            elif self._memory and self._resident() > 2 * self._memory + (1 << 30):
                raise Crashed("memory", *self._where(), f"{self._resident() >> 20} MiB")
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _where(self) -> tuple[str, int]:
        """What the process was doing."""
        _, phase, step = struct.unpack("<III", self._progress[:12])
        return probe.PHASES[phase], step

    def _ended(self) -> Crashed:
        assert self._process is not None
        status = self._process.wait()
        said = self._errors.read_text(errors="replace").strip().splitlines()
        if status == 1 and said and self._where()[0] == "rest":
            raise CheckError(f"{self._python} cannot run the probe: {said[-1][:_TAIL]}")
        how = f"exit status {status}"
        if status < 0:
            with contextlib.suppress(ValueError):
                how = f"killed by {signal.Signals(-status).name}"
        return Crashed("exit", *self._where(), how + (f": {said[-1][:_TAIL]}" if said and status > 0 else ""))

    def _resident(self) -> int:
        """Bytes of memory that the process uses; 0 where that cannot be asked."""
        assert self._process is not None
        try:
            with open(f"/proc/{self._process.pid}/statm") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError):
            return 0


class Shared:
    """A process that stays warm, in which environments that need no guard take turns; the last one that leaves ends it.

    What it runs has the `limit` of time for each operation, and none of memory, as in the process of the checker.
    """

    _open: ClassVar[dict[tuple[Any, ...], tuple[Guarded, set[object]]]] = {}

    def __init__(self, target: dict[str, Any], environment: dict[str, str], limit: float) -> None:
        self._target = dict(target)
        key, seat = (tuple(environment.items()), limit, os.getcwd(), tuple(sys.path)), object()
        if key not in self._open:
            self._open[key] = (Guarded(target, sys.executable, environment, limit, 0), set())
        self._process, users = self._open[key]
        users.add(seat)
        self._leave = weakref.finalize(self, Shared._left, key, seat)  # also where nobody thought of closing

    def run(self, program: list[Any]) -> list[Any]:
        """Do the operations; see `Guarded`."""
        self._process.turn_to(self._target)
        return self._process.run(program)

    def close(self) -> None:
        """Leave the process."""
        self._leave()

    @classmethod
    def _left(cls, key: tuple[Any, ...], seat: object) -> None:
        process, users = cls._open[key]
        users.remove(seat)
        if not users:
            process.close()
            del cls._open[key]
