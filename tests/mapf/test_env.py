"""The adapters over path finding: every observation, behaviour on goal and collision rule, in every form."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, seed_test

import ludarium
from ludarium.envs.core.errors import ConfigError, IllegalActionError, InstanceError
from ludarium.envs.core.trace import encode

SMALL = {"size": 6, "num_robots": 3, "max_steps": 15, "radius": 2}
OBSERVATIONS: list[dict[str, Any]] = [
    {"observation": "grid"}, {"observation": "grid", "dtype": "uint8"}, {"observation": "guide"},
    {"observation": "pomapf"}, {"observation": "mapf"}, {"observation": "none"},
]  # fmt: skip
BEHAVIOURS = [("mapf-v0", "stay"), ("mapf-v0", "vanish"), ("mapf-lifelong-v0", "restart")]
COLLISIONS = ("soft", "block_both", "priority", "strict")
PAIRS = [(o, COLLISIONS[k % 4], *b) for b in BEHAVIOURS for k, o in enumerate(OBSERVATIONS)]
PAIRS += [(OBSERVATIONS[0], c, *b) for b in BEHAVIOURS for c in COLLISIONS[1:]]
MATRIX = pytest.mark.parametrize(
    ("observation", "collision", "world", "on_goal"),
    PAIRS,
    ids=["-".join([*map(str, o.values()), c, g]) for o, c, _, g in PAIRS],
)
pytestmark = [
    pytest.mark.filterwarnings("error"),
    # what PettingZoo thinks of Dict observations, of empty ones, and of windows that see nothing
    pytest.mark.filterwarnings("ignore:Observation"),
    pytest.mark.filterwarnings(r"ignore:[\s\S]*Box observation space"),
]


def config(observation: dict[str, Any], collision: str, on_goal: str, **more: Any) -> dict[str, Any]:
    return {**SMALL, **observation, "collision": collision, "on_goal": on_goal, **more}


@MATRIX
def test_gymnasiums_and_pettingzoos_checks(
    observation: dict[str, Any], collision: str, world: str, on_goal: str
) -> None:
    options = config(observation, collision, on_goal)
    check_env(gym.make(world, disable_env_checker=True, **options).unwrapped, skip_render_check=True)
    parallel_api_test(ludarium.parallel_env(world, **options), num_cycles=60)
    parallel_seed_test(lambda: ludarium.parallel_env(world, **options), num_cycles=20)


AEC = [pair for pair in PAIRS if pair[0]["observation"] != "none"]  # it asks for the largest number of an observation


@pytest.mark.parametrize(("observation", "collision", "world", "on_goal"), AEC)
def test_pettingzoos_turn_based_checks(observation: dict[str, Any], collision: str, world: str, on_goal: str) -> None:
    options = config(observation, collision, on_goal)
    api_test(ludarium.aec_env(world, **options), num_cycles=60)
    seed_test(lambda: ludarium.aec_env(world, **options), num_cycles=20)


@MATRIX
def test_what_is_seen_is_in_its_space_and_rows_equal_single_environments(
    observation: dict[str, Any], collision: str, world: str, on_goal: str
) -> None:
    options = config(observation, collision, on_goal)
    rows, chance = 3, np.random.default_rng(0)
    vector: Any = gym.make_vec(world, num_envs=rows, record=True, autoreset_mode="disabled", **options)
    singles: list[Any] = [gym.make(world, **options) for _ in range(rows)]
    seen, _ = vector.reset(seed=3)
    first = [env.reset(seed=3 + b)[0] for b, env in enumerate(singles)]
    for _ in range(12):
        for b in range(rows):
            assert singles[b].observation_space.contains(first[b])
            if isinstance(seen, dict):
                np.testing.assert_equal({key: part[b] for key, part in seen.items()}, first[b])
            else:
                np.testing.assert_array_equal(seen[b], first[b])
        if vector.unwrapped.batch.over.any():
            break
        actions = chance.integers(0, 5, (rows, 3))
        seen, rewards, *_ = vector.step(actions)
        steps = [env.step(actions[b]) for b, env in enumerate(singles)]
        first = [step[0] for step in steps]
        assert rewards.tolist() == [step[1] for step in steps]
    for b in range(rows):
        assert vector.unwrapped.digest(b) == singles[b].unwrapped.digest()


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize(("world", "on_goal"), BEHAVIOURS)
def test_autoreset_equals_gymnasiums_over_many_episodes(world: str, on_goal: str, mode: AutoresetMode) -> None:
    options = config({"observation": "grid"}, "soft", on_goal, size=2, num_robots=2, density=0.0, max_steps=9)
    native: Any = gym.make_vec(world, num_envs=4, autoreset_mode=mode, **options)
    peer = SyncVectorEnv([lambda: gym.make(world, **options)] * 4, autoreset_mode=mode)
    np.testing.assert_array_equal(native.reset(seed=1)[0], peer.reset(seed=1)[0])
    chance, ends = np.random.default_rng(0), np.zeros(2, np.int64)
    for _ in range(60):
        actions = chance.integers(0, 5, (4, 2))
        one, two = native.step(actions), peer.step(actions)
        for a, b in zip(one[:4], two[:4], strict=True):
            np.testing.assert_array_equal(a, b)
        ends += one[2].sum(), one[3].sum()
        over = one[2] | one[3]
        if mode is AutoresetMode.DISABLED and over.any():
            again = [env.reset(options={"reset_mask": over.copy()})[0] for env in (native, peer)]
            np.testing.assert_array_equal(*again)
    assert ends[1] > 0
    assert (ends[0] > 0) == (on_goal != "restart")


@pytest.mark.parametrize("others", ["random", "pibt", "shortest"])
@pytest.mark.parametrize(("world", "on_goal"), BEHAVIOURS)
def test_one_robot_is_yours_among_planners(world: str, on_goal: str, others: str) -> None:
    options = config({"observation": "grid"}, "soft", on_goal)
    digests = []
    for _ in range(2):
        env: Any = gym.make(world, seat="robot_1", others=others, **options)
        assert env.action_space == gym.spaces.Discrete(5)
        observation, _ = env.reset(seed=5)
        over, chance, total = False, np.random.default_rng(1), 0.0
        while not over:
            assert env.observation_space.contains(observation)
            observation, reward, terminated, truncated, _ = env.step(int(chance.integers(5)))
            total += reward
            over = terminated or truncated
        trace = env.unwrapped.trace()
        assert trace.replay().ok
        earned = [0.0]
        trace.replay(on_step=lambda batch: earned.append(float(batch.out.reward[0, 1])))  # noqa: B023
        assert total == sum(earned)
        digests.append(encode(trace))
    assert digests[0] == digests[1]


def test_a_robot_that_left_ends_its_own_episode_only() -> None:
    env: Any = gym.make(
        "mapf-v0", seat="robot_0", others="random", **config({}, "soft", "vanish", num_robots=2, size=5)
    )
    parallel = ludarium.parallel_env("mapf-v0", **config({}, "soft", "vanish"))
    alone = 0
    for seed in range(20):
        env.reset(seed=seed)
        terminated = truncated = False
        chance = np.random.default_rng(seed)
        while not (terminated or truncated):
            _, reward, terminated, truncated, _ = env.step(int(chance.integers(5)))
        assert not (terminated and truncated)
        if terminated:
            assert reward == 1.0
            alone += bool(env.unwrapped.batch.live[0, 1])
        parallel.reset(seed=seed)
        lengths = [len(parallel.agents)]
        while parallel.agents:
            _, rewards, ended, _, _ = parallel.step({a: int(chance.integers(5)) for a in parallel.agents})
            assert all((rewards[a] == 1.0) == ended[a] for a in rewards)
            lengths.append(len(parallel.agents))
        assert lengths == sorted(lengths, reverse=True)
    assert alone > 0


MAP = ["....", ".##.", "...."]
GIVEN = {"map": MAP, "starts": [[0, 0], [2, 3]], "goals": [[[2, 3]], [[0, 0]]]}


def test_an_instance_is_given_at_reset_and_travels_in_the_trace() -> None:
    env: Any = gym.make("mapf-v0", num_robots=2, height=3, width=4, density=0.0)
    env.reset(seed=1, options={"instance": GIVEN})
    state = env.unwrapped.batch.state
    assert state.pos[0].tolist() == [[0, 0], [2, 3]]
    assert state.goal[0].tolist() == [[2, 3], [0, 0]]
    for actions in ([2, 1], [2, 1], [4, 3], [4, 3], [4, 3]):
        _, reward, terminated, _, info = env.step(np.array(actions))
    assert (reward, terminated, info["metrics"]["makespan"], info["metrics"]["sum_of_costs"]) == (1.0, True, 5, 10)
    trace = env.unwrapped.trace()
    assert trace.header["instance"]["map"] == MAP
    assert trace.replay().ok
    changed = {**trace.header["instance"], "map": ["....", ".#..", "...."]}
    trace.header["instance"] = changed
    with pytest.raises(ludarium.errors.TraceError, match="the instance has hash"):
        trace.replay()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"starts": [[0, 0], [0, 0]]}, "share the start"), ({"starts": [[0, 0]]}, "1 starts"),
        ({"starts": [[0, 0], [1, 1]]}, "on an obstacle"), ({"goals": [[[9, 9]], [[0, 0]]]}, "off the map"),
        ({"map": ["....", "####", "...."]}, "cannot be reached"), ({"map": ["...", "....", "...."]}, "equal length"),
        ({"map": ["x..."]}, r"'\.' and '#'"), ({"goals": [[], [[0, 0]]]}, "has no goal"), ({"map": 3}, "map, starts and goals"),
        ({"map": ["." * 9] * 9}, "this environment holds"),
    ],
)  # fmt: skip
def test_instances_that_contradict_themselves_are_named(change: dict[str, Any], words: str) -> None:
    env: Any = gym.make("mapf-v0", num_robots=2, height=3, width=4, density=0.0)
    with pytest.raises(InstanceError, match=words):
        env.reset(seed=1, options={"instance": {**GIVEN, **change}})
    env.reset(seed=1)  # and the environment goes on


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"num_robots": 0}, "num_robots = 0"), ({"num_robots": 40_000}, "at most 30000"), ({"size": -3}, "size = -3"),
        ({"height": 5000}, "at most 4096"), ({"density": 1.5}, "density = 1.5"), ({"density": float("nan")}, "density = nan"),
        ({"collision": "sofft"}, "did you mean 'soft'"), ({"observation": "gird"}, "did you mean 'grid'"),
        ({"on_goal": "restart"}, "on_goal = 'restart'"), ({"dtype": "uint8", "observation": "guide"}, "goes with"),
        ({"num_robot": 3}, "did you mean 'num_robots'"), ({"size": 3, "num_robots": 10}, "do not fit"), ({"radius": 0}, "radius"),
        ({"starts": [[0, 0]]}, "starts"), ({"map": ()}, "map"), ({"guide_bytes": -1}, "guide_bytes"), ({"compat": "x"}, "compat"),
    ],
)  # fmt: skip
def test_wrong_parameters_fail_when_the_environment_is_made(options: dict[str, Any], words: str) -> None:
    for make in (gym.make, gym.make_vec, ludarium.parallel_env, ludarium.aec_env):
        with pytest.raises(ConfigError, match=words):
            make("mapf-v0", **options)


def test_a_map_that_is_too_full_for_the_robots_is_named_with_the_seed() -> None:
    env: Any = gym.make("mapf-v0", size=5, density=0.9, num_robots=20)
    with pytest.raises(InstanceError, match=r"need places for 20 robots, can place \d+ \(seed 3\)"):
        env.reset(seed=3)


def test_illegal_moves_raise_on_request_with_the_reason() -> None:
    env: Any = gym.make("mapf-v0", num_robots=2, height=3, width=4, density=0.0, illegal="raise")
    for actions, reason in (([1, 0], "there is an obstacle"), ([0, 2], "there is an obstacle")):
        env.reset(seed=1, options={"instance": GIVEN})
        with pytest.raises(IllegalActionError, match=rf"robot_{actions.index(max(actions))} cannot move .*: {reason}"):
            env.step(np.array(actions))
        assert env.unwrapped.batch.t[0] == 0


@pytest.mark.parametrize("rows", [1, 7, 64, 1024])
def test_rows_equal_single_environments_at_every_batch_size(rows: int) -> None:
    options = config({"observation": "grid", "dtype": "uint8"}, "soft", "restart", size=5)
    vector: Any = gym.make_vec("mapf-lifelong-v0", num_envs=rows, record=True, **options)
    first, _ = vector.reset(seed=9)
    actions = np.random.default_rng(0).integers(0, 5, (4, rows, 3))
    history = [vector.step(given) for given in actions]
    for b in range(0, rows, max(1, rows // 9)):
        env: Any = gym.make("mapf-lifelong-v0", **options)
        np.testing.assert_array_equal(env.reset(seed=9 + b)[0], first[b])
        for given, told in zip(actions, history, strict=True):
            observation, reward, terminated, truncated, info = env.step(given[b])
            np.testing.assert_array_equal(observation, told[0][b])
            assert (reward, terminated, truncated) == (told[1][b], told[2][b], told[3][b])
            for key in ("rewards", "faults", "action_mask", "executed_action", "on_goal"):
                np.testing.assert_array_equal(info[key], told[4][key][b])
        assert env.unwrapped.digest() == vector.unwrapped.digest(b)


def test_invariants_notice_what_must_not_be() -> None:
    """Each sentence is false of a state that was spoilt for it, and of no other."""
    from ludarium.envs.core.batch import Batch
    from ludarium.envs.core.registry import make_simulator

    sides = "..#..\n" * 3
    spoil: dict[str, Any] = {
        "no two robots share a cell": lambda s: s.occ.__setitem__((0, s.pos[0, 0, 0] + 1, s.pos[0, 0, 1] + 1), 1),
        "the agents channel holds every robot": lambda s: s.busy.__setitem__(0, 0),
        "every goal is in reach of its robot": lambda s: s.goal[0, 0].__setitem__(1, 4 - s.goal[0, 0, 1]),
        "no more goals than steps": lambda s: s.reached.__setitem__((0, 0), 99),
    }
    for sentence, act in spoil.items():
        batch = Batch(make_simulator("mapf-lifelong-v0", map=sides, num_robots=3, radius=1), 1, "mapf-lifelong-v0")
        batch.seed(np.ones(1, np.bool_), [5])
        batch.reset(np.ones(1, np.bool_))
        held = batch.simulator.invariants(batch.state)
        assert all(values.all() for values in held.values())
        act(batch.state)
        broken = [name for name, values in batch.simulator.invariants(batch.state).items() if not values.all()]
        assert broken == [sentence]
