"""Moving short runs of bytes inside kernels: what the compiler cannot see because it must assume that arrays overlap.

All take flat C-contiguous arrays and a *constant* length, and compile to a few vector instructions. Under
`NUMBA_DISABLE_JIT=1` they are plain slices.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import DISABLED

__all__ = ["bit_run", "clear_run", "copy_run", "flat", "word_at"]

if DISABLED:

    def word_at(memory: NDArray[np.uint8], start: int) -> np.uint64:
        """The eight bytes from `start` as one integer, little end first."""
        return np.uint64(int.from_bytes(memory[start : start + 8].tobytes(), "little"))

    def flat(array: NDArray[Any], b: int) -> NDArray[Any]:
        """Row `b` of a C-contiguous array of two axes or more, as one axis: a view."""
        return array[b].reshape(-1)

    def copy_run(target: NDArray[Any], to: int, source: NDArray[np.uint8], start: int, length: int) -> None:
        """Copy `length` bytes (a constant) of `source` from `start` to `target` at `to`: bytes, or float32."""
        target[to : to + length] = source[start : start + length]

    def bit_run(
        target: NDArray[np.uint8], to: int, source: NDArray[np.uint8], start: int, bit: int, length: int
    ) -> None:
        """Write one bit of each of `length` bytes (a constant, 8 or 16) of `source` from `start` to `target` at `to`: 0 or 1."""
        target[to : to + length] = source[start : start + length] >> np.uint8(bit) & 1

    def clear_run(target: NDArray[Any], to: int, length: int) -> None:
        """Set `length` items (a constant) of `target` from `to` to zero."""
        target[to : to + length] = 0

else:
    from llvmlite import ir
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    _LANES = 8

    def _place(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
        data = context.make_array(kind)(context, builder, array).data
        return builder.gep(data, [index])

    @intrinsic
    def word_at(typingctx: Any, memory: Any, start: Any) -> Any:
        """The eight bytes from `start` as one integer, little end first."""

        def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            word = ir.IntType(64)
            place = builder.bitcast(_place(context, builder, sig.args[0], *args), word.as_pointer())
            loaded = builder.load(place, align=1)
            return loaded if sys.byteorder == "little" else builder.bswap(loaded)

        return types.uint64(memory, types.intp), code

    @intrinsic
    def flat(typingctx: Any, array: Any, b: Any) -> Any:
        """Row `b` of a C-contiguous array of two axes or more, as one axis: a view."""
        if not isinstance(array, types.Array) or array.layout != "C" or array.ndim < 2:
            return None
        row = types.Array(array.dtype, 1, "C")

        def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            whole = context.make_array(sig.args[0])(context, builder, args[0])
            size = context.get_constant(types.intp, 1)
            for axis in range(1, array.ndim):
                size = builder.mul(size, builder.extract_value(whole.shape, axis), flags=("nsw",))
            data = builder.gep(whole.data, [builder.mul(args[1], size, flags=("nsw",))])
            item = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(array.dtype)))
            view = context.make_array(row)(context, builder)
            context.populate_array(
                view, data=data, shape=[size], strides=[item], itemsize=item, meminfo=None, parent=None
            )
            return view._getvalue()

        return row(array, types.intp), code

    def _widen(builder: Any, into: Any, out_of: Any, count: int) -> None:
        """Bytes to float32 by vectors; the last one overlaps the one before rather than leave a tail."""
        lanes = _LANES if count >= _LANES else 1
        for begin in sorted({*range(0, count - lanes + 1, lanes), count - lanes}):
            offset = ir.Constant(ir.IntType(64), begin)
            source = builder.bitcast(builder.gep(out_of, [offset]), ir.VectorType(ir.IntType(8), lanes).as_pointer())
            target = builder.bitcast(builder.gep(into, [offset]), ir.VectorType(ir.FloatType(), lanes).as_pointer())
            wide = builder.zext(builder.load(source, align=1), ir.VectorType(ir.IntType(32), lanes))
            builder.store(builder.sitofp(wide, ir.VectorType(ir.FloatType(), lanes)), target, align=4)

    @intrinsic(prefer_literal=True)
    def copy_run(typingctx: Any, target: Any, to: Any, source: Any, start: Any, length: Any) -> Any:
        """Copy `length` bytes (a constant) of `source` from `start` to `target` at `to`: bytes, or float32."""
        known = source.dtype == types.uint8 and target.dtype in (types.uint8, types.int8, types.float32)
        if not isinstance(length, types.IntegerLiteral) or not known:
            return None

        def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            into = _place(context, builder, sig.args[0], args[0], args[1])
            out_of = _place(context, builder, sig.args[2], args[2], args[3])
            if sig.args[0].dtype == types.float32:
                _widen(builder, into, out_of, sig.args[4].literal_value)
            else:
                cgutils.raw_memcpy(
                    builder, into, out_of, context.get_constant(types.intp, sig.args[4].literal_value), 1
                )
            return context.get_dummy_value()

        return types.void(target, types.intp, source, types.intp, length), code

    @intrinsic(prefer_literal=True)
    def bit_run(typingctx: Any, target: Any, to: Any, source: Any, start: Any, bit: Any, length: Any) -> Any:
        """Write one bit of each of `length` bytes (a constant, 8 or 16) of `source` from `start` to `target` at `to`: 0 or 1."""
        if not isinstance(length, types.IntegerLiteral) or length.literal_value not in (_LANES, 2 * _LANES):
            return None

        def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            words = ir.VectorType(ir.IntType(64), sig.args[5].literal_value // _LANES)
            into = builder.bitcast(_place(context, builder, sig.args[0], args[0], args[1]), words.as_pointer())
            out_of = builder.bitcast(_place(context, builder, sig.args[2], args[2], args[3]), words.as_pointer())
            by = ir.Constant(words, ir.Undefined)
            for lane in range(words.count):
                by = builder.insert_element(by, args[4], ir.Constant(ir.IntType(32), lane))
            lowest = ir.Constant(words, [0x0101010101010101] * words.count)
            shifted = builder.lshr(builder.load(out_of, align=1), by)  # across bytes: what comes in is masked away
            builder.store(builder.and_(shifted, lowest), into, align=1)
            return context.get_dummy_value()

        return types.void(target, types.intp, source, types.intp, types.int64, length), code

    @intrinsic(prefer_literal=True)
    def clear_run(typingctx: Any, target: Any, to: Any, length: Any) -> Any:
        """Set `length` items (a constant) of `target` from `to` to zero."""
        if not isinstance(length, types.IntegerLiteral):
            return None
        signature = types.void(target, types.intp, length)

        def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            size = context.get_abi_sizeof(context.get_data_type(sig.args[0].dtype)) * sig.args[2].literal_value
            place = _place(context, builder, sig.args[0], args[0], args[1])
            cgutils.memset(builder, place, context.get_constant(types.intp, size), 0)
            return context.get_dummy_value()

        return signature, code
