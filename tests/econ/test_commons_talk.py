"""Talk in the commons: the grammar, free text, menus and tools, and one digest for arrays and words."""

from __future__ import annotations

import json

import numpy as np
import pytest
from econ.commons_play import act, begun, metrics

from ludarium.envs.core.errors import ActionError
from ludarium.envs.core.language import commands, parse, parse_tool, text_of, tools
from ludarium.envs.core.replay import replay
from ludarium.envs.econ.commons.dynamics import HARVEST, TALK

QUIET = {"utterances": 0}


def speak(batch, text):
    """The speaker's turn, in words."""
    seat = int(batch.state.speaker[0])
    action = parse_tool(batch.simulator, batch.state, 0, seat, "say", {"message": text})
    batch.actions[0][0, seat] = action
    batch.step()
    return seat


def test_promises_limits_and_accusations():
    batch = begun(num_harvesters=3)
    act(batch, 10)
    assert batch.state.phase[0] == TALK
    assert batch.asked[0].sum() == 3
    first = speak(batch, "limit=12")
    second = speak(batch, "promise=9")
    third = speak(batch, f"accuse={first}")
    assert sorted((first, second, third)) == [0, 1, 2]
    state = batch.state
    assert state.limit[0, first] == 12
    assert state.pledge[0, second] == 9
    assert state.accused[0, third] == first
    assert metrics(batch)["threshold_error"] == abs(3 * 12 - 50)
    for _ in range(3):
        assert state.phase[0] == TALK
        speak(batch, "")
    assert state.phase[0] == HARVEST  # all were silent in a row
    act(batch, 10)
    found = metrics(batch)
    assert (found["pledges"], found["pledge_keeping"], found["utterances"], found["accusations"]) == (1, 0.0, 3, 1)


def test_talk_costs_brings_nothing_and_moves_no_stock():
    talking, silent = begun(talk_cost=50, rounds=5), begun(talk_cost=50, rounds=5)
    for batch in (talking, silent):
        while not batch.over[0]:
            if batch.state.phase[0] == HARVEST:
                act(batch, 10)
                assert batch.out.reward[0].tolist() == [10.0] * 5
            else:
                cost = 0.0
                if batch is talking:
                    speak(batch, "limit=3")
                    cost = -0.5
                else:
                    act(batch, 0)
                assert batch.out.reward[0].sum() == cost
    assert talking.state.path[0].tolist() == silent.state.path[0].tolist()
    assert talking.state.treasury[0] == 50 * metrics(talking)["utterances"] > 0
    poor = begun(talk_cost=50)
    act(poor, 0)
    act(poor, 1)
    assert poor.simulator.faults[poor.out.fault[0].max()] == "no_money"
    assert metrics(poor)["utterances"] == 0


def test_the_grammar_of_messages():
    batch = begun(num_harvesters=3)
    act(batch, 10)

    def say(text):
        seat = int(batch.state.speaker[0])
        return parse_tool(batch.simulator, batch.state, 0, seat, "say", {"message": text})

    found = [say(text) for text in ("limit=0", " Limit = 100.", "promise=0", "accuse=harvester_2")]
    assert found == [1, 101, 102, 205]
    assert say("") == 0
    for wrong in (
        "all of it",
        "limit=101",
        "limit=-1",
        "limit=ten",
        "accuse=3",
        "limit=1 promise=2",
        "limit=1.5",
        "x" * 600,
    ):
        with pytest.raises(ActionError, match="message"):
            say(wrong)
    for wrong in (None, 3, ["limit=1"]):
        with pytest.raises(ActionError, match="message"):
            say(wrong)


def test_free_text_is_played_replayed_and_told():
    batch = begun(num_harvesters=2, words=64)
    batch.actions[0][0, :, 0] = 10
    batch.step()
    said = "Let nobody take more: limit=20 – ça va? 鱼"
    seat = speak(batch, said)
    other = 1 - seat
    assert batch.state.limit[0, seat] == 20
    assert metrics(batch)["utterances"] == 1
    assert repr(said) in batch.simulator.describe(batch.state, 0, other)
    assert bytes(batch.simulator.extras(batch.state)["spoken"][0, seat].tolist()).rstrip(b"\0").decode() == said
    with pytest.raises(ActionError, match="at most 64"):
        speak(batch, "é" * 40)
    for bad in ("\ud800", "a\0b"):
        with pytest.raises(ActionError, match="message"):
            speak(batch, bad)
    batch.actions[0][0, other] = [0, *[255] * 64]  # no text at all: told as bytes, not an error
    batch.step()
    assert "\\xff" in batch.simulator.describe(batch.state, 0, seat)
    trace = batch.trace()
    assert replay(trace).digest == f"{batch.digest():016x}"
    assert bytes(trace.actions[0][1, seat, 1:].tolist()).rstrip(b"\0").decode() == said


def test_actions_are_told_in_words():
    batch = begun(num_harvesters=2, words=24, governor=True)
    told = lambda seat, action: text_of(batch.simulator, batch.state, 0, seat, np.array(action))  # noqa: E731
    assert told(2, [12, 0, 4, 6]) == "govern: quota 10, fine 3.00, audits 50 %"
    assert told(2, [1, 3, 0, 0]) == "govern: quota none, fee 0.20"
    assert told(2, [0, 0, 0, 0]) == "govern: as before"
    batch.step()
    assert told(0, [7, *[0] * 24]) == "harvest 7"
    batch.actions[0][0, :, 0] = 10
    batch.step()
    text = [*b"peace", *[0] * 19]
    assert told(0, [101 + 1 + 8, *text]) == "say 'peace' promise=8"
    assert told(0, [0, *text]) == "say 'peace'"
    assert told(0, [0] * 25) == "say nothing"
    assert told(0, [101 + 101 + 2, *[0] * 24]) == "say accuse=1"


