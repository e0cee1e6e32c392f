"""Empty rows of a state in one go, field by field: kernels that set each array themselves take long to compile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import tight
from ludarium.envs.core.state import Field, Layout, block

__all__ = ["MINUS_ONE", "Blank"]

MINUS_ONE = 0xFF
"""The byte that -1 is made of, in integers of any size."""
_KEPT = -1


@tight
def _fill(
    memory: NDArray[np.uint8],
    offset: NDArray[np.int64],
    width: NDArray[np.int64],
    values: NDArray[np.int64],
    which: NDArray[np.bool_],
) -> None:
    """Set the bytes of whole fields in the rows of `which`: `values` int64[F] in the order of the layout; -1: kept."""
    for b in range(which.shape[0]):
        if not which[b]:
            continue
        for f in range(values.shape[0]):
            if values[f] >= 0:
                start = offset[f] + b * width[f]
                for i in range(start, start + width[f]):
                    memory[i] = values[f]


class Blank:
    """What the fields of an empty row hold: each byte of a field that `bytes_of` names is its number there.

    With 0 and `MINUS_ONE` that is 0 and -1 for integers of any size; fields that are not named keep what they have.
    """

    def __init__(self, fields: tuple[Field, ...], bytes_of: Mapping[str, int]) -> None:
        unknown = set(bytes_of) - {field.name for field in fields}
        if unknown:
            raise TypeError(f"no such fields: {', '.join(sorted(unknown))}")
        ranked = [f for kind in ("state", "derived") for f in fields if f.kind == kind]
        self.values = np.array([bytes_of.get(field.name, _KEPT) for field in ranked], np.int64)

    def fill(self, state: Any, where: Layout, which: NDArray[np.bool_]) -> None:
        """Empty the rows of `which` (bool[B]) of a state that `allocate` made."""
        _fill(block(state, where), where.offset, where.width, self.values, which)
