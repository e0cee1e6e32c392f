"""Recorded POGEMA episodes replay step for step: in the plain reference, and in the environment under `compat`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mapf import recorded
from mapf.reference import Reference

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import InstanceError
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.mapf.pogema import PogemaGoals, pogema_instance

FILES = ("finish", "nothing", "restart")
KINDS = {"default": "grid", "POMAPF": "pomapf", "MAPF": "mapf"}


def reference_of(config: dict[str, Any]) -> Reference:
    """The reference on the instance that the config's seed draws, or that it gives."""
    grid, next_goal = recorded.given_map(config), None
    if "agents_xy" in config:
        starts, goals = config["agents_xy"], config["targets_xy"]
        goals = goals if config["on_target"] == "restart" else [[goal] for goal in goals]
    else:
        grid, first, aims = pogema_instance(
            config["seed"], config.get("height", 0), config.get("width", 0), config.get("density", 0.0),
            config["num_agents"], map=grid,
        )  # fmt: skip
        starts, goals = first.tolist(), [[goal] for goal in aims.tolist()]
        streams = PogemaGoals(config["seed"], config["num_agents"], grid)

        def next_goal(robot: int, number: int, cell: tuple[int, int]) -> tuple[int, int]:
            return streams.next(robot, cell)

    return Reference(
        grid, starts, goals, next_goal, collision=config["collision_system"],
        on_goal=recorded.MODES[config["on_target"]], radius=config["obs_radius"],
        max_steps=config["max_episode_steps"], compat=True,
    )  # fmt: skip


def look(reference: Reference, kind: str) -> Any:
    """What all robots see."""
    if kind == "default":
        return np.stack([reference.observe(i) for i in range(reference.n)])
    each = [reference.observe_mapf(i) for i in range(reference.n)]
    return {name: np.stack([own[name] for own in each]) for name in each[0]}


def replay_reference(episode: dict[str, Any]) -> list[str]:
    """Play an episode in the reference; return what differs from the record."""
    config = episode["config"]
    world, kind = reference_of(config), config["observation_type"]
    positions, outcome, observed = [], [], [recorded.seen(kind, look(world, kind))]
    reward = 0.0
    for actions in recorded.actions(episode):
        step = world.step(actions.tolist())
        reward += sum(step.reward)
        positions.append(recorded.digest(np.array(world.pos, "<i4")))
        late = world.t >= world.max_steps  # POGEMA sets both flags when both are true
        outcome.append(recorded.outcome(world.goal, step.reward, step.terminated, late, world.active))
        observed.append(recorded.seen(kind, look(world, kind)))
    start = recorded.digest(world.grid.astype(np.uint8)), np.array(world.starts).reshape(-1).tolist()
    return differences(episode, start, positions, outcome, observed, reward, world.over, world.metrics())


def differences(
    episode: dict[str, Any],
    start: Any,
    positions: list[str],
    outcome: list[str],
    observed: list[str],
    reward: float,
    over: bool,
    figures: Any,
) -> list[str]:
    """What is not as recorded, in words."""
    found = [] if start == (episode["grid"], episode["starts"]) else ["another instance"]
    for name, got in (("positions", positions), ("outcome", outcome), ("observed", observed)):
        where = recorded.first_difference(got, episode[name])
        found += [f"{name} {where}"] if where else []
    found += [] if reward == episode["reward"] else [f"reward {reward}, POGEMA {episode['reward']}"]
    found += [] if over else ["not over"]
    return found + list(recorded.metric_differences(episode, figures))


@pytest.mark.parametrize("file", FILES)
def test_the_reference_replays_pogema(file: str) -> None:
    episodes = recorded.read(file)
    assert len(episodes) >= 70
    for number, episode in enumerate(episodes):
        assert not replay_reference(episode), (number, episode["config"])


