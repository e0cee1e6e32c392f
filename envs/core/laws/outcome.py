"""What comes of holding a law against an environment: kept, broken, not claimed, or not decidable here."""

from __future__ import annotations

from typing import Any

from ludarium.envs.core.errors import LudariumError

__all__ = ["Broken", "CheckError", "Crashed", "NotClaimed", "Rejected"]


class Broken(Exception):
    """A law does not hold: which, how (a sentence), and at which step of the case's episode it showed (0: the reset)."""

    episode: Any = None
    """The story of an episode that did not come to its end because of this."""

    def __init__(self, law: str, story: str, step: int = 0) -> None:
        self.law, self.story, self.step = law, story, step
        super().__init__(f"{law}: {story}")


class NotClaimed(Exception):
    """The environment does not claim what the law is about; says what that is."""


class Rejected(Exception):
    """The case is none: the environment refuses its config or instance, as it says it does."""


class Crashed(Exception):
    """The environment's process hung, ended, or took too much memory: how, and while doing what."""

    def __init__(self, how: str, phase: str, step: int, detail: str = "") -> None:
        self.how, self.phase, self.step, self.detail = how, phase, step, detail
        super().__init__(f"{how} in {phase}, step {step}{': ' + detail if detail else ''}")

    def broken(self, law: str) -> Broken:
        """As a broken law: a crash in play belongs to `ends`, memory to `reset_forgets`, any other to the law at hand."""
        where = f"step {self.step}" if self.phase == "step" else self.phase
        if self.how == "memory":
            return Broken("reset_forgets", f"memory grows beyond its limit ({self.detail})", self.step)
        told = {"hang": "does not come back", "exit": "ends the process"}[self.how]
        law = "ends" if self.phase in ("make", "reset", "step") else "looking" if self.phase == "look" else law
        return Broken(law, f"{where} {told} ({self.detail})", self.step)


class CheckError(LudariumError):
    """What should be checked cannot be made or found."""

    @classmethod
    def of(cls, name: str, raised: dict[str, Any]) -> CheckError:
        """For an environment that cannot be made."""
        where = f" ({raised['lines'][-1]})" if raised["lines"] else ""
        return cls(f"cannot make {name}: {raised['type']}: {raised['message']}{where}")
