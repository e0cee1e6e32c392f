"""What carries out the programs of the laws: the probe in this process, or in a guarded process of its own."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

from ludarium.envs.core.laws.outcome import Broken, Rejected
from ludarium.envs.core.laws.probe import FIELDS, Driver

__all__ = ["Here", "Rig", "Story", "same"]

Program = list[Any]
"""A list of `[operation, arguments]`; see `probe.Driver`."""


class Rig(Protocol):
    """Runs programs."""

    def run(self, program: Program) -> list[Any]:
        """Do the operations in order and return what came of each."""

    def close(self) -> None:
        """End what was begun."""


class Here:
    """The probe in this process: fast, and as safe as the environment is."""

    def __init__(self, target: dict[str, Any]) -> None:
        self._driver = Driver(target)

    def run(self, program: Program) -> list[Any]:
        """Do the operations."""
        return self._driver.run(program)

    def close(self) -> None:
        """Close the environments."""
        self._driver.op_drop()


@dataclasses.dataclass
class Story:
    """What was seen in a stretch of an episode; item 0 of `seen` is the reset, if it has one."""

    seen: list[list[Any]]
    actions: list[Any]
    wild: list[int]
    notes: list[list[Any]]
    raised: dict[str, Any] | None
    over: bool
    malformed: int
    outcomes: list[dict[str, Any]]
    rows: list[list[Any]]
    words: list[dict[str, str]]

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.actions)

    def clean(self, law: str, doing: str) -> Story:
        """Return this story, or raise `Broken` if the environment raised in it."""
        if self.raised is not None and {"InstanceError", "LudariumError"} <= set(self.raised["mro"]):
            raise Rejected(self.raised["message"])  # our own worlds may find no instance for a seed, and say so
        if self.raised is not None:
            what = f"{self.raised['type']}: {self.raised['message']}"
            law = "reset_forgets" if self.raised["type"] == "MemoryError" else law
            raise Broken(law, f"{doing}: {self.raised['phase']} raised {what}", self.raised["step"])
        return self

    def noted(self, law: str) -> Story:
        """Return this story, or raise `Broken` at the first complaint of this law."""
        for name, step, sentence in self.notes:
            if name == law:
                raise Broken(law, f"{'reset' if not step else f'step {step}'}: {sentence}", int(step))
        return self


def same(law: str, first: Story, second: Story, saying: str, *, at: int = 0, start: int = 0) -> None:
    """Raise `Broken` where two stories first differ; item `at` of the first stands beside item `start` of the second."""
    second.clean(law, saying)
    one, other = first.seen[at:], second.seen[start:]
    for n, (a, b) in enumerate(zip(one, other, strict=False)):
        step = at + n
        for field, x, y in zip(FIELDS, a, b, strict=True):
            if x != y:
                where = "after the reset" if step == 0 else f"at step {step}"
                values = f" ({_brief(x)} became {_brief(y)})" if field in ("reward", "flags", "seats") else ""
                raise Broken(law, f"{saying}: another {field} {where}{values}", step)
    if len(one) != len(other):
        step = at + min(len(one), len(other))
        raise Broken(law, f"{saying}: an episode of {len(other) + at - 1} steps, and not of {len(one) + at - 1}", step)


def _brief(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
