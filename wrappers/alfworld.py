"""A world behind ALFWorld's batch interface, which published agents call: lists in, lists out."""

from __future__ import annotations

from typing import Any

from ludarium.wrappers.spoken import Spoken

__all__ = ["AlfworldBatch", "to_alfworld_batch"]


class AlfworldBatch:
    """So many games at once; `reset` goes on to the next ones, and a game that is over stays as it is."""

    def __init__(self, world: str, batch_size: int, first_seed: int, **config: Any) -> None:
        self.batch_size, self.world = batch_size, world
        self._games = [Spoken(world, **config) for _ in range(batch_size)]
        self._next, self._names, self._scores = first_seed, [""] * batch_size, [0.0] * batch_size

    def seed(self, seed: int) -> None:
        """The next `reset` begins with this game."""
        self._next = seed

    def reset(self) -> tuple[list[str], dict[str, list[Any]]]:
        """Begin the next games; the intros, and the infos."""
        texts = []
        for n, game in enumerate(self._games):
            game.reset(self._next)
            self._names[n], self._scores[n] = f"{self.world}#{self._next}", 0.0
            texts.append(game.text)
            self._next += 1
        return texts, self._infos(self._names)

    def step(self, actions: list[str]) -> tuple[list[str], list[float], list[bool], dict[str, list[Any]]]:
        """A command a game; texts, scores so far (1.0 when won), whether each is over, and the infos."""
        if len(actions) != self.batch_size:
            raise ValueError(f"{len(actions)} actions; expected one for each of {self.batch_size} games")
        texts = [self._play(game, action) for game, action in zip(self._games, actions, strict=True)]
        self._scores = [float(won) for won in self._won()]
        return texts, list(self._scores), [game.done for game in self._games], self._infos([None] * self.batch_size)

    @staticmethod
    def _play(game: Spoken, action: str) -> str:
        if game.done:
            return game.text
        refused = game.refused
        game.act({"command": action})
        return game.text if game.refused == refused else "Nothing happens."

    def _won(self) -> list[bool]:
        return [bool(game.metrics().get("success", 0.0)) for game in self._games]

    def _infos(self, names: list[Any]) -> dict[str, list[Any]]:
        listed = [list(game.commands or ()) for game in self._games]
        return {"admissible_commands": listed, "won": self._won(), "extra.gamefile": list(names)}

    def close(self) -> None:
        """Nothing is left open."""


def to_alfworld_batch(
    world: str = "text-household-v0", batch_size: int = 1, first_seed: int = 0, **config: Any
) -> AlfworldBatch:
    """Games in the place of `AlfredTWEnv(...).init_env(batch_size)`; game n of the world is that of seed n."""
    return AlfworldBatch(world, batch_size, first_seed, **config)
