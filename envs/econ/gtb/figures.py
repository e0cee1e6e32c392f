"""Figures of gather, trade and build: metrics, what must always hold, and the view `state`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.errors import ConservationError
from ludarium.envs.econ import book
from ludarium.envs.econ.gtb.layout import CENTS, FULL, PRICES, SOMEBODY, State

if TYPE_CHECKING:
    from ludarium.envs.econ.gtb.simulator import Gtb

__all__ = ["conserve", "equalities", "full", "invariants", "metrics", "note_year"]

Floats = NDArray[np.float64]


def coin_of(state: State) -> NDArray[np.int64]:
    """All coin of the workers with what bids hold, int64[B, N] cents."""
    return state.cash + state.held_cash


def _share(part: Any, whole: Any) -> Floats:
    """`part / whole`, 0 where the whole is 0."""
    whole = np.asarray(whole, np.float64)
    return np.where(whole != 0, np.asarray(part, np.float64) / np.where(whole != 0, whole, 1.0), 0.0)


def equalities(coin: NDArray[np.int64]) -> Floats:
    """1 - Gini * n / (n - 1) of each row of int64[B, N], by one formula for all n; 1 where all have nothing."""
    n, total = coin.shape[1], coin.sum(1)
    apart = np.sort(coin, 1) @ (2 * np.arange(n) + 1 - n)
    whole = (n - 1) * total
    return np.where(whole > 0, 1.0 - apart / np.where(whole > 0, whole, 1), 1.0)


def _entropy(done: NDArray[np.int64]) -> Floats:
    """Mean over workers of the entropy, in nats, of how often they gathered, built and traded."""
    share = _share(done, done.sum(2, keepdims=True))
    return np.asarray(-(share * np.log(np.where(share > 0, share, 1.0))).sum(2).mean(1))


def _elasticity(slope: Floats) -> Floats:
    """The least-squares slope of log income on the log of what is kept of the last coin, 0 where rates did not differ."""
    count, x, y, xx, xy = slope.T
    spread = count * xx - x * x
    return np.where(spread > 1e-9, (count * xy - x * y) / np.where(spread > 1e-9, spread, 1.0), 0.0)


def note_year(state: State, edges: NDArray[np.int64], ended: NDArray[np.bool_]) -> None:
    """Add the incomes of the tax years that have just ended (bool[B]), and the shares kept of their last coins, to the sums."""
    income, rates = state.income[ended], state.rates[ended]
    kept = 1.0 - np.take_along_axis(rates, np.searchsorted(edges, income, side="right") - 1, 1) / 10_000.0
    counts = (income > 0) & (kept > 0)
    x, y = (np.log(np.where(counts, value, 1.0)) for value in (kept, income))
    state.slope[ended] += np.stack([counts.sum(1), x.sum(1), y.sum(1), (x * x).sum(1), (x * y).sum(1)], 1)


def metrics(simulator: Gtb, state: State) -> dict[str, NDArray[Any]]:
    """Figures of the episode so far, money in coins."""
    n, coin = simulator.config.n_workers, coin_of(state)
    total, equal, taxed = coin.sum(1), equalities(coin), state.taxed.astype(np.float64)
    weight = 1.0 / np.maximum(state.pay, 1)
    return {
        "productivity": total / CENTS,
        "equality": equal,
        "product": equal * total / (CENTS * n),
        "mean_utility": state.utility.mean(1),
        "least_utility": state.utility.min(1),
        "inverse_skill_utility": (weight * state.utility).sum(1) / weight.sum(1),
        "houses": state.houses.copy(),
        "gathered": state.gathered.sum(1),
        "trades": state.trades.sum(1),
        "mean_price": _share(state.turnover.sum(1), CENTS * state.volume.sum(1)),
        "labour": state.labour.sum(1) / (4.0 * n),
        "specialisation_entropy": _entropy(state.done),
        "revenue": taxed / CENTS,
        "effective_rate": _share(taxed, state.minted),
        "elasticity": _elasticity(state.slope),
        "avoided": state.avoided / CENTS,
        "liens": state.lien.sum(1) / CENTS,
        "treasury": state.treasury / CENTS,
        "faults": state.faults.astype(np.int64),
    }


def layer_of(state: State, bit: int) -> NDArray[np.uint8]:
    """Uint8[B, padded cells]: 1 where a place is marked in a layer."""
    return state.layers[:, bit // 8] >> np.uint8(bit % 8) & np.uint8(1)


def _one_a_cell(simulator: Gtb, state: State) -> NDArray[np.bool_]:
    """Workers stand on different cells, none of them in water or on another's house, and the layer shows them."""
    c, rows = simulator.scalars, np.arange(len(state.t))[:, None]
    cell = state.pos[:, :, 0].astype(np.int64) * c.width + state.pos[:, :, 1]
    apart = np.diff(np.sort(cell, 1), axis=1).all(1) if c.workers > 1 else np.ones(len(state.t), np.bool_)
    owner = state.owner[rows, cell]
    dry = (state.ground[rows, cell] != 1) & ((owner == 0) | (owner == 1 + np.arange(c.workers)))
    padded = (state.pos[:, :, 0] + c.radius).astype(np.int64) * c.stride + state.pos[:, :, 1] + c.radius
    layer = layer_of(state, SOMEBODY)
    return apart & dry.all(1) & (layer.sum(1, dtype=np.int64) == c.workers) & layer[rows, padded].all(1)


