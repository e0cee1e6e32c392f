"""What is sent and what is taken keeps to agents/protocol.json, in every world and view."""

import base64
import itertools
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from gymnasium import spaces

from ludarium import agents
from ludarium.agents.contract import Decision, Turn
from ludarium.agents.crew import Crew, task_of
from ludarium.agents.external.messages import (
    VIEWS,
    Hello,
    StaleAnswerError,
    act_message,
    decisions,
    message,
    read_answer,
    read_hello,
    space_json,
    start_message,
    write_json,
)
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import AgentFailedError
from ludarium.envs.core.registry import make_simulator

SCHEMA = json.loads((Path(agents.__file__).parent / "protocol.json").read_text())
WORLDS = ("mapf-lifelong-v0", "text-household-v0", "text-desk-v0", "text-cooking-v0", "text-coin-v0")


def check(value, name):
    schema = {**SCHEMA, "oneOf": [{"$ref": f"#/$defs/{name}"}]}
    jsonschema.Draft202012Validator(schema).validate(value)


def begun(world):
    batch = Batch(make_simulator(world), 1, world)
    one = np.ones(1, np.bool_)
    batch.seed(one, [3])
    batch.reset(one)
    return batch


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(("world", "arrays"), list(itertools.product(WORLDS, ("lists", "base64"))))
def test_every_world_can_be_told_in_every_view(world, arrays):
    batch = begun(world)
    crew = Crew(batch, [])
    seats = batch.simulator.seats
    started = json.loads(write_json(start_message("e", task_of(batch), seats, 7), arrays))
    check(started, "start")
    assert list(started["task"]["action_spaces"]) == [role.name for role in batch.simulator.roles]
    for view in (view for view in VIEWS if view in batch.simulator.views):
        turns = {seat: crew.turn(view, s) for s, seat in enumerate(seats)}
        line = write_json(act_message("e", turns, Hello(view, arrays=arrays)), arrays)
        told = json.loads(line)
        check(told, "act")
        assert b"\n" not in line
        assert line.isascii()
        assert list(told["turns"]) == list(seats)
        assert ("state" in told) == (view == "state")
        assert all(("observation" in turn) == (view != "state") for turn in told["turns"].values())
        assert all(("commands" in turn) == (view in ("text", "tools")) for turn in told["turns"].values())
    check(json.loads(write_json(message("finish", "e", 9, result=batch.result()))), "finish")


def test_the_state_of_a_planner_is_told_by_name():
    batch = begun("mapf-lifelong-v0")
    turns = {"robot_0": Crew(batch, []).turn("state", 0)}
    told = json.loads(write_json(act_message("e", turns, Hello("state"))))
    assert {"grid", "pos", "goal", "active"} <= set(told["state"])
    assert told["state"]["pos"] == turns["robot_0"].observation.pos.tolist()


@pytest.mark.parametrize("kind", ["uint8", "int64", "float32", "float64", "bool", ">i4"])
def test_arrays_come_back_from_base64(kind):
    array = (np.arange(24).reshape(2, 3, 4) % 7).astype(kind)
    told = json.loads(write_json({"x": array, "y": array[:, ::2]}, "base64"))
    check(told["x"], "array")
    for name, original in (("x", array), ("y", array[:, ::2])):
        found = np.frombuffer(base64.b64decode(told[name]["base64"]), told[name]["dtype"]).reshape(told[name]["shape"])
        assert np.array_equal(found, original)
        assert found.dtype == original.dtype.newbyteorder("<")


def test_null_stands_for_what_is_no_number():
    value = {"a": np.array([1.0, np.nan, np.inf]), "b": -np.inf, "c": [np.float64("nan"), 2]}
    assert json.loads(write_json(value)) == {"a": [1.0, None, None], "b": None, "c": [None, 2]}
    check(space_json(spaces.Box(-np.inf, np.inf, (2,))) | {"low": None, "high": None}, "space")


@pytest.mark.parametrize(
    "space",
    [
        spaces.Discrete(5, start=2), spaces.MultiDiscrete([3, 4]), spaces.MultiBinary(3), spaces.Box(0, 1, (2, 3)),
        spaces.Box(np.array([0, 1]), np.array([5, 9]), dtype=np.int64), spaces.Text(9),
        spaces.Dict(a=spaces.Discrete(2), b=spaces.Tuple([spaces.Discrete(3)])), spaces.Sequence(spaces.Discrete(2)),
    ],
)  # fmt: skip
def test_spaces_are_told(space):
    told = json.loads(json.dumps(space_json(space)))
    check(told, "space")
    assert told["kind"] != "other" or isinstance(space, spaces.Sequence)


