"""Gymnasium's own checks, and the three autoreset modes against its `SyncVectorEnv`, step by step."""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from core.play import CASES, WORDS, state_bytes
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from ludarium.envs.core.errors import ConfigError, LudariumError
from ludarium.envs.core.gym_vector import GymVectorEnv
from ludarium.envs.core.language import AnyText

MODES = {"next_step": AutoresetMode.NEXT_STEP, "same_step": AutoresetMode.SAME_STEP, "disabled": AutoresetMode.DISABLED}


def make(name: str, **more: Any) -> Any:
    world, config = CASES[name]
    return gym.make(world, **config, **more)


def make_vec(name: str, rows: int, **more: Any) -> Any:
    world, config = CASES[name]
    return gym.make_vec(world, num_envs=rows, **config, **more)


@pytest.mark.parametrize("name", CASES)
def test_check_env(name: str) -> None:
    """Every warning is an error but those on how wide a Box is."""
    world, config = CASES[name]
    render = "picture" in make(name).unwrapped.simulator.views
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for message in ("Box", "infinity", "symmetric", "custom space"):
            warnings.filterwarnings("ignore", message=rf"[\s\S]*{message}")
        check_env(gym.make(world, disable_env_checker=True, **config).unwrapped, skip_render_check=not render)


def test_check_env_in_seat_mode() -> None:
    for seat, name in (("robot_0", "mapf-lifelong"), ("worker_0", "array"), ("player_1", "nim")):
        check_env(make(name, seat=seat, others="random").unwrapped, skip_render_check=True)


def sync(name: str, rows: int, mode: AutoresetMode) -> SyncVectorEnv:
    return SyncVectorEnv([lambda: make(name) for _ in range(rows)], autoreset_mode=mode)


def row_of(batched: Any, b: int) -> Any:
    if isinstance(batched, dict):
        return {key: row_of(part, b) for key, part in batched.items()}
    return batched[b]


def actions_for(native: Any, chance: np.random.Generator) -> Any:
    """A batch of actions in the space of the form (words for text)."""
    if isinstance(native.single_action_space, AnyText):
        return tuple(WORDS[int(chance.integers(len(WORDS)))] for _ in range(native.num_envs))
    native.action_space.seed(int(chance.integers(2**31)))
    return native.action_space.sample()


def compare(step: int, native: Any, peer: Any, rows: int) -> None:
    """Observations, rewards and flags of both."""
    for b in range(rows):
        np.testing.assert_equal(row_of(native[0], b), row_of(peer[0], b), err_msg=f"step {step} row {b}")
    for k in (1, 2, 3):
        np.testing.assert_array_equal(native[k], peer[k], err_msg=f"step {step}")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", CASES)
def test_autoreset_is_that_of_gymnasium(name: str, mode: str) -> None:
    rows, ended = 3, 0
    native, peer = make_vec(name, rows, autoreset_mode=MODES[mode]), sync(name, rows, MODES[mode])
    first, then = native.reset(seed=5), peer.reset(seed=5)
    for b in range(rows):
        np.testing.assert_equal(row_of(first[0], b), row_of(then[0], b))
    chance = np.random.default_rng(0)
    for step in range(110):
        actions = actions_for(native, chance)
        one, two = native.step(actions), peer.step(actions)
        compare(step, one, two, rows)
        over = one[2] | one[3]
        ended += int(over.sum())
        assert ("final_obs" in one[4]) == ("final_obs" in two[4])
        if "final_obs" in one[4]:
            np.testing.assert_array_equal(one[4]["_final_obs"], two[4]["_final_obs"])
            for b in np.flatnonzero(over):
                np.testing.assert_equal(one[4]["final_obs"][b], two[4]["final_obs"][b])
            mine, theirs = one[4]["final_info"], two[4]["final_info"]
            assert set(mine) == set(theirs)
            for key in ("rewards", "asked", "live", "faults"):
                np.testing.assert_array_equal(mine[key][over], np.asarray(theirs[key])[over])
            for key, values in theirs["metrics"].items():
                np.testing.assert_array_equal(mine["metrics"][key], values)
        if over.any() and mode == "disabled":
            mine, theirs = (env.reset(options={"reset_mask": over.copy()})[0] for env in (native, peer))
            for b in range(rows):
                np.testing.assert_equal(row_of(mine, b), row_of(theirs, b))
    assert ended >= rows


@pytest.mark.parametrize("name", ["nim", "array", "mapf-lifelong", "mapf-vanish"])
def test_infos_hold_the_keys_of_gymnasium_and_their_masks(name: str) -> None:
    native, peer = make_vec(name, 2), sync(name, 2, AutoresetMode.NEXT_STEP)
    _, mine = native.reset(seed=1)
    _, theirs = peer.reset(seed=1)
    assert set(mine) == set(theirs)
    for key, value in mine.items():
        if not isinstance(value, dict):
            np.testing.assert_array_equal(value, np.asarray(theirs[key]), err_msg=key)


def test_modes_are_declared_and_named_in_words() -> None:
    for word, mode in MODES.items():
        for given in (word, mode):
            env = make_vec("nim", 2, autoreset_mode=given)
            assert env.metadata["autoreset_mode"] is mode
    with pytest.raises(ConfigError, match="autoreset_mode = 'smae_step'; did you mean 'same_step'"):
        make_vec("nim", 2, autoreset_mode="smae_step")
    with pytest.raises(ConfigError, match="num_envs = 0"):
        GymVectorEnv("test-nim-v0", 0)


