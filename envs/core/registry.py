"""The table of environments: ids with the names of their classes, registered as strings so that importing costs nothing."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from typing import Any, NamedTuple

from ludarium.envs.core.errors import ConfigError, MissingExtraError, did_you_mean

__all__ = ["WORLDS", "World", "available", "config_class", "make_simulator", "register", "world"]


class World(NamedTuple):
    """A registered environment: `simulator` and `config` are `"module:Class"`."""

    id: str
    simulator: str
    config: str
    summary: str
    family: str
    defaults: tuple[tuple[str, Any], ...] = ()
    requires: str = ""
    """The package without which it cannot be made, which is also the name of the extra that installs it."""


WORLDS: dict[str, World] = {}


def register(row: World) -> None:
    """Make a world known here and to Gymnasium; registering the same row again changes nothing."""
    if WORLDS.get(row.id) == row:
        return
    import gymnasium

    WORLDS[row.id] = row
    gymnasium.register(
        id=row.id,
        entry_point="ludarium.envs.core.gym_single:GymEnv",
        vector_entry_point="ludarium.envs.core.gym_vector:GymVectorEnv",
        kwargs={"world": row.id},
        # the adapter says by itself what is out of order, and what it shows is checked by our own tests: two wrappers less
        order_enforce=False,
        disable_env_checker=True,
    )


def available(name: str) -> bool:
    """Whether the package is there that an id requires; without it the id is known, and cannot be made."""
    required = world(name).requires
    found = importlib.util.find_spec(required) if required else None
    # a folder that only bears the name (origin None) is not the package
    return not required or (found is not None and found.origin is not None)


def world(name: str) -> World:
    """The row of an id; `module:id` imports the module first. Unknown ids raise `ConfigError` with the nearest one."""
    if ":" in name:
        module, name = name.split(":", 1)
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise ConfigError(f"cannot import {module!r} of the id '{module}:{name}': {error}") from error
    if name not in WORLDS:
        raise ConfigError(f"unknown environment {name!r}{did_you_mean(name, WORLDS)}")
    return WORLDS[name]


def _load(path: str) -> Any:
    module, name = path.split(":")
    return getattr(importlib.import_module(module), name)


def config_class(name: str) -> Any:
    """The config dataclass of an id."""
    return _load(world(name).config)


def make_simulator(name: str, **options: Any) -> Any:
    """A simulator of this id; options are the fields of its config. `MissingExtraError` says what it lacks to be made."""
    row = world(name)
    if not available(name):
        raise MissingExtraError(row.requires, row.requires)
    config = _load(row.config).of(**{**dict(row.defaults), **options})
    return _simulator(row.simulator, config)


@functools.lru_cache(maxsize=64)
def _simulator(path: str, config: Any) -> Any:
    """Simulators keep nothing of an episode, so equal configs share one, with its pools and bound kernels."""
    return _load(path)(config)
