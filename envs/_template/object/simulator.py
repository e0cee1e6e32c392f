"""The simulator of the guessing game: the contract for one episode; the base class loops over the batch."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs._template.object import language, scene
from ludarium.envs._template.object.config import TemplateObjectConfig
from ludarium.envs._template.object.dynamics import Game, read_number
from ludarium.envs._template.object.generate import draw_secret
from ludarium.envs.core.errors import InstanceError
from ludarium.envs.core.language import AnyText
from ludarium.envs.core.laws.relations import Episode, Relation
from ludarium.envs.core.scene import Scene
from ludarium.envs.core.simulator import ObjectSimulator, Role

__all__ = ["TemplateObject"]

_MAX_TEXT = 1000


class TemplateObject(ObjectSimulator):
    """There is a secret number; the players guess by turns, and are told whether it is higher or lower."""

    turns = "one"
    faults = ("none", "no_number", "out_of_range")
    views = ("array", "text", "tools", "picture")
    takes_instances = True

    def __init__(self, config: TemplateObjectConfig) -> None:
        self.config: TemplateObjectConfig = config
        self.roles = (Role("player", config.num_players, AnyText(), AnyText(_MAX_TEXT), decisions=("guess",)),)

    # --- one episode -----------------------------------------------------------------------------------------------
    def load(self, state: Any, row: int, instance: Any) -> None:
        """Keep a secret number for the next reset of the row; `InstanceError` if it is none."""
        if type(instance) is not int or not 1 <= instance <= self.config.high:
            raise InstanceError(f"instance = {instance!r:.80}; expected the secret number, 1..{self.config.high}")
        super().load(state, row, instance)

    def begin(self, seed: int, slot: int, instance: Any = None) -> Game:
        """A new game."""
        secret = draw_secret(seed, self.config.high) if instance is None else instance
        return Game(secret, self.config.high, self.config.num_players)

    def waiting(self, game: Game, live: NDArray[np.bool_]) -> NDArray[np.int8]:
        """Only the player in turn."""
        return (np.arange(self.config.num_players) == game.turn).astype(np.int8)

    def play(self, game: Game, actions: list[list[Any]]) -> tuple[list[float], list[bool], list[int]]:
        """One guess; the player that finds the number scores 1, and the game ends for all."""
        players, turn = self.config.num_players, game.turn
        reward, fault = [0.0] * players, [0] * players
        fault[turn] = game.guess(actions[0][turn])
        if game.won_by >= 0:
            reward[game.won_by] = 1.0
        return reward, [game.won_by >= 0] * players, fault

    def see(self, game: Game, seat: int) -> str:
        """The log in words."""
        return language.situation(game, seat)

    def fingerprint(self, game: Game) -> bytes:
        """The chain over the log, and what it does not say."""
        return game.chain + game.secret.to_bytes(8, "little")

    def save(self, game: Game) -> Game:
        """A copy that shares the log's entries."""
        return _twin(game)

    def revive(self, saved: Game) -> Game:
        """A copy again, so that a snapshot can be used more than once."""
        return _twin(saved)

    def check(self, state: Any, actions: tuple[Any, ...], fault: NDArray[np.int16]) -> None:
        """Find the guesses that are no number of the range."""
        for b in np.flatnonzero(~state.over):
            game = state.games[b]
            fault[b] = 0
            fault[b, game.turn] = _twin(game).guess(actions[0][b][game.turn])

    # --- figures ---------------------------------------------------------------------------------------------------
    def metrics(self, state: Any) -> dict[str, NDArray[Any]]:
        """Figures of the episode so far."""
        logs = [game.log if game is not None else [] for game in state.games]
        return {
            "success": np.array([any(e.answer == "right" for e in log) for log in logs], np.int64),
            "guesses": np.array([len(log) for log in logs], np.int64),
            "faults": np.array([sum(e.answer == "invalid" for e in log) for log in logs], np.int64),
        }

    def invariants(self, state: Any) -> dict[str, NDArray[np.bool_]]:
        """What no step may break."""
        games = list(state.games)
        return {
            "the log grows by one entry a step": np.array(
                [g is None or len(g.log) == t for g, t in zip(games, state.t, strict=True)]
            ),
            "every answer is true": np.array([g is None or _true_answers(g) for g in games]),
        }

    def relations(self) -> tuple[Relation, ...]:
        """Words around a number say nothing."""
        return (Relation("words around the guess", _wordy),)

    # --- language and picture --------------------------------------------------------------------------------------
    def rules(self) -> str:
        """The rules in words."""
        return language.rules(self)

    def describe(self, state: Any, row: int, seat: int) -> str:
        """The log in words."""
        return language.situation(state.games[row], seat)

    def explain(self, state: Any, row: int, seat: int, action: Any, code: int) -> str:
        """Why a guess was invalid."""
        return language.explain(self, seat, action, code)

    def scene(self, state: Any, row: int) -> Scene:
        """The log as a picture."""
        return scene.scene(self, state.games[row], int(state.t[row]))


def _twin(game: Game) -> Game:
    """A game of its own with the same entries."""
    twin = copy.copy(game)
    twin.log = list(game.log)
    return twin


def _wordy(episode: Episode) -> Episode:
    """The same guesses in a sentence, where it is short enough."""
    for step in episode["actions"]:
        for seat, text in step.items():
            step[seat] = f"I say {text}, please" if len(text) < _MAX_TEXT - 20 else text
    return episode


def _true_answers(game: Game) -> bool:
    for entry in game.log:
        number = read_number(entry.text)
        if number is None or not 1 <= number <= game.high:
            said = entry.answer == "invalid"
        else:
            said = entry.answer == ("right" if number == game.secret else "higher" if number < game.secret else "lower")
        if not said:
            return False
    return True
