"""The simulator of the commons: the contract over the kernels of `dynamics`."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs.core.frozen import freeze
from ludarium.envs.core.laws.relations import Relation
from ludarium.envs.core.scene import Scene
from ludarium.envs.core.simulator import ArraySimulator, Choice, Out, Role
from ludarium.envs.core.state import Field
from ludarium.envs.econ.commons import dynamics, figures, generate, language, observe, relations, rounds, scene, tools
from ludarium.envs.econ.commons.config import REVEALS, SCORE_LEVELS, CommonsConfig
from ludarium.envs.econ.commons.generate import Instance

__all__ = ["Commons"]

_NO_RULE = np.zeros((1, 1, 4), np.int64)


class Commons(ArraySimulator):
    """Harvesters share a resource that grows back: they may pledge, talk, vote on a quota, punish, and be governed."""

    State = dynamics.State
    faults = dynamics.FAULTS
    turns = "some"

    def __init__(self, config: CommonsConfig) -> None:
        self.config: CommonsConfig = config
        c = config
        plain = not (c.governed or c.pledges or c.utterances or c.punishment or c.lottery)
        if plain and not c.newcomer:
            self.__dict__["turns"] = "all"
        self.scalars = freeze(_scalars(c), dynamics.PLAIN if plain else "")
        self.masked = not c.words and not plain
        self.roles = self._roles()
        self.names = tuple(observe.names(c, own) for own in (True, False))
        """what each number of a harvester's and of the governor's observation is"""

    def _roles(self) -> tuple[Role, ...]:
        c = self.config
        own, public = (
            spaces.Box(-np.inf, np.inf, (len(observe.names(c, mine)),), np.float32) for mine in (True, False)
        )
        act: spaces.Space[Any] = spaces.Discrete(c.actions)
        if c.words:
            act = spaces.MultiDiscrete([c.actions, *[256] * c.words])
        kinds = ("harvest", "pledge", "speak", "vote", "punish")
        found = [Role("harvester", c.num_harvesters, own, act, decisions=kinds)]
        if c.governor:
            rule = spaces.MultiDiscrete([c.cap + 3, 11, 11, 12])
            found.append(Role("governor", 1, public, rule, decisions=("govern",)))
        return tuple(found)

    def fields(self) -> tuple[Field, ...]:
        """The layout of the state."""
        return dynamics.fields(self.scalars)

    # --- instances -------------------------------------------------------------------------------------------------
    def instance(self, seed: int) -> Instance:
        """The instance that a seed draws."""
        state = self.new(1)
        self.reset(state, np.ones(1, np.bool_), np.array([seed], np.int64), np.full(1, -1, np.int32))
        return self._instance_of(state, 0)

    def _instance_of(self, state: Any, row: int) -> Instance:
        return Instance(int(state.first[row]), tuple(state.name[row].tolist()))

    def load(self, state: Any, row: int, instance: Any) -> None:
        """Put an `Instance` (or its JSON form) into a row."""
        given = instance if isinstance(instance, Instance) else Instance.from_data(instance)
        given.validate(self.config)
        state.first[row] = given.stock
        state.name[row] = given.names

    def instance_hash(self, state: Any, row: int) -> str:
        """The hash of an instance that was loaded; the seed says all of the others."""
        return self._instance_of(state, row).hash if state.inst[row] == generate.LOADED else ""

    # --- reset and step --------------------------------------------------------------------------------------------
    def reset(self, state: Any, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
        """Begin episodes in the rows of `which`."""
        generate.reset(state, self.scalars, which, seeds, slots)

    def asked(self, state: Any, out: NDArray[np.int8]) -> None:
        """All who take part, the speaker, or the governor."""
        dynamics.asked(state, self.scalars, out)

    def check(self, state: Any, actions: tuple[Any, ...], fault: NDArray[np.int16]) -> None:
        """Find the faults by taking the step in a copy."""
        rows, seats = len(state.t), len(self.seats)
        twin = self.new(rows)
        for field, source in zip(twin, state, strict=True):
            field[...] = source
        out = Out(
            np.zeros((rows, seats)), np.zeros((rows, seats), np.bool_), np.zeros(rows, np.bool_),
            np.zeros((rows, seats), np.int16),
        )  # fmt: skip
        self.step(twin, actions, out)
        fault[...] = out.fault

    def step(self, state: Any, actions: tuple[Any, ...], out: Out) -> None:
        """Advance every row."""
        act = actions[0].reshape(len(state.t), self.config.num_harvesters, -1)
        rule = actions[1] if self.config.governor else _NO_RULE
        if self.scalars.rule >= 0:
            rounds.hold_votes(state, self.scalars, act)
        rounds.step(state, self.scalars, act, rule, *out)

    # --- views -----------------------------------------------------------------------------------------------------
    def observe(self, state: Any, role: int, seats: NDArray[np.int32], out: Any) -> None:
        """Write what the listed seats see."""
        observe.see(state, self.scalars, role == 0, seats, out)

    def action_mask(self, state: Any, role: int, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
        """Write the harvesters' choices of this phase."""
        observe.mask(state, self.scalars, seats, out)

    def extras(self, state: Any) -> dict[str, NDArray[Any]]:
        """The last message of each harvester in bytes, where there is free text."""
        return {"spoken": state.spoken} if self.config.words else {}

    def full(self, state: Any, row: int, information: str = "full") -> dict[str, Any]:
        """All there is: see `figures.full`."""
        return figures.full(self, state, row, information)

    # --- figures ---------------------------------------------------------------------------------------------------
    def metrics(self, state: Any) -> dict[str, NDArray[Any]]:
        """Figures of the episode so far."""
        return figures.metrics(self, state)

    def bounds(self, state: Any, row: int) -> dict[str, float]:
        """The most that all together could have harvested, had they known of every shock."""
        return figures.bounds(self, state, row)

    def invariants(self, state: Any) -> dict[str, NDArray[np.bool_]]:
        """What no step may break."""
        return figures.invariants(self, state)

    def relations(self) -> tuple[Relation, ...]:
        """Harvesters relabelled; other words for the same harvests."""
        return relations.relations(self.config)

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

    def in_words(self, state: Any, row: int, seat: int, action: Any) -> str:
        """A message, or the governor's rules."""
        return language.in_words(self, state, row, seat, action)

    def tools(self, state: Any, row: int, seat: int) -> tuple[dict[str, Any], ...] | None:
        """The tool of the phase: `harvest`, `pledge`, `say`, `vote`, `punish`, `govern`."""
        return tools.tools(self, state, row, seat)

    def tool_action(self, state: Any, row: int, seat: int, name: str, arguments: dict[str, Any]) -> Any:
        """The action that a call means."""
        return tools.tool_action(self, state, row, seat, name, arguments)

    def explain(self, state: Any, row: int, seat: int, action: Any, code: int) -> str:
        """Why an action had no effect."""
        return language.explain(self, state, row, seat, action, code)

    def scene(self, state: Any, row: int) -> Scene:
        """The picture of a row."""
        return scene.scene(self, state, row)


def _scalars(config: CommonsConfig) -> dynamics.Scalars:
    """What the kernels read of a config."""
    c = config
    return dynamics.Scalars(
        harvesters=c.num_harvesters, governor=int(c.governor), max_steps=c.max_steps, rounds=c.rounds, cap=c.cap,
        threshold=c.threshold, drawn=c.start == "drawn", shock=figures.chance_of(c), loss=figures.loss_of(c),
        lottery=bool(c.lottery), reveal=REVEALS.index(c.reveal), hint=bool(c.hint), pledges=bool(c.pledges),
        utterances=c.utterances,        words=c.words, talk_cost=c.talk_cost, rule=c.rule,
        score_levels=SCORE_LEVELS, ballots=c.ballots,
        punishment=bool(c.punishment), punish_cost=c.punish_cost, punish_fine=c.punish_fine,
        quota=-1 if c.quota is None else int(c.quota), fee=c.fee, fine=c.fine, audit=round(c.audit * dynamics.PERCENT),
        rebate=bool(c.rebate), newcomer=c.newcomer, governed=c.governed, actions=c.actions,
        path=min(c.rounds, dynamics.PATH), grow=np.array(c.grow, np.int64), sustainable=np.array(c.sustainable, np.int64),
    )  # fmt: skip
