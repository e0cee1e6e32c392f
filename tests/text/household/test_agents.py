"""The oracle, the expert that only reads, and random play."""

from __future__ import annotations

import numpy as np
import pytest
from text.household.houses import ID, episodes

from ludarium.agents.contract import Task, Turn
from ludarium.agents.registry import make_agent
from ludarium.agents.text.household.expert import Mind
from ludarium.agents.text.household.memory import Memory
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.text.household.game import HouseholdText
from ludarium.envs.text.household.plans import Planner, beginning, commands

WISHES = [
    {},
    {"split": "unseen", "dialect": "0.3", "goal_text": "other"},
    {"split": "seen", "preheld": True},
    {"n_receptacles": 30, "n_objects": 40, "hidden_depth": 1.0, "same_class_decoys": 0},
    {"sliced": True},
    {"two_step": True},
    {"count": 3, "n_objects": 30},
    {"conjuncts": 2},
]


def name_of(wishes):
    return "-".join(f"{key}={value}" for key, value in wishes.items()) or "default"


@pytest.mark.parametrize("wishes", WISHES, ids=name_of)
def test_the_oracle_wins_each_game_in_as_many_steps_as_its_plan_has(wishes):
    for row in episodes("household-oracle", range(12), **wishes):
        assert row["success"] == 1
        assert row["steps"] == row["plan"] > 0


@pytest.mark.parametrize("wishes", WISHES, ids=name_of)
def test_the_expert_wins_nine_of_ten_games_within_fifty_steps(wishes):
    rows = episodes("household-expert", range(40), **wishes)
    assert np.mean([row["success"] for row in rows]) >= 0.9
    assert all(row["steps"] >= row["plan"] for row in rows)
    assert np.mean([row["invalid_rate"] for row in rows]) == 0


def test_random_play_hardly_ever_wins():
    rows = episodes("random", range(100))
    assert np.mean([row["success"] for row in rows]) <= 0.03


@pytest.mark.parametrize("agent", ["household-oracle", "household-expert"])
def test_agents_fill_all_seats_of_a_house_of_three(agent):
    assert all(row["success"] == 1 for row in episodes(agent, range(6), n_agents=3))


def test_the_expert_is_told_nothing_but_text_and_commands():
    agent = make_agent("household-expert")
    assert agent.view == "text"
    simulator = make_simulator(ID)
    batch, one = Batch(simulator, 1, ID), np.ones(1, np.bool_)
    batch.seed(one, [3])
    batch.reset(one)
    agent.start(Task(ID, {}, "", {}, {}, simulator.seats, 50), simulator.seats, 0)
    text = simulator.describe(batch.state, 0, 0)
    commands = tuple(choice.text for choice in simulator.menu(batch.state, 0, 0))
    answer = agent.act({"robot_0": Turn(text, commands=commands)})["robot_0"]
    assert answer.action in commands
    assert answer.subgoal


def test_the_expert_goes_on_when_it_understands_nothing():
    mind = Mind()
    assert mind.turn(Turn("???", commands=("look", "inventory"))).action == "look"
    assert mind.turn(Turn("", commands=("go to shelf 1", "look"))).action in ("go to shelf 1", "look")


def test_memory_reads_what_is_told():
    memory = Memory()
    intro = (
        "-= Welcome to TextWorld, ALFRED! =-\n\nYou are in the middle of a room. Looking quickly around you, you see a "
        "cabinet 1, and a countertop 1.\n\nYour task is to: put a clean mug in cabinet."
    )
    memory.hear("", intro, ("go to cabinet 1", "go to countertop 1"))
    assert memory.receptacles == ["cabinet 1", "countertop 1"]
    assert memory.task == "put a clean mug in cabinet"
    memory.hear("go to cabinet 1", "You arrive at cabinet 1. The cabinet 1 is closed.", ("open cabinet 1",))
    assert (memory.at, memory.closed, memory.unseen()) == ("cabinet 1", {"cabinet 1"}, ["cabinet 1", "countertop 1"])
    seen = "You open the cabinet 1. The cabinet 1 is open. In it, you see a mug 2, and a bowl 1."
    commands = ("take mug 2 from cabinet 1", "take bowl 1 from cabinet 1", "examine cabinet 1")
    memory.hear("open cabinet 1", seen, commands)
    assert memory.where("mug") == [("mug 2", "cabinet 1")]
    memory.hear("take mug 2 from cabinet 1", "You pick up the mug 2 from the cabinet 1.", ("examine mug 2",))
    assert memory.holding == "mug 2"
    assert memory.inside["cabinet 1"] == {"bowl 1"}


def test_plan_left_falls_by_one_with_each_step_of_the_oracle():
    simulator = make_simulator(ID, task="heat")
    batch, one = Batch(simulator, 1, ID), np.ones(1, np.bool_)
    batch.seed(one, [1])
    batch.reset(one)
    oracle = make_agent("household-oracle")
    oracle.start(Task(ID, {}, "", {}, {}, simulator.seats, 50), simulator.seats, 0)
    left = [simulator.plan_left(batch.state, 0)]
    while not batch.over[0]:
        said = oracle.act({"robot_0": Turn(simulator.full(batch.state, 0))})["robot_0"]
        batch.actions[0][0, 0] = next(c.action for c in simulator.menu(batch.state, 0, 0) if c.text == said)
        batch.step()
        left.append(simulator.plan_left(batch.state, 0))
    assert left == list(range(left[0], -1, -1))


def test_the_text_game_tells_the_difficulty_at_the_start_and_the_plan_left_when_asked():
    env = HouseholdText(task="cool")
    observation, info = env.reset(seed=4)
    assert info["difficulty"]["plan"] == env.plan_left() > 0
    assert info["difficulty"]["total"] == info["difficulty"]["plan"] + info["difficulty"]["search"]
    assert info["difficulty"]["level"] in ("easy", "medium", "hard", "expert")
    assert set(observation) == {"text", "task", "admissible", "step"}
    house = env.simulator.house(env.batch.state, 0)
    for said in commands(house, Planner(house).plan(beginning(house))):
        left = env.plan_left()
        *_, info = env.step(said)
        assert env.plan_left() == left - 1
        assert "difficulty" not in info
    assert info["won"]
