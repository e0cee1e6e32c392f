"""The kernels against the plain reference, step by step, over random configs and actions that ignore the mask.

`LUDARIUM_EPISODES=10000` plays as many.
"""

from __future__ import annotations

import os
import random

import numpy as np
import pytest
from econ.gtb_reference import ReferenceGtb
from econ.gtbworld import begun, drawn_options, hostile

from ludarium.envs.core.compile import DISABLED
from ludarium.envs.econ.gtb.figures import conserve, equalities

EPISODES = int(os.environ.get("LUDARIUM_EPISODES", "24" if DISABLED else "120"))
ROWS = 6


def same_orders(batch, b: int, twin: ReferenceGtb) -> None:
    state, c = batch.state, batch.simulator.scalars
    for r, book in enumerate(twin.books):
        for side in range(2):
            want = sorted((o.owner, o.price, o.expiry) for o in book[side])
            first, found = side * c.workers * c.rules.slots, []
            for place in range(first, first + c.workers * c.rules.slots):
                if state.order_quantity[b, r, place]:
                    owner = place // c.rules.slots % c.workers
                    found.append((owner, int(state.order_level[b, r, place]), int(state.order_expiry[b, r, place])))
            assert sorted(found) == want


def same(batch, b: int, twin: ReferenceGtb) -> None:
    state, config = batch.state, batch.simulator.config
    workers = twin.workers
    assert state.pos[b].tolist() == [[w.y, w.x] for w in workers]
    assert state.cash[b].tolist() == [w.cash for w in workers]
    assert state.held_cash[b].tolist() == [w.held for w in workers]
    assert state.stock[b].T.tolist() == [w.stock for w in workers]
    assert (state.labour[b] / 4).tolist() == [float(w.labour) for w in workers]
    assert state.lien[b].tolist() == [w.lien for w in workers]
    assert state.income[b].tolist() == [w.income for w in workers]
    assert state.paid[b].tolist() == [w.paid for w in workers]
    assert state.done[b].tolist() == [[w.gathered, w.houses, w.traded] for w in workers]
    assert state.rates[b].tolist() == twin.rates
    for name in ("treasury", "minted", "taxed", "avoided", "faults"):
        assert int(getattr(state, name)[b]) == getattr(twin, name), name
    assert state.trades[b].sum() == twin.trades
    assert state.gathered[b].tolist() == twin.gathered
    owner = state.owner[b].reshape(config.height, config.width)
    assert {(y, x): int(owner[y, x]) - 1 for y, x in np.argwhere(owner).tolist()} == twin.owner
    full = (state.ready_at[b] == 0).reshape(config.height, config.width)
    if not twin.over:
        assert all(full[cell] == (at <= twin.t) for cell, at in twin.ready.items())
    np.testing.assert_allclose(state.utility[b], twin.utility, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(state.welfare[b], twin.social, rtol=1e-9, atol=1e-9)
    same_orders(batch, b, twin)


def compare(seed: int) -> None:
    rng = random.Random(seed)
    batch = begun(ROWS, seed * ROWS, **drawn_options(rng))
    simulator, config = batch.simulator, batch.simulator.config
    twins = [ReferenceGtb(config, seed * ROWS + b) for b in range(ROWS)]
    for b, twin in enumerate(twins):
        ground = batch.state.ground[b].reshape(config.height, config.width)
        assert {(y, x) for y, x in np.argwhere(ground == 1).tolist()} == twin.water
        assert {(y, x): int(ground[y, x]) - 2 for y, x in np.argwhere(ground >= 2).tolist()} == twin.sources
        assert batch.state.pay[b].tolist() == [w.pay for w in twin.workers]
        assert batch.state.bonus[b].tolist() == [w.bonus for w in twin.workers]
        same(batch, b, twin)
    while not batch.over.all():
        plan = [[rng.randrange(config.levels) for _ in config.brackets] for _ in range(ROWS)]
        given = [hostile(rng, config.actions, batch.masks[1][b], config.payment) for b in range(ROWS)]
        masks = batch.masks[1].copy()
        batch.actions[0][:, 0] = plan
        batch.actions[1][...] = given
        batch.step()
        for b, twin in enumerate(twins):
            allowed = [[twin.fault(i, a) == "none" for a in range(config.actions)] for i in range(config.n_workers)]
            assert masks[b].astype(bool).tolist() == allowed
            rewards, faults = twin.step(plan[b], given[b])
            assert [simulator.faults[code] for code in batch.out.fault[b, 1:]] == faults
            np.testing.assert_allclose(batch.out.reward[b], rewards, rtol=1e-9, atol=1e-9)
            for i, (action, fault) in enumerate(zip(given[b], faults, strict=True)):
                assert bool(masks[b, i, action]) == (fault in ("none", "contested"))
            same(batch, b, twin)
        for sentence, holds in simulator.invariants(batch.state).items():
            assert holds.all(), sentence
        conserve(batch.state)
    assert equalities(batch.state.cash).max() <= 1.0


@pytest.mark.parametrize("share", range(2))
def test_the_kernels_equal_the_reference(share: int) -> None:
    for seed in range(share, EPISODES // ROWS, 2):
        compare(seed)
