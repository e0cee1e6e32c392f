"""Ludarium: simulation environments in which every score can be checked by playing it again.

`import ludarium` registers the environments with Gymnasium as strings; nothing is compiled, and Numba is not imported,
before the first environment is made.
"""

from __future__ import annotations

import importlib
from typing import Any

from ludarium import errors
from ludarium.envs import econ as _econ  # noqa: F401  (registers its ids)
from ludarium.envs import mapf as _mapf  # noqa: F401
from ludarium.envs import text as _text  # noqa: F401

__version__ = "0.1.0.dev0"
__all__ = ["Trace", "__version__", "aec_env", "errors", "make_agent", "parallel_env"]  # noqa: F822  (two are lazy)

_LAZY = {
    "Trace": "ludarium.envs.core.trace",
    "make_agent": "ludarium.agents.registry",
}


def parallel_env(world: str, **options: Any) -> Any:
    """Make a PettingZoo parallel environment: `ludarium.parallel_env("mapf-lifelong-v0", num_robots=8)`."""
    from ludarium.envs.core.zoo import ZooParallel

    return ZooParallel(world, **options)


def aec_env(world: str, **options: Any) -> Any:
    """Make a PettingZoo AEC environment, with the same digests as the parallel one."""
    from ludarium.envs.core.zoo import ZooAec

    return ZooAec(world, **options)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'ludarium' has no attribute {name!r}")
