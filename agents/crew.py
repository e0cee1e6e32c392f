"""A crew: agents in the seats of one row of a batch, asked in turn, whose answers become the row's actions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from ludarium.agents.contract import Agent, Decision, GroupAgent, Task, Turn
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.buffers import is_numeric, seat_of
from ludarium.envs.core.errors import ActionError, AgentError
from ludarium.envs.core.language import commands, parse, parse_tool, tools
from ludarium.envs.core.simulator import Simulator

__all__ = ["Crew", "lowest_action", "shared_out", "task_of"]


def task_of(batch: Batch, information: str = "full", budgets: dict[str, int] | None = None) -> Task:
    """What agents are told of a batch's world."""
    simulator = batch.simulator
    return Task(
        id=batch.world,
        config=simulator.config.as_dict(),
        rules=simulator.rules(),
        observation_spaces={role.name: role.observation_space for role in simulator.roles},
        action_spaces={role.name: role.action_space for role in simulator.roles},
        seats=simulator.seats,
        max_steps=simulator.config.max_steps,
        information=information,
        budgets=budgets or {},
    )


def shared_out(
    simulator: Simulator, name: str, seats: Sequence[str], roles: Mapping[str, str] | None = None
) -> list[tuple[str, tuple[str, ...]]]:
    """Who fills which of some seats: `name`, but for roles that belong to the task, which their own agents fill.

    `roles` names agents for roles, before those of the world.
    """
    own = {**simulator.others, **(roles or {})}
    found: dict[str, list[str]] = {}
    for seat in seats:
        found.setdefault(own.get(seat.rsplit("_", 1)[0], name), []).append(seat)
    return [(agent, tuple(own)) for agent, own in found.items()]


def lowest_action(space: spaces.Space[Any]) -> Any:
    """The lowest action of a space: what is taken for an agent that has none, where no scenario names a default."""
    if isinstance(space, spaces.Discrete):
        return int(space.start)
    if isinstance(space, spaces.MultiDiscrete):
        return np.asarray(space.start)
    if isinstance(space, spaces.MultiBinary):
        return np.zeros(space.shape, np.int64)
    if isinstance(space, spaces.Box):
        return np.clip(np.zeros(space.shape, space.dtype), space.low, space.high)
    return "" if space.contains("") else None


