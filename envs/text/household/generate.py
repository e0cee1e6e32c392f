"""Houses from a seed: a layout, a task, things in their places, and a proof that it can be done.

How splits are kept apart (`rooms` has the first two):

- layouts: `unseen` has numbers of its own; `train` and `seen` share theirs;
- pairs of classes (task, object, target): a quarter of all is asked for in `unseen` only;
- placements: a digest of the receptacles and of what lies where says to which split a house belongs, half of all to
  `train`, a quarter each to `seen` and `unseen`; a house of another split is drawn again.

So no house of one split is one of another, whatever the seeds. Every house has a plan within the time limit, which the
exact planner of `plans` has found.
"""

from __future__ import annotations

import functools
import hashlib
import math
from typing import NamedTuple

import numpy as np

from ludarium.envs.core.errors import InstanceError
from ludarium.envs.core.rng import draw_below, episode_key
from ludarium.envs.text.household.classes import affordances
from ludarium.envs.text.household.config import HouseholdConfig
from ludarium.envs.text.household.difficulty import Difficulty, assess
from ludarium.envs.text.household.instance import Goal, House, Object, all_of, look_goal, numbered, place_goal
from ludarium.envs.text.household.placements import accepts, lies
from ludarium.envs.text.household.plans import Planner, Step, beginning
from ludarium.envs.text.household.rooms import Layout, choose, combinations, layout, layouts_of
from ludarium.envs.text.household.sentences import Part, sentence
from ludarium.envs.text.household.wishes import PLACED, settings, wanted

__all__ = ["TRIES", "Game", "generate", "generate_game", "placement_split"]

TRIES = 400
"""Houses drawn for a seed before it is given up; a task and a room are drawn anew after each 20."""
_ROUND = 20

(
    _SETTING, _LAYOUT, _TASK, _KIND, _TARGET, _LAMP, _CONFUSABLE, _OTHER, _HIDDEN, _PLACE, _HELD, _SENTENCE,
) = range(421, 433)  # fmt: skip
"""Streams of draws."""


class Game(NamedTuple):
    """A house with its proof."""

    house: House
    plan: tuple[Step, ...]
    """A shortest plan of the first agent, alone."""
    difficulty: Difficulty
    layout: int
    """The number of the room's layout."""
    parts: tuple[Part, ...]
    """What the goal asks for."""


def generate(config: HouseholdConfig, seed: int) -> House:
    """The house that a seed draws; `InstanceError` where the wishes cannot be met."""
    return generate_game(config, seed).house


def generate_game(config: HouseholdConfig, seed: int) -> Game:
    """The same with its plan and difficulty."""
    key = np.uint64(episode_key(seed))
    longest = 0
    for attempt in range(TRIES):
        draft = _Draft(config, key, attempt)
        house = draft.house()
        if house is None:
            continue
        plan = Planner(house, config.quirks).plan(beginning(house))
        if not plan:
            continue
        longest = max(longest, len(plan))
        difficulty = assess(house, plan)
        if len(plan) <= config.max_steps and config.level in ("any", difficulty.level):
            return Game(house, plan, difficulty, draft.layout.number, tuple(draft.parts))
    raise InstanceError(
        f"seed {seed}: none of {TRIES} houses meets task = {config.task!r}, room = {config.room!r}, level = "
        f"{config.level!r}, n_receptacles = {config.n_receptacles}, n_objects = {config.n_objects}, max_steps = "
        f"{config.max_steps} (longest plan found: {longest}); allow another level, more receptacles or more steps"
    )


def placement_split(house: House) -> str:
    """The split that the receptacles of a house and the things in them belong to."""
    return _split([place.kind for place in house.receptacles], [(p, o.kind) for o in house.objects for p in o.places])


def _split(receptacles: list[str], lying: list[tuple[int, str]]) -> str:
    data = repr((receptacles, sorted(lying))).encode()
    return ("train", "train", "seen", "unseen")[hashlib.blake2b(data, digest_size=8).digest()[0] % 4]


