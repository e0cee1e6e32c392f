"""Judging a submission in a guarded process: memory, time and output are limited, there is no network, and it is not root.

What the machine does not permit (a container without namespaces) is told in the verdict's `guard` and as a flag.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from typing import IO, Any

from ludarium.envs.core.errors import RunError
from ludarium.leaderboards.archive import Limits
from ludarium.leaderboards.confine import Guard
from ludarium.leaderboards.judging import NOT_TO_BLAME
from ludarium.leaderboards.submission import LIMITS, Submission
from ludarium.leaderboards.track import Track
from ludarium.leaderboards.verdict import Flag, Verdict, rejected

__all__ = ["GUARD", "judge"]

GUARD = Guard()
_CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from ludarium.leaderboards.judging import main; main()"
)
_KEPT = ("PATH", "HOME", "TMPDIR", "SYSTEMROOT")
_PREFIXES = ("NUMBA_", "LUDARIUM_")
_TOLD = 2000


def judge(submission: Submission, track: Track, *, guard: Guard = GUARD, limits: Limits = LIMITS) -> Verdict:
    """The verdict on a submission, found by a fresh process; `RunError` if that process fails and the submission is not to blame.

    A submission that takes more than `guard` permits is rejected.
    """
    order = {
        "track": str(track.path), "hash": track.hash, "seeds": list(track.sealed), "guard": list(guard),
        "limits": list(limits), "where": submission.where, "sha256": submission.hash,
    }  # fmt: skip
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as found, tempfile.TemporaryFile() as said:
        given.write(json.dumps(order).encode() + b"\n" + submission.data)
        given.seek(0)
        ended = _run(given, found, said, guard.wall_s)
        words = _tail(said)
        if ended == NOT_TO_BLAME:
            raise RunError(f"the judging process failed before it looked at the submission: {words}")
        if ended != 0:
            reason = f"the judging process {_reason(ended, guard)} ({words.splitlines()[-1] if words else 'silent'})"
            return rejected(reason, submission.where, submission.hash, track.reference, tier=submission.manifest.tier)
        found.seek(0)
        verdict = Verdict.from_dict(json.loads(found.read((guard.output_mb << 20) + 1)))
    return verdict._replace(flags=(*verdict.flags, *_unguarded(verdict.guard)))


def _run(given: IO[bytes], found: IO[bytes], said: IO[bytes], wall_s: float) -> int | None:
    """The exit code of the judging process (negative: a signal); None if its time was up."""
    environment = {n: v for n, v in os.environ.items() if n in _KEPT or n.startswith(_PREFIXES)}
    environment |= {"LUDARIUM_QUIET": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    command = [sys.executable, "-I", "-c", _CODE, json.dumps([path for path in sys.path if path])]
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


def _reason(ended: int | None, guard: Guard) -> str:
    """Why a process ended, in words that do not depend on the machine."""
    if ended is None:
        return f"took more than {guard.wall_s:g} seconds"
    if hasattr(signal, "SIGXCPU") and ended in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"took more than {guard.cpu_s} seconds of processor time, or was killed"
    return f"ended with code {ended}: it needs more than {guard.memory_mb} MB of memory, or the submission spoils it"


def _unguarded(guard: dict[str, Any]) -> list[Flag]:
    words = []
    if guard["network"] != "none":
        words.append(f"the judging process had a network ({guard['network']})")
    if guard["user"].startswith("root"):
        words.append(f"the judging process was root ({guard['user']})")
    return [Flag("guard", word) for word in words]
