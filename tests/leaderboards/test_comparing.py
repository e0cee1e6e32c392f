"""Comparisons of agents against scipy, brute force and known truths, and what must not change them."""

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from ludarium.envs.core.errors import StatisticsError
from ludarium.leaderboards import stats
from ludarium.leaderboards.stats import Scores
from ludarium.leaderboards.stats.resampling import drawn_places

numbers = st.floats(-100, 100).map(lambda x: round(x, 2))
lists = st.lists(numbers, min_size=1, max_size=12)
FEW = {"resamples": 60}


@st.composite
def pairs(draw):
    """Two agents' scores over the same episodes of some cases."""
    n = draw(st.integers(1, 12))
    of_n = st.lists(st.integers(0, 6).map(float), min_size=n, max_size=n)
    return draw(of_n), draw(of_n), draw(st.lists(st.sampled_from("abc"), min_size=n, max_size=n))


@given(lists, lists)
def test_probability_of_improvement_is_mann_whitneys_u(x, y):
    found = stats.probability_of_improvement(x, y, paired=False, **FEW)
    assert found.value == pytest.approx(scipy.stats.mannwhitneyu(x, y).statistic / (len(x) * len(y)))
    assert 0 <= found.low <= found.high <= 1


@given(pairs())
def test_probability_of_improvement_is_the_mean_over_cases(drawn):
    x, y, cases = drawn
    expected = 0.0
    for case in set(cases):
        own = [i for i, name in enumerate(cases) if name == case]
        wins = [(x[i] > y[j]) + 0.5 * (x[i] == y[j]) for i, j in itertools.product(own, own)]
        expected += np.mean(wins) * len(own) / len(cases)
    assert stats.probability_of_improvement(x, y, cases, **FEW).value == pytest.approx(expected)


@given(pairs())
def test_what_one_agent_improves_the_other_worsens(drawn):
    x, y, cases = drawn
    one = stats.probability_of_improvement(x, y, cases, **FEW)
    other = stats.probability_of_improvement(y, x, cases, **FEW)
    costs = stats.probability_of_improvement(x, y, cases, higher_is_better=False, **FEW)
    assert one.value == pytest.approx(1 - other.value)
    assert costs.value == pytest.approx(other.value)
    if min(cases.count(case) for case in cases) > 1:  # no case is collapsed with another
        assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low))
    assert stats.probability_of_improvement(x, x, cases, **FEW).value == 0.5


def test_the_interval_of_an_improvement_resamples_pairs():
    """Brute force: the same draws, one resample after the other, with scipy's statistic."""
    generator = np.random.Generator(np.random.PCG64(1))
    x, y = generator.integers(0, 9, 14).astype(float), generator.integers(0, 9, 14).astype(float)
    cases = ["a"] * 8 + ["b"] * 6
    found = []
    for places in drawn_places(14, cases, 200, 7):
        parts = [places[:8], places[8:]]
        assert {cases[p] for p in parts[0]} == {"a"}
        found.append(sum(scipy.stats.mannwhitneyu(x[p], y[p]).statistic / len(p) for p in parts) / 14)
    expected = np.quantile(found, [0.025, 0.975])
    interval = stats.probability_of_improvement(x, y, cases, resamples=200, seed=7)
    assert (interval.low, interval.high) == pytest.approx(tuple(expected))


@given(lists, lists)
def test_a_profile_is_the_empirical_distribution(x, thresholds):
    found = stats.performance_profile(x, sorted(thresholds), **FEW)
    below = scipy.stats.ecdf(-np.array(x)).cdf.evaluate(-np.array(sorted(thresholds)))
    assert found.value == pytest.approx(below)
    costs = stats.performance_profile(x, sorted(thresholds), higher_is_better=False, **FEW)
    assert costs.value == pytest.approx(scipy.stats.ecdf(x).cdf.evaluate(sorted(thresholds)))
    for line in (found.value, found.low, found.high):
        assert (np.diff(line) <= 1e-12).all()
    assert (found.low <= found.high).all()


def test_the_band_of_a_profile_is_the_interval_of_a_share():
    x = np.random.Generator(np.random.PCG64(2)).normal(size=50)
    found = stats.performance_profile(x, [-0.5, 0.0, 1.0])
    for n, threshold in enumerate([-0.5, 0.0, 1.0]):
        share = stats.bootstrap((x >= threshold).astype(float))
        assert (found.value[n], found.low[n], found.high[n]) == pytest.approx(tuple(share))