class _Draft:
    """One try at a house."""

    def __init__(self, config: HouseholdConfig, key: np.uint64, attempt: int) -> None:
        self.config, self.key, self.attempt = config, key, attempt
        setting = settings(config)
        tasks = tuple(dict.fromkeys(task for task, _ in setting))
        when = attempt // _ROUND
        task = tasks[draw_below(key, _SETTING, when, 0, 0, len(tasks))]
        rooms = [room for known, room in setting if known == task]
        room = rooms[draw_below(key, _SETTING, when, 1, 0, len(rooms))]
        self.tasks, self.task = tasks, task
        numbers = layouts_of(config.split)
        self.layout: Layout = layout(room, numbers[self.below(_LAYOUT, 0, 0, len(numbers))], config.n_receptacles)
        self.parts: list[Part] = []
        self.free = list(self.layout.holds)

    def below(self, stream: int, a: int, b: int, n: int) -> int:
        """A draw for this try."""
        return int(draw_below(self.key, stream, self.attempt, a, b, n))

    def house(self) -> House | None:
        """The house, or None where something does not fit, or the house is one of another split."""
        for n in range(self.config.parts):
            part = self._part(n)
            if part is None:
                return None
            self.parts.append(part)
        if self._goal_size() > self.config.max_goal:
            return None
        kinds, needed = self._contents()
        if len(kinds) < self.config.n_objects:
            return None
        hidden = self._hidden(kinds[:needed])
        held = self._held(kinds)
        lying: list[tuple[str, int]] = []
        for n, kind in enumerate(kinds):
            place = -1 if n == held else self._place(n, kind, hidden[n] if n < needed else None)
            if place is None:
                return None
            lying.append((kind, place))
        there = [(place, kind) for n, (kind, place) in enumerate(lying) if n != held]
        if _split([place.kind for place in self.layout.receptacles], there) != self.config.split:
            return None
        return self._furnished(lying, held)

    # --- what is asked for ---
    def _part(self, n: int) -> Part | None:
        config, task = self.config, self.task
        if n:
            rooms = tuple(t for t in self.tasks if (t, self.layout.room) in settings(config) and t in PLACED)
            task = rooms[self.below(_TASK, n, 0, len(rooms))]
        taken = {part.kind for part in self.parts}
        pairs = [pair for pair in _feasible(self.layout, task, config.split, config.sliced) if pair[0] not in taken]
        if config.hidden_depth > 0:
            pairs = [pair for pair in pairs if _hides(self.layout, task, *pair)] or pairs
        if config.two_step:
            pairs = [pair for pair in pairs if "cleanable" in affordances(pair[0])]
        kinds = tuple(dict.fromkeys(kind for kind, _ in pairs))
        if not kinds:
            return None
        kind = kinds[self.below(_KIND, n, 0, len(kinds))]
        targets = [target for known, target in pairs if known == kind]
        target = targets[self.below(_TARGET, n, 0, len(targets))]
        process = {"clean": ("clean",), "heat": ("hot",), "cool": ("cool",)}.get(task, ())
        states = (*("clean",) * config.two_step, *process, *("sliced",) * config.sliced)
        return Part(task, kind, target, states, 1 if task == "look" else wanted(config, task))

    def _goal_size(self) -> int:
        """At most so many numbers does the engine take for the goal: its cases, each with its facts."""
        cases, facts, apart = 1, 0, self.config.n_agents
        for part in self.parts:
            things = part.count + self.config.same_class_decoys
            places = sum(place.kind == part.target for place in self.layout.receptacles)
            own = math.comb(things, part.count) * (places or self.config.n_agents)
            size = part.count * (1 + len(part.states)) + 2 * (part.task == "look")
            cases, facts, apart = cases * own, facts + size, apart + 1 + own * (1 + size)
        if self.config.goals == "split":
            return apart
        return 1 + cases * (1 + facts)

    def _contents(self) -> tuple[list[str], int]:
        """The classes of all things; the first `needed` are of classes that the goal asks for."""
        config = self.config
        kinds = [part.kind for part in self.parts for _ in range(part.count + config.same_class_decoys)]
        needed = len(kinds)
        if self.task == "look":
            kinds.append(self.parts[0].target)
        if config.sliced:
            kinds.append(("Knife", "ButterKnife")[self.below(_OTHER, 0, 1, 2)])
        table = lies(self.layout.room)
        goals = {part.kind for part in self.parts}
        others = [
            kind for kind in table if kind not in goals and any(self.free[r] for r, _ in self.layout.places[kind])
        ]
        alike = [kind for kind in _alike(self.task, self.layout.room) if kind in others] or others
        often = {True: [table[kind][0] for kind in alike], False: [table[kind][0] for kind in others]}
        totals = {confusable: sum(weights) for confusable, weights in often.items()}
        while others and len(kinds) < config.n_objects:
            n = len(kinds)
            confusable = self.below(_CONFUSABLE, n, 0, 1000) < 1000 * config.distractors
            pool = alike if confusable else others
            kinds.append(pool[choose(often[confusable], self.below(_OTHER, n, 0, totals[confusable]))])
        return kinds, needed

    # --- where it lies ---
    def _hidden(self, kinds: list[str]) -> list[bool]:
        """Which things of the goal's classes lie in closed receptacles: the share that is wished for."""
        count = len(kinds)
        share = int(self.config.hidden_depth * count + 0.5)
        order = sorted(range(count), key=lambda n: (self.below(_HIDDEN, n, 0, 1 << 30), n))
        return [order.index(n) < share for n in range(count)]

    def _held(self, kinds: list[str]) -> int:
        """The thing that the first agent holds, or -1."""
        if not self.config.preheld:
            return -1
        choices = [n for n, kind in enumerate(kinds) if "pickupable" in affordances(kind)]
        return choices[self.below(_HELD, 0, 0, len(choices))]

    def _place(self, n: int, kind: str, hidden: bool | None) -> int | None:
        """A receptacle for a thing, by the layout's habits; `hidden` things of the goal's classes in closed ones."""
        spots = [(r, weight) for r, weight in self.layout.places[kind] if self.free[r] > 0]
        if hidden is not None:
            spots = self._spots_of_goal(kind, spots, hidden)
        if not spots:
            return None
        weights = [weight for _, weight in spots]
        r = spots[choose(weights, self.below(_PLACE, n, 0, sum(weights)))][0]
        self.free[r] -= 1
        return r

    def _spots_of_goal(self, kind: str, spots: list[tuple[int, int]], hidden: bool) -> list[tuple[int, int]]:
        """Not where the goal wants it already; closed or open as wished where the room has any such place."""
        part = next(part for part in self.parts if part.kind == kind)
        places = self.layout.receptacles
        if part.task in PLACED and part.states in ((), ("sliced",)):
            spots = [spot for spot in spots if places[spot[0]].kind != part.target]
        return [spot for spot in spots if places[spot[0]].openable == hidden] or spots

    # --- the datum ---
    def _furnished(self, lying: list[tuple[str, int]], held: int) -> House:
        config = self.config
        waiting: dict[str, list[int]] = {}
        for n, (kind, _) in enumerate(lying):
            waiting.setdefault(kind, []).append(n)
        objects: list[Object] = []
        in_hand = -1
        for kind, number in numbered(kind for kind, _ in lying):
            n = waiting[kind].pop(0)
            if n == held:
                in_hand = len(objects)
            places = () if n == held else (lying[n][1],)
            objects.append(Object(kind, number, places, affordances(kind)))
        kinds = sorted({kind for kind, _ in lying})
        fits = sorted((place, kind) for place in self.layout.kinds for kind in kinds if place in accepts()[kind])
        goals = tuple(_goal(part) for part in self.parts)
        split = config.goals == "split"
        style = {"plain": 0, "other": 1}.get(config.goal_text, self.below(_SENTENCE, 0, 0, 2))
        return House(
            receptacles=self.layout.receptacles,
            objects=tuple(objects),
            can_contain=tuple(fits),
            goal=all_of(*goals),
            task=_task_name(self.parts),
            sentence=sentence(tuple(self.parts), style),
            locations=self.layout.locations,
            start=self.layout.locations - 1,
            agents=config.n_agents,
            held=(in_hand, *[-1] * (config.n_agents - 1)) if held >= 0 else (),
            room=self.layout.room,
            name=f"{self.layout.room} {self.layout.number}",
            goals=goals if split else (),
            sentences=tuple(sentence((part,), style) for part in self.parts) if split else (),
        )


