"""Gather, trade, build (`econ-gtb-v0`): workers on a map, a market between them, a planner who taxes them."""

from ludarium.envs.core.registry import World, register

_MODULE = "ludarium.envs.econ.gtb"

register(
    World(
        id="econ-gtb-v0",
        simulator=f"{_MODULE}.simulator:Gtb",
        config=f"{_MODULE}.config:GtbConfig",
        summary="workers gather, trade and build houses on a map, a planner sets tax rates",
        family="econ",
    )
)
