"""What must be true of the market: money and goods are kept, figures agree with the oracles, presets follow theory."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test

import ludarium
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.language import parse
from ludarium.envs.core.registry import config_class, make_simulator
from ludarium.envs.econ import book
from ludarium.envs.econ.market.config import PRESETS
from ludarium.envs.econ.market.oracles import fundamental_values, induced_equilibrium, kyle, maximum_surplus

ID = "econ-market-v0"

OPTIONS: tuple[dict[str, Any], ...] = (
    {}, {"mode": "sequential"}, {"market_maker": True, "regulator": True, "fee": 30, "collar": 30, "lifetime": 5},
    {"auction": "both", "auction_steps": 3}, {"auction": "always"}, {"clear_on_trade": True, "self_match": "oldest", "fee": 7},
)  # fmt: skip
PLAYED = [
    (preset, options)
    for preset in PRESETS
    for options in OPTIONS
    if preset != "kyle" or not {"market_maker", "auction"} & set(options)
]


def begun(rows: int = 1, seed: int = 0, **options: Any) -> Batch:
    batch = Batch(make_simulator(ID, **options), rows, ID)
    every = np.ones(rows, np.bool_)
    batch.seed(every, [seed + b for b in range(rows)])
    batch.reset(every)
    return batch


def shuffle(batch: Batch, rng: np.random.Generator) -> None:
    """Uniform actions for everybody."""
    for r, role in enumerate(batch.simulator.roles):
        counts = role.action_space.nvec
        batch.put(r, (rng.random((batch.rows, role.count, len(counts))) * counts).astype(np.int64))


@pytest.mark.parametrize(("preset", "options"), PLAYED)
def test_nothing_is_minted_or_lost_whatever_is_done(preset: str, options: dict[str, Any]) -> None:
    batch, rng = begun(4, preset=preset, max_steps=50, **options), np.random.default_rng(1)
    while not batch.over.all():
        shuffle(batch, rng)
        batch.step()
        for sentence, holds in batch.simulator.invariants(batch.state).items():
            assert holds.all(), (sentence, batch.t)
    replayed = batch.trace(2).replay()
    assert replayed.ok


@pytest.mark.parametrize(
    "options", [{"periods": 1}, {"num_traders": 7, "periods": 3, "units": 3, "values": "uniform", "max_quantity": 3}]
)
def test_efficiency_agrees_with_the_oracles(options: dict[str, Any]) -> None:
    batch, rng = begun(3, max_steps=120, **options), np.random.default_rng(2)
    total = np.zeros(3)
    while not batch.over.all():
        shuffle(batch, rng)
        batch.step()
        total += batch.out.reward.sum(1)
    figures, plan = batch.simulator.metrics(batch.state), batch.simulator.plan
    for b in range(3):
        worth = batch.state.worth[b].tolist()
        stock = batch.state.first_stock[b, 0, : plan.num_traders].tolist()
        most = maximum_surplus(worth, stock)
        days = batch.simulator.scalars.periods
        assert figures["maximum_surplus"][b] == days * most
        assert total[b] == pytest.approx(figures["surplus"][b], abs=1e-9)  # prices are paid from one trader to another
        assert figures["allocative_efficiency"][b] == pytest.approx(total[b] / (days * most), abs=1e-9)
        values = [v for row, units in zip(worth, stock, strict=True) if not units for v in row]
        costs = [v for row, units in zip(worth, stock, strict=True) if units for v in row]
        oracle = induced_equilibrium(values, costs)
        assert oracle.surplus == most
        assert oracle.low <= figures["equilibrium_price"][b] <= oracle.high


def test_trade_at_the_equilibrium_is_efficient() -> None:
    batch = begun(num_traders=10, units=2, open_orders=2, max_steps=40, values="uniform", periods=1)
    state, price = batch.state, float(batch.simulator.metrics(batch.state)["equilibrium_price"][0])
    p = batch.simulator.plan
    for _ in range(40):
        actions = np.zeros((1, 10, 6), np.int64)
        for i in range(10):
            units = int(state.stock[0, 0, i] + state.held_stock[0, 0, i])
            seller = state.first_stock[0, 0, i] > 0
            worth = state.worth[0, i]
            keen = worth[units - 1] < price if seller and units else not seller and units < 2 and worth[units] > price
            if keen:
                actions[0, i] = book.LIMIT, seller, int((price - p.low) / p.tick), 1, 0, 0
        batch.put(0, actions)
        batch.step()
    figures = batch.simulator.metrics(state)
    assert figures["allocative_efficiency"][0] == pytest.approx(1, abs=1e-9)
    assert figures["profit_dispersion"][0] <= p.tick


def test_shares_are_worth_what_theory_says_and_pay_it_on_average() -> None:
    batch = begun(400, preset="ssw-bubble", max_steps=15)
    values = fundamental_values(15, (0, 8, 28, 60))
    at = batch.simulator.names.index("market_0_fundamental")
    first = batch.state.wealth[0, :9].copy()
    assert (batch.state.cash[0, :9] + 360 * batch.state.stock[0, 0, :9] == 1305).all()
    assert sorted(set(zip(batch.state.cash[0].tolist(), batch.state.stock[0, 0].tolist(), strict=True))) == [
        (225, 3), (585, 2), (945, 1),
    ]  # fmt: skip
    for t in range(15):
        assert batch.observed[0][0, 0, at] == values[t] - batch.simulator.plan.low
        batch.step()
    shares = batch.state.stock.sum()
    assert abs(batch.state.minted.sum() / (shares * 15) - 24) < 3 * 22.7 / np.sqrt(15 * 400)
    assert batch.state.wealth[0, 0] - first[0] == batch.simulator.metrics(batch.state)["profit"][0]


def play_kyle(beta: float, rows: int = 64, steps: int = 400) -> dict[str, float]:
    batch = begun(rows, preset="kyle", max_steps=steps, seed=100)
    middle = batch.simulator.plan.levels // 2
    while not batch.over.all():
        order = np.rint(beta * (batch.state.value.astype(np.float64) - middle)).astype(np.int64)
        actions = np.zeros((rows, 1, 6), np.int64)
        actions[:, 0, 0] = np.where(order != 0, book.MARKET, 0)
        actions[:, 0, 1] = np.where(order < 0, book.SELL, book.BUY)
        actions[:, 0, 3] = np.minimum(abs(order), batch.simulator.plan.max_quantity)
        batch.put(0, actions)
        batch.step()
    return {name: float(values.mean()) for name, values in batch.simulator.metrics(batch.state).items()}


def test_kyles_insider_finds_the_closed_form() -> None:
    sigma_value, sigma_noise = 32, 16
    oracle = kyle(sigma_value, sigma_noise)
    found = play_kyle(oracle.intensity)
    assert found["impact"] == pytest.approx(oracle.impact, rel=0.01)
    assert found["revealed"] == pytest.approx(oracle.revealed, rel=0.03)
    assert found["profit"] == pytest.approx(oracle.profit, rel=0.03)
    for factor in (0.5, 1.5):
        assert play_kyle(factor * oracle.intensity)["profit"] < found["profit"]


def test_a_halt_stops_all_but_cancellations_and_the_fee_goes_to_the_treasury() -> None:
    batch = begun(regulator=True, num_traders=2, units=2, max_steps=20, low=1000, periods=1)
    order = [[book.LIMIT, 0, 100, 1, 0, 0], [0] * 6]
    batch.put(0, [order])
    batch.put(1, [[[0, 6, 0]]])  # a fee of 50 basis points
    batch.step()
    assert batch.state.held_cash[0, 0] == 1100 + 5
    batch.put(0, [[[0] * 6, [book.MARKET, 1, 0, 1, 0, 0]]])
    batch.put(1, [[[2, 0, 0]]])
    batch.step()
    assert batch.simulator.faults[batch.out.fault[0, 1]] == "halted"
    batch.put(0, [[[0] * 6, [book.MARKET, 1, 0, 1, 0, 0]]])
    batch.put(1, [[[1, 0, 0]]])
    batch.step()
    assert batch.state.volume[0, 0] == 1
    assert batch.state.treasury[0] == 10
    batch.put(1, [[[0, 0, 4]]])
    batch.put(0, [[[book.LIMIT, 0, 15, 1, 0, 0], [0] * 6]])
    batch.step()
    assert batch.simulator.faults[batch.out.fault[0, 0]] == "off_grid"


def test_a_call_auction_clears_at_one_price() -> None:
    batch = begun(auction="open", auction_steps=3, max_steps=10, seed=3, periods=1)
    rng, n = np.random.default_rng(0), batch.simulator.plan.num_traders
    while batch.t[0] < 3:
        actions = np.zeros((1, n, 6), np.int64)
        for i in range(n):
            level = int(batch.state.worth[0, i, 0]) - 1 + (0 if i >= n // 2 else -int(rng.integers(5)))
            actions[0, i] = book.LIMIT, i >= n // 2, max(level, 0), 1, 0, 0
        batch.put(0, actions)
        batch.step()
        assert (batch.state.trades[0, 0] > 0) == (batch.t[0] == 3)
    count = int(batch.state.trades[0, 0])
    assert len({row[2] for row in batch.state.fill[0, 0, :count].tolist()}) == 1


def test_gymnasium_and_pettingzoo_accept_it() -> None:
    check_env(gym.make(ID, disable_env_checker=True).unwrapped, skip_render_check=True)
    parallel_api_test(ludarium.parallel_env(ID, market_maker=True, regulator=True), num_cycles=30)


def test_a_seat_can_be_played_by_itself() -> None:
    env = gym.make(ID, seat="trader_3", others="random", num_traders=6, max_steps=12)
    env.reset(seed=1)
    over = False
    while not over:
        _, reward, terminated, truncated, _ = env.step(np.array([1, 0, 5, 1, 0, 0]))
        assert np.isfinite(reward)
        over = terminated or truncated


def test_words_and_arrays_come_to_the_same_digest() -> None:
    by_arrays, by_words = (begun(preset="multi-asset", max_steps=24, seed=5) for _ in range(2))
    p = by_words.simulator.plan
    calls = [
        {"name": "limit_order", "arguments": {"side": "buy", "price": 100, "quantity": 2, "instrument": "medium"}},
        {"name": "limit_order", "arguments": {"side": "sell", "price": 90, "quantity": 1, "instrument": "medium"}},
        {"name": "market_order", "arguments": {"side": "sell", "quantity": 1, "instrument": "medium"}},
    ]
    lists = [[1, 0, 100 - p.low, 2, 0, 1], [1, 1, 90 - p.low, 1, 0, 1], [2, 1, 0, 1, 0, 1]]
    state = by_words.state
    waiting = {"name": "wait", "arguments": {}}
    for call, plain in zip(calls, lists, strict=True):
        for batch, given in ((by_words, call), (by_arrays, plain)):
            actions = np.zeros((1, p.num_traders, 6), np.int64)
            seat = calls.index(call)
            if batch is by_words:
                for other in range(p.num_traders):
                    told = given if other == seat else waiting
                    actions[0, other] = parse(batch.simulator, state, 0, other, str(told).replace("'", '"'))
            else:
                actions[0, seat] = given
            batch.put(0, actions)
            batch.step()
        assert by_words.digest() == by_arrays.digest()
    assert by_words.state.volume[0, 1] == 2


def test_words_say_what_is_so_and_calls_that_are_wrong_are_named() -> None:
    batch = begun(num_traders=4, max_steps=9, periods=1)
    simulator, state = batch.simulator, batch.state
    actions = np.zeros((1, 4, 6), np.int64)
    actions[0, 0] = book.LIMIT, 0, 99, 1, 0, 0
    actions[0, 2] = book.LIMIT, 0, 99, 1, 0, 0
    batch.put(0, actions)
    batch.step()
    told = simulator.describe(state, 0, 0)
    assert "#0 buy 1 good at 100" in told
    assert "bids 100 x 1; asks none" in told
    assert "a buyer" in told
    assert "only buy" in simulator.describe(state, 0, 2)
    action = simulator.tool_action(state, 0, 0, "cancel_order", {"order_id": 0})
    assert action.tolist() == [book.CANCEL, 0, 0, 0, 0, 0]
    for name, arguments, said in (
        ("cancel_order", {"order_id": 7}, "none of your open orders"),
        ("limit_order", {"side": "buy", "price": 0, "quantity": 1}, "price = 0"),
        ("limit_order", {"side": "buy", "price": 5, "quantity": 0}, "quantity = 0"),
        ("limit_order", {"side": "hold", "price": 5, "quantity": 1}, "side = 'hold'"),
        ("limit_order", {"side": "buy", "price": 5}, "takes side, price, quantity"),
        ("limit_ordre", {}, "did you mean 'limit_order'"),
    ):
        with pytest.raises(ludarium.errors.ActionError, match=said):
            simulator.tool_action(state, 0, 0, name, arguments)
    ticked = begun(tick=5, low=10, num_traders=4)
    with pytest.raises(ludarium.errors.ActionError, match="off the tick"):
        ticked.simulator.tool_action(ticked.state, 0, 0, "limit_order", {"side": "buy", "price": 12, "quantity": 1})


def test_pictures_show_depth_and_prices() -> None:
    env = gym.make(ID, preset="multi-asset", render_mode="svg", max_steps=10)
    env.reset(seed=1)
    for _ in range(4):
        env.step(env.action_space.sample())
    assert str(env.render()).startswith("<svg")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"preset": "gode-sundr"}, "did you mean 'gode-sunder'"),
        ({"num_traders": 1}, "a buyer and a seller"),
        ({"preset": "kyle", "market_maker": True}, "without further roles"),
        ({"fee": 0.5}, "fee = 0.5"),
        ({"fee": 9000}, "fee = 9000"),
        ({"tick": 0}, "tick = 0"),
        ({"depth": 500}, "more than the 200 levels"),
        ({"instruments": ("a", "b")}, "instruments"),
        ({"auction": "noon"}, "auction = 'noon'"),
        ({"low": 10**9, "tick": 10**6, "units": 10**6, "num_traders": 1000}, "money"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ludarium.errors.ConfigError, match=said):
        config_class(ID).of(**options)


def test_actions_outside_the_space_change_nothing() -> None:
    batch = begun(num_traders=2, max_steps=5, periods=1)
    before = batch.digest()
    for wrong in ([1, 0, 200, 1, 0, 0], [1, 0, -1, 1, 0, 0], [5, 0, 0, 0, 0, 0]):
        batch.put(0, [[wrong, [0] * 6]])
        with pytest.raises(ludarium.errors.ActionError, match="trader_0"):
            batch.step()
        assert batch.digest() == before
