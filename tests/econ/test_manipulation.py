"""What voters could gain by another ballot: nothing where theory says so, and what trying all ballots finds elsewhere."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ludarium.envs.econ.manipulation import manipulation_regret
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
    ranking_number,
)

ORDERS = list(itertools.permutations(range(3)))
STANDING, TIES = np.ones(3, np.bool_), np.array([1, 2, 0])


def sincere(rule: int, worth: np.ndarray) -> np.ndarray:
    """Each voter's honest ballot: its favourite, its ranking, or what it likes above the mean."""
    if rule in (PLURALITY, DICTATOR):
        return worth.argmax(1)
    if rule in (RANKED, CONDORCET):
        return np.array([ranking_number(tuple(np.argsort(-row).tolist())) for row in worth])
    liked = worth >= worth.mean(1, keepdims=True)
    return liked @ (np.array([1, 2, 4]) if rule == APPROVAL else np.array([2, 6, 18]))


def by_trying(rule: int, cast: np.ndarray, worth: np.ndarray, dictator: int) -> list[float]:
    def won(given: np.ndarray) -> int:
        return decide(rule, given, STANDING, 3, TIES, dictator, np.zeros(3, np.int64))[0]

    found = []
    for i in range(len(cast)):
        others = (np.where(np.arange(len(cast)) == i, b, cast) for b in range(ballots(rule, 3, 3) + 1))
        found.append(max(worth[i, won(given)] for given in others) - worth[i, won(cast)])
    return found


@pytest.mark.parametrize("rule", range(len(RULES)))
def test_all_ballots_tried(rule: int) -> None:
    rng, some = np.random.default_rng(rule), 0
    for _ in range(60):
        voters = int(rng.integers(1, 8))
        # few kinds of voters, so that many cast the same ballot and do not value its outcome alike
        worth = rng.permuted(np.tile(np.arange(3.0), (voters, 1)), axis=1) * rng.integers(1, 4, (voters, 1))
        cast, dictator = sincere(rule, worth), int(rng.integers(voters))
        regret = manipulation_regret(rule, cast, worth, STANDING, TIES, dictator=dictator)
        assert regret.tolist() == by_trying(rule, cast, worth, dictator)
        some += (regret > 0).any()
    assert some > 0 or rule == DICTATOR  # who draws lots cannot be gamed (Gibbard 1977), all other rules can


def test_two_candidates_leave_nothing_to_gain() -> None:
    rng = np.random.default_rng(0)
    for rule in (PLURALITY, RANKED, CONDORCET):
        for _ in range(40):
            worth = rng.random((5, 2))
            cast = worth.argmax(1)  # with two candidates a ranking's number is its first
            regret = manipulation_regret(rule, cast, worth, np.ones(2, np.bool_), np.array([1, 0]))
            assert not regret.any()


def test_a_vote_for_the_second_best() -> None:
    """Nader's voters: three for 0, two for 1, two for 2 who would rather have 1 than 0."""
    worth = np.array([[9.0, 1, 0]] * 3 + [[0.0, 9, 1]] * 2 + [[0.0, 5, 9]] * 2)
    regret = manipulation_regret(PLURALITY, worth.argmax(1), worth, STANDING, TIES)
    assert regret.tolist() == [0, 0, 0, 1, 1, 5, 5]  # by TIES 1 and 2 come before 0: one vote more is enough


def test_nobody_stands() -> None:
    nobody = np.zeros(3, np.bool_)
    assert not manipulation_regret(SCORE, np.array([0, 1]), np.ones((2, 3)), nobody, TIES).any()
