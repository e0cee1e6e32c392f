"""The agent around the scaffolds: seats, costs, budgets, fallbacks, recordings, and the string that names it."""

import dataclasses
import json
import threading

import pytest
from llm_plays import as_model, play, saying

from ludarium.agents.contract import Turn
from ludarium.agents.llm import gateways
from ludarium.agents.llm.agent import LLMAgent
from ludarium.agents.llm.budget import Prices
from ludarium.agents.llm.cassette import Cassette
from ludarium.agents.llm.client import Completion, Usage
from ludarium.agents.llm.fake_server import FakeServer
from ludarium.agents.llm.gateway import Gateway
from ludarium.agents.llm.gateways import REPLAY, GatewaySettings, close_gateways, gateway_for
from ludarium.agents.llm.policy import make_policy
from ludarium.agents.llm.scripted import Scripted
from ludarium.agents.registry import make_agent
from ludarium.envs.core.errors import AgentError, CassetteMissError, EndpointError
from ludarium.envs.core.trace import encode
from ludarium.leaderboards.runner import run

LOOK = "<think>hm</think><action>look</action>"


# --- several seats -----------------------------------------------------------------------------------------------------
def test_the_seats_of_a_step_are_asked_together_and_apart():
    together, sessions = [], {}

    class Watched(Gateway):
        def call_all(self, requests, accounts=None):
            together.append(len(requests))
            for request in requests:
                sessions.setdefault(request.session, []).append(request)
            return super().call_all(requests, accounts)

    gateway = Watched(Scripted(lambda request: "<action>wait</action>"))
    trace, crew = play("mapf-v0", LLMAgent("m", "direct", gateway=gateway), 1, num_robots=3, max_steps=4)
    assert together == [3] * trace.steps
    assert len(sessions) == 3
    for session, requests in sessions.items():
        seat = session.rsplit("/", 1)[1]
        assert all(f"| {seat} |" in r.messages[-1]["content"] for r in requests)
        assert all(f"You are {seat} " in r.messages[0]["content"] for r in requests)
    assert not crew.lost


def test_a_seat_that_needs_a_repair_does_not_ask_the_others_again():
    asked = []

    def answer(request):
        asked.append(request.session.rsplit("/", 1)[1])
        bad = asked.count("robot_1") == 1 and asked[-1] == "robot_1"
        return "well" if bad else "<action>wait</action>"

    gateway = Gateway(Scripted(answer))
    _, crew = play("mapf-v0", LLMAgent("m", "direct", gateway=gateway), 1, num_robots=3, max_steps=1)
    assert sorted(asked) == ["robot_0", "robot_1", "robot_1", "robot_2"]
    assert not crew.lost


# --- fallbacks ---------------------------------------------------------------------------------------------------------
def test_a_fallback_is_counted_noted_and_never_the_models():
    trace, crew = play("text-household-v0", LLMAgent("m", gateway=saying("I would rather not.")), 0, max_steps=5)
    assert dict(crew.lost) == {"fallback": 5}
    assert trace.actions[0].ravel().tolist() == [0] * 5
    own = [e for e in trace.events if e["status"] == "fallback"]
    lost = [e for e in trace.events if e["status"] == "default"]
    assert len(own) == len(lost) == 5
    assert {e["kind"] for e in lost} == {"fallback"}
    assert own[0]["raw"] == "I would rather not."


def test_the_scenarios_default_action_is_taken():
    trace, crew = play("text-desk-v0", LLMAgent("m", gateway=saying("")), 0, max_steps=6)
    said = [step[0] for step in trace.actions[0] if step[0]]
    assert set(said) == {"One moment, please."}
    assert crew.lost["fallback"] == len(said)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(Completion(""), id="empty"),
        pytest.param(Completion("", finish="refusal"), id="refused"),
        pytest.param(Completion("<think>so", finish="length"), id="truncated"),
        pytest.param(Completion("x" * 100_000), id="over-long"),
        pytest.param(Completion("<action>fly</action>"), id="illegal"),
    ],
)
def test_one_bad_reply_is_repaired(bad):
    left = [bad]
    gateway = Gateway(Scripted(lambda request: left.pop() if left else LOOK))
    trace, crew = play("text-household-v0", LLMAgent("m", gateway=gateway), 0, max_steps=3)
    assert not crew.lost
    statuses = [e["status"] for e in trace.events]
    assert statuses == ["repaired", "ok", "ok"]


def test_an_endpoint_that_is_down_loses_turns_and_no_episode():
    calls = [0]

    def answer(request):
        calls[0] += 1
        if calls[0] == 2:
            raise EndpointError("it is down", kind="status", status=503, retryable=False)
        return LOOK

    trace, crew = play("text-household-v0", LLMAgent("m", gateway=Gateway(Scripted(answer))), 0, max_steps=4)
    assert dict(crew.lost) == {"endpoint": 1}
    assert trace.steps == 4


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_endpoint_that_is_the_wrong_one_is_said_at_once(status):
    def answer(request):
        raise EndpointError("no", kind="status", status=status)

    with pytest.raises(AgentError, match="cannot be used"):
        play("text-household-v0", LLMAgent("m", gateway=Gateway(Scripted(answer))), 0, max_steps=4)


