"""PettingZoo's own tests for every world and option, and what they do not look at."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from core.play import CASES, WORDS, choose, state_bytes
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, seed_test

import ludarium
from ludarium.envs.core.errors import ActionError, ConfigError, LudariumError

NAMES = ["nim", "herd", "array", "mapf-lifelong", "mapf-stay", "mapf-vanish"]
pytestmark = [
    pytest.mark.filterwarnings("error"),
    # what `api_test` thinks of worlds whose observations are dicts, zeros or single numbers, or whose roles differ
    pytest.mark.filterwarnings("ignore:Observation"),
    pytest.mark.filterwarnings("ignore:Agents have different"),
    pytest.mark.filterwarnings("ignore:Action space for each agent probably"),
]


def parallel(name: str, **more: Any) -> Any:
    world, config = CASES[name]
    return ludarium.parallel_env(world, **config, **more)


def aec(name: str, **more: Any) -> Any:
    world, config = CASES[name]
    return ludarium.aec_env(world, **config, **more)


@pytest.mark.parametrize("name", NAMES)
def test_parallel_api(name: str) -> None:
    parallel_api_test(parallel(name), num_cycles=300)


@pytest.mark.parametrize("name", NAMES)
def test_parallel_seed(name: str) -> None:
    parallel_seed_test(lambda: parallel(name))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "herd"])  # it takes no dict beside an array
def test_aec_api(name: str) -> None:
    api_test(aec(name), num_cycles=300)


@pytest.mark.parametrize("name", NAMES)
def test_aec_seed(name: str) -> None:
    seed_test(lambda: aec(name), num_cycles=100)


def actions_of(env: Any, chance: np.random.Generator) -> dict[str, Any]:
    return {agent: choose(env.action_space(agent), chance) for agent in env.agents}


@pytest.mark.parametrize("name", CASES)
def test_keys_spaces_and_flags_of_the_parallel_form(name: str) -> None:
    """What PettingZoo's test leaves out: observations in their spaces, masks, finite rewards, live seats only."""
    env = parallel(name)
    for seed in range(3):
        observations, infos = env.reset(seed=seed)
        assert list(observations) == list(infos) == env.agents == env.possible_agents
        chance = np.random.default_rng(seed)
        while env.agents:
            before = list(env.agents)
            for agent in before:
                assert env.observation_space(agent).contains(observations[agent])
                assert env.observation_space(agent) is env.observation_space(agent)
                mask = infos[agent].get("action_mask")
                assert mask is None or (mask.dtype == np.int8 and mask.shape == (env.action_space(agent).n,))
            assert any(infos[agent]["asked"] for agent in before)
            observations, rewards, ended, cut, infos = env.step(actions_of(env, chance))
            for table in (observations, rewards, ended, cut, infos):
                assert list(table) == before
            assert all(np.isfinite(reward) and type(reward) is float for reward in rewards.values())
            assert not any(ended[a] and cut[a] for a in before)
            assert env.agents == [a for a in before if not ended[a] and not cut[a]]
            if env.batch.over[0]:
                assert not env.agents
        with pytest.raises(LudariumError, match="call reset"):
            env.step({})


@pytest.mark.parametrize("name", CASES)
def test_what_the_aec_form_says_of_the_last_step(name: str) -> None:
    """`last()` gives the rewards since a seat's own last action; their sums equal the trace's."""
    env = aec(name)
    env.reset(seed=3)
    chance, total = np.random.default_rng(3), dict.fromkeys(env.possible_agents, 0.0)
    for agent in env.agent_iter():
        observation, reward, terminated, truncated, info = env.last()
        assert env.observation_space(agent).contains(observation)
        total[agent] += reward
        assert terminated or truncated or info["asked"]
        env.step(None if terminated or truncated else choose(env.action_space(agent), chance))
    sums = np.zeros(len(total))

    def add(batch: Any) -> None:
        np.add(sums, batch.out.reward[0], out=sums)

    assert env.trace().replay(on_step=add).ok
    np.testing.assert_allclose(list(total.values()), sums, rtol=1e-12)


