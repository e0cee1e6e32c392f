"""The compiler: `@kernel`, `bind`, and what the environment variable `NUMBA_DISABLE_JIT` changes.

Numba does not notice that a helper or the order of a state's fields moved in *another* file, and then runs a stale
cached caller on the new layout. So a kernel's cache is stamped with the content of its own file and of every file of
the suite, and of its own package, that it imports, however indirectly.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import glob
import hashlib
import os
import pickle
import stat
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["DISABLED", "bind", "inner", "kernel", "kernel_hash", "sources_of", "special", "tight"]

DISABLED = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
_LIBRARIES = ("site-packages", "dist-packages", f"python{sys.version_info[0]}.{sys.version_info[1]}")
_announced = False


def _private_cache() -> str | None:
    """A folder for compiled code that only this user can write, where neither the sources nor a home can hold it."""
    folder = Path(tempfile.gettempdir()) / f"ludarium-kernels-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        info = folder.lstat()
    except OSError:
        return None
    owned = not hasattr(os, "getuid") or info.st_uid == os.getuid()
    return str(folder) if stat.S_ISDIR(info.st_mode) and owned and not info.st_mode & 0o022 else None


def _writable(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK)


def _choose_cache_dir() -> None:
    """Set `NUMBA_CACHE_DIR` when neither `__pycache__` nor the user's cache folder can be written."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return
    beside = Path(__file__).parent / "__pycache__"
    if _writable(beside if beside.exists() else beside.parent) or _writable(Path(os.path.expanduser("~"))):
        return
    private = _private_cache()
    if private:
        os.environ["NUMBA_CACHE_DIR"] = private


_choose_cache_dir()

if DISABLED:
    np.seterr(over="ignore")  # compiled 64-bit integers wrap silently; plain NumPy scalars must do the same

import numba  # noqa: E402  (after the cache folder is chosen)
from numba.core.caching import FunctionCache, IndexDataCacheFile  # noqa: E402

from ludarium.envs.core.linking import SUPPORTED, PartCompiler, WholeCompiler  # noqa: E402


@functools.cache
def _home_of(root: str) -> Path | None:
    """The folder in which a top-level package or module lies, if it is loaded."""
    loaded = sys.modules.get(root)
    places = [getattr(loaded, "__file__", None), *getattr(loaded, "__path__", [])]
    here = next((Path(str(place)) for place in places if place), None)
    if here is None:
        return None
    return here.parent.parent if here.name == "__init__.py" else here.parent


@functools.cache
def _file_of(module: str, home: Path) -> Path | None:
    """The source file of a module whose top-level package lies in `home`, without importing it."""
    loaded = sys.modules.get(module)
    if loaded is not None and getattr(loaded, "__file__", None):
        return Path(str(loaded.__file__))
    base = home.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


