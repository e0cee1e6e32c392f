"""A linear public good (`econ-publicgoods-v0`): members give to a pot that grows and is shared, and may punish."""

from ludarium.envs.core.registry import World, register

_MODULE = "ludarium.envs.econ.publicgoods"

register(
    World(
        id="econ-publicgoods-v0",
        simulator=f"{_MODULE}.simulator:PublicGoods",
        config=f"{_MODULE}.config:PublicGoodsConfig",
        summary="members give to a pot that grows and is shared by all, and may punish each other",
        family="econ",
    )
)
