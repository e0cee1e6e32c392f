"""One episode of a run: the unit of work, how it is played, and the row that it leaves."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ludarium.agents.contract import Agent
from ludarium.agents.crew import shared_out
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import AgentError, AgentFailedError, RunError, ScenarioError, TraceError, did_you_mean
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.core.trace import Trace
from ludarium.leaderboards.guarded import Guarded
from ludarium.leaderboards.talk import save_transcript
from ludarium.scenarios.loader import Case, Scenario, file_hash

__all__ = [
    "Played",
    "Unit",
    "agent_seed",
    "begin",
    "bounds_of",
    "check_agent",
    "check_case",
    "play",
    "save",
    "with_bounds",
]


class Unit(NamedTuple):
    """One agent in one case, by episode seed and trial."""

    agent: str
    folder: str
    """The name of the agent's folder under `traces/`."""
    case: str
    seed: int
    trial: int

    @property
    def trace(self) -> str:
        """Where the trace lies, relative to the run."""
        return f"traces/{self.folder}/{self.case}-{self.seed}-{self.trial}.trace"

    @property
    def transcript(self) -> str:
        """Where the transcript lies, relative to the run, if there is one."""
        return f"transcripts/{self.folder}/{self.case}-{self.seed}-{self.trial}.jsonl"

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What tells it from every other unit of the run."""
        return self.agent, self.case, self.seed, self.trial


class Played(NamedTuple):
    """An episode that was played to its end."""

    trace: Trace
    row: dict[str, Any]
    """What must repeat, without the trace's place and hash."""
    timing: dict[str, Any]
    """What cannot repeat: clocks and costs."""
    transcript: list[dict[str, Any]]
    """What was said with language models, a call a row."""


def agent_seed(scenario: Scenario, case: str, seed: int, trial: int) -> int:
    """The agent's own seed (53 bits): equal for all agents, different for every episode and trial."""
    text = f"{scenario.name}/{scenario.version}/{case}/{seed}/{trial}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 11


def check_agent(name: str, scenario: Scenario, allow_code: bool = True) -> Agent:
    """Make an agent once, to see that it exists, can be asked and may know what it needs; `AgentError` otherwise.

    Who calls this closes it.
    """
    agent = make_agent(name, allow_code)
    getattr(agent, "ready", lambda: None)()
    if scenario.information == "local" and agent.view == "state":
        raise AgentError(
            f"agent {name!r} needs the view 'state'; scenario {scenario.name!r} permits local information only"
        )
    return agent


def bounds_of(batch: Batch) -> dict[str, float]:
    """What no agent can pass in the episode of a batch of one, by metric; follows from the instance alone."""
    return {name: float(value) for name, value in sorted(batch.simulator.bounds(batch.state, 0).items())}


def with_bounds(metrics: dict[str, Any], bounds: dict[str, float]) -> dict[str, Any]:
    """The metrics, and for each that has a bound above 0 its ratio to it as `<metric>_of_bound`."""
    ratios = {
        f"{name}_of_bound": metrics[name] / bound for name, bound in bounds.items() if bound > 0 and name in metrics
    }
    return {**metrics, **ratios}


def begin(scenario: Scenario, case: Case, seed: int, batch: Batch | None = None) -> Batch:
    """A batch of one at the beginning of an episode of a case; `batch` is one of the same case to use again."""
    if batch is None:
        batch = Batch(make_simulator(scenario.environment, **case.config), 1, scenario.environment)
    one = np.ones(1, np.bool_)
    batch.seed(one, [seed])
    batch.reset(one, None if case.instance is None else {0: case.instance})
    return batch


def check_case(scenario: Scenario, case: Case, seed: int, agent: Agent) -> Batch:
    """Begin an episode, to see that the case, its instance, the default action and the agent's view fit together."""
    batch = begin(scenario, case, seed)
    known = {**with_bounds(batch.result()["metrics"], bounds_of(batch)), **batch.simulator.review(batch.trace())}
    for name in scenario.metrics:
        if name not in known:
            raise ScenarioError(f"scenario {scenario.name!r}: unknown metric {name!r}{did_you_mean(name, known)}")
    _check_seats(scenario, batch)
    Guarded(batch, _crew(batch, agent, scenario), information=scenario.information, default=scenario.default_action)
    return batch


