"""The oligopoly in words. Prices, costs and profits are whole numbers of minor units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ludarium.envs.core.simulator import Choice

if TYPE_CHECKING:
    from ludarium.envs.econ.oligopoly.simulator import Oligopoly

__all__ = ["describe", "explain", "menu", "rules", "verbs"]


def rules(simulator: Oligopoly) -> str:
    """The rules of this config in words."""
    c = simulator.config
    first, last = simulator.value(0), simulator.value(c.levels - 1)
    told = {
        "cournot": f"{c.firms} firms choose how many units to make. All units are sold at one price, {c.demand} minus {c.slope} "
        "for each unit that there is (never below 0).",
        "bertrand": f"{c.firms} firms name a price for the same good. Consumers buy from the cheapest, {c.demand} minus the "
        f"price, divided by {c.slope}, units in all; those who name the same lowest price share them.",
        "logit": f"{c.firms} firms name prices for goods that differ. Each of {c.consumers} consumers buys one of them or "
        "nothing; the cheaper a good, the more of them buy it.",
    }[c.game]
    costs = f"A unit costs {c.cost} to make."
    if c.cost_spread:
        costs = f"What a unit costs to make is drawn for each firm, from {c.cost - c.cost_spread} to {c.cost + c.cost_spread}."
    change = f" From one step to the next it may move by {c.max_change} such steps at most." if c.max_change else ""
    what = "Quantities" if c.game == "cournot" else "Prices"
    return (
        f"{told} {costs} All choose at once, in each of {c.max_steps} steps, and see what the others chose in the last one. "
        f"{what} go from {first} to {last} in steps of {c.grid.step}.{change} The reward is profit."
    )


def describe(simulator: Oligopoly, state: Any, row: int, seat: int) -> str:
    """The situation of a firm."""
    lines = [f"Step {int(state.t[row])} of {simulator.config.max_steps}. You are firm {seat}."]
    lines.append(f"A unit costs you {int(state.cost[row, seat])}.")
    if state.level[row, seat] < 0:
        lines.append("Nobody has chosen yet.")
        return " ".join(lines)
    what = "quantity" if simulator.config.game == "cournot" else "price"
    lines.append(
        f"Your last {what} was {simulator.value(int(state.level[row, seat]))}; you sold {int(state.units[row, seat])} units "
        f"and earned {int(state.profit[row, seat])}, {int(state.cash[row, seat])} since the beginning."
    )
    others = [
        f"firm {j} {simulator.value(int(level))}" for j, level in enumerate(state.level[row].tolist()) if j != seat
    ]
    if others:
        lines.append(f"The others' last: {', '.join(others)}.")
    return " ".join(lines)


def _word(simulator: Oligopoly) -> tuple[str, str]:
    return ("produce", "quantity") if simulator.config.game == "cournot" else ("price", "price")


def menu(simulator: Oligopoly, state: Any, row: int, seat: int) -> list[Choice]:
    """The levels that may be chosen now."""
    verb, name = _word(simulator)
    last, far = int(state.level[row, seat]), simulator.config.max_change
    return [
        Choice(k, f"{verb} {simulator.value(k)}", verb, {name: simulator.value(k)})
        for k in range(simulator.config.levels)
        if not far or last < 0 or abs(k - last) <= far
    ]


def verbs(simulator: Oligopoly) -> dict[str, tuple[str, ...]]:
    """Quantities or prices."""
    verb, name = _word(simulator)
    return {verb: (name,)}


def explain(simulator: Oligopoly, state: Any, row: int, seat: int, action: Any, code: int) -> str:
    """Why an action had no effect."""
    verb, _ = _word(simulator)
    last = simulator.value(int(state.level[row, seat]))
    return (
        f"firm_{seat} cannot {verb} {simulator.value(int(action))}: its last was {last}, and it may move by "
        f"{simulator.config.max_change} levels of {simulator.config.grid.step} at most"
    )
