"""The contract of agents: one protocol for planners, policies, programs in any language, and language models.

An agent fills one or more seats. It is told the task once an episode, then asked for actions whenever the world waits
for any of its seats, and told the result at the end.
"""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

__all__ = ["INFORMATION", "Agent", "Decision", "Task", "Turn"]

INFORMATION = ("local", "global", "full")
"""What an agent may know: what its seats see; all that is the case now; also what the instance holds for later."""


@dataclasses.dataclass(frozen=True)
class Task:
    """What an agent is told before an episode."""

    id: str
    config: dict[str, Any]
    rules: str
    observation_spaces: dict[str, Any]
    """Space of one seat, by role."""
    action_spaces: dict[str, Any]
    seats: tuple[str, ...]
    """All seats of the world, the agent's own and others'."""
    max_steps: int
    information: str = "full"
    budgets: dict[str, int] = dataclasses.field(default_factory=dict)


class Turn(NamedTuple):
    """What a seat is told when the world waits for it (and, after the end, what came of its last action)."""

    observation: Any
    mask: Any = None
    commands: tuple[str, ...] | None = None
    tools: tuple[dict[str, Any], ...] | None = None
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    step: int = 0


@dataclasses.dataclass(frozen=True)
class Decision:
    """An action with what led to it; an agent may return it instead of the bare action."""

    action: Any
    raw: str | None = None
    status: str = "ok"
    """`ok`, `repaired` (the reply had to be mended, or asked for again), or `fallback`: there is no action of the agent's,
    the default action is taken for it, and counted."""
    subgoal: str | None = None
    control: str | None = None
    usage: dict[str, int] = dataclasses.field(default_factory=dict)
    why: str = ""
    """Of a fallback: `reply` (no reply was an action), `budget` (it is used up) or `endpoint` (it gave no answer)."""
    message: str = ""
    """Of a fallback: a sentence about it."""


class Agent:
    """Base of all agents; `view` is the form in which it wants to see the world."""

    view: str = "array"
    """`array`, `text`, `tools`, `picture` or `state`."""
    information: str = "local"
    """The most that it asks to know; the task says what it gets."""
    waits: bool = False
    """Whether it mostly waits for somebody else (a model behind an address): a run then plays many episodes at once in
    threads of one process, where limits and budgets are shared."""

    def ready(self) -> None:
        """Raise `AgentError` if it cannot be asked at all; a run wants to know before it begins."""

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Begin an episode in these seats; everything random follows from `seed`."""

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """Return an action or a `Decision` for each seat that is asked."""
        raise NotImplementedError(f"{type(self).__name__} must define act")

    def finish(self, result: dict[str, Any]) -> None:
        """The episode is over; `result` holds length and metrics."""

    def transcript(self) -> list[dict[str, Any]]:
        """What was said in the episode: entries of an `agents.llm.ledger.Ledger`, which a run keeps beside the trace."""
        return []

    def close(self) -> None:
        """No further episode will come; processes and connections end here."""


class GroupAgent(Agent):
    """An agent that decides for all its seats at once from one full-information view: the batched form."""

    view = "state"
    information = "global"

    def act_group(self, turn: Turn) -> Any:
        """Return one action for every seat of the world's only role (those of seats that are not its own are ignored)."""
        raise NotImplementedError(f"{type(self).__name__} must define act_group")

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """The same decision, seat by seat."""
        actions = self.act_group(next(iter(turns.values())))
        return {seat: actions[int(seat.rsplit("_", 1)[1])] for seat in turns}