# --- budgets and costs -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("limit", [{"max_calls": 3}, {"max_tokens": 9000, "window_tokens": 1500}])
def test_a_budget_that_ends_in_mid_episode_finishes_it_with_fallbacks(limit):
    gateway = saying(LOOK)
    trace, crew = play("text-household-v0", LLMAgent("m", gateway=gateway, **limit), 0, max_steps=20)
    assert trace.steps == 20
    assert set(crew.lost) == {"budget"}
    assert crew.lost["budget"] + crew.usage["calls"] == 20
    if "max_calls" in limit:
        assert crew.usage["calls"] == gateway.sent == 3
    else:
        assert crew.usage["prompt"] + crew.usage["completion"] <= 9000
    kinds = [e["kind"] for e in trace.events if e["status"] == "default"]
    assert kinds == ["budget"] * crew.lost["budget"]


def test_the_run_s_money_is_shared_by_the_episodes():
    prices = Prices({"m": (1_000_000, 1_000_000)})  # a micro-dollar a token
    from ludarium.agents.llm.budget import Budget, Limits

    usage = Usage(10, 10)
    script = Scripted(lambda request: Completion(LOOK, usage=usage))
    gateway = Gateway(script, prices=prices, budget=Budget(Limits(micro_dollars=9_000), "run"), max_tokens=50)
    lost, spent = 0, 0
    for seed in range(4):
        _, crew = play("text-household-v0", LLMAgent("m", gateway=gateway), seed, max_steps=60)
        spent += crew.usage["micro_dollars"]
        lost += crew.lost["budget"]
    assert lost
    assert spent == gateway.budget.spent["micro_dollars"] <= 9_000


def test_what_decisions_cost_is_what_the_ledger_says():
    gateway = as_model("household-expert", "react")
    _, crew = play("text-household-v0", LLMAgent("m", gateway=gateway), 3)
    totals = gateway.ledger.totals
    assert crew.usage["prompt"] == totals.prompt
    assert crew.usage["completion"] == totals.completion
    assert crew.usage["calls"] == totals.calls == gateway.sent


# --- transcripts and recordings ----------------------------------------------------------------------------------------
def test_the_transcript_holds_each_call_and_what_was_made_of_it():
    agent = LLMAgent("m", "subgoal", gateway=as_model("household-expert", "subgoal"))
    trace, _ = play("text-household-v0", agent, 3)
    rows = agent.transcript()
    assert [row["type"] for row in rows] == ["call", "decision"] * trace.steps
    assert [row["status"] for row in rows[1::2]] == ["ok"] * trace.steps
    assert all(row["control"] for row in rows[1::2])
    json.dumps(rows)


def test_a_recorded_episode_is_replayed_without_a_call_to_the_byte(tmp_path):
    path = tmp_path / "run.cassette"
    live = as_model("household-expert", "react").driver
    with Gateway(live, cassette=Cassette(path, "record")) as gateway:
        first, _ = play("text-household-v0", LLMAgent("m", gateway=gateway), 3)
        assert gateway.sent == first.steps
    with Gateway(None, cassette=Cassette(path, "replay")) as gateway:
        agent = LLMAgent("m", gateway=gateway)
        second, crew = play("text-household-v0", agent, 3)
        assert gateway.sent == 0
        assert encode(first) == encode(second)
        assert crew.usage["calls"] == first.steps
        with pytest.raises(CassetteMissError):
            play("text-household-v0", LLMAgent("m", gateway=gateway), 4)


def test_a_recording_of_failures_is_replayed_too(tmp_path):
    path = tmp_path / "run.cassette"
    left = ["", "", LOOK, "no", LOOK]
    script = Scripted(lambda request: left.pop(0) if left else LOOK)
    with Gateway(script, cassette=Cassette(path, "record")) as gateway:
        first, lost = play("text-household-v0", LLMAgent("m", gateway=gateway, max_calls=7), 0, max_steps=9)
    with Gateway(None, cassette=Cassette(path, "replay")) as gateway:
        second, again = play("text-household-v0", LLMAgent("m", gateway=gateway, max_calls=7), 0, max_steps=9)
    assert encode(first) == encode(second)
    assert lost.lost == again.lost
    assert set(lost.lost) == {"fallback", "budget"}