def batch_of(config: dict[str, Any], density: bool) -> Batch:
    """The environment of a config, reset to its episode."""
    options: dict[str, Any] = {
        "num_robots": config["num_agents"], "collision": config["collision_system"],
        "radius": config["obs_radius"], "max_steps": config["max_episode_steps"], "compat": "pogema",
        "observation": KINDS[config["observation_type"]], "track_density": density,
    }  # fmt: skip
    if "map" in config:
        options["map"] = "\n".join(config["map"]) + "\n"
    else:
        options |= {key: config[key] for key in ("height", "width", "density")}
    if "agents_xy" in config:
        options |= {"starts": config["agents_xy"], "goals": config["targets_xy"]}
    mode = recorded.MODES[config["on_target"]]
    name = "mapf-lifelong-v0" if mode == "restart" else "mapf-v0"
    batch = Batch(make_simulator(name, **options, **({} if mode == "restart" else {"on_goal": mode})), 1, name)
    row = np.ones(1, np.bool_)
    batch.seed(row, [config["seed"]])
    batch.reset(row)
    return batch


def replay_environment(episode: dict[str, Any]) -> list[str]:
    """Play an episode in the environment; return what differs from the record."""
    config = episode["config"]
    batch, kind = batch_of(config, "avg_agents_density" in episode["metrics"]), config["observation_type"]
    state, pad = batch.state, batch.simulator.scalars.pad

    def sight() -> str:
        seen = batch.observed[0]
        return recorded.seen(kind, {k: v[0] for k, v in seen.items()} if isinstance(seen, dict) else seen[0])

    height, width = state.size[0]
    grid = state.walls[0, pad : pad + height, pad : pad + width]
    start = recorded.digest(grid), state.pos[0].reshape(-1).tolist()
    positions, outcome, observed, reward = [], [], [sight()], 0.0
    for actions in recorded.actions(episode):
        batch.put(0, actions[None])
        batch.step()
        reward += float(batch.out.reward[0].sum())
        positions.append(recorded.digest(state.pos[0].astype("<i4")))
        late = bool(state.t[0] >= config["max_episode_steps"])
        outcome.append(
            recorded.outcome(state.goal[0], batch.out.reward[0], batch.out.terminated[0], late, state.active[0])
        )
        observed.append(sight())
    figures = {name: value[0] for name, value in batch.simulator.metrics(state).items()}
    return differences(episode, start, positions, outcome, observed, reward, bool(batch.over[0]), figures)


@pytest.mark.parametrize("file", FILES)
def test_the_environment_replays_pogema(file: str) -> None:
    for number, episode in enumerate(recorded.read(file)):
        assert not replay_environment(episode), (number, episode["config"])


def test_as_many_robots_fit_as_in_pogema() -> None:
    for case in recorded.read("limits"):
        size = (case["config"][key] for key in ("seed", "height", "width", "density"))
        seed, height, width, density = size
        _, starts, goals = pogema_instance(seed, height, width, density, case["most"])
        assert starts.reshape(-1).tolist() == case["starts"]
        assert goals.reshape(-1).tolist() == case["goals"]
        with pytest.raises(InstanceError, match=f"for {case['most'] + 1} robots, can place {case['most']} "):
            pogema_instance(seed, height, width, density, case["most"] + 1)


def test_fewer_robots_are_the_first_of_more() -> None:
    _, all_starts, all_goals = pogema_instance(5, 12, 17, 0.25, 60)
    for robots in range(60):
        _, starts, goals = pogema_instance(5, 12, 17, 0.25, robots)
        assert np.array_equal(starts, all_starts[:robots])
        assert np.array_equal(goals, all_goals[:robots])


def test_a_goal_stream_depends_on_nothing_but_its_robot() -> None:
    grid, _, goals = pogema_instance(11, 9, 9, 0.3, 8)
    together, alone = PogemaGoals(11, 8, grid), PogemaGoals(11, 8, grid)
    for robot in (5, 2):
        cell = other = tuple(goals[robot].tolist())
        for _ in range(50):
            together.next(7, tuple(goals[7].tolist()))
            before, cell, other = cell, together.next(robot, cell), alone.next(robot, other)
            assert cell == other != before


def test_a_robot_walled_in_has_no_next_goal() -> None:
    with pytest.raises(InstanceError, match="no free neighbour"):
        PogemaGoals(0, 1, np.array([[0, 1, 0], [1, 1, 0]], np.uint8)).next(0, (0, 0))