@pytest.mark.parametrize("words", [0, 24])
def test_arrays_and_words_give_one_digest(words):
    options = {"words": words, "pledges": True, "voting": "ranked", "punishment": True, "governor": True, "rounds": 4}
    arrays, told = begun(3, **options), begun(3, **options)
    rng = np.random.default_rng(1)
    while not arrays.over[0]:
        for seat in np.flatnonzero(arrays.asked[0]):
            r = int(seat >= 5)
            space = arrays.simulator.roles[r].action_space
            choices = arrays.simulator.menu(arrays.state, 0, seat)
            if choices is not None and arrays.state.phase[0] != HARVEST:
                choice = choices[int(rng.integers(len(choices)))]
                written, action = choice.text, choice.action
                assert text_of(arrays.simulator, arrays.state, 0, seat, np.asarray(action)) == written
            elif arrays.state.phase[0] == HARVEST:
                action, written = ([9, *[0] * words] if words else 9), "harvest 9"
            elif r:
                action = [2 + 11, 0, 1 + 3, 1 + 5]
                written = '{"name": "govern", "arguments": {"quota": 11, "fee": null, "fine": 3, "audit": 0.5}}'
            else:
                action = [102 + 9, *b"promise=9!", *[0] * (words - 10)] if words else 102 + 9
                written = json.dumps({"name": "say", "arguments": {"message": "promise=9!"}})
            assert space.contains(np.asarray(action))
            arrays.actions[r][0, seat - 5 * r] = action
            told.actions[r][0, seat - 5 * r] = parse(told.simulator, told.state, 0, seat, written)
        arrays.step()
        told.step()
        assert arrays.digest() == told.digest()
    assert arrays.t[0] > 20
    assert metrics(arrays) == metrics(told)


def test_menus_are_the_masks():
    batch = begun(pledges=True, voting="approval", punishment=True, num_harvesters=3, cap=20, newcomer=3, talk_cost=10)
    rng = np.random.default_rng(0)
    while not batch.over[0]:
        for seat in np.flatnonzero(batch.asked[0]):
            listed = {choice.action for choice in batch.simulator.menu(batch.state, 0, seat)}
            assert listed == set(np.flatnonzero(batch.masks[0][0, seat]).tolist())
            assert len(set(commands(batch.simulator, batch.state, 0, seat))) == len(listed)
            batch.actions[0][0, seat] = 2 if batch.state.phase[0] == HARVEST else rng.choice(sorted(listed))
        batch.step()
        assert not batch.out.fault.any()


def test_examples_that_are_told_are_commands():
    for voting in ("plurality", "approval", "score", "ranked"):
        for cap in (3, 100):
            batch = begun(pledges=True, voting=voting, punishment=True, governor=True, cap=cap, threshold=1, rounds=2)
            seen = set()
            while not batch.over[0]:
                for seat in np.flatnonzero(batch.asked[0]):
                    told = batch.simulator.describe(batch.state, 0, seat)
                    form = told.partition("For example: ")[2] or told.partition("Written out: ")[2]
                    role = int(seat >= 5)
                    found = parse(batch.simulator, batch.state, 0, seat, form)
                    assert batch.simulator.roles[role].action_space.contains(np.asarray(found)), told
                    seen.add(form.split()[0])
                batch.actions[0][:] = 0
                batch.actions[1][:] = 0
                batch.step()
            assert len(seen) == 6 - (cap == 100 and 1)


def test_every_phase_has_its_tool():
    seen = set()
    batch = begun(pledges=True, voting="score", punishment=True, governor=True, rounds=3)
    while not batch.over[0]:
        for seat in np.flatnonzero(batch.asked[0]):
            (tool,) = tools(batch.simulator, batch.state, 0, seat)
            seen.add(tool["name"])
            with pytest.raises(ActionError, match="no tool"):
                parse_tool(batch.simulator, batch.state, 0, seat, "take_all", {})
            with pytest.raises(ActionError, match="takes"):
                parse_tool(batch.simulator, batch.state, 0, seat, tool["name"], {})
            assert tool["name"] in batch.simulator.describe(batch.state, 0, seat)
        batch.actions[0][:] = 3 if batch.state.phase[0] == HARVEST else 0
        batch.actions[1][:] = 0
        batch.step()
    assert seen == {"govern", "pledge", "harvest", "say", "vote", "punish"}


def test_the_page_of_a_game_shows_what_was_said():
    batch = begun(num_harvesters=2, words=16, rounds=2)
    batch.actions[0][0, :, 0] = 10
    batch.step()
    seat = speak(batch, "peace promise=9")
    movie = batch.trace().movie()
    assert len(list(movie.scenes)) == 3
    told = [(exchange.who, exchange.did) for exchange in movie.words]
    assert (f"harvester_{seat}", "say 'peace promise=9' promise=9") in told
    assert ("harvester_0", "harvest 10") in told


def test_digests_tell_words_apart():
    found = set()
    for text in ("a", "b", ""):
        batch = begun(words=4, num_harvesters=2)
        batch.actions[0][0, :, 0] = 10
        batch.step()
        speak(batch, text)
        found.add(batch.digest())
    assert len(found) == 3
