"""Exact values of the commons: backward induction against brute force, closed forms of the great fish war, shares."""

from __future__ import annotations

import functools
import itertools
import math
import random
from fractions import Fraction

import numpy as np
import pytest
from econ.plain_commons import coming_back, grown, shares

from ludarium.envs.econ.commons.config import CommonsConfig
from ludarium.envs.econ.commons.growth import GROWTH, growth_table, sustainable_table
from ludarium.envs.econ.commons.oracles import (
    best_harvest,
    best_quota,
    clairvoyant,
    fish_war,
    optimal_totals,
    proportional,
    quota_totals,
)  # fmt: skip

GOVSIM = growth_table("doubling", 100, 10_000, 50)


def brute(grow, threshold, rounds, stock, allowed=lambda x: range(x + 1)):
    """The most that can be harvested, over every plan there is."""

    @functools.cache
    def best(left, x):
        if left == 0:
            return 0
        return max(h + (best(left - 1, grow[x - h]) if x - h >= threshold else 0) for h in allowed(x))

    return best(rounds, stock)


def test_the_published_numbers():
    values = optimal_totals(GOVSIM, 5, 12)
    assert values[12][100] == 650
    assert 12 * sustainable_table(GOVSIM, 5)[100] == 600
    assert values[1][100] == 100  # grab all
    assert pytest.approx(1 / 6) == 100 / 600
    stock, taken = 100, []
    for left in range(12, 0, -1):
        taken.append(best_harvest(values, GOVSIM, 5, left, stock))
        stock = GOVSIM[stock - taken[-1]]
    assert taken == [50] * 11 + [100]


@pytest.mark.parametrize("kind", GROWTH)
def test_backward_induction_equals_brute_force(kind):
    rng = random.Random(kind)
    for _ in range(12):
        cap, threshold, rounds = rng.randint(1, 24), rng.randint(1, 3), rng.randint(1, 6)
        threshold = min(threshold, cap)
        grow = growth_table(kind, cap, rng.choice((0, 3000, 10_000, 25_000)), rng.choice((25, 50, 80)))
        values = optimal_totals(grow, threshold, rounds)
        heads = rng.randint(1, 4)
        by_quota = quota_totals(grow, threshold, rounds, heads)
        for stock in range(cap + 1):
            assert values[rounds][stock] == brute(grow, threshold, rounds, stock)
            allowed = lambda x: {min(heads * q, x) for q in range(x + 1)}  # noqa: B023, E731
            assert by_quota[rounds][stock] == brute(grow, threshold, rounds, stock, allowed)


def test_every_plan_of_a_small_lake_is_played_out():
    grow = growth_table("doubling", 6, 10_000, 50)
    most = 0
    for plan in itertools.product(range(7), repeat=4):
        stock = total = 0
        stock = 6
        for want in plan:
            total += min(want, stock)
            stock -= min(want, stock)
            if stock < 2:
                break
            stock = grow[stock]
        most = max(most, total)
    assert optimal_totals(grow, 2, 4)[4][6] == most


def test_best_harvests_and_quotas_reach_the_value():
    rng = random.Random(3)
    for _ in range(40):
        cap, rounds, heads = rng.randint(3, 40), rng.randint(1, 8), rng.randint(1, 5)
        grow = growth_table(rng.choice(GROWTH), cap, 8000, 50)
        for values, choose in (
            (optimal_totals(grow, 2, rounds), lambda v, left, x: best_harvest(v, grow, 2, left, x)),  # noqa: B023
            (
                quota_totals(grow, 2, rounds, heads),
                lambda v, left, x: min(heads * best_quota(v, grow, 2, left, x, heads), x),  # noqa: B023
            ),
        ):
            stock, total = cap, 0
            for left in range(rounds, 0, -1):
                harvest = choose(values, left, stock)
                total += harvest
                stock -= harvest
                if stock < 2:
                    break
                stock = grow[stock]
            assert total == values[rounds][cap]


