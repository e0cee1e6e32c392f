"""What a server offers: one world (or the cases of a scenario), from one seat, with named agents in the others."""

from __future__ import annotations

import itertools
import secrets
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import ConfigError, NotClaimedError, did_you_mean
from ludarium.envs.core.registry import make_simulator, world
from ludarium.leaderboards.serve.episodes import Episode
from ludarium.leaderboards.serve.messages import ServeError
from ludarium.scenarios.loader import Case, Scenario, load, scenario_names

__all__ = ["Offer", "Served", "Task"]

VIEWS = ("text", "array")


@dataclass(frozen=True)
class Offer:
    """What is served, as the command line says it."""

    name: str
    """An environment's id, a scenario's name, or a scenario file."""
    config: dict[str, Any] = field(default_factory=dict)
    seat: str | None = None
    """The client's seat; None: the first of a role that is not the task's own."""
    others: str | None = None
    """The agent in the other seats; None: a role's own, else `random`."""
    view: str = "text"
    commands: bool = True
    """Whether observations list the legal commands."""
    ranked: bool = False
    """Episodes are drawn by the server, each is played once and to its end, and no seed is told."""
    split: str | None = None
    """Of a scenario, the split that is ranked."""
    traces: Path | None = None
    """The folder for the traces of finished episodes."""


class Task(NamedTuple):
    """One episode that a scenario holds."""

    split: str
    place: int
    case: str
    seed: int
    trial: int = 0

    def as_data(self) -> dict[str, Any]:
        """As the task API tells it."""
        return {"split": self.split, "index": self.place, "case": self.case, "seed": self.seed}


class Served:
    """The world of an offer: checks all of it when it is made, and hands out what sessions play."""

    def __init__(self, offer: Offer) -> None:
        self.offer = offer
        self.scenario = self._scenario()
        if self.scenario and offer.config:
            raise ConfigError(f"scenario {offer.name!r} says the config itself; leave --config out")
        self.id = self.scenario.environment if self.scenario else offer.name.split(":")[-1]
        self._cases = self.scenario.cases if self.scenario else (Case("", dict(offer.config), {}),)
        self.summary = self.scenario.summary if self.scenario else world(offer.name).summary
        if offer.view not in VIEWS:
            raise ConfigError(f"--view {offer.view!r}{did_you_mean(offer.view, VIEWS)}")
        if offer.split is not None and offer.split not in self.splits:
            raise ConfigError(f"--split {offer.split!r}{did_you_mean(offer.split, self.splits)}")
        self._lock = threading.Lock()
        self.writing = threading.Lock()
        """Held by whoever adds a line to the list of finished episodes."""
        self._ranked = self._ranked_tasks()
        self._numbers = itertools.count(1)
        first = self.episode("")  # which compiles, and finds every mistake in the offer
        first.begin(0)
        simulator = first.simulator
        self.rules, self.seats, self.max_steps = simulator.rules(), simulator.seats, int(simulator.config.max_steps)
        self.seat, self.action_space = first.seat, first.space
        self.verbs = simulator.verbs()
        """The verbs of the menus, with the names of their arguments; None where the world has tools of its own."""
        self.tools = simulator.tools(first.batch.state, 0, first.number)

    def _scenario(self) -> Scenario | None:
        name = self.offer.name
        return load(name) if name in scenario_names() or name.endswith(".toml") else None

    @property
    def rules_uri(self) -> str:
        """The address of the rules as a resource."""
        return f"env://{self.id}/rules"

    # --- tasks -----------------------------------------------------------------------------------------------------
    @property
    def splits(self) -> tuple[str, ...]:
        """The scenario's splits; none for a bare world."""
        return self.scenario.splits if self.scenario else ()

    def num_tasks(self, split: str) -> int:
        """How many episodes a split holds."""
        if split not in self.splits:
            raise ServeError(
                "VALIDATION_ERROR", f"no split {split!r:.80}; there are {', '.join(self.splits) or 'none'}"
            )
        return sum(len(case.splits[split]) for case in self._cases)

    def task(self, split: str, index: int) -> Task:
        """One episode of a split, case by case in the scenario's order."""
        total, rest = self.num_tasks(split), index
        if not 0 <= index < total:
            raise ServeError("VALIDATION_ERROR", f"no task {index} in {split!r}; expected 0 to {total - 1}")
        for case in self._cases:
            if rest < len(case.splits[split]):
                return Task(split, index, case.name, case.splits[split][rest])
            rest -= len(case.splits[split])
        raise AssertionError("the sizes of the cases add up to the number of tasks")

    def _ranked_tasks(self) -> Any:
        """The episodes of a ranked server, each once; without a scenario, seeds that nobody can foresee, without end."""
        scenario = self.scenario
        if scenario is None:
            return (Task("", n, "", secrets.randbelow(2**53)) for n in itertools.count())
        split = self.offer.split or scenario.default_split
        found = (self.task(split, n) for n in range(self.num_tasks(split)))
        return (task._replace(trial=trial) for task in found for trial in range(scenario.trials))

    def draw(self) -> Task:
        """The next ranked episode; `ServeError` when all have been handed out."""
        with self._lock:
            task = next(self._ranked, None)
        if task is None:
            raise ServeError("NO_TASKS_LEFT", "every episode of this ranked server has been handed out")
        return task

    def number(self) -> int:
        """A number for the next trace."""
        with self._lock:
            return next(self._numbers)

    # --- episodes --------------------------------------------------------------------------------------------------
    def episode(self, case: str) -> Episode:
        """Where the episodes of a case are played, one after another ("": the first case)."""
        offer, scenario = self.offer, self.scenario
        chosen = scenario.case(case) if scenario and case else self._cases[0]
        simulator = make_simulator(scenario.environment if scenario else offer.name, **chosen.config)
        if offer.view not in simulator.views:
            raise NotClaimedError(f"{self.id} does not offer the view {offer.view!r}")
        return Episode(
            Batch(simulator, 1, self.id),
            chosen.instance,
            seat=offer.seat,
            others=offer.others,
            view=offer.view,
            commands=offer.commands,
            information=scenario.information if scenario else "full",
            default=scenario.default_action if scenario else None,
            forfeit=offer.ranked,
        )
