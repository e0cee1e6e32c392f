"""Repeated oligopoly (`econ-oligopoly-v0`): firms choose quantities or prices, again and again."""

from ludarium.envs.core.registry import World, register

_MODULE = "ludarium.envs.econ.oligopoly"

register(
    World(
        id="econ-oligopoly-v0",
        simulator=f"{_MODULE}.simulator:Oligopoly",
        config=f"{_MODULE}.config:OligopolyConfig",
        summary="firms choose quantities or prices, again and again",
        family="econ",
    )
)
