"""Playing by hand: a person is an agent in a seat, and the trace holds everybody's actions."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ludarium.agents.contract import Agent, Turn
from ludarium.agents.crew import Crew, shared_out
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import ActionError, AgentError, NotClaimedError, did_you_mean
from ludarium.envs.core.language import parse
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.core.trace import Trace

__all__ = ["Desk", "play"]


class Desk(Protocol):
    """Where a person sits: shows the world, and takes a command."""

    def show(self, batch: Batch, seat: int | None) -> None:
        """Show the world as it is now."""

    def ask(self, commands: tuple[str, ...] | None) -> str | None:
        """A command; None when the person has left."""

    def say(self, text: str) -> None:
        """A sentence, such as why a command cannot be."""


class _Left(Exception):
    """The person has left."""


class _Person(Agent):
    view = "text"

    def __init__(self, desk: Desk, batch: Batch, seat: int) -> None:
        self._desk, self._batch, self._seat = desk, batch, seat

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """Ask until a command means an action."""
        ((name, turn),) = turns.items()
        batch, seat = self._batch, self._seat
        self._desk.show(batch, seat)
        if batch.out.fault[0, seat]:
            code = int(batch.out.fault[0, seat])
            self._desk.say(f"your last action had no effect: {batch.simulator.faults[code]}")
        while True:
            text = self._desk.ask(turn.commands)
            if text is None:
                raise _Left
            try:
                return {name: parse(batch.simulator, batch.state, 0, seat, text)}
            except ActionError as error:
                self._desk.say(str(error))


def play(environment: str, options: dict[str, Any], seat: str | None, agent: str, seed: int, desk: Desk) -> Trace:
    """Play an episode with a person in `seat` (None: the first; "none": nobody) and `agent` in the others.

    The trace ends where the person leaves. `AgentError` for a seat or an agent that does not exist.
    """
    simulator = make_simulator(environment, **options)
    batch = Batch(simulator, 1, environment.split(":")[-1])
    one = np.ones(1, np.bool_)
    batch.seed(one, [seed])
    batch.reset(one)
    seats = simulator.seats
    own = None if seat == "none" else seats[0] if seat is None else seat
    if own is not None and own not in seats:
        raise AgentError(f"no seat {own!r}{did_you_mean(own, [*seats[:200], 'none'])}")
    crew_list: list[tuple[Agent, tuple[str, ...]]] = []
    others = tuple(name for name in seats if name != own)
    if others:
        named = shared_out(simulator, agent, others)
        crew_list += [(make_agent(name), seats) for name, seats in named]
    if own is not None:
        if "text" not in simulator.views:
            raise NotClaimedError(f"{environment} does not offer the view 'text', which a person needs")
        crew_list.append((_Person(desk, batch, seats.index(own)), (own,)))
    crew = Crew(batch, crew_list)
    crew.start(seed)
    try:
        while not batch.over[0]:
            if own is None:
                desk.show(batch, None)
            crew.act()
            batch.step()
    except (_Left, KeyboardInterrupt):
        desk.say("you left; the episode ends here")
    desk.show(batch, seats.index(own) if own is not None else None)
    return batch.trace()