def test_shocks_are_averaged_over_and_foreseen():
    grow, rounds, chance, loss = growth_table("doubling", 12, 10_000, 50), 4, 0.25, 5000

    @functools.cache
    def best(left, x):
        if left == 0:
            return Fraction(0)
        found = []
        for y in range(x + 1):
            later = Fraction(0)
            if y >= 2:
                whole, part = grow[y], grow[y] - grow[y] * loss // 10_000
                later = Fraction(3, 4) * best(left - 1, whole) + Fraction(1, 4) * best(left - 1, part)
            found.append(x - y + later)
        return max(found)

    values = optimal_totals(grow, 2, rounds, chance, loss)
    for x in range(13):
        assert values[rounds][x] == pytest.approx(float(best(rounds, x)), rel=1e-9)
    known = [
        (np.prod([chance if hit else 1 - chance for hit in hits]), clairvoyant(grow, 2, 12, hits, loss))
        for hits in itertools.product((False, True), repeat=rounds)
    ]
    assert clairvoyant(grow, 2, 12, [False] * rounds, loss) == optimal_totals(grow, 2, rounds)[rounds][12]
    assert sum(p * v for p, v in known) >= values[rounds][12] - 1e-9  # who knows more loses nothing


@pytest.mark.parametrize("kind", GROWTH)
def test_tables_of_growth(kind):
    for cap, rate, exponent in ((30, 1.0, 0.5), (41, 0.3, 0.33), (100, 2.5, 0.75)):
        config = CommonsConfig.of(cap=cap, growth=kind, growth_rate=rate, exponent=exponent, threshold=3)
        assert list(config.grow) == [grown(config, y) for y in range(cap + 1)]
        assert list(config.sustainable) == [coming_back(config, x) for x in range(cap + 1)]
        assert all(0 <= x <= cap for x in config.grow)
    big = growth_table("power", 4096, 10_000, 50)
    assert all(abs(x - 4096 * math.sqrt(y / 4096)) < 1 for y, x in enumerate(big))


# --- shares ------------------------------------------------------------------------------------------------------------
def test_shares_are_proportional_and_all_is_given_out():
    rng = random.Random(0)
    for _ in range(500):
        n = rng.randint(1, 8)
        wants, stock = [rng.randint(0, 20) for _ in range(n)], rng.randint(0, 60)
        ties = rng.sample(range(n), n)
        found = proportional(wants, stock, ties)
        total = sum(wants)
        assert sum(found) == min(stock, total)
        assert all(0 <= x <= want for x, want in zip(found, wants, strict=True))
        if total > stock:
            assert found == shares(wants, stock, ties)
            assert all(abs(x - want * stock / total) < 1 for x, want in zip(found, wants, strict=True))
        order = rng.sample(range(n), n)  # permutation equivariance
        assert proportional([wants[i] for i in order], stock, [ties[i] for i in order]) == [found[i] for i in order]
        if total > stock:  # only proportions count
            assert proportional([3 * want for want in wants], stock, ties) == found


# --- the great fish war ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("alpha", "beta", "players"), [(0.5, 0.95, 2), (0.3, 0.9, 3), (0.8, 0.99, 5), (0.5, 0.9, 1)])
def test_fish_war_shares_are_an_equilibrium(alpha, beta, players):
    share, together = fish_war(alpha, beta, players)
    ab = alpha * beta
    assert share == pytest.approx((1 - ab) / (players - (players - 1) * ab), rel=1e-9)
    assert players * share >= together - 1e-12
    if players == 1:
        assert share == pytest.approx(together, rel=1e-9)

    def worth(mine, others):
        """Of taking a share for ever from a stock of 1 while the others take theirs: the discounted sum of log c."""
        left = 1 - mine - others
        if left <= 0:
            return -math.inf
        return math.log(mine) / (1 - beta) + ab * math.log(left) / ((1 - beta) * (1 - ab))

    played, x, weight = 0.0, 0.0, 1.0
    for _ in range(3000):
        played += weight * (math.log(share) + x)
        x, weight = alpha * (x + math.log(1 - players * share)), weight * beta
    assert worth(share, (players - 1) * share) == pytest.approx(played, rel=1e-9)
    grid = np.linspace(0.001, 0.999, 1999)
    best = max(grid, key=lambda mine: worth(mine, (players - 1) * share))
    assert abs(best - share) <= 0.5 * (grid[1] - grid[0]) + 1e-9
    best = max(grid, key=lambda mine: worth(mine, 0.0))
    assert abs(best - together) <= 0.5 * (grid[1] - grid[0]) + 1e-9