def invariants(simulator: Gtb, state: State) -> dict[str, NDArray[np.bool_]]:
    """What no step may break."""
    c, rows = simulator.scalars, len(state.t)
    sound = np.zeros((rows, 3), np.bool_)
    book.sound(state, c.rules, sound)
    goods = (state.stock + state.held_stock).sum(2)
    used = state.houses[:, None] * c.recipe
    built = (state.owner > 0).sum(1)
    full_sources = sum(layer_of(state, FULL + r).sum(1, dtype=np.int64) for r in range(c.kinds))
    return {
        "no coin appears or gets lost": coin_of(state).sum(1) + state.treasury
        == state.first_cash.sum(1) + state.minted,
        "no goods appear or get lost": (goods == state.first_stock.sum(2) + state.gathered - used).all(1),
        "no balance is below zero": sound[:, 2] & (state.treasury >= 0) & (state.lien >= 0).all(1),
        "what is held is what open orders have committed": sound[:, 1],
        "queues hold the open orders, in order of arrival": sound[:, 0],
        "the best bid is below the best ask": (state.best[:, :, 0] < state.best[:, :, 1]).all(1),
        "workers stand on cells of their own": _one_a_cell(simulator, state),
        "no house stands on a source or in water": ~((state.owner > 0) & (state.ground > 0)).any(1),
        "a house is somebody's": (built == state.houses) & (state.done[:, :, 1].sum(1) == state.houses),
        "sources are full, or wait": full_sources + (state.ready_at > 0).sum(1) == (state.ground >= 2).sum(1),
        "the treasury holds less than a cent a head": state.treasury < c.workers,
        "rates are from 0 to 1": ((state.rates >= 0) & (state.rates <= 10_000)).all(1),
        "bids can always pay": ~(state.lien > 0).any(1) | (not c.cancel or c.legacy),
        "nothing is held when all is over": ~state.over | (~state.held_cash.any(1) & ~state.held_stock.any((1, 2))),
    }


def conserve(state: State) -> None:
    """Raise `ConservationError` if coin was minted or lost in any row but by houses."""
    for b in range(len(state.t)):
        delta = int(coin_of(state)[b].sum() + state.treasury[b] - state.first_cash[b].sum() - state.minted[b])
        if delta:
            raise ConservationError(f"row {b}: {delta} cents too many after {int(state.t[b])} steps", delta)


def full(simulator: Gtb, state: State, row: int) -> dict[str, Any]:
    """All there is, as copies: the map, workers, orders and taxes, in cells, cents and basis points.

    When emptied sources are full again was drawn when they were emptied; it is not told.
    """
    c, config, r = simulator.scalars, simulator.config, simulator.scalars.rules
    shape = (c.height, c.width)
    held = state.order_quantity[row].reshape(c.kinds, 2, c.workers, r.slots) != 0
    levels = state.order_level[row].reshape(c.kinds, 2, c.workers, r.slots)
    earned = state.cash[row] - state.start_free[row]
    if not c.legacy:
        earned = coin_of(state)[row] - state.start_coin[row]
    return {
        "t": int(state.t[row]), "max_steps": config.max_steps, "period": config.period,
        "resources": config.resources, "recipe": np.array(config.recipe, np.int64),
        "ground": state.ground[row].reshape(shape).copy(), "owner": state.owner[row].reshape(shape).copy(),
        "full": (state.ready_at[row] == 0).reshape(shape) & (state.ground[row] >= 2).reshape(shape),
        "pos": state.pos[row].astype(np.int64), "cash": state.cash[row].copy(), "bids": state.held_cash[row].copy(),
        "stock": state.stock[row].T.copy(), "asks": state.held_stock[row].T.copy(), "pay": state.pay[row].copy(),
        "bonus": state.bonus[row].copy(), "labour": state.labour[row] / 4.0, "houses": state.done[row, :, 1].copy(),
        "orders": np.where(held, levels, -1), "slots": r.slots, "depth": state.depth[row].copy(),
        "last": state.last[row].copy(), "prices": PRICES, "edges": simulator.edges.copy(),
        "rates": state.rates[row].copy(), "base": state.base[row].copy(), "rate_step": int(c.rate_step),
        "levels": config.levels, "earned": np.maximum(earned, 0), "income": state.income[row].copy(),
        "paid": state.paid[row].copy(), "lien": state.lien[row].copy(), "settled": int(state.settled[row]),
        "revenue": int(state.revenue[row]), "welfare": float(state.welfare[row]), "utility": state.utility[row].copy(),
        "weight": state.weight[row].copy(), "eta": config.eta, "labour_cost": config.labour_cost,
        "labours": (config.move_labour, config.gather_labour, config.build_labour, config.trade_labour),
    }  # fmt: skip
