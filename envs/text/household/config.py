"""Parameters of the household, checked when they are made."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from ludarium.envs.core.config import Config, at_least, one_of, true_or_false, within
from ludarium.envs.core.errors import ConfigError
from ludarium.envs.text.household.classes import ROOMS, TASKS
from ludarium.envs.text.household.wishes import SPLITS, check_wishes

__all__ = ["DIALECTS", "LEVELS", "REWARDS", "SPLITS", "HouseholdConfig"]

DIALECTS = ("0.3", "0.4")
REWARDS = ("sparse", "alfworld", "progress")
LEVELS = ("easy", "medium", "hard", "expert")
MAX_OBJECTS = 240
MAX_RECEPTACLES = 240


@dataclasses.dataclass(frozen=True, kw_only=True)
class HouseholdConfig(Config):
    """Parameters of `text-household-v0`.

    A house is drawn from the seed by the generator, or from a pool: `pool` houses of the generator, or the games of an
    ALFWorld folder (`games`).
    """

    max_steps: int = 50
    task: str = "any"
    """One of the six task types, or `any`: the seed chooses."""
    room: str = "any"
    """The kind of room, or `any`: the seed chooses among those where the task can be done."""
    level: str = "any"
    """How long the shortest plan and the search are: quantiles of what the generator draws, or `any`."""
    n_receptacles: int = 14
    n_objects: int = 20
    distractors: float = 0.5
    """The share of the other objects that a task of the same type could have asked for."""
    same_class_decoys: int = 1
    """Further objects of the target's class; any of them will do."""
    hidden_depth: float = 0.5
    """The share of target objects that begin in closed receptacles, where the room has any."""
    preheld: bool = False
    """The first agent begins with something in its hand."""
    n_agents: int = 1
    goals: str = "shared"
    """Whether all agents have one goal, or each has its own (`split`), which the others are not told."""
    say_tokens: int = 0
    """Words that each agent may say to the others in an episode; 0: agents cannot speak."""
    goal_text: str = "plain"
    """Which of the two sentences a task type has: `plain`, `other`, or `any`: the seed chooses."""
    split: str = "train"
    """`seen` has new houses in layouts that `train` has too; `unseen` has layouts and class pairs of its own."""
    two_step: bool = False
    """Heat and cool tasks ask for a clean object too."""
    sliced: bool = False
    """The goal asks for a sliced object."""
    count: int = 0
    """The goal asks for so many objects of the class in one receptacle; 0: as the task type says."""
    conjuncts: int = 1
    """The goal asks for so many things at once, of different classes."""
    dialect: str = "0.4"
    """Words of commands and feedback: ALFWorld 0.3's (`put`, `You arrive at loc 7.`) or 0.4's (`move`)."""
    error_style: str = "alfworld"
    """What a command without effect is answered with: `Nothing happens.`, or a `helpful` sentence."""
    quirks: bool = True
    """Slice and switch on things in closed receptacles too, as ALFWorld's rules have it."""
    reward: str = "sparse"
    """1 at the end (`alfworld`: 10); `progress` adds the change of the share of goal facts that hold."""
    pool: int = 0
    """So many houses are drawn once, and every seed draws one of them; 0: every seed has a house of its own."""
    games: str | None = None
    """A folder of ALFWorld games, or one game file, to draw houses from."""
    max_receptacles: int = 0
    """Room for receptacles in arrays and actions; 0: as many as `n_receptacles`."""
    max_objects: int = 0
    """Room for objects; 0: as many as `n_objects`."""
    max_locations: int = 0
    """Room for locations; 0: one for each receptacle and one to start from."""
    max_copies: int = 1
    """In how many receptacles of one location an object can be listed; above 1 in real data only."""
    max_goal: int = 1024
    """Room for the goal's cases, in facts."""
    max_bytes: int = 8192
    """Room for the packed house itself, in bytes."""

    examples: ClassVar[dict[str, tuple[Any, ...]]] = {
        # a shorter limit leaves most tasks without a plan, and a level keeps few of the houses drawn: hundreds for one seed
        "max_steps": (20, 24, 30, 200),
        "level": ("any",),
        "n_receptacles": (8, 10, 14),
        "n_objects": (8, 12, 20),
        "max_receptacles": (0, 16),
        "max_objects": (0, 24),
        "max_locations": (0, 20),
        "max_copies": (1, 2),
        "max_goal": (1024,),
        "max_bytes": (8192,),
        "hidden_depth": (0.0, 0.5, 1.0),
        "n_agents": (1, 2, 3),
        "say_tokens": (0, 30),
        "pool": (0, 2),
        "same_class_decoys": (0, 1, 2),
        "distractors": (0.0, 0.5, 1.0),
        "games": (None,),
    }
    _choices: ClassVar[dict[str, tuple[str, ...]]] = {
        "task": ("any", *TASKS),
        "room": ("any", *ROOMS),
        "level": ("any", *LEVELS),
        "goals": ("shared", "split"),
        "goal_text": ("plain", "other", "any"),
        "split": SPLITS,
        "dialect": DIALECTS,
        "reward": REWARDS,
    }

    def __post_init__(self) -> None:
        if isinstance(self.dialect, float):  # as command lines and TOML files read 0.3
            object.__setattr__(self, "dialect", str(self.dialect))
        super().__post_init__()

    def validate(self) -> None:
        """Check every field by itself, then those that must fit together."""
        one_of("error_style", self.error_style, ("alfworld", "helpful"))
        for name, low, high in (
            ("n_receptacles", 5, 40), ("n_objects", 4, 100), ("n_agents", 1, 4), ("same_class_decoys", 0, 20),
            ("count", 0, 4), ("conjuncts", 1, 3), ("say_tokens", 0, 10_000),
            ("pool", 0, 100_000), ("max_receptacles", 0, MAX_RECEPTACLES), ("max_objects", 0, MAX_OBJECTS),
            ("max_locations", 0, 1000), ("max_copies", 1, 8), ("max_goal", 8, 1 << 20), ("max_bytes", 256, 1 << 20),
        ):  # fmt: skip
            at_least(name, getattr(self, name), low)
            if getattr(self, name) > high:
                raise ConfigError(f"{name} = {getattr(self, name)}; expected at most {high}")
        within("hidden_depth", self.hidden_depth, 0.0, 1.0)
        within("distractors", self.distractors, 0.0, 1.0)
        for name in ("preheld", "quirks", "two_step", "sliced"):
            true_or_false(name, getattr(self, name))
        if self.n_agents == 1 and (self.goals == "split" or self.say_tokens):
            raise ConfigError(
                f"goals = {self.goals!r} and say_tokens = {self.say_tokens} are for several robots; set n_agents to 2 to 4"
            )
        if self.goals == "split" and (self.conjuncts > 1 or self.games is not None):
            raise ConfigError(
                "goals = 'split' is for generated houses with one part a robot; leave conjuncts and games"
            )
        if self.games is not None and (not isinstance(self.games, str) or self.pool):
            raise ConfigError("games is the path of a folder or file, and is a pool by itself; leave pool = 0")
        if self.games is None:
            check_wishes(self)
            for name, wanted in (("max_receptacles", self.n_receptacles), ("max_objects", self.n_objects)):
                if 0 < getattr(self, name) < wanted:
                    raise ConfigError(
                        f"{name} = {getattr(self, name)} is too little for the {wanted} that are asked for"
                    )

    @property
    def parts(self) -> int:
        """How many things generated goals ask for."""
        return self.n_agents if self.goals == "split" else self.conjuncts

    @property
    def receptacles(self) -> int:
        """Room for receptacles."""
        return self.max_receptacles or self.n_receptacles

    @property
    def objects(self) -> int:
        """Room for objects."""
        return self.max_objects or self.n_objects

    @property
    def locations(self) -> int:
        """Room for locations."""
        return self.max_locations or self.receptacles + 1