@functools.cache
def _imports(path: Path) -> frozenset[tuple[int, str]]:
    """What a file imports: (level, name), level 0 for absolute names, else the dots of a relative import."""
    names: set[tuple[int, str]] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names.update((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = node.module or ""
            names.add((node.level, parent))
            names.update((node.level, f"{parent}.{alias.name}".strip(".")) for alias in node.names)
    return frozenset(names)


def _absolute(level: int, name: str, module: str, path: Path) -> str:
    """The full name of what `module` imports."""
    if not level:
        return name
    parts = module.split(".")
    kept = len(parts) - level + (path.name == "__init__.py")
    return ".".join([*parts[: max(kept, 0)], name]).strip(".")


@functools.cache
def sources_of(module: str) -> tuple[Path, ...]:
    """The files whose content can change what a kernel of `module` compiles to, sorted.

    Followed are imports within the suite and within the module's own package; from a lone file, also those of the files
    that lie beside it.
    """
    root = module.partition(".")[0]
    homes = {name: home for name in ("ludarium", root) if (home := _home_of(name)) is not None}
    beside = None if hasattr(sys.modules.get(root), "__path__") else homes.get(root)
    if beside is not None and beside.name in _LIBRARIES:
        beside = None
    seen: dict[str, Path] = {}
    queue = [module]
    while queue:
        name = queue.pop()
        top = name.partition(".")[0]
        home = homes.get(top, beside)
        path = None if home is None or name in seen else _file_of(name, home)
        if path is None or path.suffix != ".py" or not path.is_file():
            continue
        if top not in homes and beside not in path.parents:
            continue  # loaded from elsewhere
        seen[name] = path
        queue.extend(_absolute(level, part, name, path) for level, part in _imports(path))
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


class _StampedFiles(IndexDataCacheFile):
    """Compiled code on disk, in a file named for the stamp of the sources and for the types of the arguments.

    Numba numbers these files and keeps an index: two processes that compile at once can each write number 1, and then
    one signature runs the other's code.
    """

    def _file(self, key: Any) -> Path:
        named = hashlib.blake2b(f"{numba.__version__} {key}".encode(), digest_size=12).hexdigest()
        return Path(self._cache_path) / f"{self._base}.{self._source_stamp}.{named}.nbc"

    @property
    def _base(self) -> str:
        return str(self._index_name).removesuffix(".nbi")

    def load(self, key: Any) -> Any:
        """The code for a key, or None."""
        try:
            found, data = pickle.loads(self._file(key).read_bytes())
        except OSError:
            return None
        return data if found == key else None

    def save(self, key: Any, data: Any) -> None:
        """Write the code for a key, and drop what older sources compiled to."""
        with self._open_for_write(self._file(key)) as file:
            file.write(self._dump((key, data)))
        for old in Path(self._cache_path).glob(f"{glob.escape(self._base)}.*.nbc"):
            if old.name.split(".")[-3] != self._source_stamp:
                old.unlink(missing_ok=True)


class _StampedCache(FunctionCache):
    """Numba's function cache, valid only for the same sources of the whole import closure."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._kernel = function.__qualname__
        self._cache_file = _StampedFiles(self._cache_path, self._impl.filename_base, kernel_hash(function.__module__))

    def load_overload(self, signature: Any, target: Any) -> Any:
        found = super().load_overload(signature, target)
        if found is None:
            _announce(self._kernel)
        return found


def _compiled(function: Callable[..., Any], **options: Any) -> Any:
    return numba.njit(nogil=True, error_model="numpy", **options)(function)


def _part(function: Callable[..., Any], **options: Any) -> Any:
    """A kernel for kernels: no entry from Python, nothing on disk but inside its callers."""
    if SUPPORTED:
        options["pipeline_class"] = PartCompiler
    part = _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, **options)
    _forget_literals(part)
    return part


def _whole(function: Callable[..., Any], **options: Any) -> Any:
    """A kernel for Python, with a part of its own for the kernels that call it too."""
    if DISABLED:
        return function
    whole = _compiled(function, **options, **({"pipeline_class": WholeCompiler} if SUPPORTED else {}))
    part = _part(function, **options)
    whole.get_call_template, whole.get_overload = part.get_call_template, part.get_overload
    with contextlib.suppress(RuntimeError):  # no place to cache at all: compile once per process
        whole._cache = _StampedCache(function)
    return whole


def _forget_literals(dispatcher: Any) -> None:
    """Let calls with constants share one compiled form: Numba would make one for every constant argument."""
    find, plain = dispatcher.get_call_template, numba.types.unliteral
    dispatcher.get_call_template = lambda arguments, names: find(
        tuple(plain(argument) for argument in arguments), {name: plain(value) for name, value in names.items()}
    )


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function with Numba (`nogil`, cached under a stamp of all its sources).

    The function stays plain Python under `NUMBA_DISABLE_JIT=1`. Arguments are arrays, named tuples of arrays, tuples of
    scalars; never objects. A division by zero gives what NumPy gives.
    """
    return _whole(function)


def tight(function: Callable[..., Any]) -> Any:
    """A kernel that allocates nothing: without reference counts it compiles faster and its calls cost less."""
    return _whole(function, _nrt=False)


def inner(function: Callable[..., Any]) -> Any:
    """A kernel that only other kernels call: it has no entry from Python, and compiles in half the time.

    It allocates nothing. Calling it from Python is an error.
    """
    return function if DISABLED else _part(function, _nrt=False)


def special(general: Any, variant: str) -> Callable[[Callable[..., Any]], Any]:
    """Decorate the form of the inner kernel `general` for frozen tuples of a variant: there only this one is compiled.

    It must give what `general` gives for them; without the compiler, `general` is what runs.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        if DISABLED:
            return function
        chosen = _part(function, _nrt=False)
        plainly, overload = general.get_call_template, general.get_overload

        def fits(kinds: Any) -> bool:
            return any(getattr(kind, "variant", None) == variant for kind in kinds)

        general.get_call_template = lambda arguments, names: (chosen.get_call_template if fits(arguments) else plainly)(
            arguments, names
        )
        general.get_overload = lambda kinds: (chosen.get_overload if fits(kinds) else overload)(kinds)
        return chosen

    return decorate


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
