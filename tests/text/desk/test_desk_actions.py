"""What a seat may write, and the typed error for each thing that is no action (spec 6.7)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from text.desk.table_of_agents import begun, metrics, say

from ludarium.envs.text.desk.actions import FAULTS, Call, count_tokens, read_action

NAMES = frozenset({"get_order", "list_products"})


def call(name, arguments, key="1"):
    return {"id": key, "type": "function", "function": {"name": name, "arguments": arguments}}


def message(*calls, content=None):
    return json.dumps({"role": "assistant", "content": content, "tool_calls": list(calls)})


@pytest.mark.parametrize(
    "text",
    [
        message(call("get_order", '{"order_id": "OR10001"}')),
        message(call("get_order", {"order_id": "OR10001"})),
        '{"name": "get_order", "arguments": {"order_id": "OR10001"}}',
        ' { "arguments" : "{\\"order_id\\":\\"OR10001\\"}", "name":"get_order" } ',
        "get_order(order_id='OR10001')",
        'get_order( order_id = "OR10001" )',
    ],
)
def test_all_spellings_of_a_call_are_one(text):
    said = read_action(text, NAMES)
    assert [c[1:] for c in said.calls] == [("get_order", {"order_id": "OR10001"})]


def test_words_are_words():
    for text in ("Hello!", "I mean order (the first one)", "say: {no}", "3", "null", message(content="Hello!")):
        assert read_action(text, NAMES).fault == "none"
        assert not read_action(text, NAMES).calls
    assert read_action(message(content="Hello!"), NAMES).text == "Hello!"
    assert read_action("list_products()", NAMES).calls == (Call("0", "list_products", {}),)
    assert read_action("f(a=true, b=null, c=[1])", NAMES).calls[0].arguments == {"a": True, "b": None, "c": [1]}


BAD = [
    ("", "empty", "empty"),
    ("  \n", "empty", "empty"),
    (message(), "empty", "neither text nor tool calls"),
    ('{"name": "get_order", ', "malformed_json", "JSON"),
    ('{"name": "get_order", "arguments": "{oops"}', "malformed_json", "not JSON"),
    ('{"name": 3, "arguments": {}}', "malformed_json", "a name"),
    ('{"what": 1}', "malformed_json", "expected a tool call"),
    ('{"content": 5}', "malformed_json", "content"),
    ('{"tool_calls": [3]}', "malformed_json", "object"),
    ("get_order('OR10001')", "malformed_json", "key='value'"),
    ("get_order(order_id=__import__('os'))", "malformed_json", "plain values"),
    ("get_order(order_id=" + "(" * 400 + ")" * 400 + ")", "malformed_json", "brackets"),
    ("get_order(**{'order_id': 'OR10001'})", "malformed_json", "key='value'"),
    ("{" * 1500, "malformed_json", "brackets"),
    (message(call("get_order", {"order_id": "OR10001"}), content="I look"), "text_and_tool_call", "not both"),
    (message(call("list_products", {}), call("list_products", {})), "duplicate_call_id", "unique"),
    (message(call("get_odrer", {})), "unknown_tool", "no tool 'get_odrer'"),
    (message(call("get_order", {})), "missing_argument", "order_id"),
    (message(call("get_order", {"order_id": "OR10001", "x": 1})), "extra_argument", "'x'"),
    (message(call("get_order", {"order_id": 10001})), "ill_typed_argument", "expected string"),
    (message(call("cancel_order", {"order_id": "OR10001", "reason": "why not"})), "ill_typed_argument", "reason"),
    (message(call("set_newsletter", {"customer_id": "CU10001", "on": 1})), "ill_typed_argument", "boolean"),
    (
        message(call("return_items", {"order_id": "OR1", "item_ids": "IT1", "refund_to": "P"})),
        "ill_typed_argument",
        "array",
    ),
    ("word " * 3000, "message_over_budget", "at most 2000"),
]


@pytest.mark.parametrize(("text", "fault", "words"), BAD)
def test_each_thing_that_is_no_action_has_its_fault_and_changes_no_table(text, fault, words):
    batch = begun(0)
    say(batch, "Hello")
    game = batch.state.games[0]
    before = game.desk.db.hash()
    explained = batch.simulator.explain(batch.state, 0, 0, text, FAULTS.index(fault))
    assert say(batch, text) == FAULTS.index(fault)
    error = json.loads(game.log[-1].text)
    assert error["error"] == fault
    assert words in error["message"]
    assert error["message"] in explained
    assert game.desk.db.hash() == before
    assert game.turn == 0
    assert metrics(batch)["faults"] == 1


def test_all_calls_are_checked_before_the_first_one_runs():
    batch = begun(0)
    say(batch, "Hello")
    game = batch.state.games[0]
    assert say(batch, message(call("list_products", {}, "a"), call("nothing", {}, "b"))) == FAULTS.index("unknown_tool")
    assert [entry.kind for entry in game.log] == ["text", "fault"]
    assert say(batch, message(call("list_products", {}, "a"), call("get_item", {"item_id": "IT10000"}, "b"))) == 0
    assert [(e.kind, e.call_id) for e in game.log[2:]] == [
        ("call", "a"),
        ("result", "a"),
        ("call", "b"),
        ("result", "b"),
    ]


def test_too_many_failed_calls_end_the_conversation():
    batch = begun(0, max_tool_errors=2)
    say(batch, "Hello")
    say(batch, "get_item(item_id='IT1')")
    assert not batch.over[0]
    assert json.loads(batch.state.games[0].log[-1].text) == {"error": "not_found", "message": "there is no item 'IT1'"}
    say(batch, "nonsense(x=1)")
    assert batch.over[0]
    assert metrics(batch)["success"] == 0
    assert batch.state.games[0].ended == "too_many_errors"


def test_whole_floats_are_integers_and_spaces_do_not_count():
    a, b = begun(1), begun(1)
    for batch, dollars, order in ((a, "10", "OR10001"), (b, "10.0", " OR10001 ")):
        say(batch, "Hello")
        assert (
            say(batch, f'{{"name": "give_credit", "arguments": {{"dollars": {dollars}, "order_id": "{order}"}}}}') == 0
        )
    assert a.state.games[0].desk.db.hash() == b.state.games[0].desk.db.hash() != a.state.games[0].start[0].hash()


@settings(max_examples=200)
@given(st.text(max_size=80) | st.text(alphabet='{}[]":,()=abc_1 \n', max_size=60))
def test_any_text_is_read_without_an_error(text):
    said = read_action(text, NAMES)
    assert (said.fault != "none") + bool(said.calls) + bool(said.text) == 1
    assert said.fault == "none" or said.why


@given(st.text(max_size=50), st.text(max_size=50))
def test_tokens_of_two_messages_add_up(a, b):
    assert count_tokens(a + " " + b) == count_tokens(a) + count_tokens(b)
