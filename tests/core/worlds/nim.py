"""Nim: two players take 1 to 3 sticks by turns. One seat at a time, over arrays, with actions that begin at 1."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel
from ludarium.envs.core.config import Config, at_least
from ludarium.envs.core.registry import World, register
from ludarium.envs.core.rng import below, draw, episode_key
from ludarium.envs.core.simulator import ArraySimulator, Choice, Out, Role
from ludarium.envs.core.state import COMMON, Field


@dataclasses.dataclass(frozen=True, kw_only=True)
class NimConfig(Config):
    max_steps: int = 40
    most: int = 20

    def validate(self) -> None:
        at_least("most", self.most, 4)


class State(NamedTuple):
    key: NDArray[np.uint64]
    t: NDArray[np.int32]
    over: NDArray[np.bool_]
    live: NDArray[np.bool_]
    inst: NDArray[np.int32]
    sticks: NDArray[np.int32]
    faults: NDArray[np.int32]


@kernel
def reset(s, most, which, seeds):
    for b in range(which.shape[0]):
        if which[b]:
            s.key[b] = episode_key(seeds[b])
            s.sticks[b] = 4 + below(draw(s.key[b], 1, 0, 0, 0), most - 3)
            s.t[b], s.faults[b], s.inst[b] = 0, 0, -1
            s.over[b] = False
            s.live[b] = True


@kernel
def step(s, limit, actions, reward, terminated, truncated, fault):
    for b in range(s.t.shape[0]):
        if s.over[b]:
            continue
        player = np.int64(s.t[b]) % 2
        s.t[b] += 1
        reward[b] = 0.0
        fault[b] = 0
        taken = actions[b, player]
        if taken > s.sticks[b]:
            fault[b, player] = 1
            s.faults[b] += 1
        else:
            s.sticks[b] -= taken
        won = s.sticks[b] == 0
        if won:
            reward[b, player], reward[b, 1 - player] = 1.0, -1.0
        terminated[b] = won
        truncated[b] = not won and s.t[b] >= limit
        if won or truncated[b]:
            s.over[b] = True
            s.live[b] = False


class Nim(ArraySimulator):
    """Take 1 to 3 sticks by turns; who takes the last one wins."""

    State = State
    turns = "one"
    faults = ("none", "too_many")
    views = ("array", "text", "tools")

    def __init__(self, config: NimConfig) -> None:
        self.config: NimConfig = config
        self.roles = (Role("player", 2, spaces.Box(0, config.most, (1,), np.int32), spaces.Discrete(3, start=1)),)

    def fields(self) -> tuple[Field, ...]:
        return (*COMMON(2), Field("sticks", np.int32), Field("faults", np.int32))

    def reset(self, state: Any, which: Any, seeds: Any, slots: Any) -> None:
        reset(state, self.config.most, which, seeds)

    def asked(self, state: Any, out: NDArray[np.int8]) -> None:
        out[...] = (np.arange(2) == (state.t % 2)[:, None]) & ~state.over[:, None]

    def check(self, state: Any, actions: tuple[Any, ...], fault: NDArray[np.int16]) -> None:
        mine = (np.arange(2) == (state.t % 2)[:, None]) & ~state.over[:, None]
        fault[...] = mine & (actions[0] > state.sticks[:, None])

    def step(self, state: Any, actions: tuple[Any, ...], out: Out) -> None:
        step(state, self.config.max_steps, actions[0], *out)

    def observe(self, state: Any, role: int, seats: NDArray[np.int32], out: Any) -> None:
        out[..., 0] = np.where(seats >= 0, state.sticks[:, None], out[..., 0])

    def action_mask(self, state: Any, role: int, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
        legal = np.arange(1, 4)[None, None, :] <= state.sticks[:, None, None]
        out[...] = np.where(seats[:, :, None] >= 0, legal, out)

    def metrics(self, state: Any) -> dict[str, NDArray[Any]]:
        return {"sticks_left": state.sticks.astype(np.int64), "faults": state.faults.astype(np.int64)}

    def invariants(self, state: Any) -> dict[str, NDArray[np.bool_]]:
        return {"sticks are never owed": state.sticks >= 0}

    def describe(self, state: Any, row: int, seat: int) -> str:
        return f"{state.sticks[row]} sticks are left."

    def menu(self, state: Any, row: int, seat: int) -> list[Choice]:
        return [Choice(n, f"take {n}", "take", {"sticks": n}) for n in (1, 2, 3) if n <= state.sticks[row]]


register(World("test-nim-v0", f"{__name__}:Nim", f"{__name__}:NimConfig", "Nim, for tests", "test_nim"))
