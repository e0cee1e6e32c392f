"""Where numbers are places in a list that changes, traces hold what they mean."""

import copy

import numpy as np
import pytest
from core.worlds import words

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import TraceError
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.core.trace import decode, encode
from ludarium.leaderboards.export import _episode as exported

ID = "test-letters-v0"
assert words.Letters


def begun(rows=1):
    batch = Batch(make_simulator(ID), rows, ID)
    every = np.ones(rows, np.bool_)
    batch.seed(every, list(range(rows)))
    batch.reset(every)
    return batch


def picked(batch, *places):
    for place in places:
        batch.actions[0][:, 0] = place
        batch.step()
    return batch


def test_the_trace_holds_what_was_picked():
    trace = picked(begun(), 0, 0, 5, 2).trace()
    assert trace.actions == [[["a"], ["b"], [""], ["e"]]]
    found = decode(encode(trace))
    assert found.header["roles"][0]["type"] == "json"
    assert found.actions == trace.actions
    assert found.replay().ok


def test_rows_that_are_over_keep_theirs_and_snapshots_cut_them():
    batch = begun(2)
    kept = picked(batch, 4).snapshot()
    picked(batch, 0, 0, 0, 0, 0, 0)
    assert [len(batch.trace(b).actions[0]) for b in (0, 1)] == [5, 5]
    batch.restore(kept)
    assert batch.trace().actions == [[["e"]]]
    assert picked(copy.deepcopy(batch), 3).trace(1).actions == [[["e"], ["d"]]]


@pytest.mark.parametrize("letter", ["z", "a", "e "])
def test_what_is_not_in_the_list_cannot_be_played(letter):
    trace = picked(begun(), 0, 0, 0).trace()
    trace.actions[0][1] = [letter]
    with pytest.raises(TraceError, match="step 1"):
        trace.replay()


def test_exports_for_learners_hold_the_numbers():
    _, columns = exported(picked(begun(), 4, 5, 0, 0).trace())
    assert [int(action) for action in columns["actions"]] == [4, 4, 0, 0]
