"""Each scaffold turn by turn, with a model that says what the test wants."""

import pytest
from llm_plays import PER_TURN, run_turn, scaffold, told

from ludarium.agents.llm.client import Completion, ToolCall
from ludarium.agents.llm.control import MAX_DEPTH, ControlState
from ludarium.agents.llm.prompts import REPAIR
from ludarium.agents.llm.scaffold import UnusableReplyError
from ludarium.agents.llm.scaffolds import SCAFFOLDS, scaffold_named
from ludarium.agents.llm.scaffolds.files import shipped
from ludarium.agents.llm.scaffolds.stateflow import read_machine
from ludarium.agents.llm.scaffolds.step import MAX_CALLS, read_policies
from ludarium.envs.core.errors import AgentError, ConfigError, FileFormatError

LOOK = "<action>look</action>"


@pytest.mark.parametrize("name", [name for name in PER_TURN if name != "tools"])
def test_a_bad_reply_gets_one_repair_message_and_then_none(name):
    decision, asked = run_turn(scaffold(name), told(), "I would rather not.", LOOK)
    assert (decision.action, decision.status, decision.raw) == ("look", "repaired", LOOK)
    assert len(asked) == 2
    *before, last = asked[1].messages
    assert last["content"].startswith(REPAIR)
    assert before[-1]["content"] == "I would rather not."
    assert sum("<observation>" in str(m["content"]) for m in asked[1].messages) == 1
    with pytest.raises(UnusableReplyError) as caught:
        run_turn(scaffold(name), told(), "No.", "No!")
    assert caught.value.raw == "No!"


def test_hidden_commands_are_told_nowhere():
    made = scaffold("react", commands=False)
    _, asked = run_turn(made, told(), "<action>fly</action>", LOOK)
    for ask in asked:
        text = "".join(str(m["content"]) for m in ask.messages)
        assert "desk 2" not in text
        assert "<commands>" not in text


def test_a_lost_turn_is_told_in_the_next_prompt_and_only_there():
    made = scaffold("react")
    made.lost(told(), "It was no action.")
    _, asked = run_turn(made, told(), LOOK)
    assert "default action" in asked[0].messages[-1]["content"]
    _, asked = run_turn(made, told(step=1), LOOK)
    assert "default action" not in asked[0].messages[-1]["content"]


def test_react_keeps_its_thoughts():
    made = scaffold("react")
    run_turn(made, told(), f"<think>the mug is mine</think>{LOOK}")
    _, asked = run_turn(made, told(step=1), LOOK)
    assert any("the mug is mine" in str(m["content"]) for m in asked[0].messages)


def test_an_unknown_scaffold_names_the_nearest():
    with pytest.raises(AgentError, match="react"):
        scaffold_named("reakt")
    assert set(SCAFFOLDS) == {*PER_TURN, "reflexion", "plan_execute"}


# --- subgoal -----------------------------------------------------------------------------------------------------------
def blocks(switch, subgoal, action="look"):
    return f"<switch>{switch}</switch><subgoal>{subgoal}</subgoal><action>{action}</action>"


def test_subgoals_switch_and_keep():
    made = scaffold("subgoal")
    first, _ = run_turn(made, told(), blocks("KEEP", "find a mug"))
    assert (first.subgoal, first.status) == ("find a mug", "ok")
    second, asked = run_turn(made, told(step=1), blocks("KEEP", "find a mug"))
    assert "find a mug" in asked[0].messages[-1]["content"]
    third, _ = run_turn(made, told(step=2), blocks("SWITCH", "take it"))
    ages = [ControlState.from_text(d.control).age for d in (first, second, third)]
    assert ages == [0, 1, 0]
    assert third.subgoal == "take it"


@pytest.mark.parametrize(
    ("reply", "subgoal", "status"),
    [
        pytest.param(blocks("KEEP", "take it"), "find a mug", "repaired", id="KEEP with a changed subgoal"),
        pytest.param(blocks("", "find a mug"), "find a mug", "ok", id="empty switch"),
        pytest.param(f"<subgoal>find a mug</subgoal>{LOOK}", "find a mug", "ok", id="no switch"),
        pytest.param(LOOK, "find a mug", "ok", id="the action alone"),
        pytest.param(blocks("MAYBE", "take it"), "take it", "repaired", id="another word than KEEP"),
        pytest.param(blocks("SWITCH", ""), "find a mug", "repaired", id="SWITCH to nothing"),
        pytest.param(blocks("switch", "take it"), "take it", "ok", id="lower case"),
    ],
)
def test_odd_switches(reply, subgoal, status):
    made = scaffold("subgoal")
    run_turn(made, told(), blocks("SWITCH", "find a mug"))
    decision, _ = run_turn(made, told(step=1), reply)
    assert (decision.subgoal, decision.status, decision.action) == (subgoal, status, "look")


