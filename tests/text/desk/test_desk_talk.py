"""Conversations: the oracle solves every task, agents without policy or questions do not, the user is true to its scenario."""

from __future__ import annotations

import json
import re

import gymnasium as gym
import numpy as np
import pytest
from text.desk.table_of_agents import DOMAINS, WORLD, begun, metrics, say, talk

import ludarium  # noqa: F401  (registers the ids)
from ludarium.agents.contract import Agent
from ludarium.agents.registry import make_agent
from ludarium.agents.text.desk.user import MOST_MESSAGES, DeskUser
from ludarium.envs.core.errors import AgentError, LudariumError
from ludarium.envs.core.trace import decode, encode
from ludarium.envs.text.desk.actions import count_tokens
from ludarium.envs.text.desk.dynamics import USER
from ludarium.leaderboards.stats import pass_at_k, pass_hat_k

ID = re.compile(r"\b[A-Z]{2}\d{5}\b")


def rate(agent, name, seeds, **options):
    return float(np.mean([metrics(talk(agent, seed, domain=name, **options))["success"] for seed in seeds]))


@pytest.mark.parametrize("name", DOMAINS)
def test_the_oracle_solves_every_task_and_keeps_every_rule(name):
    for seed in range(60):
        found = metrics(talk("desk-oracle", seed, domain=name))
        assert found["success"] == found["progress"] == 1, (seed, found)
        assert found["violations"] == found["user_errors"] == found["faults"] == 0, (seed, found)


@pytest.mark.slow
@pytest.mark.parametrize("split", ["train", "val", "test"])
@pytest.mark.parametrize("name", DOMAINS)
def test_the_oracle_solves_three_hundred_tasks_a_split(name, split):
    assert rate("desk-oracle", name, range(300), split=split) == 1


@pytest.mark.parametrize("name", DOMAINS)
def test_without_policy_or_questions_or_deeds_tasks_are_not_solved(name):
    assert rate("desk-blind", name, range(60)) <= 0.4
    assert rate("desk-never-asking", name, range(40)) <= 0.3
    assert rate("desk-idle", name, range(40)) == 0


@pytest.mark.parametrize("persona", ["terse", "chatty", "impatient", "mistaken", "adversarial"])
def test_the_oracle_serves_every_persona(persona):
    for name in DOMAINS:
        assert rate("desk-oracle", name, range(8), persona=persona) == 1


@pytest.mark.parametrize("name", DOMAINS)
def test_conversations_replay_to_equal_hashes_without_agents(name):
    batch = talk("desk-oracle", 5, domain=name)
    assert decode(encode(batch.trace())).replay().ok
    again = begun(5, domain=name)
    for agent, user in zip(*batch.trace().actions, strict=True):
        say(again, agent[0] if agent[0] is not None else user[0])
    for a, b in ((batch, again),):
        assert a.state.games[0].desk.db.hash() == b.state.games[0].desk.db.hash()
        assert a.digest() == b.digest()


@pytest.mark.parametrize("name", DOMAINS)
def test_users_say_only_what_their_scenario_holds(name):
    for seed in range(40):
        batch = talk("desk-oracle", seed, domain=name)
        game = batch.state.games[0]
        scenario = json.loads(batch.simulator.see(game, USER))["scenario"]
        words = json.dumps(scenario)
        for entry in game.log:
            if entry.seat == USER and entry.kind == "text":
                assert set(ID.findall(entry.text)) <= set(ID.findall(words))
                assert not re.search(r"[{}]|\bNone\b", entry.text), entry.text
                for name_ in scenario["unknown"]:
                    assert game.task["facts"].get(name_) is None


def test_details_are_told_when_asked_and_not_before():
    batch = begun(0)
    user = DeskUser()
    from ludarium.agents.crew import task_of

    user.start(task_of(batch), ("user_0",), 0)
    seen = json.loads(batch.simulator.see(batch.state.games[0], USER))
    first = user.answer(seen)
    facts = seen["scenario"]["facts"]
    assert not any(value in first for value in facts.values())
    seen["messages"] = [{"role": "assistant", "content": first}, {"role": "user", "content": "What is your full name?"}]
    assert facts["name"] in user.answer(seen)
    assert facts["zip"] not in user.answer(seen)


class Rambler(Agent):
    """Says things that mean nothing, or everything at once."""

    view = "text"

    def start(self, task, seats, seed):
        self.number = seed

    def act(self, turns):
        self.number += 1
        lines = ("La la la.", "Your name? Your zip code? Your order number, please?", "Shall I cancel OR99999? (yes/no)",
                 "I cannot do that.", "One moment.", "This is done.", "Please turn airplane mode on.", "???")  # fmt: skip
        return dict.fromkeys(turns, lines[self.number * 7 % len(lines)])


