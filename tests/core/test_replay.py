"""Replays find every corruption, and say where it is."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from core.play import CASES, batch_of, play, put, random_actions, state_bytes

from ludarium.envs.core import batch as batch_module
from ludarium.envs.core import replay as replay_module
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import LudariumError, TraceError
from ludarium.envs.core.replay import first_divergence, playing, replay
from ludarium.envs.core.trace import Trace, decode, encode


def states(trace: Trace) -> list[tuple[Any, ...]]:
    """What the digest is made of, after each step: until the trace can no longer be played."""
    found: list[tuple[Any, ...]] = []
    try:
        for batch in playing(trace):
            found.append((state_bytes(batch), *(array.tobytes() for array in batch.out[:3])))
    except TraceError:
        found.append(("cannot be played",))
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", CASES)
def test_a_replay_equals_its_episode(name: str, seed: int) -> None:
    trace = decode(encode(play(name, seed).trace()))
    steps: list[int] = []
    done = replay(trace, on_step=lambda batch: steps.append(int(batch.t[0])))
    assert done.ok, str(done.divergence)
    assert (done.digest, done.steps) == (trace.digest, trace.steps)
    assert steps == list(range(trace.steps + 1))
    assert replay(trace, observation=True).ok


@pytest.mark.parametrize("name", CASES)
def test_a_part_of_an_episode_replays_too(name: str) -> None:
    trace = play(name, 1, 3).trace()
    assert trace.replay().ok
    assert trace.steps == 3


def flips(trace: Trace) -> list[tuple[int, int, Trace]]:
    """Every trace that differs in one action of a seat that was asked: (role, step, trace)."""
    found = []
    asked = [batch.asked[0].copy() for batch in playing(trace)]
    offsets = np.cumsum([0, *(role["count"] for role in trace.header["roles"])])
    for r, actions in enumerate(trace.actions):
        for step in range(trace.steps):
            for i in range(trace.header["roles"][r]["count"]):
                if not asked[step][offsets[r] + i]:
                    continue
                changed = copy.deepcopy(trace)
                if isinstance(actions, np.ndarray):
                    cell = changed.actions[r][step, i : i + 1].view(np.uint8)
                    cell.reshape(-1)[0] ^= 1
                else:
                    changed.actions[r][step][i] += "0"
                found.append((r, step, changed))
    return found


@pytest.mark.parametrize("name", CASES)
def test_every_single_changed_action_is_found_at_its_step(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a digest after every step the divergence is at the step of the change, unless the world is the same."""
    monkeypatch.setattr(batch_module, "MARK", 1)
    monkeypatch.setattr(replay_module, "MARK", 1)
    trace = play(name, 2, 12).trace()
    truth, located = states(trace), 0
    for _, step, changed in flips(trace):
        after = states(changed)
        first = next((t for t, (a, b) in enumerate(zip(truth, after, strict=False)) if a != b), None)
        if first is not None and after[first] == ("cannot be played",):
            with pytest.raises(TraceError):
                replay(changed)
            located += 1
            continue
        divergence = replay(changed).divergence
        if first is None:  # for example two different moves into the same wall
            assert divergence is None
            continue
        assert divergence is not None
        assert (divergence.step, divergence.field) == (first, "digest")
        located += first == step + 1
    assert located > 0


