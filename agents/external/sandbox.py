"""A program in bubblewrap: no network, nothing to write but an empty /tmp, no sight of other processes, limits on all it takes.

The root is there to be read, so that interpreters and libraries are found; home folders, /run and /tmp are not, but for the
program itself: its working folder, the folder it is installed in, and files that its arguments name.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

from ludarium.envs.core.errors import AgentError

__all__ = ["sandboxed"]

_HIDDEN = ("/home", "/root", "/run", "/tmp", "/var/tmp", "/mnt", "/media")
_FILES, _PROCESSES, _FILE_BLOCKS = 1024, 256, 1 << 20  # blocks of 512 bytes
_TMP_BYTES = 256 << 20
_HOW = "install the package `bubblewrap` (apt-get install bubblewrap), or leave sandbox=true out if you trust the agent"
_LIMITS = """\
ulimit -v {memory} && ulimit -t {cpu} && ulimit -n {files} && ulimit -f {blocks} && ulimit -c 0 || exit 125
ulimit -u {processes} 2>/dev/null || ulimit -p {processes} 2>/dev/null
exec "$@\""""


@functools.cache
def _bubblewrap() -> str:
    """Where bubblewrap is; `AgentError` where it is not, or may not do its work."""
    found = shutil.which("bwrap")
    if found is None:
        raise AgentError(f"sandbox=true needs bubblewrap, and there is no program `bwrap`: {_HOW}")
    tried = subprocess.run(
        [found, "--ro-bind", "/", "/", "--unshare-all", "--proc", "/proc", "--dev", "/dev", "true"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if tried.returncode:
        said = tried.stderr.strip()[-200:]
        raise AgentError(f"sandbox=true needs bubblewrap, which cannot work on this machine: {said}; {_HOW}")
    return found


@functools.cache
def _size() -> tuple[str, ...]:
    """The limit on what can be written to /tmp, where this bubblewrap knows one."""
    told = subprocess.run([_bubblewrap(), "--help"], capture_output=True, text=True, check=False, timeout=60)
    return ("--size", str(_TMP_BYTES)) if "--size" in told.stdout + told.stderr else ()


def _inside(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents


def _needed(argv: list[str], where: Path, home: Path) -> list[Path]:
    """What of the hidden folders the program needs: outer folders first."""
    program = shutil.which(argv[0])
    if program is None:
        raise AgentError(f"cannot start {argv[0]!r}: there is no such program")
    named = [Path(program).absolute(), *(where / part for part in argv[1:])]
    wanted = [] if _inside(home, where) else [where]
    for path in (found for name in named if name.exists() for found in (name, name.resolve())):
        installed = path.parent.parent if path.parent.name in ("bin", "shims") else path
        wanted.append(path if _inside(home, installed) or installed.parent == installed else installed)
    wanted = [path for path in wanted if not _inside(home, path)]  # whatever is named: never all of the home folder
    return sorted(set(wanted), key=lambda path: len(path.parts))


def sandboxed(argv: list[str], memory_mb: int = 4096, cpu_seconds: int = 3600) -> list[str]:
    """The arguments that run `argv` in a sandbox; `AgentError` where there is no bubblewrap, or no such program.

    `memory_mb` limits the address space of each process, `cpu_seconds` its time.
    """
    bubblewrap, where, home = _bubblewrap(), Path.cwd(), Path.home()
    command = [bubblewrap, "--unshare-all", "--ro-bind", "/", "/"]
    command += ["--dev", "/dev", "--proc", "/proc"]
    hidden = [path for path in dict.fromkeys((*map(Path, _HIDDEN), home)) if path.is_dir() and not path.is_symlink()]
    for path in hidden:
        command += [*_size(), "--tmpfs", str(path)]
    for path in _needed(argv, where, home):
        if any(_inside(path, folder) for folder in hidden):
            command += ["--ro-bind", str(path), str(path)]
    for path in hidden:
        if path != Path("/tmp"):
            command += ["--remount-ro", str(path)]
    limits = _LIMITS.format(
        memory=memory_mb * 1024, cpu=cpu_seconds, files=_FILES, blocks=_FILE_BLOCKS, processes=_PROCESSES
    )
    program = shutil.which(argv[0]) or argv[0]
    there = where if where.is_dir() else Path("/")
    command += ["--setenv", "TMPDIR", "/tmp", "--chdir", str(there), "--", "/bin/sh", "-c", limits, "agent"]
    return [*command, os.path.abspath(program), *argv[1:]]
