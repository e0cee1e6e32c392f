"""The simulator of gather, trade and build: the contract over the kernels of `dynamics`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs.core.frozen import freeze
from ludarium.envs.core.laws.relations import Relation
from ludarium.envs.core.scene import Scene
from ludarium.envs.core.simulator import ArraySimulator, Choice, Out, Role
from ludarium.envs.core.state import Field
from ludarium.envs.econ import book
from ludarium.envs.econ.blank import Blank
from ludarium.envs.econ.brackets import basis_points
from ludarium.envs.econ.floats import log_of
from ludarium.envs.econ.gtb import dynamics, figures, generate, language, layout, observe, relations, scene
from ludarium.envs.econ.gtb.config import LAYOUTS, PRICES, SKILLS, SWF, GtbConfig
from ludarium.envs.econ.gtb.generate import Instance

__all__ = ["Gtb"]

_NO_WINDOWS, _NO_BYTES = np.zeros((0, 0, 0, 0, 0), np.uint8), np.zeros((0, 0, 0), np.uint8)
_NO_TABLE = np.zeros((0, 0, 0, 0), np.float32)


class Gtb(ArraySimulator):
    """Workers gather resources, trade them and build houses on a map; a planner taxes their income and shares it out."""

    State = layout.State
    turns = "some"
    faults = layout.FAULTS
    masked_faults = layout.MASKED
    others = {"worker": "gtb-worker"}  # noqa: RUF012

    def __init__(self, config: GtbConfig) -> None:
        self.config: GtbConfig = config
        self.edges = np.array(config.edges, np.int64)
        self.scalars = freeze(_scalars(config, self.edges))
        self.names = (*observe.public_names(len(self.edges), len(config.resources)),)
        """what each of the public numbers of an observation is; a worker's own are `observe.own_names`"""
        self.roles = (self._planner(), self._workers())
        self.blank = Blank(self.fields(), generate.BYTES)

    @property
    def _layers(self) -> int:
        return 2 * len(self.config.resources) + 3

    def _planner(self) -> Role:
        c = self.config
        parts: dict[str, spaces.Space[Any]] = {
            "flat": spaces.Box(-np.inf, np.inf, (len(self.names) + 4,), np.float32),
            "workers": spaces.Box(-np.inf, np.inf, (c.n_workers, len(observe.TABLE)), np.float32),
        }
        if c.planner_map:
            parts["map"] = spaces.Box(0, 1, (self._layers, c.height, c.width), np.uint8)
        rates = spaces.MultiDiscrete(np.full(len(self.edges), c.levels))
        return Role("planner", 1, spaces.Dict(parts), rates, decisions=("rates",))

    def _workers(self) -> Role:
        c, side = self.config, 2 * self.config.radius + 1
        size = len(self.names) + len(observe.own_names(len(c.resources)))
        seen = spaces.Dict(
            map=spaces.Box(0, 2, (self._layers, side, side), np.uint8),
            flat=spaces.Box(-np.inf, np.inf, (size,), np.float32),
        )
        return Role("worker", c.n_workers, seen, spaces.Discrete(c.actions), decisions=("work",))

    def fields(self) -> tuple[Field, ...]:
        """The layout of the state."""
        return layout.fields(self.scalars)

    # --- instances -------------------------------------------------------------------------------------------------
    def instance(self, seed: int) -> Instance:
        """The map and the workers that a seed draws."""
        state = self.new(1)
        self.reset(state, np.ones(1, np.bool_), np.array([seed], np.int64), np.full(1, -1, np.int32))
        return self._instance_of(state, 0)

    def _instance_of(self, state: Any, row: int) -> Instance:
        c = self.scalars
        signs = generate.LAND + generate.WATER + "1234"
        cells = "".join(signs[kind] for kind in state.ground[row].tolist())
        return Instance(
            tuple(cells[y * c.width : (y + 1) * c.width] for y in range(c.height)),
            tuple(map(tuple, state.first_pos[row].tolist())), tuple(state.pay[row].tolist()),
            tuple(state.bonus[row].tolist()), tuple(state.first_cash[row].tolist()),
            tuple(map(tuple, state.first_stock[row].T.tolist())),
        )  # fmt: skip

    def load(self, state: Any, row: int, instance: Any) -> None:
        """Put an `Instance` (or its JSON form) into a row."""
        given = instance if isinstance(instance, Instance) else Instance.from_data(instance)
        given.validate(self.config)
        signs = generate.LAND + generate.WATER + "1234"
        state.ground[row] = [signs.index(cell) for cell in "".join(given.rows)]
        state.first_pos[row] = given.places
        state.pay[row], state.bonus[row], state.first_cash[row] = given.pay, given.bonus, given.cash
        state.first_stock[row] = np.array(given.stock, np.int64).T

    def instance_hash(self, state: Any, row: int) -> str:
        """The hash of an instance that was loaded; the seed says all of the others."""
        return self._instance_of(state, row).hash if state.inst[row] == generate.LOADED else ""

    # --- reset and step --------------------------------------------------------------------------------------------
    def reset(self, state: Any, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
        """Begin episodes in the rows of `which`."""
        self.blank.fill(state, self._layout(len(which)), which)
        generate.reset(state, self.scalars, which, seeds, slots)

    def asked(self, state: Any, out: NDArray[np.int8]) -> None:
        """All workers, and the planner in the first step of a tax year."""
        on = ~state.over
        out[:, 0] = on & (state.t % self.config.period == 0)
        out[:, 1:] = on[:, None]

    def check(self, state: Any, actions: tuple[Any, ...], fault: NDArray[np.int16]) -> None:
        """Find the actions without effect."""
        dynamics.check(state, self.scalars, actions[1], fault)

    def step(self, state: Any, actions: tuple[Any, ...], out: Out) -> None:
        """Advance every row."""
        years = state.settled.copy()
        dynamics.step(state, self.scalars, actions[0], actions[1], *out)
        ended = state.settled != years
        if ended.any():
            figures.note_year(state, self.edges, ended)

    # --- views -----------------------------------------------------------------------------------------------------
    def observe(self, state: Any, role: int, seats: NDArray[np.int32], out: Any) -> None:
        """Write what the listed seats see."""
        if role == 0:
            observe.see(state, self.scalars, seats, _NO_WINDOWS, out["flat"], _NO_BYTES, out["workers"])
            if self.config.planner_map:
                out["map"][:, 0][seats[:, 0] >= 0] = self._map(state)[seats[:, 0] >= 0]
        else:
            seen = out["flat"]
            observe.see(state, self.scalars, seats, out["map"], seen, seen.view(np.uint8), _NO_TABLE)

    def _map(self, state: Any) -> NDArray[np.uint8]:
        """The layers without their border: uint8[B, layers, H, W]."""
        c, edge = self.scalars, self.scalars.radius
        layers = np.stack([figures.layer_of(state, observe.bit_of(c.kinds, layer)) for layer in range(self._layers)], 1)
        return layers.reshape(len(state.t), self._layers, c.height + 2 * edge, c.stride)[:, :, edge:-edge, edge:-edge]

    def action_mask(self, state: Any, role: int, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
        """Write the workers' actions that will not be refused."""
        observe.masks(state, self.scalars, seats, out)

    def extras(self, state: Any) -> dict[str, NDArray[Any]]:
        """The fault of each seat's last action."""
        return {"fault": state.code}

    def full(self, state: Any, row: int, information: str = "full") -> dict[str, Any]:
        """All there is, as copies: see `figures.full`."""
        return figures.full(self, state, row)

    # --- figures ---------------------------------------------------------------------------------------------------
    def metrics(self, state: Any) -> dict[str, NDArray[Any]]:
        """Figures of the episode so far."""
        return figures.metrics(self, state)

    def invariants(self, state: Any) -> dict[str, NDArray[np.bool_]]:
        """What no step may break."""
        return figures.invariants(self, state)

    def relations(self) -> tuple[Relation, ...]:
        """The map seen in a mirror, and turned over."""
        return relations.relations(self.config)

    # --- language and picture --------------------------------------------------------------------------------------
    def rules(self) -> str:
        """The rules in words."""
        return language.rules(self)

    def describe(self, state: Any, row: int, seat: int) -> str:
        """What a seat sees, in words."""
        return language.describe(self, state, row, seat)

    def menu(self, state: Any, row: int, seat: int) -> list[Choice] | None:
        """A worker's legal choices; None for the planner, whose are too many."""
        return language.menu(self, state, row, seat)

    def tools(self, state: Any, row: int, seat: int) -> tuple[dict[str, Any], ...] | None:
        """The planner's tools; a worker's follow from its menu."""
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


def _scalars(config: GtbConfig, edges: NDArray[np.int64]) -> layout.Scalars:
    """What the kernels read of a config."""
    c = config
    rules = book.Rules(c.n_workers, c.open_orders, PRICES, 0, layout.CENTS, book.SELF_MATCH.index("oldest"))
    return layout.Scalars(
        rules=freeze(rules), workers=c.n_workers, kinds=len(c.resources), height=c.height, width=c.width, radius=c.radius,
        stride=c.width + 2 * c.radius, layout=LAYOUTS.index(c.layout), skills=SKILLS.index(c.skills),
        density=float(c.density), stay=float(log_of(1.0 - c.regrow)), payment=float(c.payment), pareto=float(c.pareto),
        max_skill=float(c.max_skill), coin=math.floor(c.coin * layout.CENTS + 0.5), lifetime=int(c.lifetime),
        eta=float(c.eta), labour_cost=float(c.labour_cost), move=int(4 * c.move_labour), gather=int(4 * c.gather_labour),
        build=int(4 * c.build_labour), trade=int(4 * c.trade_labour), period=int(c.period), brackets=len(c.brackets),
        rate_step=basis_points(c.rate_step), swf=SWF.index(c.swf), legacy=c.legacy_escrow, cancel=c.cancel_bids,
        max_steps=c.max_steps, recipe=np.array(c.recipe, np.int64), edges=edges,
    )  # fmt: skip
