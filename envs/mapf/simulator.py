"""The path-finding simulator: the contract over the kernels of `dynamics` and `observe`."""

from __future__ import annotations

import functools
import threading
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs.core.compile import DISABLED, bind
from ludarium.envs.core.errors import ConfigError, InstanceError, NotClaimedError
from ludarium.envs.core.frozen import freeze
from ludarium.envs.core.laws.relations import Relation
from ludarium.envs.core.scene import Scene
from ludarium.envs.core.simulator import ArraySimulator, Buffers, Choice, Out, Role, Turner, every_seat
from ludarium.envs.core.state import Field
from ludarium.envs.mapf import dynamics, language, observe, relations, reset, scene
from ludarium.envs.mapf.alone import alone
from ludarium.envs.mapf.config import COLLISIONS, ON_GOAL, MapfConfig
from ludarium.envs.mapf.generate import map_scalars
from ludarium.envs.mapf.grid import UNREACHABLE, neighbours
from ludarium.envs.mapf.guides import Guides
from ludarium.envs.mapf.instance import Instance
from ludarium.envs.mapf.maps import load_map
from ludarium.envs.mapf.placement import component_lists, pool_lists

__all__ = ["Mapf"]

_LOOK_AHEAD = 8
"""Goals after the present one that full information shows."""
_NOTHING_GIVEN = 1
_WINDOWS, _PLACES = ("obstacles", "agents"), ("xy", "target_xy")


