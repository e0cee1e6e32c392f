"""No program outlives the process that started it, however that ends: a keeper waits for the end and kills what is left.

One keeper for a process, started with its first program. It is this very file, run by itself: it reads `+GROUP` and `-GROUP`
from its standard input, which closes when its parent is gone, killed or not.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading

__all__ = ["forget", "keep"]

_lock = threading.Lock()
_keeper: tuple[int, subprocess.Popen[bytes]] | None = None


def _tell(line: str) -> None:
    global _keeper
    with _lock:
        if _keeper is None or _keeper[0] != os.getpid():
            command = [sys.executable, "-I", "-S", __file__]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, cwd="/")
            _keeper = (os.getpid(), process)
        pipe = _keeper[1].stdin
        assert pipe is not None
        with contextlib.suppress(BrokenPipeError):  # somebody ended the keeper: programs are still killed one by one
            pipe.write(line.encode())
            pipe.flush()


def keep(group: int) -> None:
    """From now on kill this process group when this process is gone."""
    _tell(f"+{group}\n")


def forget(group: int) -> None:
    """The process group has ended."""
    _tell(f"-{group}\n")


def _main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    for group in groups:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    _main()
