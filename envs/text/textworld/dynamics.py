"""One game of TextWorld: its environment, the commands so far, and a hash of all that it said."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from ludarium.envs.core.errors import FileFormatError
from ludarium.envs.text.textworld.generate import textworld

__all__ = ["Game"]


_PROMPT = re.compile(r"\n?>\s+-= [^\n]* =-\s*-?\d+/\d+\s*\Z")
"""the interpreter's status line, which tells the room, the score and the moves once more"""
_BANNER = re.compile(r"\A(?:[\s|\\/$_<>]*\n)+")
"""the word TEXTWORLD, drawn with dollar signs"""


def _said(feedback: str) -> str:
    """What TextWorld says of the game, without its title, its prompt, and rows of empty lines."""
    text = _BANNER.sub("", _PROMPT.sub("", feedback.strip()))
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip()


class Game:
    """An episode. TextWorld's own state cannot be copied for all kinds of games; a copy plays the commands again."""

    def __init__(self, path: Path, limit: int) -> None:
        package = textworld()
        self.path, self.limit = path, limit
        self.commands: list[str] = []
        self.chain = b""
        asked = package.EnvInfos(
            admissible_commands=True, score=True, max_score=True, won=True, lost=True, feedback=True
        )
        try:
            self.env = package.start(str(path), asked)
            state = self.env.reset()
        except (OSError, KeyError, TypeError, ValueError, AttributeError, NameError) as error:
            raise FileFormatError(path, f"TextWorld cannot play it: {error!r:.300}") from error
        self.score, self.won, self.lost = 0, False, False
        self._note(state)

    def _note(self, state: Any) -> None:
        """Keep what TextWorld said."""
        self.text = _said(str(state["feedback"]))
        self.admissible = sorted(set(state["admissible_commands"] or ()))[: self.limit]
        self.won, self.lost = bool(state.get("won")), bool(state.get("lost"))
        score = state.get("score")  # the PDDL engine keeps none before the first step
        self.score = int(self.won if score is None else score)
        self.max_score = int(state.get("max_score") or 1)
        said = json.dumps([self.text, self.admissible, self.score, self.won, self.lost])
        self.chain = hashlib.blake2b(self.chain + said.encode("utf-8", "surrogatepass"), digest_size=16).digest()

    @property
    def done(self) -> bool:
        """Whether the game is won or lost."""
        return self.won or self.lost

    def play(self, command: str) -> int:
        """Give a command; return the change of the score."""
        before = self.score
        self.commands.append(command)
        state, _, _ = self.env.step(command)
        self._note(state)
        return self.score - before

    def skip(self) -> None:
        """A step without a command."""
        self.commands.append("")
        self.chain = hashlib.blake2b(self.chain + b"skip", digest_size=16).digest()

    @classmethod
    def again(cls, path: Path, limit: int, commands: tuple[str, ...]) -> Game:
        """A game that has come as far by the same commands."""
        game = cls(path, limit)
        for command in commands:
            if command:
                game.play(command)
            else:
                game.skip()
        return game
