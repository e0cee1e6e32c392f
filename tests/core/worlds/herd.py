"""A herd: one grouped seat whose members move together, and a wind with a float action. Dict observations, no masks."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel
from ludarium.envs.core.config import Config, at_least
from ludarium.envs.core.registry import World, register
from ludarium.envs.core.rng import draw, episode_key, unit
from ludarium.envs.core.simulator import ArraySimulator, Out, Role
from ludarium.envs.core.state import COMMON, Field


@dataclasses.dataclass(frozen=True, kw_only=True)
class HerdConfig(Config):
    max_steps: int = 30
    members: int = 5

    def validate(self) -> None:
        at_least("members", self.members, 1)


class State(NamedTuple):
    key: NDArray[np.uint64]
    t: NDArray[np.int32]
    over: NDArray[np.bool_]
    live: NDArray[np.bool_]
    inst: NDArray[np.int32]
    place: NDArray[np.float64]


@kernel
def reset(s, which, seeds):
    for b in range(which.shape[0]):
        if which[b]:
            s.key[b] = episode_key(seeds[b])
            s.t[b], s.inst[b] = 0, -1
            s.over[b] = False
            s.live[b] = True
            for i in range(s.place.shape[1]):
                s.place[b, i] = 4.0 * unit(draw(s.key[b], 1, i, 0, 0)) - 2.0


@kernel
def step(s, limit, moves, wind, reward, terminated, truncated, fault):
    for b in range(s.t.shape[0]):
        if s.over[b]:
            continue
        s.t[b] += 1
        far = 0.0
        for i in range(s.place.shape[1]):
            s.place[b, i] += (moves[b, 0, i] - 1) + np.float64(wind[b, 0, 0])
            far += abs(s.place[b, i])
        fault[b] = 0
        reward[b, 0] = -far / s.place.shape[1]
        reward[b, 1] = -reward[b, 0]
        home = far < 0.5 * s.place.shape[1]
        terminated[b] = home
        truncated[b] = not home and s.t[b] >= limit
        if home or truncated[b]:
            s.over[b] = True
            s.live[b] = False


class Herd(ArraySimulator):
    """All members want to be at 0; the wind drives them away."""

    State = State
    views = ("array",)

    def __init__(self, config: HerdConfig) -> None:
        self.config: HerdConfig = config
        n = config.members
        far = spaces.Box(-1e6, 1e6, (n,), np.float64)
        self.roles = (
            Role(
                "herd",
                1,
                spaces.Dict({"place": far, "t": spaces.Discrete(10**6)}),
                spaces.MultiDiscrete([3] * n),
                members=n,
            ),
            Role("wind", 1, far, spaces.Box(-0.5, 0.5, (1,), np.float32)),
        )

    def fields(self) -> tuple[Field, ...]:
        return (*COMMON(2), Field("place", np.float64, (self.config.members,)))

    def reset(self, state: Any, which: Any, seeds: Any, slots: Any) -> None:
        reset(state, which, seeds)

    def step(self, state: Any, actions: tuple[Any, ...], out: Out) -> None:
        step(state, self.config.max_steps, *actions, *out)

    def observe(self, state: Any, role: int, seats: NDArray[np.int32], out: Any) -> None:
        rows = seats[:, 0] >= 0
        place = out if role else out["place"]
        place[rows, 0] = state.place[rows]
        if not role:
            out["t"][rows, 0] = state.t[rows]

    def metrics(self, state: Any) -> dict[str, NDArray[Any]]:
        return {"length": state.t.astype(np.int64)}


register(World("test-herd-v0", f"{__name__}:Herd", f"{__name__}:HerdConfig", "a herd, for tests", "test_herd"))
