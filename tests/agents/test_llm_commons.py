"""Language models in the commons: a model that calls tools and speaks in prose, and one that writes commands."""

from __future__ import annotations

import pytest
from llm_plays import play

from ludarium.agents.llm.agent import LLMAgent
from ludarium.agents.llm.client import Completion
from ludarium.agents.llm.gateway import Gateway
from ludarium.agents.llm.scripted import Scripted
from ludarium.envs.core.replay import replay

PROSE = "I think we should be careful. Let us agree on limit=16, all of us."


def by_tools(request):
    """Harvests its part by a call, and answers in prose when it may speak."""
    (tool,) = [tool["function"]["name"] for tool in request.tools]
    if tool == "say":
        return Completion(PROSE)
    call = {"id": "1", "name": tool, "arguments": '{"amount": 16}'}
    return Completion("", (call,), "tool_calls")


def in_commands(request):
    """Writes a command, or a call where it may speak."""
    asked = str(request.messages[-1]["content"])
    if "For example: say" in asked:
        return Completion("say promise=8")
    if "Turn " in asked:
        return Completion('{"name": "say", "arguments": {"message": "promise=8"}}')
    return Completion("harvest 8")


def test_a_model_harvests_and_talks():
    agent = LLMAgent("fake", "tools", gateway=Gateway(Scripted(by_tools)))
    trace, crew = play("econ-commons-v0", agent, 0, num_harvesters=3, rounds=3, words=128, utterances=3)
    found = trace.result["metrics"]
    assert (found["total_gain"], found["utterances"], found["faults"]) == (144, 6, 0)
    assert not any(crew.lost.values())
    assert replay(trace).ok
    said = [bytes(row[1:].tolist()).rstrip(b"\0").decode() for step in trace.actions[0] for row in step if row[1]]
    assert said == [PROSE] * 6
    assert found["threshold_error"] == 2.0


def test_prose_outside_the_grammar_is_lost_where_there_is_no_free_text():
    agent = LLMAgent("fake", "tools", gateway=Gateway(Scripted(by_tools)))
    trace, crew = play("econ-commons-v0", agent, 0, num_harvesters=3, rounds=2, utterances=3)
    assert crew.lost["nonsense"] == 3
    assert trace.result["metrics"]["utterances"] == 0


@pytest.mark.parametrize("cap", [40, 100])
def test_a_model_writes_commands(cap):
    """With a small cap what can be said is listed; else the turn tells how to write it out."""

    def answer(request):
        return Completion(f"<action>{in_commands(request).text}</action>")

    agent = LLMAgent("fake", "direct", gateway=Gateway(Scripted(answer)))
    trace, crew = play("econ-commons-v0", agent, 0, num_harvesters=3, rounds=3, utterances=3, cap=cap, growth_rate=4.0)
    found = trace.result["metrics"]
    assert not any(crew.lost.values())
    assert (found["pledges"], found["faults"]) == (6, 0)
    assert found["pledge_keeping"] == 1.0
