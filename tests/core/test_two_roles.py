"""Worlds of two roles that speak by turns: one dispatcher form, seats that belong to the task, tools of the world's own."""

from __future__ import annotations

import json

import gymnasium as gym
import numpy as np
import pytest

import ludarium  # noqa: F401  (registers the ids)
from ludarium.agents.crew import Crew, shared_out
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import ActionError
from ludarium.envs.core.language import parse_tool, tools
from ludarium.envs.core.registry import make_simulator

WORLD = "text-desk-v0"


def test_roles_with_equal_spaces_that_act_by_turns_share_one_form():
    env = gym.make(WORLD)
    seen, info = env.reset(seed=0)
    assert info["asked"].tolist() == [0, 1]
    assert "scenario" in json.loads(seen)
    seen, _, _, _, info = env.step("Hello")
    assert info["asked"].tolist() == [1, 0]
    assert "scenario" not in json.loads(seen)


def test_the_vector_form_dispatches_each_row_by_itself():
    env = gym.make_vec(WORLD, num_envs=2)
    env.reset(seed=0)
    seen, *_ = env.step(("Hello", '{"role": "user", "content": ""}'))
    assert ["scenario" in json.loads(text) for text in seen] == [False, True]


def test_a_role_of_the_task_is_filled_by_its_own_agent():
    simulator = make_simulator(WORLD)
    assert shared_out(simulator, "mine", simulator.seats) == [("mine", ("agent_0",)), ("desk-user", ("user_0",))]
    env = gym.make(WORLD, seat="agent_0")
    seen, _ = env.reset(seed=0)
    assert json.loads(seen)["messages"][0]["role"] == "user"
    silent = gym.make(WORLD, seat="agent_0", others="random")
    assert silent.reset(seed=0)[0] != seen


def test_tools_of_the_world_are_shown_and_called():
    batch = Batch(make_simulator(WORLD), 1, WORLD)
    one = np.ones(1, np.bool_)
    batch.seed(one, [0])
    batch.reset(one)
    shown = {tool["name"] for tool in tools(batch.simulator, batch.state, 0, 0)}
    assert {"say", "get_order"} <= shown
    action = parse_tool(batch.simulator, batch.state, 0, 0, "get_order", {"order_id": "OR10000"})
    assert json.loads(action) == {"name": "get_order", "arguments": {"order_id": "OR10000"}}
    with pytest.raises(ActionError, match="say takes one argument"):
        parse_tool(batch.simulator, batch.state, 0, 0, "say", {})
    crew = Crew(batch, [(make_agent("desk-user"), ("user_0",)), (make_agent("desk-idle"), ("agent_0",))])
    crew.start(0)
    crew.put(0, {"name": "get_order", "arguments": {"order_id": "OR10000"}})
    assert batch.actions[0][0][0] == action
