"""Exchange in pairs: the long run of the Boltzmann economy, CARA equilibrium and optimum, a plain twin, conservation."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from typing import Any

import numpy as np
import pytest
from econ.games_kit import begun, conserve, figures, play, sound
from econ.plain_games import PlainExchange
from scipy import integrate, optimize

from ludarium.envs.core.errors import ActionError, ConfigError, InstanceError
from ludarium.envs.core.language import parse
from ludarium.envs.core.rng import draw_below
from ludarium.envs.econ.exchange import oracles
from ludarium.envs.econ.exchange.config import ExchangeConfig
from ludarium.envs.econ.exchange.dynamics import STREAM_COIN

ID = "econ-exchange-v0"


# --- oracles ---------------------------------------------------------------------------------------------------------
def shares(traders: int, money: int) -> list[tuple[int, ...]]:
    """All ways to share money out."""
    return [p for p in itertools.product(range(money + 1), repeat=traders) if sum(p) == money]


@pytest.mark.parametrize(("traders", "money"), [(1, 3), (2, 4), (3, 5), (4, 3)])
def test_chances_and_gini_are_those_of_all_ways_to_share(traders: int, money: int) -> None:
    ways = shares(traders, money)
    counted = Counter(p[0] for p in ways)
    told = oracles.wealth_chances(traders, money)
    assert told == pytest.approx([counted[k] / len(ways) for k in range(money + 1)], abs=1e-12)
    assert oracles.boltzmann_gini(traders, money) == pytest.approx(np.mean([oracles.gini(p) for p in ways]), abs=1e-9)


def test_all_shares_are_equally_likely_in_the_long_run_of_the_rule() -> None:
    """The rule's own chain, written as a matrix: its stationary distribution is uniform."""
    ways = shares(3, 4)
    at = {p: k for k, p in enumerate(ways)}
    chain = np.zeros((len(ways), len(ways)))
    for p in ways:
        for payer, other in itertools.permutations(range(3), 2):  # each ordered pair is as likely; the third one idles
            q = list(p)
            if q[payer] > 0:
                q[payer] -= 1
                q[other] += 1
            chain[at[p], at[tuple(q)]] += 1 / 6
    long_run = np.linalg.matrix_power(chain, 4000)[0]
    assert long_run == pytest.approx(np.full(len(ways), 1 / len(ways)), abs=1e-9)


def test_gini_coefficients_are_those_of_the_distributions() -> None:
    assert oracles.boltzmann_gini(60, 1800) == pytest.approx(0.5, abs=0.02)
    density = integrate.quad(lambda x: (1 - (1 - math.exp(-x))) * (1 - math.exp(-x)), 0, 60)[
        0
    ]  # mean 1: G = int F (1 - F)
    assert density == pytest.approx(oracles.exponential_gini(), abs=1e-9)
    for tail in (1.5, 2.364, 4.0):
        mean = tail / (tail - 1)
        area = integrate.quad(lambda x, a=tail: x ** (-a) * (1 - x ** (-a)), 1, np.inf)[0]
        assert oracles.pareto_gini(tail) == pytest.approx(area / mean, abs=1e-7)
    assert oracles.gini([0, 0, 0]) == 0
    assert oracles.gini([0, 0, 9]) == pytest.approx(2 / 3)


