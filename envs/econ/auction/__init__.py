"""Sealed-bid auctions (`econ-auction-v0`): first price, second price, all pay, and one for water in which bidders may die."""

from ludarium.envs.core.registry import World, register

_MODULE = "ludarium.envs.econ.auction"

register(
    World(
        id="econ-auction-v0",
        simulator=f"{_MODULE}.simulator:Auction",
        config=f"{_MODULE}.config:AuctionConfig",
        summary="bidders in sealed-bid auctions: first price, second price, all pay, and for water",
        family="econ",
    )
)
