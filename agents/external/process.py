"""`cmd:./my_agent --fast`: a program in any language, asked by lines of JSON on its standard input and output.

The program is started from its arguments, without a shell, in a process group of its own that is killed whole, and with an
environment in which only what programs need to run is left. With `sandbox=true` it runs in bubblewrap: see `sandbox.py`.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import shlex
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Mapping
from typing import Any

from ludarium.agents.external.keeper import forget, keep
from ludarium.agents.external.outside import OutsideAgent
from ludarium.agents.external.sandbox import sandboxed
from ludarium.envs.core.errors import AgentError, AgentFailedError

__all__ = ["LINE_BYTES", "OUTPUT_BYTES", "Pipe", "ProcessAgent", "scrubbed"]

LINE_BYTES = 1 << 20
"""The longest answer."""
OUTPUT_BYTES = 64 << 20
"""The most that a program may write in an episode, to standard error too."""
_TAIL = 2000
_NEEDED = """
    PATH HOME USER LOGNAME LANG LANGUAGE TZ TMPDIR LD_LIBRARY_PATH DYLD_LIBRARY_PATH VIRTUAL_ENV CONDA_PREFIX PYTHONPATH
    PYTHONHASHSEED PYTHONUNBUFFERED NODE_PATH JAVA_HOME GOPATH CARGO_HOME CUDA_HOME CUDA_VISIBLE_DEVICES OMP_NUM_THREADS
    MKL_NUM_THREADS OPENBLAS_NUM_THREADS NUMBA_NUM_THREADS
"""


def scrubbed(environment: Mapping[str, str], named: str = "") -> dict[str, str]:
    """The variables that programs need to run, and those that are `named` (by commas): no keys and no tokens."""
    wanted = {*_NEEDED.split(), *(name.strip() for name in named.split(","))}
    return {name: value for name, value in environment.items() if name in wanted or name.startswith("LC_")}


def _end(process: subprocess.Popen[bytes], pipes: tuple[int, ...]) -> None:
    """Kill the whole group, and only then reap its leader: until then nobody else can bear its number."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    forget(process.pid)
    for pipe in pipes:
        os.close(pipe)


class Pipe:
    """A program, and lines to and from it that wait no longer than a deadline."""

    keeps_order = True

    def __init__(
        self,
        argv: list[str],
        environment: Mapping[str, str],
        line_bytes: int = LINE_BYTES,
        output_bytes: int = OUTPUT_BYTES,
    ) -> None:
        self._line_bytes, self._output_bytes = line_bytes, output_bytes
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environment),
                start_new_session=True,  # a process group of its own, and no terminal
                bufsize=0,
            )
        except (OSError, ValueError) as error:  # ValueError: a null byte
            raise AgentError(f"cannot start {argv[0]!r}: {error}") from error
        keep(process.pid)
        self._process = process
        self._pipes = [os.dup(pipe.fileno()) for pipe in (process.stdin, process.stdout, process.stderr) if pipe]
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()
        self._in, self._out, self._err = self._pipes
        for number in self._pipes:
            os.set_blocking(number, False)
        self._finish = weakref.finalize(self, _end, process, tuple(self._pipes))
        self._poll = select.poll()
        for number in (self._out, self._err):
            self._poll.register(number, select.POLLIN)
        self._rest, self._said, self._tail = b"", 0, b""

    @property
    def pid(self) -> int:
        """Of the program, and of its process group."""
        return self._process.pid

    def begin(self) -> None:
        """A new episode: what was written before does not count."""
        self._said = 0

    def send(self, data: bytes, deadline: float) -> None:
        """Write a line; what the program writes meanwhile is read, or both would wait for ever."""
        if not self._finish.alive:
            raise AgentFailedError("the agent's program has ended", kind="died")
        data += b"\n"
        try:
            written = os.write(self._in, data)
        except BlockingIOError:
            written = 0
        except BrokenPipeError:
            raise self._ended() from None
        if written < len(data):
            self._send_rest(memoryview(data)[written:], deadline)

    def _send_rest(self, data: memoryview, deadline: float) -> None:
        self._poll.register(self._in, select.POLLOUT)
        try:
            while data:
                ready = self._wait(deadline)
                if self._in in ready:
                    try:
                        data = data[os.write(self._in, data) :]
                    except BlockingIOError:
                        continue
                    except BrokenPipeError:
                        raise self._ended() from None
        except AgentFailedError:
            self.close()  # half a message is nothing that it could go on from
            raise
        finally:
            if self._finish.alive:
                self._poll.unregister(self._in)

    def receive(self, deadline: float) -> bytes:
        """The next line, without its end."""
        while True:
            if not self._finish.alive:
                raise AgentFailedError("the agent's program has ended", kind="died")
            line, end, rest = self._rest.partition(b"\n")
            if end and len(line) <= self._line_bytes:
                self._rest = rest
                return line
            if len(line) > self._line_bytes:
                self._flooded(f"a line of more than {self._line_bytes} bytes")
            self._wait(deadline)

    def _wait(self, deadline: float) -> list[int]:
        """Wait for news until the deadline, and read what there is; which pipes had news."""
        left = deadline - time.monotonic()
        events = self._poll.poll(left * 1000) if left > 0 else []
        if not events:
            raise AgentFailedError("the agent did not answer in time", kind="late")
        for number, _ in events:
            if number != self._in:
                self._read(number)
        return [number for number, _ in events]

    def _read(self, number: int) -> None:
        try:
            data = os.read(number, 1 << 18)
        except BlockingIOError:
            return
        self._said += len(data)
        if number == self._out:
            if not data:
                raise self._ended()
            self._rest += data
        elif data:
            self._tail = (self._tail + data)[-_TAIL:]
        else:
            self._poll.unregister(number)
        if self._said > self._output_bytes:
            self._flooded(f"more than {self._output_bytes} bytes in an episode")

    def _flooded(self, what: str) -> None:
        self.close()
        raise AgentFailedError(f"the agent wrote {what}, and was ended", kind="nonsense")

    def _ended(self) -> AgentFailedError:
        """The program is gone, or has closed a pipe, which comes to the same."""
        self._last_words()
        status = self._status()
        self.close()
        how = "closed its pipe" if status is None else f"ended with status {status}"
        return AgentFailedError(f"the agent's program {how}", kind="died")

    def _last_words(self) -> None:
        with contextlib.suppress(OSError):
            self._tail = (self._tail + os.read(self._err, 1 << 16))[-_TAIL:]

    def _status(self) -> int | None:
        """With what status it ended by itself (minus the signal that ended it); None if it goes on."""
        if not hasattr(os, "waitid"):
            return None
        for _ in range(50):  # its pipes close a moment before it can be waited for
            found = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if found is not None:
                return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status
            time.sleep(0.002)
        return None

    @property
    def last_words(self) -> str:
        """The end of what it wrote to standard error."""
        return self._tail.decode(errors="replace").strip()

    def close(self) -> None:
        """Kill the program and all that it started in its group."""
        self._finish()


