"""Bugs of laws 15 to 17: snapshots, copies, and looks that leave a trace."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

from laws.zoo.orchard import WAIT, Orchard
from laws.zoo.planted import Planted


class ForgetsTheCounter(Orchard):
    """The snapshot lacks the count of waits, the third of which costs."""

    bug = Planted("snapshot", shortest=2)

    def begin(self) -> None:
        super().begin()
        self.tired = 0

    def act(self, action: int) -> float:
        self.tired += action == WAIT
        return super().act(action) - (0.5 if action == WAIT and self.tired >= 3 else 0.0)

    def snapshot(self) -> dict[str, Any]:
        return {**super().snapshot(), **({} if self.planted else {"tired": self.tired})}

    def restore(self, kept: dict[str, Any]) -> None:
        super().restore(kept)
        self.tired = kept.get("tired", self.tired)


class LiveSnapshot(Orchard):
    """The snapshot holds the trees themselves, and they go on ripening in it."""

    bug = Planted("snapshot", shortest=1)

    def snapshot(self) -> dict[str, Any]:
        return {**super().snapshot(), **({"ripe": self.ripe} if self.planted else {})}


class ForgetsTheWind(Orchard):
    """The snapshot lacks the state of the generator."""

    bug = Planted("snapshot", shortest=1)

    def snapshot(self) -> dict[str, Any]:
        kept = super().snapshot()
        return {k: v for k, v in kept.items() if k != "random"} if self.planted else kept

    def restore(self, kept: dict[str, Any]) -> None:
        super().restore({"random": self.np_random.bit_generator.state, **kept})


def _sunshine(t: int) -> float:
    return 0.0


class NotPicklable(Orchard):
    """A function made on the spot is kept as an attribute."""

    bug = Planted("copies", shortest=0)

    def begin(self) -> None:
        super().begin()
        self.sun = (lambda t: 0.0) if self.planted else _sunshine


class SharedGenerator(Orchard):
    """A deep copy by hand that forgets the generator: original and copy draw from one."""

    bug = Planted("copies", shortest=1)

    def __deepcopy__(self, memo: dict[int, Any]) -> SharedGenerator:
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        for name, value in self.__dict__.items():
            shared = name == "_np_random" and self.planted
            setattr(twin, name, value if shared else copy.deepcopy(value, memo))
        return twin


class LosesWhatItPickles(Orchard):
    """What is pickled leaves out the history, which is thought to be there for the picture only."""

    bug = Planted("copies", shortest=3)

    def act(self, action: int) -> float:
        return super().act(action) - (0.5 if action == WAIT and self.done.count(WAIT) >= 3 else 0.0)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, **({"done": []} if self.planted else {})}

    def __deepcopy__(self, memo: dict[int, Any]) -> LosesWhatItPickles:
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        twin.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return twin


class LeavesFlutter(Orchard):
    """The picture's leaves flutter by the generator that the wind is drawn from."""

    bug = Planted("looking", shortest=1)

    def render(self) -> Any:
        leaves = self.np_random if self.planted else copy.deepcopy(self.np_random)
        return f"{super().render()}\n{'.,'[int(leaves.integers(2))]}"


class DescribingTires(Orchard):
    """Three looks at the description make the world believe that its text has been read to the end; a wait then costs."""

    bug = Planted("looking", shortest=1)
    state = (*Orchard.state, "read")

    def begin(self) -> None:
        super().begin()
        self.read = 0

    def describe(self) -> str:
        self.read += self.planted
        return f"You stand at tree {self.x}."

    def act(self, action: int) -> float:
        return super().act(action) - (0.5 if action == WAIT and self.read else 0.0)


class CloseIsForAll(Orchard):
    """Closing one instance throws away the table that all of them use."""

    bug = Planted("looking", shortest=1)
    tables: ClassVar[dict[str, list[float]]] = {}

    def __init__(self, clean: bool = False, render_mode: str | None = None) -> None:
        super().__init__(clean, render_mode)
        self.tables["gain"] = [0.0, 0.0, 0.0, 0.0]

    def act(self, action: int) -> float:
        return super().act(action) + self.tables["gain"][action]

    def close(self) -> None:
        if self.planted:
            self.tables.clear()
