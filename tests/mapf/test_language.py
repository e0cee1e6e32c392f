"""Path finding in words says what is the case."""

from __future__ import annotations

import re
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from ludarium.envs.core.errors import ActionError, NotClaimedError
from ludarium.envs.core.language import commands, parse, parse_tool, tools

DELTA = {"wait": (0, 0), "move up": (-1, 0), "move down": (1, 0), "move left": (0, -1), "move right": (0, 1)}
GIVEN = {"map": ["....", ".##.", "...."], "starts": [[0, 0], [2, 3]], "goals": [[[2, 2]], [[0, 0]]]}


def begun(world: str = "mapf-v0", seed: int = 1, instance: Any = None, **options: Any) -> Any:
    env: Any = gym.make(world, **options)
    env.reset(seed=seed, options=None if instance is None else {"instance": instance})
    return env.unwrapped


def given(**options: Any) -> Any:
    return begun(instance=GIVEN, num_robots=2, height=3, width=4, density=0.0, radius=2, **options)


def told(base: Any, seat: int = 0) -> str:
    return str(base.simulator.describe(base.batch.state, 0, seat))


def test_the_description_of_a_known_situation() -> None:
    assert told(given()).splitlines() == [
        "Step 0 of 256. You are robot 0 at row 0, column 0.",
        "Your goal is at row 2, column 2: 2 down and 2 right.",
        "What you see (@ you, o robot, # obstacle, x your goal, . free):",
        *[".....", ".####", ".#@..", ".#.##", ".#..x"],
    ]  # fmt: skip


def test_the_window_is_the_observation_in_letters() -> None:
    for seed in range(5):
        base = begun("mapf-lifelong-v0", seed, size=8, num_robots=6, radius=3)
        for seat in range(6):
            window = np.array([list(line) for line in told(base, seat).splitlines()[-7:]])
            walls, robots, _ = base.batch.observed[0][0, seat]
            np.testing.assert_array_equal(window == "#", walls == 1)
            np.testing.assert_array_equal(np.isin(window, ["o", "@"]), robots == 1)
            assert window[3, 3] == "@"


def test_directions_lead_to_the_goal() -> None:
    base = begun("mapf-lifelong-v0", 4, size=10, num_robots=8)
    for seat in range(8):
        line = told(base, seat).splitlines()[1]
        way = {word: int(n) for n, word in re.findall(r"(\d+) (up|down|left|right)", line)}
        row = way.get("down", 0) - way.get("up", 0)
        column = way.get("right", 0) - way.get("left", 0)
        state = base.batch.state
        assert (state.pos[0, seat] + (row, column)).tolist() == state.goal[0, seat].tolist()


def test_every_command_does_what_it_says_on_an_empty_map() -> None:
    for seed in range(8):
        base = begun("mapf-lifelong-v0", seed, size=6, num_robots=1, density=0.0)
        for text in commands(base.simulator, base.batch.state, 0, 0) or ():
            kept, before = base.snapshot(), base.batch.state.pos[0, 0].tolist()
            base.step(parse(base.simulator, base.batch.state, 0, 0, text))
            assert base.batch.state.pos[0, 0].tolist() == [a + d for a, d in zip(before, DELTA[text], strict=True)]
            base.restore(kept)


def test_menus_hold_what_no_obstacle_stops() -> None:
    base = given()
    assert commands(base.simulator, base.batch.state, 0, 0) == ("wait", "move down", "move right")
    assert commands(base.simulator, base.batch.state, 0, 1) == ("wait", "move up", "move left")
    (wait, move) = tools(base.simulator, base.batch.state, 0, 0)
    assert (wait["name"], wait["parameters"]["properties"]) == ("wait", {})
    assert move["parameters"]["properties"] == {"direction": {"enum": ["down", "right"]}}
    assert parse_tool(base.simulator, base.batch.state, 0, 0, "move", {"direction": "down"}) == 2
    with pytest.raises(ActionError, match="move does not take"):
        parse_tool(base.simulator, base.batch.state, 0, 0, "move", {"direction": "up"})


def test_numbers_are_actions_too() -> None:
    base = given()
    assert [parse(base.simulator, base.batch.state, 0, 0, str(n)) for n in range(5)] == list(range(5))
    for text in ("5", "-1", "1.5", "true", "move", "up", "[1]"):
        with pytest.raises(ActionError):
            parse(base.simulator, base.batch.state, 0, 0, text)


@pytest.mark.parametrize(
    ("actions", "seat", "reason"),
    [([1, 0], 0, "there is an obstacle"), ([0, 4], 1, "there is an obstacle")],
)
def test_reasons_are_told(actions: list[int], seat: int, reason: str) -> None:
    base = given()
    *_, info = base.step(np.array(actions))
    code = int(info["faults"][seat])
    sentence = base.simulator.explain(base.batch.state, 0, seat, actions[seat], code)
    assert sentence.startswith(f"robot_{seat} cannot move")
    assert reason in sentence


def test_conflicts_are_told_by_kind() -> None:
    line = {"map": ["...."], "starts": [[0, 0], [0, 1]], "goals": [[[0, 3]], [[0, 2]]]}
    for actions, faults, words in (
        ([4, 3], [3, 3], "swap"), ([4, 0], [4, 0], "could not move away"),
    ):  # fmt: skip
        base = begun(instance=line, num_robots=2, height=1, width=4, density=0.0)
        *_, info = base.step(np.array(actions))
        assert info["faults"].tolist() == faults
        assert words in base.simulator.explain(base.batch.state, 0, 0, 4, faults[0])
    meet = {"map": ["..."], "starts": [[0, 0], [0, 2]], "goals": [[[0, 1]], [[0, 0]]]}
    base = begun(instance=meet, num_robots=2, height=1, width=3, density=0.0)
    *_, info = base.step(np.array([4, 3]))
    assert info["faults"].tolist() == [0, 2]
    assert "another robot got it" in base.simulator.explain(base.batch.state, 0, 1, 3, 2)


def test_a_robot_that_left_is_told_so() -> None:
    line = {"map": ["..."], "starts": [[0, 0], [0, 2]], "goals": [[[0, 1]], [[0, 0]]]}
    base = begun(instance=line, num_robots=2, height=1, width=3, density=0.0, on_goal="vanish")
    base.step(np.array([4, 0]))
    assert "You reached your goal and left." in told(base)
    assert commands(base.simulator, base.batch.state, 0, 0) == ("wait",)


@pytest.mark.parametrize("collision", ["soft", "block_both", "priority", "strict"])
@pytest.mark.parametrize(
    ("world", "on_goal"), [("mapf-v0", "stay"), ("mapf-v0", "vanish"), ("mapf-lifelong-v0", "restart")]
)
def test_the_rules_name_the_config(world: str, on_goal: str, collision: str) -> None:
    base = begun(world, num_robots=3, size=5, density=0.0, max_steps=77, radius=4, on_goal=on_goal, collision=collision)
    rules = base.describe()
    assert "3 robots" in rules
    assert "77 steps" in rules
    assert "4 cells away" in rules
    others = {begun(world, num_robots=3, size=5, density=0.0, max_steps=77, radius=4, on_goal=on_goal, collision=c).describe()
              for c in ("soft", "block_both", "priority", "strict")}  # fmt: skip
    assert len(others) == 4


def test_local_information_does_not_show_the_map() -> None:
    base = given()
    with pytest.raises(NotClaimedError, match="'local'"):
        base.simulator.full(base.batch.state, 0, "local")
    assert base.simulator.full(base.batch.state, 0, "global").upcoming.shape == (2, 0)
