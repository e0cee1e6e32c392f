"""Path finding in words: what a robot sees, what it may do, and why a move did not happen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ludarium.envs.core.simulator import Choice
from ludarium.envs.mapf.dynamics import State
from ludarium.envs.mapf.grid import ACTIONS

if TYPE_CHECKING:
    from ludarium.envs.mapf.simulator import Mapf

__all__ = ["describe", "explain", "menu", "rules"]

_DELTA = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))
_ENDS = {
    "stay": "The episode ends when all robots stand on their goals at the same time.",
    "vanish": "A robot that reaches its goal leaves the map.",
    "restart": "A robot that reaches its goal scores 1 and gets a new goal at once.",
}
_COLLISIONS = {
    "soft": "If several robots want a cell, the one with the lowest number gets it; swaps fail; following and rotating work.",
    "block_both": "If several robots want a cell, or somebody stands in it, nobody moves there.",
    "priority": "Robots move one after another by number; each moves only into a cell that is empty then.",
    "strict": "If any move of a step conflicts, nobody moves.",
}
_REASONS = (
    "nothing is wrong",
    "there is an obstacle",
    "the cell is taken or another robot got it",
    "the robot there wants to swap places",
    "the robot there could not move away",
)


def rules(simulator: Mapf) -> str:
    """The rules of this config in words."""
    c = simulator.config
    return (
        f"{c.num_robots} robots move on a grid, all at once. In every step each robot waits or moves one cell up, down, left "
        f"or right. Rows count downwards from 0, columns to the right from 0. {_COLLISIONS[c.collision]} "
        f"{_ENDS[c.on_goal]} An episode lasts at most {c.max_steps} steps. A robot sees obstacles and robots up to "
        f"{c.radius} cells away, and knows where its goal is."
    )


def _direction(rows: int, columns: int) -> str:
    """`3 down and 2 left`."""
    parts = []
    if rows:
        parts.append(f"{abs(rows)} {'down' if rows > 0 else 'up'}")
    if columns:
        parts.append(f"{abs(columns)} {'right' if columns > 0 else 'left'}")
    return " and ".join(parts)


def _window(simulator: Mapf, state: State, row: int, seat: int) -> list[str]:
    """The window as text: `#` obstacle, `.` free, `@` the robot itself, `o` another robot, `x` its goal."""
    pad, radius = simulator.scalars.pad, simulator.config.radius
    top, left = state.pos[row, seat] + pad - radius
    side = 2 * radius + 1
    walls = state.walls[row, top : top + side, left : left + side]
    busy = state.busy[row, top : top + side, left : left + side]
    picture = np.where(walls == 1, "#", np.where(busy == 1, "o", "."))
    goal = state.goal[row, seat] - state.pos[row, seat] + radius
    if (goal >= 0).all() and (goal < side).all() and picture[tuple(goal)] == ".":
        picture[tuple(goal)] = "x"
    picture[radius, radius] = "@"
    return ["".join(line) for line in picture]


def describe(simulator: Mapf, state: State, row: int, seat: int) -> str:
    """What a robot sees: place, goal, neighbours, and its window as a small map."""
    if not state.active[row, seat]:
        return f"Step {state.t[row]} of {simulator.config.max_steps}. You are robot {seat}. You reached your goal and left."
    place = tuple(int(n) for n in state.pos[row, seat])
    goal = tuple(int(n) for n in state.goal[row, seat])
    way = _direction(goal[0] - place[0], goal[1] - place[1])
    lines = [
        f"Step {state.t[row]} of {simulator.config.max_steps}. You are robot {seat} at row {place[0]}, column {place[1]}.",
        f"Your goal is at row {goal[0]}, column {goal[1]}" + (f": {way}." if way else ": you are there."),
    ]
    if simulator.lifelong:
        lines.append(f"You have reached {state.reached[row, seat]} goals.")
    lines.append("What you see (@ you, o robot, # obstacle, x your goal, . free):")
    return "\n".join(lines + _window(simulator, state, row, seat))


def menu(simulator: Mapf, state: State, row: int, seat: int) -> list[Choice]:
    """Waiting, and the moves that no obstacle stops."""
    choices = [Choice(0, "wait", "wait", {})]
    if not state.active[row, seat]:
        return choices
    pad = simulator.scalars.pad
    for action in range(1, 5):
        place = state.pos[row, seat] + pad + _DELTA[action]
        if not state.walls[row, place[0], place[1]]:
            choices.append(Choice(action, f"move {ACTIONS[action]}", "move", {"direction": ACTIONS[action]}))
    return choices


def explain(simulator: Mapf, state: State, row: int, seat: int, action: Any, code: int) -> str:
    """Why a move did not happen."""
    where = tuple(int(n) for n in state.pos[row, seat])
    return f"robot_{seat} cannot move {ACTIONS[int(action)]} from {where}: {_REASONS[code]}"
