"""Parameters of the cooking games, checked when they are made."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from ludarium.envs.core.config import Config, at_least
from ludarium.envs.core.errors import ConfigError

__all__ = ["HOUSES", "SPLITS", "STYLES", "CookingConfig"]

HOUSES = (1, 6, 9, 12)
SPLITS = ("train", "valid", "test", "all")
STYLES = ("plain", "varied")
MAX_SEED = 2**31


@dataclasses.dataclass(frozen=True, kw_only=True)
class CookingConfig(Config):
    """Parameters of `text-cooking-v0`: the skills of TextWorld's cooking challenge."""

    max_steps: int = 100
    recipe: int = 3
    """Ingredients of the recipe, 1 to 5."""
    take: int = 3
    """Ingredients that must be found; the player holds the others at first."""
    go: int = 6
    """Rooms: 1, 6, 9 or 12."""
    open: bool = True
    """Doors and containers are closed at first."""
    cook: bool = True
    """Every ingredient must be cooked; else each is cooked as it should be."""
    cut: bool = True
    """Every ingredient must be cut; else each is cut as it should be."""
    drop: bool = False
    """The player can carry no more things than the recipe has ingredients (two, where one must be cut)."""
    recipe_seed: int = 0
    """Above 0: another recipe from the foods of the same house; needs `take` of at least 1."""
    split: str = "train"
    """The foods there are: no food is in two splits; `all` has those of all three."""
    style: str = "plain"
    """`plain`: one sentence for each thing to say; `varied`: the seed chooses among several."""

    _choices: ClassVar[dict[str, tuple[str, ...]]] = {"split": SPLITS, "style": STYLES}
    examples: ClassVar[dict[str, tuple[Any, ...]]] = {
        "go": HOUSES, "recipe": (1, 2, 3, 4, 5), "take": (0, 1, 2), "recipe_seed": (0, 1, 7),
    }  # fmt: skip

    def validate(self) -> None:
        """Check each number, then that they fit together."""
        for name, low, high in (("recipe", 1, 5), ("take", 0, 5), ("recipe_seed", 0, MAX_SEED)):
            at_least(name, getattr(self, name), low)
            if getattr(self, name) > high:
                raise ConfigError(f"{name} = {getattr(self, name)}; expected at most {high}")
        if self.go not in HOUSES or isinstance(self.go, bool):
            raise ConfigError(f"go = {self.go!r}; expected one of {', '.join(map(str, HOUSES))}")
        for name in ("open", "cook", "cut", "drop"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"{name} = {getattr(self, name)!r}; expected true or false")
        if self.take > self.recipe:
            raise ConfigError(
                f"take = {self.take} of recipe = {self.recipe} ingredients; expected at most {self.recipe}"
            )
        if self.recipe_seed and not self.take:
            raise ConfigError("recipe_seed needs take >= 1: the ingredients of another recipe must be found")
