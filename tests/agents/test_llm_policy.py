"""An agent behind the endpoint, knowing nothing but prompts, plays as it does when it is plugged in directly."""

import json
import re

import pytest
from llm_doubles import QUICK
from llm_plays import PER_TURN, play

from ludarium.agents.contract import Agent, Decision, Turn
from ludarium.agents.llm.agent import LLMAgent
from ludarium.agents.llm.fake_server import FakeServer, Reply
from ludarium.agents.llm.gateway import Gateway
from ludarium.agents.llm.openai_driver import OpenAIDriver
from ludarium.agents.llm.policy import call_of, make_policy, read_prompt, write_reply
from ludarium.agents.llm.prompts import lay_out, read_back
from ludarium.agents.llm.scaffolds import SCAFFOLDS
from ludarium.agents.registry import make_agent
from ludarium.envs.core.errors import ActionError

FAULTS = ("429:0", "500", "badjson", "truncated", None, "drop", None, "empty", None, "429:0", "drop", "500")


class Clerk(Agent):
    """Serves at a desk by its text alone, badly: asks who it is, looks the customer up, and apologises."""

    view = "text"

    def start(self, task, seats, seed):
        self.turns = 0

    def act(self, turns):
        ((seat, turn),) = turns.items()
        self.turns += 1
        email = re.search(r"[\w.]+@[\w.]+\w", str(turn.observation))
        if self.turns == 1:
            return {seat: Decision('Who are <you>, "please"?', subgoal="identify")}
        if email and "find_customer_by_email" not in turn.observation:
            return {seat: json.dumps({"name": "find_customer_by_email", "arguments": {"email": email[0]}})}
        if self.turns % 3 == 0:
            return {seat: 'no_such_tool(a="b")' if self.turns > 60 else "I am sorry,\nI cannot do that."}
        return {seat: "Could you tell me your email, or your name and zip code?"}


WORLDS = [
    ("text-household-v0", "household-expert", (0, 1, 2)),
    ("text-desk-v0", "desk-expert", (0, 1, 2)),
    ("text-desk-v0", Clerk, (0,)),
]
CASES = pytest.mark.parametrize(("world", "agent", "seeds"), WORLDS, ids=["household", "desk", "clerk"])


def made(agent):
    return make_agent(agent) if isinstance(agent, str) else agent()


def through_the_wire(world, agent, scaffold, seed, faults=(), api="chat"):
    """An episode through `llm:`, the openai package and a server on the loopback interface."""
    with FakeServer(policy=make_policy(agent, scaffold), faults=faults) as server:
        driver = OpenAIDriver(server.base_url, api=api)
        with Gateway(driver, retry=QUICK) as gateway:
            trace, crew = play(world, LLMAgent("fake", scaffold, gateway=gateway), seed)
        assert not server.errors
    return trace, crew, server


@CASES
@pytest.mark.parametrize("scaffold", PER_TURN)
def test_the_trace_is_that_of_the_agent_itself(world, agent, seeds, scaffold):
    for seed in seeds:
        trace, _ = play(world, made(agent), seed)
        found, crew, _ = through_the_wire(world, agent, scaffold, seed)
        assert [d for _, d in found.digests] == [d for _, d in trace.digests]
        assert figures(found) == figures(trace)
        assert not crew.lost


def figures(trace):
    """The metrics, but for the tokens of what was said: words said by a tool call are longer than the words."""
    return {name: value for name, value in trace.result["metrics"].items() if name != "agent_tokens"}


@CASES
@pytest.mark.parametrize("scaffold", PER_TURN)
def test_faults_of_the_endpoint_change_nothing_but_the_count_of_calls(world, agent, seeds, scaffold):
    seed = seeds[-1]
    trace, _ = play(world, made(agent), seed)
    found, crew, server = through_the_wire(world, agent, scaffold, seed, FAULTS)
    assert found.digest == trace.digest
    assert not crew.lost
    assert crew.usage["calls"] == server.counts["requests"]
    spoiled = sum(server.counts[kind] for kind in ("status", "badjson", "drop"))
    cut = (
        0 if scaffold == "tools" else server.counts["truncated"]
    )  # a call that is whole counts, whatever was cut after it
    mended = cut + server.counts["empty"]
    assert spoiled >= 3
    assert server.counts["requests"] == trace_calls(found) + spoiled + mended
    statuses = [e["status"] for e in found.events if "raw" in e and e["seat"] != "user_0"]
    assert statuses.count("repaired") == mended


def trace_calls(trace):
    """Turns of the agent."""
    return sum("raw" in e for e in trace.events)


