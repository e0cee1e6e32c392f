"""What `import ludarium` costs and gives."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import pytest

import ludarium
from ludarium.envs.core.registry import WORLDS


def run(program: str, cwd: Path) -> str:
    """The output of a program in a process of its own, outside the repository."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_import_is_light_and_registers_every_id(tmp_path: Path) -> None:
    """Nothing is compiled and no heavy package is loaded; the suite's own modules are a handful."""
    program = (
        "import json, sys, gymnasium\nbefore = set(sys.modules)\nimport ludarium\n"
        "print(json.dumps([sorted(set(sys.modules) - before), sorted(i for i in gymnasium.registry if 'v0' in i)]))"
    )
    added, identities = json.loads(run(program, tmp_path))
    heavy = ("numba", "llvmlite", "scipy", "pettingzoo", "zstandard", "typer", "rich", "torch", "pandas", "pyarrow")
    assert not [name for name in added if name.split(".")[0] in heavy]
    own = [name for name in added if name.split(".")[0] == "ludarium"]
    assert len(own) <= 30, own
    assert not [name for name in own if name.endswith((".simulator", ".dynamics", ".batch"))]
    assert len(added) - len(own) <= 10, added
    assert {"mapf-v0", "mapf-lifelong-v0"} <= set(identities)


def test_the_templates_are_not_public_ids(tmp_path: Path) -> None:
    program = "import ludarium, gymnasium\nprint(any('template' in name for name in gymnasium.registry))"
    assert run(program, tmp_path) == "False\n"


@pytest.mark.parametrize("name", ["envs", "agents", "wrappers", "scenarios", "leaderboards", "hatch_build", "core"])
def test_nothing_but_ludarium_is_importable(name: str, tmp_path: Path) -> None:
    program = f"import importlib.util\nprint(importlib.util.find_spec({name!r}))"
    assert run(program, tmp_path) == "None\n"


def test_gymnasium_imports_the_suite_for_a_prefixed_id(tmp_path: Path) -> None:
    program = "import gymnasium as gym\nenv = gym.make('ludarium:mapf-lifelong-v0')\nprint(env.reset(seed=0)[0].shape)"
    assert run(program, tmp_path) == "(32, 3, 11, 11)\n"


def test_the_default_lifelong_environment() -> None:
    env = gym.make("ludarium:mapf-lifelong-v0")
    config = env.unwrapped.simulator.config  # type: ignore[attr-defined]
    assert (config.height, config.width, config.density, config.num_robots) == (32, 32, 0.2, 32)
    assert (config.collision, config.radius, config.max_steps) == ("soft", 5, 256)
    assert env.action_space == gym.spaces.MultiDiscrete([5] * 32)
    assert env.observation_space.shape == (32, 3, 11, 11)


def test_specs_are_strings_that_go_through_json() -> None:
    for identity in WORLDS:
        spec = gym.spec(identity)
        assert spec.max_episode_steps is None
        assert gym.envs.registration.EnvSpec.from_json(spec.to_json()) == spec


def test_public_names_are_there_and_others_are_not() -> None:
    for name in ludarium.__all__:
        assert getattr(ludarium, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'parralel_env'"):
        _ = ludarium.parralel_env  # type: ignore[attr-defined]


def test_errors_are_imported_by_name() -> None:
    """One class, under the short name and the long one."""
    from ludarium.envs.core import errors
    from ludarium.errors import ConfigError

    assert ConfigError is errors.ConfigError is ludarium.errors.ConfigError
    with pytest.raises(ConfigError, match="num_robots"):
        ludarium.parallel_env("mapf-v0", num_robots=0)
