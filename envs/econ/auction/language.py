"""The auctions in words. Money is in whole minor units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ludarium.envs.core.simulator import Choice
from ludarium.envs.econ.auction.dynamics import BEGUN_WITH, HEALTHY

if TYPE_CHECKING:
    from ludarium.envs.econ.auction.simulator import Auction

__all__ = ["describe", "explain", "menu", "rules", "verbs"]


def rules(simulator: Auction) -> str:
    """The rules of this config in words."""
    c = simulator.config
    bids = f"Bids go from 0 (none) to {c.top} in steps of {c.step}, all at once and sealed; afterwards all are told."
    if c.form == "water":
        return (
            f"{c.bidders} residents bid for water on each of {c.max_steps} days. A resident needs a fixed number of units a day "
            f"and has an income. Each day there are {c.supply_low} to {c.supply_high} units. {bids} The highest bid is served "
            "first, with the whole need of who made it, and pays its bid; then the next whose need is still there. Of equal "
            f"bids the one of smaller need comes first. Health begins at {BEGUN_WITH} and is {HEALTHY} at most: a day with water "
            "adds 2, the first day without takes 1, the second in a row 2, and so on. At 0 a resident is dead and has no money. "
            "The reward is 1 for each day survived."
        )
    pays = {
        "first": "The highest bidder gets the good and pays the own bid",
        "second": "The highest bidder gets the good and pays the second highest bid",
        "all-pay": "The highest bidder gets the good, and all pay their bids",
    }[c.form]
    reserve = f" Bids below {c.reserve} are not counted, and the second price is at least that." if c.reserve else ""
    budget = f" Each has {c.budget} of money for all auctions together." if c.budget else ""
    return (
        f"{c.bidders} bidders, {c.max_steps} auctions of one good each. What a good is worth to a bidder is drawn anew each "
        f"time, from 0 to {c.top}, all equally likely, and told to it alone. {bids} {pays}; equal bids draw lots.{reserve}"
        f"{budget} The reward is the worth of what is won, less what is paid."
    )


def describe(simulator: Auction, state: Any, row: int, seat: int) -> str:
    """The situation of a bidder."""
    c, lines = simulator.config, []
    lines.append(f"Auction {int(state.t[row]) + 1} of {c.max_steps}. You are bidder {seat}.")
    if c.form == "water":
        lines.append(
            f"Today there are {int(state.supply[row])} units of water; you need {int(state.value[row, seat])}. You have "
            f"{int(state.cash[row, seat])} of money. Your health is {int(state.health[row, seat])}; a day without water costs "
            f"you {int(state.thirst[row, seat])} of it."
        )
    else:
        lines.append(f"The good is worth {int(state.value[row, seat])} to you.")
        if c.budget:
            lines.append(f"You have {int(state.cash[row, seat])} of money left.")
    if state.bid[row, seat] >= 0:
        bids = ", ".join(f"bidder {j} {int(k) * c.step}" for j, k in enumerate(state.bid[row].tolist()))
        winners = ", ".join(str(j) for j, won in enumerate(state.won[row].tolist()) if won) or "nobody"
        lines.append(
            f"Last time the bids were: {bids}. It was won by {winners}; you paid {int(state.paid[row, seat])}."
        )
    if c.form == "water":
        lines.append("Health: " + ", ".join(f"bidder {j} {h}" for j, h in enumerate(state.health[row].tolist())) + ".")
    return " ".join(lines)


def menu(simulator: Auction, state: Any, row: int, seat: int) -> list[Choice]:
    """The bids that can be paid."""
    c, most = simulator.config, simulator.config.levels - 1
    if c.form == "water" or c.budget:
        most = min(most, int(state.cash[row, seat]) // c.step)
    return [Choice(k, f"bid {k * c.step}", "bid", {"amount": k * c.step}) for k in range(most + 1)]


def verbs(simulator: Auction) -> dict[str, tuple[str, ...]]:
    """Bids only."""
    return {"bid": ("amount",)}


def explain(simulator: Auction, state: Any, row: int, seat: int, action: Any, code: int) -> str:
    """Why an action had no effect."""
    bid = int(action) * simulator.config.step
    return f"bidder_{seat} cannot bid {bid}: it has {int(state.cash[row, seat])} of money"
