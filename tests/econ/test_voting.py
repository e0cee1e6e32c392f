"""Each voting rule against brute force on all profiles of three candidates and up to six voters."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ludarium.envs.econ.voting import (
    APPROVAL,
    CONDORCET,
    DICTATOR,
    PLURALITY,
    RANKED,
    RULES,
    SCORE,
    ballots,
    decide,
    order_of,
    ranking_number,
)

ORDERS = list(itertools.permutations(range(3)))
TIES = (1, 2, 0)
STANDING = np.ones(3, np.bool_)


def run(rule: int, cast, ties=TIES, standing=STANDING, levels: int = 3, dictator: int = 0):
    tally = np.zeros(len(ties), np.int64)
    return decide(rule, np.array(cast, np.int64), standing, levels, np.array(ties, np.int64), dictator, tally)


def most(points, ties=TIES) -> int:
    return max(range(len(ties)), key=lambda c: (points[c], -ties.index(c)))


def by_runoff(orders) -> int:
    alive = [0, 1, 2]
    while len(alive) > 1:
        firsts = [sum(next(c for c in o if c in alive) == a for o in orders) for a in range(3)]
        alive.remove(min(alive, key=lambda c: (firsts[c], -TIES.index(c))))
    return alive[0]


def by_pairs(orders) -> tuple[int, bool]:
    lead = lambda a, b: sum(1 if o.index(a) < o.index(b) else -1 for o in orders)  # noqa: E731
    for c in range(3):
        if all(lead(c, other) > 0 for other in range(3) if other != c):
            return c, False
    return most([min(0, *(lead(c, other) for other in range(3) if other != c)) for c in range(3)]), True


def profiles(kinds: int):
    for voters in range(1, 7):
        yield from itertools.product(range(kinds), repeat=voters)


def test_rankings_are_numbered_in_lexical_order() -> None:
    for count in (2, 3, 4):
        order = np.zeros(count, np.int64)
        for number, expected in enumerate(itertools.permutations(range(count))):
            order_of(number, order)
            assert tuple(order) == expected
            assert ranking_number(expected) == number


@pytest.mark.parametrize("rule", [RANKED, CONDORCET])
def test_rankings_by_brute_force(rule: int) -> None:
    circles = 0
    for cast in profiles(6):
        if cast != tuple(sorted(cast)) and len(cast) > 5:
            continue  # the rules count ballots: of six voters every multiset is there once
        orders = [ORDERS[b] for b in cast]
        expected = (by_runoff(orders), False) if rule == RANKED else by_pairs(orders)
        assert run(rule, cast) == expected, cast
        circles += expected[1]
    assert rule == RANKED or circles > 0


def test_six_voters_orders_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    for rule in (PLURALITY, APPROVAL, RANKED, CONDORCET, SCORE):
        for _ in range(300):
            cast = rng.integers(0, ballots(rule, 3, 3), 6)
            assert run(rule, cast) == run(rule, rng.permutation(cast))


def test_plurality_and_the_dictator_by_brute_force() -> None:
    for cast in profiles(4):  # 3 abstains
        assert run(PLURALITY, cast) == (most([cast.count(c) for c in range(3)]), False)
        for dictator in range(len(cast)):
            asked = [b for b in (*cast[dictator:], *cast[:dictator]) if b < 3]
            assert run(DICTATOR, cast, dictator=dictator)[0] == (asked[0] if asked else TIES[0])


def test_approval_by_brute_force() -> None:
    for cast in itertools.chain.from_iterable(
        itertools.combinations_with_replacement(range(8), n) for n in range(1, 7)
    ):
        points = [sum(b >> c & 1 for b in cast) for c in range(3)]
        assert run(APPROVAL, cast) == (most(points), False)


def test_score_by_brute_force() -> None:
    grades = list(itertools.product(range(2), repeat=3))
    for cast in itertools.chain.from_iterable(itertools.combinations_with_replacement(grades, n) for n in range(1, 7)):
        points = [sum(b[c] for b in cast) for c in range(3)]
        assert run(SCORE, [b[0] + 2 * b[1] + 4 * b[2] for b in cast], levels=2) == (most(points), False)
    rng = np.random.default_rng(1)
    for _ in range(2000):
        cast = rng.integers(0, 6, (int(rng.integers(1, 7)), 3))
        assert run(SCORE, cast @ [1, 6, 36], levels=6) == (most(cast.sum(0).tolist()), False)


def test_who_does_not_stand_cannot_win() -> None:
    for rule in range(len(RULES)):
        for mask in range(1, 8):
            standing = np.array([bool(mask >> c & 1) for c in range(3)])
            for cast in itertools.product(range(ballots(rule, 3, 2)), repeat=2):
                winner, _ = run(rule, cast, standing=standing, levels=2)
                assert standing[winner]
        assert run(rule, [0, 1], standing=np.zeros(3, np.bool_)) == (-1, False)


def test_ballots_out_of_range_abstain() -> None:
    for rule in range(len(RULES)):
        kinds = ballots(rule, 3, 3)
        one = 4 if rule == APPROVAL else 9 * 2 if rule == SCORE else 5 if rule in (RANKED, CONDORCET) else 2
        assert run(rule, [one, kinds, kinds + 7, -1])[0] == 2


def test_circles_are_told() -> None:
    circle = [ranking_number(o) for o in ((0, 1, 2), (1, 2, 0), (2, 0, 1))]
    assert run(CONDORCET, circle) == (TIES[0], True)
    assert run(CONDORCET, circle, ties=(2, 1, 0)) == (2, True)
