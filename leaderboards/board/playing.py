"""One hosted episode: the board holds the world and its trace, and asks whoever plays by messages (`agents/protocol.json`).

Nothing that is told leads to the seed: no seed, no snapshot, no digest, and of the information at most what is the case now
(`global`). An answer is for one episode and step; another one changes nothing. An answer that is no usable action costs the
turn. Time is this process's own: from when a question is ready to when its answer is here.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import statistics
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from ludarium.agents.contract import INFORMATION, Agent
from ludarium.agents.crew import shared_out
from ludarium.agents.external.messages import (
    VERSION,
    VIEWS,
    Hello,
    act_message,
    decisions,
    message,
    start_message,
    write_json,
)
from ludarium.agents.registry import make_agent
from ludarium.envs.core.errors import AgentFailedError, ConfigError
from ludarium.envs.core.trace import Trace
from ludarium.leaderboards.episode import agent_seed, begin
from ludarium.leaderboards.guarded import Guarded
from ludarium.leaderboards.serve.messages import ServeError
from ludarium.leaderboards.track import Place, Track

__all__ = ["MOST", "Look", "Play", "look_of", "mark_of"]

MOST = "global"
"""What a hosted agent may know at most: what the instance holds for later stays on the board's side."""
MAX_REFUSED = 200
"""Messages of one episode that change nothing, after which its turns are lost."""
_TOLD = "told"
WALL_S = 3600.0
"""Seconds that an episode's answers may take together, where the track names no other budget."""


class Look(NamedTuple):
    """In which form the player wants to be told."""

    view: str
    information: str
    arrays: str = "base64"


def look_of(track: Track, view: str, information: str, arrays: str = "base64") -> Look:
    """What a player gets that wants this; `ConfigError` for what the track does not permit or no message can hold."""
    for name, given, known in (
        ("view", view, VIEWS), ("information", information, INFORMATION), ("arrays", arrays, ("lists", "base64"))
    ):  # fmt: skip
        if given not in known:
            raise ConfigError(f"{name} = {given!r:.40}; expected one of {', '.join(known)}")
    permitted = min((track.information, track.world.information, MOST, information), key=INFORMATION.index)
    if view == "state" and permitted == "local":
        raise ConfigError("the view 'state' tells more than 'local' information, which is all there is here")
    return Look(view, permitted, arrays)


def mark_of(given: dict[str, Any]) -> str:
    """What tells one answer from every other."""
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()


class _Outside(Agent):
    """Stands in the seats of the player: its answer is the one that came."""

    def __init__(self, view: str) -> None:
        self.view = view
        self.given: Any = None

    def act(self, turns: dict[str, Any]) -> dict[str, Any]:
        """What was answered, or the failure that it is."""
        given, self.given = self.given, {}
        if isinstance(given, AgentFailedError):
            raise given
        return dict(given)


class _Table(Guarded):
    """The player and the agents of the task; the player's turns were told by message, and are not made again for its answer."""

    def turn(self, view: str, seat: int, seen: Any = None) -> Any:
        """What a seat is told now."""
        return None if view == _TOLD else super().turn(view, seat, seen)

    def lose_all(self, n: int, kind: str, why: str) -> None:
        """One agent loses all further turns."""
        self._broken.setdefault(n, kind)
        self._note(list(self.agents[n][1]), kind, why)


