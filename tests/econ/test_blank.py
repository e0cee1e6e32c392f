"""Empty rows: what is named becomes its byte, in the rows that are meant and nowhere else."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from ludarium.envs.core.state import COMMON, Field, allocate, layout
from ludarium.envs.econ.blank import MINUS_ONE, Blank


class _State(NamedTuple):
    key: NDArray[np.uint64]
    t: NDArray[np.int32]
    over: NDArray[np.bool_]
    live: NDArray[np.bool_]
    inst: NDArray[np.int32]
    few: NDArray[np.int16]
    kept: NDArray[np.int64]
    many: NDArray[np.int64]


FIELDS = (
    *COMMON(3), Field("few", np.int16, (2, 3), "derived"), Field("kept", np.int64), Field("many", np.int64, (5,)),
)  # fmt: skip


def test_only_named_fields_of_the_rows_that_are_meant_change() -> None:
    state = allocate(_State, FIELDS, 4)
    for field in state:
        field[...] = 1
    which = np.array([False, True, False, True])
    Blank(FIELDS, {"few": MINUS_ONE, "many": 0}).fill(state, layout(FIELDS, 4), which)
    assert (state.few[which] == -1).all()
    assert (state.many[which] == 0).all()
    assert all((field[~which] == 1).all() for field in state)
    assert all((getattr(state, name)[which] == 1).all() for name in ("key", "t", "over", "live", "inst", "kept"))


def test_a_field_that_is_not_there_is_named() -> None:
    with pytest.raises(TypeError, match="mayn"):
        Blank(FIELDS, {"mayn": 0})