def test_ranks_of_agents_far_apart_are_single_and_of_equal_agents_are_shared():
    noise = np.random.Generator(np.random.PCG64(3)).normal(size=(4, 80))
    apart = stats.rank_ranges(noise + np.array([[0], [30], [10], [20]]))
    assert [str(r) for r in apart] == ["4", "1", "3", "2"]
    assert [r.rank for r in apart] == [4, 1, 3, 2]
    equal = stats.rank_ranges(np.stack([noise[0]] * 3))
    assert [str(r) for r in equal] == ["1\N{EN DASH}3"] * 3
    assert [r.rank for r in equal] == [1, 1, 1]
    costs = stats.rank_ranges(noise + np.array([[0], [30], [10], [20]]), higher_is_better=False)
    assert [str(r) for r in costs] == ["1", "4", "2", "3"]
    assert [str(r) for r in stats.rank_ranges(noise[:1])] == ["1"]


def test_pairing_finds_a_small_constant_gain_over_hard_and_easy_episodes():
    hard = np.linspace(0, 1000, 40)
    small = np.random.Generator(np.random.PCG64(4)).normal(size=40)
    assert [str(r) for r in stats.rank_ranges(np.stack([hard, hard + 1]))] == ["2", "1"]
    assert [str(r) for r in stats.rank_ranges(np.stack([hard, hard + 2 + small]))] == ["2", "1"]
    apart = stats.rank_ranges(np.stack([hard, (hard + 2)[::-1]]))
    assert [str(r) for r in apart] == ["1\N{EN DASH}2"] * 2


@given(st.integers(1, 4), st.integers(2, 9), st.randoms(use_true_random=False))
def test_a_range_holds_its_rank_and_follows_its_agent(agents, episodes, random):
    table = np.array([[random.randint(0, 5) for _ in range(episodes)] for _ in range(agents)], float)
    found = stats.rank_ranges(table, statistic=stats.iqm, **FEW)
    assert all(1 <= r.best <= r.rank <= r.worst <= agents for r in found)
    order = list(range(agents))
    random.shuffle(order)
    assert stats.rank_ranges(table[order], statistic=stats.iqm, **FEW) == [found[a] for a in order]


def rows_of(table, trials=1):
    return [
        {"agent": agent, "case": case, "seed": seed, "trial": trial, "score": value + trial}
        for agent, values in table.items()
        for (case, seed), value in values.items()
        for trial in range(trials)
    ]


units = st.tuples(st.sampled_from(["easy", "hard"]), st.integers(0, 30))


@given(
    st.lists(units, min_size=1, max_size=8, unique=True).flatmap(
        lambda keys: st.fixed_dictionaries(
            {name: st.fixed_dictionaries(dict.fromkeys(keys, numbers)) for name in "pqr"}
        )
    ),
    st.randoms(use_true_random=False),
)
@settings(max_examples=30)
def test_neither_the_order_of_rows_nor_the_names_of_agents_change_a_figure(table, random):
    rows = rows_of(table, trials=2)

    def figures(rows, names):
        scores = Scores.of(rows, lambda row: row["score"], names)
        ranks = stats.rank_ranges(scores.values, scores.cases, **FEW)
        single = [stats.bootstrap(own, stats.iqm, scores.cases, **FEW) for own in scores.values]
        gain = stats.probability_of_improvement(*scores.values[:2], scores.cases, **FEW)
        profile = stats.performance_profile(scores.values[0], [0.0, 1.0], scores.cases, **FEW)
        return ranks, single, gain, [line.tolist() for line in profile]

    expected = figures(rows, "pqr")
    random.shuffle(rows)
    assert figures(rows, "pqr") == expected
    renamed = {"p": "z", "q": "a", "r": "m"}
    assert figures([{**row, "agent": renamed[row["agent"]]} for row in rows], "zam") == expected


def test_scores_are_means_over_trials_of_a_seed_and_need_all_episodes():
    rows = rows_of({"p": {("a", 1): 1.0, ("a", 2): 2.0}, "q": {("a", 2): 4.0, ("a", 1): 3.0}}, trials=3)
    scores = Scores.of(rows, lambda row: row["score"])
    assert scores.agents == ("p", "q")
    assert scores.seeds == (1, 2)
    assert scores.values.tolist() == [[2.0, 3.0], [4.0, 5.0]]
    assert scores.agent("q").tolist() == [4.0, 5.0]
    with pytest.raises(StatisticsError, match="'q' has no episode of case 'a', seed 1"):
        Scores.of([row for row in rows if (row["agent"], row["seed"]) != ("q", 1)], lambda row: row["score"])
    with pytest.raises(StatisticsError, match="no scores of agent 'Q'"):
        scores.agent("Q")