class Play:
    """One episode of an attempt. Threads may share it: each message is dealt with whole."""

    def __init__(
        self, track: Track, place: Place, number: int, look: Look, own_seed: int, clock: Callable[[], float]
    ) -> None:
        self.place, self.number, self.look = place, number, look
        self.name = f"{number:04d}"
        scenario, (case, seed, trial) = track.world, place
        self.batch = begin(scenario, scenario.case(case), seed)
        simulator = self.batch.simulator
        if look.view not in simulator.views:
            raise ConfigError(f"{scenario.environment} does not offer the view {look.view!r}")
        self._player = _Outside(look.view)
        shares = shared_out(simulator, "", simulator.seats, scenario.seats)
        agents = [(make_agent(name) if name else self._player, seats) for name, seats in shares]
        self._crew = _Table(self.batch, agents, information=scenario.information, default=scenario.default_action)
        self._player.view = _TOLD
        self._at = next(n for n, (agent, _, _) in enumerate(self._crew.agents) if agent is self._player)
        self.seats, self._numbers = self._crew.agents[self._at][1:]
        self._scenario = {
            "name": scenario.name, "version": scenario.version, "hash": scenario.hash, "case": case, "trial": trial,
        }  # fmt: skip
        self._seed, self._others_seed = own_seed, agent_seed(scenario, case, seed, trial)
        self._steps = track.budgets.get("steps", float("inf"))
        self.wall_s, self._clock = float(track.budgets.get("wall_s", WALL_S)), clock
        self._lock = threading.Lock()
        self.accepted = ""
        """The answer that was taken last (`mark_of`)."""
        self.refused = 0
        self.seconds: list[float] = []
        """What each answer took."""
        self.beyond = False
        """The track's budget of steps is used up and the episode is not over: it counts as missing."""
        self._crew.start(self._others_seed)
        self._advance()
        self._question = self._ask()

    # --- messages --------------------------------------------------------------------------------------------------
    @property
    def over(self) -> bool:
        """Whether no further answer is taken."""
        return bool(self.batch.over[0]) or self.beyond

    def begin(self) -> bytes:
        """The first message: the task, the player's seats and seed, and under `next` the first question."""
        task = dataclasses.replace(self._crew.task, information=self.look.information)
        told = start_message(self.name, task, self.seats, self._seed)
        with self._lock:
            return write_json(told, self.look.arrays)[:-1] + b',"next":' + self._question + b"}"

    def again(self) -> bytes:
        """The question that waits, once more."""
        with self._lock:
            self._late()
            return self._question

    def answer(self, given: dict[str, Any]) -> bytes:
        """Take an answer, let the world go on, and ask the next question (or tell the end).

        The answer that was taken last may come again: its question is told again, and nothing changes. `ServeError` for
        another episode or step, and for what is no answer at all.
        """
        mark = mark_of(given)
        with self._lock:
            if mark == self.accepted:
                return self._question
            if self.over:
                raise ServeError("EPISODE_OVER", "the episode is over; begin another")
            self._late()
            if not self.over:
                try:
                    self._player.given = self._read(given)
                except ServeError:
                    self._refuse()
                    raise
                self.accepted = mark
                self._timed()
                self._go()
            return self._question

    @property
    def _step(self) -> int:
        return int(self.batch.t[0])

    def _read(self, given: dict[str, Any]) -> Any:
        if given.get("version") != VERSION or isinstance(given.get("version"), bool):
            raise ServeError("VALIDATION_ERROR", f"version = {given.get('version')!r:.40}; expected {VERSION}")
        step = given.get("step")
        if type(step) is not int or step != self._step:
            raise ServeError("STALE", f"the episode is at step {self._step}; the answer is for {step!r:.40}")
        kind = given.get("type")
        if kind == "error":
            return AgentFailedError(f"the agent reports: {given.get('message')!r:.120}", kind="crash")
        if kind != "act":
            raise ServeError("VALIDATION_ERROR", f"type = {kind!r:.40}; expected act or error")
        try:
            return decisions(given, tuple(self.batch.simulator.seats[s] for s in self._asked()))
        except AgentFailedError as error:
            return error

    def _refuse(self) -> None:
        self.refused += 1
        if self.refused >= MAX_REFUSED:
            self._give_up("nonsense", f"{MAX_REFUSED} messages that were no answers")

    # --- the world -------------------------------------------------------------------------------------------------
    def _asked(self) -> Any:
        return self._numbers[self.batch.asked[0, self._numbers] != 0]

    def _go(self) -> None:
        """The answer is there: everybody acts, and the world goes on until the player is asked again."""
        self._crew.act()
        self.batch.step()
        self._advance()
        self._question = self._ask()

    def _advance(self) -> None:
        while not self.over:
            self.beyond = self._step >= self._steps
            if self.beyond or len(self._asked()):
                return
            self._crew.act()
            self.batch.step()

    def _ask(self) -> bytes:
        if self.over:
            result = self.batch.result()
            self._crew.finish(result)
            told = {"steps": result["steps"], "over": result["over"], "metrics": result["metrics"]}
            return write_json(message("finish", self.name, self._step, result={**told, "lost": dict(self._crew.lost)}))
        names, asked = self.batch.simulator.seats, [int(s) for s in self._asked()]
        hello = Hello(self.look.view, self.look.information, self.look.arrays)
        extra: dict[str, Any] = {}
        if self.look.view == "state":
            seen = self.batch.simulator.full(self.batch.state, 0, self.look.information)
            turns = {names[s]: self._crew.turn("array", s)._replace(observation=seen) for s in asked}
            extra = {"record": True} if hasattr(seen, "_asdict") else {}
        else:
            turns = {names[s]: self._crew.turn(self.look.view, s) for s in asked}
        question = write_json({**act_message(self.name, turns, hello), **extra}, self.look.arrays)
        self._since = self._clock()
        return question

    # --- time ------------------------------------------------------------------------------------------------------
    def _timed(self) -> None:
        self.seconds.append(self._clock() - self._since)

    def _late(self) -> None:
        if not self.over and sum(self.seconds) + self._clock() - self._since > self.wall_s:
            self.seconds.append(max(0.0, self.wall_s - sum(self.seconds)))  # what came after that was not waited for
            self._give_up("late", f"the answers took more than {self.wall_s:g} seconds")

    def look_at_clock(self) -> bool:
        """Lose the rest of the episode if its time is up; whether it is over."""
        with self._lock:
            self._late()
            return self.over

    def leave(self) -> None:
        """The player is gone: the rest of its turns is lost."""
        with self._lock:
            if not self.over:
                self._timed()
                self._give_up("late", "the player left")

    def _give_up(self, kind: str, why: str) -> None:
        """The player's remaining turns are lost; the task's own agents go on to the end."""
        self._crew.lose_all(self._at, kind, why)
        while not self.over:
            self._crew.act()
            self.batch.step()
            self.beyond = not self.batch.over[0] and self._step >= self._steps
        self._question = self._ask()

    # --- what stays ------------------------------------------------------------------------------------------------
    def trace(self, agent: str) -> Trace:
        """The episode as data."""
        trace = self.batch.trace()
        trace.header |= {"agent": {"name": agent, "seed": self._seed}, "scenario": self._scenario}
        return trace

    def figures(self) -> dict[str, Any]:
        """What was measured here, and what the player says that it used."""
        used, taken = self._crew.usage, self.seconds
        tokens = {"tokens": used["prompt"] + used["completion"]} if "prompt" in used else {}
        return {
            "episode": self.number, "answers": len(taken), "wall_s": round(sum(taken), 6), "refused": self.refused,
            "mean_s": round(statistics.fmean(taken), 6) if taken else 0.0, "max_s": round(max(taken, default=0.0), 6),
            "lost": dict(sorted(self._crew.lost.items())), "used": {**dict(sorted(used.items())), **tokens},
        }  # fmt: skip
