"""Spaces of one's own: equal to those of the shared simulator, and moved by nobody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

import ludarium
from ludarium.envs.core.language import AnyText
from ludarium.envs.core.spaces import own, stacked

BOX = spaces.Box(np.array([0, -1], np.float32), np.array([1, 2], np.float32), dtype=np.float32)
ALL = [
    spaces.Discrete(5, start=2), spaces.MultiDiscrete([3, 4], start=[1, 0]), spaces.MultiBinary(3), BOX,
    spaces.Dict({"b": BOX, "a": spaces.Tuple([spaces.Discrete(2), BOX])}), spaces.Text(5), AnyText(),
]  # fmt: skip


@pytest.mark.parametrize("space", ALL, ids=lambda space: type(space).__name__)
def test_own_space_is_equal_and_its_seed_moves_no_other(space: spaces.Space[Any]) -> None:
    space.seed(3)
    expected = [str(space.sample()) for _ in range(3)]
    space.seed(3)
    twin = own(space)
    assert twin == space
    assert type(twin) is type(space)
    twin.seed(8)
    twin.sample()
    assert [str(space.sample()) for _ in range(3)] == expected


def test_arrays_of_an_own_space_are_its_own() -> None:
    twin = own(spaces.Dict({"box": BOX}))
    assert isinstance(twin, spaces.Dict)
    twin["box"].low[0] = -9  # type: ignore[attr-defined]
    assert BOX.low[0] == 0


@pytest.mark.parametrize("space", [ALL[0], ALL[2], BOX, spaces.Dict({"b": BOX, "a": ALL[0]})], ids=str)
def test_stacked_is_what_gymnasium_makes_of_it(space: spaces.Space[Any]) -> None:
    assert stacked(space, 3) == batch_space(space, 3)


def test_stacked_multidiscrete_keeps_its_numbers() -> None:
    found = stacked(ALL[1], 2)
    assert found == spaces.MultiDiscrete([[3, 4], [3, 4]], start=[[1, 0], [1, 0]])


def _single(name: str) -> Any:
    return gym.make(name).action_space


def _rows(name: str) -> Any:
    return gym.make_vec(name, num_envs=2, vectorization_mode="vector_entry_point").action_space


def _seat(name: str) -> Any:
    made = ludarium.parallel_env(name)
    return made.action_space(made.possible_agents[0])


@pytest.mark.parametrize("space_of", [_single, _rows, _seat])
def test_two_environments_that_nobody_seeded_draw_different_actions(space_of: Callable[[str], Any]) -> None:
    one, other = space_of("mapf-v0"), space_of("mapf-v0")
    assert [str(one.sample()) for _ in range(20)] != [str(other.sample()) for _ in range(20)]
