"""An agent that is asked by messages, whatever carries them: a pipe to a program, or a connection to a server."""

from __future__ import annotations

import time
from typing import Any, Protocol

from ludarium.agents.contract import Agent, Task, Turn
from ludarium.agents.external.messages import (
    Hello,
    StaleAnswerError,
    act_message,
    decisions,
    message,
    read_answer,
    read_hello,
    start_message,
    write_json,
)
from ludarium.envs.core.errors import AgentError, AgentFailedError

__all__ = ["PATIENCE", "Channel", "OutsideAgent", "seconds"]

PATIENCE = 3
"""Turns in a row without an answer, after which the agent is not asked again in the episode."""


def seconds(name: str, value: Any) -> float:
    """A limit in seconds; `AgentError` for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 86400:
        raise AgentError(f"{name} = {value!r}; expected seconds above 0 and up to 86400")
    return float(value)


class Channel(Protocol):
    """What carries messages to one agent and back."""

    keeps_order: bool
    """Whether an answer that came too late comes before the next one (as in a pipe)."""

    def send(self, data: bytes, deadline: float) -> None:
        """Send a message; `AgentFailedError` (`late`, `died`) if it cannot be by the deadline (monotonic seconds)."""

    def receive(self, deadline: float) -> bytes:
        """The next answer; `AgentFailedError` (`late`, `died`, `nonsense` for one that is too long) otherwise."""

    def begin(self) -> None:
        """A new episode: counts of what was said begin again."""

    def close(self) -> None:
        """End the program or the connection; may be called twice."""


class OutsideAgent(Agent):
    """Asks an agent by messages; what it cannot answer in time and form loses the turn.

    `start_seconds` limits the wait for `hello`, `start` and `finish`, `act_seconds` that for each turn. Both are outer limits of
    safety: an agent that computes until a clock stops it is not repeatable.
    """

    def __init__(self, start_seconds: float = 60.0, act_seconds: float = 60.0) -> None:
        self._start_s = seconds("start_seconds", start_seconds)
        self._act_s = seconds("act_seconds", act_seconds)
        self._channel: Channel | None = None
        self._hello: Hello | None = None
        self._episode = ""
        self._late: set[int] = set()
        self._silent, self._why = 0, ""
        self._healthy = True

    def _open(self) -> Channel:
        """A channel of its own; `AgentFailedError` or `AgentError` if there is none."""
        raise NotImplementedError(f"{type(self).__name__} must define _open")

    def _next_episode(self) -> str:
        """A name for the episode that the agent has not heard before."""
        raise NotImplementedError(f"{type(self).__name__} must define _next_episode")

    # --- what the agent says of itself ---
    def ready(self) -> None:
        """Reach the agent and hear its hello; `AgentError` if it cannot be asked at all."""
        if self._hello is not None:
            return
        channel = self._channel = self._open()
        try:
            answer = self._ask(channel, message("hello"), self._start_s)
            self._hello = read_hello(answer)
        except BaseException:
            self.close()
            raise

    @property
    def view(self) -> str:  # type: ignore[override]
        """The view that its hello names."""
        self.ready()
        assert self._hello is not None
        return self._hello.view

    @property
    def information(self) -> str:  # type: ignore[override]
        """The most that its hello asks to know."""
        self.ready()
        assert self._hello is not None
        return self._hello.information

    # --- an episode ---
    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Tell it the task; it may take `start_seconds`. One that failed in its last episode is reached anew."""
        if not self._healthy:
            self.close()
        self.ready()
        assert self._channel is not None
        self._episode, self._silent, self._healthy = self._next_episode(), 0, False
        self._late.clear()
        self._channel.begin()
        self._ask(self._channel, start_message(self._episode, task, seats, seed), self._start_s)
        self._healthy = True

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """Its actions; it may take `act_seconds`."""
        if self._channel is None or self._hello is None:
            raise AgentFailedError("the agent is gone", kind="died")
        if self._silent >= PATIENCE:
            raise AgentFailedError(f"the agent gave no answer {PATIENCE} times in a row", kind=self._why)
        try:
            answer = self._ask(self._channel, act_message(self._episode, turns, self._hello), self._act_s)
        except AgentFailedError as error:
            self._healthy = False
            if error.kind == "late":
                self._late.add(next(iter(turns.values())).step)
            self._silent = self._silent + 1 if error.kind in ("late", "died") else 0
            self._why = error.kind
            if self._silent == PATIENCE:
                self._channel.close()
            raise
        self._silent = 0
        return decisions(answer, tuple(turns))

    def finish(self, result: dict[str, Any]) -> None:
        """Tell it the result, if it still listens."""
        if self._channel is None or self._silent:
            return
        step = int(result.get("steps", 0))
        try:
            self._ask(self._channel, message("finish", self._episode, step, result=result), self._start_s)
        except AgentFailedError:
            self._healthy = False
            raise

    def close(self) -> None:
        """End the program or the connection."""
        if self._channel is not None:
            self._channel.close()
            self._channel = self._hello = None

    def _ask(self, channel: Channel, told: dict[str, Any], limit: float) -> dict[str, Any]:
        """Send a message and wait for its answer, past those that came too late for turns that are lost."""
        deadline = time.monotonic() + limit
        channel.send(write_json(told, self._hello.arrays if self._hello else "lists"), deadline)
        while True:
            try:
                return read_answer(channel.receive(deadline), told["type"], told["episode"], told["step"])
            except StaleAnswerError as stale:
                if not channel.keeps_order or stale.episode != self._episode or stale.step not in self._late:
                    raise
                self._late.discard(stale.step)