class Mapf(ArraySimulator):
    """Robots move on a grid, all at once, each to its own goal.

    In every step each robot waits or moves to one of the four neighbouring cells. No two robots may stand in one
    cell, and no two may swap cells; a robot whose move is not possible stays where it is. Moves: 0 wait, 1 up, 2 down,
    3 left, 4 right.
    """

    State = dynamics.State
    faults = ("none", "obstacle", "vertex", "swap", "blocked")
    masked_faults = ("obstacle",)
    costs = ("sum_of_costs", "makespan")

    def __init__(self, config: MapfConfig) -> None:
        self.config: MapfConfig = config
        self.maps = tuple(load_map(name) for name in config.maps)
        self.height = max([m.grid.shape[0] for m in self.maps], default=config.height)
        self.width = max([m.grid.shape[1] for m in self.maps], default=config.width)
        self.lifelong = config.on_goal == "restart"
        self.roles = (Role("robot", config.num_robots, self._observation_space(), spaces.Discrete(5)),)
        self.scalars = self._scalars()
        self.fixed = self._fixed_instance()
        self.instances_in_python = self.fixed is not None or config.compat is not None
        longest = max((len(goals) for goals in self.fixed.goals), default=1) if self.fixed else _NOTHING_GIVEN
        self.capacity = config.max_steps + 1 if config.compat and self.lifelong else longest
        self.pool = self._pool()
        self.masked = config.mask
        # one kernel does a whole turn where there is a compiler and the observation is made of arrays alone
        self.whole_turns = not DISABLED and config.observation in ("grid", "pomapf", "none")

    # --- spaces and parameters ---
    def _observation_space(self) -> spaces.Space[Any]:
        c, side = self.config, 2 * self.config.radius + 1
        if c.observation == "none":
            return spaces.Box(0, 1, (0,), np.float32)
        if c.observation == "grid":
            return spaces.Box(0, 1, (3, side, side), np.dtype(c.dtype).type)
        if c.observation == "guide":
            low = np.zeros((4, side, side), np.float32)
            low[3] = -1
            return spaces.Box(low, np.ones_like(low), dtype=np.float32)
        window = spaces.Box(0, 1, (side, side), np.float32)
        far = max(self.height, self.width)
        place = spaces.Box(-far, far, (2,), np.int32)
        parts: dict[str, spaces.Space[Any]] = {"obstacles": window, "agents": window, "xy": place, "target_xy": place}
        if c.observation == "mapf":
            padded = (self.height + 2 * c.radius, self.width + 2 * c.radius)
            inside = spaces.Box(0, far + 2 * c.radius, (2,), np.int32)
            parts |= {
                "global_obstacles": spaces.Box(0, 1, padded, np.float32),
                "global_xy": inside,
                "global_target_xy": inside,
            }
        return spaces.Dict(parts)

    def _scalars(self) -> dynamics.Scalars:
        c = self.config
        kind = map_scalars(str(c.map), **c.generator_params())[1:] if c.generated else (0, 0, 0, 0, 0.0, 0.0)
        scalars = dynamics.Scalars(
            c.num_robots, self.height, self.width, max(c.radius, 1), c.radius, COLLISIONS.index(c.collision),
            ON_GOAL.index(c.on_goal), c.max_steps, int(c.compat is not None), int(c.track_density), *kind,
        )  # fmt: skip
        return freeze(scalars, dynamics.variant(scalars))

    def fields(self) -> tuple[Field, ...]:
        """The layout of the state."""
        return dynamics.fields(self.config.num_robots, self.height, self.width, self.scalars.pad, self.capacity)

    def new(self, rows: int) -> dynamics.State:
        """Allocate a state whose scratch is ready."""
        state: dynamics.State = super().new(rows)
        state.claim[:] = -1
        state.inst[:] = dynamics.GENERATED
        return state

    # --- maps and instances ---
    def _pool(self) -> dynamics.Pool:
        count, area = len(self.maps), self.height * self.width
        pool = dynamics.Pool(
            np.ones((count, self.height, self.width), np.uint8), np.zeros((count, 2), np.int32),
            np.zeros((count, area), np.int32), np.zeros(count, np.int32),
            np.zeros((count, area), np.int32), np.zeros((count, area + 1), np.int32),
            np.zeros((count, area), np.int32), np.zeros((count, area + 1), np.int32),
        )  # fmt: skip
        for p, named in enumerate(self.maps):
            height, width = named.grid.shape
            pool.grid[p, :height, :width] = named.grid
            pool.size[p] = height, width
            cells, first = np.zeros(area, np.int32), np.zeros(area + 1, np.int32)
            found = component_lists(pool.grid[p], height, width, pool.label[p], cells, first)
            pool.parts[p] = found
            for wanted, to_cells, to_first in (
                (named.start_pool, pool.start_cells[p], pool.start_first[p]),
                (named.goal_pool, pool.goal_cells[p], pool.goal_first[p]),
            ):
                marks = np.ones(area, np.uint8)
                if wanted is not None:
                    marks[: height * width] = np.asarray(wanted, np.uint8).reshape(-1)
                pool_lists(pool.label[p], cells, first, found, marks, to_cells, to_first)
        return freeze(pool)

    def _fixed_instance(self) -> Instance | None:
        c = self.config
        if c.starts is not None:
            return self._checked(Instance.of(self.maps[0].grid, c.starts, c.goals or (), c.maps[0][:80]))
        if len(self.maps) == 1 and self.maps[0].starts is not None and self.maps[0].goals is not None:
            named, width = self.maps[0], self.maps[0].width
            starts = [divmod(int(cell), width) for cell in self.maps[0].starts]
            goals = [divmod(int(cell), width) for cell in self.maps[0].goals]
            return self._checked(Instance.of(named.grid, starts, goals, named.name))
        return None

    def _checked(self, instance: Instance) -> Instance:
        if len(instance.starts) != self.config.num_robots or len(instance.goals) != self.config.num_robots:
            raise InstanceError(
                f"the instance has {len(instance.starts)} starts and {len(instance.goals)} lists of goals "
                f"for {self.config.num_robots} robots"
            )
        instance.validate(
            lifelong=self.lifelong,
            distinct_goals=self.config.on_goal == "stay",
            allow_unreachable=self.config.allow_unreachable,
        )
        return instance

    def instance(self, seed: int) -> Instance:
        """The instance that a seed draws: map, starts and first goals (whole streams under `compat`)."""
        if self.fixed is not None:
            return self.fixed
        if self.config.compat:
            return self._pogema(seed)
        state = self.new(1)
        self.reset(state, np.ones(1, np.bool_), np.array([seed], np.int64), np.full(1, -1, np.int32))
        height, width = state.size[0]
        pad = self.scalars.pad
        grid = state.walls[0, pad : pad + height, pad : pad + width]
        return Instance.of(grid, state.pos[0].tolist(), state.goal[0].tolist(), f"{self.config.map!s:.40}/{seed}")

    def _pogema(self, seed: int) -> Instance:
        from ludarium.envs.mapf.pogema import PogemaGoals, pogema_instance

        c = self.config
        grid, starts, goals = pogema_instance(
            seed,
            self.height,
            self.width,
            c.density,
            c.num_robots,
            map=None if c.generated else self.maps[0].grid,
        )
        listed: list[Any] = [[tuple(goal)] for goal in goals]
        if self.lifelong:
            streams = PogemaGoals(seed, c.num_robots, grid)
            for i, own in enumerate(listed):
                for _ in range(c.max_steps):
                    own.append(tuple(streams.next(i, own[-1])))
        return Instance.of(grid, [tuple(start) for start in starts], listed, f"pogema/{seed}")

    def load(self, state: dynamics.State, row: int, instance: Any) -> None:
        """Put an `Instance` (or its JSON form) into a row."""
        given = instance if isinstance(instance, Instance) else Instance.from_data(instance)
        if given is not self.fixed and not self.config.compat:
            self._checked(given)
        height, width = given.grid.shape
        longest = max(len(goals) for goals in given.goals)
        if height > self.height or width > self.width or longest > state.given.shape[2]:
            raise InstanceError(
                f"an instance of {height} x {width} cells and up to {longest} goals a robot; this environment holds "
                f"{self.height} x {self.width} and {state.given.shape[2]}; make it with a larger height, width or horizon"
            )
        state.plain[:height, :width] = given.grid
        reset.lay_loaded(state, self.scalars, row, height, width)
        state.given[row] = -1
        for i, goals in enumerate(given.goals):
            places = np.asarray(goals, np.int32)
            state.given[row, i, : len(goals)] = places[:, 0] * width + places[:, 1]
        places = np.asarray(given.starts, np.int32)
        state.starts[row] = places[:, 0] * width + places[:, 1]

    def instance_hash(self, state: dynamics.State, row: int) -> str:
        """The hash of map, starts and the goals that were given."""
        return self._instance_of(state, row).hash

    def _instance_of(self, state: dynamics.State, row: int) -> Instance:
        height, width = state.size[row]
        pad = self.scalars.pad
        grid = np.ascontiguousarray(state.walls[row, pad : pad + height, pad : pad + width])
        if state.inst[row] == dynamics.LOADED:
            goals = [[divmod(int(cell), int(width)) for cell in own if cell >= 0] for own in state.given[row]]
            return Instance(
                grid, tuple(divmod(int(c), int(width)) for c in state.starts[row]), tuple(map(tuple, goals))
            )
        return Instance(grid, (), ())

    # --- reset and step ---
    def reset(self, state: Any, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
        """Begin episodes; `InstanceError` if a map is too small for the robots."""
        if slots.max(initial=-1) >= len(self.maps):
            raise ConfigError(f"slot {slots.max()}; this environment's pool has {len(self.maps)} maps")
        if self.config.generated:
            reset.LAY[str(self.config.map)](state, self.scalars, which, seeds, slots)
        bad = reset.reset(state, self.scalars, self.pool, which, seeds, slots)
        if bad >= 0:
            raise InstanceError(
                f"need places for {self.config.num_robots} robots, can place {state.placed[bad]} (seed {seeds[bad]}); "
                "take fewer robots, a larger map, or a lower density"
            )

    def step(self, state: Any, actions: tuple[Any, ...], out: Out) -> None:
        """Advance every row."""
        dynamics.step(state, self.scalars, actions[0], *out)

    def without_observations(self) -> Mapf:
        """The same world, observed by nobody."""
        return type(self)(self.config.replace(observation="none", dtype="float32"))

    def play_through(
        self, state: Any, recorded: list[Any], stop: NDArray[np.int32], actions: tuple[Any, ...], out: Out
    ) -> bool:
        """Many recorded steps of many rows in one compiled call."""
        from ludarium.envs.mapf.playback import play_through

        if recorded[0].dtype != np.uint8 or recorded[0].shape[2:] != (self.config.num_robots,):
            return False
        play_through(state, self.scalars, recorded[0], stop, actions[0], *out)
        return True

    def check(self, state: Any, actions: tuple[Any, ...], fault: NDArray[np.int16]) -> None:
        """Find the conflicts of these actions."""
        dynamics.check(state, self.scalars, actions[0], fault)

    def turner(self, state: Any, io: Buffers) -> Turner:
        """Check, step, observe and mask in one compiled call."""
        if not self.whole_turns:
            return super().turner(state, io)
        kind, seen = self.config.observation, io.observed[0]
        kernel = {"none": observe.turn_blind, "pomapf": observe.turn_windows, "grid": observe.turn_grid}[kind]
        (every,) = every_seat(self.roles, len(state.t))
        seats = every.copy()
        mask = np.zeros((0, 0, 5), np.int8) if io.masks[0] is None else io.masks[0]
        out = seen if kind == "grid" else np.zeros((0, 0, 0, 0, 0), np.float32)
        windows: list[Any] = [
            seen[name] if kind == "pomapf" else np.zeros((0, 0, 0, 0), np.float32) for name in _WINDOWS
        ]
        places: list[Any] = [seen[name] if kind == "pomapf" else np.zeros((0, 0, 0), np.int32) for name in _PLACES]
        buffers = observe.Turn(
            state, self.scalars, seats, io.actions[0], *io.out, mask, io.summary, io.logs[0], out, *windows, *places
        )
        held = freeze(buffers)
        compiled = bind(kernel, True, held)

        def look(wanted: tuple[NDArray[np.int32], ...]) -> None:
            seats[...] = wanted[0]
            compiled(False, held)
            seats[...] = every

        return Turner(functools.partial(compiled, True, held), look)

    # --- views ---
    def observe(self, state: Any, role: int, seats: NDArray[np.int32], out: Any) -> None:
        """Write the windows of the listed robots."""
        c, kind = self.scalars, self.config.observation
        if kind == "none":
            return
        if kind == "grid":
            observe.observe_grid(state, c, seats, out)
        elif kind == "guide":
            observe.observe_grid(state, c, seats, out)
            self._observe_guides(state, seats, out)
        else:
            observe.observe_pomapf(state, c, seats, *(out[name] for name in _WINDOWS + _PLACES))
            if kind == "mapf":
                self._observe_globally(state, seats, out)

    def _observe_globally(self, state: dynamics.State, seats: NDArray[np.int32], out: Any) -> None:
        pad, radius = self.scalars.pad, self.config.radius
        cut = slice(pad - radius, None if pad == radius else radius - pad)
        out["global_obstacles"][...] = state.walls[:, None, cut, cut]
        rows = np.arange(len(seats))[:, None]
        out["global_xy"][...] = state.pos[rows, seats] + radius
        out["global_target_xy"][...] = state.goal[rows, seats] + radius

    def _observe_guides(self, state: dynamics.State, seats: NDArray[np.int32], out: Any) -> None:
        with self._guide_lock:  # environments of one config share the cache, and may be in several threads
            self._write_guides(state, seats, out)

    @functools.cached_property
    def _guide_lock(self) -> threading.Lock:
        return threading.Lock()

    def _write_guides(self, state: dynamics.State, seats: NDArray[np.int32], out: Any) -> None:
        for b, row in enumerate(seats):
            guides = self._guides(state, b)
            width = int(state.size[b, 1])
            for n, i in enumerate(row):
                if i >= 0:
                    goal = int(state.goal[b, i, 0]) * width + int(state.goal[b, i, 1])
                    observe.cost_to_go(state, self.scalars, b, int(i), guides.row(goal), UNREACHABLE, out[b, n, 3])

    def _guides(self, state: dynamics.State, b: int) -> Guides:
        """The cost-to-go maps of row b's map, kept by the map's content and bounded by the config's bytes."""
        height, width = state.size[b]
        pad = self.scalars.pad
        grid = np.ascontiguousarray(state.walls[b, pad : pad + height, pad : pad + width])
        key = grid.shape, grid.tobytes()
        if key not in self._guide_cache:
            while len(self._guide_cache) >= 64:
                self._guide_cache.pop(next(iter(self._guide_cache)))
            self._guide_cache[key] = Guides(grid, self.config.guide_bytes // 64)
        return self._guide_cache[key]

    @functools.cached_property
    def _guide_cache(self) -> dict[Any, Guides]:
        return {}

    def action_mask(self, state: Any, role: int, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
        """Moves that no obstacle stops; other robots are not looked at, since they move too."""
        observe.action_mask(state, self.scalars, seats, out)

    def extras(self, state: Any) -> dict[str, NDArray[Any]]:
        """What each robot did, and whether it stands on its goal."""
        return {"executed_action": state.executed, "on_goal": state.on_goal}

    def full(self, state: Any, row: int, information: str = "full") -> Any:
        """A `PlannerView`; goals to come only under `full`."""
        from ludarium.agents.mapf.planner import PlannerView

        if information == "local":
            raise NotClaimedError("the view 'state' shows the whole map; the information of this task is 'local'")
        height, width = (int(n) for n in state.size[row])
        pad = self.scalars.pad
        ahead = _LOOK_AHEAD if self.lifelong and information == "full" else 0
        upcoming = np.full((self.config.num_robots, ahead), -1, np.int32)
        if ahead:
            dynamics.look_ahead(state, row, upcoming)
        return PlannerView(
            np.ascontiguousarray(state.walls[row, pad : pad + height, pad : pad + width]),
            state.pos[row, :, 0] * width + state.pos[row, :, 1],
            state.goal[row, :, 0] * width + state.goal[row, :, 1],
            state.active[row].copy(), upcoming, int(state.t[row]), self.config.max_steps, self.lifelong,
        )  # fmt: skip

    # --- figures ---
    def metrics(self, state: Any) -> dict[str, NDArray[Any]]:
        """Figures of the episode so far, under the field's names (Stern et al. 2019; POGEMA benchmark)."""
        steps = np.maximum(state.t, 1)
        figures: dict[str, NDArray[Any]] = {}
        if self.lifelong:
            figures["goals_reached"] = state.reached.sum(1).astype(np.int64)
            figures["throughput"] = figures["goals_reached"] / steps
        else:
            figures |= self._one_shot(state)
        for code, name in enumerate(self.faults[1:], 1):
            figures[f"conflicts_{name}"] = state.conflicts[:, code].astype(np.int64)
        if self.config.track_density:
            figures["density"] = state.crowd / (state.t + 1)
        return figures

    def _one_shot(self, state: dynamics.State) -> dict[str, NDArray[Any]]:
        there = state.on_goal if self.config.on_goal == "stay" else ~state.active
        counted = there
        if self.config.compat and self.config.on_goal == "stay":
            counted = state.arrived >= 0  # a robot that leaves its goal on the last step has arrived
        cost = np.where(counted, state.arrived, state.t[:, None]).astype(np.int64)
        if self.config.compat:
            cost = np.maximum(cost, 1)
        return {
            "csr": there.all(1).astype(np.int64),
            "isr": there.mean(1),
            "sum_of_costs": cost.sum(1),
            "makespan": cost.max(1),
            "ep_length": cost.mean(1) if self.config.on_goal == "vanish" else state.t.astype(np.int64),
        }

    def bounds(self, state: Any, row: int) -> dict[str, float]:
        """The collision-free bound: what the robots would do if each had the map to itself.

        Lifelong: the highest throughput of a whole episode; one-shot: the lowest sum of costs and makespan.
        """
        height, width = (int(n) for n in state.size[row])
        pad = self.scalars.pad
        grid = np.ascontiguousarray(state.walls[row, pad : pad + height, pad : pad + width])
        best = np.zeros(self.config.num_robots, np.int64)
        alone(state, self.scalars, row, neighbours(grid), best)
        if self.lifelong:
            return {"throughput": float(best.sum()) / self.config.max_steps}
        return {"sum_of_costs": float(best.sum()), "makespan": float(best.max())}

    def invariants(self, state: Any) -> dict[str, NDArray[np.bool_]]:
        """What no step may break."""
        pad = self.scalars.pad
        rows = np.arange(len(state.t))[:, None]
        at = (rows, state.pos[:, :, 0] + pad, state.pos[:, :, 1] + pad)
        numbers = np.arange(self.config.num_robots)
        active, counted = state.active, state.busy.sum((1, 2), dtype=np.int64)
        width = state.size[:, 1:].astype(np.int64)
        here, there = (state.label[rows, cell[:, :, 0] * width + cell[:, :, 1]] for cell in (state.pos, state.goal))
        robots = (state.occ >= 0).sum((1, 2))
        return {
            "no two robots share a cell": ((state.occ[at] == numbers) | ~active).all(1) & (robots == active.sum(1)),
            "no robot stands on an obstacle": ((state.walls[at] == 0) | ~active).all(1),
            "the agents channel holds every robot": (counted == active.sum(1)) | bool(self.config.compat),
            "only lifelong robots reach more than one goal": np.full(len(state.t), self.lifelong)
            | (state.reached <= 1).all(1),
            "every goal is in reach of its robot": (here == there).all(1) | self.config.allow_unreachable,
            "crowding is summed only where it is tracked": (state.crowd == 0) | bool(self.scalars.track_density),
            "no more goals than steps": (state.reached <= state.t[:, None]).all(1),
        }

    def relations(self) -> tuple[Relation, ...]:
        """The map mirrored and transposed; the robots relabelled where the rule knows no ranks."""
        return relations.relations(self.config)

    # --- language and picture ---
    def rules(self) -> str:
        """The rules in words."""
        return language.rules(self)

    def describe(self, state: Any, row: int, seat: int) -> str:
        """What a robot sees, in words."""
        return language.describe(self, state, row, seat)

    def menu(self, state: Any, row: int, seat: int) -> list[Choice]:
        """The moves that no obstacle stops."""
        return language.menu(self, state, row, seat)

    def verbs(self) -> dict[str, tuple[str, ...]]:
        """Waiting and moving."""
        return {"wait": (), "move": ("direction",)}

    def explain(self, state: Any, row: int, seat: int, action: Any, code: int) -> str:
        """Why a move did not happen."""
        return language.explain(self, state, row, seat, action, code)

    def scene(self, state: Any, row: int) -> Scene:
        """The picture of a row."""
        return scene.scene(self, state, row)
