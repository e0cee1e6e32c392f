"""States in one block, digests, and buffers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from core.play import CASES, advance, batch_of, play
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from ludarium.envs.core.buffers import make_buffer, narrowest, row_of, row_sums, seat_of
from ludarium.envs.core.simulator import ArraySimulator
from ludarium.envs.core.state import COMMON, Field, allocate, block, digest_rows, layout

DTYPES = (np.uint8, np.int16, np.int32, np.float64, np.bool_, np.uint64)


class State(NamedTuple):
    key: Any
    t: Any
    over: Any
    live: Any
    inst: Any
    a: Any
    b: Any
    c: Any


def made(
    rows: int, shapes: list[tuple[int, ...]], kinds: list[str], dtypes: list[Any]
) -> tuple[Any, tuple[Field, ...]]:
    own = zip("abc", dtypes, shapes, kinds, strict=True)
    fields = (*COMMON(2), *(Field(n, d, s, k) for n, d, s, k in own))
    return allocate(State, fields, rows), fields


some = st.tuples(
    st.integers(1, 4),
    st.lists(st.lists(st.integers(1, 4), max_size=2).map(tuple), min_size=3, max_size=3),
    st.lists(st.sampled_from(["state", "derived", "scratch"]), min_size=3, max_size=3),
    st.lists(st.sampled_from(DTYPES), min_size=3, max_size=3),
)


@given(some)
@settings(max_examples=100, deadline=None)
def test_fields_lie_apart_in_one_block(given_: tuple[Any, ...]) -> None:
    state, fields = made(*given_)
    for k, array in enumerate(state):
        assert array.flags.c_contiguous
        assert array.ctypes.data % 64 == 0
        assert not array.any()
        array[...] = 1 if array.dtype == np.bool_ else k + 1
    for k, array in enumerate(state):
        assert (array == (1 if array.dtype == np.bool_ else k + 1)).all()
    rows = given_[0]
    memory = block(state, layout(fields, rows))
    kept = sum(a.nbytes for a, f in zip(state, fields, strict=True) if f.kind != "scratch")
    assert kept <= memory.nbytes <= kept + 64 * len(fields)


@given(some, st.data())
@settings(max_examples=100, deadline=None)
def test_the_digest_sees_every_byte_of_dynamic_fields_and_no_other(given_: tuple[Any, ...], data: Any) -> None:
    state, fields = made(*given_)
    rows = given_[0]
    where = layout(fields, rows)

    def chain() -> np.ndarray:
        out = np.zeros(rows, np.uint64)
        digest_rows(
            block(state, where), where.offset, where.width, where.digested, np.zeros((rows, 16), np.uint8),
            np.zeros((rows, 2), np.bool_), np.zeros(rows, np.bool_), np.ones(rows, np.bool_), out,
        )  # fmt: skip
        return out

    before = chain()
    assert len(set(before.tolist())) == 1  # equal rows, equal digests
    k = data.draw(st.integers(0, len(fields) - 1))
    flat = state[k].reshape(-1).view(np.uint8)
    at = data.draw(st.integers(0, flat.size - 1))
    flat[at] ^= 1
    after = chain()
    if fields[k].kind == "state":
        row = at // (flat.size // rows)
        assert (after != before).tolist() == [b == row for b in range(rows)]
    else:
        assert (after == before).all()


def test_reward_and_flags_are_in_the_digest() -> None:
    state, fields = made(1, [(), (), ()], ["state"] * 3, [np.int32] * 3)
    where = layout(fields, 1)
    seen = set()
    for reward, ended, cut in (
        (0.0, False, False),
        (1.0, False, False),
        (0.0, True, False),
        (0.0, False, True),
        (-0.0, False, False),
    ):
        out = np.zeros(1, np.uint64)
        digest_rows(
            block(state, where), where.offset, where.width, where.digested,
            np.array([[reward, 0.0]]).view(np.uint8), np.array([[ended, False]]), np.array([cut]),
            np.ones(1, np.bool_), out,
        )  # fmt: skip
        seen.add(int(out[0]))
    assert len(seen) == 5


def test_a_layout_in_another_order_is_refused() -> None:
    fields = (*COMMON(2), Field("b", np.int32), Field("a", np.int32), Field("c", np.int32))
    with pytest.raises(TypeError, match="has fields"):
        allocate(State, fields, 1)


def test_digests_are_of_64_bits_without_accidents() -> None:
    """Two thousand different short episodes give two thousand different digests."""
    batch = batch_of("array", 2000)
    advance(batch, [np.random.default_rng(b) for b in range(2000)], 3)
    assert len({batch.digest(b) for b in range(2000)}) == 2000


@pytest.mark.parametrize("name", CASES)
def test_a_look_at_the_digest_leaves_no_trace(name: str) -> None:
    a, b = play(name, 3, 5), batch_of(name, 1, 3)
    chance = [np.random.default_rng(3)]
    while b.t[0] < a.t[0]:
        advance(b, chance, 1)
        b.digest()
        b.trace()
    assert a.digest() == b.digest()


@pytest.mark.parametrize("name", CASES)
def test_states_begin_with_the_common_fields(name: str) -> None:
    simulator = batch_of(name).simulator
    state = simulator.new(2)
    t, over, live = simulator.flags(state)
    assert over.all()
    assert (t.dtype, over.dtype, live.dtype) == (np.int32, np.bool_, np.bool_)
    assert live.shape == (2, len(simulator.seats))
    if isinstance(simulator, ArraySimulator):
        assert type(state)._fields[:5] == ("key", "t", "over", "live", "inst")


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        (spaces.Discrete(256), np.uint8), (spaces.Discrete(257), np.uint16), (spaces.Discrete(3, start=-1), np.int8),
        (spaces.Discrete(200, start=-100), np.int8), (spaces.Discrete(300, start=-1), np.int16),
        (spaces.Discrete(3, start=255), np.uint16), (spaces.MultiDiscrete([2, 300]), np.uint16),
        (spaces.MultiBinary(3), np.uint8), (spaces.Box(0, 1, (2,), np.float32), np.float32),
    ],
)  # fmt: skip
def test_traces_keep_actions_in_the_narrowest_type(space: Any, expected: Any) -> None:
    assert narrowest(space) == np.dtype(expected)
    for _ in range(20):
        action = np.asarray(space.sample())
        assert (action.astype(narrowest(space)) == action).all()


def test_buffers_give_fresh_copies() -> None:
    space = spaces.Dict({"a": spaces.Box(0, 1, (2,), np.float32), "n": spaces.Discrete(4)})
    buffer = make_buffer(space, 3, 2)
    for taken in (row_of(buffer, 1), seat_of(buffer, 1, 0)):
        taken["a"][...] = 7
        assert not buffer["a"].any()
    assert seat_of(buffer, 0, 0)["n"].shape == ()


def test_sums_of_rewards_go_from_left_to_right() -> None:
    values = np.random.default_rng(0).normal(size=(50, 1000))
    out = np.zeros((50, 3))
    row_sums(values, out)
    assert out[:, 0].tolist() == [sum(row.tolist()) for row in values]