class Crew:
    """Fills seats of row `row` with agents: `agents` maps each agent to the seats that it fills."""

    def __init__(
        self,
        batch: Batch,
        agents: Sequence[tuple[Agent, Sequence[str]]],
        *,
        row: int = 0,
        information: str = "full",
    ) -> None:
        self.batch, self.row = batch, row
        numbers = {name: s for s, name in enumerate(batch.simulator.seats)}
        for agent, seats in agents:
            unknown = [seat for seat in seats if seat not in numbers]
            if unknown:
                raise AgentError(f"no seat {unknown[0]!r}; this world's seats are {batch.simulator.seats[0]} to "
                                 f"{batch.simulator.seats[-1]}")  # fmt: skip
            if agent.view not in batch.simulator.views:
                raise AgentError(f"{type(agent).__name__} wants the view {agent.view!r}; this world offers "
                                 f"{', '.join(batch.simulator.views)}")  # fmt: skip
        self.agents = [(agent, tuple(seats), np.array([numbers[seat] for seat in seats])) for agent, seats in agents]
        self.task = task_of(batch, information)
        self.usage: Counter[str] = Counter()
        """What the decisions cost, summed: tokens, calls, money."""

    def start(self, seed: int) -> None:
        """Begin an episode."""
        for agent, seats, _ in self.agents:
            agent.start(self.task, seats, seed)

    def finish(self, result: Mapping[str, Any]) -> None:
        """Tell all agents the result."""
        for agent, _, _ in self.agents:
            agent.finish(dict(result))

    def act(self) -> None:
        """Ask everybody whom the world waits for, and put the actions into the row's buffers."""
        for agent, seats, numbers in self.agents:
            asked = numbers[self.batch.asked[self.row, numbers] != 0]
            if not len(asked):
                continue
            if isinstance(agent, GroupAgent) and len(self.batch.simulator.roles) == 1:
                self._put_group(agent.act_group(self._group_turn(agent)), asked, agent)
            else:
                self._put_each(agent, seats, asked)

    def _group_turn(self, agent: Agent) -> Turn:
        information = min((self.task.information, agent.information), key=("local", "global", "full").index)
        view = self.batch.simulator.full(self.batch.state, self.row, information)
        return Turn(view, step=int(self.batch.t[self.row]))

    def _put_group(self, actions: Any, asked: Any, agent: Agent) -> None:
        target = self.batch.actions[0][self.row]
        given = np.asarray(actions)
        if given.shape != target.shape or given.dtype.kind not in "iu":
            raise AgentError(
                f"{type(agent).__name__} returned {given.dtype} of shape {given.shape}; expected {target.shape}"
            )
        target[asked] = given[asked]

    def _put_each(self, agent: Agent, seats: tuple[str, ...], asked: Any) -> None:
        simulator = self.batch.simulator
        # the view of all that is the case is one for all seats: of 10,000 workers it would be made 10,000 times
        seen = simulator.full(self.batch.state, self.row, self.task.information) if agent.view == "state" else None
        turns = {simulator.seats[s]: self.turn(agent.view, int(s), seen) for s in asked}
        answers = agent.act(turns)
        for seat, s in zip(turns, asked, strict=True):
            if not isinstance(answers, Mapping) or seat not in answers:
                raise AgentError(f"{type(agent).__name__} returned no action for {seat}")
            self.put(int(s), answers[seat])

    def turn(self, view: str, seat: int, seen: Any = None) -> Turn:
        """What a seat is told now, in the form that an agent wants; `seen` is the view `state`, where it is at hand."""
        batch, row = self.batch, self.row
        r = int(np.searchsorted(batch.simulator.offsets, seat, side="right")) - 1
        i = seat - batch.simulator.offsets[r]
        mask = batch.masks[r]
        words = view in ("text", "tools")
        if view == "array":
            observation = seat_of(batch.observed[r], row, i)
        elif view == "state":
            observation = batch.simulator.full(batch.state, row, self.task.information) if seen is None else seen
        elif view == "picture":
            observation = batch.simulator.scene(batch.state, row)
        else:
            observation = batch.simulator.describe(batch.state, row, seat)
        return Turn(
            observation,
            None if mask is None else mask[row, i].copy(),
            commands(batch.simulator, batch.state, row, seat) if words else None,
            tools(batch.simulator, batch.state, row, seat) if view == "tools" else None,
            float(batch.out.reward[row, seat]),
            bool(batch.out.terminated[row, seat]),
            bool(batch.out.truncated[row]),
            int(batch.t[row]),
        )

    def put(self, seat: int, answer: Any) -> None:
        """Put one seat's answer (an action, words, a tool call, or a `Decision`) into the buffers; note what led to it."""
        batch, row = self.batch, self.row
        r = int(np.searchsorted(batch.simulator.offsets, seat, side="right")) - 1
        i = seat - batch.simulator.offsets[r]
        decision = answer if isinstance(answer, Decision) else Decision(answer)
        action, space = decision.action, batch.simulator.roles[r].action_space
        if decision.status == "fallback":
            action = lowest_action(space)
        self.usage.update(decision.usage)
        if isinstance(action, str) and (is_numeric(space) or not space.contains(action)):
            action = parse(batch.simulator, batch.state, row, seat, action)
        elif isinstance(action, Mapping) and "name" in action and (is_numeric(space) or not space.contains(action)):
            action = parse_tool(batch.simulator, batch.state, row, seat, action["name"], action.get("arguments", {}))
        if decision.raw is not None or decision.status != "ok":
            note = {"t": int(batch.t[row]), "seat": batch.simulator.seats[seat], "status": decision.status}
            batch.events[row].append(
                {**note, "raw": decision.raw, "subgoal": decision.subgoal, "control": decision.control}
            )
        if isinstance(batch.actions[r], np.ndarray):
            given = np.asarray(action)
            if given.shape != batch.actions[r].shape[2:] or given.dtype.kind not in "iuf":
                raise ActionError(f"{batch.simulator.seats[seat]}: {action!r:.200} is no action; expected {space}")
            if given.dtype.kind == "f" and batch.actions[r].dtype.kind in "iu":
                raise ActionError(f"{batch.simulator.seats[seat]}: {action!r:.200} is no integer; expected {space}")
            batch.actions[r][row, i] = given
        else:
            batch.actions[r][row][i] = action