@pytest.mark.parametrize("name", DOMAINS)
def test_users_end_every_conversation_by_themselves(name):
    for seed in range(24):
        batch = talk("text.desk.test_desk_talk:Rambler", seed, domain=name, max_steps=400)
        assert batch.state.games[0].ended in ("stop", "out_of_scope"), seed
        assert metrics(batch)["user_errors"] == 0
        assert sum(e.seat == USER and e.kind == "text" for e in batch.state.games[0].log) <= MOST_MESSAGES + 2
        assert not batch.out.reward.any()


def test_a_user_says_no_to_what_it_did_not_ask_for():
    for seed in range(30):
        batch = begun(seed, domain="retail", persona="terse", max_wishes=1)
        user = DeskUser()
        from ludarium.agents.crew import task_of

        user.start(task_of(batch), ("user_0",), seed)
        seen = json.loads(batch.simulator.see(batch.state.games[0], USER))
        if "order" not in seen["scenario"]["wishes"][0]["slots"]:
            continue
        said = {"role": "user", "content": "I would cancel order OR55555. Shall I go ahead? (yes/no)"}
        seen["messages"] = [{"role": "assistant", "content": "Hi"}, said]
        assert user.answer(seen).startswith("No, OR55555")


def test_what_is_not_understood_is_said_to_be():
    env = gym.make(WORLD, seat="agent_0")
    env.reset(seed=0)
    seen, *_ = env.step("Colourless green ideas sleep furiously.")
    assert "did not understand" in json.loads(seen)["messages"][-1]["content"]


def test_the_default_user_is_the_scripted_one_and_goes_on_from_a_snapshot():
    env = gym.make(WORLD, seat="agent_0", domain="telecom")
    env.reset(seed=3)
    env.step("Could you please tell me your email address?")
    kept = env.unwrapped.snapshot()
    first = env.step("Could you please tell me your full name and your zip code?")[0]
    env.unwrapped.restore(kept)
    assert env.step("Could you please tell me your full name and your zip code?")[0] == first
    named = gym.make(WORLD, seat="agent_0", domain="telecom", others="desk-user")
    assert named.reset(seed=3)[0] == env.reset(seed=3)[0]


def test_ways_to_say_a_thing_follow_from_the_agents_seed_and_the_task_does_not():
    first = [talk("desk-idle", 4, own=own).state.games[0] for own in range(6)]
    assert len({game.log[0].text for game in first}) > 1
    assert len({json.dumps(game.task) for game in first}) == 1


def test_dual_control_needs_the_users_hands():
    seeds = [
        s
        for s in range(80)
        if any(w["kind"] == "no_data" for w in begun(s, domain="telecom").state.games[0].task["wishes"])
    ]
    assert len(seeds) >= 3
    for seed in seeds:
        batch = talk("desk-oracle", seed, domain="telecom")
        game = batch.state.games[0]
        calls = [e for e in game.log if e.kind == "call" and e.seat == USER]
        assert metrics(batch)["user_calls"] == len(calls) >= 3
        assert game.desk.user_db.hash() != game.start[1].hash()
        assert say(begun(seed, domain="telecom"), "set_airplane_mode(on=false)") == 0
        other = begun(seed, domain="telecom")
        say(other, "Hello")
        assert say(other, "set_airplane_mode(on=false)") != 0  # the agent has no hands there


def test_the_reward_is_a_product_and_each_part_can_fail():
    batch = begun(5)
    game = batch.state.games[0]
    grade = game.grade()
    assert grade.reward == 0
    whole = talk("desk-oracle", 5).state.games[0].grade()
    assert whole.reward == 1
    for part in ("goal", "told", "allowed", "transfer", "ended"):
        assert whole._replace(**{part: False}).reward == 0


def test_reading_without_identity_and_writing_without_a_yes_are_violations():
    batch = begun(0)
    say(batch, "Hello")
    say(batch, "get_order(order_id='OR10000')")
    assert batch.state.games[0].violations == ["G1"]
    say(batch, "get_order(order_id='OR10000')")
    assert metrics(batch)["redundant_reads"] == 1
    found = batch.state.games[0].desk.db.get("customers", "CU10000")
    say(batch, json.dumps({"name": "find_customer_by_email", "arguments": {"email": found["email"]}}))
    say(batch, f"set_newsletter(customer_id='CU10000', on={not found['newsletter']})")
    assert batch.state.games[0].violations[2:] == ["G3"]
    assert batch.state.games[0].forbidden == 0
    say(batch, "set_newsletter(customer_id='CU10001', on=True)")
    assert "G2" in batch.state.games[0].violations
    assert metrics(batch)["allowed"] == 0


def test_tokens_add_up_over_all_turns_of_both_sides():
    batch = talk("desk-oracle", 2)
    sides = [sum(count_tokens(step[0]) for step in side if step[0] is not None) for side in batch.trace().actions]
    found = metrics(batch)
    assert [found["agent_tokens"], found["user_tokens"]] == sides


