"""Conversations in a window: neither its turns nor its tokens are ever passed, whatever counts them."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ludarium.agents.contract import Task, Turn
from ludarium.agents.llm.client import Completion, ToolCall
from ludarium.agents.llm.scaffold import Setting, UnusableReplyError
from ludarium.agents.llm.scaffolds import SCAFFOLDS, scaffold_named
from ludarium.agents.llm.tokens import count_tokens
from ludarium.envs.core.errors import ConfigError
from ludarium.wrappers.language import MIN_WINDOW, Exchange, clipped, tokens_of, window

COUNTERS = {
    "ours": count_tokens,
    "characters": len,
    "words": lambda text: len(text.split()),
    "odd": lambda text: len(text) // 3 + 7 * (len(text) % 5 == 0),
}
texts = st.text(alphabet="ab é\n中<>.", max_size=300)
exchanges = st.lists(st.tuples(texts, texts), max_size=8)


def said(pairs):
    return [Exchange(a, ({"role": "assistant", "content": b},), a) for a, b in pairs]


@settings(max_examples=300, deadline=None)
@given(
    texts,
    exchanges,
    texts,
    st.integers(MIN_WINDOW, 700),
    st.sampled_from(sorted(COUNTERS)),
    st.none() | st.integers(0, 5),
)
def test_the_window_is_never_passed(system, earlier, prompt, tokens, counter, history):
    count = COUNTERS[counter]
    found = window(system, said(earlier), prompt, history=history, tokens=tokens, count=count)
    assert tokens_of(found, (), count) <= tokens
    assert [m["role"] for m in (found[0], found[-1])] == ["system", "user"]
    users = sum(m["role"] == "user" for m in found) - 1
    assert users <= len(earlier) if history is None else users <= history
    if users:  # what is kept is the end of the conversation, whole
        assert found[0]["content"] == system
        assert found[-1]["content"] == prompt
        kept = [m["content"] for m in found[1:-1]]
        assert kept == [text for pair in earlier[len(earlier) - users :] for text in pair]


def test_without_limits_all_is_kept():
    earlier = said([("a", "b"), ("c", "d")])
    assert [m["content"] for m in window("s", earlier, "p")] == ["s", "a", "b", "c", "d", "p"]
    assert [m["content"] for m in window("s", earlier, "p", history=1)] == ["s", "c", "d", "p"]
    assert [m["content"] for m in window("s", earlier, "p", history=0)] == ["s", "p"]


def test_the_prompt_has_the_first_claim_and_both_lose_their_middle():
    found = window("S" * 3000, [], "begin " + "x " * 3000 + "end", tokens=200)
    system, prompt = (m["content"] for m in found)
    assert prompt.startswith("begin")
    assert prompt.endswith("end")
    assert "left out" in prompt
    assert "left out" in system
    short = window("S " * 3000, [], "a short prompt", tokens=200)
    assert short[1]["content"] == "a short prompt"


def test_what_is_said_again_is_not_sent_twice():
    first = "You serve.\nUser: hi\nIt is your turn."
    now = "You serve.\nUser: hi\nYou: hello\nUser: bye\nIt is your turn."
    earlier = [Exchange(f"[step 0]\n{first}", ({"role": "assistant", "content": "hello"},), first)]
    found = window("s", earlier, now, now=now)
    assert "User: hi" not in found[1]["content"]
    assert "[step 0]" in found[1]["content"]
    other = window("s", earlier, "else", now="something else")
    assert "User: hi" in other[1]["content"]


def test_tools_count_and_too_many_of_them_are_refused():
    tools = [{"type": "function", "function": {"name": f"t{n}", "parameters": {}}} for n in range(40)]
    assert tokens_of(window("s", [], "p", tokens=2000, tools=tools), tools) <= 2000
    with pytest.raises(ConfigError, match="tools alone"):
        window("s", [], "p", tokens=100, tools=tools)
    with pytest.raises(ConfigError, match="window_tokens"):
        window("s", [], "p", tokens=MIN_WINDOW - 1)


@settings(max_examples=200, deadline=None)
@given(texts, st.integers(0, 120), st.sampled_from(sorted(COUNTERS)))
def test_clipped_texts_fit(text, tokens, counter):
    count = COUNTERS[counter]
    found = clipped(text, tokens, count)
    assert found == "" or count(found) <= tokens
    if count(text) <= tokens:
        assert found == text


TOOL = {"name": "look", "description": "", "parameters": {"type": "object", "properties": {}}}
REPLIES = [
    "<action>look</action>",
    "hm",
    "",
    "<switch>SWITCH</switch><subgoal>x</subgoal><action>look</action>",
    "y " * 3000,
]


@pytest.mark.parametrize("name", sorted(SCAFFOLDS))
@pytest.mark.parametrize(("tokens", "history"), [(300, None), (900, 3), (4000, None), (4000, 0)])
def test_no_scaffold_passes_the_window_repairs_and_plans_included(name, tokens, history):
    rng = random.Random(7)
    task = Task("text-household-v0", {}, "Rules. " * 60, {}, {}, ("robot_0",), 50)
    made = scaffold_named(name)(Setting(task, "robot_0", prior="Known. " * 50, window_tokens=tokens, history=history))
    for step in range(40):
        text = "\n".join("You see a mug 1 and a desk 2." for _ in range(rng.randrange(1, 30)))
        turn = Turn(text, commands=("look", *(f"go to desk {n}" for n in range(20))), tools=(TOOL,), step=step)
        script = made.turn(turn)
        try:
            ask = next(script)
            while True:
                assert tokens_of(ask.messages, ask.tools) <= tokens
                if history is not None and name != "step":
                    assert sum(m["role"] == "user" for m in ask.messages) <= history + 1
                call = (
                    (ToolCall(id="c", name="look", arguments="{}"),) if name == "tools" and rng.random() < 0.6 else ()
                )
                ask = script.send(Completion(rng.choice(REPLIES), call))
        except UnusableReplyError:
            made.lost(turn, "no action")
        except StopIteration:
            pass


def test_the_task_stays_known_when_the_first_turn_has_left_the_window():
    task = Task("text-household-v0", {}, "Rules.", {}, {}, ("robot_0",), 50)
    for limits in ({"history": 1}, {"window_tokens": 420}):
        made = scaffold_named("react")(Setting(task, "robot_0", **limits))
        for step in range(12):
            turn = Turn(
                "Your task is to: fly." if step == 0 else f"Nothing happens {step}. " * 4, commands=("look",), step=step
            )
            script = made.turn(turn)
            ask = next(script)
            assert any("Your task is to: fly." in str(m["content"]) for m in ask.messages), (limits, step)
            with pytest.raises(StopIteration):
                script.send(Completion("<action>look</action>"))
