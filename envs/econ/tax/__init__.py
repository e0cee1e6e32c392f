"""Bilevel taxation (`econ-tax-v0`): a planner sets rates, workers choose hours, taxes are shared out."""

from ludarium.envs.core.registry import World, register

_MODULE = "ludarium.envs.econ.tax"

register(
    World(
        id="econ-tax-v0",
        simulator=f"{_MODULE}.simulator:Tax",
        config=f"{_MODULE}.config:TaxConfig",
        summary="a planner sets tax rates, workers choose their hours, taxes are shared out",
        family="econ",
    )
)
