"""The market's traders do what their papers say of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ludarium.agents.crew import Crew
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.econ.market.oracles import kyle

ID = "econ-market-v0"


def play(agent: str, seed: int = 0, **options: Any) -> Batch:
    """One agent in all seats."""
    batch = Batch(make_simulator(ID, **options), 1, ID)
    every = np.ones(1, np.bool_)
    batch.seed(every, [seed])
    batch.reset(every)
    crew = Crew(batch, [(make_agent(agent), batch.simulator.seats)])
    crew.start(seed)
    while not batch.over[0]:
        crew.act()
        batch.step()
        for sentence, holds in batch.simulator.invariants(batch.state).items():
            assert holds.all(), sentence
    return batch


def figures(agent: str, seeds: int, **options: Any) -> dict[str, float]:
    """Mean metrics over seeds."""
    batches = [play(agent, seed, **options) for seed in range(seeds)]
    found = [batch.simulator.summary(batch.state, 0) for batch in batches]
    return {name: float(np.mean([each[name] for each in found])) for name in found[0]}


def test_the_same_seeds_give_the_same_episode() -> None:
    for agent in ("zi-u", "zi-c", "zip", "gd", "quoter"):
        options: dict[str, Any] = {"market_maker": True, "max_steps": 40, "num_traders": 8}
        assert play(agent, 3, **options).digest() == play(agent, 3, **options).digest()


@pytest.mark.parametrize("preset", ["gode-sunder", "multi-asset", "kyle"])
def test_traders_play_offsets_too(preset: str) -> None:
    batch = play("zi-c", 3, preset=preset, actions="offsets", reach=300, max_steps=120)
    assert batch.simulator.metrics(batch.state)["trades"][0] > 5


def test_budgets_learning_and_beliefs_order_the_traders() -> None:
    found = {agent: figures(agent, 4, max_steps=120) for agent in ("zi-u", "zi-c", "zip", "gd")}
    efficiency = {agent: each["allocative_efficiency"] for agent, each in found.items()}
    assert efficiency["zi-u"] < 0.6
    assert all(efficiency[agent] > 0.9 for agent in ("zi-c", "zip", "gd"))
    assert found["gd"]["smiths_alpha"] < 10 < found["zi-c"]["smiths_alpha"] < found["zi-u"]["smiths_alpha"]


def test_zip_prices_come_near_to_the_equilibrium_from_day_to_day() -> None:
    batch = play("zip", 1, periods=10, max_steps=300)
    volume, turnover = (batch.state.traded[0, 0, :, k].astype(np.float64) for k in range(2))
    assert (volume > 0).all()
    price = batch.simulator.metrics(batch.state)["equilibrium_price"][0]
    late = np.abs(turnover[5:] / volume[5:] - price) / price
    assert late.max() < 0.1


@pytest.mark.parametrize("agent", ["zi-c", "zip", "gd"])
@pytest.mark.parametrize("preset", ["ssw-bubble", "multi-asset"])
def test_opinions_lead_to_trade_in_shares(agent: str, preset: str) -> None:
    batch = play(agent, 2, preset=preset, max_steps=120)
    assert batch.simulator.metrics(batch.state)["trades"][0] > 5


def test_insiders_earn_what_kyle_says() -> None:
    oracle = kyle(32, 16)
    found = figures("zi-c", 4, preset="kyle", max_steps=500)
    assert found["profit"] == pytest.approx(oracle.profit, rel=0.15)
    assert found["impact"] == pytest.approx(oracle.impact, rel=0.02)


def test_a_market_maker_narrows_the_spread() -> None:
    with_maker = figures("quoter?half_spread=1", 4, preset="ssw-bubble", max_steps=150, market_maker=True)
    without = figures("zi-c", 4, preset="ssw-bubble", max_steps=150)
    assert with_maker["spread"] < without["spread"] / 2
