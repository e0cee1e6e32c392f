"""The language view: any text gives an action or an `ActionError`; words, tools and arrays play the same episode."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from core.play import CASES, batch_of
from hypothesis import given, settings
from hypothesis import strategies as st

from ludarium.agents.contract import Agent, Decision
from ludarium.agents.crew import Crew
from ludarium.envs.core.errors import ActionError
from ludarium.envs.core.language import AnyText, commands, parse, parse_tool, text_of, tools
from ludarium.envs.core.trace import encode

MENUS = ["nim", "array", "mapf-lifelong", "mapf-vanish"]
BATCHES = {name: batch_of(name, 1, 3) for name in CASES}
TEXT = st.text() | st.text(alphabet='{}[]":,0123456789 .-eEtruefalsn') | st.sampled_from(
    ["NaN", "Infinity", "-0", "1e999", "[" * 5000, '{"name": 3}', '{"name": "move"}',
     '{"name": "act", "arguments": "{"}',
     '{"name": "act", "arguments": {"action": [0,0,0,0,0]}}', "9" * 5000, "\ud800", "true", "null", "\x00", "1.0"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(CASES)), TEXT)
@settings(max_examples=600, deadline=None)
def test_any_text_is_an_action_of_the_space_or_an_action_error(name: str, text: str) -> None:
    batch = BATCHES[name]
    for seat in range(len(batch.simulator.seats)):
        try:
            action = parse(batch.simulator, batch.state, 0, seat, text)
        except ActionError:
            continue
        check_inside(batch, seat, action)


@given(st.sampled_from(sorted(CASES)), JSON, JSON)
@settings(max_examples=600, deadline=None)
def test_any_tool_call_is_an_action_of_the_space_or_an_action_error(name: str, verb: Any, arguments: Any) -> None:
    batch = BATCHES[name]
    names = [verb, "act", *(tool["name"] for tool in tools(batch.simulator, batch.state, 0, 0))]
    for called in names:
        for given_ in (arguments, {"action": arguments}, json.dumps(arguments)):
            try:
                action = parse_tool(batch.simulator, batch.state, 0, 0, called, given_)
            except ActionError:
                continue
            check_inside(batch, 0, action)


def check_inside(batch: Any, seat: int, action: Any) -> None:
    simulator = batch.simulator
    r = int(np.searchsorted(simulator.offsets, seat, side="right")) - 1
    space = simulator.roles[r].action_space
    assert space.contains(action) or space.contains(np.asarray(action, space.dtype))


@pytest.mark.parametrize("name", MENUS)
def test_every_command_means_its_action_whatever_its_case(name: str) -> None:
    batch = BATCHES[name]
    for seat in range(len(batch.simulator.seats)):
        for choice in batch.simulator.menu(batch.state, 0, seat):
            for text in (choice.text, choice.text.upper(), f"  `{choice.text}`\n", choice.text.replace(" ", "   "),
                         json.dumps({"name": choice.verb, "arguments": choice.arguments})):  # fmt: skip
                assert parse(batch.simulator, batch.state, 0, seat, text) == choice.action
            assert parse_tool(batch.simulator, batch.state, 0, seat, choice.verb, choice.arguments) == choice.action
            assert text_of(batch.simulator, batch.state, 0, seat, choice.action) == choice.text


@pytest.mark.parametrize("name", MENUS)
def test_menus_and_masks_agree(name: str) -> None:
    batch = batch_of(name, 1, 5)
    for _ in range(10):
        for r, role in enumerate(batch.simulator.roles):
            for i in range(role.count):
                menu = batch.simulator.menu(batch.state, 0, batch.simulator.offsets[r] + i)
                legal = np.flatnonzero(batch.masks[r][0, i]) + int(role.action_space.start)
                assert sorted(choice.action for choice in menu) == legal.tolist()
        agent = Greedy("array")
        agent.first = int(batch.simulator.roles[0].action_space.start)
        Crew(batch, [(agent, batch.simulator.seats)]).act()
        batch.step()
        if batch.over[0]:
            break


@pytest.mark.parametrize("name", MENUS)
def test_tools_are_json_schemas_that_list_what_is_legal(name: str) -> None:
    batch = BATCHES[name]
    for seat in range(len(batch.simulator.seats)):
        made = tools(batch.simulator, batch.state, 0, seat)
        json.dumps(made)
        by_name = {tool["name"]: tool["parameters"] for tool in made}
        for choice in batch.simulator.menu(batch.state, 0, seat):
            schema = by_name[choice.verb]
            assert schema["required"] == list(choice.arguments)
            for key, value in choice.arguments.items():
                assert value in schema["properties"][key]["enum"]


def test_a_near_miss_is_named() -> None:
    batch = BATCHES["mapf-lifelong"]
    legal = commands(batch.simulator, batch.state, 0, 0)
    assert legal is not None
    with pytest.raises(ActionError, match=f"did you mean '{legal[-1]}'"):
        parse(batch.simulator, batch.state, 0, 0, legal[-1] + "n")
    with pytest.raises(ActionError, match="no tool 'mvoe' now; did you mean 'move'"):
        parse_tool(batch.simulator, batch.state, 0, 0, "mvoe", {})
    with pytest.raises(ActionError, match="it takes"):
        parse_tool(batch.simulator, batch.state, 0, 0, "move", {"direction": "sideways"})


class Greedy(Agent):
    """Takes the legal choice that a hash of step and seat points at, in the form that it was told to use."""

    def __init__(self, view: str) -> None:
        self.view = view

    def act(self, turns: dict[str, Any]) -> dict[str, Any]:
        return {seat: self.choose(turn, int(seat.rsplit("_", 1)[1])) for seat, turn in turns.items()}

    def choose(self, turn: Any, number: int) -> Any:
        step = turn.step * 7 + number * 3
        if self.view == "array":
            legal = np.flatnonzero(turn.mask)
            return int(legal[step % len(legal)]) + self.first
        if self.view == "text":
            return turn.commands[step % len(turn.commands)]
        calls = [
            {"name": tool["name"], "arguments": dict(zip(tool["parameters"]["properties"], values, strict=True))}
            for tool in turn.tools
            for values in (zip(*(p["enum"] for p in tool["parameters"]["properties"].values()), strict=True)
                           if tool["parameters"]["properties"] else [()])
        ]  # fmt: skip
        return calls[step % len(calls)]

    first = 0


@pytest.mark.parametrize("name", MENUS)
def test_array_text_and_tool_play_give_one_digest(name: str) -> None:
    digests = set()
    for view in ("array", "text", "tools"):
        batch = batch_of(name, 1, 4)
        agent = Greedy(view)
        agent.first = int(getattr(batch.simulator.roles[0].action_space, "start", 0))
        crew = Crew(batch, [(agent, batch.simulator.seats)])
        crew.start(0)
        while not batch.over[0] and batch.t[0] < 30:
            crew.act()
            batch.step()
        digests.add((int(batch.t[0]), batch.digest(), encode(batch.trace())))
    assert len(digests) == 1


def test_raw_words_stand_beside_the_action_in_the_trace() -> None:
    class Talker(Greedy):
        def choose(self, turn: Any, number: int) -> Any:
            return Decision(turn.commands[0], raw="I think 🙂 I wait", subgoal="rest")

    batch = batch_of("mapf-lifelong", 1, 4)
    crew = Crew(batch, [(Talker("text"), batch.simulator.seats)])
    crew.act()
    batch.step()
    events = batch.trace().events
    assert [event["seat"] for event in events] == list(batch.simulator.seats)
    assert events[0]["raw"] == "I think 🙂 I wait"
    assert batch.trace().replay().ok


def test_text_spaces_take_any_string() -> None:
    space = AnyText(10)
    for text in ("", "é😀", "a\nb\t", "\ud800", "x" * 10):
        assert space.contains(text)
    for other in ("x" * 11, b"x", 3, None, ["x"]):
        assert not space.contains(other)
    space.seed(0)
    assert all(space.contains(space.sample()) for _ in range(50))
    assert space == AnyText(10) != AnyText(11)
    assert len({space, AnyText(10)}) == 1
