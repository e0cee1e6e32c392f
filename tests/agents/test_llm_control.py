"""One control state for all scaffolds: it survives its text, and cuts episodes alike."""

import json

import pytest

from ludarium.agents.llm.control import MAX_DEPTH, ControlState, segments
from ludarium.envs.core.errors import TraceError


def test_every_kind_survives_its_text():
    kinds = [
        ControlState(),
        ControlState.of_stack(("solve", ""), ("fetch", 'a "mug"')).older(),
        ControlState.of_state("plan").older().older(),
        ControlState.of_subgoal("find a mug é"),
    ]
    for state in kinds:
        assert ControlState.from_text(state.as_text()) == state
    assert kinds[0].as_text() is None
    assert kinds[1].goal == 'fetch: a "mug"'


def test_texts_are_short_and_on_one_line():
    state = ControlState.of_subgoal("x\n" * 10_000)
    assert len(state.as_text()) < 200
    assert "\n" not in state.text
    full = ControlState.of_stack(*[("p" * 500, "o" * 500)] * MAX_DEPTH)
    assert len(full.as_text()) < 300 * MAX_DEPTH


def test_the_stack_has_a_bound():
    full = ControlState.of_stack(*[("p", "o")] * MAX_DEPTH)
    with pytest.raises(ValueError, match="at most"):
        full.pushed("p", "o")
    assert len(full.popped().stack) == MAX_DEPTH - 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "7",
        "null",
        '{"kind":1}',
        '{"kind":"x","age":"y"}',
        '{"kind":"x","age":0,"stack":[1]}',
        "[" * 90_000,
    ],
)
def test_what_is_no_control_state_is_refused(text):
    with pytest.raises(TraceError):
        ControlState.from_text(text)


def test_segments_begin_where_something_new_is_aimed_at():
    a, b = ControlState.of_subgoal("a"), ControlState.of_subgoal("b")
    states = [a]
    for aim in (a, b, b, a):
        states.append(states[-1].then(aim))
    assert [state.age for state in states] == [0, 1, 0, 1, 0]
    assert segments([state.as_text() for state in states]) == [(0, 1), (2, 3), (4, 4)]
    assert segments([None, None, None]) == [(0, 2)]
    assert segments([]) == []
    assert json.loads(states[1].as_text())["age"] == 1