# --- step --------------------------------------------------------------------------------------------------------------
def test_policies_call_one_another_and_answer():
    made = scaffold("step")
    decision, asked = run_turn(made, told(), "<call>fetch: the mug</call>", "<action>take mug 1 from desk 1</action>")
    assert decision.action == "take mug 1 from desk 1"
    assert decision.subgoal == "fetch: the mug"
    assert "fetch: the mug" in asked[1].messages[0]["content"]
    decision, asked = run_turn(made, told(step=1), "<stop>I have it</stop>", LOOK)
    assert "I have it" in asked[1].messages[-1]["content"]
    state = ControlState.from_text(decision.control)
    assert (state.stack, state.age) == ((("solve", ""),), 0)
    decision, _ = run_turn(made, told(step=2), LOOK)
    assert ControlState.from_text(decision.control).age == 1


def test_a_step_has_at_most_so_many_internal_calls():
    made = scaffold("step", options={"policies": str(shipped("policies", "", "general"))})
    calls = ["<call>achieve: it</call>"] * MAX_CALLS
    decision, asked = run_turn(made, told(), *calls, LOOK)
    assert len(asked) == MAX_CALLS + 1
    assert len(ControlState.from_text(decision.control).stack) == MAX_CALLS + 1
    assert "act now" in asked[-1].messages[-1]["content"]
    other = scaffold("step", options={"policies": str(shipped("policies", "", "general"))})
    with pytest.raises(UnusableReplyError, match="calls enough"):
        run_turn(other, told(), *calls, "<call>achieve: it</call>", "<call>achieve: it</call>")


def test_the_stack_is_at_most_eight_deep():
    made = scaffold("step", options={"policies": str(shipped("policies", "", "general"))})
    run_turn(made, told(), *["<call>achieve: it</call>"] * (MAX_DEPTH - 2), LOOK)
    run_turn(made, told(step=1), "<call>achieve: it</call>", LOOK)
    assert len(made.control.stack) == MAX_DEPTH
    decision, asked = run_turn(made, told(step=2), "<call>achieve: it</call>", LOOK)
    assert decision.status == "repaired"
    assert f"{MAX_DEPTH} deep" in asked[1].messages[-1]["content"]


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param("<stop>done</stop>", id="the root stops"),
        pytest.param("<call>dance: now</call>", id="unknown policy"),
        pytest.param("<call></call>", id="empty call"),
        pytest.param("<call>((((</call>", id="malformed call"),
        pytest.param(f"<call>fetch: a</call>{LOOK}", id="a call and an action"),
        pytest.param("<call>fetch: the", id="never closed"),
    ],
)
def test_calls_that_are_none_are_repaired(reply):
    decision, _ = run_turn(scaffold("step"), told(), reply, LOOK)
    assert (decision.action, decision.status) == ("look", "repaired")


def test_libraries_of_policies_are_checked(tmp_path):
    for name in ("general", "household", "desk"):
        assert read_policies(shipped("policies", f"x-{name}-v0", "general"))
    for text, why in [
        ("", "no policies"),
        ("a = 1", "table"),
        ("[a]\nprompt = 'x'\ncalls = ['b']", "'b'"),
        ("[a]\nprompt = ''", "texts"),
        ("[a]\nprompt = 'x'\nmore = 1", "table"),
        ("[a", "TOML"),
    ]:
        path = tmp_path / "policies.toml"
        path.write_text(text)
        with pytest.raises(FileFormatError, match=why):
            read_policies(path)


# --- stateflow ---------------------------------------------------------------------------------------------------------
INTRO = "-= Welcome =-\n\nYour task is to: put a clean mug in desk."


def test_the_machine_follows_what_is_told():
    made = scaffold("stateflow")
    texts = [
        INTRO,
        "You arrive at desk 1. On the desk 1, you see a mug 1.",
        "Nothing happens.",
        "You pick up the mug 1 from the desk 1.",
        "You clean the mug 1 using the sinkbasin 1.",
        "You move the mug 1 to the desk 2.",
    ]
    states = []
    for step, text in enumerate(texts):
        decision, asked = run_turn(made, told(text, step=step), LOOK)
        states.append(decision.subgoal)
        assert f"Now: {decision.subgoal}" in asked[0].messages[0]["content"]
    assert states == ["plan", "pick", "pick", "clean", "put", "pick"]


def test_after_a_move_only_the_last_turns_are_remembered_and_the_task_is():
    made = scaffold("stateflow")
    for step, text in enumerate([INTRO, "a", "b", "c", "You pick up the mug 1."]):
        _, asked = run_turn(made, told(text, step=step), LOOK)
    messages = asked[0].messages
    assert sum(m["role"] == "user" for m in messages) == 3
    assert "put a clean mug" in messages[0]["content"]


def test_the_model_may_choose_a_state_where_the_machine_offers_some():
    made = scaffold("stateflow")
    run_turn(made, told(INTRO), LOOK)
    run_turn(made, told("You pick up the cup 1.", step=1), f"{LOOK}<state>wrong</state>")
    decision, _ = run_turn(made, told("hm", step=2), LOOK)
    assert decision.subgoal == "wrong"
    made = scaffold("stateflow")
    decision, _ = run_turn(made, told(INTRO), f"{LOOK}<state>nirvana</state>", LOOK)
    assert decision.status == "repaired"