def test_pass_hat_k_falls_and_pass_at_k_rises_with_k():
    for wins in range(9):
        hats, ats = [[f(8, wins, k) for k in range(1, 9)] for f in (pass_hat_k, pass_at_k)]
        assert hats == sorted(hats, reverse=True)
        assert ats == sorted(ats)
        assert hats[0] == pytest.approx(ats[0]) == pytest.approx(wins / 8)
    with pytest.raises(ValueError, match="k = 9"):
        pass_hat_k(8, 3, 9)


def test_stepping_before_reset_or_after_the_end_is_an_error():
    env = gym.make(WORLD, seat="agent_0")
    with pytest.raises(LudariumError, match="call reset before step"):
        env.step("Hello")
    env.reset(seed=0)
    over = False
    while not over:
        *_, over, cut, info = env.step("La la la.")
        over = over or cut
    assert info["metrics"]["success"] == 0
    with pytest.raises(LudariumError, match="the episode is over"):
        env.step("Hello")


def test_desk_agents_say_where_they_belong():
    for name in ("desk-user", "desk-oracle"):
        with pytest.raises(AgentError, match="text-desk-v0"):
            make_agent(name).start(_task("template-object-v0"), ("player_0",), 0)


def _task(name):
    from ludarium.agents.contract import Task

    return Task(name, {}, "", {}, {}, ("player_0",), 10)


def test_any_function_can_play_the_user_and_its_words_are_in_the_trace():
    from ludarium.agents.crew import Crew
    from ludarium.agents.text.desk.model_user import ModelUser

    heard = []

    def complete(messages):
        heard.append(messages)
        return ('{"name": "check_phone", "arguments": {}}', "It looks fine.", "Bye. ###STOP###")[len(heard) - 1]

    batch = begun(0, domain="telecom")
    crew = Crew(batch, [(make_agent("desk-idle"), ("agent_0",)), (ModelUser(complete), ("user_0",))])
    crew.start(0)
    while not batch.over[0]:
        crew.act()
        batch.step()
    assert batch.state.games[0].ended == "stop"
    assert "You are a customer" in heard[0][0]["content"]
    assert "check_phone" in heard[0][0]["content"]
    assert "airplane mode is" in heard[1][1]["content"]
    assert decode(encode(batch.trace())).replay().ok


def test_people_who_serve_in_their_own_words_are_understood():
    """An episode played by hand (retail, seed 4), with a wrong turn at the start."""
    env = gym.make(WORLD, seat="agent_0", domain="retail")
    env.reset(seed=4)
    game = env.unwrapped.batch.state.games[0]
    assert [wish["kind"] for wish in game.task["wishes"]] == ["return_items", "exchange_item"]

    def hear(text):
        seen, _, over, _, info = env.step(text)
        return json.loads(seen)["messages"][-1]["content"], over, info

    assert re.search("return|back", hear("Hello! How can I help you today?")[0])
    assert "@" in hear("Gladly. Please confirm your email address so that I can find you.")[0]
    hear(f"find_customer_by_email(email='{game.task['facts']['email']}')")
    told = hear("Thank you. Which order is this about, and which item would you like to return?")[0]
    assert "OR10238" in told
    assert "table runner" in told
    hear("get_order(order_id='OR10238')")
    assert "gift card" in hear("And where should the refund go?")[0]
    assert hear("I can return IT10010 from OR10238. Do you confirm?")[0].startswith("No, IT10010")
    said = hear("Sorry. I would return IT10162 of OR10238 and refund $161.00 to your gift card. Do you confirm?")[0]
    assert said.startswith("Yes")
    hear("return_items(order_id='OR10238', item_ids=['IT10162'], refund_to='PM10195')")
    assert "armchair" in hear("Your return has been processed: $161.00. Can I help with anything else?")[0]
    assert "OR10237" in hear("Sure. What's the order number, please?")[0]
    hear("get_order(order_id='OR10237')")
    assert not hear("I'm afraid I can't exchange that: it is a clearance product.")[1]
    last, over, info = hear("Unfortunately our policy does not allow it, I can't make exceptions.")
    assert over
    assert "STOP" in last
    assert info["metrics"]["success"] == 1
    assert info["metrics"]["violations"] == 0


def test_the_picture_shows_the_words_and_every_row_that_changed():
    batch = talk("desk-oracle", 11, domain="telecom")
    game = batch.state.games[0]
    shown = [shape.text for shape in batch.simulator.scene(batch.state, 0).shapes]
    touched = {key for db in (game.desk.db, game.desk.user_db) for _, key in db.changed}
    assert touched
    assert all(any(key in text for text in shown) for key in touched)
    assert any("phones" in text for text in shown)
    assert any("STOP" in text for text in shown)
