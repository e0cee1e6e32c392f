"""Actions as a few numbers of -1 to 1: how much to buy or sell, and how far from the last price."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs.econ.book import BUY, MARKET, NONE, SELL
from ludarium.envs.econ.market.state import REPLACE

if TYPE_CHECKING:
    from ludarium.envs.econ.market.simulator import Market

__all__ = ["messages", "numbers", "space"]


def space(markets: int) -> spaces.Box:
    """Quantity (below 0: sell), offset of the price, and where there are several, the instrument."""
    return spaces.Box(-1.0, 1.0, (3 if markets > 1 else 2,), np.float32)


def messages(simulator: Market, state: Any, given: NDArray[Any]) -> NDArray[np.int64]:
    """The messages int64[B, T, 6] that actions float[B, T, 2 or 3] stand for.

    1 is the largest quantity, and `reach` levels above the last price (or the first guess at it); both are rounded, ties to
    even. A quantity of 0 leaves all as it is; any other is a limit order that replaces what the seat has open there, at the
    nearest level that there is. Insiders send market orders.
    """
    c, p, markets = simulator.config, simulator.plan, len(simulator.plan.instruments)
    given = given.astype(np.float64)
    found = np.zeros((*given.shape[:2], 6), np.int64)
    quantity = np.rint(given[..., 0] * p.max_quantity).astype(np.int64)
    if markets > 1:
        found[..., 5] = np.minimum(np.floor((given[..., 2] + 1) / 2 * markets), markets - 1)
    guess = np.take_along_axis(state.reference.astype(np.int64), found[..., 5], 1)
    kind = MARKET if p.kind == "insider" else REPLACE
    found[..., 0] = np.where(quantity == 0, NONE, kind)
    found[..., 1] = np.where(quantity < 0, SELL, BUY)
    found[..., 2] = np.clip(guess + np.rint(given[..., 1] * c.reach).astype(np.int64), 0, p.levels - 1)
    found[..., 3] = np.abs(quantity)
    return found


def numbers(
    simulator: Market, state: Any, row: int, side: int, level: int, quantity: int, market: int
) -> NDArray[np.float32]:
    """The action that stands for a limit order (an insider's market order); `ActionError` if its price is out of reach."""
    from ludarium.envs.core.errors import ActionError

    c, p, markets = simulator.config, simulator.plan, len(simulator.plan.instruments)
    off = level - int(state.reference[row, market]) if p.kind != "insider" else 0
    if abs(off) > c.reach:
        near = int(state.reference[row, market])
        low, high = (p.low + min(max(near + s * c.reach, 0), p.levels - 1) * p.tick for s in (-1, 1))
        raise ActionError(f"price = {p.low + level * p.tick} is out of reach; expected one from {low} to {high}")
    signed = -quantity if side == SELL else quantity
    found = [signed / p.max_quantity, off / c.reach, (2 * market + 1) / markets - 1]
    return np.array(found[: 3 if markets > 1 else 2], np.float32)
