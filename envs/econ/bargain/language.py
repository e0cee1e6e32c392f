"""Bargaining in words. Offers are told as what the listener would get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ludarium.envs.core.simulator import Choice
from ludarium.envs.econ.bargain.dynamics import PROPOSE
from ludarium.envs.econ.bargain.oracles import SCALE, split

if TYPE_CHECKING:
    from ludarium.envs.econ.bargain.simulator import Bargain

__all__ = ["describe", "explain", "menu", "rules", "verbs"]

NAMES = ("books", "hats", "balls", "cups", "pens", "keys", "rings", "maps")


def _told(simulator: Bargain, units: list[int]) -> str:
    """Units of each issue in words."""
    if len(units) == 1:
        return f"{units[0]} units"
    return ", ".join(f"{n} {name}" for n, name in zip(units, NAMES, strict=False))


def rules(simulator: Bargain) -> str:
    """The rules of this config in words."""
    c, shape = simulator.config, simulator.config.shape
    what = f"{shape.units} units" if shape.issues == 1 else _told(simulator, [shape.units] * shape.issues)
    worth = f"Each is worth {c.worth} to both." if c.game != "multi-issue" else (
        f"What a unit of each is worth differs between the parties, from {c.worth} to {c.worth * c.value_high}"
        + (", and is told to each for itself alone." if c.private else "; both know it.")
    )  # fmt: skip
    if shape.rounds == 1:
        how = "One party makes one offer. The other accepts it, or nobody gets anything."
    else:
        how = (
            f"They make offers in turn, {shape.rounds} at most; an offer is accepted or refused, and after the last refusal "
            f"nobody gets anything. After each refusal all is worth less: what is left of it is {c.patience[0]:.2f} to who "
            f"proposed first, {c.patience[1]:.2f} to the other."
        )
    return f"Two parties share out {what}. {worth} {how} The reward is what one's part is worth. There are {c.max_steps} steps."


def describe(simulator: Bargain, state: Any, row: int, seat: int) -> str:
    """The situation of a party."""
    c, shape = simulator.config, simulator.config.shape
    r = min(int(state.round[row]), shape.rounds - 1)
    left = c.discounts[int(state.order[row, seat])][r] / SCALE
    lines = [f"Round {min(int(state.round[row]) + 1, shape.rounds)} of {shape.rounds}. You are party {seat}."]
    if c.game == "multi-issue":
        lines.append(f"A unit is worth to you: {_values(state.value[row, seat].tolist())}.")
        if not c.private:
            lines.append(f"To the other: {_values(state.value[row, 1 - seat].tolist())}.")
    lines.append(f"Of what things are worth {left:.2f} is left to you.")
    if state.offer[row] >= 0:
        mine = _units(simulator, state, row, seat)
        worth = sum(n * v for n, v in zip(mine, state.value[row, seat].tolist(), strict=True))
        who = "You offered" if state.maker[row] == seat else "The other offered"
        lines.append(f"{who}: you get {_told(simulator, mine)}, worth {worth} before that.")
    proposer = (int(state.round[row]) + int(state.order[row, 0])) % 2
    if state.over[row]:
        lines.append("You agreed." if state.agreed[row] else "There was no agreement.")
    elif state.phase[row] == PROPOSE:
        lines.append("It is your turn to make an offer." if proposer == seat else "The other makes an offer.")
    else:
        lines.append("The other must answer." if proposer == seat else "Accept or refuse.")
    return " ".join(lines)


def _values(values: list[int]) -> str:
    return ", ".join(f"{name} {v}" for name, v in zip(NAMES, values, strict=False))


def _units(simulator: Bargain, state: Any, row: int, seat: int) -> list[int]:
    """What a party gets by the last offer."""
    shape = simulator.config.shape
    kept: list[int] = split(np.asarray(state.offer[row], np.int64), shape.issues, shape.units).tolist()
    return kept if state.maker[row] == seat else [shape.units - n for n in kept]


def menu(simulator: Bargain, state: Any, row: int, seat: int) -> list[Choice]:
    """All offers, or refuse and accept."""
    shape = simulator.config.shape
    if state.phase[row] != PROPOSE:
        return [Choice(0, "refuse", "refuse", {}), Choice(1, "accept", "accept", {})]
    kept = split(np.arange(simulator.config.offers), shape.issues, shape.units).tolist()
    if shape.issues == 1:
        return [Choice(k, f"keep {units[0]}", "keep", {"units": units[0]}) for k, units in enumerate(kept)]
    return [
        Choice(k, f"keep {_told(simulator, units)}", "keep", dict(zip(NAMES, units, strict=False)))
        for k, units in enumerate(kept)
    ]


def verbs(simulator: Bargain) -> dict[str, tuple[str, ...]]:
    """An offer by what one keeps of each issue, and the two replies."""
    issues = simulator.config.shape.issues
    return {"keep": ("units",) if issues == 1 else NAMES[:issues], "refuse": (), "accept": ()}


def explain(simulator: Bargain, state: Any, row: int, seat: int, action: Any, code: int) -> str:
    """Why an action had no effect."""
    if state.phase[row] == PROPOSE:
        return f"party_{seat}: {int(action)} is no offer; they go from 0 to {simulator.config.offers - 1}"
    return f"party_{seat}: {int(action)} is no answer; 0 refuses and 1 accepts"