def _goal(part: Part) -> Goal:
    if part.task == "look":
        return look_goal(part.kind, part.target)
    return place_goal(part.kind, part.target, part.states, part.count)


def _task_name(parts: list[Part]) -> str:
    """The task type, or a name of an extension: `clean_heat`, `sliced_pick`, `pick_three`, `pick_and_heat`."""
    names = []
    for part in parts:
        name = "pick" if part.task == "pick_two" else part.task
        if part.states[:1] == ("clean",) and part.task != "clean":
            name = f"clean_{name}"
        if "sliced" in part.states:
            name = f"sliced_{name}"
        names.append(name + ("", "_two", "_three", "_four")[part.count - 1])
    return "_and_".join(names)


@functools.lru_cache(maxsize=8192)
def _feasible(where: Layout, task: str, split: str, sliced: bool) -> tuple[tuple[str, str], ...]:
    """The pairs of object and target class that this layout has places for."""
    found = []
    for kind, target in combinations(task, where.room, split, sliced):
        if task == "look":
            fits = bool(where.places[target]) and bool(where.places[kind])
        else:
            fits = target in where.kinds and any(where.receptacles[r].kind != target for r, _ in where.places[kind])
        if fits:
            found.append((kind, target))
    return tuple(found)


@functools.lru_cache(maxsize=65536)
def _hides(where: Layout, task: str, kind: str, target: str) -> bool:
    """Whether the layout has a closed place for a thing of this class, other than where it shall be brought."""
    return any(
        where.receptacles[r].openable and (task not in PLACED or where.receptacles[r].kind != target)
        for r, _ in where.places[kind]
    )


@functools.cache
def _alike(task: str, room: str) -> tuple[str, ...]:
    """The classes that a task of this type could ask for in a room, in any split."""
    pairs = combinations(task, room, "train") + combinations(task, room, "unseen")
    return tuple(dict.fromkeys(kind for kind, _ in pairs))