def test_what_cannot_be_compared_is_an_error():
    for call in (
        lambda: stats.probability_of_improvement([1, 2], [1]),
        lambda: stats.probability_of_improvement([1, 2], [1, 2], ["a"]),
        lambda: stats.probability_of_improvement([1, 2], [1, 2], ["a", "a"], ["a", "b"], paired=False),
        lambda: stats.probability_of_improvement([[1, 2]], [1, 2]),
        lambda: stats.performance_profile([], [1]),
        lambda: stats.performance_profile([1], []),
        lambda: stats.rank_ranges([1, 2]),
        lambda: stats.rank_ranges(np.zeros((0, 3))),
        lambda: stats.rank_ranges([[1.0, float("nan")]]),
        lambda: stats.rank_ranges([[1.0, 2.0]], level=0.0),
        lambda: Scores.of([], lambda row: 0.0),
    ):
        with pytest.raises(StatisticsError):
            call()


@pytest.mark.slow
def test_intervals_and_ranges_hold_the_truth_as_often_as_they_say():
    """Boards of two cases of 25 seeds, with four agents whose true means are known."""
    generator = np.random.Generator(np.random.PCG64(5))
    cases = ["easy"] * 25 + ["hard"] * 25
    skill = np.array([[0.0], [0.3], [0.3], [1.0]])
    boards, inside, gain, ranks = 1000, 0, 0, 0
    chance = scipy.stats.norm.cdf(0.3 / np.sqrt(2))
    for seed in range(boards):
        table = generator.normal(size=(4, 50)) + skill + np.repeat([3.0, 8.0], 25)
        found = stats.bootstrap(table[0], strata=cases, seed=seed)
        inside += found.low <= 5.5 <= found.high
        found = stats.probability_of_improvement(table[1], table[0], cases, seed=seed)
        gain += found.low <= chance <= found.high
        second = stats.rank_ranges(table, cases, seed=seed)[1]
        ranks += second.best <= 2 and second.worst >= 3  # it shares these two places with the third
    assert 0.92 <= inside / boards <= 0.97
    assert 0.92 <= gain / boards <= 0.97
    assert ranks / boards >= 0.93


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_many_agents_at_once_are_each_by_itself(data):
    episodes = data.draw(st.integers(1, 9))
    agents = data.draw(st.integers(1, 5))
    row = st.lists(st.integers(0, 8).map(float), min_size=episodes, max_size=episodes)
    table = np.array([data.draw(row) for _ in range(agents)])
    cases = data.draw(st.lists(st.sampled_from("ab"), min_size=episodes, max_size=episodes))
    higher = data.draw(st.booleans())
    many = stats.Many(table, cases, higher_is_better=higher, **FEW)
    ranges = stats.rank_ranges(table, cases, higher_is_better=higher, **FEW)
    assert [(r.rank, r.best, r.worst) for r in map(many.rank_range, range(agents))] == ranges
    assert [ranges[a].rank for a in many.order()] == sorted(r.rank for r in ranges)
    for agent, found in enumerate(many.means()):
        assert found == pytest.approx(stats.bootstrap(table[agent], stats.mean, cases, **FEW), abs=1e-12)
        assert many.iqm(agent) == pytest.approx(stats.bootstrap(table[agent], stats.iqm, cases, **FEW), abs=1e-12)


def test_a_difference_as_large_as_its_margin_is_within_it():
    """Where few episodes make a tie of the two, no order in which floats are added decides."""
    table = np.array([[1.0, 0, 0, 0, 0], [3, 5, 7, 7, 3], [6, 6, 7, 7, 7]])
    many = stats.Many(table, higher_is_better=False, **FEW)
    expected = [(1, 1, 1), (2, 2, 3), (3, 2, 3)]
    assert [many.rank_range(agent) for agent in range(3)] == expected
    assert stats.rank_ranges(table, higher_is_better=False, **FEW) == expected


def test_agents_with_episodes_of_their_own_are_resampled_for_themselves():
    same = np.tile(np.arange(20.0), (2, 1))
    assert stats.Many(same).rank_range(0) == (1, 1, 2)
    apart = stats.Many(np.stack([np.arange(20.0), np.arange(20.0) + 3]), paired=False)
    assert [apart.rank_range(agent) for agent in (0, 1)] == [(2, 1, 2), (1, 1, 2)]  # the spread of both is larger
    paired = stats.Many(np.stack([np.arange(20.0), np.arange(20.0) + 3]))
    assert [paired.rank_range(agent) for agent in (0, 1)] == [(2, 2, 2), (1, 1, 1)]
    assert apart.means()[0] == pytest.approx(stats.bootstrap(np.arange(20.0)), abs=1e-12)
    with pytest.raises(StatisticsError):
        stats.Many(np.zeros((0, 3)))
    with pytest.raises(StatisticsError):
        apart.rank_range(0, level=1.0)
