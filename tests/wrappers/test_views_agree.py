"""The same actions by array, by text and by tool are the same episode, in every world that claims these views."""

import json

import numpy as np
import pytest

import ludarium  # noqa: F401  (registers the ids)
from ludarium.agents.crew import Crew
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.buffers import is_numeric
from ludarium.envs.core.registry import WORLDS, available, make_simulator

STEPS = 25


def worlds():
    """The ids that can be made here without a file of the user's, and claim all three views."""
    for name, row in WORLDS.items():
        if "_template" in row.simulator or not row.simulator.startswith("ludarium.") or row.requires:
            continue
        if available(name) and {"array", "text", "tools"} <= set(make_simulator(name).views):
            yield name


def numeric(name):
    return all(is_numeric(role.action_space) for role in make_simulator(name).roles)


def begun(name, seed):
    batch = Batch(make_simulator(name), 1, name)
    one = np.ones(1, np.bool_)
    batch.seed(one, [seed])
    batch.reset(one)
    return batch


def choices(batch, seat, rng):
    """A random legal choice of a seat in its three forms: action, words, tool call."""
    menu = batch.simulator.menu(batch.state, 0, seat)
    if menu is None:  # too many choices to list: a JSON value is the action in words, by tool too
        role = batch.simulator.roles[int(np.searchsorted(batch.simulator.offsets, seat, side="right")) - 1]
        action = rng.integers(0, role.action_space.nvec)
        return action, json.dumps(action.tolist()), json.dumps(action.tolist())
    choice = menu[rng.integers(len(menu))]
    return choice.action, choice.text, {"name": choice.verb, "arguments": json.dumps(choice.arguments)}


@pytest.mark.parametrize("name", [name for name in worlds() if numeric(name)])
@pytest.mark.parametrize("seed", [0, 1])
def test_array_text_and_tool_give_one_digest(name, seed):
    batches = [begun(name, seed) for _ in range(3)]
    crews = [Crew(batch, []) for batch in batches]
    rng = np.random.default_rng(seed)
    for _ in range(STEPS):
        if batches[0].over[0]:
            break
        for seat in np.flatnonzero(batches[0].asked[0]):
            for crew, form in zip(crews, choices(batches[0], int(seat), rng), strict=True):
                crew.put(int(seat), form)
        for batch in batches:
            batch.step()
        assert len({batch.digest() for batch in batches}) == 1
    traces = [batch.trace() for batch in batches]
    assert traces[0].digests == traces[1].digests == traces[2].digests
    for by_text, by_tool, own in zip(traces[1].actions, traces[2].actions, traces[0].actions, strict=True):
        np.testing.assert_array_equal(by_text, own)
        np.testing.assert_array_equal(by_tool, own)


@pytest.mark.parametrize("agent", ["desk-oracle", "desk-never-asking", "desk-blind"])
@pytest.mark.parametrize("seed", range(3))
def test_at_the_desk_words_messages_and_calls_give_one_digest(agent, seed):
    batches = [begun("text-desk-v0", seed) for _ in range(3)]
    crews = [Crew(batch, []) for batch in batches]
    for player, seats in ((make_agent(agent), ("agent_0",)), (make_agent("desk-user"), ("user_0",))):
        crews[0].agents += Crew(batches[0], [(player, seats)]).agents
    crews[0].start(seed)
    while not batches[0].over[0]:
        crews[0].act()
        (seat,) = np.flatnonzero(batches[0].asked[0])
        said = batches[0].actions[seat][0][0]
        call = call_of(said)
        batches[0].actions[seat][0][0] = json.dumps(call) if call else said  # a call by its name, as tools call it
        crews[1].put(int(seat), json.dumps(call) if call else json.dumps({"role": "assistant", "content": said}))
        crews[2].put(int(seat), call or {"name": "say", "arguments": {"message": said}})
        for batch in batches:
            batch.step()
        assert len({batch.digest() for batch in batches}) == 1
    assert batches[0].result()["metrics"]["turns"] > 2


def call_of(said):
    try:
        (call,) = json.loads(said)["tool_calls"]
    except (ValueError, KeyError, TypeError):
        return None
    return {"name": call["function"]["name"], "arguments": json.loads(call["function"]["arguments"])}


def test_every_family_is_there():
    found = set(worlds())
    assert {
        "mapf-v0",
        "mapf-lifelong-v0",
        "text-household-v0",
        "text-coin-v0",
        "text-cooking-v0",
        "text-desk-v0",
    } <= found
