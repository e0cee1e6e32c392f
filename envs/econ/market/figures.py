"""Metrics, invariants and the full view of the market."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.econ import book
from ludarium.envs.econ.market.config import MarketConfig
from ludarium.envs.econ.market.oracles import bubble, fundamental_values

if TYPE_CHECKING:
    from ludarium.envs.econ.market.simulator import Market

__all__ = ["full", "impact_of", "intensity_of", "invariants", "metrics"]

Floats = NDArray[np.float64]


def impact_of(config: MarketConfig) -> float:
    """Levels that one unit of order flow moves the price in Kyle's auction, for as many insiders as there are traders.

    With n insiders lambda = sqrt(n) / (n + 1) * s_v / s_u (Kyle 1985 for one, Holden and Subrahmanyam 1992 for more).
    """
    p = config.plan
    if p.kind != "insider":
        return 0.0
    sigma_value, sigma_noise, n = 4 * (p.levels // 2 // 32), 4 * p.noise, p.num_traders
    return math.sqrt(n) / (n + 1) * sigma_value / sigma_noise


def intensity_of(config: MarketConfig) -> float:
    """Units that an insider orders for each level by which the value exceeds its mean, in the same equilibrium."""
    p = config.plan
    return 4 * p.noise / (4 * (p.levels // 2 // 32) * math.sqrt(p.num_traders))


def _share(part: Any, whole: Any) -> Floats:
    """`part / whole`, 0 where the whole is 0."""
    whole = np.asarray(whole, np.float64)
    return np.where(whole != 0, np.asarray(part, np.float64) / np.where(whole != 0, whole, 1), 0.0)


def metrics(simulator: Market, state: Any) -> dict[str, NDArray[Any]]:
    """Figures of the episode so far; prices in money, over all instruments."""
    r, markets = simulator.scalars.rules, simulator.scalars.markets
    found = {
        "trades": state.trades.sum(1), "volume": state.volume.sum(1), "turnover": state.turnover.sum(1),
        "mean_price": _share(state.turnover.sum(1), state.volume.sum(1)),
        "spread": _share(r.tick * state.quoted[:, :, 1].sum(1), state.quoted[:, :, 0].sum(1)),
        "depth": _share(state.quoted[:, :, 2].sum(1), state.quoted[:, :, 0].sum(1)),
        "volatility": r.tick * np.sqrt(_share(state.changes[:, :, 1].sum(1), state.changes[:, :, 0].sum(1))),
        "impact": r.tick * _share(state.signal[:, 1], state.signal[:, 0]),
        "fees": state.treasury.copy(),
        "faults": state.faults.astype(np.int64),
    }  # fmt: skip
    kind = simulator.plan.kind
    if kind == "induced":
        found |= _induced(simulator, state)
    elif kind == "asset":
        found |= _bubbles(simulator, state, markets)
    else:
        found |= _insiders(simulator, state)
    if simulator.config.market_maker:
        account = simulator.plan.num_traders
        found["market_maker_inventory"] = (state.stock[:, :, account] + state.held_stock[:, :, account]).sum(1)
        found["market_maker_profit"] = state.wealth[:, account] - state.first_wealth[:, account]
    return found


def _induced(simulator: Market, state: Any) -> dict[str, NDArray[Any]]:
    """Efficiency over the days that have begun, equilibrium, and how far prices and the profits of a day are from it."""
    n, r = simulator.plan.num_traders, simulator.scalars.rules
    rows, units = len(state.t), simulator.plan.units
    order = -np.sort(-state.worth.reshape(rows, -1), axis=1)
    supply = state.first_stock[:, 0, :n].sum(1)
    at = np.arange(n * units)[None, :]
    first = np.arange(units)[None, None, :] < state.first_stock[:, 0, :n, None]
    goods = (state.stock + state.held_stock)[:, 0, :n, None]
    now = np.arange(units)[None, None, :] < goods
    worth = state.worth.astype(np.float64)
    days = np.minimum(state.t // simulator.scalars.period_steps + 1, simulator.scalars.periods)
    most = days * (np.where(at < supply[:, None], order, 0).sum(1) - np.where(first, worth, 0).sum((1, 2)))
    gained = state.minted + np.where(now, worth, 0).sum((1, 2)) - np.where(first, worth, 0).sum((1, 2))
    inside, outside = np.clip(supply - 1, 0, n * units - 1), np.clip(supply, 0, n * units - 1)
    price = (order[np.arange(rows), inside] + order[np.arange(rows), outside]) / 2
    count = state.trades[:, 0]
    mean, square = _share(state.level_sum[:, 0], count), _share(state.level_squares[:, 0], count)
    level = (price - r.low) / r.tick
    rmse = r.tick * np.sqrt(np.maximum(square - 2 * level * mean + level * level, 0)) * (count > 0)
    fair = np.where(
        first, np.maximum(price[:, None, None] - worth, 0), np.maximum(worth - price[:, None, None], 0)
    ).sum(2)
    profit = (state.wealth - state.first_wealth)[:, :n] / days[:, None]
    return {
        "allocative_efficiency": _share(gained, most), "surplus": gained, "maximum_surplus": most,
        "equilibrium_price": price, "price_rmse": rmse, "smiths_alpha": 100 * _share(rmse, price),
        "profit_dispersion": np.sqrt(((profit - fair) ** 2).mean(1)),
    }  # fmt: skip


def _bubbles(simulator: Market, state: Any, markets: int) -> dict[str, NDArray[Any]]:
    """Mean prices of periods beside what shares are worth (averages over instruments), and the wealth that was made."""
    p, rows = simulator.plan, len(state.t)
    amplitude, duration, deviation = np.zeros(rows), np.zeros(rows), np.zeros(rows)
    for m in range(markets):
        values = fundamental_values(simulator.scalars.periods, p.dividends[m], p.terminal[m])
        prices = np.where(
            state.traded[:, m, :, 0] > 0, _share(state.traded[:, m, :, 1], state.traded[:, m, :, 0]), np.nan
        )
        seen = ~np.isnan(prices)
        off = np.where(seen, np.abs(np.nan_to_num(prices) - np.array(values)), 0).sum(1)
        deviation += _share(off, seen.sum(1)) / (sum(values) / len(values)) / markets
        for b in range(rows):
            found = bubble(prices[b].tolist(), values)
            amplitude[b] += found[0] / markets
            duration[b] += found[1] / markets
    profit = state.wealth - state.first_wealth
    return {
        "bubble_amplitude": amplitude, "bubble_duration": duration, "relative_absolute_deviation": deviation,
        "dividends": state.minted.copy(), "profit": profit[:, : p.num_traders].mean(1),
    }  # fmt: skip


def _insiders(simulator: Market, state: Any) -> dict[str, NDArray[Any]]:
    """Impact as measured, the share of the value's variance that prices revealed, the insiders' profit by auction."""
    price, both, value = (state.signal[:, k].astype(np.float64) for k in range(2, 5))
    n = simulator.plan.num_traders
    return {
        "revealed": _share(both * both, price * value),
        "profit": _share((state.wealth - state.first_wealth)[:, :n].mean(1), state.t),
    }  # fmt: skip


def invariants(simulator: Market, state: Any) -> dict[str, NDArray[np.bool_]]:
    """What no step may break."""
    c, rows = simulator.scalars, len(state.t)
    sound = np.zeros((rows, 3), np.bool_)
    book.sound(state, c.rules, sound)
    money = (state.cash + state.held_cash).sum(1) + state.treasury
    goods = (state.stock + state.held_stock).sum(2)
    call = np.array([_may_cross(simulator, int(t)) for t in state.t])
    return {
        "queues hold the open orders, in order of arrival": sound[:, 0],
        "what is held is what open orders have committed": sound[:, 1],
        "no balance is below zero": sound[:, 2] | (simulator.plan.kind == "insider"),
        "no money appears or gets lost": money == state.first_cash.sum(1) + state.minted,
        "no goods appear or get lost": (goods == state.first_stock.sum(2)).all(1),
        "the best bid is below the best ask": call | (state.best[:, :, 0] < state.best[:, :, 1]).all(1),
        "nothing is held when all is over": ~state.over | (~state.held_cash.any(1) & ~state.held_stock.any((1, 2))),
    }


def _may_cross(simulator: Market, t: int) -> bool:
    """Whether orders may cross after t steps: an auction is collecting them."""
    return simulator.config.calls != "none" and t > 0 and bool(_collects(simulator, t - 1))


def _collects(simulator: Market, t: int) -> bool:
    c, calls = simulator.scalars, simulator.config.calls
    left = min((t // c.period_steps + 1) * c.period_steps, c.max_steps) - t - 1
    return calls != "always" and (
        (calls in ("open", "both") and t % c.period_steps < c.call_steps - 1)
        or (calls in ("close", "both") and 0 < left < c.call_steps)
    )


def full(simulator: Market, state: Any, row: int) -> dict[str, Any]:
    """All there is: orders in priority, accounts, values, and what insiders know."""
    c, r, n = simulator.scalars, simulator.scalars.rules, len(simulator.seats) - simulator.scalars.regulator
    orders: list[dict[str, Any]] = []
    for m in range(c.markets):
        for place in np.flatnonzero(state.order_quantity[row, m]).tolist():
            side, owner = place // (r.accounts * r.slots), place // r.slots % r.accounts
            level = int(state.order_level[row, m, place])
            orders.append(
                {
                    "market": m, "side": ("buy", "sell")[side], "account": owner, "order": place % r.slots,
                    "id": int(state.order_id[row, m, place]), "level": level, "price": r.low + level * r.tick,
                    "quantity": int(state.order_quantity[row, m, place]), "stamp": int(state.order_stamp[row, m, place]),
                }
            )  # fmt: skip
    orders.sort(key=lambda o: (o["market"], o["side"], -o["level"] if o["side"] == "buy" else o["level"], o["stamp"]))
    return {
        "t": int(state.t[row]), "orders": orders, "cash": (state.cash + state.held_cash)[row, :n].tolist(),
        "stock": (state.stock + state.held_stock)[row, :, :n].tolist(), "worth": state.worth[row].tolist(),
        "last": state.last[row].tolist(), "value": int(state.value[row]), "fee": int(state.rate[row]),
        "halted": bool(state.halted[row]), "seats": simulator.seats,
        "fundamental": [
            fundamental_values(c.periods, simulator.plan.dividends[m], simulator.plan.terminal[m])[
                min(int(state.t[row]) // c.period_steps, c.periods - 1)
            ]
            for m in range(c.markets)
        ],
    }  # fmt: skip