class ProcessAgent(OutsideAgent):
    """A program; one process an episode, so that no episode depends on those before it.

    `keep=True` plays all episodes of a worker with one process, for programs that are slow to start: what such a program
    remembers then depends on the order of the episodes. `env` names variables (by commas) that it gets besides those that
    programs need to run. `sandbox`: see `sandbox.py`, where `memory_mb` and `cpu_seconds` hold.
    """

    _numbers = itertools.count(1)
    _kept: dict[tuple[Any, ...], list[tuple[Any, Any]]] = {}  # noqa: RUF012

    def __init__(
        self,
        command: str,
        *,
        sandbox: bool = False,
        keep: bool = False,
        env: str = "",
        start_seconds: float = 60.0,
        act_seconds: float = 60.0,
        line_bytes: int = LINE_BYTES,
        output_bytes: int = OUTPUT_BYTES,
        memory_mb: int = 4096,
        cpu_seconds: int = 3600,
    ) -> None:
        super().__init__(start_seconds, act_seconds)
        try:
            argv = shlex.split(command)
        except ValueError as error:
            raise AgentError(f"cmd:{command}: {error}; quote arguments as in a shell") from error
        if not argv:
            raise AgentError("cmd: names no program; say for example cmd:./my_agent --fast")
        limits = {"line_bytes": line_bytes, "output_bytes": output_bytes, "memory_mb": memory_mb}
        for name, value in {**limits, "cpu_seconds": cpu_seconds}.items():
            if type(value) is not int or value < 1:
                raise AgentError(f"{name} = {value!r}; expected a whole number above 0")
        self._argv = sandboxed(argv, memory_mb, cpu_seconds) if sandbox else argv
        self._environment = scrubbed(os.environ, env)
        self._caps = (line_bytes, output_bytes)
        self._keep = keep
        self._key = (*self._argv, sandbox, env, *self._caps)

    def _open(self) -> Pipe:
        return Pipe(self._argv, self._environment, *self._caps)

    def _next_episode(self) -> str:
        return str(next(self._numbers))

    def ready(self) -> None:
        """Start the program, or take one that is kept, and hear its hello."""
        if self._hello is None and self._keep:
            with contextlib.suppress(KeyError, IndexError):
                self._channel, self._hello = self._kept[self._key].pop()
        try:
            super().ready()
        except AgentFailedError as error:
            raise AgentFailedError(f"{self._argv[0]}: {error}{self._words}", kind=error.kind) from error

    @property
    def _words(self) -> str:
        found = getattr(self, "_said_last", "")
        return f"; its last words: {found}" if found else ""

    def close(self) -> None:
        """End the program, or keep it for the next episode if nothing went wrong and it is to be kept."""
        channel = self._channel
        if isinstance(channel, Pipe):
            if self._keep and self._healthy and self._hello is not None:
                self._kept.setdefault(self._key, []).append((channel, self._hello))
                self._channel = self._hello = None
                return
            self._said_last = channel.last_words
            if not self._healthy and self._said_last:
                print(f"{self._argv[0]}: {self._said_last}", file=sys.stderr)
        super().close()
