"""The dynamics of the guessing game: one Python object an episode, with an append-only log and an incremental hash."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from typing import NamedTuple

__all__ = ["NO_NUMBER", "OUT_OF_RANGE", "Game", "Guess", "read_number"]

NO_NUMBER, OUT_OF_RANGE = 1, 2
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}")


class Guess(NamedTuple):
    """One entry of the log."""

    player: int
    text: str
    answer: str
    """`higher`, `lower`, `right`, or `invalid`"""


@dataclasses.dataclass
class Game:
    """An episode: the log only grows, so its hash is a chain and a copy may share the entries."""

    secret: int
    high: int
    players: int
    log: list[Guess] = dataclasses.field(default_factory=list)
    chain: bytes = b""
    won_by: int = -1

    @property
    def turn(self) -> int:
        """Whose turn it is."""
        return len(self.log) % self.players

    def guess(self, text: str) -> int:
        """Take the text of the player in turn; return 0 or the code of a fault."""
        number, player = read_number(text), self.turn
        fault = NO_NUMBER if number is None else 0 if 1 <= number <= self.high else OUT_OF_RANGE
        if fault or number is None:
            answer = "invalid"
        else:
            answer = "right" if number == self.secret else "higher" if number < self.secret else "lower"
        self._append(Guess(player, text, answer))
        if answer == "right":
            self.won_by = player
        return fault

    def _append(self, entry: Guess) -> None:
        self.log.append(entry)
        text = f"{entry.player}\0{entry.answer}\0{entry.text}".encode("utf-8", "surrogatepass")
        self.chain = hashlib.blake2b(self.chain + text, digest_size=16).digest()


def read_number(text: str) -> int | None:
    """The only whole number in a text; None if there is none, or more than one."""
    found = _NUMBER.findall(text)
    return int(found[0]) if len(found) == 1 else None
