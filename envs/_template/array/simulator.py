"""The simulator of the aisle: the contract over the kernels of `dynamics`."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs._template.array import dynamics, language, scene
from ludarium.envs._template.array.config import TemplateArrayConfig
from ludarium.envs._template.array.generate import Instance, draw_crates, draw_places
from ludarium.envs.core.frozen import freeze
from ludarium.envs.core.laws.relations import Episode, Relation
from ludarium.envs.core.rng import episode_key
from ludarium.envs.core.scene import Scene
from ludarium.envs.core.simulator import ArraySimulator, Choice, Out, Role
from ludarium.envs.core.state import Field

__all__ = ["TemplateArray"]


class TemplateArray(ArraySimulator):
    """Crates lie in the cells of an aisle.

    When there is no order, the planner names a cell. Then, step by step, all workers move one cell to the left or to
    the right, or wait, until one of them stands on that cell and takes the crate. The episode ends when no crate is
    left.
    """

    State = dynamics.State
    turns = "some"
    faults = ("none", "empty", "wall")

    def __init__(self, config: TemplateArrayConfig) -> None:
        self.config: TemplateArrayConfig = config
        c = config
        self.scalars = freeze(dynamics.Scalars(c.length, c.num_crates, c.num_workers, c.max_steps))
        plan, move = spaces.Discrete(c.length), spaces.Discrete(3)
        shelf, aisle = spaces.Box(0, 1, (2, c.length), np.uint8), spaces.Box(0, 1, (3, c.length), np.uint8)
        self.roles = (
            Role("planner", 1, shelf, plan, decisions=("order",)),
            Role("worker", c.num_workers, aisle, move, decisions=("move",)),
        )

    def fields(self) -> tuple[Field, ...]:
        """The layout of the state."""
        return dynamics.fields(self.config.length, self.config.num_workers)

    # --- instances -------------------------------------------------------------------------------------------------
    def instance(self, seed: int) -> Instance:
        """The instance that a seed draws."""
        crate = np.zeros(self.config.length, np.uint8)
        place = np.zeros(self.config.num_workers, np.int16)
        key = np.uint64(episode_key(seed))
        draw_crates(key, self.config.num_crates, crate)
        draw_places(key, self.config.length, place)
        return Instance(tuple(np.flatnonzero(crate).tolist()), tuple(place.tolist()))

    def load(self, state: dynamics.State, row: int, instance: Any) -> None:
        """Put an `Instance` (or its JSON form) into a row."""
        given = instance if isinstance(instance, Instance) else Instance.from_data(instance)
        given.validate(self.config.length, self.config.num_crates, self.config.num_workers)
        state.crate[row] = 0
        state.crate[row, list(given.crates)] = 1
        state.place[row] = given.workers

    # --- reset and step --------------------------------------------------------------------------------------------
    def reset(self, state: Any, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
        """Begin episodes in the rows of `which`."""
        dynamics.reset(state, self.scalars, which, seeds, slots)

    def asked(self, state: Any, out: NDArray[np.int8]) -> None:
        """The planner, or all workers."""
        dynamics.asked(state, out)

    def check(self, state: Any, actions: tuple[Any, ...], fault: NDArray[np.int16]) -> None:
        """Find the actions without effect."""
        dynamics.check(state, self.scalars, *actions, fault)

    def step(self, state: Any, actions: tuple[Any, ...], out: Out) -> None:
        """Advance every row."""
        dynamics.step(state, self.scalars, *actions, *out)

    # --- views -----------------------------------------------------------------------------------------------------
    def observe(self, state: Any, role: int, seats: NDArray[np.int32], out: Any) -> None:
        """Write what the listed seats see."""
        dynamics.see(state, self.scalars, role == 0, seats, out)

    def action_mask(self, state: Any, role: int, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
        """Write the actions that have an effect."""
        dynamics.masks(state, self.scalars, role == 0, seats, out)

    def full(self, state: Any, row: int, information: str = "full") -> dict[str, Any]:
        """All there is: nothing is hidden here, and nothing is drawn later."""
        return {
            "crates": np.flatnonzero(state.crate[row]),
            "workers": state.place[row].astype(np.int64),
            "order": int(state.order[row]),
            "t": int(state.t[row]),
        }

    # --- figures ---------------------------------------------------------------------------------------------------
    def metrics(self, state: Any) -> dict[str, NDArray[Any]]:
        """Figures of the episode so far."""
        fetched = state.fetched.sum(1).astype(np.int64)
        return {
            "success": (fetched == self.config.num_crates).astype(np.int64),
            "fetched": fetched,
            "throughput": fetched / np.maximum(state.t, 1),
            "faults": state.faults.astype(np.int64),
        }

    def invariants(self, state: Any) -> dict[str, NDArray[np.bool_]]:
        """What no step may break."""
        rows, order = np.arange(len(state.t)), np.maximum(state.order, 0)
        crates = state.crate.sum(1, dtype=np.int64) + state.fetched.sum(1)
        return {
            "no crate appears or gets lost": crates == self.config.num_crates,
            "workers stay in the aisle": ((state.place >= 0) & (state.place < self.config.length)).all(1),
            "an order names a crate": (state.order < 0) | (state.crate[rows, order] == 1),
        }

    def relations(self) -> tuple[Relation, ...]:
        """The aisle seen from the other side."""
        return (Relation("the aisle mirrored", self._mirrored),)

    def _mirrored(self, episode: Episode) -> Episode:
        far = self.config.length - 1
        given = episode["options"]["instance"]
        given = {
            "crates": [far - cell for cell in given["crates"]],
            "workers": [far - cell for cell in given["workers"]],
        }
        episode["options"] = {"instance": given}
        episode["actions"] = [
            {seat: far - int(a) if seat.startswith("planner") else 2 - int(a) for seat, a in step.items()}
            for step in episode["actions"]
        ]
        return episode

    # --- language and picture --------------------------------------------------------------------------------------
    def rules(self) -> str:
        """The rules in words."""
        return language.rules(self)

    def describe(self, state: Any, row: int, seat: int) -> str:
        """What a seat sees, in words."""
        return language.describe(self, state, row, seat)

    def menu(self, state: Any, row: int, seat: int) -> list[Choice]:
        """The actions that have an effect."""
        return language.menu(self, state, row, seat)

    def explain(self, state: Any, row: int, seat: int, action: Any, code: int) -> str:
        """Why an action had no effect."""
        return language.explain(self, state, row, seat, action, code)

    def scene(self, state: Any, row: int) -> Scene:
        """The picture of a row."""
        return scene.scene(self, state, row)
