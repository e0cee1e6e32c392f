"""A fresh process for what strangers sent: how one is started here, and how it behaves there.

Its standard input is one JSON line (the order) and then the stranger's bytes; its standard output is the answer. It makes
and compiles all that it needs, gives up what it has, and only then reads the bytes. Exit code 3: it failed before that,
and the bytes are not to blame.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import IO, Any, NamedTuple

from ludarium.envs.core.errors import RunError
from ludarium.leaderboards.confine import Guard

__all__ = ["NOT_TO_BLAME", "Ended", "answer", "ask"]

NOT_TO_BLAME = 3
_CODE = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from {0} import main; main()"
_KEPT = ("PATH", "HOME", "TMPDIR", "SYSTEMROOT")
_PREFIXES = ("NUMBA_", "LUDARIUM_")
_SECRET = ("LUDARIUM_BOARD_", "LUDARIUM_SERVE_TOKEN")
"""Of these neither: addresses of databases hold passwords."""
_TOLD = 2000
_ERROR = re.compile(r"[A-Za-z_][\w.]{0,80}(?=:|$)")
"""The last line of a traceback, up to what is said of the error."""


class Ended(NamedTuple):
    """What came of a process."""

    answer: bytes
    """At most the guard's `output_mb` and one byte; empty if it failed."""
    failure: str
    """Why it gave no answer, in words that do not depend on the machine; "" if it did."""


def ask(module: str, order: dict[str, Any], data: bytes, guard: Guard) -> Ended:
    """Have a fresh process run `main` of a module on an order and a stranger's bytes.

    `RunError` if it fails before it reads these.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as found, tempfile.TemporaryFile() as said:
        given.write(json.dumps({**order, "guard": list(guard)}).encode() + b"\n" + data)
        given.seek(0)
        code = _run(module, given, found, said, guard.wall_s)
        words = _tail(said)
        if code == NOT_TO_BLAME:
            raise RunError(f"the guarded process failed before it looked at the submission: {words}")
        if code != 0:
            return Ended(b"", f"{_reason(code, guard)} ({_kind(words)})")
        found.seek(0)
        return Ended(found.read((guard.output_mb << 20) + 1), "")


def _run(module: str, given: IO[bytes], found: IO[bytes], said: IO[bytes], wall_s: float) -> int | None:
    """The exit code of the process (negative: a signal); None if its time was up."""
    environment = {
        n: v for n, v in os.environ.items() if n in _KEPT or (n.startswith(_PREFIXES) and not n.startswith(_SECRET))
    }
    environment |= {"LUDARIUM_QUIET": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    command = [sys.executable, "-I", "-c", _CODE.format(module), json.dumps([path for path in sys.path if path])]
    process = subprocess.Popen(
        command, stdin=given, stdout=found, stderr=said, env=environment, start_new_session=True, close_fds=True
    )
    try:
        return process.wait(wall_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _tail(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TOLD))
    return file.read().decode("utf-8", "replace").strip()


def _kind(words: str) -> str:
    """The kind of the error that a process ended with: what it says besides may name places of this machine."""
    found = _ERROR.match(words.splitlines()[-1]) if words else None
    return found[0] if found else "no error told"


def _reason(code: int | None, guard: Guard) -> str:
    """Why a process ended."""
    if code is None:
        return f"took more than {guard.wall_s:g} seconds"
    if hasattr(signal, "SIGXCPU") and code in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"took more than {guard.cpu_s} seconds of processor time, or was killed"
    return f"ended with code {code}: it needs more than {guard.memory_mb} MB of memory, or the submission spoils it"


def answer(prepare: Callable[[dict[str, Any]], Any], work: Callable[[Any, dict[str, Any], bytes], bytes]) -> None:
    """In the process: `prepare` from the order alone, which ends with the last privilege; then `work` on the bytes."""
    line = sys.stdin.buffer.readline()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        order = json.loads(line)
        prepared = prepare(order)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(NOT_TO_BLAME)
    out.write(work(prepared, order, sys.stdin.buffer.read()))
    out.flush()
    os._exit(0)  # nothing that was made in here has a last word