def test_text_observations_sit_in_a_dict() -> None:
    env = parallel("object-turns")
    observations, _ = env.reset(seed=1)
    assert set(observations["player_0"]) == {"text"}
    _, _, _, _, infos = env.step({"player_0": "7"})  # only who is asked must act
    assert [infos[a]["asked"] for a in env.agents] == [0, 1, 0]


def test_wrong_actions_are_named_before_anything_moves() -> None:
    env = parallel("mapf-lifelong")
    env.reset(seed=1)
    before = state_bytes(env.batch)
    good = dict.fromkeys(env.agents, 0)
    for wrong, words in (
        ({"robot_0": 0}, "robot_1 is asked, but has no action"), ({**good, "robt_0": 1}, "did you mean 'robot_0'"),
        ({**good, "robot_2": 5}, "robot_2: action 5"), ({**good, "robot_2": 1.0}, "robot_2: an action of"),
        ({**good, "robot_2": None}, "robot_2: an action of"),
    ):  # fmt: skip
        with pytest.raises(ActionError, match=words):
            env.step(wrong)
        assert state_bytes(env.batch) == before
    turn = aec("mapf-lifelong")
    turn.reset(seed=1)
    for wrong in (5, -1, "x", 1.5):
        with pytest.raises(ActionError, match="robot_0: an action of"):
            turn.step(wrong)
        assert turn.agent_selection == "robot_0"


def test_a_seat_that_has_ended_takes_none_only() -> None:
    env = aec("nim")
    env.reset(seed=1)
    while not env.batch.over[0]:
        env.step(1)
    with pytest.raises(ActionError, match="its only action is None"):
        env.step(1)
    env.step(None)
    env.step(None)
    assert env.agents == []
    with pytest.raises(LudariumError, match="call reset"):
        env.step(1)


@pytest.mark.parametrize("way", ["pickle", "deepcopy"])
@pytest.mark.parametrize("name", CASES)
def test_both_forms_can_be_copied_in_the_middle_of_a_step(name: str, way: str) -> None:
    chance = np.random.default_rng(0)
    one = parallel(name)
    one.reset(seed=4)
    one.step(actions_of(one, chance))
    two = aec(name)
    two.reset(seed=4)
    two.step(choose(two.action_space(two.agent_selection), chance))
    for env in (one, two):
        twin = pickle.loads(pickle.dumps(env)) if way == "pickle" else copy.deepcopy(env)
        kept = env.snapshot()
        ends = []
        for played in (env, twin):
            ends.append(finish(played))
        env.restore(kept)
        ends.append(finish(env))
        assert ends[0] == ends[1] == ends[2]


def finish(env: Any) -> tuple[int, str]:
    chance = np.random.default_rng(7)
    for _ in range(12):
        if not env.agents:
            break
        if hasattr(env, "agent_selection"):
            agent = env.agent_selection
            over = env.terminations[agent] or env.truncations[agent]
            env.step(None if over else choose(env.action_space(agent), chance))
        else:
            env.step(actions_of(env, chance))
    return int(env.batch.t[0]), env.digest()


def test_state_is_one_array_where_observations_are() -> None:
    env = parallel("mapf-lifelong")
    observations, _ = env.reset(seed=1)
    assert env.state().size == sum(seen.size for seen in observations.values())
    words = parallel("object")
    words.reset(seed=1)
    with pytest.raises(LudariumError, match="stacks arrays"):
        words.state()


def test_instances_and_wrong_options() -> None:
    env = parallel("array")
    env.reset(seed=1, options={"instance": {"crates": [0, 1, 2, 3], "workers": [5, 6]}})
    assert np.flatnonzero(env.batch.state.crate[0]).tolist() == [0, 1, 2, 3]
    with pytest.raises(ConfigError, match="render_mode"):
        parallel("nim", render_mode="x")
    assert parallel("array", render_mode="ansi").metadata["name"] == "template-array-v0"
    assert WORDS
