"""A continuous double auction (`econ-market-v0`): order books in which traders, a market maker and a regulator act."""

from ludarium.envs.core.registry import World, register

_MODULE = "ludarium.envs.econ.market"

register(
    World(
        id="econ-market-v0",
        simulator=f"{_MODULE}.simulator:Market",
        config=f"{_MODULE}.config:MarketConfig",
        summary="traders, a market maker and a regulator in limit order books",
        family="econ",
    )
)
