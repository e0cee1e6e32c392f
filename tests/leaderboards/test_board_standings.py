"""Who stands where: tables worked out by hand, ranks by brute force, and who counts."""

import dataclasses
import itertools

import numpy as np
import pytest
from board_made import listed, waiting
from hypothesis import given, settings
from hypothesis import strategies as st

from ludarium.leaderboards import stats
from ludarium.leaderboards.board import standings as module
from ludarium.leaderboards.board.standings import agent_id, standings


def names(group):
    return [row.entry.name for row in group.rows]


def the_group(track, entries):
    (group,) = standings(track, entries).groups
    return group


def test_a_tiny_board_by_hand(tiny_track):
    """Two cases of four seeds each; all figures below were worked out on paper."""
    board = the_group(tiny_track, [
        listed(tiny_track, "low", [1, 1, 1, 1, 0, 0, 0, 0], key="l"),
        listed(tiny_track, "high", [3, 3, 3, 3, 4, 4, 4, 4], key="h"),
        listed(tiny_track, "gaps", [8, None, None, None, 0, 0, 0, 0], key="g"),
    ])  # fmt: skip
    assert names(board) == ["high", "gaps", "low"]
    high, gaps, low = board.rows
    assert [row.mean.value for row in board.rows] == [3.5, 1.0, 0.5]
    assert (high.mean.low, high.mean.high) == (3.5, 3.5)  # inside a case nothing varies
    assert [row.iqm.value for row in board.rows] == [3.5, 0.0, 0.5]
    assert (high.rank, high.ranks.best, gaps.rank, low.rank) == (1, 1, 2, 3)
    assert (gaps.missing, low.missing) == (3, 0)
    assert low.ranks.best == gaps.ranks.best  # one lucky episode tells nothing
    # of the 16 pairs of a case: "gaps" wins 4 of 16, loses 12, and 16 ties of 16: (4/16 + 1/2) / 2
    assert board.improvement[gaps.entry.digest, low.entry.digest].value == pytest.approx(0.375)
    assert board.improvement[high.entry.digest, low.entry.digest] == (1, 1, 1)
    profile = dict(zip(board.profiles[0].thresholds.tolist(), board.profiles[0].value.tolist(), strict=True))
    assert (profile[0.0], profile[8.0]) == (1.0, 0.0)
    assert board.paired
    assert board.episodes == 8
    assert "no reference figures" in board.scale


def test_lower_is_better_where_the_track_says_so(tiny_track):
    track = dataclasses.replace(tiny_track, higher_is_better=False, worst=10.0)
    board = the_group(track, [
        listed(track, "many", [5] * 8, key="a"), listed(track, "few", [2] * 8, key="b"),
        listed(track, "gap", [2] * 7 + [None], key="c"),
    ])  # fmt: skip
    assert names(board) == ["few", "gap", "many"]
    assert [row.rank for row in board.rows] == [1, 2, 3]
    assert board.rows[1].mean.value == 3.0


@given(st.lists(st.lists(st.integers(0, 5), min_size=8, max_size=8), min_size=1, max_size=5))
@settings(max_examples=12, deadline=None)
def test_ranks_are_those_of_brute_force(tiny_track, table):
    entries = [listed(tiny_track, f"agent {n}", row, key=str(n)) for n, row in enumerate(table)]
    board = the_group(tiny_track, entries)
    values = {f"agent {n}": float(np.mean(row)) for n, row in enumerate(table)}
    ranges = stats.rank_ranges(np.array(table, float), [case for case, _, _ in tiny_track.units()])
    for row in board.rows:
        own = values[row.entry.name]
        assert row.rank == 1 + sum(other > own + 1e-12 for other in values.values())
        assert row.ranks == ranges[int(row.entry.name.split()[1])]
    assert [values[name] for name in names(board)] == sorted(values.values(), reverse=True)


def test_the_latest_of_an_agent_counts_and_all_attempts_are_counted(tiny_track):
    entries = [
        listed(tiny_track, "mine", [3] * 8, number=0),
        listed(tiny_track, "mine", [1] * 8, number=1),
        listed(tiny_track, "mine", [9] * 8, number=2, problems=["the replay differs at step 3"]),
        dataclasses.replace(listed(tiny_track, "mine", [8] * 8, number=3), retracted="trained on the test seeds"),
        listed(tiny_track, "my other", [2] * 8, number=4),
        listed(tiny_track, "mine", [2] * 8, key="somebody else"),
        waiting(tiny_track, "late"),
        waiting(tiny_track, "held", "leased"),
        waiting(tiny_track, "odd", "stuck", error="no memory"),
        dataclasses.replace(listed(tiny_track, "gone", [7] * 8, key="g"), erased=True, name="", key=""),
        dataclasses.replace(listed(tiny_track, "old", [7] * 8, key="o"), version=2),
    ]
    found = standings(tiny_track, entries)
    (group,) = found.groups
    assert [(row.entry.name, row.mean.value, row.attempts, row.entrant) for row in group.rows] == [
        ("my other", 2.0, 1, 5), ("mine", 2.0, 1, 1), ("mine", 1.0, 4, 5),
    ]  # fmt: skip
    assert [(aside.status, aside.entry.name) for aside in found.aside] == [
        ("stale", "old"), ("erased", ""), ("stuck", "odd"), ("verifying", "held"), ("waiting", "late"), ("retracted", "mine"),
        ("rejected", "mine"), ("superseded", "mine"),
    ]  # fmt: skip
    why = {aside.status: aside.why for aside in found.aside}
    assert why["retracted"] == "trained on the test seeds"
    assert "step 3" in why["rejected"]
    assert why["stuck"] == "no memory"
    means = {aside.status: aside.mean for aside in found.aside if aside.mean}
    assert means == {"stale": (7, 7, 7), "erased": (7, 7, 7), "retracted": (8, 8, 8), "superseded": (3, 3, 3)}
    assert found.submissions == len(entries) == len(group.rows) + len(found.aside)