@pytest.mark.parametrize("name", CASES)
def test_between_marks_the_next_digest_finds_it(name: str) -> None:
    trace = play(name, 2).trace()
    truth = states(trace)
    for _, step, changed in flips(trace)[:: max(1, trace.steps // 5)]:
        after = states(changed)
        marked = [t for t, _ in trace.digests]
        if ("cannot be played",) in after or [truth[t] for t in marked] == [after[t] for t in marked]:
            continue  # two ways to the same state between two digests
        divergence = replay(changed).divergence
        assert divergence is not None
        assert divergence.step > step


@pytest.mark.parametrize("name", CASES)
def test_two_traces_are_compared_action_by_action(name: str) -> None:
    trace = play(name, 2, 12).trace()
    assert first_divergence(trace, trace) is None
    for r, step, changed in flips(trace)[::3]:
        divergence = first_divergence(trace, changed)
        assert divergence is not None
        assert divergence.step == step
        assert divergence.field == f"actions of {trace.header['roles'][r]['name']}"
        assert f"step {step}" in str(divergence)


def corrupted(trace: Trace, what: str) -> Trace:
    changed = copy.deepcopy(trace)
    if what == "digest":
        step, digest = changed.digests[-1]
        changed.digests[-1] = (step, digest ^ 1)
    elif what == "first digest":
        changed.digests[0] = (0, changed.digests[0][1] ^ (1 << 63))
    elif what == "no last digest":
        changed.digests.pop()
    elif what == "seed":
        changed.header["seed"] += 1
    elif what == "steps":
        changed.result["steps"] += 1
    elif what == "over":
        changed.result["over"] = not changed.result["over"]
    elif what == "metric":
        name = sorted(changed.result["metrics"])[0]
        changed.result["metrics"][name] += 1
    elif what == "metric gone":
        changed.result["metrics"].popitem()
    else:
        changed.result["metrics"]["score"] = 1e9
    return changed


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    ("what", "field"),
    [
        ("digest", "digest"), ("first digest", "digest"), ("no last digest", "digest"), ("seed", "digest"),
        ("steps", "steps"), ("over", "over"), ("metric", "metrics."), ("metric gone", "metrics."),
        ("more", "metrics.score"),
    ],
)  # fmt: skip
def test_every_planted_corruption_is_named(name: str, what: str, field: str) -> None:
    trace = play(name, 2, 12).trace()
    try:
        done = replay(corrupted(trace, what))
    except TraceError:  # another seed may give another map, or an end before the last action
        assert what == "seed"
        return
    assert not done.ok
    assert str(done.divergence).startswith("step ")
    assert done.divergence is not None
    assert done.divergence.field.startswith(field)


def test_integers_are_compared_exactly_and_floats_at_one_part_in_a_billion() -> None:
    trace = play("mapf-lifelong", 2).trace()
    assert trace.result["metrics"]["throughput"] > 0
    for factor, ok in ((1 + 1e-12, True), (1 + 1e-7, False)):
        changed = copy.deepcopy(trace)
        changed.result["metrics"]["throughput"] *= factor
        assert replay(changed).ok is ok


def test_what_cannot_be_played_is_a_trace_error() -> None:
    trace = play("array", 2, 12).trace()

    def changed(**header: Any) -> Trace:
        return Trace({**trace.header, **header}, copy.deepcopy(trace.actions), trace.digests, [], trace.result)

    for header in (
        {"roles": trace.header["roles"][:1]}, {"config": {"num_workers": 3}}, {"config": {"length": 13, "no": 1}},
        {"config": {"length": -1}}, {"id": "nothing-v0"}, {"seed": -1}, {"instance": {"crates": [1]}},
    ):  # fmt: skip
        with pytest.raises(LudariumError):
            replay(changed(**header))
    wild = changed()
    wild.actions[0] = wild.actions[0] + 200
    with pytest.raises(TraceError, match=r"step 0.*outside the space"):
        replay(wild)
    wild.actions[0] = trace.actions[0].astype(np.float64)
    with pytest.raises(TraceError, match="actions of type float64"):
        replay(wild)
    longer = play("nim", 2).trace()
    longer.actions[0] = np.concatenate([longer.actions[0], longer.actions[0]])
    with pytest.raises(TraceError, match="the episode is over"):
        replay(longer)


def test_an_instance_travels_in_the_trace() -> None:
    batch = batch_of("array", 1)
    for given in ({"crates": [0, 1, 2, 3], "workers": [0, 11]}, batch.simulator.instance(77)):
        batch.reset(np.ones(1, np.bool_), {0: given})
        chance = np.random.default_rng(0)
        while not batch.over[0]:
            batch.put(0, chance.integers(0, 12, (1, 1)))
            batch.put(1, chance.integers(0, 3, (1, 2)))
            batch.step()
        trace = decode(encode(batch.trace()))
        assert set(trace.header["instance"]) == {"crates", "workers"}
        assert trace.replay().ok


def test_an_instance_named_by_its_seed_is_the_drawn_one() -> None:
    drawn, given = batch_of("array", 1, 5), batch_of("array", 1, 5)
    given.seed(np.ones(1, np.bool_), [5])
    given.reset(np.ones(1, np.bool_), {0: given.simulator.instance(5)})
    np.testing.assert_array_equal(drawn.state.crate, given.state.crate)
    np.testing.assert_array_equal(drawn.state.place, given.state.place)


@pytest.mark.parametrize("name", ["array", "object", "mapf-lifelong"])
def test_the_pictures_of_an_episode_come_from_its_trace(name: str) -> None:
    trace = play(name, 2, 5).trace()
    movie = trace.movie()
    assert len(list(movie.scenes)) == 6
    assert movie.meta["digest"] == trace.digest


def told_and_done(batch: Batch, actions: list[Any]) -> list[tuple[Any, ...]]:
    """Of each seat that is asked now: the step, its name, what it is told, and its action in words."""
    simulator, found = batch.simulator, []
    seats = [(r, i) for r, role in enumerate(simulator.roles) for i in range(role.count)]
    for seat, (r, i) in enumerate(seats):
        if batch.asked[0, seat]:
            action, menu = actions[r][0][i], simulator.menu(batch.state, 0, seat)
            words = (
                action
                if menu is None
                else next((choice.text for choice in menu if choice.action == action), str(action))
            )
            found.append((int(batch.t[0]), simulator.seats[seat], simulator.describe(batch.state, 0, seat), words))
    return found


@pytest.mark.parametrize("name", ["array", "object", "object-turns", "mapf-lifelong"])
def test_the_words_of_an_episode_are_what_each_seat_was_told_and_what_it_then_did(name: str) -> None:
    batch, chance, wanted = batch_of(name, 1, 3), [np.random.default_rng(7)], []
    while not batch.over[0] and batch.t[0] < 6:
        actions = random_actions(batch, chance)
        wanted += told_and_done(batch, actions)
        put(batch, actions)
        batch.step()
    last, seats = int(batch.t[0]), batch.simulator.seats
    wanted += [(last, who, batch.simulator.describe(batch.state, 0, seat), "") for seat, who in enumerate(seats)]
    movie = batch.trace().movie()
    list(movie.scenes)
    assert [(e.step, e.who, e.told, e.did) for e in movie.words] == wanted


def test_many_traces_together_replay_as_each_alone() -> None:
    """Rows of one batch, with some that are cut, spoilt, of other worlds, or not to be played at all."""
    traces = [play(name, seed).trace() for seed in range(3) for name in CASES]
    spoilt = copy.deepcopy(traces)
    for n, trace in enumerate(spoilt):
        if n % 4 == 0:
            trace.header["seed"] += 1
        elif n % 4 == 1 and isinstance(trace.actions[0], np.ndarray) and trace.steps:
            trace.actions[0][trace.steps // 2] = 200
        elif n % 4 == 2:
            trace.result["steps"] = trace.steps + 1
        else:
            trace.header["roles"][0]["count"] += 1
    together = replay_module.Replayer().replay_all([*traces, *spoilt])
    for trace, found in zip([*traces, *spoilt], together, strict=True):
        try:
            alone: Any = replay_module._slowly(playing(trace, False), trace, None)
        except (LudariumError, ValueError, IndexError) as error:
            alone = error
        if isinstance(alone, Exception):
            # a difference that came before what cannot be played is named instead of it
            assert isinstance(found, LudariumError) or not found.ok
        else:
            assert found == alone
    assert all(found.ok for found in together[: len(traces)])
    assert not any(getattr(found, "ok", False) for found in together[len(traces) :])
