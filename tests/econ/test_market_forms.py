"""Forms of the market's actions and time: masks, offsets, latency, single events; what money may add up to."""

from __future__ import annotations

import itertools
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test

import ludarium
from ludarium.agents.contract import Task, Turn
from ludarium.agents.uniform import RandomAgent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import config_class, make_simulator
from ludarium.envs.core.simulator import Out
from ludarium.envs.econ import book

ID = "econ-market-v0"

LIMIT, MARKET, CANCEL, MODIFY = book.LIMIT, book.MARKET, book.CANCEL, book.MODIFY


def begun(rows: int = 1, seed: int = 0, **options: Any) -> Batch:
    batch = Batch(make_simulator(ID, **options), rows, ID)
    every = np.ones(rows, np.bool_)
    batch.seed(every, [seed + b for b in range(rows)])
    batch.reset(every)
    return batch


def play(batch: Batch, orders: dict[int, Any]) -> list[str]:
    """One step of a row; the faults of all seats."""
    role = batch.simulator.roles[0]
    actions = np.zeros((1, role.count, *role.action_space.shape), role.action_space.dtype)
    for seat, order in orders.items():
        actions[0, seat] = order
    batch.put(0, actions)
    batch.step()
    return [batch.simulator.faults[code] for code in batch.out.fault[0]]


# --- masks -----------------------------------------------------------------------------------------------------------
def test_kinds_of_messages_are_forbidden_that_can_only_be_in_vain() -> None:
    batch = begun(num_traders=2, max_steps=9, periods=1, levels=20)
    kinds = batch.masks[0][0, :, :5].tolist()
    assert kinds == [[1, 1, 1, 0, 0]] * 2  # nothing waits
    play(batch, {0: [LIMIT, 0, 15, 1, 0, 0]})
    assert batch.masks[0][0, :, :5].tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
    play(batch, {1: [LIMIT, 1, 2, 1, 0, 0]})
    assert batch.masks[0][0, :, :5].tolist() == [[1, 0, 0, 0, 0]] * 2  # all is bought and sold
    assert batch.masks[0][0, :, 5:].all()  # the other numbers depend on each other


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "sequential", "regulator": True}, {"lifetime": 2}, {"clear_on_trade": True}, {"preset": "kyle"},
        {"preset": "multi-asset", "auction": "both"}, {"market_maker": True, "mode": "events", "self_match": "oldest"},
    ],
)  # fmt: skip
def test_what_a_mask_forbids_is_a_fault_whatever_else_is_said(options: dict[str, Any]) -> None:
    small: dict[str, Any] = {"levels": 3, "max_quantity": 1, "depth": 2} if "preset" not in options else {}
    batch = begun(num_traders=3, max_steps=12, seed=4, **small, **options)
    rng, simulator = np.random.default_rng(0), batch.simulator
    counts = simulator.roles[0].action_space.nvec  # type: ignore[attr-defined]
    tried = 0
    while not batch.over[0]:
        given = [
            (rng.random((1, role.count, len(role.action_space.nvec))) * role.action_space.nvec).astype(np.int64)  # type: ignore[attr-defined]
            for role in simulator.roles
        ]
        for seat, kind in itertools.product(range(3), range(5)):
            if batch.masks[0][0, seat, kind] or not batch.asked[0, seat]:
                continue
            for rest in rng.integers(0, counts[1:], (12, 5)):
                given[0][0, seat] = kind, *rest
                fault = np.zeros((1, len(simulator.seats)), np.int16)
                simulator.check(batch.state, tuple(given), fault)
                assert fault[0, seat], (seat, kind, rest)
                tried += 1
        for r, actions in enumerate(given):
            batch.put(r, actions)
        batch.step()
    assert tried > 20


def test_masks_come_in_the_form_of_the_space() -> None:
    env = gym.make(ID, num_traders=3, levels=20)
    _, info = env.reset(seed=1)
    assert info["action_mask"].shape == (3, sum(env.unwrapped.simulator.roles[0].action_space.nvec))  # type: ignore[attr-defined]
    zoo = ludarium.parallel_env(ID, num_traders=3, levels=20, mode="sequential")
    _, infos = zoo.reset(seed=1)
    space = zoo.action_space("trader_0")
    mask = infos["trader_0"]["action_mask"]
    assert mask.shape == (space.nvec.sum(),)
    parts = tuple(np.split(mask, np.cumsum(space.nvec)[:-1]))
    assert {int(space.sample(parts)[0]) for _ in range(40)} == {0, 1, 2}
    for off in ({"mask": False}, {"latency": 1}, {"actions": "offsets"}):
        assert "action_mask" not in gym.make(ID, **off).reset(seed=0)[1]