def test_machines_are_checked(tmp_path):
    for world in ("text-household-v0", "text-desk-v0"):
        assert read_machine(shipped("machines", world)).states
    with pytest.raises(ConfigError, match="desk, household"):
        scaffold("stateflow", world="mapf-v0")
    state = "[states.a]\nprompt = 'x'\n"
    for text, why in [
        ("start = 'a'", "states"),
        (f"start = 'b'\n{state}", "'b'"),
        (f"start = 'a'\n{state}choices = ['c']", "leads to 'c'"),
        (f"start = 'a'\n{state}next = [{{ to = 'a', told = '(' }}]", "regular expression"),
        (f"start = 'a'\n{state}next = [{{ to = 'a', when = 'x' }}]", "rule"),
        ("start = 'a'\n[states.a]\nprompt = 1", "prompt"),
        ("x" * 10, "TOML"),
    ]:
        path = tmp_path / "machine.toml"
        path.write_text(text)
        with pytest.raises(FileFormatError, match=why):
            read_machine(path)


# --- plan_execute, reflexion, tools ------------------------------------------------------------------------------------
PLAN = "<plan>\n1. find a mug\n2) take it\n</plan>"


def test_a_plan_is_made_followed_and_made_anew():
    made = scaffold("plan_execute")
    decision, asked = run_turn(made, told(), PLAN, f"<step>1</step>{LOOK}")
    assert decision.subgoal == "find a mug"
    assert "2. take it" in asked[1].messages[0]["content"]
    decision, _ = run_turn(made, told(step=1), f"<step>2</step>{LOOK}")
    assert decision.subgoal == "take it"
    decision, asked = run_turn(made, told(step=2), "<replan>it is gone</replan>", "<plan>look around</plan>", LOOK)
    assert "it is gone" in asked[1].messages[-1]["content"]
    assert made.plan == ["look around"]
    assert decision.action == "look"


def test_plans_have_an_end():
    made = scaffold("plan_execute", options={"max_plans": 1})
    run_turn(made, told(), PLAN, LOOK)
    decision, asked = run_turn(made, told(step=1), "<replan>no</replan>", LOOK)
    assert decision.status == "repaired"
    assert "no other plan" in asked[1].messages[-1]["content"]


def test_step_numbers_that_are_none_keep_the_subgoal():
    made = scaffold("plan_execute")
    run_turn(made, told(), PLAN, f"<step>1</step>{LOOK}")
    for step in ("77", "x", "-", "1" * 5000, "٣"):
        decision, _ = run_turn(made, told(step=1), f"<step>{step}</step>{LOOK}")
        assert decision.subgoal == "find a mug"


def test_reflexion_learns_from_an_episode_without_success():
    memory = {}
    first = scaffold("reflexion", memory=memory)
    run_turn(first, told(), LOOK)
    first.finish({"metrics": {"success": 0}})
    second = scaffold("reflexion", memory=memory)
    decision, asked = run_turn(second, told(), "<reflection>Look in the desk.</reflection>", LOOK)
    assert decision.action == "look"
    assert "You did: look" in asked[0].messages[-1]["content"]
    assert "Look in the desk." in asked[1].messages[0]["content"]
    second.finish({"metrics": {"success": 1}})
    third = scaffold("reflexion", memory=memory)
    _, asked = run_turn(third, told(), LOOK)
    assert "Look in the desk." in asked[0].messages[0]["content"]


def test_reflexion_looks_back_when_nothing_comes_of_it():
    made = scaffold("reflexion", options={"reflect_every": 3})
    for step in range(3):
        _, asked = run_turn(made, told(step=step), LOOK)
        assert len(asked) == 1
    decision, asked = run_turn(made, told(step=3), "no reflection", "still none", LOOK)
    assert decision.action == "look"
    _, asked = run_turn(made, told(step=4, reward=1.0), LOOK)
    assert len(asked) == 1


def test_tools_are_called_and_their_messages_fit_together():
    tool = {
        "name": "take off",
        "description": "x",
        "parameters": {"type": "object", "properties": {"thing": {"enum": ["mug 1"]}}},
    }
    made = scaffold("tools")
    turn = told(tools=(tool,))
    _, asked = run_turn_tools(made, turn)
    (name,) = [t["function"]["name"] for t in asked[0].tools]
    assert name.isascii()
    assert " " not in name
    assert asked[0].tools[0]["function"]["parameters"]["properties"]["thing"]["type"] == "string"
    decision, asked = run_turn_tools(made, turn._replace(step=1))
    assert decision.action == {"name": "take off", "arguments": {"thing": "mug 1"}, "id": "c9"}
    roles = [m["role"] for m in asked[0].messages]
    assert roles == ["system", "user", "assistant", "tool", "user"]
    assert asked[0].messages[3]["tool_call_id"] == asked[0].messages[2]["tool_calls"][0]["id"] == "c9"


def run_turn_tools(made, turn):
    script = made.turn(turn)
    asked = [next(script)]
    call = ToolCall(id="c9", name=asked[0].tools[0]["function"]["name"], arguments='{"thing": "mug 1"}')
    try:
        asked.append(script.send(Completion("", (call,), "tool_calls")))
    except StopIteration as end:
        return end.value, asked
    raise AssertionError("a repair message for a good call")
