"""One world in many forms: every way to play the same actions gives the same episode."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from core.play import CASES, batch_of, put, random_actions, state_bytes

import ludarium
from ludarium.agents.contract import Agent
from ludarium.envs.core.errors import ActionError, ConfigError, InstanceError, LudariumError
from ludarium.envs.core.trace import encode

pytestmark = pytest.mark.filterwarnings("error")


def make(name: str, **more: Any) -> Any:
    world, config = CASES[name]
    return gym.make(world, **config, **more)


def base(env: Any) -> Any:
    return env.unwrapped


def as_form(env: Any, actions: list[Any], row: int = 0) -> Any:
    """`random_actions` of one row as the action that the form takes."""
    form = base(env).form
    if form.name == "joint":
        return np.asarray(actions[0][row])
    if form.name == "roles":
        return {role.name: np.asarray(actions[r][row]) for r, role in enumerate(base(env).simulator.roles)}
    return actions[form.role][row][form.seat - base(env).simulator.offsets[form.role]]


def script(name: str, seed: int, steps: int = 40) -> list[Any]:
    """The actions of all seats of an episode, step by step."""
    batch, chance, found = batch_of(name, 1, seed), [np.random.default_rng(seed)], []
    while not batch.over[0] and len(found) < steps:
        found.append(random_actions(batch, chance))
        put(batch, found[-1])
        batch.step()
    return found


def by_batch(name: str, seed: int, actions: list[Any]) -> bytes:
    batch = batch_of(name, 1, seed)
    for drawn in actions:
        put(batch, drawn)
        batch.step()
    return encode(batch.trace())


def by_gym(name: str, seed: int, actions: list[Any]) -> bytes:
    env = make(name)
    env.reset(seed=seed)
    for drawn in actions:
        env.step(as_form(env, drawn))
    return encode(base(env).trace())


def by_parallel(name: str, seed: int, actions: list[Any]) -> bytes:
    world, config = CASES[name]
    env = ludarium.parallel_env(world, **config)
    env.reset(seed=seed)
    for drawn in actions:
        given = {a: drawn[r][0][i] for a, (r, i, _) in env._place.items() if a in env.agents}
        env.step(given)
    return encode(env.trace())


def by_aec(name: str, seed: int, actions: list[Any]) -> bytes:
    world, config = CASES[name]
    env = ludarium.aec_env(world, **config)
    env.reset(seed=seed)
    for step, drawn in enumerate(actions):
        while env.agents and env.batch.t[0] == step:
            agent = env.agent_selection
            if env.terminations[agent] or env.truncations[agent]:
                env.step(None)
                continue
            r, i, _ = env._place[agent]
            env.step(drawn[r][0][i])
    return encode(env.trace())


def by_vector(name: str, seed: int, actions: list[Any]) -> bytes:
    world, config = CASES[name]
    env: Any = gym.make_vec(world, num_envs=2, autoreset_mode="disabled", record=True, **config)
    env.reset(seed=[seed + 1000, seed])
    inner = env.unwrapped
    other = [np.random.default_rng(9)]
    for drawn in actions:
        wild = random_actions(inner.batch, other * 2)
        rows = [[wild[r][0], drawn[r][0]] for r in range(len(drawn))]
        if inner.form.name == "roles":
            given: Any = {role.name: np.asarray(rows[r]) for r, role in enumerate(inner.simulator.roles)}
        elif inner.form.name == "joint":
            given = np.asarray(rows[0])
        else:
            given = [rows[0][b][inner._seat[b]] for b in range(2)]
        if inner.batch.over[0]:  # disabled: a row that is over is reset by the caller
            env.reset(options={"reset_mask": np.array([True, False])})
        env.step(given)
    return encode(inner.trace(1))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", CASES)
def test_gym_parallel_aec_and_vector_play_one_episode(name: str, seed: int) -> None:
    actions = script(name, seed)
    expected = by_batch(name, seed, actions)
    for way in (by_gym, by_parallel, by_aec, by_vector):
        assert way(name, seed, actions) == expected, way.__name__


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("nim", "asked"), ("herd", "roles"), ("array", "roles"), ("object", "solo"), ("object-turns", "asked"),
        ("mapf-stay", "joint"),
    ],
)  # fmt: skip
def test_the_form_fits_the_world(name: str, form: str) -> None:
    env = make(name)
    assert base(env).form.name == form
    observation, info = env.reset(seed=1)
    assert env.observation_space.contains(observation)
    assert {"rewards", "asked", "live", "faults"} <= set(info)


@pytest.mark.parametrize("name", CASES)
def test_what_is_shown_is_in_its_space_and_belongs_to_the_caller(name: str) -> None:
    env = make(name)
    observation, info = env.reset(seed=1)
    kept = copy.deepcopy((observation, info))
    for drawn in script(name, 1, 10):
        seen, reward, terminated, truncated, told = env.step(as_form(env, drawn))
        assert env.observation_space.contains(seen)
        assert (type(reward), type(terminated), type(truncated)) == (float, bool, bool)
        np.testing.assert_equal((observation, info), kept)
        assert ("action_mask" in told) == (base(env).action_masks() is not None)


@pytest.mark.parametrize("name", ["nim", "herd", "array", "mapf-lifelong"])
def test_rewards_are_the_mean_in_the_joint_form_and_the_sum_elsewhere(name: str) -> None:
    env, rewarded = make(name), 0
    for seed in range(4):
        env.reset(seed=seed)
        for drawn in script(name, seed):
            _, reward, _, _, info = env.step(as_form(env, drawn))
            expected = info["rewards"].mean() if base(env).form.name == "joint" else info["rewards"].sum()
            assert reward == pytest.approx(expected, rel=1e-12)
            rewarded += info["rewards"].any()
    assert rewarded


def test_a_dispatcher_turns_to_the_seat_that_is_asked() -> None:
    env = make("nim")
    _, info = env.reset(seed=1)
    for turn in range(4):
        assert info["asked"].tolist() == [turn % 2 == 0, turn % 2 == 1]
        assert base(env).form.seat == turn % 2
        _, _, _, _, info = env.step(1)
    words = make("object-turns")
    observation, _ = words.reset(seed=1)
    assert "You are player 0" in observation
    observation, *_ = words.step("7")
    assert "You are player 1" in observation


def test_phased_roles_are_asked_by_turns() -> None:
    env = make("array")
    _, info = env.reset(seed=1)
    assert info["asked"].tolist() == [1, 0, 0]
    cell = int(np.flatnonzero(info["action_mask"]["planner"][0])[0])
    _, _, _, _, info = env.step({"planner": np.array([cell]), "worker": np.array([99, 99])})  # not asked: not looked at
    assert info["asked"].tolist() == [0, 1, 1]


# --- seat mode -----------------------------------------------------------------------------------------------------
SEATS = [("nim", "player_1"), ("array", "worker_1"), ("array", "planner_0"), ("object-turns", "player_2"),
         ("mapf-lifelong", "robot_2"), ("mapf-vanish", "robot_0"), ("herd", "herd_0")]  # fmt: skip


@pytest.mark.parametrize(("name", "seat"), SEATS)
def test_one_seat_is_yours_and_the_trace_holds_all(name: str, seat: str) -> None:
    for seed in range(3):
        env = make(name, seat=seat, others="random")
        env.reset(seed=seed)
        number, rewards = base(env).simulator.seats.index(seat), []
        over = False
        chance = np.random.default_rng(seed)
        while not over:
            assert base(env).batch.asked[0, number]
            drawn = random_actions(base(env).batch, [chance])
            _, reward, terminated, truncated, _ = env.step(as_form(env, drawn))
            rewards.append(reward)
            over = terminated or truncated
        trace = base(env).trace()
        assert trace.replay().ok
        parts = [0.0]
        trace.replay(on_step=lambda batch: parts.append(float(batch.out.reward[0, number])))  # noqa: B023
        assert sum(rewards) == pytest.approx(sum(parts), rel=1e-12)
        again = make(name, seat=seat, others="random")
        again.reset(seed=seed)
        chance = np.random.default_rng(seed)
        for _ in rewards:
            again.step(as_form(again, random_actions(base(again).batch, [chance])))
        assert base(again).digest() == base(env).digest()


class Counting(Agent):
    """Answers with the first legal action, and counts how often it is asked."""

    asked = 0

    def act(self, turns: dict[str, Any]) -> dict[str, Any]:
        Counting.asked += 1
        return dict.fromkeys(turns, 0)


def test_after_a_wrong_action_the_others_are_not_asked_twice() -> None:
    env = make("mapf-lifelong", seat="robot_0", others=f"{__name__}:Counting")
    env.reset(seed=1)
    Counting.asked, before = 0, state_bytes(base(env).batch)
    for wrong in (5, -1, 1.5, "no such command", [0], None):
        with pytest.raises(ActionError):
            env.step(wrong)
    assert Counting.asked == 0
    assert state_bytes(base(env).batch) == before
    env.step(0)
    assert Counting.asked == 1


def test_wrong_seats_and_agents_are_named() -> None:
    with pytest.raises(ActionError, match="no seat 'robot_9'; this world's seats are robot_0 to robot_2"):
        make("mapf-lifelong", seat="robot_9")
    with pytest.raises(LudariumError, match="unknown agent 'radnom'; did you mean 'random'"):
        make("mapf-lifelong", seat="robot_0", others="radnom")
    with pytest.raises(ConfigError, match="seat="):
        make("mapf-lifelong", others="random")


# --- reset, copies, misuse -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", CASES)
def test_unseeded_resets_go_on_through_a_recorded_series(name: str) -> None:
    def series(env: Any, first: int | None) -> list[int]:
        seeds = []
        for k in range(4):
            env.reset(seed=first if k == 0 else None)
            seeds.append(base(env).trace().header["seed"])
        return seeds

    one, two = series(make(name), 7), series(make(name), 7)
    assert one == two
    assert one[0] == 7
    assert len(set(one)) == 4
    assert series(make(name), 8)[1:] != one[1:]
    assert series(make(name), None) != series(make(name), None)  # drawn anew in each environment
    env = make(name)
    env.reset(seed=one[2])
    other = make(name)
    series(other, 7)
    other.reset(seed=7)
    other.reset()
    other.reset()
    assert base(env).digest() == base(other).digest()  # the third episode, alone


@pytest.mark.parametrize("way", ["pickle", "deepcopy"])
@pytest.mark.parametrize("name", CASES)
def test_environments_can_be_pickled_and_copied(name: str, way: str) -> None:
    actions = script(name, 3)
    env = make(name)
    env.reset(seed=3)
    for drawn in actions[:3]:
        env.step(as_form(env, drawn))
    twin = pickle.loads(pickle.dumps(env)) if way == "pickle" else copy.deepcopy(env)
    for drawn in actions[3:8]:
        np.testing.assert_equal(twin.step(as_form(twin, drawn)), env.step(as_form(env, drawn)))
    assert encode(base(twin).trace()) == encode(base(env).trace())
    env.reset()
    twin.reset()
    assert base(env).digest() == base(twin).digest()


def test_a_crew_is_copied_with_its_environment() -> None:
    env = make("mapf-lifelong", seat="robot_0", others="random")
    env.reset(seed=3)
    env.step(1)
    twin = copy.deepcopy(env)
    for action in (1, 2, 0, 3):
        env.step(action)
    for action in (1, 2, 0, 3):
        twin.step(action)
    assert base(env).digest() == base(twin).digest()


@pytest.mark.parametrize("name", CASES)
def test_snapshots_bring_an_environment_back(name: str) -> None:
    actions, env = script(name, 3), make(name)
    env.reset(seed=3)
    for drawn in actions[:3]:
        env.step(as_form(env, drawn))
    kept = base(env).snapshot()
    future = [env.step(as_form(env, drawn)) for drawn in actions[3:8]]
    digest = base(env).digest()
    base(env).restore(kept)
    np.testing.assert_equal([base(env).step(as_form(env, drawn)) for drawn in actions[3:8]], future)
    assert base(env).digest() == digest


def test_spaces_of_two_environments_are_apart() -> None:
    """Simulators are shared between equal environments; the random state of a space is not."""
    one, two = make("nim"), make("nim")
    one.action_space.seed(1)
    expected = [one.action_space.sample() for _ in range(5)]
    one.action_space.seed(1)
    found = []
    for _ in range(5):
        two.action_space.sample()
        found.append(one.action_space.sample())
    assert found == expected


def test_misuse_gives_a_sentence() -> None:
    raw = base(make("nim"))
    with pytest.raises(LudariumError, match="call reset before step"):
        raw.step(1)
    raw.reset(seed=1)
    with pytest.raises(ConfigError, match="unknown reset option 'slto'; did you mean 'slot'"):
        raw.reset(options={"slto": 1})
    with pytest.raises(InstanceError, match="slot = -3"):
        raw.reset(options={"slot": -3})
    with pytest.raises(LudariumError, match="takes no instances"):
        raw.reset(options={"instance": {"sticks": 3}})
    raw.reset(seed=1)
    while not raw.batch.over[0]:
        raw.step(1)
    with pytest.raises(LudariumError, match="the episode is over"):
        raw.step(1)
    with (
        pytest.warns(UserWarning, match="svgg"),
        pytest.raises(ConfigError, match="render_mode = 'svgg'; did you mean 'svg'"),
    ):
        gym.make("test-nim-v0", render_mode="svgg", disable_env_checker=True)


@pytest.mark.parametrize("wrong", [4, 0, -1, 1.0, None, "1", [1], np.array([1, 1])])
def test_wrong_actions_leave_the_environment_as_it_was(wrong: Any) -> None:
    raw = base(make("nim"))
    raw.reset(seed=1)
    before = state_bytes(raw.batch)
    with pytest.raises(ActionError):
        raw.step(wrong)
    assert state_bytes(raw.batch) == before


@pytest.mark.parametrize(
    "wrong",
    [
        None, {}, {"planner": [0]}, {"planner": [0], "worker": [0]}, {"planner": [12], "worker": [0, 0]},
        {"planner": [0], "worker": [0, 0], "more": [0]}, [0, 0, 0],
    ],
)  # fmt: skip
def test_wrong_dicts_leave_the_environment_as_it_was(wrong: Any) -> None:
    raw = base(make("array"))
    raw.reset(seed=1)
    before = state_bytes(raw.batch)
    with pytest.raises(ActionError):
        raw.step(wrong)
    assert state_bytes(raw.batch) == before


@pytest.mark.parametrize("name", ["array", "object-turns", "mapf-lifelong"])
@pytest.mark.parametrize("mode", ["rgb_array", "ansi", "svg", "human"])
def test_every_render_mode_draws_and_changes_nothing(name: str, mode: str, capsys: pytest.CaptureFixture[str]) -> None:
    env = make(name, render_mode=mode)
    env.reset(seed=1)
    before = state_bytes(base(env).batch)
    drawn = env.render()
    if mode == "rgb_array":
        assert drawn.dtype == np.uint8
        assert drawn.shape[2] == 3
    elif mode == "human":
        assert drawn is None
        assert capsys.readouterr().out
    else:
        assert isinstance(drawn, str)
    assert base(env)._repr_svg_().startswith("<svg")
    assert state_bytes(base(env).batch) == before
