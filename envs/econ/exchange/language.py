"""Exchange in pairs in words. Money is in whole minor units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ludarium.envs.core.simulator import Choice

if TYPE_CHECKING:
    from ludarium.envs.econ.exchange.simulator import Exchange

__all__ = ["describe", "explain", "menu", "rules", "verbs"]


def rules(simulator: Exchange) -> str:
    """The rules of this config in words."""
    c = simulator.config
    if c.kind == "boltzmann":
        return (
            f"{c.traders} traders. In each of {c.max_steps} steps all put 0 to {c.max_stake} of their money at stake, and meet "
            "in pairs that are drawn. A coin says who of a pair pays: it hands its stake to the other. The reward is the change "
            "of one's money."
        )
    return (
        f"{c.traders} traders with money and units of a good, which is worth {c.mean} on average but uncertain. To a trader "
        f"x units are worth {c.mean} x - r x x / 2, where r is its risk: the next unit is the less welcome, the more it has. In "
        f"each of {c.max_steps} steps all name a price, from 0 to {(c.levels - 1) * c.step} in steps of {c.step}, and meet in "
        "pairs that are drawn. A trader would buy a unit at half of its risk below the price that it names, and sell one "
        "as far above; if a pair's bid reaches the other's ask, a unit is sold at their mean. The reward "
        "is what money and worth grow by."
    )


def describe(simulator: Exchange, state: Any, row: int, seat: int) -> str:
    """The situation of a trader."""
    c = simulator.config
    lines = [
        f"Step {int(state.t[row])} of {c.max_steps}. You are trader {seat} and have {int(state.cash[row, seat])} of money."
    ]
    risk, units = int(state.risk[row, seat]), int(state.units[row, seat])
    if c.kind == "cara":
        lines.append(
            f"You have {units} units; your risk is {risk}, and a unit is worth about {c.mean - risk * units} to you."
        )
    price, change = int(state.price[row, seat]), int(state.change[row, seat])
    if state.choice[row, seat] >= 0:
        if price < 0:
            lines.append("In the last step nothing changed hands between you and whom you met.")
        elif c.kind == "cara":
            lines.append(
                f"In the last step a unit was sold between you two for {price}, which brought you {change / 2:.1f}."
            )
        else:
            lines.append(f"In the last step you {'gained' if change > 0 else 'paid'} {price}.")
    return " ".join(lines)


def menu(simulator: Exchange, state: Any, row: int, seat: int) -> list[Choice]:
    """Stakes that one has, or all prices."""
    c = simulator.config
    if c.kind == "boltzmann":
        most = min(c.max_stake, int(state.cash[row, seat]))
        return [Choice(k, f"stake {k}", "stake", {"amount": k}) for k in range(most + 1)]
    return [Choice(k, f"price {k * c.step}", "price", {"price": k * c.step}) for k in range(c.levels)]


def verbs(simulator: Exchange) -> dict[str, tuple[str, ...]]:
    """Stakes or prices."""
    return {"stake": ("amount",)} if simulator.config.kind == "boltzmann" else {"price": ("price",)}


def explain(simulator: Exchange, state: Any, row: int, seat: int, action: Any, code: int) -> str:
    """Why an action had no effect."""
    return f"trader_{seat} cannot put {int(action)} at stake: it has {int(state.cash[row, seat])} of money"
