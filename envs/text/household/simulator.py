"""The household's simulator: the contract over the kernels of `dynamics`."""

from __future__ import annotations

import functools
from collections import OrderedDict
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs.core.compile import DISABLED, bind
from ludarium.envs.core.errors import InstanceError, NotClaimedError
from ludarium.envs.core.frozen import freeze
from ludarium.envs.core.laws.relations import Relation
from ludarium.envs.core.rng import draw_below, episode_key
from ludarium.envs.core.scene import Scene
from ludarium.envs.core.simulator import ArraySimulator, Buffers, Choice, Out, Role, Turner, every_seat
from ludarium.envs.core.state import Field
from ludarium.envs.core.trace import Trace
from ludarium.envs.text.household import dynamics, language, layout, masks, relations, reset, rounds, scene
from ludarium.envs.text.household.config import REWARDS, HouseholdConfig
from ludarium.envs.text.household.difficulty import Difficulty, assess
from ludarium.envs.text.household.dynamics import FAULTS, STREAM_SLOT
from ludarium.envs.text.household.instance import House
from ludarium.envs.text.household.language import Words
from ludarium.envs.text.household.plans import Planner, beginning, situation
from ludarium.envs.text.household.reasons import reason_of
from ludarium.envs.text.household.tables import sizes, stack, unpack
from ludarium.envs.text.household.turns import Turn, turn

__all__ = ["Household"]

_SUBGOALS = ("found", "taken", "processed", "reached", "placed")


