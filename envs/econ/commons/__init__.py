"""A shared resource (`econ-commons-v0`): harvesters who pledge, take, talk, vote and punish, and a governor if wanted."""

from ludarium.envs.core.registry import World, register

_MODULE = "ludarium.envs.econ.commons"

register(
    World(
        id="econ-commons-v0",
        simulator=f"{_MODULE}.simulator:Commons",
        config=f"{_MODULE}.config:CommonsConfig",
        summary="harvesters share a resource that grows back: pledges, talk, votes, sanctions, a governor",
        family="econ",
    )
)
