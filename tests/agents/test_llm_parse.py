"""Replies and what is read from them, case by case; a reading is never a guess."""

import contextlib
import random

import pytest

from ludarium.agents.llm.client import Completion, ToolCall
from ludarium.agents.llm.parse import MAX_REPLY, Reading, ReplyError, choose, read_action, read_call, read_tag

COMMANDS = (
    "go to cabinet 1",
    "go to cabinet 11",
    "go to countertop 1",
    "take mug 1 from countertop 1",
    "open fridge 1",
    "look",
    "inventory",
)


def read(text, finish="stop", commands=COMMANDS):
    return read_action(Completion(text, finish=finish), commands)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("<action>look</action>", "look", id="strict"),
        pytest.param("<think>a <b> c</think>\n<action>look</action> bye", "look", id="words around"),
        pytest.param("<action>\n  look\n</action>", "look", id="spaces inside"),
        pytest.param("<ACTION>look</Action>", "look", id="other case"),
        pytest.param("< action >look< / action >", "look", id="spaces in tags"),
        pytest.param("<action>inventory</action> no: <action>look</action>", "look", id="duplicated: the last"),
        pytest.param("<action><action>look</action></action>", "look", id="nested: the innermost"),
        pytest.param("<action>inventory <action>look</action>", "look", id="opened twice"),
        pytest.param("<action>look", "look", id="never closed"),
        pytest.param("<action></action><action>look</action>", "look", id="an empty one before"),
        pytest.param("Thought: hm\nAction: look", "look", id="a line"),
        pytest.param("**Action:** look", "look", id="a line in bold"),
        pytest.param("look", "look", id="bare"),
        pytest.param("Look.", "look", id="bare, with a full stop"),
        pytest.param("<action>`LOOK`</action>", "look", id="quoted"),
        pytest.param("<action>```\nlook\n```</action>", "look", id="fenced"),
        pytest.param("<action>go  to\tcabinet 1</action>", "go to cabinet 1", id="inner spaces"),
        pytest.param("<action>go to cabinet 11.</action>", "go to cabinet 11", id="eleven is not one"),
    ],
)
def test_what_the_model_said_is_read_as_said(text, wanted):
    assert read(text) == Reading(wanted, mended=False)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("take the mug 1 from the countertop 1", "take mug 1 from countertop 1"),
        ("go to the countertop 1", "go to countertop 1"),
        ("open frigde 1", "open fridge 1"),
        ("take mug 1 off countertop 1", None),
        ("take mugs 1 from countertops 1", "take mug 1 from countertop 1"),
        ("inventry", "inventory"),
        ("go to cabinet 2", None),
        ("take cup 1 from countertop 1", None),
        ("open fridge", None),
        ("close fridge 1", None),
        ("", None),
    ],
)
def test_a_slip_of_the_pen_is_mended_and_another_meaning_is_not(text, wanted):
    if wanted is None:
        with pytest.raises(ReplyError):
            choose(text, COMMANDS)
    else:
        assert choose(text, COMMANDS) == Reading(wanted, mended=True)


def test_opposites_are_no_slips():
    for said, other in [("up", "down"), ("east", "west"), ("north", "south"), ("open", "close"), ("heat", "cool")]:
        with pytest.raises(ReplyError):
            choose(f"go {said}", [f"go {other}", "wait"])
    with pytest.raises(ReplyError, match="no command"):
        choose("cook 1", ["cool 1"])


def test_two_that_fit_are_ambiguous():
    with pytest.raises(ReplyError, match="several") as caught:
        choose("take cup", ["take cups", "take cupx"])
    assert caught.value.kind == "ambiguous"
    assert choose("Take Mug", ["take mug", "Take mug"][:1]).value == "take mug"
    with pytest.raises(ReplyError, match="several"):
        choose("TAKE MUG", ["take mug", "Take mug"])
    assert choose("Take mug", ["take mug", "Take mug"]).value == "Take mug"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        pytest.param(Completion(""), "empty", id="empty"),
        pytest.param(Completion(" \n\t"), "empty", id="blank"),
        pytest.param(Completion("<action></action>"), "no_action", id="empty tags"),
        pytest.param(Completion("I cannot help.", finish="refusal"), "refused", id="refused in words"),
        pytest.param(Completion("<action>look</action>", finish="refusal"), "refused", id="refused with an action"),
        pytest.param(Completion("", finish="content_filter"), "refused", id="filtered"),
        pytest.param(Completion("", finish="length"), "truncated", id="cut before the first word"),
        pytest.param(Completion("<think>so I", finish="length"), "truncated", id="cut in a thought"),
        pytest.param(Completion("<action>go to cabinet 1", finish="length"), "truncated", id="cut in a command"),
        pytest.param(Completion("look", finish="length"), "truncated", id="cut, and bare"),
        pytest.param(Completion("Action: look", finish="length"), "truncated", id="cut, and a line"),
        pytest.param(Completion("x" * (MAX_REPLY + 1)), "long", id="over-long"),
        pytest.param(Completion("<action>look</action>" + " x" * MAX_REPLY), "long", id="over-long with an action"),
        pytest.param(
            Completion("Let me think about that for a while, since it is not easy at all."), "no_action", id="prose"
        ),
        pytest.param(Completion("<action>dance</action>"), "illegal", id="no command"),
    ],
)
def test_what_is_no_action_says_why(reply, kind):
    with pytest.raises(ReplyError) as caught:
        read_action(reply, COMMANDS)
    assert caught.value.kind == kind
    assert len(str(caught.value)) < 400


