"""The environment equals the plain reference over more than 10,000 short episodes on crowded maps, in vector form.

Every row of a batch has a map of its own size, so that padding is tested too. Goals after the first are drawn by the
environment; the reference takes them as they are, and the test checks that each is another cell of the component.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from mapf.reference import Reference

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.compile import DISABLED
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.mapf.grid import components, neighbours
from ludarium.envs.mapf.instance import Instance

SIDE = 6
ROWS = 64 if DISABLED else 280
CASES = [
    (rule, mode, robots, radius, kind, compat)
    for n, (rule, mode) in enumerate(
        (rule, mode) for rule in ("soft", "block_both", "priority", "strict") for mode in ("stay", "vanish", "restart")
    )
    for robots, radius, kind, compat in (
        (2 + n % 3, 1 + n % 2, ("float32", "uint8")[n % 2], False),
        (4 + n % 3, 3, ("pomapf", "mapf")[n % 2], False),
        (5 + n % 4, 5, ("uint8", "float32")[n % 2], rule == "soft"),
    )
]


def instance(rng: random.Random, robots: int, mode: str) -> Instance:
    """A small crowded map; one-shot goals may be other robots' starts, or the robot's own."""
    while True:
        height, width = rng.randint(1, SIDE), rng.randint(1, SIDE)
        grid = np.array([[rng.random() < 0.15 for _ in range(width)] for _ in range(height)], np.uint8)
        label = components(neighbours(grid))
        cells = [int(cell) for cell in np.flatnonzero(label >= 0)]
        if mode == "restart":
            cells = [cell for cell in cells if np.count_nonzero(label == label[cell]) > 1]
        if robots <= len(cells) <= 4 * robots:
            break
    starts, goals = rng.sample(cells, robots), rng.sample(cells, robots)
    return Instance.of(grid, [divmod(c, width) for c in starts], [divmod(c, width) for c in goals])


def batch_of(case: Any, rng: random.Random) -> Batch:
    """A batch of such instances."""
    rule, mode, robots, radius, kind, compat = case
    options: dict[str, Any] = {
        "map": ("." * SIDE + "\n") * SIDE, "num_robots": robots, "collision": rule, "radius": radius,
        "max_steps": 3 + robots, "allow_unreachable": True, "track_density": radius > 2,
        "observation": kind if "mapf" in kind else "grid", "compat": "pogema" if compat else None,
    }  # fmt: skip
    if "mapf" not in kind:
        options["dtype"] = kind
    if mode != "restart":
        options["on_goal"] = mode
    name = "mapf-lifelong-v0" if mode == "restart" else "mapf-v0"
    batch = Batch(make_simulator(name, **options), ROWS, name)
    every = np.ones(ROWS, np.bool_)
    batch.seed(every, range(ROWS))
    batch.reset(every, {b: instance(rng, robots, mode) for b in range(ROWS)})
    return batch


def reference_of(batch: Batch, b: int) -> Reference:
    """The reference on row b's instance; it asks the environment for goals."""
    given, config = batch.instances[b], batch.simulator.config
    label = components(neighbours(given.grid)).reshape(given.grid.shape)

    def next_goal(robot: int, number: int, cell: tuple[int, int]) -> tuple[int, int]:
        goal = tuple(batch.state.goal[b, robot].tolist())
        assert batch.state.reached[b, robot] == number
        assert goal != cell
        assert label[goal] == label[cell]
        return goal

    return Reference(
        given.grid, given.starts, given.goals, next_goal, collision=config.collision, on_goal=config.on_goal,
        radius=config.radius, max_steps=config.max_steps, compat=config.compat is not None,
    )  # fmt: skip


def same_sight(batch: Batch, b: int, world: Reference) -> None:
    """Row b's observations are the reference's."""
    seen = batch.observed[0]
    for i in range(world.n):
        if not isinstance(seen, dict):
            assert np.array_equal(seen[b, i], world.observe(i))
            continue
        for name, value in world.observe_mapf(i).items():
            if name == "global_obstacles" and name in seen:
                assert np.array_equal(seen[name][b, i, : value.shape[0], : value.shape[1]], value)
            elif name in seen:
                assert np.array_equal(seen[name][b, i], value), name


def same_state(batch: Batch, b: int, world: Reference, actions: np.ndarray) -> None:
    """One step of row b, in the reference too."""
    state, out = batch.state, batch.out
    step = world.step(actions.tolist())
    assert state.pos[b].tolist() == [list(cell) for cell in world.pos]
    assert state.goal[b].tolist() == [list(cell) for cell in world.goal]
    assert state.active[b].tolist() == world.active
    assert out.fault[b].tolist() == step.fault
    assert state.executed[b].tolist() == step.executed
    assert out.reward[b].tolist() == step.reward
    assert out.terminated[b].tolist() == step.terminated
    assert (bool(out.truncated[b]), bool(batch.over[b])) == (step.truncated, world.over)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_the_environment_is_the_reference(case: Any) -> None:
    rng = random.Random(str(case))
    batch = batch_of(case, rng)
    worlds = [reference_of(batch, b) for b in range(ROWS)]
    look_at = 1
    while not batch.over.all():
        actions = np.array([[rng.randrange(5) for _ in range(case[2])] for _ in range(ROWS)])
        going = ~batch.over
        batch.put(0, actions)
        batch.step()
        for b in np.flatnonzero(going):
            same_state(batch, int(b), worlds[b], actions[b])
            if (b + look_at) % 3 == 0:
                same_sight(batch, int(b), worlds[b])
        look_at += 1
        assert all(held.all() for held in batch.simulator.invariants(batch.state).values())
    for name, values in batch.simulator.metrics(batch.state).items():
        expected = np.array([world.metrics()[name] for world in worlds], float)
        assert np.allclose(values, expected, rtol=1e-9, atol=0), name


def test_there_are_enough_episodes() -> None:
    assert DISABLED or ROWS * len(CASES) >= 10_000


@pytest.mark.skipif(DISABLED, reason="there are no variants without the compiler")
def test_the_special_kernels_are_among_the_cases() -> None:
    """Lifelong under `soft` has kernels of its own unless something rare is asked for; both kinds are fuzzed."""
    variants = [
        batch_of(case, random.Random(0)).simulator.scalars._variant for case in CASES if case[:2] == ("soft", "restart")
    ]
    assert set(variants) == {"", "usual"}
