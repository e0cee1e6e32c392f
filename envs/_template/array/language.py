"""The aisle in words: what a seat sees, what it may do, and why an action had no effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ludarium.envs._template.array.dynamics import EMPTY, State
from ludarium.envs.core.simulator import Choice

if TYPE_CHECKING:
    from ludarium.envs._template.array.simulator import TemplateArray

__all__ = ["describe", "explain", "menu", "rules"]

_MOVES = ("left", "wait", "right")


def rules(simulator: TemplateArray) -> str:
    """The rules of this config in words."""
    c = simulator.config
    return (
        f"{c.num_crates} crates lie in an aisle of {c.length} cells, numbered from 0 on the left. When there is no "
        f"order, the planner names a cell. Then all {c.num_workers} workers move one cell left or right, or wait, in "
        "every step, until one of them stands on that cell and takes the crate: it and the planner score 1. The "
        f"episode ends when no crate is left, or after {c.max_steps} steps."
    )


def describe(simulator: TemplateArray, state: State, row: int, seat: int) -> str:
    """The situation of a seat."""
    lines = [f"Step {state.t[row]} of {simulator.config.max_steps}."]
    places = ", ".join(str(cell) for cell in state.place[row])
    if seat == 0:
        crates = ", ".join(str(cell) for cell in np.flatnonzero(state.crate[row])) or "none"
        lines.append(f"You are the planner. Crates: {crates}. Workers at: {places}.")
    else:
        lines.append(f"You are worker {seat - 1} at cell {state.place[row, seat - 1]}. Workers at: {places}.")
    lines.append(f"The order is cell {state.order[row]}." if state.order[row] >= 0 else "There is no order.")
    return " ".join(lines)


def menu(simulator: TemplateArray, state: State, row: int, seat: int) -> list[Choice]:
    """Cells with a crate for the planner; moves that stay in the aisle for a worker."""
    if seat == 0:
        return [
            Choice(int(cell), f"order {cell}", "order", {"cell": int(cell)})
            for cell in np.flatnonzero(state.crate[row])
        ]
    place, last = int(state.place[row, seat - 1]), simulator.config.length - 1
    return [Choice(action, name, name, {}) for action, name in enumerate(_MOVES) if 0 <= place + action - 1 <= last]


def explain(simulator: TemplateArray, state: State, row: int, seat: int, action: Any, code: int) -> str:
    """Why an action had no effect."""
    if code == EMPTY:
        return f"the planner cannot order cell {int(action)}: there is no crate"
    place = state.place[row, seat - 1]
    return f"worker_{seat - 1} cannot move {_MOVES[int(action)]} from cell {place}: the aisle ends there"
