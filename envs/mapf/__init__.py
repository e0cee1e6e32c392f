"""Multi-agent path finding: one-shot (`mapf-v0`) and lifelong (`mapf-lifelong-v0`)."""

from ludarium.envs.core.registry import World, register

_MODULE = "ludarium.envs.mapf"

register(
    World(
        id="mapf-v0",
        simulator=f"{_MODULE}.simulator:Mapf",
        config=f"{_MODULE}.config:MapfConfig",
        summary="one-shot multi-agent path finding: every robot to its goal",
        family="mapf",
    )
)
register(
    World(
        id="mapf-lifelong-v0",
        simulator=f"{_MODULE}.simulator:Mapf",
        config=f"{_MODULE}.config:LifelongConfig",
        summary="lifelong multi-agent path finding: a robot at its goal gets the next one",
        family="mapf",
    )
)
