"""The guessing game in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ludarium.envs._template.object.dynamics import NO_NUMBER, Game

if TYPE_CHECKING:
    from ludarium.envs._template.object.simulator import TemplateObject

__all__ = ["explain", "rules", "situation"]


def rules(simulator: TemplateObject) -> str:
    """The rules of this config."""
    c = simulator.config
    return (
        f"There is a secret number from 1 to {c.high}. {c.num_players} player(s) guess by turns, in words that hold "
        "one whole number. Everybody hears whether the secret is higher or lower. Who finds it scores 1, and the game "
        f"ends; it ends after {c.max_steps} guesses anyway."
    )


def situation(game: Game, seat: int) -> str:
    """What a player knows: all guesses so far, and whose turn it is."""
    lines = [f"Guess a number from 1 to {game.high}. You are player {seat}."]
    lines += [f"player {entry.player}: {entry.text} ({entry.answer})" for entry in game.log]
    if game.won_by >= 0:
        lines.append(f"Player {game.won_by} found it.")
    else:
        lines.append("It is your turn." if game.turn == seat else f"It is the turn of player {game.turn}.")
    return "\n".join(lines)


def explain(simulator: TemplateObject, seat: int, action: Any, code: int) -> str:
    """Why a guess was invalid."""
    reason = (
        "it does not hold exactly one whole number"
        if code == NO_NUMBER
        else f"the number is not from 1 to {simulator.config.high}"
    )
    return f"player_{seat}: {action!r:.200} is no guess: {reason}"
