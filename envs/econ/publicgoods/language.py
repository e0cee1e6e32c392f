"""The public goods game in words. What is given is counted in tokens, money in minor units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ludarium.envs.core.simulator import Choice
from ludarium.envs.econ.publicgoods.dynamics import GIVE, NO_MONEY, ONESELF, TOO_MUCH

if TYPE_CHECKING:
    from ludarium.envs.econ.publicgoods.simulator import PublicGoods

__all__ = ["describe", "explain", "menu", "rules", "verbs"]


def rules(simulator: PublicGoods) -> str:
    """The rules of this config in words."""
    c = simulator.config
    tokens = f"{c.endowment} tokens"
    if c.endowment_spread:
        tokens = (
            f"a number of tokens drawn from {c.endowment - c.endowment_spread} to {c.endowment + c.endowment_spread}"
        )
    told = (
        f"{c.members} members each have {tokens} in every round. All say at once how many of them they give to a pot. A token "
        f"that is kept is worth {c.token} to its owner; a token in the pot is worth {c.token * c.mpcr:.2f} to each member, "
        "whoever gave it. All see what each gave."
    )
    if c.punishment:
        told += (
            f" After each round every member may give one other 1 to {c.points} points. A point costs who gives it "
            f"{c.point_cost}, and who gets it {c.point_fine}, of the money earned so far."
        )
    return f"{told} There are {c.max_steps} steps. The reward is money."


def describe(simulator: PublicGoods, state: Any, row: int, seat: int) -> str:
    """The situation of a member."""
    c = simulator.config
    lines = [
        f"Step {int(state.t[row])} of {c.max_steps}. You are member {seat} and have {int(state.endowment[row, seat])} tokens a "
        f"round, and {int(state.cash[row, seat])} of money so far."
    ]
    if state.given[row, seat] >= 0:
        others = ", ".join(f"member {j} {g}" for j, g in enumerate(state.given[row].tolist()) if j != seat)
        lines.append(f"In the last round you gave {int(state.given[row, seat])}; the others: {others or 'nobody'}.")
    if state.received[row, seat]:
        lines.append(f"You were given {int(state.received[row, seat])} points.")
    lines.append("Now all give." if state.phase[row] == GIVE else "Now points may be given.")
    return " ".join(lines)


def menu(simulator: PublicGoods, state: Any, row: int, seat: int) -> list[Choice]:
    """What one has, or points that one can pay for."""
    c = simulator.config
    if state.phase[row] == GIVE:
        return [Choice(k, f"give {k}", "give", {"tokens": k}) for k in range(int(state.endowment[row, seat]) + 1)]
    found = [Choice(0, "punish nobody", "rest", {})]
    for j in range(c.members):
        for p in range(1, c.points + 1):
            if j != seat and p * c.point_cost <= state.cash[row, seat]:
                action = 1 + j * c.points + p - 1
                found.append(Choice(action, f"punish {j} by {p}", "punish", {"member": j, "points": p}))
    return found


def verbs(simulator: PublicGoods) -> dict[str, tuple[str, ...]]:
    """Gifts, and where there is punishment, that."""
    gifts: dict[str, tuple[str, ...]] = {"give": ("tokens",)}
    return {**gifts, "rest": (), "punish": ("member", "points")} if simulator.config.punishment else gifts


def explain(simulator: PublicGoods, state: Any, row: int, seat: int, action: Any, code: int) -> str:
    """Why an action had no effect."""
    who, c = f"member_{seat}", simulator.config
    if code == TOO_MUCH:
        return f"{who} cannot give {int(action)} tokens: it has {int(state.endowment[row, seat])}"
    if code == ONESELF:
        return f"{who} cannot punish itself"
    if code == NO_MONEY:
        points = (int(action) - 1) % c.points + 1
        return (
            f"{who} cannot give {points} points: they cost {points * c.point_cost}, it has {int(state.cash[row, seat])}"
        )
    return f"{who}: {int(action)} is no choice in the phase of punishment; they go up to {c.members * c.points}"
