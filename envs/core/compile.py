"""The compiler: `@kernel`, `bind`, and what the environment variable `NUMBA_DISABLE_JIT` changes.

Numba does not notice that a helper or the order of a state's fields moved in *another* file, and then runs a stale
cached caller on the new layout. So a kernel's cache is stamped with the content of its own file and of every
`ludarium` file that it imports, however indirectly.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import stat
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

__all__ = ["DISABLED", "bind", "kernel", "kernel_hash", "sources_of"]

DISABLED = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
_F = TypeVar("_F", bound=Callable[..., Any])
_IMPORT = re.compile(
    r"^\s*(?:from\s+(ludarium[\w.]*)\s+import\s+(\([^)]*\)|[^\n]*)|import\s+(ludarium[\w.]*))", re.M
)
_announced = False


def _private_cache() -> str | None:
    """A folder for compiled code that only this user can write, where neither the sources nor a home can hold it."""
    folder = (
        Path(tempfile.gettempdir()) / f"ludarium-kernels-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
    )
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        info = folder.lstat()
    except OSError:
        return None
    owned = not hasattr(os, "getuid") or info.st_uid == os.getuid()
    return str(folder) if stat.S_ISDIR(info.st_mode) and owned and not info.st_mode & 0o022 else None


def _choose_cache_dir() -> None:
    """Set `NUMBA_CACHE_DIR` when neither `__pycache__` nor the user's cache folder can be written."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return
    home = Path(os.path.expanduser("~"))
    package = Path(__file__).parents[2]
    if os.access(package, os.W_OK) or (home.is_dir() and os.access(home, os.W_OK)):
        return
    private = _private_cache()
    if private:
        os.environ["NUMBA_CACHE_DIR"] = private


_choose_cache_dir()

if DISABLED:
    np.seterr(over="ignore")  # compiled 64-bit integers wrap silently; plain NumPy scalars must do the same

import numba  # noqa: E402  (after the cache folder is chosen)
from numba.core.caching import FunctionCache  # noqa: E402


@functools.cache
def _file_of(module: str) -> Path | None:
    """The source file of a module of the suite (or of a third-party family), without importing it."""
    loaded = sys.modules.get(module)
    if loaded is not None and getattr(loaded, "__file__", None):
        return Path(str(loaded.__file__))
    root = Path(__file__).parents[2]
    base = root.joinpath(*module.split(".")[1:])
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _imports(source: str) -> set[str]:
    names: set[str] = set()
    for parent, parts, plain in _IMPORT.findall(source):
        if plain:
            names.add(plain)
            continue
        names.add(parent)
        names.update(f"{parent}.{part.split()[0]}" for part in parts.strip("()").split(",") if part.split())
    return names


@functools.cache
def sources_of(module: str) -> tuple[Path, ...]:
    """The files whose content can change what a kernel of `module` compiles to, sorted."""
    seen: dict[str, Path] = {}
    queue = [module]
    while queue:
        name = queue.pop()
        path = _file_of(name)
        if path is None or name in seen:
            continue
        seen[name] = path
        queue.extend(_imports(path.read_text(encoding="utf-8")))
    return tuple(sorted(set(seen.values())))


@functools.cache
def kernel_hash(module: str) -> str:
    """A BLAKE2b digest (32 hex digits) of the sources behind a module's kernels."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sources_of(module):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _announce(name: str) -> None:
    global _announced
    if not _announced and not os.environ.get("LUDARIUM_QUIET"):
        print(f"ludarium: compiling kernels (once, some seconds), first {name}", file=sys.stderr)
    _announced = True


class _StampedCache(FunctionCache):
    """Numba's function cache, whose index is valid only for the same sources of the whole import closure."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._cache_file._source_stamp = kernel_hash(function.__module__)

    def load_overload(self, signature: Any, target: Any) -> Any:
        found = super().load_overload(signature, target)
        if found is None:
            _announce(self._name)
        return found


def kernel(function: _F) -> _F:
    """Compile a function with Numba (`nogil`, cached under a stamp of all its sources).

    The function stays plain Python under `NUMBA_DISABLE_JIT=1`. Arguments are arrays, named tuples of arrays, tuples of
    scalars; never objects.
    """
    dispatcher = numba.njit(nogil=True)(function)
    if not DISABLED:
        try:
            dispatcher._cache = _StampedCache(function)
        except RuntimeError:  # no place to cache at all: compile once per process
            pass
    return dispatcher


def bind(dispatcher: Any, *arguments: Any) -> Callable[..., Any]:
    """Return the compiled entry point of a kernel for arguments of exactly these types.

    A call through it skips Numba's type dispatch (0.8 instead of 2.9 microseconds) and with it every check: only
    contiguous, writable buffers of the same types, owned by the core, may enter. Under `NUMBA_DISABLE_JIT=1` the plain
    function is returned.
    """
    if DISABLED:
        return dispatcher
    signature = tuple(numba.typeof(argument) for argument in arguments)
    if signature not in dispatcher.overloads:
        dispatcher.compile(signature)
    return dispatcher.overloads[signature].entry_point
