"""The simulator of the coin games: the contract over the kernels of `dynamics`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs.core.compile import bind
from ludarium.envs.core.errors import InstanceError, NotClaimedError
from ludarium.envs.core.frozen import freeze
from ludarium.envs.core.laws.relations import Episode, Relation
from ludarium.envs.core.scene import Scene
from ludarium.envs.core.simulator import ArraySimulator, Choice, Out, Role
from ludarium.envs.core.state import Field
from ludarium.envs.text.coin import dynamics, language, scene
from ludarium.envs.text.coin.config import CoinConfig
from ludarium.envs.text.coin.generate import Instance
from ludarium.envs.text.coin.plan import shortest_plan

__all__ = ["Coin"]


class Coin(ArraySimulator):
    """A coin lies at the end of a chain of rooms. Go there and take it; other rooms lead astray."""

    State = dynamics.State
    turns = "one"
    faults = dynamics.FAULTS
    costs = ("steps",)
    commands = dynamics.COMMANDS
    """The command of each action, sorted."""

    def __init__(self, config: CoinConfig) -> None:
        self.config: CoinConfig = config
        c = config
        self.scalars = freeze(dynamics.Scalars(c.chain, c.rooms, c.wild, c.doors, c.max_steps))
        seen = spaces.Box(0, np.array([3, 3, 3, 3, 1, dynamics.NAMES - 1], np.int16), (dynamics.SEEN,), np.int16)
        self.roles = (Role("player", 1, seen, spaces.Discrete(dynamics.ACTIONS)),)

    def fields(self) -> tuple[Field, ...]:
        """The layout of the state."""
        return dynamics.fields(self.config.rooms)

    # --- instances -------------------------------------------------------------------------------------------------
    def instance(self, seed: int) -> Instance:
        """The map that a seed draws."""
        state = self.new(1)
        self.reset(state, np.ones(1, np.bool_), np.array([seed], np.int64), np.full(1, -1, np.int32))
        return self._instance_of(state, 0)

    def _instance_of(self, state: dynamics.State, row: int) -> Instance:
        """The map of a row, with its doors as they were at first."""
        count = int(state.size[row])
        exits, ways, places = (
            tuple(map(tuple, array[row, :count].tolist())) for array in (state.exits, state.first, state.place)
        )
        return Instance(exits, ways, places, int(state.start[row]), int(state.coin[row]))

    def load(self, state: dynamics.State, row: int, instance: Any) -> None:
        """Put an `Instance` (or its JSON form) into a row."""
        given = instance if isinstance(instance, Instance) else Instance.from_data(instance)
        given.validate()
        count = len(given.exits)
        if count > self.config.rooms:
            raise InstanceError(f"a map of {count} rooms; level {self.config.level} holds {self.config.rooms}")
        state.exits[row] = -1
        state.first[row] = 0
        state.place[row] = 0
        state.exits[row, :count] = given.exits
        state.first[row, :count] = given.ways
        state.place[row, :count] = given.places
        state.size[row], state.start[row], state.coin[row] = count, given.start, given.coin

    def instance_hash(self, state: dynamics.State, row: int) -> str:
        """The hash of a map that was loaded; the seed says all of the others."""
        return self._instance_of(state, row).hash if state.inst[row] == dynamics.LOADED else ""

    # --- reset and step --------------------------------------------------------------------------------------------
    def reset(self, state: Any, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
        """Begin episodes in the rows of `which`."""
        dynamics.reset(state, self.scalars, which, seeds, slots)

    def check(self, state: Any, actions: tuple[Any, ...], fault: NDArray[np.int16]) -> None:
        """Find the actions without effect."""
        dynamics.check(state, actions[0], fault)

    def step(self, state: Any, actions: tuple[Any, ...], out: Out) -> None:
        """Advance every row."""
        dynamics.step(state, self.scalars, actions[0], *out)

    def bound(self, state: Any, actions: Any, out: Out, seats: Any, mask: Any) -> Callable[[], object]:
        """A step and its masks as one compiled call over these buffers, for `TextPlay`."""
        buffers = (state, self.scalars, actions, *out, seats, mask)
        return functools.partial(bind(dynamics.turn, *buffers), *buffers)

    # --- views -----------------------------------------------------------------------------------------------------
    def observe(self, state: Any, role: int, seats: NDArray[np.int32], out: Any) -> None:
        """Write the room's ways, the coin and the name."""
        dynamics.see(state, seats, out)

    def action_mask(self, state: Any, role: int, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
        """Write the actions without a fault."""
        dynamics.masks(state, seats, out)

    def full(self, state: Any, row: int, information: str = "full") -> dict[str, Any]:
        """The map as it is now, where the player is, and whether the coin is taken."""
        if information == "local":
            raise NotClaimedError("the view 'state' shows the whole house; the information of this task is 'local'")
        seen = self._instance_of(state, row).as_data()
        seen["ways"] = state.way[row, : int(state.size[row])].tolist()
        return {**seen, "room": int(state.room[row]), "held": bool(state.held[row]), "t": int(state.t[row])}

    # --- figures ---------------------------------------------------------------------------------------------------
    def metrics(self, state: Any) -> dict[str, NDArray[Any]]:
        """Figures of the episode so far."""
        return {
            "success": state.held.astype(np.int64),
            "steps": state.t.astype(np.int64),
            "faults": state.faults.astype(np.int64),
        }

    def bounds(self, state: Any, row: int) -> dict[str, float]:
        """The length of the shortest plan from the start."""
        given = self._instance_of(state, row)
        return {"steps": float(len(shortest_plan(given.exits, given.ways, given.start, given.coin)))}

    def plan_left(self, state: Any, row: int, seat: int = 0) -> int:
        """Commands that the player still needs at least."""
        if state.held[row]:
            return 0
        now = self.full(state, row)
        return len(shortest_plan(now["exits"], now["ways"], now["room"], now["coin"]))

    def extras(self, state: Any) -> dict[str, NDArray[Any]]:
        """The fault of the last action."""
        return {"reason": state.said}

    def invariants(self, state: Any) -> dict[str, NDArray[np.bool_]]:
        """What no step may break."""
        rows = np.arange(len(state.t))[:, None, None]
        back = state.way[rows, np.maximum(state.exits, 0), 3 - np.arange(4)]
        return {
            "the player is in a room": (state.room >= 0) & (state.room < np.maximum(state.size, 1)),
            "a door is the same from both sides": ((state.exits < 0) | (state.way == back)).all((1, 2)),
            "the coin is taken where it lies": (state.held == 0) | (state.room == state.coin),
        }

    def relations(self) -> tuple[Relation, ...]:
        """The house seen in a mirror."""
        return (Relation("the house mirrored", _mirrored),)

    # --- language and picture --------------------------------------------------------------------------------------
    def rules(self) -> str:
        """The rules in words."""
        return language.rules(self)

    def describe(self, state: Any, row: int, seat: int) -> str:
        """What the player sees, in words."""
        return language.describe(self, state, row, seat)

    def menu(self, state: Any, row: int, seat: int) -> list[Choice]:
        """The actions without a fault."""
        return language.menu(self, state, row, seat)

    def verbs(self) -> dict[str, tuple[str, ...]]:
        """The verbs of all actions."""
        return {choice.verb: tuple(choice.arguments) for choice in language.CHOICES}

    def explain(self, state: Any, row: int, seat: int, action: Any, code: int) -> str:
        """Why an action had no effect."""
        return language.explain(self, state, row, seat, action, code)

    def scene(self, state: Any, row: int) -> Scene:
        """The picture of a row."""
        return scene.scene(self, state, row)


_MIRROR = np.array([3, 1, 2, 0])


def _mirrored(episode: Episode) -> Episode:
    """East and west swapped."""
    given = episode["options"]["instance"]
    for name in ("exits", "ways"):
        given[name] = [[row[d] for d in _MIRROR] for row in given[name]]
    given["places"] = [[-x, y] for x, y in given["places"]]
    other = []
    for command in dynamics.COMMANDS:
        words = command.split()
        words[-1] = {"east": "west", "west": "east"}.get(words[-1], words[-1])
        other.append(dynamics.COMMANDS.index(" ".join(words)))
    episode["actions"] = [
        {seat: other[int(a)] for seat, a in step.items()} if isinstance(step, dict) else other[int(step)]
        for step in episode["actions"]
    ]
    return episode
