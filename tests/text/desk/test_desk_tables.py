"""The database and its hash: the order and spelling of values play no part, reads change nothing, a write costs one row."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ludarium.envs.text.desk.domain import base_of
from ludarium.envs.text.desk.tables import Base, Tables, row_digest

KEYS = st.sampled_from(["A1", "A2", "A3", "B9"])
VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 99) | st.sampled_from(["x", "y", "25"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("pq"), inner, max_size=2),
    max_leaves=4,
)
ROWS = st.dictionaries(st.sampled_from(["a", "b", "seen"]), VALUES, max_size=3)
VOLATILE = {"t": frozenset({"seen"})}


def respelled(value: Any) -> Any:
    """The same value in another spelling: floats for integers, keys in another order, spaces around words."""
    if isinstance(value, dict):
        return {key: respelled(value[key]) for key in reversed(value)}
    if isinstance(value, list):
        return [respelled(part) for part in value]
    if isinstance(value, bool) or value is None:
        return value
    return f" {value} " if isinstance(value, str) else float(value)


@given(ROWS)
def test_spelling_plays_no_part(row):
    assert row_digest("t", "A1", row) == row_digest("t", "A1", respelled(row))


def test_what_differs_has_another_digest():
    seen = {row_digest("t", "A1", {"a": value}) for value in (25, 26, "25", True, None, [25], {"a": 25})}
    assert len(seen) == 7
    assert row_digest("t", "A1", {"a": 25}) == row_digest("t", "A1", {"a": 25.0})
    assert row_digest("t", "A1", {}) != row_digest("t", "A2", {}) != row_digest("u", "A2", {})


@given(st.lists(st.tuples(KEYS, ROWS | st.none(), st.booleans()), max_size=12))
def test_the_running_hash_is_that_of_the_rows_whenever_it_is_asked_for(writes):
    base = Base({"t": {"A1": {"a": 1, "seen": 0}, "A2": {"a": 2, "seen": 0}}}, VOLATILE)
    db, plain = Tables(base), {key: dict(row) for key, row in base.tables["t"].items()}
    for key, row, asked in writes:
        if row is not None:
            db.put("t", key, row)
            plain[key] = row
        elif key in plain:
            db.delete("t", key)
            del plain[key]
        if asked:
            assert db.total == db.recount()
            db = db.copy()
    assert dict(db.rows("t")) == plain
    assert db.total == db.recount() == Base({"t": plain}, VOLATILE).total
    assert base.tables["t"] == {"A1": {"a": 1, "seen": 0}, "A2": {"a": 2, "seen": 0}}


@given(st.permutations([("A1", {"a": 5}), ("A2", {"a": 6}), ("A3", {"a": 7})]))
def test_the_order_of_writes_plays_no_part(writes):
    db = Tables(Base({"t": {"A1": {"a": 1}}}))
    for key, row in writes:
        db.put("t", key, row)
    straight = Base({"t": {"A1": {"a": 5}, "A2": {"a": 6}, "A3": {"a": 7}}})
    assert db.total == straight.total


def test_volatile_columns_play_no_part_and_copies_part_ways():
    db = Tables(Base({"t": {"A1": {"a": 1, "seen": 0}}}, VOLATILE))
    before = db.hash()
    db.update("t", "A1", seen=9)
    assert db.hash() == before
    twin = db.copy()
    twin.update("t", "A1", a=2)
    assert db.hash() == before != twin.hash()
    assert db.get("t", "A1") == {"a": 1, "seen": 9}
    with pytest.raises(KeyError, match="no row 'A7'"):
        db.update("t", "A7", a=1)
    with pytest.raises(KeyError, match="no row 'A7'"):
        db.delete("t", "A7")


def test_lookups_by_a_column_see_what_changed():
    db = Tables(Base({"t": {"A1": {"a": 1}, "A2": {"a": 1}}}))
    db.update("t", "A2", a=2)
    db.put("t", "A3", {"a": 1})
    assert db.where("t", "a", 1) == ["A1", "A3"]


@pytest.mark.parametrize("domain", ["retail", "travel", "telecom"])
def test_generated_databases_are_shared_and_have_the_sizes_that_the_page_says(domain):
    base = base_of(domain, 0, 500)
    assert copy.deepcopy(base) is base
    assert pickle.loads(pickle.dumps(base)) is base
    sizes = {name: len(rows) for name, rows in base.tables.items()}
    assert sizes["customers"] == 500
    assert max(sizes.values()) >= 1000
    people = base.tables["customers"].values()
    assert len({row["email"] for row in people}) == 500
    assert len({(row["first_name"], row["last_name"], row["zip"]) for row in people}) == 500
    assert base_of(domain, 1, 500).total != base.total