def test_a_whole_tag_counts_though_the_reply_was_cut_after_it():
    assert read("<action>look</action> and then I will", "length").value == "look"


def test_free_text_is_taken_as_it_stands():
    message = 'Dear customer,\nyour <order> "OR1" is {late}.'
    assert read(f"<action>{message}</action>", commands=None) == Reading(message)
    with pytest.raises(ReplyError):
        read("Dear customer, without a tag", commands=None)


def test_no_reply_whatsoever_breaks_the_reader():
    parts = [
        "<action>",
        "</action>",
        "<",
        ">",
        "look",
        "go to cabinet 1",
        "\n",
        " ",
        "`",
        "Action:",
        "</",
        "\x00",
        "é",
        "<ACTION>",
    ]
    rng = random.Random(5)
    for _ in range(3000):
        text = "".join(rng.choice(parts) for _ in range(rng.randrange(12)))
        for finish in ("stop", "length"):
            with contextlib.suppress(ReplyError):
                assert read(text, finish).value in COMMANDS
    for nasty in ("<action>" * 8000, "<" + " " * 60_000, "<action>" + "< /" * 20_000, "</action>" * 7000):
        with pytest.raises(ReplyError):
            read(nasty[:MAX_REPLY])


def test_a_tag_that_is_not_there_is_none():
    assert read_tag("no tags", "plan") is None
    assert read_tag("<plan>x", "plan", cut=True) is None
    assert read_tag("<plan>x", "plan") == "x"


# --- tool calls --------------------------------------------------------------------------------------------------------
TOOLS = {"open": {"properties": {"thing": {}}}, "look": {"properties": {}}}
DESK = {**TOOLS, "say": {"properties": {"message": {"type": "string"}}}}


def called(*calls, text="", finish="tool_calls"):
    made = tuple(ToolCall(id=f"c{n}", name=name, arguments=arguments) for n, (name, arguments) in enumerate(calls))
    return Completion(text, made, finish)


def test_a_call_is_read():
    found = read_call(called(("open", '{"thing": "fridge 1"}')), TOOLS)
    assert found == Reading({"name": "open", "arguments": {"thing": "fridge 1"}, "id": "c0"})
    assert read_call(called(("look", "")), TOOLS).value["arguments"] == {}


def test_of_several_calls_the_first_counts_and_the_turn_is_mended():
    found = read_call(called(("look", "{}"), ("open", '{"thing": "x"}')), TOOLS)
    assert found.mended
    assert found.value["name"] == "look"


def test_words_are_said_where_there_is_somebody_to_say_them_to():
    assert read_call(Completion("Hello."), DESK).value == {"name": "say", "arguments": {"message": "Hello."}}
    with pytest.raises(ReplyError, match="no tool"):
        read_call(Completion("Hello."), TOOLS)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (called(("dance", "{}")), "illegal"),
        (called(("open", '{"thing": ')), "no_action"),
        (called(("open", '{"thing": '), finish="length"), "truncated"),
        (called(("open", "[1]")), "no_action"),
        (called(("open", '"fridge"')), "no_action"),
        (called(("open", "[" * 100_000)), "long"),
        (called(("open", "[" * 50_000)), "no_action"),
        (called(("open", "{}"), finish="refusal", text="no"), "refused"),
        (Completion("", finish="stop"), "empty"),
        (Completion("Hel", finish="length"), "truncated"),
    ],
)
def test_calls_that_are_none_say_why(reply, kind):
    with pytest.raises(ReplyError) as caught:
        read_call(reply, DESK)
    assert caught.value.kind == kind