def test_equilibrium_clears_and_nobody_would_have_another_amount() -> None:
    risks, total, mean = [100.0, 200.0, 400.0], 30.0, 10_000.0
    units, price = oracles.cara_equilibrium(mean, risks, total)
    assert sum(units) == pytest.approx(total, rel=1e-12)
    for r, x in zip(risks, units, strict=True):
        best = optimize.minimize_scalar(
            lambda y, r=r: -(oracles.cara_worth(mean, r, y) - price * y), bounds=(0, 100), method="bounded"
        )
        assert x == pytest.approx(best.x, abs=1e-3)
        assert price == pytest.approx(mean - r * x, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_optimum_of_whole_units_is_what_a_search_finds(seed: int) -> None:
    rng = random.Random(seed)
    risks, total = [rng.randint(1, 9) for _ in range(3)], rng.randint(0, 7)
    best = max(sum(oracles.cara_worth(20, r, x) for r, x in zip(risks, p, strict=True)) for p in shares(3, total))
    units, worth = oracles.cara_optimum(20, risks, total)
    assert sum(units) == total
    assert worth == pytest.approx(best, abs=1e-9)


def test_the_world_comes_to_the_boltzmann_gini() -> None:
    batch = begun(ID, rows=400, traders=8, money=4, max_steps=2**30)
    seen = []
    for n in range(700):
        batch.put(0, np.minimum(1, batch.state.cash))
        batch.step()
        if n >= 100 and n % 20 == 0:
            seen.append(batch.simulator.metrics(batch.state)["gini"].mean())
    told = oracles.boltzmann_gini(8, 32)
    assert np.mean(seen) == pytest.approx(told, abs=0.006)
    sound(batch)


# --- a plain twin ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(10))
def test_steps_go_as_the_plain_twin_says(seed: int) -> None:
    rng = random.Random(seed)
    options: dict[str, Any] = {
        "kind": ("boltzmann", "cara")[seed % 2], "traders": rng.randint(1, 7), "max_stake": rng.randint(1, 4), "max_steps": 20,
        "units": rng.randint(0, 5), "levels": rng.choice((3, 40)), "step": rng.choice((1, 7)), "mean": rng.choice((50, 300)),
        "money": rng.choice((0, 3, 500)),
    }  # fmt: skip
    batch = begun(ID, rows=6, seed=seed, **options)
    c, s, n = batch.simulator.config, batch.state, options["traders"]
    assert isinstance(c, ExchangeConfig)
    choices = int(batch.simulator.roles[0].action_space.n)  # type: ignore[attr-defined]
    plain = [PlainExchange(c, s.cash[b].tolist(), s.units[b].tolist(), s.risk[b].tolist()) for b in range(6)]
    while not batch.over.all():
        chosen = [[rng.randrange(choices) for _ in range(n)] for _ in range(6)]
        batch.put(0, np.array(chosen))
        t = int(s.t[0])
        batch.step()
        for b, p in enumerate(plain):
            order, wealth, key = s.order[b].tolist(), p.wealth(), s.key[b]
            assert sorted(order) == list(range(n))
            faults = p.step(chosen[b], order, lambda pair, key=key, t=t: draw_below(key, STREAM_COIN, t, pair, 0, 2))  # type: ignore[misc]
            assert batch.out.fault[b].tolist() == faults
            assert s.cash[b].tolist() == p.cash
            assert s.units[b].tolist() == p.units
            assert batch.out.reward[b].tolist() == [a - old for a, old in zip(p.wealth(), wealth, strict=True)]
    sound(batch)


@pytest.mark.parametrize("kind", ["boltzmann", "cara"])
def test_money_and_goods_are_conserved_whatever_traders_do(kind: str) -> None:
    assert conserve(ID, 60, 100, kind=kind, traders=6, money=300 if kind == "cara" else 5, max_steps=25) == 36_000


# --- agents ----------------------------------------------------------------------------------------------------------
def test_truth_leads_to_the_optimum_and_never_costs() -> None:
    for seed in range(3):
        batch = begun(ID, seed=seed, kind="cara", traders=10, max_steps=400)
        while not batch.over[0]:
            worth = 10_000 - batch.state.risk * batch.state.units
            batch.put(0, np.maximum(worth // 100, 0))
            batch.step()
            assert (batch.out.reward >= -0.5).all()  # the price is floored
        found = figures(batch)
        assert found["efficiency"] == pytest.approx(1.0, abs=1e-9)
        assert found["mean_price"] == pytest.approx(found["equilibrium_price"], rel=0.25)
    assert figures(play(ID, "truthful-trader", kind="cara"))["gap"] < 0.01


def test_gas_traders_share_as_boltzmann_says_and_hoarders_stay_equal() -> None:
    gas, hoarders = (figures(play(ID, name, money=2, max_steps=300)) for name in ("gas-trader", "hoarder"))
    assert gas["gap"] < 0.2
    assert gas["trades"] > 0
    assert hoarders["gini"] == 0
    assert hoarders["trades"] == 0


# --- bad input -------------------------------------------------------------------------------------------------------
def test_bad_configs_and_instances_are_refused() -> None:
    for options in (
        {"kind": "walras"},
        {"traders": 0},
        {"traders": 10_001},
        {"money": -1},
        {"max_stake": 0},
        {"levels": 1},
        {"mean": 0.5},
        {"money": 10**12, "traders": 2000},
        {"max_steps": 2**31 - 1, "traders": 10_000, "step": 10_000},
        {"kind": "cara", "traders": 10_000, "units": 1000, "step": 10**6},
    ):
        with pytest.raises(ConfigError):
            ExchangeConfig.of(**options)
    good = {"money": [1, 2], "goods": [0, 0], "risk": [0, 0], "name": [1, 0]}
    begun(ID, traders=2, instance=good)
    for change in ({"name": [0, 0]}, {"goods": [1, 0]}, {"money": [-1, 2]}, {"money": [1]}):
        with pytest.raises(InstanceError):
            begun(ID, traders=2, instance={**good, **change})


def test_a_stake_that_is_not_there_is_a_counted_no_op_in_single_and_batch() -> None:
    batch = begun(ID, rows=3, traders=2, money=2)
    batch.put(0, np.array([[3, 0]] * 3))
    batch.step()
    assert batch.out.fault.tolist() == [[1, 0]] * 3
    assert (batch.state.cash == 2).all()
    assert "it has 2" in batch.simulator.explain(batch.state, 0, 0, 3, 1)
    batch.put(0, np.array([[6, 0]] * 3))
    with pytest.raises(ActionError):
        batch.step()


def test_words_mean_stakes_and_prices() -> None:
    batch = begun(ID)
    assert parse(batch.simulator, batch.state, 0, 0, "stake 3") == 3
    with pytest.raises(ActionError, match="stake"):
        parse(batch.simulator, batch.state, 0, 0, "stake all of it")
    batch = begun(ID, kind="cara")
    assert parse(batch.simulator, batch.state, 0, 0, '{"name": "price", "arguments": {"price": 7300}}') == 73
