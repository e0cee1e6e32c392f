"""The simulator of the cooking games: the contract over the kernels of `dynamics`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs.core.compile import bind
from ludarium.envs.core.errors import NotClaimedError
from ludarium.envs.core.frozen import freeze
from ludarium.envs.core.laws.relations import Episode, Relation
from ludarium.envs.core.scene import Scene
from ludarium.envs.core.simulator import ArraySimulator, Choice, Out, Role
from ludarium.envs.core.state import Field
from ludarium.envs.text.cooking import dynamics, language, scene
from ludarium.envs.text.cooking import tables as t
from ludarium.envs.text.cooking.config import SPLITS, CookingConfig
from ludarium.envs.text.cooking.generate import CONSUMED, HELD
from ludarium.envs.text.cooking.instance import Instance
from ludarium.envs.text.cooking.plan import shortest_plan

__all__ = ["Cooking"]


class Cooking(ArraySimulator):
    """Read the cookbook, gather the ingredients, cook and cut each as the recipe says, prepare the meal, and eat it."""

    State = dynamics.State
    turns = "one"
    faults = dynamics.FAULTS
    costs = ("steps",)
    commands = t.COMMANDS
    """The command of each action, sorted."""

    def __init__(self, config: CookingConfig) -> None:
        self.config: CookingConfig = config
        c = config
        self.scalars = freeze(
            dynamics.Scalars(
                c.recipe, c.take, c.go, c.open, c.cook, c.cut, c.drop, c.recipe_seed, SPLITS.index(c.split), c.max_steps
            )
        )
        self._sight: tuple[Any, NDArray[np.int64]] = None, np.empty((t.ITEMS, 2), np.int64)
        seen = spaces.Box(0, 64, (dynamics.SEEN,), np.int8)
        self.roles = (Role("cook", 1, seen, spaces.Discrete(t.ACTIONS)),)

    def fields(self) -> tuple[Field, ...]:
        """The layout of the state."""
        return dynamics.fields()

    # --- instances -------------------------------------------------------------------------------------------------
    def instance(self, seed: int) -> Instance:
        """The game that a seed draws."""
        state = self.new(1)
        self.reset(state, np.ones(1, np.bool_), np.array([seed], np.int64), np.full(1, -1, np.int32))
        return self._instance_of(state, 0)

    def _instance_of(self, state: dynamics.State, row: int) -> Instance:
        """What a row began with."""

        def rows(array: NDArray[Any]) -> tuple[tuple[int, ...], ...]:
            return tuple(map(tuple, array[row].tolist()))

        first = state.first[row].tolist()
        where, stage, way, cut, edible = (tuple(first[n * t.ITEMS : (n + 1) * t.ITEMS]) for n in range(5))
        lids, doors = first[5 * t.ITEMS :][: t.HOLDERS], first[5 * t.ITEMS + t.HOLDERS : -1]
        return Instance(
            rows(state.exits), rows(state.doors), rows(state.place), tuple(state.home[row].tolist()), tuple(lids),
            tuple(doors), where, stage, way, cut, edible, first[-1], int(state.limit[row]), rows(state.recipe),
        )  # fmt: skip

    def load(self, state: dynamics.State, row: int, instance: Any) -> None:
        """Put an `Instance` (or its JSON form) into a row."""
        given = instance if isinstance(instance, Instance) else Instance.from_data(instance)
        given.validate()
        state.exits[row], state.doors[row], state.place[row] = given.exits, given.doors, given.places
        state.home[row], state.limit[row], state.recipe[row] = given.home, given.limit, given.recipe
        state.first[row] = (
            *given.where, *given.stage, *given.way, *given.cut, *given.edible, *given.lids, *given.door_open, given.room,
        )  # fmt: skip

    def instance_hash(self, state: dynamics.State, row: int) -> str:
        """The hash of a game that was loaded; the seed says all of the others."""
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
        """Write what is in sight, and the recipe once it was read."""
        dynamics.see(state, seats, out)

    def action_mask(self, state: Any, role: int, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
        """Write the actions without a fault."""
        dynamics.masks(state, seats, out)

    def full(self, state: Any, row: int, information: str = "full") -> dict[str, Any]:
        """The whole game as it is now: copies of the row's arrays by their names."""
        if information == "local":
            raise NotClaimedError("the view 'state' shows the whole house; the information of this task is 'local'")
        names = (
            "room", "where", "stage", "way", "cut", "edible", "lid", "door", "exits", "doors", "home", "recipe", "limit",
            "read", "t",
        )  # fmt: skip
        return {name: np.array(getattr(state, name)[row]) for name in names}

    # --- figures ---------------------------------------------------------------------------------------------------
    def metrics(self, state: Any) -> dict[str, NDArray[Any]]:
        """Figures of the episode so far."""
        score, best = _bits(state.earned), _bits(state.offered)
        won = state.earned & dynamics.EATEN != 0
        return {
            "success": won.astype(np.int64),
            "score": score,
            "max_score": best,
            "normalized_score": score / np.maximum(best, 1),
            "lost": state.lost.astype(np.int64),
            "steps": state.t.astype(np.int64),
            "faults": state.faults.astype(np.int64),
        }

    def bounds(self, state: Any, row: int) -> dict[str, float]:
        """The length of the shortest plan from the start, sought by A*; nothing where there is none."""
        start = self.new(1)
        self.load(start, 0, self._instance_of(state, row))
        self.reset(start, np.ones(1, np.bool_), np.zeros(1, np.int64), np.full(1, dynamics.LOADED, np.int32))
        plan = shortest_plan(self.full(start, 0))
        return {} if plan is None else {"steps": float(len(plan))}

    def plan_left(self, state: Any, row: int, seat: int = 0) -> int:
        """Commands that the cook still needs at least, -1 if the game cannot be won any more."""
        plan = None if state.lost[row] else shortest_plan(self.full(state, row))
        return -1 if plan is None else len(plan)

    def extras(self, state: Any) -> dict[str, NDArray[Any]]:
        """The fault of the last action, and the points earned so far as bits: three an ingredient, the meal, the eating."""
        return {"reason": state.said, "subgoals": state.earned}

    def invariants(self, state: Any) -> dict[str, NDArray[np.bool_]]:
        """What no step may break."""
        rows = np.arange(len(state.t))[:, None]
        spot = np.clip(state.where.astype(np.int64) - 12, 0, t.HOLDERS - 1)
        lies = (state.where >= 12) & (state.where < HELD)
        played = state.limit > 0
        return {
            "everything is in one place that is there": (~lies | (state.home[rows, spot] >= 0)).all(1) | ~played,
            "no more is carried than can be": ((state.where == HELD).sum(1) <= state.limit) | ~played,
            "no point is scored that the game does not have": state.earned & ~state.offered == 0,
            "a game is won by eating the meal": (state.earned & dynamics.EATEN == 0)
            | (state.where[:, t.MEAL] == CONSUMED),
            "nothing is won and lost": (state.earned & dynamics.EATEN == 0) | (state.lost == 0),
        }

    def relations(self) -> tuple[Relation, ...]:
        """The house seen in a mirror."""
        return (Relation("the house mirrored", _mirrored),)

    # --- language and picture --------------------------------------------------------------------------------------
    def rules(self) -> str:
        """The rules in words."""
        return language.rules(self)

    def in_sight(self, state: dynamics.State, row: int) -> list[list[int]]:
        """Where each thing in sight or in hand is, and the number of its name, as `dynamics.sight` gives them."""
        sight, seen = self._sight
        if sight is None:
            sight = bind(dynamics.sight, state, 0, seen)
            self._sight = sight, seen
        found = np.empty_like(seen)  # environments of one config share the simulator, and may be in several threads
        return found[: sight(state, int(row), found)].tolist()

    def describe(self, state: Any, row: int, seat: int) -> str:
        """What the cook sees, in words."""
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


def _bits(numbers: NDArray[np.int32]) -> NDArray[np.int64]:
    """How many bits are set in each."""
    return np.bitwise_count(numbers.astype(np.uint32)).astype(np.int64)


def _mirrored(episode: Episode) -> Episode:
    """East and west swapped."""
    given = episode["options"]["instance"]
    for name in ("exits", "doors"):
        given[name] = [[row[d] for d in (3, 1, 2, 0)] for row in given[name]]
    given["places"] = [[-x, y] for x, y in given["places"]]
    east, west = t.COMMANDS.index("go east"), t.COMMANDS.index("go west")
    other = {east: west, west: east}
    episode["actions"] = [
        {seat: other.get(int(a), int(a)) for seat, a in step.items()}
        if isinstance(step, dict)
        else other.get(int(step), int(step))
        for step in episode["actions"]
    ]
    return episode