@pytest.mark.parametrize("scaffold", ["plan_execute", "reflexion"])
@pytest.mark.parametrize(
    ("world", "agent", "seeds"), [("text-household-v0", "household-expert", 8), ("text-desk-v0", "desk-expert", 4)]
)
def test_scaffolds_with_further_prompts_score_as_the_agent_does(world, agent, seeds, scaffold):
    own, through = 0, 0
    for seed in range(seeds):
        own += play(world, make_agent(agent), seed)[0].result["metrics"]["success"]
        trace, crew, _ = through_the_wire(world, agent, scaffold, seed, FAULTS if seed % 2 else ())
        through += trace.result["metrics"]["success"]
        assert not crew.lost
    assert own >= 0.75 * seeds
    assert through >= 0.95 * own


@pytest.mark.parametrize("scaffold", PER_TURN)
def test_plumbing_the_oracle_through_every_scaffold_always_wins(scaffold):
    """The oracle knows the state: here it only tells its plan beforehand, so this is about the plumbing."""
    for seed in range(3):
        trace, _ = play("text-household-v0", make_agent("household-oracle"), seed)
        assert trace.result["metrics"]["success"] == 1
        plan = told_plan(seed)
        found, _, _ = through_the_wire("text-household-v0", lambda p=plan: Parrot(p), scaffold, seed)
        assert found.digest == trace.digest


class Parrot(Agent):
    view = "text"

    def __init__(self, words):
        self.words = words

    def act(self, turns):
        return {seat: self.words[turn.step] for seat, turn in turns.items()}


def told_plan(seed):
    from ludarium.wrappers.levels import play_trial

    trial = play_trial("text-household-v0", {}, make_agent("household-oracle"), "robot_0", seed, "x")
    return [line.done for line in trial.lines]


def test_responses_play_alike():
    trace, _ = play("text-household-v0", make_agent("household-expert"), 1)
    for scaffold in ("react", "tools"):
        found, _, _ = through_the_wire("text-household-v0", "household-expert", scaffold, 1, api="responses")
        assert found.digest == trace.digest


def test_a_string_is_all_it_takes():
    with FakeServer(policy=make_policy("household-expert", "react")) as server:
        agent = make_agent(f"llm:fake?base_url={server.base_url}")
        found, crew = play("text-household-v0", agent, 1)
    trace, _ = play("text-household-v0", make_agent("household-expert"), 1)
    assert found.digest == trace.digest
    assert crew.usage["calls"] == found.steps


# --- the layout --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("commands", [None, (), ("look",), ("go to a b", 'say "x"', "<odd>")])
@pytest.mark.parametrize(
    "text",
    ["", "one line", "two\nlines", "<observation>\n</observation>\n", "a\n</observation>\nb", "[x | y | step 3]"],
)
def test_a_prompt_says_all_that_a_turn_says(commands, text):
    from llm_plays import task

    turn = Turn(text, commands=commands, reward=0.1, step=7)
    prompt = lay_out(task(), "robot_3", turn, ["a note", "another"])
    world, seat, found = read_back(prompt)
    assert (world, seat) == ("text-household-v0", "robot_3")
    assert found._replace(commands=found.commands or None) == turn._replace(commands=commands or None)


def test_what_is_no_prompt_is_none():
    for text in ("", "hello", "[a | b | step x]\n<observation>\n</observation>"):
        assert read_back(text) is None
    assert read_prompt([{"role": "system", "content": "x"}]) is None


def test_every_scaffold_s_reply_holds_the_action():
    turn = Turn("x", commands=("look",), tools=({"name": "look", "parameters": {}},))
    for scaffold in SCAFFOLDS:
        reply = write_reply(scaffold, Decision("look"), turn)
        assert isinstance(reply, Reply)
        assert "look" in (reply.text or reply.tool_calls[0]["name"])


def test_commands_become_calls_and_what_is_none_is_refused():
    household = {
        "take": {"object": {"enum": ["mug 1", "mug 11"]}, "receptacle": {"enum": ["desk 1"]}},
        "go_to": {"receptacle": {"enum": ["desk 1", "desk 11"]}},
        "look": {},
    }
    tools = tuple({"name": n, "parameters": {"properties": p}} for n, p in household.items())
    turn = Turn("x", commands=("look",), tools=tools)
    for text, name, arguments in [
        ("look", "look", {}),
        ("go to desk 11", "go_to", {"receptacle": "desk 11"}),
        ("take mug 11 from desk 1", "take", {"object": "mug 11", "receptacle": "desk 1"}),
    ]:
        call = call_of(text, turn)
        assert (call["name"], json.loads(call["arguments"])) == (name, arguments)
    with pytest.raises(ActionError):
        call_of("fly to desk 1", turn)
