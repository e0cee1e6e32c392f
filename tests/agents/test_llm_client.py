"""Requests are named by what decides their answer; secrets are taken out of whatever is written."""

import dataclasses
import json
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llm_doubles import ask

from ludarium.agents.llm.client import Completion, Usage
from ludarium.agents.llm.redact import MARK, Redactor
from ludarium.agents.llm.tokens import count_tokens, prompt_tokens

OTHERS = {
    "model": "other",
    "messages": ({"role": "user", "content": "else"},),
    "tools": ({"type": "function", "function": {"name": "look", "parameters": {}}},),
    "max_tokens": 7,
    "temperature": 0.0,
    "seed": 0,
    "stop": ("\n",),
    "extra": {"top_p": 0.5},
}


@pytest.mark.parametrize("field", OTHERS)
def test_whatever_decides_the_answer_is_in_the_key(field):
    assert dataclasses.replace(ask(), **{field: OTHERS[field]}).key != ask().key


def test_who_asks_is_not_in_the_key():
    assert ask(session="a", call=3).key == ask(session="b").key == ask().key


def test_the_key_is_the_same_in_every_process_and_whatever_the_order_of_members():
    code = (
        "from ludarium.agents.llm.client import Request\n"
        "print(Request('tiny', ({'content': 'You play.', 'role': 'system'}, {'content': 'é🙂', 'role': 'user'})).key)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ask("é🙂").key


def test_what_looks_like_a_secret_is_not_in_the_key():
    assert ask("key sk-aaaaaaaaaaaaaaaaaaaa1 ok").key == ask("key sk-bbbbbbbbbbbbbbbbbbbb2 ok").key != ask("key ok").key


def test_lone_surrogates_have_a_key():
    assert ask("\ud800").key


def test_a_completion_survives_json():
    calls = ({"id": "1", "name": "look", "arguments": "{"},)
    given = Completion("a", calls, "tool_calls", Usage(1, 2), "m", 3, 0.5, Usage(4, 5, True), 6)
    assert Completion.from_dict(json.loads(json.dumps(given.as_dict()))) == given
    assert Completion.from_dict(Completion("a").as_dict()) == Completion("a")


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key: sk-proj-Ab3dEf6hIj9kLmN0pQr.",
        "Authorization: Bearer abcdef123456",
        "https://user:pa55word@host/v1",
        "the value hunter2hunter2 itself",
    ],
)
def test_secrets_are_found_by_value_and_by_look(text):
    cleaned = Redactor(["hunter2hunter2"]).text(text)
    assert MARK in cleaned
    assert not any(secret in cleaned for secret in ("Ab3dEf6hIj9", "abcdef123456", "pa55word", "hunter2"))


@pytest.mark.parametrize(
    "text", ["take the task-force-from-desk 12", "the bearer instruments", "see https://host:80/a@b", "sk-learn"]
)
def test_words_are_no_secrets(text):
    assert Redactor(["none", ""]).text(text) == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON, st.from_regex(r"[a-zA-Z][a-zA-Z0-9]{5,19}", fullmatch=True).filter(lambda s: s not in MARK))
def test_no_known_secret_survives_in_a_json_value(value, secret):
    planted = {"a": [value, f"x{secret}y"], secret: secret}
    assert secret not in json.dumps(Redactor([secret]).value(planted), ensure_ascii=False)


@given(st.text(), st.text())
def test_the_count_of_tokens_grows_with_the_text(a, b):
    assert 0 <= count_tokens(a) <= count_tokens(a + " " + b) <= count_tokens(a) + count_tokens(b) + 1


def test_a_prompt_counts_its_messages_calls_and_tools():
    plain = prompt_tokens(ask())
    assert plain == 4 + count_tokens("You play.") + 4 + count_tokens("where is the mug?")
    assert prompt_tokens(ask(tools=OTHERS["tools"])) > plain
    with_call = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "look"}}]}
    assert prompt_tokens(dataclasses.replace(ask(), messages=(with_call,))) > 4


@given(st.text())
def test_the_count_of_tokens_is_what_it_says(text):
    """The definition, written as a pattern."""
    pieces = re.findall(r"[A-Za-z]{1,6}|[0-9]{1,3}|[^ \t\r\v\fA-Za-z0-9]", text)
    assert count_tokens(text) == len(pieces) + sum(piece > "\x7f" for piece in pieces)
