"""Text worlds: households, cooking, coins, tool desks, and TextWorld games."""

from ludarium.envs.core.registry import World, register

_MODULE = "ludarium.envs.text"

register(
    World(
        id="text-household-v0",
        simulator=f"{_MODULE}.household.simulator:Household",
        config=f"{_MODULE}.household.config:HouseholdConfig",
        summary="household tasks in ALFWorld's words: find, heat, cool, clean, slice, put, look",
        family="text",
    )
)
register(
    World(
        id="text-coin-v0",
        simulator=f"{_MODULE}.coin.simulator:Coin",
        config=f"{_MODULE}.coin.config:CoinConfig",
        summary="find the way through a chain of rooms to a coin",
        family="text",
    )
)
register(
    World(
        id="text-cooking-v0",
        simulator=f"{_MODULE}.cooking.simulator:Cooking",
        config=f"{_MODULE}.cooking.config:CookingConfig",
        summary="gather, cook and cut what a recipe says, prepare the meal and eat it",
        family="text",
    )
)
register(
    World(
        id="text-desk-v0",
        simulator=f"{_MODULE}.desk.simulator:Desk",
        config=f"{_MODULE}.desk.config:DeskConfig",
        summary="a service desk: an agent with tools and a policy, a user with wishes, one database",
        family="text",
    )
)
register(
    World(
        id="text-textworld-v0",
        simulator=f"{_MODULE}.textworld.simulator:Textworld",
        config=f"{_MODULE}.textworld.config:TextworldConfig",
        summary="any TextWorld game, played by TextWorld",
        family="text",
        requires="textworld",
    )
)
