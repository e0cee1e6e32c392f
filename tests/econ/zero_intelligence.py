"""Zero-intelligence traders over many episodes at once, in arrays: what the agents of the same name do one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.simulator import Out
from ludarium.envs.econ import book
from ludarium.envs.econ.market.config import MarketConfig
from ludarium.envs.econ.market.simulator import Market


def efficiencies(constrained: bool, seeds: int, quotes: int, **options: Any) -> NDArray[np.float64]:
    """Allocative efficiency by seed: in each step one trader, drawn in rounds, quotes a random price (ZI-U, ZI-C).

    The price is uniform over all levels, or over those at which the next unit makes no loss (Gode and Sunder 1993).
    """
    simulator = Market(MarketConfig.of(mode="sequential", max_steps=quotes, periods=1, **options))
    state = simulator.new(seeds)
    n, rows = simulator.plan.num_traders, np.arange(seeds)
    out = Out(
        np.zeros((seeds, n)), np.zeros((seeds, n), np.bool_), np.zeros(seeds, np.bool_), np.zeros((seeds, n), np.int16)
    )
    simulator.reset(state, np.ones(seeds, np.bool_), np.arange(seeds), np.full(seeds, -1, np.int32))
    rng, p = np.random.default_rng(1), simulator.plan
    actions = np.zeros((seeds, n, 6), np.int64)
    for _ in range(quotes):
        seat = state.turn[rows, state.t % n].astype(np.int64)
        seller = state.first_stock[rows, 0, seat] > 0
        units = state.stock[rows, 0, seat] + state.held_stock[rows, 0, seat]
        done = np.where(seller, units == 0, units == p.units)
        at = np.clip(np.where(seller, units - 1, units), 0, p.units - 1)
        own = (state.worth[rows, seat, at] - p.low) // p.tick
        chance = rng.random(seeds)
        if constrained:
            low, high = np.where(seller, own, 0), np.where(seller, p.levels - 1, own)
        else:
            low, high = np.zeros(seeds, np.int64), np.full(seeds, p.levels - 1)
        level = low + (chance * (high - low + 1)).astype(np.int64)
        place = (seller * n + seat) * p.open_orders
        waiting = state.order_quantity[rows, 0, place] > 0
        actions[:] = 0
        kind = np.where(done, book.NONE, np.where(waiting, book.MODIFY, book.LIMIT))
        actions[rows, seat] = np.stack([kind, seller.astype(np.int64), level, ~done, 0 * seat, 0 * seat], 1)
        simulator.step(state, (actions,), out)
    found: NDArray[np.float64] = simulator.metrics(state)["allocative_efficiency"]
    return found
