"""What is known beforehand: five levels over every world, from seeds alone, and never the episode that is to be played."""

import gymnasium as gym
import numpy as np
import pytest

import ludarium  # noqa: F401  (registers the ids)
from ludarium.agents.llm.tokens import count_tokens
from ludarium.agents.registry import make_agent
from ludarium.envs.core.errors import ConfigError, NotClaimedError
from ludarium.envs.core.registry import make_simulator
from ludarium.wrappers import levels
from ludarium.wrappers.levels import (
    EXPERTS,
    LEVELS,
    Line,
    PriorKnowledge,
    Trial,
    examples,
    guidance,
    play_trial,
    practice_seed,
    practised,
    prior_knowledge,
)

SMALL = {"mapf-v0": {"num_robots": 4}, "mapf-lifelong-v0": {"num_robots": 4}}
OWN = Trial("Your own earlier trial 1", (Line("You are here.", "wait", 0.0),), {"success": 0.0})


@pytest.mark.parametrize("name", sorted(EXPERTS))
def test_each_level_adds_to_the_one_before(name):
    simulator = make_simulator(name, **SMALL.get(name, {}))
    seat = simulator.seats[0]
    told = [
        prior_knowledge(name, simulator.config.as_dict(), level, seat, own=[OWN], tokens=600)
        for level in sorted(LEVELS)
    ]
    headings = ["How a random player fares", "Your own earlier trials", "How an expert plays", "Guidance"]
    for level, text in enumerate(told):
        assert [heading in text for heading in headings] == [n < level for n in range(4)]
    assert told[0] == ""
    assert guidance(name) in told[4]
    assert told == [
        prior_knowledge(name, simulator.config.as_dict(), level, seat, own=[OWN], tokens=600)
        for level in sorted(LEVELS)
    ]


def test_the_expert_s_example_is_a_success():
    trial = examples("text-household-v0", {}, EXPERTS["text-household-v0"], "robot_0")[0]
    assert trial.metrics["success"] == 1
    assert trial.lines[0].told.startswith("-= Welcome")


def test_examples_are_played_once_a_process(monkeypatch):
    config = {"task": "any", "n_receptacles": 12}
    first = examples("text-household-v0", config, "random", "robot_0", count=2)
    monkeypatch.setattr(levels, "play_trial", lambda *a: pytest.fail("played again"))
    assert examples("text-household-v0", config, "random", "robot_0", count=2) == first
    assert len({trial.opening for trial in first}) == 2


def test_no_example_is_the_episode_to_be_played():
    first, second = examples("text-household-v0", {}, "random", "robot_0", count=2)
    assert examples("text-household-v0", {}, "random", "robot_0", besides=first.opening) == (second,)
    pool = {"pool": 1}
    (only,) = examples("text-household-v0", pool, "random", "robot_0")
    assert examples("text-household-v0", pool, "random", "robot_0", besides=only.opening) == ()
    text = prior_knowledge("text-household-v0", pool, 4, "robot_0", opening=only.opening)
    assert only.opening not in text


def test_practice_uses_the_training_split_and_seeds_of_its_own():
    unseen = {"split": "unseen"}
    (trial,) = examples("text-household-v0", unseen, "random", "robot_0")
    (same,) = examples("text-household-v0", {"split": "train"}, "random", "robot_0")
    assert trial.opening == same.opening
    seeds = {practice_seed("text-coin-v0", n) for n in range(100)} | {
        practice_seed("text-coin-v0/own", n) for n in range(100)
    }
    assert len(seeds) == 200
    assert min(seeds) > 10**6


def test_a_trial_is_told_as_it_was_played():
    trial = play_trial("text-coin-v0", {}, make_agent("coin-oracle"), "player_0", 5, "T")
    assert trial.metrics["success"] == 1
    text = trial.text(10_000)
    assert text.startswith("T:\nTold: ")
    assert text.count("Done: ") == len(trial.lines)
    assert "Done: take coin\n(reward 1)" in text
    assert "success 1" in text.splitlines()[-1]


@pytest.mark.parametrize("tokens", [0, 20, 60, 200, 1000])
def test_trials_fit_their_tokens(tokens):
    trial = practised("text-cooking-v0", {}, make_agent("random"), "cook_0", 0)
    text = trial.text(tokens)
    assert count_tokens(text) <= tokens
    assert ("turns left out" in text) == (20 < tokens < 1000)


def test_many_seats_are_told_from_one():
    trial = play_trial("mapf-v0", {"num_robots": 5}, make_agent("lacam"), "robot_3", 2, "T")
    assert all("You are robot 3" in line.told for line in trial.lines)
    assert {line.done for line in trial.lines} <= {"wait", "move up", "move down", "move left", "move right"}


def test_worlds_without_an_expert_say_so(monkeypatch):
    monkeypatch.delitem(levels.EXPERTS, "text-coin-v0")
    assert prior_knowledge("text-coin-v0", {}, 3, "player_0")
    with pytest.raises(NotClaimedError, match="levels 1 to 3"):
        prior_knowledge("text-coin-v0", {}, 4, "player_0")
    with pytest.raises(ConfigError, match="1 to 5"):
        prior_knowledge("text-coin-v0", {}, 6, "player_0")
    with pytest.raises(NotClaimedError, match="guidance"):
        guidance("no-such-world")


# --- the wrapper -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("text-coin-v0", {}),
        ("text-household-v0", {}),
        ("mapf-v0", {"num_robots": 3}),
        ("text-desk-v0", {"seat": "agent_0"}),
    ],
)
def test_the_wrapper_tells_and_remembers(name, options):
    env = PriorKnowledge(gym.make(name, **options), 3)
    _, info = env.reset(seed=1)
    assert "How a random player fares" in info["prior_knowledge"]
    assert "Your own earlier trial" not in info["prior_knowledge"]
    env.action_space.seed(1)
    done = False
    for _ in range(6):
        if not done:
            _, _, terminated, truncated, _ = env.step(env.action_space.sample())
            done = terminated or truncated
    _, info = env.reset()
    assert "Your own earlier trial 1" in info["prior_knowledge"]
    assert env.trials[0].lines[0].told in info["prior_knowledge"]


def test_the_wrapper_changes_no_episode():
    plain, wrapped = gym.make("text-coin-v0"), PriorKnowledge(gym.make("text-coin-v0"), 5)
    for env in (plain, wrapped):
        env.reset(seed=4)
        for _ in range(10):
            mask = env.unwrapped.action_masks()
            env.step(int(np.flatnonzero(mask)[0]))
    assert plain.unwrapped.digest() == wrapped.unwrapped.digest()
    assert wrapped.level == 5
    with pytest.raises(ConfigError):
        PriorKnowledge(plain, 0)
