"""The simulator of TextWorld games: the contract for one episode; the base class loops over the batch."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs.core.errors import ActionError
from ludarium.envs.core.language import AnyText
from ludarium.envs.core.rng import draw_below, episode_key
from ludarium.envs.core.simulator import Choice, ObjectSimulator, Role
from ludarium.envs.text.textworld.config import TextworldConfig
from ludarium.envs.text.textworld.dynamics import Game
from ludarium.envs.text.textworld.generate import checked, file_hash, made, settings_of, textworld

__all__ = ["Textworld"]

STREAM_GAME = 1
_MAX_TEXT = 1000
_WORD = re.compile(r"[^\W_]+")
_REFUSED = frozenset(
    [
        "q",
        "quit",
        "restart",
        "restore",
        "save",
        "script",
        "noscript",
        "unscript",
        "transcrip",
        "notranscri",
        "recording",
        "replay",
        "verify",
        "undo",
        "tw",
    ]
)
"""Words (their first nine letters, which is all that a Z-machine reads) that write files, go back to what was saved in
another episode, or print the answer."""


class Textworld(ObjectSimulator):
    """A text adventure: type what you want to do, and read what comes of it."""

    turns = "one"
    faults = ("none", "no_command", "refused")
    views = ("array", "text", "tools")

    def __init__(self, config: TextworldConfig) -> None:
        self.config: TextworldConfig = config
        textworld()
        self.paths = tuple(checked(name) for name in config.games)
        if not self.paths:
            settings_of(config.make)
        self.indexed = config.action == "index"
        self.masked = self.named_actions = self.indexed
        action = spaces.Discrete(config.max_commands) if self.indexed else AnyText(_MAX_TEXT)
        self.roles = (Role("player", 1, AnyText(), action),)

    # --- one episode -----------------------------------------------------------------------------------------------
    def begin(self, seed: int, slot: int, instance: Any = None) -> Game:
        """A new game: one of the files, or one of those made."""
        count = len(self.paths) or self.config.pool
        n = int(draw_below(np.uint64(episode_key(seed)), STREAM_GAME, 0, 0, 0, count))
        return Game(self.paths[n] if self.paths else made(self.config.make, n + 1), self.config.max_commands)

    def instance_hash(self, state: Any, row: int) -> str:
        """The hash of the game file."""
        return file_hash(state.games[row].path)

    def play(self, game: Game, actions: list[list[Any]]) -> tuple[list[float], list[bool], list[int]]:
        """One command: the change of the score, and whether the game is won or lost."""
        command, code = self._command(game, actions[0][0])
        if code:
            game.skip()
            return [0.0], [False], [code]
        return [float(game.play(command))], [game.done], [0]

    def _command(self, game: Game, action: Any) -> tuple[str, int]:
        """The command that an action means, and 0 or the code of a fault."""
        if self.indexed:
            n = int(action)
            return (game.admissible[n], 0) if n < len(game.admissible) else ("", 1)
        text = str(action).encode("utf-8", "replace").decode("utf-8")  # lone surrogates have no bytes to send
        text = " ".join(text.replace("\0", " ").split())
        refused = any(word[:9] in _REFUSED for word in _WORD.findall(text.lower()))
        return text, 2 if refused else int(not text)

    def named(self, state: Any, row: int, role: int, actions: Any) -> list[Any]:
        """The command at the place in the list, empty where there is none: lists may change, commands stay."""
        return [self._command(state.games[row], action)[0] for action in actions]

    def numbered(self, state: Any, row: int, role: int, named: list[Any]) -> list[Any]:
        """The place of the command in the list; the empty command is at the first place that holds none."""
        listed = state.games[row].admissible
        missing = [command for command in named if command and command not in listed]
        if missing or ("" in named and len(listed) == self.config.max_commands):
            raise ActionError(
                f"{missing[0] if missing else 'no command'!r:.80} is not among the {len(listed)} commands"
            )
        return [listed.index(command) if command else len(listed) for command in named]

    def see(self, game: Game, seat: int) -> str:
        """What TextWorld said last."""
        return game.text

    def fingerprint(self, game: Game) -> bytes:
        """The chain over all that was said."""
        return game.chain

    def save(self, game: Game) -> Any:
        """The file and the commands so far."""
        return game.path, tuple(game.commands)

    def revive(self, saved: Any) -> Game:
        """The commands played again."""
        path, commands = saved
        return Game.again(path, self.config.max_commands, commands)

    def check(self, state: Any, actions: tuple[Any, ...], fault: NDArray[np.int16]) -> None:
        """Find the actions that are no command."""
        for b in np.flatnonzero(~state.over):
            fault[b] = self._command(state.games[b], actions[0][b][0])[1]

    def action_mask(self, state: Any, role: int, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
        """Write the places of the list that hold a command."""
        for b, row in enumerate(seats):
            for n, seat in enumerate(row):
                if seat >= 0:
                    out[b, n] = 0
                    out[b, n, : len(state.games[b].admissible)] = 1

    # --- figures and language --------------------------------------------------------------------------------------
    def metrics(self, state: Any) -> dict[str, NDArray[Any]]:
        """Figures of the episode so far."""
        games = list(state.games)
        score = np.array([0 if g is None else g.score for g in games], np.int64)
        best = np.array([1 if g is None else g.max_score for g in games], np.int64)
        return {
            "success": np.array([g is not None and g.won for g in games], np.int64),
            "lost": np.array([g is not None and g.lost for g in games], np.int64),
            "score": score,
            "max_score": best,
            "normalized_score": score / np.maximum(best, 1),
            "steps": state.t.astype(np.int64),
        }

    def invariants(self, state: Any) -> dict[str, NDArray[np.bool_]]:
        """What no step may break."""
        return {
            "a command is kept for each step": np.array(
                [g is None or len(g.commands) == t for g, t in zip(state.games, state.t, strict=True)]
            ),
        }

    def rules(self) -> str:
        """The rules in words."""
        return (
            "A text adventure made with TextWorld. Each turn, give one command; the first text says what you are after. "
            f"The game lasts at most {self.config.max_steps} steps."
        )

    def describe(self, state: Any, row: int, seat: int) -> str:
        """What TextWorld said last."""
        return str(state.games[row].text)

    def menu(self, state: Any, row: int, seat: int) -> list[Choice]:
        """The admissible commands, as the one tool `command`."""
        return [
            Choice(n if self.indexed else text, text, "command", {"command": text})
            for n, text in enumerate(state.games[row].admissible)
        ]

    def verbs(self) -> dict[str, tuple[str, ...]]:
        """Whole commands: the games have a grammar of their own."""
        return {"command": ("command",)}

    def explain(self, state: Any, row: int, seat: int, action: Any, code: int) -> str:
        """Why an action had no effect."""
        if code == 2:
            return f"{action!r:.80} is refused: saving, restoring, restarting and the like are not part of the game"
        return f"{action!r:.80} is no command: there are {len(state.games[row].admissible)} admissible ones"