def answer(**changes):
    return json.dumps(
        {"type": "act", "version": 1, "episode": "e", "step": 4, "actions": {"a_0": 1}, **changes}
    ).encode()


def test_what_an_agent_may_answer_keeps_to_the_schema():
    for text in (answer(), answer(actions=[1]), answer(notes={"a_0": {"raw": "I go", "status": "repaired"}})):
        check(json.loads(text), "act_answer")
        read_answer(text, "act", "e", 4)
    check({"type": "error", "version": 1, "message": "?"}, "error")
    check({**message("hello"), "view": "tools"}, "hello_answer")
    for kind in ("hello", "start", "finish"):
        check(message(kind), f"{kind}_answer")


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "finish"},
        {"version": 2},
        {"version": None},
        {"version": True},
        {"version": "1"},
        {"type": None},
        {"type": {}},
    ],
)
def test_other_answers_are_nonsense(changes):
    with pytest.raises(AgentFailedError) as caught:
        read_answer(answer(**changes), "act", "e", 4)
    assert caught.value.kind == "nonsense"


@pytest.mark.parametrize(
    "changes", [{"step": 3}, {"step": 5}, {"step": 4.0}, {"step": "4"}, {"episode": "f"}, {"episode": None}]
)
def test_answers_for_another_turn_say_for_which(changes):
    with pytest.raises(StaleAnswerError) as caught:
        read_answer(answer(**changes), "act", "e", 4)
    assert caught.value.step == changes.get("step", 4)


@pytest.mark.parametrize(
    "changes",
    [
        {"actions": None}, {"actions": 3}, {"actions": "north"}, {"actions": [1, 2]}, {"notes": []}, {"notes": {"a_0": 3}},
        {"notes": {"a_0": {"status": "fine"}}}, {"notes": {"a_0": {"raw": 5}}}, {"notes": {"a_0": {"raw": "x" * 70000}}},
        {"notes": {"a_0": {"usage": {"tokens": 1.5}}}}, {"notes": {"a_0": {"usage": {str(n): 1 for n in range(17)}}}},
        {"notes": {"a_0": {"usage": {"tokens": True}}}}, {"notes": {"a_0": {"usage": {"tokens": 1 << 60}}}},
        {"notes": {"a_0": {"status": ["ok"]}}}, {"notes": {"a_0": {"why": "because"}}},
    ],
)  # fmt: skip
def test_actions_and_notes_have_their_form(changes):
    with pytest.raises(AgentFailedError) as caught:
        decisions(read_answer(answer(**changes), "act", "e", 4), ("a_0",))
    assert caught.value.kind == "nonsense"


def test_seats_without_an_action_are_left_out_and_others_seats_not_heard():
    assert decisions({"actions": {"a_1": 5, "b_0": 1}}, ("a_0", "a_1")) == {"a_1": 5}


def test_a_note_says_how_an_action_came_about():
    note = {"raw": "north!", "subgoal": "the key", "control": "go", "usage": {"calls": 2}, "status": "repaired"}
    found = decisions({"actions": {"a_0": 1}, "notes": {"a_0": note}}, ("a_0",))
    assert found == {"a_0": Decision(1, "north!", "repaired", "the key", "go", {"calls": 2})}


@pytest.mark.parametrize("said", [{"view": "picture"}, {"view": ["text"]}, {"arrays": "pickle"}, {"information": 5}])
def test_a_hello_names_what_there_is(said):
    with pytest.raises(AgentFailedError, match="expected one of"):
        read_hello(said)


def test_a_hello_may_be_short():
    assert read_hello({}) == Hello("text", "local", "lists")
    assert read_hello({"view": "state"}).information == "full"


def test_only_what_was_asked_is_told():
    turn = Turn(np.zeros(2), mask=np.ones(3, np.int8), reward=1.5, step=6)
    told = json.loads(write_json(act_message("e", {"a_0": turn}, Hello("array"))))
    assert told == {
        "type": "act", "version": 1, "episode": "e", "step": 6,
        "turns": {"a_0": {"observation": [0.0, 0.0], "mask": [1, 1, 1], "reward": 1.5, "terminated": False, "truncated": False}},
    }  # fmt: skip
