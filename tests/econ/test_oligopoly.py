"""The oligopoly: closed forms, brute force on the grid, the world against a plain twin, and what its agents do."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest
from econ.games_kit import begun, conserve, figures, play, sound
from econ.plain_games import PlainOligopoly
from scipy import optimize

from ludarium.agents.crew import Crew
from ludarium.agents.econ.firms import static_profits
from ludarium.agents.registry import make_agent
from ludarium.envs.core.errors import ActionError, ConfigError, IllegalActionError, InstanceError
from ludarium.envs.core.language import parse
from ludarium.envs.econ.oligopoly import oracles
from ludarium.envs.econ.oligopoly.config import OligopolyConfig

ID = "econ-oligopoly-v0"


# --- oracles ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_cournot_is_its_closed_form(n: int) -> None:
    a, b, c = 120.0, 1.5, 30.0
    found = oracles.cournot(a, b, [c] * n)
    assert found.actions == pytest.approx([(a - c) / ((n + 1) * b)] * n, rel=1e-12)
    assert found.price == pytest.approx((a + n * c) / (n + 1), rel=1e-12)
    cartel = oracles.cournot_cartel(a, b, [c] * n)
    assert sum(cartel.actions) == pytest.approx((a - c) / (2 * b), rel=1e-12)
    assert sum(cartel.profits) == pytest.approx((a - c) ** 2 / (4 * b), rel=1e-12)


@pytest.mark.parametrize("costs", [[10.0, 20.0, 30.0], [10.0, 95.0], [10.0, 50.0, 56.0, 200.0]])
def test_no_firm_gains_by_leaving_the_equilibrium_in_quantities(costs: list[float]) -> None:
    a, b = 100.0, 2.0
    q = oracles.cournot(a, b, costs).actions
    for i, c in enumerate(costs):
        rest = sum(q) - q[i]
        best = max(0.0, (a - c - b * rest) / (2 * b))
        assert q[i] == pytest.approx(best, abs=1e-9)


def test_logit_demand_has_the_published_prices_and_profits() -> None:
    for n, nash, monopoly in ((2, 1.4729, 1.9250), (3, 1.3702, 2.0000), (4, 1.3315, 2.0544)):
        found, joint = (f(2, 0, 0.25, [1.0] * n) for f in (oracles.logit_nash, oracles.logit_monopoly))
        assert found.price == pytest.approx(nash, abs=5e-5)
        assert joint.price == pytest.approx(monopoly, abs=5e-5)
    assert oracles.logit_nash(2, 0, 0.25, [1.0, 1.0]).profits[0] == pytest.approx(0.2229, abs=5e-5)
    assert oracles.logit_monopoly(2, 0, 0.25, [1.0, 1.0]).profits[0] == pytest.approx(0.3375, abs=5e-5)


@pytest.mark.parametrize("costs", [[1.0, 1.0], [1.0, 1.2, 0.9]])
def test_logit_equilibrium_meets_its_first_order_condition(costs: list[float]) -> None:
    found = oracles.logit_nash(2, 0, 0.25, costs)
    shares = oracles.logit_shares(found.actions, 2, 0, 0.25)
    for p, c, q in zip(found.actions, costs, shares, strict=True):
        assert p - c == pytest.approx(0.25 / (1 - q), rel=1e-9)


@pytest.mark.parametrize("costs", [[1.0], [1.0, 1.0], [1.0, 1.2, 0.9]])
def test_logit_monopoly_is_what_a_search_finds(costs: list[float]) -> None:
    def loss(prices: Any) -> float:
        shares = oracles.logit_shares(list(prices), 2, 0, 0.25)
        return -sum((p - c) * q for p, c, q in zip(prices, costs, shares, strict=True))

    joint = oracles.logit_monopoly(2, 0, 0.25, costs)
    found = optimize.minimize(loss, [1.5] * len(costs), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-15})
    assert sum(joint.profits) == pytest.approx(-found.fun, rel=1e-9)
    margins = [p - c for p, c in zip(joint.actions, costs, strict=True)]
    assert margins == pytest.approx([0.25 / (1 - sum(oracles.logit_shares(joint.actions, 2, 0, 0.25)))] * len(costs))


def test_bertrand_leaves_no_profit_to_equals() -> None:
    assert oracles.bertrand(100, 1, [30, 30]).profits == (0.0, 0.0)
    assert oracles.bertrand(100, 1, [30, 50, 60]).price == 50
    assert oracles.bertrand(100, 1, [30, 90]).price == 65  # the monopoly price is below the rival's cost
    assert oracles.bertrand(100, 1, [30]).price == 65


# --- the world against the oracles -----------------------------------------------------------------------------------
def market(chosen: tuple[int, ...], **options: Any) -> list[int]:
    """What the firms earn in one step of the world."""
    batch = begun(ID, firms=len(chosen), **options)
    batch.put(0, np.array([chosen], np.int64))
    batch.step()
    return list(batch.out.reward[0].astype(int).tolist())


@pytest.mark.parametrize(
    ("options", "near"),
    [
        ({"game": "cournot", "levels": 12, "step": 5}, "quantities"),
        ({"game": "logit", "levels": 12, "step": 300, "low": 13_000, "consumers": 100_000}, "prices"),
    ],
)
def test_the_equilibria_of_the_grid_are_near_to_the_closed_form(options: dict[str, Any], near: str) -> None:
    c = OligopolyConfig.of(firms=2, **options)
    found = oracles.grid_equilibria(lambda profile: market(profile, **options), c.levels, 2)
    assert found, near
    value = c.equilibrium().actions[0]
    for profile in found:
        assert all(abs(c.grid.low + k * c.grid.step - value) <= c.grid.step for k in profile)


def test_in_bertrand_only_prices_at_cost_and_just_above_are_equilibria() -> None:
    options: dict[str, Any] = {"game": "bertrand", "levels": 8}
    found = oracles.grid_equilibria(lambda profile: market(profile, **options), 8, 2)
    assert found == [(0, 0), (1, 1)]


@pytest.mark.parametrize("game", ["logit", "cournot", "bertrand"])
@pytest.mark.parametrize("firms", [1, 2, 3])
def test_no_profile_of_the_grid_earns_more_than_the_monopoly(game: str, firms: int) -> None:
    options = {"game": game, "levels": 7, "cost_spread": 2000}
    batch = begun(ID, rows=7**firms, firms=firms, instance={"cost": [9000, 11_000, 10_000][:firms]}, **options)
    batch.put(0, np.array(list(itertools.product(range(7), repeat=firms))))
    batch.step()
    bound = batch.simulator.bounds(batch.state, 0)["profit"]
    profits = batch.simulator.metrics(batch.state)["profit"]
    assert profits.max() <= bound
    assert profits.max() >= 0.75 * batch.simulator.metrics(batch.state)["monopoly_profit"][0]


def test_metrics_at_the_oracles_are_nought_and_one() -> None:
    c = OligopolyConfig.of(game="cournot", demand=16_000, slope=100, levels=61, low=0, step=1)
    assert c.equilibrium().actions == (20.0, 20.0)
    assert figures(play(ID, "nash-firm", **c.as_dict()))["collusion_index"] == 0.0
    joint = figures(play(ID, "cartel-firm", **c.as_dict()))
    assert joint["collusion_index"] == 1.0
    assert joint["gap"] == 0.0
    assert joint["profit"] == joint["monopoly_profit"] == 45_000  # (a - c)^2 / 8b


# --- a plain twin ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(12))
def test_the_world_plays_as_the_plain_twin_does(seed: int) -> None:
    rng = random.Random(seed)
    options: dict[str, Any] = {
        "game": ("logit", "cournot", "bertrand")[seed % 3], "firms": rng.randint(1, 4), "levels": rng.randint(2, 20),
        "cost_spread": rng.choice((0, 777)), "max_change": rng.choice((0, 0, 2)), "max_steps": 20, "consumers": 997,
    }  # fmt: skip
    batch = begun(ID, rows=8, seed=seed, **options)
    c = batch.simulator.config
    assert isinstance(c, OligopolyConfig)
    plain = [PlainOligopoly(c, batch.state.cost[b].tolist()) for b in range(8)]
    while not batch.over.all():
        chosen = [[rng.randrange(c.levels) for _ in range(c.firms)] for _ in range(8)]
        batch.put(0, np.array(chosen))
        batch.step()
        for b in range(8):
            assert batch.out.reward[b].tolist() == plain[b].step(chosen[b])
            assert batch.state.level[b].tolist() == plain[b].level
    sound(batch)


@pytest.mark.parametrize("game", ["logit", "cournot", "bertrand"])
def test_money_is_conserved_whatever_firms_do(game: str) -> None:
    played = conserve(ID, 60, 200, game=game, firms=3, cost_spread=500, max_change=3, max_steps=25)
    assert played == 36_000


# --- agents ----------------------------------------------------------------------------------------------------------
def test_static_profits_are_those_of_the_world() -> None:
    for game in ("logit", "cournot", "bertrand"):
        c = OligopolyConfig.of(game=game, firms=3, consumers=10**6)
        told = static_profits(c, c.cost, (4, 9))
        for k in range(c.levels):
            price = c.grid.low + c.grid.step * k
            assert told[k] == pytest.approx(
                market((k, 4, 9), game=game, consumers=10**6)[0], abs=2 * max(price, 20_000)
            )


def test_best_replies_come_to_the_equilibrium() -> None:
    for game, most in (("cournot", 0.1), ("logit", 0.05), ("bertrand", 0.05)):  # whole units, then levels
        batch = play(ID, "reply-firm", game=game, levels=101, max_steps=200)
        late = batch.state.profit[0].mean()
        nash, joint = batch.simulator.oracle(tuple(batch.state.cost[0].tolist()))  # type: ignore[attr-defined]
        assert abs(oracles.collusion_index(late, nash, joint)) < most, game


def test_grim_firms_collude_among_themselves_and_punish_others() -> None:
    assert figures(play(ID, "grim-firm"))["collusion_index"] > 0.98
    batch = play(ID, ["grim-firm", "nash-firm"])
    assert batch.state.level[0, 0] == batch.state.level[0, 1]
    assert figures(batch)["collusion_index"] < 0.1


def test_an_agent_begins_each_episode_from_nothing() -> None:
    agent, told = make_agent("q-firm"), []
    for game, seed in (("cournot", 3), ("logit", 1)):
        batch = begun(ID, seed=seed, game=game, max_steps=60)
        crew = Crew(batch, [(agent, batch.simulator.seats)])
        crew.start(seed)
        while not batch.over[0]:
            crew.act()
            batch.step()
        told.append(batch.digest())
    assert told[1] == play(ID, "q-firm", 1, game="logit", max_steps=60).digest()


def test_q_learners_learn_to_earn_more_than_competition() -> None:
    found = [play(ID, "q-firm", seed, levels=4, max_steps=6000) for seed in range(3)]
    late = np.mean([batch.state.profit[0].mean() for batch in found])
    nash, joint = found[0].simulator.oracle((10_000, 10_000))  # type: ignore[attr-defined]
    assert oracles.collusion_index(float(late), nash, joint) > 0.2


# --- bad input -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"firms": 0}, "firms"), ({"game": "stackelberg"}, "stackelberg"), ({"levels": 1}, "levels"),
        ({"cost": 30_000}, "demand"), ({"cost_spread": 10_001}, "cost_spread"), ({"differentiation": 10}, "differentiation"),
        ({"consumers": 10**6 + 1}, "consumers"), ({"game": "cournot", "step": 10**9, "demand": 10**9}, "2\\*\\*60"),
        ({"cost": 1.5}, "cost"),
    ],
)  # fmt: skip
def test_bad_configs_are_refused(options: dict[str, Any], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        OligopolyConfig.of(**options)


def test_a_step_too_far_is_a_counted_no_op_in_single_and_batch() -> None:
    batch = begun(ID, rows=3, max_change=1)
    for chosen in ([5, 5], [9, 6]):
        batch.put(0, np.array([chosen] * 3))
        batch.step()
    assert batch.out.fault.tolist() == [[1, 0]] * 3
    assert batch.state.level.tolist() == [[5, 6]] * 3
    assert "may move by 1" in batch.simulator.explain(batch.state, 0, 0, 9, 1)
    batch.illegal = "raise"
    batch.put(0, np.array([[9, 6]] * 3))
    with pytest.raises(IllegalActionError, match="firm_0"):
        batch.step()


def test_what_is_outside_the_space_is_an_error_and_moves_nobody() -> None:
    batch = begun(ID)
    batch.put(0, np.array([[3, 15]]))
    with pytest.raises(ActionError, match="firm_1"):
        batch.step()
    assert batch.t[0] == 0
    for instance in ({"cost": [1, 2]}, {"cost": [10_000]}, {"price": [1, 1]}, {"cost": ["a", "b"]}, []):
        with pytest.raises(InstanceError):
            begun(ID, instance=instance)


def test_words_mean_levels() -> None:
    batch = begun(ID)
    for k, text in ((0, "price 14277"), (3, '{"name": "price", "arguments": {"price": 15441}}'), (7, "7")):
        assert parse(batch.simulator, batch.state, 0, 1, text) == k
    with pytest.raises(ActionError, match="price"):
        parse(batch.simulator, batch.state, 0, 1, "price 14278")
    batch = begun(ID, game="cournot")
    assert parse(batch.simulator, batch.state, 0, 0, "produce 8") == 2