def _check_seats(scenario: Scenario, batch: Batch) -> None:
    """The roles that the scenario gives away are there, and one is left for the agent."""
    roles = [role.name for role in batch.simulator.roles]
    for role in scenario.seats:
        if role not in roles:
            raise ScenarioError(f"scenario {scenario.name!r} seats an agent as {role!r}{did_you_mean(role, roles)}")
    if set(roles) <= {*batch.simulator.others, *scenario.seats}:
        raise ScenarioError(
            f"scenario {scenario.name!r} seats agents in all roles: none is left for the one to measure"
        )


def _crew(batch: Batch, agent: Agent, scenario: Scenario) -> list[tuple[Agent, tuple[str, ...]]]:
    """The agent in all seats but those of roles that belong to the task or that the scenario fills."""
    shares = shared_out(batch.simulator, "", batch.simulator.seats, scenario.seats)
    return [(make_agent(name) if name else agent, seats) for name, seats in shares]


def play(scenario: Scenario, unit: Unit, broken: str = "", limit: float = 0.0) -> Played:
    """Play an episode to its end; with `broken` (a reason) the agent is not called and every turn is lost.

    After `limit` seconds (0: none) all further turns are lost; a turn that has begun is waited for.
    """
    case = scenario.case(unit.case)
    batch = begin(scenario, case, unit.seed)
    agent, broken = _agent_of(unit, broken, batch)
    clock = time.thread_time if getattr(agent, "waits", False) else time.process_time
    wall, cpu = time.perf_counter(), clock()
    crew = Guarded(
        batch,
        _crew(batch, agent, scenario),
        information=scenario.information,
        default=scenario.default_action,
        broken=broken,
    )
    own = agent_seed(scenario, unit.case, unit.seed, unit.trial)
    bounds = bounds_of(batch)
    crew.start(own)
    while not batch.over[0]:
        if limit and time.perf_counter() - wall > limit:
            crew.give_up("late")
        crew.act()
        batch.step()
    crew.finish(batch.result())
    transcript = crew.transcripts()
    trace = batch.trace()
    trace.header["agent"] = {"name": unit.agent, "seed": own}
    trace.header["scenario"] = {
        "name": scenario.name, "version": scenario.version, "hash": scenario.hash, "case": unit.case, "trial": unit.trial,
    }  # fmt: skip
    timing = {**_names(unit), "wall_s": round(time.perf_counter() - wall, 6), "cpu_s": round(clock() - cpu, 6)}
    if crew.usage:
        timing["usage"] = dict(sorted(crew.usage.items()))
    row = _row(unit, own, trace, bounds, crew)
    review = batch.simulator.review(trace)
    return Played(trace, {**row, "review": review} if review else row, timing, transcript)


def _agent_of(unit: Unit, broken: str, batch: Batch) -> tuple[Agent, str]:
    """The unit's agent; one that is not to be called, and fits every world, where that one is broken or out of reach."""
    if not broken:
        try:
            agent = make_agent(unit.agent)
            getattr(agent, "ready", lambda: None)()
            return agent, ""
        except AgentFailedError:
            broken = "start"
    nobody = Agent()
    nobody.view = batch.simulator.views[0]
    return nobody, broken


def _names(unit: Unit) -> dict[str, Any]:
    return dict(zip(("agent", "case", "seed", "trial"), unit.key, strict=True))


def _row(unit: Unit, own: int, trace: Trace, bounds: dict[str, float], crew: Guarded) -> dict[str, Any]:
    return {
        **_names(unit),
        "agent_seed": own,
        "steps": trace.steps,
        "metrics": trace.result["metrics"],
        "bounds": bounds,
        "digest": trace.digest,
        "turns_lost": sum(crew.lost.values()),
        "faults": dict(sorted(crew.lost.items())),
    }


def save(played: Played, unit: Unit, root: Path) -> dict[str, Any]:
    """Write transcript and trace, whole or not at all and through to the disk; return the row that says so.

    `RunError` if the disk is full.
    """
    try:
        if played.transcript:
            save_transcript(root / unit.transcript, played.transcript)
        path = played.trace.save(root / unit.trace)
    except (TraceError, OSError) as error:
        raise RunError(f"{error}; finished episodes are safe: make room, then go on with --resume") from error
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return {**played.row, "trace": unit.trace, "trace_hash": file_hash(path)}