def test_an_agent_is_a_label_of_an_account_or_a_key(tiny_track):
    one = listed(tiny_track, "Agent", [1] * 8)
    assert agent_id(one) == agent_id(dataclasses.replace(one, name="AGENT\u200b", digest="0" * 64))  # it looks the same
    assert agent_id(one) != agent_id(dataclasses.replace(one, key="b" * 64))
    assert agent_id(one) != agent_id(dataclasses.replace(one, name="Agent 2"))
    account = dataclasses.replace(one, account="Ada")
    assert agent_id(account) == agent_id(dataclasses.replace(account, key="b" * 64))


def test_tiers_and_rounds_have_tables_of_their_own(tiny_track):
    def sealed(name, scores, seeds, round_):
        own = [(case, seed + seeds, trial) for case, seed, trial in tiny_track.units()]
        return listed(tiny_track, name, scores, key=name, tier="sealed", places=own, round=round_)

    entries = [
        sealed("first", [1, 2, 3, 4, 5, 6, 7, 8], 100, "spring"),
        listed(tiny_track, "public", [9] * 8),
        sealed("first", [2, 2, 3, 4, 5, 6, 7, 9], 200, "autumn"),
        sealed("second", [2, 3, 4, 5, 6, 7, 8, 9], 300, "autumn"),
    ]
    found = standings(tiny_track, entries)
    assert [(g.tier, g.round, names(g), g.paired) for g in found.groups] == [
        ("sealed", "autumn", ["second", "first"], False), ("sealed", "spring", ["first"], True),
        ("replayed", None, ["public"], True),
    ]  # fmt: skip
    assert found.groups[0].rows[0].ranks == (1, 1, 2)
    assert found.leader.entry.name == "second"
    assert found.groups[0].rows[0].attempts == 1


def test_the_same_plays_of_another_entrant_are_told(tiny_track):
    original = listed(tiny_track, "original", [1] * 8, key="a")
    copy = dataclasses.replace(
        listed(tiny_track, "copy", [1] * 8, key="b"),
        plays=(*original.plays[:3], *listed(tiny_track, "c", [1] * 8).plays[3:]),
    )
    again = dataclasses.replace(listed(tiny_track, "again", [1] * 8, key="a"), plays=original.plays)
    found = {row.entry.name: dict(row.copies) for row in the_group(tiny_track, [original, copy, again]).rows}
    assert found == {
        "original": {copy.digest: 3}, "again": {copy.digest: 3}, "copy": {original.digest: 3, again.digest: 3}
    }  # fmt: skip


def test_what_entrants_report_is_a_mean_over_what_they_told(tiny_track):
    entry = listed(tiny_track, "a", [1] * 8, reported={"wall_s": [1.0, None, 3.0] + [None] * 5, "tokens": [None] * 8})
    (row,) = the_group(tiny_track, [entry]).rows
    assert row.told == {"wall_s": (2.0, 2)}


def test_trials_count_as_one_and_give_pass_hat_k(tiny_track):
    places = [(case, seed, trial) for case, seed, _ in tiny_track.units() for trial in range(2)]
    scores = [1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1]
    (row,) = the_group(tiny_track, [listed(tiny_track, "a", scores, places=places)]).rows
    assert row.mean.value == 0.5
    assert row.iqm.value == pytest.approx(0.5)
    assert [found.every.value for found in row.passes] == [0.5, 3 / 8]
    assert [found.some.value for found in row.passes] == [0.5, 5 / 8]


def test_normalised_scores_stand_beside_the_others(monkeypatch, tiny_track):
    from ludarium.leaderboards.normalise import Reference, References

    cases = {"two": {"throughput": Reference(1.0, 3.0)}, "four": {"throughput": Reference(0.0, 4.0)}}
    known = References("tiny", 1, tiny_track.scenario_hash, "test", "random", "lns", 4, "run", "command", "0.1", cases)
    monkeypatch.setattr(module, "references_for", lambda scenario, split: known)
    (row,) = the_group(tiny_track, [listed(tiny_track, "a", [3, 3, 3, 3, 2, 2, 2, 2])]).rows
    assert row.normalised == pytest.approx((0.75, 0.75, 0.75))


def test_large_boards_draw_the_first_and_rank_all(monkeypatch, tiny_track):
    monkeypatch.setattr(module, "DETAILED", 3)
    rows = [[n % 4] * 8 for n in range(10)]
    board = the_group(tiny_track, [listed(tiny_track, str(n), row, key=str(n)) for n, row in enumerate(rows)])
    assert [row.rank for row in board.rows] == [1, 1, 3, 3, 5, 5, 5, 8, 8, 8]
    assert [row.ranks is not None for row in board.rows] == [True] * 3 + [False] * 7
    assert [row.iqm is not None for row in board.rows] == [True] * 3 + [False] * 7
    assert len(board.compared) == module.COMPARED
    pairs = set(itertools.permutations([row.entry.digest for row in board.compared], 2))
    assert set(board.improvement) == pairs


def test_an_empty_board_has_no_tables(tiny_track):
    found = standings(tiny_track, [])
    assert (found.groups, found.aside, found.leader) == ((), (), None)
