"""An episode that a client plays from one seat, with named agents in the other seats."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from gymnasium import spaces

from ludarium.agents.contract import Decision
from ludarium.agents.crew import Crew, shared_out
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import ActionError, AgentError, ConfigError, ScenarioError, did_you_mean
from ludarium.envs.core.language import parse, parse_tool
from ludarium.envs.core.trace import Trace
from ludarium.leaderboards.guarded import Guarded, default_actions
from ludarium.leaderboards.serve.messages import ServeError

__all__ = ["FORMS", "Episode"]

ONE = np.ones(1, np.bool_)
FORMS = "an action is {command: words}, {action: value} or {name: tool, arguments: {...}}"
_UNUSABLE = (ActionError, ValueError, TypeError, OverflowError, RecursionError)


class Episode:
    """A batch of one, the client's seat, and the agents in the other seats; plays one episode after another.

    With `forfeit` an unusable action is a turn lost: the default action is played, counted in `lost` and noted in the
    trace. Without, it is refused and nothing has changed.
    """

    def __init__(
        self,
        batch: Batch,
        instance: Any = None,
        *,
        seat: str | None = None,
        others: str | None = None,
        view: str = "text",
        commands: bool = True,
        information: str = "full",
        default: Any = None,
        forfeit: bool = False,
    ) -> None:
        self.batch, self.simulator, self.instance = batch, batch.simulator, instance
        self.view, self.commands, self.forfeit = view, commands, forfeit
        self.seat = self._seat(seat)
        self.number = self.simulator.seats.index(self.seat)
        self.role = int(np.searchsorted(self.simulator.offsets, self.number, side="right")) - 1
        self.space = self.simulator.roles[self.role].action_space
        self.place = self.number - self.simulator.offsets[self.role]
        """The client's seat among those of its role."""
        space = self.space
        self._first, self._last = 0, 0
        if isinstance(space, spaces.Discrete):
            self._first, self._last = int(space.start), int(space.start) + int(space.n)
        self.rest = tuple(name for name in self.simulator.seats if name != self.seat)
        self._named, self._information = others, information
        self._own = Crew(batch, [], information=information)
        self._given, self._default = default, self._defaults(default)
        self._menu: dict[str, Any] = {}
        """The legal commands as they were last told, each with its action."""
        self._others: Crew | None = None
        self.begun = False
        self.total = 0.0
        """The sum of the client's rewards."""
        self.last: dict[str, Any] = {}
        """What came of the last action."""
        self.lost: Counter[str] = Counter()
        """The client's turns that were lost, by kind."""

    def _seat(self, given: str | None) -> str:
        seats = self.simulator.seats
        if given is None:
            return next(seat for seat in seats if seat.rsplit("_", 1)[0] not in self.simulator.others)
        if given not in seats:
            raise AgentError(f"no seat {given!r}{did_you_mean(given, seats[:200])}")
        return given

    def _defaults(self, given: Any) -> list[Any] | None:
        try:
            return default_actions(self.batch, given)
        except ScenarioError:
            if self.forfeit:
                raise ConfigError(
                    f"{self.batch.world} has no default action of its own: rank a scenario that says one"
                ) from None
            return None

    # --- play ------------------------------------------------------------------------------------------------------
    @property
    def over(self) -> bool:
        """Whether the episode has ended."""
        return bool(self.batch.over[0])

    @property
    def step(self) -> int:
        """Steps played so far."""
        return int(self.batch.t[0])

    def begin(self, seed: int) -> dict[str, Any]:
        """Begin the episode of a seed, with new agents in the other seats."""
        batch = self.batch
        batch.seed(ONE, [seed])
        batch.reset(ONE, None if self.instance is None else {0: self.instance})
        self.total, self.lost, self.begun = 0.0, Counter(), True
        if self.rest:
            named = [(self._named, self.rest)] if self._named else shared_out(self.simulator, "random", self.rest)
            agents = [(make_agent(name), seats) for name, seats in named]
            if self._default is None:
                crew = Crew(batch, agents, information=self._information)
            else:
                crew = Guarded(batch, agents, information=self._information, default=self._given)
            crew.start(int(batch.seeds[0]))
            self._others = crew
        self._play_on()
        self.last = {"reward": None, "fault": None, "message": ""}
        return self.look()

    def act(self, action: dict[str, Any], step: int | None = None) -> dict[str, Any]:
        """Take the client's action, then let the others play until the client is asked again or all is over.

        `ServeError`: `EPISODE_OVER`, `STALE` where `step` is not the episode's, `ACTION_ERROR`.
        """
        self._must_wait(step)
        message, fault = "", None
        try:
            self._put(action)
        except _UNUSABLE as error:
            message = str(error) if isinstance(error, ActionError) else f"no action of {self.space}"
            if not self.forfeit:
                raise ServeError("ACTION_ERROR", message[:2000]) from None
            self._lose("nonsense", message)
            fault = "nonsense"
        return self._turn(fault, message)

    def _must_wait(self, step: int | None) -> None:
        if not self.begun:
            raise ServeError("SESSION_ERROR", "no episode has begun in this session")
        if self.over:
            raise ServeError("EPISODE_OVER", "the episode is over; ask for the score, or begin another")
        if step is not None and step != self.step:
            raise ServeError("STALE", f"the episode is at step {self.step}; the action is for step {step}")

    def _put(self, action: dict[str, Any]) -> None:
        """Understand an action in one of its `FORMS`, and put it into the buffers."""
        simulator, state, seat = self.simulator, self.batch.state, self.number
        if len(action) == 1 and self._put_listed(action):
            return
        given = set(action) - {"metadata"}
        if given == {"command"} and isinstance(action["command"], str):
            words = action["command"]
            found = parse(simulator, state, 0, seat, words)
            answer = Decision(found, raw=None if found == words else words)
        elif given == {"action"}:
            answer = Decision(action["action"])
        elif given in ({"name"}, {"name", "arguments"}):
            answer = Decision(parse_tool(simulator, state, 0, seat, action["name"], action.get("arguments", {})))
        else:
            raise ActionError(f"{FORMS}; got {', '.join(sorted(given)) or 'nothing'!s:.200}")
        if isinstance(answer.action, bool) or answer.action is None:
            raise ActionError(f"{answer.action!r} is no action; expected {self.space}")
        self._own.put(seat, answer)
        self.batch.check_seat(seat)

    def _put_listed(self, action: dict[str, Any]) -> bool:
        """The short way, for a command as it was told or the number of an action; False if it is neither."""
        number: Any = action.get("action")
        if number is None:
            words = action.get("command")
            number = self._menu.get(words) if isinstance(words, str) else None
        if type(number) is not int or not self._first <= number < self._last:
            return False
        self.batch.actions[self.role][0, self.place] = number
        return True

    def _lose(self, kind: str, message: str) -> None:
        """Play the default action in the client's seat."""
        assert self._default is not None
        self.batch.actions[self.role][0][self.place] = self._default[self.role]
        self.lost[kind] += 1
        note = {"t": self.step, "seats": [self.seat], "status": "default", "kind": kind, "message": message[:200]}
        self.batch.events[0].append(note)

    def _turn(self, fault: str | None, message: str) -> dict[str, Any]:
        batch, seat = self.batch, self.number
        if self._others is not None:
            self._others.act()
        batch.step()
        reward, code = float(batch.out.reward[0, seat]), int(batch.out.fault[0, seat])
        if code and fault is None:
            fault = self.simulator.faults[code]
            message = f"your action had no effect: {fault.replace('_', ' ')}"
        if self._others is not None:
            reward += self._play_on()
        self.total += reward
        self.last = {"reward": reward, "fault": fault, "message": message}
        if self.over and self._others is not None:
            self._others.finish(batch.result())
        return self.look()

    def _play_on(self) -> float:
        """Let the others play until the client is asked or all is over; the client's reward meanwhile."""
        batch, seat, reward = self.batch, self.number, 0.0
        while not batch.over[0] and not batch.asked[0, seat]:
            assert self._others is not None, "a world of one seat waits for nobody else"
            self._others.act()
            batch.step()
            reward += float(batch.out.reward[0, seat])
        return reward

    def play_out(self) -> None:
        """The client is gone: its remaining turns are lost."""
        while self.begun and not self.over:
            self._lose("late", "the client left")
            self._turn("late", "")

    # --- what the client is told -----------------------------------------------------------------------------------
    def look(self) -> dict[str, Any]:
        """The situation: observation, reward of the last action, done, and what else there is to say."""
        out, over = self.batch.out, self.over
        truncated = bool(out.truncated[0])
        return {
            "observation": self.observation(),
            "reward": self.last.get("reward"),
            "done": over,
            "metadata": {
                "step": self.step,
                "terminated": over and not truncated,
                "truncated": truncated,
                "fault": self.last.get("fault"),
                "message": self.last.get("message", ""),
            },
        }

    def observation(self) -> dict[str, Any]:
        """What the client's seat is told: words and commands, or arrays and a mask."""
        if self.view == "array":
            turn = self._own.turn("array", self.number)
            return {"seat": self.seat, "array": turn.observation, "action_mask": turn.mask}
        batch, number = self.batch, self.number
        found: dict[str, Any] = {"seat": self.seat, "text": self.simulator.describe(batch.state, 0, number)}
        if self.commands:
            menu = None if self.over else self.simulator.menu(batch.state, 0, number)
            self._menu = {} if menu is None else {choice.text: choice.action for choice in menu}
            found["commands"] = None if menu is None else [choice.text for choice in menu]
        return found

    def score(self) -> dict[str, Any]:
        """How the episode stands; the digest when it is over."""
        result = self.batch.result()
        return {
            "steps": result["steps"],
            "over": result["over"],
            "reward": self.total,
            "metrics": result["metrics"],
            "turns_lost": dict(sorted(self.lost.items())),
            "digest": f"{self.batch.digest():016x}" if result["over"] else None,
        }

    def trace(self) -> Trace:
        """The episode so far as data, with who was where."""
        trace = self.batch.trace()
        others = {"others": self._named or "random"} if self.rest else {}
        trace.header["agent"] = {"name": "served", "seat": self.seat, **others}
        return trace
