"""Parameters of the path-finding worlds, checked when they are made."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from ludarium.envs.core.config import Config, at_least, one_of, true_or_false, within
from ludarium.envs.core.errors import ConfigError

__all__ = ["COLLISIONS", "GENERATORS", "MAX_ROBOTS", "MAX_SIDE", "LifelongConfig", "MapfConfig"]

COLLISIONS = ("soft", "block_both", "priority", "strict")
ON_GOAL = ("stay", "vanish", "restart")
GENERATORS = ("random", "maze", "room", "warehouse", "city")
OBSERVATIONS = ("grid", "guide", "pomapf", "mapf", "none")
MAX_ROBOTS = 30_000
MAX_SIDE = 4096
MAX_RADIUS = 128


@dataclasses.dataclass(frozen=True, kw_only=True)
class MapfConfig(Config):
    """Parameters of `mapf-v0`.

    `map` is the name of a generator (`random`, `maze`, `room`, `warehouse`, `city`: a new map for every seed), of a
    map that comes with the suite, the path of a MovingAI `.map` file, a POGEMA text map (with line breaks), or a
    sequence of the latter three (the seed chooses one). `params` sets the generator's own parameters, as pairs of name
    and value.
    """

    map: str | tuple[str, ...] = "random"
    size: int | None = None
    """Side of a square generated map; sets `height` and `width`."""
    height: int = 32
    width: int = 32
    density: float = 0.2
    """Share of obstacles of the `random` generator."""
    params: tuple[tuple[str, Any], ...] = ()
    num_robots: int = 32
    starts: tuple[tuple[int, int], ...] | None = None
    """(row, column) of each robot; needs one fixed map."""
    goals: tuple[Any, ...] | None = None
    """(row, column) of each robot's goal, or a sequence of them, taken in turn; needs `starts`."""
    collision: str = "soft"
    on_goal: str = "stay"
    """`stay`: the episode ends when all stand on their goals at once; `vanish`: a robot leaves when it arrives."""
    observation: str = "grid"
    dtype: str = "float32"
    """Item type of `grid` observations: `float32` as POGEMA's, or compact `uint8`."""
    radius: int = 5
    guide_bytes: int = 256 * 2**20
    """Bound on the cache of cost-to-go maps behind `guide` observations; never changes a result."""
    mask: bool = True
    """Offer action masks; a step without them is cheaper, which shows where nothing is observed."""
    track_density: bool = False
    """Measure the share of seen free cells that hold a robot; reads every window in every step."""
    allow_unreachable: bool = False
    """Accept given goals that cannot be reached."""
    compat: str | None = None
    """`pogema`: instances, goals and observations as POGEMA 1.4 makes them from the same seed."""

    examples: ClassVar[dict[str, tuple[Any, ...]]] = {
        "map": (*GENERATORS, "random", "random", "...#.\n.#...\n....."),
        "height": (3, 4, 5, 8, 13),
        "width": (3, 4, 5, 8, 13),
        "density": (0.0, 0.1, 0.3),
        "num_robots": (1, 2, 3, 4, 6, 9),
        "radius": (1, 2, 3, 5),
        "guide_bytes": (0, 4096),
    }
    _choices: ClassVar[dict[str, tuple[str, ...]]] = {"collision": COLLISIONS, "observation": OBSERVATIONS}
    _on_goal: ClassVar[tuple[str, ...]] = ("stay", "vanish")

    def __post_init__(self) -> None:
        if self.size is not None:
            at_least("size", self.size, 1)
            object.__setattr__(self, "height", self.size)
            object.__setattr__(self, "width", self.size)
            object.__setattr__(self, "size", None)
        super().__post_init__()

    def validate(self) -> None:
        """Check every field by itself, then those that must fit together."""
        one_of("on_goal", self.on_goal, self._on_goal)
        one_of("dtype", self.dtype, ("float32", "uint8"))
        for name, low, high in (
            ("height", 1, MAX_SIDE), ("width", 1, MAX_SIDE),
            ("num_robots", 1, MAX_ROBOTS), ("radius", 1, MAX_RADIUS),
        ):  # fmt: skip
            at_least(name, getattr(self, name), low)
            if getattr(self, name) > high:
                raise ConfigError(f"{name} = {getattr(self, name)}; expected at most {high}")
        at_least("guide_bytes", self.guide_bytes, 0)
        within("density", self.density, 0.0, 1.0)
        for name in ("mask", "track_density", "allow_unreachable"):
            true_or_false(name, getattr(self, name))
        if self.dtype == "uint8" and self.observation != "grid":
            raise ConfigError(f"dtype = 'uint8' goes with observation = 'grid' only; got {self.observation!r}")
        self._validate_map()
        self._validate_places()
        if self.compat is not None:
            self._validate_compat()

    def _validate_map(self) -> None:
        names = (self.map,) if isinstance(self.map, str) else self.map
        if not isinstance(names, tuple) or not names or not all(isinstance(name, str) and name for name in names):
            raise ConfigError(f"map = {self.map!r}; expected a name, a path, a text map, or a sequence of these")
        if len(names) > 1 and any(name in GENERATORS for name in names):
            raise ConfigError("a generator cannot stand in a list of maps; name it alone")
        if self.params and not self.generated:
            raise ConfigError(f"params belong to a map generator; map = {self.map!r:.80} is none of {GENERATORS}")
        if self.generated and self.num_robots > self.height * self.width:
            raise ConfigError(f"{self.num_robots} robots do not fit on {self.height} x {self.width} cells")

    def _validate_places(self) -> None:
        if self.starts is None:
            if self.goals is not None:
                raise ConfigError("goals without starts; give both, or neither")
            return
        if self.generated or not isinstance(self.map, str):
            raise ConfigError("starts and goals need one fixed map; a generated map differs with every seed")
        if self.goals is None:
            raise ConfigError("starts without goals; give both, or neither")
        if len(self.starts) != self.num_robots or len(self.goals) != self.num_robots:
            raise ConfigError(
                f"{len(self.starts)} starts and {len(self.goals)} goals for {self.num_robots} robots; set num_robots"
            )

    def _validate_compat(self) -> None:
        one_of("compat", self.compat, ("pogema",))
        if self.collision == "strict" or not (self.map == "random" or not self.generated):
            raise ConfigError("compat = 'pogema' knows its three collision rules and 'random' or given maps")

    @property
    def generated(self) -> bool:
        """Whether each seed draws its own map."""
        return self.map in GENERATORS

    @property
    def maps(self) -> tuple[str, ...]:
        """The fixed maps, if the map is not generated."""
        return () if self.generated else (self.map,) if isinstance(self.map, str) else self.map

    def generator_params(self) -> dict[str, Any]:
        """The parameters of the generator, `density` included where it takes one."""
        given = dict(self.params)
        return {"density": self.density, **given} if self.map == "random" else given


@dataclasses.dataclass(frozen=True, kw_only=True)
class LifelongConfig(MapfConfig):
    """Parameters of `mapf-lifelong-v0`: a robot that reaches its goal gets a new one."""

    on_goal: str = "restart"
    _on_goal: ClassVar[tuple[str, ...]] = ("restart",)
