"""Auctions: closed forms, revenue equivalence in the world, a plain twin, the rules of the auction for water, and agents."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from econ.games_kit import begun, conserve, figures, play, sound
from econ.plain_games import sold
from scipy import integrate

from ludarium.envs.core.errors import ActionError, ConfigError, InstanceError
from ludarium.envs.core.language import parse
from ludarium.envs.core.rng import draw
from ludarium.envs.econ.auction import oracles
from ludarium.envs.econ.auction.config import INCOMES, NEEDS, AuctionConfig
from ludarium.envs.econ.auction.dynamics import STREAM_TIE

ID = "econ-auction-v0"
FORMS = ("first", "second", "all-pay")


# --- oracles ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [2, 3, 6])
def test_without_a_reserve_the_bids_are_those_of_the_textbook(n: int) -> None:
    for v in (0.1, 0.5, 1.0):
        assert oracles.equilibrium_bid("first", n, v) == pytest.approx((n - 1) * v / n, rel=1e-12)
        assert oracles.equilibrium_bid("second", n, v) == v
        assert oracles.equilibrium_bid("all-pay", n, v) == pytest.approx((n - 1) / n * v**n, rel=1e-12)
    assert oracles.expected_revenue(n) == pytest.approx((n - 1) / (n + 1), rel=1e-12)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("n", "reserve"), [(2, 0.0), (3, 0.0), (3, 0.4), (5, 0.5)])
def test_no_other_bid_pays_more_against_bidders_in_equilibrium(form: str, n: int, reserve: float) -> None:
    """A bid is the value one pretends to have: the chance to win is w^(n - 1)."""
    entry = oracles.entry_value(form, n, reserve)
    for v in (0.2, 0.45, 0.7, 1.0):

        def expected(w: float, v: float = v) -> float:
            if w < entry:
                return 0.0
            chance, bid = w ** (n - 1), oracles.equilibrium_bid(form, n, w, reserve)
            if form == "first":
                return (v - bid) * chance
            if form == "all-pay":
                return v * chance - bid
            above = integrate.quad(lambda x: x * (n - 1) * x ** (n - 2), reserve, w)[0]  # the second price
            return v * chance - above - reserve * reserve ** (n - 1)

        own = expected(v)
        assert own == pytest.approx(oracles.bidder_payoff(n, v, entry), abs=1e-9)
        assert max(expected(w) for w in np.linspace(entry, 1, 201)) <= max(own, 0.0) + 1e-9


@pytest.mark.parametrize(("n", "reserve"), [(2, 0.0), (2, 0.5), (4, 0.3)])
def test_revenue_is_what_the_bids_bring(n: int, reserve: float) -> None:
    entry = oracles.entry_value("all-pay", n, reserve)
    paid = integrate.quad(lambda v: n * oracles.equilibrium_bid("all-pay", n, v, reserve), entry, 1)[0]
    assert oracles.expected_revenue(n, entry) == pytest.approx(paid, abs=1e-9)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_one_half_is_the_reserve_of_most_revenue(n: int) -> None:
    best = max(np.linspace(0, 1, 1001), key=lambda r: oracles.expected_revenue(n, float(r)))
    assert best == pytest.approx(oracles.monopoly_reserve(), abs=1e-3)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reserve", [0, 5000])
def test_the_world_s_revenue_is_the_closed_form_s_in_all_forms(form: str, reserve: int) -> None:
    rows, n = 2000, 3
    batch = begun(ID, rows=rows, form=form, bidders=n, reserve=reserve, levels=1001, step=10)
    table, taken = np.asarray(batch.simulator.scalars.bid_of), []  # type: ignore[attr-defined]
    for _ in range(10):
        batch.put(0, np.rint(table[batch.state.value] / 10).astype(np.int64))
        batch.step()
        taken.append(batch.state.paid.sum(1).copy())
    money = np.concatenate(taken)
    told = batch.simulator.metrics(batch.state)["expected_revenue"][0]
    assert abs(money.mean() - told) <= 4 * money.std() / np.sqrt(len(money)) + 5
    assert batch.simulator.metrics(batch.state)["gap"].max() <= 0.0005
    sound(batch)


# --- a plain twin ----------------------------------------------------------------------------------------------------
def lot(key: int, t: int, name: int) -> int:
    """What ties are broken by."""
    return int(np.uint64(draw(np.uint64(key), STREAM_TIE, t, name, 0)))


@pytest.mark.parametrize("seed", range(9))
def test_auctions_go_as_the_plain_twin_says(seed: int) -> None:
    rng = random.Random(seed)
    options: dict[str, Any] = {
        "form": FORMS[seed % 3], "bidders": rng.randint(1, 5), "levels": rng.choice((2, 6, 40)),
        "reserve": rng.choice((0, 0, 90)),
        "budget": rng.choice((0, 2000)), "max_steps": 15,
    }  # fmt: skip
    batch = begun(ID, rows=8, seed=seed, **options)
    c = batch.simulator.config
    assert isinstance(c, AuctionConfig)
    while not batch.over.all():
        s = batch.state
        chosen = [[rng.randrange(c.levels) for _ in range(c.bidders)] for _ in range(8)]
        expected = []
        for b in range(8):
            faults = [
                int(c.budget > 0 and k * c.step > cash) for k, cash in zip(chosen[b], s.cash[b].tolist(), strict=True)
            ]
            bids = [0 if f else k * c.step for k, f in zip(chosen[b], faults, strict=True)]
            lots = [lot(s.key[b], int(s.t[b]), name) for name in s.name[b].tolist()]
            values = s.value[b].tolist()
            winner, paid = sold(c, bids, lots)
            rewards = [(v if i == winner else 0) - p for i, (v, p) in enumerate(zip(values, paid, strict=True))]
            expected.append((faults, rewards))
        batch.put(0, np.array(chosen))
        batch.step()
        assert batch.out.fault.tolist() == [faults for faults, _ in expected]
        assert batch.out.reward.tolist() == [rewards for _, rewards in expected]
    sound(batch)


# --- water -----------------------------------------------------------------------------------------------------------
def water(bids: list[int], supply: int = 20, rows: int = 1, **options: Any) -> Any:
    """A day of five residents in the order of their names; bids in levels of 500."""
    given = {"name": list(range(5))}
    batch = begun(
        ID, rows, instance=given, form="water", bidders=5, step=500, supply_low=supply, supply_high=supply, **options
    )
    batch.put(0, np.array([bids] * rows))
    batch.step()
    return batch


def test_residents_have_the_published_needs_and_incomes() -> None:
    batch = begun(ID, instance={"name": [4, 3, 2, 1, 0]}, form="water", bidders=5)
    assert batch.state.value[0].tolist() == list(reversed(NEEDS)) == [12, 11, 10, 9, 8]
    assert batch.state.cash[0].tolist() == list(reversed(INCOMES)) == [12_000, 12_000, 10_000, 7500, 7000]


def test_the_highest_bids_are_served_as_far_as_the_water_goes() -> None:
    batch = water([2, 4, 6, 8, 10], supply=20)  # Eric needs 12 of 20; the next that fits into 8 is Alex
    assert batch.state.won[0].tolist() == [True, False, False, False, True]
    assert batch.state.health[0].tolist() == [10, 7, 7, 7, 10]
    assert batch.state.paid[0].tolist() == [1000, 0, 0, 0, 5000]
    batch = water([4, 4, 4, 4, 4], supply=18)  # equal bids: the smaller needs first, 8 + 9
    assert batch.state.won[0].tolist() == [True, True, False, False, False]
    assert water([0, 0, 0, 0, 0], supply=99).state.won.sum() == 0


def test_thirst_kills_on_the_fourth_day_and_takes_the_money() -> None:
    batch = water([0, 0, 0, 0, 0])
    health = [batch.state.health[0, 0]]
    for _ in range(3):
        assert not batch.over[0]
        batch.put(0, np.zeros((1, 5), np.int64))
        batch.step()
        health.append(batch.state.health[0, 0])
    assert health == [7, 5, 2, 0]
    assert batch.over[0]
    assert batch.out.terminated.all()
    assert batch.state.cash.sum() == 0
    assert batch.state.treasury[0] == batch.state.minted[0] == 4 * sum(INCOMES)
    assert figures(batch)["survival"] == pytest.approx(3 / 4)


def test_the_dead_leave_and_the_others_go_on() -> None:
    batch = water([14, 0, 0, 0, 0], supply=8)
    for _ in range(3):
        batch.put(0, np.array([[int(batch.state.cash[0, 0]) // 500, 0, 0, 0, 0]]))
        batch.step()
    assert batch.live[0].tolist() == [True, False, False, False, False]
    assert batch.out.terminated[0].tolist() == [False, True, True, True, True]
    batch.step()
    assert batch.out.reward[0].tolist()[1:] == [0, 0, 0, 0]
    sound(batch)


@pytest.mark.parametrize("form", [*FORMS, "water"])
def test_money_is_conserved_whatever_bidders_do(form: str) -> None:
    budget = 0 if form == "water" else 3000
    assert conserve(ID, 60, 200, form=form, bidders=3, budget=budget, levels=41, max_steps=12) == 36_000


# --- agents ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("form", FORMS)
def test_the_equilibrium_bidder_is_off_by_less_than_half_a_level(form: str) -> None:
    found = figures(play(ID, "equilibrium-bidder", form=form, reserve=2000))
    assert found["gap"] <= 0.0051
    if form != "all-pay":
        assert found["efficiency"] > 0.99 or found["sold"] < 1
    assert figures(play(ID, "truthful-bidder", form="second"))["gap"] <= 0.0051
    assert figures(play(ID, "truthful-bidder", form="first"))["gap"] > 0.1


def test_deviating_from_the_equilibrium_does_not_pay() -> None:
    for form in FORMS:
        for other in ("truthful-bidder", "shading-bidder", "shading-bidder?share=0.9"):
            if form == "second" and other.startswith("truthful"):
                continue
            gains = []
            for name in ("equilibrium-bidder", other):
                batch = play(ID, [name, *["equilibrium-bidder"] * 2], form=form, bidders=3, max_steps=400)
                gains.append(int(batch.state.worth[0, 0] + batch.state.cash[0, 0]))
            assert gains[0] >= gains[1], (form, other)


def test_thirst_is_a_better_guide_than_chance() -> None:
    options: dict[str, Any] = {"form": "water", "bidders": 5, "step": 500}
    thirsty, chance = (
        np.mean([figures(play(ID, name, seed, **options))["survival"] for seed in range(6)])
        for name in ("thirsty-bidder", "random")
    )
    assert thirsty > chance


# --- bad input -------------------------------------------------------------------------------------------------------
def test_bad_configs_and_instances_are_refused() -> None:
    for options in ({"form": "dutch"}, {"bidders": 0}, {"levels": 1}, {"reserve": 10_001}, {"step": 10_000}, {"supply_low": 20},
                    {"form": "water", "budget": 5}, {"budget": 1.5}):  # fmt: skip
        with pytest.raises(ConfigError):
            AuctionConfig.of(**options)
    for names in ([0, 0, 1, 2], [0, 1, 2, 4], [0, 1, 2]):
        with pytest.raises(InstanceError):
            begun(ID, instance={"name": names})


def test_a_bid_that_cannot_be_paid_is_a_counted_no_op_in_single_and_batch() -> None:
    batch = water([15, 0, 0, 0, 0], rows=3)
    assert batch.out.fault.tolist() == [[1, 0, 0, 0, 0]] * 3
    assert batch.state.bid[:, 0].tolist() == [0, 0, 0]
    assert "it has" in batch.simulator.explain(batch.state, 0, 0, 15, 1)
    batch.put(0, np.array([[101, 0, 0, 0, 0]] * 3))
    with pytest.raises(ActionError):
        batch.step()


def test_words_mean_bids() -> None:
    batch = begun(ID)
    assert parse(batch.simulator, batch.state, 0, 0, "bid 1200") == 12
    assert parse(batch.simulator, batch.state, 0, 0, '{"name": "bid", "arguments": {"amount": 0}}') == 0
    with pytest.raises(ActionError, match="bid"):
        parse(batch.simulator, batch.state, 0, 0, "bid 1250")
