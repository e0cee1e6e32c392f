"""Limits that a process sets on itself before it looks at what a stranger sent, and the privileges that it gives up.

Linux has all of them; elsewhere what there is not is told as such by `Confinement`.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Any, NamedTuple

__all__ = ["Confinement", "Guard", "drop_user", "leave_network", "limit"]

_CLONE_NEWNET, _CLONE_NEWUSER = 0x40000000, 0x10000000
_SET_PDEATHSIG, _NO_NEW_PRIVS = 1, 38
_NOBODY = 65534
_FILES = 256


class Guard(NamedTuple):
    """What the judging of one submission may take."""

    memory_mb: int = 4096
    """Address space."""
    cpu_s: int = 600
    wall_s: float = 1200.0
    output_mb: int = 64


class Confinement(NamedTuple):
    """How a process is confined, in words."""

    network: str
    """"none", or why it has one"""
    user: str
    """"nobody", "own" (it was no root), or why it is root"""


def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def limit(guard: Guard) -> None:
    """Limit this process's memory, time, files and new privileges, and let it end with its parent."""
    import resource

    megabyte = 1 << 20
    for what, value in (
        (resource.RLIMIT_AS, guard.memory_mb * megabyte),
        (resource.RLIMIT_CPU, guard.cpu_s),
        (resource.RLIMIT_FSIZE, guard.output_mb * megabyte),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (value, value))
    if sys.platform == "linux":
        _libc().prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _libc().prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)


def leave_network() -> str:
    """Move into a network namespace without any interface; "none", or why that may not be.

    Root may do it at once; others, while they have one thread, by a user namespace of their own.
    """
    if sys.platform != "linux":
        return f"not restricted: {sys.platform} has no network namespaces"
    ways = (_CLONE_NEWNET,) if os.geteuid() == 0 else (_CLONE_NEWUSER | _CLONE_NEWNET,)
    for flags in ways:
        if _libc().unshare(flags) == 0:
            return "none"
    return f"not restricted: unshare: {os.strerror(ctypes.get_errno())}"


def drop_user() -> str:
    """Become nobody where this process is root, for good, and start no more processes; the outcome in words."""
    import resource

    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "own"
    try:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    except OSError as error:
        return f"root: {error.strerror}"
    if sys.platform == "linux":  # the change of user forgets the signal
        _libc().prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    return "nobody"
