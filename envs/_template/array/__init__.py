"""Crates in an aisle: a planner names crates, workers fetch them. The template of array worlds."""

from ludarium.envs.core.registry import World, register

_MODULE = "ludarium.envs._template.array"

register(
    World(
        id="template-array-v0",
        simulator=f"{_MODULE}.simulator:TemplateArray",
        config=f"{_MODULE}.config:TemplateArrayConfig",
        summary="a planner names crates in an aisle, workers fetch them",
        family="template_array",
    )
)
