"""A world whose numbered actions are places in a list that changes: letters to be picked, each once; for tests."""

from __future__ import annotations

import dataclasses
from typing import Any

from gymnasium import spaces

from ludarium.envs.core.config import Config
from ludarium.envs.core.errors import ActionError
from ludarium.envs.core.language import AnyText
from ludarium.envs.core.registry import World, register
from ludarium.envs.core.simulator import ObjectSimulator, Role


@dataclasses.dataclass(frozen=True, kw_only=True)
class LettersConfig(Config):
    max_steps: int = 8


class Letters(ObjectSimulator):
    turns = "one"
    faults = ("none", "no_letter")
    views = ("array",)
    masked = False
    named_actions = True

    def __init__(self, config: LettersConfig) -> None:
        self.config: LettersConfig = config
        self.roles = (Role("picker", 1, AnyText(), spaces.Discrete(6)),)

    def begin(self, seed: int, slot: int, instance: Any = None) -> dict[str, str]:
        return {"left": "abcde", "picked": ""}

    def play(self, game: Any, actions: Any) -> tuple[list[float], list[bool], list[int]]:
        n = int(actions[0][0])
        if n >= len(game["left"]):
            return [0.0], [False], [1]
        game["picked"] += game["left"][n]
        game["left"] = game["left"][:n] + game["left"][n + 1 :]
        return [1.0], [not game["left"]], [0]

    def named(self, state: Any, row: int, role: int, actions: Any) -> list[Any]:
        left = state.games[row]["left"]
        return [left[int(n)] if int(n) < len(left) else "" for n in actions]

    def numbered(self, state: Any, row: int, role: int, named: list[Any]) -> list[Any]:
        left = state.games[row]["left"]
        if any(letter and letter not in left for letter in named):
            raise ActionError(f"{named!r} is not among {left}")
        return [left.index(letter) if letter else len(left) for letter in named]

    def see(self, game: Any, seat: int) -> str:
        return str(game["left"])

    def fingerprint(self, game: Any) -> bytes:
        return str(game["picked"]).encode()

    def save(self, game: Any) -> Any:
        return dict(game)

    def revive(self, saved: Any) -> Any:
        return dict(saved)

    def metrics(self, state: Any) -> dict[str, Any]:
        return {}


register(
    World("test-letters-v0", f"{__name__}:Letters", f"{__name__}:LettersConfig", "letters, for tests", "test_letters")
)
