"""A crew whose agents may fail: whoever crashes or answers nonsense loses the turn, never the run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.agents.contract import Agent, Decision, GroupAgent
from ludarium.agents.crew import Crew, lowest_action
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import (
    AgentError,
    AgentFailedError,
    CassetteMissError,
    ConfigError,
    LudariumError,
    MissingExtraError,
    MissingKeyError,
    NotClaimedError,
    ScenarioError,
)

__all__ = ["Guarded", "default_actions"]

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{4,}")
_FAILURES = (Exception, SystemExit)  # an agent that calls sys.exit() has crashed; Ctrl-C has not
_UNFIT = (ConfigError, NotClaimedError, MissingExtraError, MissingKeyError)
_FALLBACKS = {"budget": "budget", "endpoint": "endpoint"}
_SHOWN = 200


def default_actions(batch: Batch, given: Any) -> list[Any]:
    """The default action of each role: the scenario's (one for all, or a table by role), or the lowest of the space."""
    found = []
    for role in batch.simulator.roles:
        action = given.get(role.name) if isinstance(given, dict) and role.name in given else given
        space = role.action_space
        if action is None:
            action = None if space.contains("") else lowest_action(space)  # a task says what speaks by default
        kind = getattr(space, "dtype", None)
        value = action if kind is None or isinstance(action, str | dict) else np.asarray(action, kind)
        if action is None or not space.contains(np.int64(action) if isinstance(space, spaces.Discrete) else value):
            raise ScenarioError(
                f"default_action = {action!r} is no action of {role.name}; expected one of {space} under [rules]"
            )
        found.append(action)
    return found


def _close(agent: Agent) -> None:
    """Close an agent that can be closed: one that is no `Agent` need not."""
    getattr(agent, "close", lambda: None)()


