"""The simulator of the tax economy: the contract over the kernels of `dynamics`."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs.core.frozen import freeze
from ludarium.envs.core.scene import Scene
from ludarium.envs.core.simulator import ArraySimulator, Choice, Out, Role
from ludarium.envs.core.state import Field
from ludarium.envs.econ.tax import (
    bounds,
    coverage,
    dynamics,
    gaming,
    language,
    measures,
    observe,
    population,
    relations,
    scene,
)
from ludarium.envs.econ.tax import state as layout
from ludarium.envs.econ.tax.config import PLATFORMS, SWF, UTILITIES, TaxConfig
from ludarium.envs.econ.tax.generate import Instance, check_total
from ludarium.envs.econ.tax.population import DRAWN, FITTED, gb2_table
from ludarium.envs.econ.tax.reset import reset
from ludarium.envs.econ.taxes import basis_points

__all__ = ["Tax"]


def _wide(shape: tuple[int, ...]) -> spaces.Box:
    """A box of all numbers whose bounds are one number each: of a million workers they would weigh more than the world."""
    box = spaces.Box(-np.inf, np.inf, shape, np.float32)
    for name in ("low", "high", "bounded_below", "bounded_above"):
        bound = getattr(box, name)
        setattr(box, name, np.broadcast_to(bound.flat[0], shape))
    return box


class Tax(ArraySimulator):
    """A planner sets tax rates for a year, workers choose their hours, and taxes are shared out equally."""

    State = layout.State
    turns = "some"
    faults = ("none", "hours", "ballot", "platform", "defer")
    others = {"worker": "best_response", "workers": "best_response"}  # noqa: RUF012

    def __init__(self, config: TaxConfig) -> None:
        self._make(config)
        coverage.warn(self)

    @classmethod
    def _unchecked(cls, config: TaxConfig) -> Tax:
        """A simulator without the start-up check, which needs one itself."""
        made = cls.__new__(cls)
        made._make(config)
        return made

    def _make(self, config: TaxConfig) -> None:
        self.config: TaxConfig = config
        c = config
        kind, scale, shape, nu, tau = c.distribution
        scalars = layout.Scalars(
                workers=c.n_workers, grouped=c.is_grouped, max_steps=c.max_steps, steps_per_year=c.steps_per_year,
                actions=c.actions, choices=c.choices, hour_parts=c.hour_parts, brackets=len(c.edges),
                delta=c.rate_mode == "delta", rate_step=basis_points(c.rate_step), yearly=c.settle == "year",
                utility=UTILITIES.index(c.utility), eta=float(c.eta), d=float(c.d),
                k=0.0 if isinstance(c.k, str) else float(c.k), swf=SWF.index(c.swf), change=c.planner_reward == "change",
                rule=c.rule, candidates=c.candidates, candidacy=c.candidacy, score_levels=c.score_levels,
                ballots=c.ballots, platforms=PLATFORMS, tastes=len(c.taste_scale), drawn=DRAWN.index(c.drawn), kind=kind,
                scale=scale, shape=shape, cents=c.cents, personas=c.personas, gaming=bool(c.gaming), shifts=c.ways[0],
                hides=c.ways[1], pools=c.ways[2], audit=basis_points(c.audit), penalty=round(c.penalty * 10_000),
                ring=c.ring if c.collusion else 1,
        )  # fmt: skip
        self.scalars = freeze(scalars, layout.variant(scalars))
        self.edges = np.array([round(edge * 100) for edge in c.edges], np.int64)
        self.tastes = np.array(c.taste_scale, np.float64)
        first = c.start_rates or (0.5 if c.rate_mode == "delta" else 0.0,) * len(c.edges)
        self.start = np.array([basis_points(rate) for rate in first], np.int64)
        self.table = freeze(gb2_table(nu, tau), FITTED if kind == 0 else "")
        self.roles = (self._planner(), self._workers())
        self.masked = not c.is_grouped

    def _planner(self) -> Role:
        seen = spaces.Box(-np.inf, np.inf, (observe.planner_size(self.scalars),), np.float32)
        rates = spaces.MultiDiscrete(np.full(len(self.edges), self.config.levels))
        return Role("planner", 1, seen, rates, decisions=("rates",))

    def _workers(self) -> Role:
        c, kinds = self.scalars, ("work", "stand", "vote")
        own, shared = observe.own_size(c), observe.shared_size(c)
        if not c.grouped:
            seen = spaces.Box(-np.inf, np.inf, (own + shared,), np.float32)
            return Role("worker", c.workers, seen, spaces.Discrete(c.actions), decisions=kinds)
        together = spaces.Dict(
            own=_wide((c.workers, own)),
            shared=spaces.Box(-np.inf, np.inf, (shared,), np.float32),
        )
        hours = spaces.MultiDiscrete(np.full(c.workers, c.actions, np.int32), dtype=np.int32)
        return Role("workers", 1, together, hours, members=c.workers, decisions=kinds)

    def fields(self) -> tuple[Field, ...]:
        """The layout of the state."""
        return layout.fields(self.scalars)

    # --- instances -------------------------------------------------------------------------------------------------
    def new(self, rows: int) -> Any:
        """Allocate a state; an `array` population is in its rows from the first."""
        state: Any = super().new(rows)
        if self.config.incomes:
            wages = [max(1, min(int(x * self.config.cents + 0.5), population.MAX_WAGE)) for x in self.config.incomes]
            check_total(wages, self.config.hours_max, self.config.max_steps)
            state.wage[:] = wages
        return state

    def instance(self, seed: int) -> Instance:
        """The workers that a seed draws."""
        state = self.new(1)
        self.reset(state, np.ones(1, np.bool_), np.array([seed], np.int64), np.full(1, -1, np.int32))
        return self._instance_of(state, 0)

    def _instance_of(self, state: layout.State, row: int) -> Instance:
        return Instance(tuple(state.wage[row].tolist()), tuple(map(tuple, state.person[row].tolist())))

    def load(self, state: layout.State, row: int, instance: Any) -> None:
        """Put an `Instance` (or its JSON form) into a row."""
        given = instance if isinstance(instance, Instance) else Instance.from_data(instance)
        given.validate(self.config.n_workers, len(self.tastes), self.config.personas)
        check_total(given.wages, self.config.hours_max, self.config.max_steps)
        state.wage[row] = given.wages
        if self.config.personas:
            state.person[row] = given.people

    def instance_hash(self, state: layout.State, row: int) -> str:
        """The hash of workers that were loaded; the seed says all of the others."""
        return self._instance_of(state, row).hash if state.inst[row] == layout.LOADED else ""

    # --- reset and step --------------------------------------------------------------------------------------------
    def reset(self, state: Any, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
        """Begin episodes in the rows of `which`."""
        reset(
            state, self.scalars, self.edges, self.start, self.tastes, self.config.standard_hours, self.table, which, seeds,
            slots,
        )  # fmt: skip

    def asked(self, state: Any, out: NDArray[np.int8]) -> None:
        """The planner for rates; workers to stand, to vote, to work."""
        dynamics.asked(state, self.scalars, out)

    def _by_worker(self, actions: Any) -> NDArray[np.int64]:
        """The workers' actions, int64[B, N]: of a grouped seat without its own axis."""
        given: NDArray[np.int64] = actions[:, 0] if self.scalars.grouped else actions
        return given

    def check(self, state: Any, actions: tuple[Any, ...], fault: NDArray[np.int16]) -> None:
        """Find the actions without effect."""
        dynamics.check(state, self.scalars, self._by_worker(actions[1]), fault)
        if self.scalars.gaming:
            gaming.check(state, self.scalars, self._by_worker(actions[1]), fault)

    def step(self, state: Any, actions: tuple[Any, ...], out: Out) -> None:
        """Advance every row."""
        work = self._by_worker(actions[1])
        voting = state.phase < layout.RATES if self.scalars.rule >= 0 else np.zeros(len(state.t), np.bool_)
        hours = work
        if self.scalars.gaming:
            gaming.declare(state, self.scalars, self.edges, work, out.fault)
            hours = state.wanted
        dynamics.step(state, self.scalars, self.edges, actions[0][:, 0], hours, *out, voting)
        if self.scalars.rule >= 0:
            dynamics.hold_votes(state, self.scalars, work, *out, voting)

    # --- views -----------------------------------------------------------------------------------------------------
    def observe(self, state: Any, role: int, seats: NDArray[np.int32], out: Any) -> None:
        """Write what the listed seats see."""
        if role == 0:
            observe.see_planner(state, self.scalars, seats, out)
        elif self.scalars.grouped:
            observe.see_group(state, self.scalars, self.edges, seats, out["own"], out["shared"])
        else:
            observe.see_workers(state, self.scalars, self.edges, seats, out)

    def action_mask(self, state: Any, role: int, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
        """Write the workers' actions that mean something now."""
        observe.masks(state, self.scalars, seats, out)

    def full(self, state: Any, row: int, information: str = "full") -> dict[str, Any]:
        """All there is, as copies: see `measures.view`. Nothing is drawn later but slates and ties."""
        return measures.view(self, state, row)

    # --- figures ---------------------------------------------------------------------------------------------------
    def metrics(self, state: Any) -> dict[str, NDArray[Any]]:
        """Figures of the episode so far."""
        return measures.metrics(self, state)

    def summary(self, state: Any, row: int) -> dict[str, Any]:
        """The metrics of one row, with those that are dear: gap and regret, the elasticity, votes."""
        return {**super().summary(state, row), **measures.rare(self, state, row)}

    def bounds(self, state: Any, row: int) -> dict[str, float]:
        """The most welfare and income there can be."""
        return bounds.bounds(self, state, row)

    def invariants(self, state: Any) -> dict[str, NDArray[np.bool_]]:
        """What no step may break."""
        return measures.invariants(self, state)

    def relations(self) -> tuple[relations.Relation, ...]:
        """Workers in another order; every worker twice."""
        return relations.of(self)

    # --- language and picture --------------------------------------------------------------------------------------
    def rules(self) -> str:
        """The rules in words."""
        return language.rules(self)

    def describe(self, state: Any, row: int, seat: int) -> str:
        """What a seat sees, in words."""
        return language.describe(self, state, row, seat)

    def menu(self, state: Any, row: int, seat: int) -> list[Choice] | None:
        """The legal choices, where they can be listed."""
        return language.menu(self, state, row, seat)

    def tools(self, state: Any, row: int, seat: int) -> tuple[dict[str, Any], ...] | None:
        """`set_rates`, `work`, `stand`, `vote`."""
        return language.tools(self, state, row, seat)

    def tool_action(self, state: Any, row: int, seat: int, name: str, arguments: dict[str, Any]) -> Any:
        """The action that a call means."""
        return language.tool_action(self, state, row, seat, name, arguments)

    def explain(self, state: Any, row: int, seat: int, action: Any, code: int) -> str:
        """Why an action had no effect."""
        return language.explain(self, state, row, seat, action, code)

    def scene(self, state: Any, row: int) -> Scene:
        """The picture of a row."""
        return scene.scene(self, state, row)

    @functools.cached_property
    def covered(self) -> coverage.Coverage:
        """The start-up check: which brackets untaxed workers reach, and how many stand at a corner."""
        return coverage.coverage(self)
