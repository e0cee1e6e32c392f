"""Exchange in pairs (`econ-exchange-v0`): the Boltzmann economy, and goods of uncertain worth among the risk averse (CARA)."""

from ludarium.envs.core.registry import World, register

_MODULE = "ludarium.envs.econ.exchange"

register(
    World(
        id="econ-exchange-v0",
        simulator=f"{_MODULE}.simulator:Exchange",
        config=f"{_MODULE}.config:ExchangeConfig",
        summary="traders meet in pairs: money changes hands by chance (Boltzmann), or risky goods for money (CARA)",
        family="econ",
    )
)