def test_a_recorded_run_is_played_again_with_the_endpoint_gone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    close_gateways()
    with FakeServer(policy=make_policy("household-expert", "react"), faults=["500", "badjson"]) as server:
        agent = f"llm:m?base_url={server.base_url}&mode=record&cassette=said.jsonl"
        first = run("text-household-quick", [agent], tmp_path / "first", episodes=1, jobs=0, concurrency=4)
    assert server.counts["asked"] == sum(row["steps"] for row in first.rows)
    close_gateways()
    monkeypatch.setenv(REPLAY, "replay")
    second = run("text-household-quick", [agent], tmp_path / "second", episodes=1, jobs=0, concurrency=4)
    (gateway,) = gateways._open.values()
    assert (gateway.mode, gateway.sent) == ("replay", 0)
    close_gateways()
    assert second.rows == first.rows
    traces = {path.relative_to(first.root): path.read_bytes() for path in first.root.rglob("*.trace")}
    assert len(traces) == 6
    assert traces == {path.relative_to(second.root): path.read_bytes() for path in second.root.rglob("*.trace")}


# --- prior knowledge ---------------------------------------------------------------------------------------------------
def test_levels_come_into_the_prompt_and_own_trials_are_paid_for():
    prompts = []

    def answer(request):
        prompts.append(request.messages[0]["content"])
        return LOOK

    gateway = Gateway(Scripted(answer))
    agent = LLMAgent("m", level=5, gateway=gateway)
    trace, crew = play("text-household-v0", agent, 0, max_steps=6)
    for words in ("random player", "Your own earlier trial", "How an expert plays", "## Guidance"):
        assert words in prompts[-1]
        assert words not in prompts[0]
    assert crew.usage["calls"] == gateway.sent == 6 + trace.steps
    assert not crew.lost


def test_own_trials_come_out_of_the_episode_s_budget():
    gateway = saying(LOOK)
    _, crew = play("text-household-v0", LLMAgent("m", level=3, max_calls=8, gateway=gateway), 0, max_steps=6)
    assert gateway.sent == 8
    assert dict(crew.lost) == {"budget": 4}


# --- the string --------------------------------------------------------------------------------------------------------
def test_a_string_names_it():
    agent = make_agent("llm:org/model:7b?scaffold=tools&temperature=0.5&max_calls=9&history=3&commands=hidden")
    assert (agent.model, agent.scaffold, agent.view, agent.waits) == ("org/model:7b", "tools", "tools", True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("llm:m?scaffold=reakt", "react"),
        ("llm:m?temprature=1", "temperature"),
        ("llm:m?machine=x.toml", "machine"),
        ("llm:", "no model"),
        ("llm:m?mode=replay", "cassette"),
        ("llm:m?cassette=x", "cassette"),
        ("llm:m?mode=sing&cassette=x", "mode"),
        ("llm:m?commands=maybe", "shown"),
        ("llm:m?level=6", "1 to 5"),
        ("llm:m?window_tokens=3", "window_tokens"),
        ("llm:m?usd=lots", "dollars"),
        ("llm:m?max_calls=-1", "max_calls = -1"),
        ("llm:m?max_tokens=many", "max_tokens"),
        ("llm:m?history=-1", "history"),
        ("llm:m?trials=x", "trials"),
        ("llm:m?temperature=hot", "temperature"),
        ("llm:m?concurrency=0", "concurrency"),
        ("llm:m?rpm=x", "rpm"),
        ("llm:m?timeout_s=soon", "timeout_s"),
        ("llm:m?gateway=x", "gateway"),
        ("llm:m?driver=telepathy", "driver"),
        ("llm:m?driver=local&scaffold=tools", "native tool calls"),
    ],
)
def test_what_is_wrong_with_a_string_is_said_when_it_is_made(text, why):
    with pytest.raises(AgentError, match=why):
        make_agent(text)


def test_scenarios_may_not_name_it_without_leave():
    with pytest.raises(AgentError, match="built-in"):
        make_agent("llm:m", allow_code=False)


def test_a_missing_key_is_said_at_the_first_step(monkeypatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    close_gateways()
    with pytest.raises(AgentError, match="NO_SUCH_KEY"):
        play("text-household-v0", make_agent("llm:m?key=NO_SUCH_KEY"), 0)


def test_equal_settings_share_a_gateway(tmp_path):
    close_gateways()
    path = tmp_path / "c"
    Cassette(path, "record").close()
    settings = GatewaySettings("m", mode="replay", cassette=str(path))
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(gateway_for(dataclasses.replace(settings)))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1
    assert gateway_for(dataclasses.replace(settings, model="n")) is not found[0]
    close_gateways()
    assert gateway_for(settings) is not found[0]
    close_gateways()


def test_an_answer_to_a_turn_without_commands_is_taken_as_it_stands():
    agent = LLMAgent("m", "direct", gateway=saying("<action>Hello, {there}</action>"))
    from ludarium.agents.contract import Task

    agent.start(Task("x-v0", {}, "Talk.", {}, {}, ("agent_0",), 5), ("agent_0",), 7)
    assert agent.act({"agent_0": Turn("hi")})["agent_0"].action == "Hello, {there}"
