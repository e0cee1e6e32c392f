"""The market under a name of the tests."""

from __future__ import annotations

from ludarium.envs.core.registry import World, register

ID = "test-econ-market-v0"
_MODULE = "ludarium.envs.econ.market"

register(
    World(ID, f"{_MODULE}.simulator:Market", f"{_MODULE}.config:MarketConfig", "a continuous double auction", "econ")
)