class Guarded(Crew):
    """Agents in the seats of one row; failures become default actions, events of the trace, and counts in `lost`."""

    def __init__(
        self,
        batch: Batch,
        agents: Sequence[tuple[Agent, Sequence[str]]],
        *,
        information: str = "full",
        default: Any = None,
        broken: str = "",
    ) -> None:
        super().__init__(batch, agents, information=information)
        self._default = default_actions(batch, default)
        self._broken = {n: broken for n in range(len(agents)) if broken}
        self.lost: Counter[str] = Counter()
        """Turns of seats that were lost, by kind: `crash`, `nonsense`, `start`, `died` or `late`; and of models `fallback`
        (no reply was an action), `budget` (it was used up) or `endpoint` (it gave no answer)."""

    def start(self, seed: int) -> None:
        """Begin an episode; an agent that cannot has lost all its turns."""
        for n, (agent, seats, _) in enumerate(self.agents):
            if n in self._broken:
                self._note(list(seats), self._broken[n], "the agent lost the whole episode")
                continue
            try:
                agent.start(self.task, seats, seed)
            except _FAILURES as error:
                self._broken[n] = "start"
                self._note(list(seats), "start", error)

    def finish(self, result: Mapping[str, Any]) -> None:
        """Tell the result to all agents that got so far, and close all; what they make of it changes nothing any more."""
        for n, (agent, _, _) in enumerate(self.agents):
            told = [] if n in self._broken else [partial(agent.finish, dict(result))]
            for call in (*told, partial(_close, agent)):
                try:
                    call()
                except _FAILURES as error:
                    self._note([], "finish", error)

    def give_up(self, kind: str) -> None:
        """All agents lose all further turns."""
        for n in range(len(self.agents)):
            if n not in self._broken:
                self._broken[n] = kind
                self._note(list(self.agents[n][1]), kind, "the agent lost the rest of the episode")

    def transcripts(self) -> list[dict[str, Any]]:
        """What was said in the episode by all agents that keep a transcript; one that cannot tell has none."""
        rows: list[dict[str, Any]] = []
        for agent, _, _ in self.agents:
            try:
                rows += getattr(agent, "transcript", list)()
            except _FAILURES as error:
                self._note([], "transcript", error)
        return rows

    def act(self) -> None:
        """Ask everybody whom the world waits for; seats without a usable answer get the default action.

        An agent that says at the first step that it is not made for this world raises `AgentError`: that is a mistake in
        what was given, and no turn to lose.
        """
        for n, (agent, seats, numbers) in enumerate(self.agents):
            asked = numbers[self.batch.asked[self.row, numbers] != 0]
            if not len(asked):
                continue
            if n in self._broken:
                self._lose(asked, self._broken[n])
                continue
            try:
                if isinstance(agent, GroupAgent) and len(self.batch.simulator.roles) == 1:
                    self._put_group(agent.act_group(self._group_turn(agent)), asked, agent)
                else:
                    self._put_each(agent, seats, asked)
            except LudariumError as error:
                if isinstance(error, CassetteMissError):
                    raise  # a replay that cannot go on is no turn to lose
                if isinstance(error, _UNFIT) and self.batch.t[self.row] == 0:
                    raise AgentError(f"{type(agent).__name__} cannot play this world: {error}") from error
                self._lose(asked, error.kind if isinstance(error, AgentFailedError) else "nonsense", error)
            except _FAILURES as error:
                self._lose(asked, "crash", error)

    def _put_group(self, actions: Any, asked: NDArray[np.int64], agent: Agent) -> None:
        super()._put_group(actions, asked, agent)
        space, given = self.batch.simulator.roles[0].action_space, self.batch.actions[0][self.row]
        if isinstance(space, spaces.Discrete):
            low, high = int(space.start), int(space.start) + int(space.n)
            bad = [int(s) for s in asked if not low <= given[s] < high]
        else:
            bad = [int(s) for s in asked if self._outside(int(s))]
        if bad:
            self._lose(np.array(bad), "nonsense", f"{given[bad[0]].tolist()!r} is outside {space}")

    def _put_each(self, agent: Agent, seats: tuple[str, ...], asked: NDArray[np.int64]) -> None:
        names = self.batch.simulator.seats
        answers = agent.act({names[s]: self.turn(agent.view, int(s)) for s in asked})
        for s in asked:
            if not isinstance(answers, Mapping) or names[s] not in answers:
                self._lose(np.array([s]), "nonsense", "no answer")
                continue
            try:
                self.put(int(s), answers[names[s]])
                error = self._outside(int(s))
            except _FAILURES as found:  # an answer may be any object, whose conversion may do anything
                error = found  # type: ignore[assignment]
            answer = answers[names[s]]
            if isinstance(answer, Decision) and answer.status == "fallback":
                self._lose(np.array([s]), _FALLBACKS.get(answer.why, "fallback"), answer.message or answer.why)
            elif error is not None:
                self._lose(np.array([s]), "nonsense", error)

    def _outside(self, seat: int) -> LudariumError | None:
        try:
            self.batch.check_seat(seat, self.row)
        except LudariumError as error:
            return error
        return None

    def _lose(self, seats: NDArray[np.int64], kind: str, error: Any = None) -> None:
        """Give these seats the default action."""
        offsets = self.batch.simulator.offsets
        for s in seats:
            r = int(np.searchsorted(offsets, s, side="right")) - 1
            self.batch.actions[r][self.row][int(s) - offsets[r]] = self._default[r]
        self.lost[kind] += len(seats)
        if error is not None:
            self._note([self.batch.simulator.seats[s] for s in seats], kind, error)

    def _note(self, seats: list[str], kind: str, error: Any) -> None:
        """One event for all seats that lost a turn for one reason; addresses in messages differ from run to run."""
        text = f"{type(error).__name__}: {error}" if isinstance(error, BaseException) else str(error)
        everyone = len(seats) == len(self.batch.simulator.seats)
        self.batch.events[self.row].append(
            {
                "t": int(self.batch.t[self.row]),
                "seats": "all" if everyone else seats,
                "status": "default",
                "kind": kind,
                "message": _ADDRESS.sub("0x", text)[:_SHOWN],
            }
        )
