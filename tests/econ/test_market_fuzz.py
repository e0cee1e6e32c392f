"""The market equals the plain reference, step by step, over random configs and hostile random actions.

`LUDARIUM_EPISODES=10000` plays as many.
"""

from __future__ import annotations

import os
import random
from typing import Any

import numpy as np
import pytest
from econ.plain_market import PlainMarket
from gymnasium import spaces

from ludarium.envs.core.compile import DISABLED
from ludarium.envs.core.simulator import Out
from ludarium.envs.econ.market.config import MarketConfig
from ludarium.envs.econ.market.simulator import Market

EPISODES = int(os.environ.get("LUDARIUM_EPISODES", "40" if DISABLED else "300"))
ROWS = 10


def options(rng: random.Random) -> dict[str, Any]:
    """A small crowded market."""
    preset = rng.choice(("gode-sunder", "ssw-bubble", "multi-asset"))
    steps = rng.randint(4, 24)
    return {
        "preset": preset, "mode": rng.choice(("parallel", "parallel", "sequential", "events")), "num_traders": rng.randint(2, 5),
        "market_maker": rng.random() < 0.4, "regulator": rng.random() < 0.4, "units": rng.randint(1, 3),
        "levels": rng.choice((3, 5, 12, 40)), "low": rng.choice((0, 1, 100)), "tick": rng.choice((1, 5)),
        "max_quantity": rng.randint(1, 4), "open_orders": rng.randint(1, 3), "periods": rng.randint(1, 3),
        "self_match": rng.choice(("newest", "oldest", "both")), "fee": rng.choice((0, 0, 35, 500)),
        "collar": rng.choice((0, 0, 3)), "lifetime": rng.choice((0, 0, 2)), "depth": 2, "max_steps": steps,
        "auction": rng.choice(("none", "none", "open", "close", "both", "always")), "auction_steps": rng.randint(1, 3),
        "actions": rng.choice(("levels", "levels", "levels", "offsets")), "reach": rng.choice((2, 10)),
        "latency": rng.choice((0, 0, 0, 1, 3)), "clear_on_trade": rng.random() < 0.2, "values": rng.choice(("linear", "uniform")),
    }  # fmt: skip


def hostile(rng: random.Random, space: Any) -> list[Any]:
    """Uniform, but for kinds, quantities and rules: most are limit orders of something, and the regulator mostly rests."""
    if isinstance(space, spaces.Box):
        return [rng.choice((-1.0, 1.0, float(np.float32(rng.uniform(-1, 1))))) for _ in range(space.shape[0])]
    counts = space.nvec
    found = [rng.randrange(int(n)) for n in counts]
    if len(found) == 3 and rng.random() < 0.7:
        return [rng.randrange(2), 0, 0]
    if len(found) == 6 and counts[0] == 5:
        found[0] = 1 if rng.random() < 0.6 else found[0]
        found[3] = max(found[3], 1) if rng.random() < 0.9 else 0
    return found


def compare(seed: int) -> None:
    """Play ROWS episodes of one config."""
    rng = random.Random(seed)
    simulator = Market(MarketConfig.of(**options(rng)))
    config, n, seats = simulator.config, simulator.plan.num_traders, len(simulator.seats)
    state = simulator.new(ROWS)
    seeds = np.arange(seed * ROWS, (seed + 1) * ROWS)
    simulator.reset(state, np.ones(ROWS, np.bool_), seeds, np.full(ROWS, -1, np.int32))
    out = Out(
        np.zeros((ROWS, seats)),
        np.zeros((ROWS, seats), np.bool_),
        np.zeros(ROWS, np.bool_),
        np.zeros((ROWS, seats), np.int16),
    )
    plain = [
        PlainMarket(
            config,
            state.cash[b].tolist(),
            state.stock[b].tolist(),
            state.worth[b].tolist(),
            state.reference[b].tolist(),
        )
        for b in range(ROWS)
    ]
    while not state.over.all():
        given = tuple(
            np.array(
                [[hostile(rng, role.action_space) for _ in range(role.count)] for _ in range(ROWS)],
                np.float32 if isinstance(role.action_space, spaces.Box) else np.int64,
            )
            for role in simulator.roles
        )
        turns = state.turn.tolist()
        simulator.step(state, given, out)
        for b in range(ROWS):
            quote = given[1][b, 0].tolist() if config.market_maker else None
            rule = given[-1][b, 0].tolist() if config.regulator else None
            rewards, codes = plain[b].step(turns[b], given[0][b].tolist(), quote, rule, state.paid[b].tolist())
            assert [simulator.faults[code] for code in out.fault[b]] == codes
            assert out.reward[b, : n + config.market_maker].tolist() == pytest.approx(rewards, rel=1e-12, abs=1e-9)
            assert state.cash[b].tolist() == plain[b].cash
            for m, one in enumerate(plain[b].books):
                assert state.stock[b, m].tolist() == one.stock
                assert state.trades[b, m] == len(one.trades)
            assert state.treasury[b] == sum(one.treasury for one in plain[b].books)
    for sentence, holds in simulator.invariants(state).items():
        assert holds.all(), sentence


@pytest.mark.parametrize("share", range(2))
def test_the_market_plays_as_the_reference_does(share: int) -> None:
    for seed in range(share, EPISODES // ROWS, 2):
        compare(seed)
