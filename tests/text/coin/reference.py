"""The coin games again: plain and slow, from the rules alone, over a map as JSON data."""

from __future__ import annotations

from typing import Any

SIDES = ["east", "north", "south", "west"]
BACK = {"east": "west", "west": "east", "north": "south", "south": "north"}


class Reference:
    """One game; `doors` maps a pair of rooms to whether its door stands open (no entry: no door)."""

    def __init__(self, data: dict[str, Any], max_steps: int) -> None:
        self.room, self.coin, self.max_steps = data["start"], data["coin"], max_steps
        self.exits: dict[tuple[int, str], int] = {}
        self.doors: dict[frozenset[int], bool] = {}
        for room, row in enumerate(data["exits"]):
            for side, other, way in zip(SIDES, row, data["ways"][room], strict=True):
                if other >= 0:
                    self.exits[room, side] = other
                if way >= 2:
                    self.doors[frozenset((room, other))] = way == 3
        self.steps, self.faults, self.won = 0, 0, False

    @property
    def over(self) -> bool:
        return self.won or self.steps >= self.max_steps

    def commands(self) -> list[str]:
        """The admissible commands, sorted."""
        found = ["look", "inventory"]
        for side in SIDES:
            other = self.exits.get((self.room, side))
            if other is None:
                continue
            open_ = self.doors.get(frozenset((self.room, other)))
            if open_ is not False:
                found.append(f"go {side}")
            if open_ is not None:
                found.append(f"{'close' if open_ else 'open'} door to {side}")
        if self.room == self.coin and not self.won:
            found += ["take coin", "examine coin"]
        return sorted(found)

    def step(self, command: str) -> tuple[float, bool]:
        """Reward, and whether the command was admissible."""
        legal = command in self.commands()
        self.steps += 1
        if not legal:
            self.faults += 1
            return 0.0, False
        words = command.split()
        if words[0] == "go":
            self.room = self.exits[self.room, words[1]]
        elif words[0] in ("open", "close"):
            other = self.exits[self.room, words[-1]]
            self.doors[frozenset((self.room, other))] = words[0] == "open"
        elif command == "take coin":
            self.won = True
            return 1.0, True
        return 0.0, True