class Household(ArraySimulator):
    """Robots in a house are given a task: find something, perhaps heat, cool or clean it, and put it somewhere.

    Rules, words and what is told are those of ALFWorld's text games.
    """

    State = dynamics.State
    faults = FAULTS
    costs = ("steps",)
    masked_faults = tuple(name for name in FAULTS[1:] if name != "conflict")

    def __init__(self, config: HouseholdConfig) -> None:
        self.config: HouseholdConfig = config
        c = config
        self.sizes = sizes(c)
        speech = 2 * c.receptacles + c.objects if c.say_tokens else 0
        self.actions = 6 * c.receptacles + (c.max_copies + 2) * c.objects + speech + 5
        known = self.sizes.known + 3 * c.receptacles + 3 * c.objects
        self.roles = (Role("robot", c.n_agents, spaces.Box(0, 255, (known,), np.uint8), spaces.Discrete(self.actions)),)
        self.scalars = freeze(
            dynamics.Scalars(
                c.receptacles, c.objects, c.locations, c.max_copies, c.n_agents, c.max_steps, int(c.quirks),
                int(c.dialect != "0.3"), REWARDS.index(c.reward), self.actions, c.say_tokens,
                int(c.goals == "split"), self.sizes.known,
            )
        )  # fmt: skip
        self.houses = self._pool()
        self.pool = freeze(stack(self.houses, c))
        self.instances_in_python = not self.houses
        self.whole_turns = not DISABLED
        self._words: OrderedDict[bytes, Words] = OrderedDict()

    def _pool(self) -> list[House]:
        """The houses that seeds choose among, if each does not have its own."""
        if self.config.games is not None:
            from ludarium.envs.text.household.formats import load_alfworld

            return [house for _, house in load_alfworld(self.config.games, agents=self.config.n_agents).houses]
        return [self._generate(seed) for seed in range(self.config.pool)]

    def _generate(self, seed: int) -> House:
        return _generated(self.config, seed)

    def fields(self) -> tuple[Field, ...]:
        """The layout of the state."""
        return layout.fields(self.sizes)

    # --- instances ---
    def instance(self, seed: int) -> House:
        """The house that a seed draws."""
        return self.houses[self._slot(seed)] if self.houses else self._generate(seed)

    def _slot(self, seed: int) -> int:
        return int(draw_below(np.uint64(episode_key(seed)), STREAM_SLOT, 0, 0, 0, len(self.houses)))

    def load(self, state: Any, row: int, instance: Any) -> None:
        """Put a `House` (or its JSON form) into a row."""
        house = instance if isinstance(instance, House) else House.from_data(instance)
        reset.furnish(state, _tables(house, self.config), row, 0)

    def instance_hash(self, state: Any, row: int) -> str:
        """The hash of the house."""
        return bytes(state.house[row]).hex()

    def house(self, state: Any, row: int) -> House:
        """The house that a row is played in."""
        return self.words(state, row).house

    def words(self, state: Any, row: int) -> Words:
        """The strings of a row's house."""
        key = state.house[row].tobytes()
        found = self._words.get(key)
        if found is None:
            found = self._words[key] = Words(unpack(state.packed[row]), self.config.dialect)
            if len(self._words) > 256:
                self._words.popitem(last=False)
        return found

    # --- reset and step ---
    def reset(self, state: Any, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
        """Begin episodes: in a slot of the pool, in the one that the seed draws (-1), or in what was loaded (-2)."""
        bad = reset.reset(state, self.scalars, self.pool, which, seeds, slots, len(self.houses))
        if bad >= 0:
            raise InstanceError(f"slot {slots[bad]}; this environment's pool has {len(self.houses)} houses")

    def step(self, state: Any, actions: tuple[Any, ...], out: Out) -> None:
        """Advance every row."""
        rounds.step(state, self.scalars, actions[0], *out)

    def check(self, state: Any, actions: tuple[Any, ...], fault: NDArray[np.int16]) -> None:
        """Find the actions without effect: by taking them, and going back."""
        before = self.snapshot(state)
        shape = fault.shape
        rest = Out(np.zeros(shape), np.zeros(shape, np.bool_), np.zeros(shape[0], np.bool_), fault)
        self.step(state, actions, rest)
        self.restore(state, before)

    def turner(self, state: Any, io: Buffers) -> Turner:
        """Check, step, observe and mask in one compiled call."""
        if not self.whole_turns:
            return super().turner(state, io)
        (every,) = every_seat(self.roles, len(state.t))
        seats = every.copy()
        mask = np.zeros((0, 0, 0), np.int8) if io.masks[0] is None else io.masks[0]
        held = freeze(
            Turn(state, self.scalars, seats, io.actions[0], *io.out, mask, io.summary, io.logs[0], io.observed[0])
        )
        compiled = bind(turn, True, held)

        def look(wanted: tuple[NDArray[np.int32], ...]) -> None:
            seats[...] = wanted[0]
            compiled(False, held)
            seats[...] = every

        return Turner(functools.partial(compiled, True, held), look)

    # --- views ---
    def observe(self, state: Any, role: int, seats: NDArray[np.int32], out: Any) -> None:
        """Write what the listed seats know."""
        masks.see(state, self.scalars, seats, out)

    def action_mask(self, state: Any, role: int, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
        """Write the admissible actions."""
        masks.masks(state, self.scalars, seats, out)

    def legal(self, state: Any, row: int, seat: int) -> list[int]:
        """The admissible actions of a seat, in ascending order."""
        seats = np.full((len(state.t), 1), -1, np.int32)
        seats[row] = seat
        mask = np.zeros((len(state.t), 1, self.actions), np.int8)
        masks.masks(state, self.scalars, seats, mask)
        return [int(action) for action in np.flatnonzero(mask[row, 0])]

    def full(self, state: Any, row: int, information: str = "full") -> dict[str, Any]:
        """The house, and where everything is now: sets of objects by receptacle and location, and their states."""
        house, members = self.house(state, row), language.members
        return {
            "house": house.as_data(),
            "t": int(state.t[row]),
            "at": state.loc[row].tolist(),
            "held": state.hold[row].tolist(),
            "opened": np.flatnonzero(state.opened[row]).tolist(),
            "content": [members(state.content[row, r]) for r in range(len(house.receptacles))],
            "around": [members(state.around[row, place]) for place in range(house.locations)],
            "flags": [members(state.flags[row, n]) for n in range(5)],
            **({"words": state.budget[row].tolist()} if self.config.say_tokens else {}),
        }

    def extras(self, state: Any) -> dict[str, NDArray[Any]]:
        """Why actions had no effect (places in `faults`), the share of goal facts that hold, and subgoals as bits."""
        return {"reason": state.reason, "progress": state.progress, "subgoals": state.subgoals}

    # --- figures ---
    def metrics(self, state: Any) -> dict[str, NDArray[Any]]:
        """Figures of the episode so far."""
        asked = np.maximum(state.t.astype(np.int64) * self.config.n_agents, 1)
        figures: dict[str, NDArray[Any]] = {
            "success": state.won.astype(np.int64),
            "steps": state.t.astype(np.int64),
            "progress": state.progress.copy(),
            "invalid_rate": state.faults / asked,
        }
        for n, name in enumerate(_SUBGOALS):
            figures[name] = (state.subgoals >> n & 1).astype(np.int64)
        if self.config.goals == "split":
            figures["own_goals"] = (state.own == 1.0).mean(1)
        if self.config.say_tokens:
            figures["words"] = (self.config.say_tokens - state.budget.astype(np.int64)).sum(1)
        return figures

    def invariants(self, state: Any) -> dict[str, NDArray[np.bool_]]:
        """What no step may break."""
        bits = _bits(state.content)
        held = np.zeros((len(state.t), bits.shape[-1]), np.int64)
        rows = np.arange(len(state.t))
        for i in range(self.config.n_agents):
            np.add.at(held, (rows[state.hold[:, i] >= 0], state.hold[state.hold[:, i] >= 0, i]), 1)
        pickupable = _bits(state.able)[:, dynamics.PICKUPABLE]
        begun = _bits(state.content0).sum(1)
        lies = bits.sum(1)
        flags = _bits(state.flags)
        alone = (begun <= 1).all(1)
        more: dict[str, NDArray[np.bool_]] = {}
        if self.config.goals == "split":
            more["the goal is reached exactly when each robot's own goal holds"] = (state.own == 1.0).all(
                1
            ) == state.won
        if self.config.say_tokens:
            left = state.budget
            more["no robot says more words than it has"] = ((left >= 0) & (left <= self.config.say_tokens)).all(1)
        return {
            "nothing is both hot and cool": ~(flags[:, dynamics.HOT] & flags[:, dynamics.COOL]).any(1),
            "no object is in two hands": (held <= 1).all(1),
            "every object is somewhere": ((lies + held >= 1) | (pickupable == 0)).all(1),
            "where each lay in one place, each is in one place": ~alone | (lies + held <= 1).all(1),
            "what cannot be picked up stays": ((lies == begun) | (pickupable == 1)).all(1),
            "only what can be opened is open": ((state.opened == 0) | (state.openable == 1)).all(1),
            "progress is 1 exactly when the goal is reached": (state.progress == 1.0) == state.won,
            **more,
        }

    def shortest(self, house: House) -> int | None:
        """The length of the shortest plan of one robot, or None for goals that the planner does not know."""
        return _shortest(house, self.config.quirks)

    def difficulty(self, house: House) -> Difficulty | None:
        """How hard a house is for one robot, or None for goals that the planner does not know."""
        try:
            plan = Planner(house, self.config.quirks).plan(beginning(house))
        except NotClaimedError:
            return None
        return None if plan is None else assess(house, plan)

    def plan_left(self, state: Any, row: int, seat: int = 0) -> int | None:
        """Commands that a robot alone still needs at least, -1 if it cannot; None for goals the planner does not know."""
        house = self.house(state, row)
        try:
            return Planner(house, self.config.quirks).plan_left(situation(house, self.full(state, row), seat))
        except NotClaimedError:
            return None

    def summary(self, state: Any, row: int) -> dict[str, Any]:
        """The metrics of one row, with the shortest plan and how near to it the episode came."""
        figures = super().summary(state, row)
        plan = self.shortest(self.house(state, row)) if self.config.n_agents == 1 else None
        if plan is not None:
            figures["shortest"] = plan
            figures["spl"] = figures["success"] * plan / max(figures["steps"], plan, 1)
        return figures

    def bounds(self, state: Any, row: int) -> dict[str, float]:
        """One robot that succeeds has taken the steps of a shortest plan at least."""
        plan = self.shortest(self.house(state, row)) if self.config.n_agents == 1 else None
        return {} if plan is None else {"steps": float(plan)}

    def review(self, trace: Trace) -> dict[str, float]:
        """Repeated states, progress over time and, by the measure of shortest plans, wasteful steps."""
        from ludarium.envs.text.household.review import figures

        return figures(trace)

    def relations(self) -> tuple[Relation, ...]:
        """The same house with its lists turned round."""
        return relations.relations(self)

    # --- language and picture ---
    def rules(self) -> str:
        """The rules in words."""
        return language.rules(self)

    def describe(self, state: Any, row: int, seat: int) -> str:
        """The text of the last step."""
        return language.describe(self, state, row, seat)

    def menu(self, state: Any, row: int, seat: int) -> list[Choice]:
        """The admissible commands."""
        return language.menu(self, state, row, seat)

    def verbs(self) -> dict[str, tuple[str, ...]]:
        """The verbs of the dialect."""
        return language.verbs(self)

    def explain(self, state: Any, row: int, seat: int, action: Any, code: int) -> str:
        """Why an action had no effect."""
        return language.explain(self, state, row, seat, action, code)

    def why_not(self, state: Any, row: int, seat: int, text: str) -> str:
        """What is wrong with a command, in the error style that tells it."""
        if self.config.error_style != "helpful":
            return ""
        words = self.words(state, row)
        return language.REASONS[reason_of(words, state, row, seat, text, self.config.quirks)]

    def scene(self, state: Any, row: int) -> Scene:
        """The picture of a row."""
        return scene.scene(self, state, row)


@functools.lru_cache(maxsize=256)
def _generated(config: HouseholdConfig, seed: int) -> House:
    """The house of a seed: drafts are made and planned once, however often its episode is played again."""
    from ludarium.envs.text.household.generate import generate

    return generate(config, seed)


@functools.lru_cache(maxsize=512)
def _tables(house: House, config: HouseholdConfig) -> dynamics.Tables:
    """A pool of one house."""
    return freeze(stack([house], config))


@functools.lru_cache(maxsize=1024)
def _shortest(house: House, quirks: bool) -> int | None:
    try:
        plan = Planner(house, quirks).plan(beginning(house))
    except NotClaimedError:
        return None
    return None if plan is None else len(plan)


def _bits(sets: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Sets of objects uint64[..., W] as bits uint8[..., 64 W]."""
    little = np.ascontiguousarray(sets).astype("<u8").view(np.uint8)
    return np.unpackbits(little.reshape(*sets.shape[:-1], -1), axis=-1, bitorder="little")