def test_the_random_agent_keeps_to_the_mask_of_each_number() -> None:
    space = spaces.MultiDiscrete([4, 3])
    agent = RandomAgent()
    agent.start(Task("w", {}, "", {}, {"r": space}, ("r_0",), 99), ("r_0",), 0)
    mask = np.array([0, 1, 0, 1, 0, 0, 1], np.int8)
    drawn = [agent.act({"r_0": Turn(None, mask, None, None, 0.0, False, False, t)})["r_0"] for t in range(60)]
    assert {int(a[0]) for a in drawn} == {1, 3}
    assert {int(a[1]) for a in drawn} == {2}


# --- offsets ---------------------------------------------------------------------------------------------------------
def test_offsets_are_limit_orders_near_the_last_price_in_place_of_what_is_open() -> None:
    batch = begun(preset="ssw-bubble", actions="offsets", num_traders=3, max_steps=9, periods=1, reach=10)
    s, p = batch.state, batch.simulator.plan
    s.cash[:] = 10_000
    near = int(s.reference[0, 0])
    assert play(batch, {0: [0.5, -0.3]})[0] == "none"
    assert s.best[0, 0, 0] == near - 3
    assert s.depth[0, 0, 0, near - 3] == round(0.5 * p.max_quantity)
    assert play(batch, {0: [0.25, -1.0]})[0] == "none"
    assert s.best[0, 0, 0] == near - 10
    assert int(s.order_quantity[0].sum()) == 1
    assert play(batch, {0: [0.1, 1.0]})[0] == "none"  # no unit: all stays
    assert s.best[0, 0, 0] == near - 10
    assert play(batch, {1: [-0.25, -1.0]})[1] == "none"
    assert s.trades[0, 0] == 1
    assert s.last[0, 0] == near - 10
    with pytest.raises(ludarium.errors.ActionError, match="trader_0"):
        play(batch, {0: [1.5, 0.0]})
    with pytest.raises(ludarium.errors.ActionError, match="trader_0"):
        play(batch, {0: [float("nan"), 0.0]})


def test_words_and_offsets_come_to_the_same_order() -> None:
    batch = begun(preset="multi-asset", actions="offsets", num_traders=2, max_steps=9, reach=7)
    simulator, state = batch.simulator, batch.state
    state.cash[:] = 10_000
    p, near = simulator.plan, int(state.reference[0, 2])
    price = p.low + (near + 6) * p.tick
    call = {"side": "buy", "price": price, "quantity": 3, "instrument": "long"}
    action = simulator.tool_action(state, 0, 0, "limit_order", call)
    assert simulator.roles[0].action_space.contains(action)
    play(batch, {0: action})
    assert state.depth[0, 2, 0, near + 6] == 3
    with pytest.raises(ludarium.errors.ActionError, match="out of reach"):
        simulator.tool_action(state, 0, 0, "limit_order", {**call, "price": price + 9 * p.tick})
    assert simulator.tool_action(state, 0, 0, "wait", {}).tolist() == [0, 0, 0]


def test_insiders_may_play_offsets() -> None:
    batch = begun(preset="kyle", actions="offsets", max_steps=9)
    assert play(batch, {0: [-0.5, 0.9]})[0] == "none"
    assert batch.state.filled[0, 0] == -32


# --- time ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("mode", ["parallel", "sequential"])
def test_a_message_arrives_so_many_turns_later(mode: str) -> None:
    batch = begun(num_traders=2, max_steps=30, periods=1, latency=3, mode=mode)
    turns, sent = 0, False
    while not batch.state.held_cash[0, 0]:
        mine = bool(batch.asked[0, 0])
        play(batch, {} if sent or not mine else {0: [LIMIT, 0, 90, 1, 0, 0]})
        turns += sent and mine
        sent = sent or mine
    assert turns == 3


def test_late_messages_may_be_faults_by_then() -> None:
    batch = begun(num_traders=2, max_steps=9, periods=1, latency=1)
    assert play(batch, {0: [CANCEL, 0, 0, 0, 0, 0]}) == ["none", "none"]
    assert play(batch, {}) == ["unknown_order", "none"]
    assert play(batch, {}) == ["none", "none"]


