"""Named tuples that kernels take as one pointer: cheap to pass, cheap to compile.

Numba passes a named tuple member by member: 34 arrays are 300 values, unpacked at 50 nanoseconds an array on every call
from Python, and written out again in the code of every call between kernels. The buffers of an environment never move,
so `freeze` writes their native form (pointers, shapes, strides) once into a vector of 64-bit words; a kernel takes the
address of the words and reads what it names, `s.pos` or `c.robots`, when it names it. In Python, and without the
compiler, a frozen tuple is the named tuple that it was.
"""

from __future__ import annotations

import functools
import struct
import zlib
from typing import Any, ClassVar, TypeVar

import numpy as np
from llvmlite import ir

from ludarium.envs.core.compile import DISABLED

# isort: split
import numba
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.core.imputils import lower_getattr_generic
from numba.core.pythonapi import NativeValue
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.core.typing.typeof import typeof_impl
from numba.extending import register_model, unbox

__all__ = ["Frozen", "freeze"]

_T = TypeVar("_T", bound=tuple)
_WORD = ir.IntType(64)
_POINTER = _WORD.as_pointer()


class Frozen:
    """What frozen tuples have beside their members: the words, int64[W], and their address.

    The names begin with an underscore, as no member's name may.
    """

    _words: Any
    _address: int
    _variant: ClassVar[str]
    _native: Any
    _plain: ClassVar[Any]

    def __repr__(self) -> str:
        """As the plain tuple."""
        return repr(self._plain(*self))  # type: ignore[misc]

    def __reduce__(self) -> Any:
        """Copies have buffers, hence words, of their own."""
        return freeze, (self._plain(*self), self._variant)  # type: ignore[misc]

    def _replace(self, **changes: Any) -> Any:
        """A frozen tuple with some members changed."""
        return freeze(self._plain(*self)._replace(**changes), self._variant)  # type: ignore[misc]


def freeze(value: _T, variant: str = "") -> _T:
    """Return the same named tuple in frozen form; members are contiguous arrays, numbers and frozen tuples.

    The arrays are not copied: they may change, but never move. A `variant` makes a compiled type of its own, for which
    kernels may have a special form (`compile.special`).
    """
    if DISABLED or isinstance(value, Frozen):
        return value
    words, members = [], []
    for member in value:
        own, kind = _words(member)
        words += own
        members.append(kind)
    frozen = _class(type(value), variant)(*value)
    frozen._words = np.array(words, np.int64)
    frozen._address = int(frozen._words.ctypes.data)
    frozen._native = _tuple_type(type(value), tuple(members), variant)
    return frozen


@functools.cache
def _class(plain: type, variant: str) -> Any:
    """A class of its own name for each compiled type: Numba's dispatcher tells named tuples apart by the class's name."""
    name = f"{plain.__module__}.{plain.__qualname__}:{variant or 'frozen'}"
    return type(name, (Frozen, plain), {"_plain": plain, "_variant": variant, "__module__": plain.__module__})


@functools.cache
def _array_type(dtype: Any, ndim: int) -> Any:
    """The compiled type of a contiguous, writable array."""
    return numba.typeof(np.zeros((0,) * ndim, dtype))


def _words(member: Any) -> tuple[list[int], Any]:
    """The native words of a member, and its compiled type."""
    if isinstance(member, Frozen):
        return [member._address], member._native
    if isinstance(member, np.ndarray):
        if not (member.flags.c_contiguous and member.flags.writeable):
            raise TypeError("only contiguous, writable buffers can be frozen")
        address = member.__array_interface__["data"][0]
        return [member.size, address, *member.shape, *member.strides], _array_type(member.dtype, member.ndim)
    if isinstance(member, bool):
        return [int(member)], numba.types.boolean
    if isinstance(member, int):
        return [member], numba.types.int64
    if isinstance(member, float):
        return [struct.unpack("<q", struct.pack("<d", member))[0]], numba.types.float64
    raise TypeError(f"{type(member).__name__} cannot be frozen; expected arrays, numbers and frozen tuples")


class Words(types.Type):
    """The compiled type of a frozen tuple: the address of the words of a named tuple `plain` with members of these types."""

    def __init__(self, plain: Any, members: tuple[Any, ...], variant: str) -> None:
        self.plain, self.members, self.variant = plain, members, variant
        sizes = [2 + 2 * member.ndim if isinstance(member, types.Array) else 1 for member in members]
        starts = [sum(sizes[:k]) for k in range(len(sizes))]
        self.places = dict(zip(plain._fields, zip(members, starts, strict=True), strict=True))
        super().__init__(name=f"{plain.__module__}.{plain.__qualname__}{members}{variant}")

    @property
    def mangling_args(self) -> Any:
        """A short name in symbols."""
        return self.plain.__name__, (zlib.crc32(self.name.encode()),)


_tuple_type = functools.lru_cache(maxsize=1024)(Words)


@register_model(Words)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _POINTER)


@typeof_impl.register(Frozen)
def _type_of(value: Any, context: Any) -> Any:
    return value._native


@unbox(Words)
def _from_python(kind: Any, value: Any, c: Any) -> Any:
    held = c.pyapi.object_getattr_string(value, "_address")
    address = c.pyapi.long_as_longlong(held)
    c.pyapi.decref(held)
    return NativeValue(c.builder.inttoptr(address, _POINTER))


@infer_getattr
class _Members(AttributeTemplate):
    key = Words

    def generic_resolve(self, kind: Any, name: str) -> Any:
        return kind.places[name][0] if name in kind.places else None


@lower_getattr_generic(Words)
def _member(context: Any, builder: Any, kind: Any, words: Any, name: str) -> Any:
    """Read a member; the words never change, so the compiler may move the reading where it likes."""
    member, start = kind.places[name]
    never_changes = builder.module.add_metadata([])

    def read(offset: int, of: Any = _WORD) -> Any:
        place = builder.bitcast(builder.gep(words, [ir.Constant(_WORD, start + offset)]), of.as_pointer())
        loaded = builder.load(place)
        loaded.set_metadata("invariant.load", never_changes)
        return loaded

    if isinstance(member, types.Boolean):
        return builder.icmp_signed("!=", read(0), ir.Constant(_WORD, 0))
    if not isinstance(member, types.Array):
        return read(0, context.get_value_type(member))
    array = context.make_array(member)(context, builder)
    array.meminfo = cgutils.get_null_value(array.meminfo.type)
    array.parent = cgutils.get_null_value(array.parent.type)
    array.nitems = read(0)
    array.itemsize = ir.Constant(_WORD, context.get_abi_sizeof(context.get_data_type(member.dtype)))
    array.data = read(1, array.data.type)
    array.shape = cgutils.pack_array(builder, [read(2 + axis) for axis in range(member.ndim)])
    array.strides = cgutils.pack_array(builder, [read(2 + member.ndim + axis) for axis in range(member.ndim)])
    return array._getvalue()
