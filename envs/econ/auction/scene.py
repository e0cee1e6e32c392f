"""The picture of an auction: the last bids, winners marked, and the price."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ludarium.envs.core.scene import Scene
from ludarium.envs.econ.games import chart

if TYPE_CHECKING:
    from ludarium.envs.econ.auction.simulator import Auction

__all__ = ["scene"]


def scene(simulator: Auction, state: Any, row: int) -> Scene:
    """A bar a bidder: its last bid; green for who won."""
    c = simulator.config
    bids, won = [max(k, 0) * c.step for k in state.bid[row].tolist()], state.won[row].tolist()
    health = state.health[row].tolist()
    names = [f"bidder {i}" + (f" (health {h})" if c.form == "water" else "") for i, h in enumerate(health)]
    paid = int(state.paid[row].sum())
    lines = [("reserve", float(c.reserve))] if c.reserve else []
    told = f"day {int(state.t[row])}, {int((state.health[row] > 0).sum())} alive" if c.form == "water" else ""
    return chart(
        [(name, float(bid), "good" if w else "accent.1") for name, bid, w in zip(names, bids, won, strict=True)],
        most=float(max([*bids, c.step])) if c.form == "water" else float(c.top),
        lines=lines,
        caption=f"Auction {int(state.t[row])} of {c.max_steps}: the seller took {paid}" + (f"; {told}" if told else ""),
        values={"revenue": float(paid), "bid": sum(bids) / len(bids)},
    )