def test_each_event_asks_one_seat_and_all_seats_equally_often() -> None:
    batch = begun(rows=40, num_traders=5, mode="events", max_steps=250, periods=1)
    asked = np.zeros(5)
    while not batch.over.all():
        assert (batch.asked.sum(1) == 1).all()
        asked += batch.asked.sum(0)
        batch.step()
    mean = asked.sum() / 5
    assert ((asked - mean) ** 2 / mean).sum() < 18.47  # chi-square, 4 degrees, p = 0.001


# --- figures and limits ----------------------------------------------------------------------------------------------
def test_impact_is_the_slope_of_price_changes_on_the_flow_of_those_who_do_not_wait() -> None:
    batch = begun(preset="ssw-bubble", num_traders=4, units=9, max_steps=20, periods=1, tick=3)
    batch.state.cash[:] = 10_000
    near = 100
    for orders in (
        {0: [LIMIT, 1, near, 1, 0, 0]}, {0: [LIMIT, 1, near + 2, 2, 0, 0]}, {0: [LIMIT, 1, near + 9, 1, 0, 0]},
        {1: [MARKET, 0, 0, 1, 0, 0]}, {1: [MARKET, 0, 0, 2, 0, 0]}, {2: [LIMIT, 0, near - 1, 3, 0, 0]},
        {3: [MARKET, 1, 0, 1, 0, 0]},
    ):  # fmt: skip
        assert set(play(batch, orders)) == {"none"}
    flows, changes = [2, -1], [2, -3]  # after the first trade, at level 100, came 102 and 99
    slope = 3 * sum(f * d for f, d in zip(flows, changes, strict=True)) / sum(f * f for f in flows)
    assert batch.simulator.metrics(batch.state)["impact"][0] == pytest.approx(slope, abs=1e-12)


def test_a_crowd_moves_prices_with_its_orders() -> None:
    batch = begun(rows=16, preset="poisson-flow", max_steps=200)
    while not batch.over.all():
        batch.step()
    assert (batch.simulator.metrics(batch.state)["impact"] > 0).all()


def test_what_could_overflow_is_refused() -> None:
    with pytest.raises(ludarium.errors.ConfigError, match="turnover"):
        config_class(ID).of(max_steps=10**6, low=10**9, max_quantity=10**5)
    batch = begun(preset="ssw-bubble", num_traders=2, max_steps=15)
    instance = batch.simulator.instance(3).as_data()
    instance["stock"] = [[2**40 // 1000, 1]]
    instance["cash"] = [2**40, 2**40]
    batch.reset(np.ones(1, np.bool_), {0: instance})
    instance["stock"] = [[2**40, 2**40]]
    with pytest.raises(ludarium.errors.InstanceError, match="from 0 to"):
        batch.reset(np.ones(1, np.bool_), {0: {**instance, "cash": [2**40 + 1, 0]}})
    many = begun(preset="ssw-bubble", num_traders=1000, max_steps=4000, periods=4000, levels=300)
    data = many.simulator.instance(0).as_data()
    data["stock"] = [[2**40] * 1000]
    with pytest.raises(ludarium.errors.InstanceError, match="more than 2"):
        many.simulator.load(many.state, 0, data)


def test_the_end_of_a_session_gives_back_all_that_was_committed() -> None:
    batch = begun(num_traders=4, max_steps=3, periods=1)
    s, cash = batch.state, batch.state.cash[0].copy()
    for _ in range(2):
        play(batch, {0: [LIMIT, 0, 5, 1, 0, 0], 3: [LIMIT, 1, 190, 1, 0, 0]})
        assert s.held_cash[0, 0] == 6
        assert s.held_stock[0, 0, 3] == 1
    play(batch, {})
    assert batch.over[0]
    assert not s.held_cash.any()
    assert not s.held_stock.any()
    assert not s.order_quantity.any()
    assert (s.cash[0] == cash).all()


def test_checks_leave_the_world_as_it_was() -> None:
    batch = begun(num_traders=3, max_steps=9)
    before, fault = batch.digest(), np.zeros((1, 3), np.int16)
    batch.simulator.check(batch.state, (np.ones((1, 3, 6), np.int64) * 0,), fault)
    out = Out(*(array.copy() for array in batch.out))
    assert batch.digest() == before
    assert not out.fault.any()


@pytest.mark.parametrize(
    "options", [{"actions": "offsets", "market_maker": True, "latency": 1}, {"mode": "events", "regulator": True}]
)
def test_gymnasium_and_pettingzoo_accept_all_forms(options: dict[str, Any]) -> None:
    check_env(gym.make(ID, disable_env_checker=True, num_traders=3, **options).unwrapped, skip_render_check=True)
    parallel_api_test(ludarium.parallel_env(ID, num_traders=3, **options), num_cycles=30)
