"""Bargaining (`econ-bargain-v0`): the ultimatum game, Rubinstein's alternating offers, several issues at once."""

from ludarium.envs.core.registry import World, register

_MODULE = "ludarium.envs.econ.bargain"

register(
    World(
        id="econ-bargain-v0",
        simulator=f"{_MODULE}.simulator:Bargain",
        config=f"{_MODULE}.config:BargainConfig",
        summary="two parties make offers in turn: ultimatum, Rubinstein, several issues",
        family="econ",
    )
)
