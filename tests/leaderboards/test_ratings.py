"""Ratings against the numbers in openskill's own manual, and what must not change them."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ludarium.envs.core.errors import StatisticsError
from ludarium.leaderboards.stats import Match, ratings


@st.composite
def matches(draw):
    """Matches of two to four of five agents."""
    found = []
    for n in range(draw(st.integers(1, 8))):
        agents = draw(st.lists(st.sampled_from("abcde"), min_size=2, max_size=4, unique=True))
        scores = draw(st.lists(st.integers(0, 3).map(float), min_size=len(agents), max_size=len(agents)))
        found.append(Match(("case", n), tuple((a,) for a in agents), tuple(scores)))
    return found


def as_dict(rated):
    return {r.agent: (r.mu, r.sigma, r.matches) for r in rated}


def test_the_example_of_openskills_manual():
    """Its user manual, sections "The Basics" and "Ranks": two teams of two new players, the first wins."""
    match = Match(("only",), (("john", "jane"), ("joe", "jill")), (1.0, 0.0))
    for order in ("average", "key", "given"):
        found = {r.agent: r for r in ratings([match], order)}
        for name, mu, ordinal in (
            ("john", 26.964294621803063, 2.4304068086330872),
            ("jane", 26.964294621803063, 2.4304068086330872),
            ("joe", 23.035705378196937, -1.4981824349730388),
            ("jill", 23.035705378196937, -1.4981824349730388),
        ):
            assert found[name].mu == pytest.approx(mu, rel=1e-12)
            assert found[name].sigma == pytest.approx(8.177962604389991, rel=1e-12)
            assert found[name].ordinal == pytest.approx(ordinal, rel=1e-9)


def test_who_wins_more_is_rated_higher():
    strength = {"strong": 3.0, "middle": 2.0, "weak": 1.0}
    games = [
        Match((n, a, b), ((a,), (b,)), (strength[a], strength[b]))
        for n in range(10)
        for a, b in itertools.combinations(strength, 2)
    ]
    found = ratings(games)
    assert [r.agent for r in found] == ["strong", "middle", "weak"]
    assert all(r.matches == 20 for r in found)


@given(matches(), st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_neither_the_order_of_matches_nor_names_change_a_rating(played, random):
    renamed = dict(zip("abcde", "vzxyw", strict=True))
    for order in ("average", "key"):
        expected = as_dict(ratings(played, order, shuffles=4))
        mixed = list(played)
        random.shuffle(mixed)
        assert as_dict(ratings(mixed, order, shuffles=4)) == expected
        other = [m._replace(teams=tuple((renamed[a],) for (a,) in m.teams)) for m in played]
        assert as_dict(ratings(other, order, shuffles=4)) == {renamed[a]: v for a, v in expected.items()}


@given(matches())
@settings(max_examples=25)
def test_doubt_shrinks_with_matches_and_draws_between_equals_teach_no_mean(played):
    for r in ratings(played, "key"):
        assert r.sigma < 25 / 3
    drawn = ratings([Match((0,), (("a",), ("b",)), (1.0, 1.0))])
    assert [r.mu for r in drawn] == pytest.approx([25.0, 25.0])


def test_averaging_takes_the_order_out():
    """Three agents that beat each other in a circle: once through, the last match decides; on average nobody leads."""
    circle = [Match((n,), ((a,), (b,)), (1.0, 0.0)) for n, (a, b) in enumerate(["ab", "bc", "ca"])]
    once, mean = ({r.agent: r.mu for r in ratings(circle, order, shuffles=600)} for order in ("key", "average"))
    assert max(once.values()) - min(once.values()) > 5 * (max(mean.values()) - min(mean.values()))


@pytest.mark.parametrize(
    ("match", "words"),
    [
        (Match((1,), (("a",),), (1.0,)), "two teams"),
        (Match((1,), (("a",), ()), (1.0, 2.0)), "none empty"),
        (Match((1,), (("a",), ("b",)), (1.0,)), "a score for each"),
        (Match((1,), (("a",), ("a",)), (1.0, 2.0)), "meets itself"),
        (Match((1,), (("a",), ("b",)), (1.0, float("nan"))), "finite"),
    ],
)
def test_what_is_no_match_is_an_error(match, words):
    with pytest.raises(StatisticsError, match=words):
        ratings([match])


def test_two_matches_with_one_key_and_unknown_orders_are_errors():
    match = Match((1,), (("a",), ("b",)), (1.0, 0.0))
    with pytest.raises(StatisticsError, match="two matches have the key"):
        ratings([match, match])
    with pytest.raises(StatisticsError, match="did you mean 'average'"):
        ratings([match], "averge")
    with pytest.raises(StatisticsError, match="shuffles"):
        ratings([match], shuffles=0)