def test_a_disabled_row_that_is_over_must_be_reset() -> None:
    env = make_vec("nim", 2, autoreset_mode="disabled")
    env.reset(seed=1)
    for _ in range(100):
        _, _, terminated, truncated, _ = env.step(np.array([1, 3]))
        if (terminated | truncated).any():
            break
    with pytest.raises(LudariumError, match=r"row \d is over"):
        env.step(np.array([1, 1]))


@pytest.mark.parametrize("mask", [np.zeros(2, np.bool_), np.ones(3, np.bool_), [1, 0], np.array([1, 0])])
def test_wrong_reset_masks_are_named(mask: Any) -> None:
    env = make_vec("nim", 2)
    env.reset(seed=1)
    with pytest.raises(ConfigError, match="reset_mask"):
        env.reset(options={"reset_mask": mask})
    with pytest.raises(ConfigError, match="unknown reset option 'reset_msak'; did you mean 'reset_mask'"):
        env.reset(options={"reset_msak": mask})


@pytest.mark.parametrize("name", CASES)
def test_seeds_are_seed_plus_row_or_a_list(name: str) -> None:
    a, b = make_vec(name, 3, record=True), make_vec(name, 3, record=True)
    a.reset(seed=10)
    b.reset(seed=[10, 11, 12])
    single = make(name)
    for row in range(3):
        single.reset(seed=10 + row)
        assert a.unwrapped.digest(row) == b.unwrapped.digest(row) == single.unwrapped.digest()
    with pytest.raises(ConfigError, match="2 seeds for 3 rows"):
        a.reset(seed=[1, 2])


def test_rows_go_on_through_the_series_of_seeds_of_a_single_environment() -> None:
    env = make_vec("nim", 1, record=True, autoreset_mode="same_step")
    env.reset(seed=4)
    single = make("nim")
    single.reset(seed=4)
    for _ in range(60):
        _, _, terminated, truncated, _ = env.step(np.array([1]))
        if (terminated | truncated)[0]:
            single.reset()
            assert env.unwrapped.digest(0) == single.unwrapped.digest()


def test_copies_by_default_and_views_on_request() -> None:
    copied, viewed = make_vec("mapf-lifelong", 2), make_vec("mapf-lifelong", 2, copy=False)
    for env, shared in ((copied, False), (viewed, True)):
        first, info = env.reset(seed=1)
        second, *_, later = env.step(np.ones((2, 3), np.int64))
        assert np.shares_memory(first, second) is shared
        assert np.shares_memory(info["rewards"], later["rewards"]) is shared


def test_wrong_actions_of_a_vector_raise_before_anything_moves() -> None:
    env = make_vec("mapf-lifelong", 2, record=True)
    env.reset(seed=1)
    before = state_bytes(env.unwrapped.batch)
    for wrong in (np.full((2, 3), 5), np.zeros((2, 2), int), np.zeros((3, 3), int), np.zeros((2, 3)), None, 3):
        with pytest.raises(LudariumError):
            env.step(wrong)
        assert state_bytes(env.unwrapped.batch) == before


def test_a_vector_can_be_copied_and_goes_back_to_snapshots() -> None:
    import copy
    import pickle

    env = make_vec("mapf-lifelong", 3, record=True)
    env.reset(seed=1)
    actions = [np.random.default_rng(k).integers(0, 5, (3, 3)) for k in range(6)]
    for action in actions[:3]:
        env.step(action)
    kept = env.unwrapped.snapshot()
    twins = [pickle.loads(pickle.dumps(env)), copy.deepcopy(env)]
    for action in actions[3:]:
        expected = env.step(action)
        for twin in twins:
            np.testing.assert_equal(twin.step(action), expected)
    env.unwrapped.restore(kept)
    for action in actions[3:]:
        env.step(action)
    for row in range(3):
        assert env.unwrapped.digest(row) == twins[0].unwrapped.digest(row) == twins[1].unwrapped.digest(row)


def test_gymnasiums_wrappers_work_on_the_native_vector() -> None:
    from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics

    env = DictInfoToList(RecordEpisodeStatistics(make_vec("nim", 2)))
    env.reset(seed=1)
    found = False
    for _ in range(60):
        *_, infos = env.step(np.array([1, 3]))
        found |= any("episode" in info for info in infos)
    assert found


def test_the_only_time_limit_is_max_steps() -> None:
    assert gym.spec("test-nim-v0").max_episode_steps is None
    env = make_vec("herd", 2, max_episode_steps=3)
    assert env.unwrapped.simulator.config.max_steps == 3


def test_extras_with_one_number_a_row_are_as_they_are_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """The views behind `info` are made once: a number taken out of its array would stay what it was."""
    env = make("herd")
    monkeypatch.setattr(type(env.unwrapped.simulator), "extras", lambda self, state: {"clock": state.t})
    _, info = env.reset(seed=0)
    env.action_space.seed(0)  # none of these actions ends the episode
    clocks = [int(info["clock"])]
    for _ in range(2):
        clocks.append(int(env.step(env.action_space.sample())[4]["clock"]))
    assert clocks == [0, 1, 2]
