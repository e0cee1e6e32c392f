"""Batches: rows equal single episodes, snapshots, recording, and errors before anything moves."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from core.play import CASES, advance, batch_of, choose, put, random_actions, state_bytes

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import ActionError, ConfigError, IllegalActionError, InstanceError, LudariumError
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.core.trace import encode


def seen(batch: Batch, row: int) -> list[Any]:
    """All that a row shows: observations, masks, rewards, flags, faults, who is asked, figures."""

    def at(buffer: Any) -> Any:
        if isinstance(buffer, dict):
            return {name: at(part) for name, part in buffer.items()}
        return copy.deepcopy(buffer[row])

    observed = [at(part) for part in batch.observed]
    masks = [None if mask is None else mask[row].copy() for mask in batch.masks]
    arrays = [array[row].copy() for array in (*batch.out, batch.asked, batch.t, batch.over, batch.live)]
    figures = {name: values[row] for name, values in batch.simulator.metrics(batch.state).items()}
    return [observed, masks, arrays, figures]


@pytest.mark.parametrize("rows", [1, 7, 64])
@pytest.mark.parametrize("name", CASES)
def test_row_i_equals_the_single_episode_bit_for_bit(name: str, rows: int) -> None:
    steps = 25 if rows < 64 else 6
    batch = batch_of(name, rows, 100)
    chances = [np.random.default_rng(b) for b in range(rows)]
    history = [[seen(batch, b) for b in range(rows)]]
    for _ in range(steps):
        advance(batch, chances, 1)
        history.append([seen(batch, b) for b in range(rows)])
    for b in range(rows) if rows < 64 else (0, 31, 63):
        single = batch_of(name, 1, 100 + b)
        chance = [np.random.default_rng(b)]
        np.testing.assert_equal(seen(single, 0), history[0][b])
        for k in range(1, steps + 1):
            over = bool(single.over[0])
            advance(single, chance, 1)
            if not over:
                np.testing.assert_equal(seen(single, 0), history[k][b])
        assert single.digest() == batch.digest(b)
        assert encode(single.trace()) == encode(batch.trace(b))


@pytest.mark.parametrize("name", ["nim", "herd", "array", "mapf-lifelong"])
def test_a_batch_of_1024_equals_single_episodes(name: str) -> None:
    rows = 1024
    batch = batch_of(name, rows, 5)
    chances = [np.random.default_rng(b) for b in range(rows)]
    advance(batch, chances, 3)
    for b in range(0, rows, 93):
        single = batch_of(name, 1, 5 + b)
        advance(single, [np.random.default_rng(b)], 3)
        np.testing.assert_equal(seen(single, 0), seen(batch, b))
        assert single.digest() == batch.digest(b)


@pytest.mark.parametrize("name", CASES)
def test_rows_that_are_over_stay_as_they_are(name: str) -> None:
    batch = batch_of(name, 5, 1)
    chances = [np.random.default_rng(b) for b in range(5)]
    advance(batch, chances, 80)
    assert batch.over.all()
    before, digests = state_bytes(batch), [batch.digest(b) for b in range(5)]
    advance(batch, chances, 2)
    assert state_bytes(batch) == before
    assert [batch.digest(b) for b in range(5)] == digests


@pytest.mark.parametrize("name", CASES)
def test_only_the_rows_asked_for_are_reset(name: str) -> None:
    batch = batch_of(name, 4, 1)
    chances = [np.random.default_rng(b) for b in range(4)]
    advance(batch, chances, 3)
    before = [seen(batch, b) for b in range(4)]
    batch.reset(np.array([False, True, False, True]))
    for b in (0, 2):
        np.testing.assert_equal(seen(batch, b), before[b])
    for b in (1, 3):
        assert batch.t[b] == 0
        assert batch.episode[b] == 1
    advance(batch, chances, 1)  # rows at different steps go on side by side
    assert set(batch.t.tolist()) <= {1, 3, 4}


# --- snapshots -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_after_restore_the_same_actions_give_the_same_future(name: str, rows: int) -> None:
    batch = batch_of(name, rows, 11)
    chances = [np.random.default_rng(b) for b in range(rows)]
    advance(batch, chances, 4)
    kept, then = batch.snapshot(), copy.deepcopy(chances)
    at_snapshot = [encode(batch.trace(b)) for b in range(rows)]
    advance(batch, chances, 9)
    future = [seen(batch, b) for b in range(rows)], [encode(batch.trace(b)) for b in range(rows)]
    for _ in range(2):  # a snapshot can be used more than once
        batch.restore(kept)
        assert [encode(batch.trace(b)) for b in range(rows)] == at_snapshot  # the trace is cut back
        advance(batch, copy.deepcopy(then), 9)
        np.testing.assert_equal([seen(batch, b) for b in range(rows)], future[0])
        assert [encode(batch.trace(b)) for b in range(rows)] == future[1]


@pytest.mark.parametrize("name", CASES)
def test_restore_brings_back_another_episode_and_its_seeds(name: str) -> None:
    batch = batch_of(name, 1, 11)
    advance(batch, [np.random.default_rng(0)], 2)
    kept, before = batch.snapshot(), seen(batch, 0)
    batch.reset(np.ones(1, np.bool_))
    advance(batch, [np.random.default_rng(1)], 3)
    batch.restore(kept)
    np.testing.assert_equal(seen(batch, 0), before)
    batch.reset(np.ones(1, np.bool_))
    other = batch_of(name, 1, 11)
    other.reset(np.ones(1, np.bool_))
    np.testing.assert_equal(seen(batch, 0), seen(other, 0))
    assert batch.seeds[0] == other.seeds[0]


def test_a_snapshot_of_another_world_is_refused() -> None:
    for a, b in (("nim", "herd"), ("array", "nim"), ("mapf-stay", "array")):
        with pytest.raises(InstanceError, match="another world"):
            batch_of(a).restore(batch_of(b).snapshot())
    with pytest.raises(InstanceError, match="another world"):
        batch_of("array", 2).restore(batch_of("array", 3).snapshot())


@pytest.mark.parametrize("way", ["pickle", "deepcopy"])
@pytest.mark.parametrize("name", CASES)
def test_copies_go_on_alike_and_apart(name: str, way: str) -> None:
    batch = batch_of(name, 2, 3)
    chances = [np.random.default_rng(b) for b in range(2)]
    advance(batch, chances, 3)
    twin = pickle.loads(pickle.dumps(batch)) if way == "pickle" else copy.deepcopy(batch)
    before = state_bytes(batch)
    advance(twin, copy.deepcopy(chances), 3)
    assert state_bytes(batch) == before
    advance(batch, chances, 3)
    assert [encode(batch.trace(b)) for b in range(2)] == [encode(twin.trace(b)) for b in range(2)]


def test_a_batch_that_was_never_reset_can_be_copied() -> None:
    for name in CASES:
        world, config = CASES[name]
        twin = pickle.loads(pickle.dumps(Batch(make_simulator(world, **config), 2, world)))
        twin.seed(np.ones(2, np.bool_), [0, 1])
        twin.reset(np.ones(2, np.bool_))
        np.testing.assert_equal(seen(twin, 1), seen(batch_of(name, 2), 1))


# --- recording -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", CASES)
def test_recording_changes_nothing(name: str) -> None:
    a, b = batch_of(name, 2, 3), batch_of(name, 2, 3, record=False)
    for batch in (a, b):
        advance(batch, [np.random.default_rng(k) for k in range(2)], 6)
    assert state_bytes(a) == state_bytes(b)
    with pytest.raises(LudariumError, match="record=True"):
        b.digest()


@pytest.mark.parametrize("name", ["nim", "array", "object-turns"])
def test_actions_of_seats_that_are_not_asked_are_neither_used_nor_recorded(name: str) -> None:
    a, b = batch_of(name, 1, 3), batch_of(name, 1, 3)
    chance, noise = np.random.default_rng(1), np.random.default_rng(2)
    for _ in range(9):
        if a.over[0]:
            break
        drawn = random_actions(a, [chance])
        put(a, drawn)
        for r, role in enumerate(b.simulator.roles):
            for i in range(role.count):
                if not b.asked[0, b.simulator.offsets[r] + i]:
                    wild = 10**6 if isinstance(b.actions[r], np.ndarray) else object()
                    drawn[r][0][i] = wild if noise.random() < 0.8 else choose(role.action_space, noise)
        put(b, drawn)
        a.step()
        b.step()
    assert encode(a.trace()) == encode(b.trace())


def test_a_trace_holds_the_default_action_where_nobody_was_asked() -> None:
    batch = batch_of("array", 1, 3)
    put(batch, [[[int(np.flatnonzero(batch.masks[0][0, 0])[0])]], [[2, 2]]])
    batch.step()
    trace = batch.trace()
    assert trace.actions[1].tolist() == [[0, 0]]
    nim = batch_of("nim", 1, 3)
    advance(nim, [np.random.default_rng(0)], 2)
    assert nim.trace().actions[0][0, 1] == 1  # nim's actions begin at 1


# --- errors --------------------------------------------------------------------------------------------------------
WRONG: dict[str, list[tuple[int, Any]]] = {
    "nim": [(0, [[0, 1]]), (0, [[4, 1]]), (0, [[-(2**62), 1]]), (0, [[2**62, 1]])],
    "herd": [
        (0, [[[0, 0, 3, 0, 0]]]), (0, [[[0, 0, -1, 0, 0]]]),
        (1, [[[0.51]]]), (1, [[[float("nan")]]]), (1, [[[float("inf")]]]),
    ],
    "array": [(0, [[12]]), (0, [[-1]])],
    "object": [(0, [[3]]), (0, [[None]]), (0, [[b"3"]]), (0, [["x" * 1001]])],
    "mapf-lifelong": [(0, [[0, 5, 0]]), (0, [[0, 0, -1]]), (0, [[256, 0, 0]])],
}  # fmt: skip


@pytest.mark.parametrize(("name", "role", "wrong"), [(n, r, w) for n, cases in WRONG.items() for r, w in cases])
def test_an_action_outside_its_space_raises_before_anything_changes(name: str, role: int, wrong: Any) -> None:
    batch = batch_of(name, 1, 2)
    put(batch, random_actions(batch, [np.random.default_rng(0)]))
    before, trace = state_bytes(batch), encode(batch.trace())
    batch.put(role, wrong if isinstance(batch.actions[role], list) else np.asarray(wrong))
    with pytest.raises(ActionError, match="outside the space"):
        batch.step()
    assert state_bytes(batch) == before
    assert encode(batch.trace()) == trace
    advance(batch, [np.random.default_rng(0)], 1)  # and play goes on
    assert batch.t[0] == 1


def test_the_seat_and_the_row_of_a_wrong_action_are_named() -> None:
    batch = batch_of("mapf-lifelong", 3, 2)
    batch.put(0, np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]]))
    with pytest.raises(ActionError, match=r"robot_1 in row 1: action 9 .* Discrete\(5\)"):
        batch.step()


@pytest.mark.parametrize(
    "wrong",
    [
        [[0, 0]], [[0, 0, 0, 0]], [[0.0, 0.0, 0.0]], [["a", "b", "c"]], [[True, False, True]], 3, None,
        [[0, [1], 2]], [[0, None, 0]],
    ],
)  # fmt: skip
def test_actions_of_another_shape_or_type_raise(wrong: Any) -> None:
    batch = batch_of("mapf-lifelong", 1, 2)
    with pytest.raises(ActionError, match="expected"):
        batch.put(0, wrong)


@pytest.mark.parametrize("name", ["nim", "array", "object-turns", "mapf-lifelong"])
def test_illegal_actions_are_counted_no_ops_or_raise_before_the_world_moves(name: str) -> None:
    """What `check` foresees is what `step` finds; under `raise` nothing moves, and a sentence says why."""
    found = 0
    for seed in range(6):
        counted, strict = batch_of(name, 1, seed), batch_of(name, 1, seed, illegal="raise")
        chance = np.random.default_rng(seed)
        for _ in range(15):
            if counted.over[0]:
                break
            actions = random_actions(counted, [chance])
            before = state_bytes(strict)
            put(strict, actions)
            put(counted, actions)
            foreseen = np.zeros_like(counted.out.fault)
            counted.simulator.check(counted.state, counted.actions, foreseen)
            assert state_bytes(counted) == before
            counted.step()
            np.testing.assert_array_equal(foreseen, counted.out.fault)
            if not counted.out.fault.any():
                strict.step()
                continue
            found += 1
            with pytest.raises(IllegalActionError, match=r"\w+_\d|planner"):
                strict.step()
            assert state_bytes(strict) == before
            strict.illegal = "count"
            strict.step()
            strict.illegal = "raise"
        assert counted.digest() == strict.digest()
    assert found > 3


def test_a_world_that_cannot_check_says_so() -> None:
    batch = batch_of("herd", 1, 0, illegal="raise")
    with pytest.raises(LudariumError, match="cannot check"):
        advance(batch, [np.random.default_rng(0)], 1)


def test_wrong_seeds_and_settings_are_named() -> None:
    batch = batch_of("nim")
    for seed in (-1, 2**63):
        with pytest.raises(ConfigError, match="expected 0"):
            batch.seed(np.ones(1, np.bool_), [seed])
    batch.seed(np.ones(1, np.bool_), [2**63 - 1])
    batch.reset(np.ones(1, np.bool_))
    assert batch.trace().header["seed"] == 2**63 - 1
    assert batch.trace().replay().ok
    with pytest.raises(ConfigError, match="illegal = 'maybe'"):
        batch_of("nim", illegal="maybe")
