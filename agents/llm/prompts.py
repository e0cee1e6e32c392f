"""How a turn is laid out in a prompt, and how it is read back: every scaffold uses the same layout."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ludarium.agents.contract import Task, Turn

__all__ = ["REPAIR", "lay_out", "read_back", "repair", "system_prompt"]

REPAIR = "Your last reply could not be used. "
"""How every repair message begins."""

_LAYOUT = re.compile(
    r"\A\[(?P<world>[^|\]\n]*) \| (?P<seat>[^|\]\n]*) \| step (?P<step>\d+)\]\n(?P<notes>.*?)"
    r"<observation>\n(?P<observation>.*)\n</observation>(?:\n<commands>\n(?P<commands>(?:[^\n]*\n)*)</commands>)?\s*\Z",
    re.S,
)
_REWARD = "Reward of the last step: "


def system_prompt(task: Task, seat: str, form: str, prior: str = "", opening: str = "") -> str:
    """What a model is told once: the rules, what it knows beforehand, how to answer, and what it was told at first."""
    parts = [f"You are {seat} in the simulated world {task.id}.", f"# Rules\n{task.rules}"]
    if prior:
        parts.append(f"# What is known beforehand\n{prior}")
    if opening:
        parts.append(f"# What you were told at the beginning\n{opening}")
    parts.append(f"# How to answer\n{form}")
    return "\n\n".join(parts)


def lay_out(task: Task, seat: str, turn: Turn, notes: Sequence[str] = (), *, commands: bool = True) -> str:
    """A turn as a prompt: the observation, the admissible commands (unless hidden), and notes of the scaffold."""
    lines = [f"[{task.id} | {seat} | step {turn.step}]"]
    if turn.reward:
        lines.append(f"{_REWARD}{turn.reward!r}")
    lines += notes
    lines += ["<observation>", str(turn.observation), "</observation>"]
    if commands and turn.commands is not None:
        lines += ["<commands>", *turn.commands, "</commands>"]
    return "\n".join(lines)


def read_back(prompt: str) -> tuple[str, str, Turn] | None:
    """World, seat and turn of a prompt that `lay_out` made; None for any other text."""
    found = _LAYOUT.match(prompt)
    if found is None:
        return None
    reward = re.search(rf"^{re.escape(_REWARD)}(\S+)$", found["notes"], re.M)
    commands = None if found["commands"] is None else tuple(line for line in found["commands"].split("\n") if line)
    turn = Turn(
        found["observation"], commands=commands, reward=float(reward[1]) if reward else 0.0, step=int(found["step"])
    )
    return found["world"], found["seat"], turn


def repair(why: str, form: str, commands: Sequence[str] | None) -> str:
    """The one message that a model gets about a reply that could not be used."""
    shown = "" if commands is None else "\nPossible commands now: " + "; ".join(commands)
    return f"{REPAIR}{why}\n{form}{shown}"
